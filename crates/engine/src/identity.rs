//! What we call ourselves in messages: tags, Server and User-Agent headers.

use md5::{Digest, Md5};
use sip::Message;

/// Names that we give ourselves.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The complete Server header line without its line end; empty for none.
    pub server: Vec<u8>,
    /// The complete User-Agent header line without its line end; empty for none.
    pub user_agent: Vec<u8>,
    /// Constant part of stateful To tags, 32 hex digits.
    pub stateful_tag: String,
    /// Constant part of stateless To tags, 32 hex digits.
    pub stateless_tag: String,
}

impl Identity {
    /// Names with tags derived from a seed that differs at each start.
    pub fn new(server: Vec<u8>, user_agent: Vec<u8>, seed: u64) -> Self {
        let tag = |kind: &[u8]| {
            let mut md5 = Md5::new();
            md5.update(seed.to_be_bytes());
            md5.update(kind);
            hex(&md5.finalize())
        };
        Self {
            server,
            user_agent,
            stateful_tag: tag(b"stateful"),
            stateless_tag: tag(b"stateless"),
        }
    }

    /// The To tag of a reply made with a transaction: constant, `-`, and eight digits from the request.
    pub fn stateful_to_tag(&self, request: &Message) -> Vec<u8> {
        format!("{}-{:08x}", self.stateful_tag, fingerprint(request)).into_bytes()
    }

    /// The To tag of a reply made without one: the same with a dot.
    pub fn stateless_to_tag(&self, request: &Message) -> Vec<u8> {
        format!("{}.{:08x}", self.stateless_tag, fingerprint(request)).into_bytes()
    }
}

/// A number that the retransmissions of a request share.
fn fingerprint(request: &Message) -> u32 {
    let branch = request
        .top_via()
        .and_then(|via| via.branch())
        .unwrap_or_default();
    let mut hash: u32 = 0x811c_9dc5;
    for byte in request.call_id().unwrap_or_default().iter().chain(branch) {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    hash
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
