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
        to_tag(&self.stateful_tag, b'-', request)
    }

    /// The To tag of a reply made without one: the same with a dot.
    pub fn stateless_to_tag(&self, request: &Message) -> Vec<u8> {
        to_tag(&self.stateless_tag, b'.', request)
    }
}

fn to_tag(constant: &str, separator: u8, request: &Message) -> Vec<u8> {
    let mut tag = Vec::with_capacity(constant.len() + 1 + 8);
    tag.extend_from_slice(constant.as_bytes());
    tag.push(separator);
    for byte in fingerprint(request).to_be_bytes() {
        tag.extend([byte >> 4, byte & 15].map(|digit| HEX_DIGITS[usize::from(digit)]));
    }
    tag
}

/// A number that the retransmissions of a request share.
fn fingerprint(request: &Message) -> u32 {
    let via = request.top_via();
    let branch = via.and_then(|via| via.branch()).unwrap_or_default();
    let mut hash: u64 = 0;
    for part in [request.call_id().unwrap_or_default(), branch] {
        for piece in part.chunks(8) {
            let mut word = [0; 8];
            word[..piece.len()].copy_from_slice(piece);
            hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            hash ^= hash >> 32;
        }
    }
    hash as u32
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
