//! What identifies a request: the hash of its call, the value that its Via branch carries, and
//! whether two requests belong to one server transaction.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;

use sip::{Message, Method, Via, branch};

/// Random numbers that make the hashes of this process unpredictable to its peers.
#[derive(Clone, Debug)]
pub(crate) struct Seed(DefaultHasher);

/// The 32 hex digits in a Via branch: the same for a request and its retransmissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity([u8; 32]);

/// The parts of a request or reply that lead to its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    /// Of the Call-ID.
    pub(crate) call: u64,
    /// Of Call-ID and CSeq number.
    pub(crate) chain: u64,
}

impl Keys {
    /// Those of a message of this call; `None` if Call-ID or CSeq is missing.
    pub(crate) fn new(call: u64, message: &Message) -> Option<Self> {
        message.call_id()?;
        Some(Self {
            call,
            chain: chain_key(call, message.cseq()?.number),
        })
    }
}

impl Seed {
    /// SipHash, because the peers choose what is hashed.
    pub(crate) fn new(numbers: [u64; 2]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(numbers[0]);
        hasher.write_u64(numbers[1]);
        Self(hasher)
    }

    pub(crate) fn call_key(&self, call_id: &[u8]) -> u64 {
        let mut hasher = self.0.clone();
        hasher.write(call_id);
        hasher.finish()
    }

    /// Hashes what a retransmission, the ACK to a negative reply and the CANCEL share with the
    /// request (RFC 3261 §16.11): the top Via with its branch, Call-ID and CSeq number; without the
    /// magic cookie, the Request-URI and the From tag as well.
    pub(crate) fn identity(&self, request: &Message) -> Identity {
        let mut parts = Parts::new(self.0.clone());
        let mut part = |bytes: &[u8]| {
            parts.push(&(bytes.len() as u64).to_le_bytes());
            parts.push(bytes);
        };
        part(request.call_id().unwrap_or_default());
        part(request.cseq_number_bytes());
        match request.top_via() {
            Some(via) if has_cookie(&via) => {
                part(via.sent_by());
                part(via.branch().unwrap_or_default());
            }
            via => {
                part(via.map_or(&[][..], |via| via.as_bytes()));
                part(request.request_uri());
                part(request.from_tag().unwrap_or_default());
            }
        }
        let mut hasher = parts.finish();
        let low = hasher.finish();
        hasher.write_u8(1);
        Identity::from_hash([low, hasher.finish()])
    }
}

/// Gathers parts for a hasher: each of its writes costs as much as fifty bytes of a long one.
struct Parts {
    bytes: [u8; 192],
    length: usize,
    hasher: DefaultHasher,
}

impl Parts {
    const fn new(hasher: DefaultHasher) -> Self {
        Self {
            bytes: [0; 192],
            length: 0,
            hasher,
        }
    }

    fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        match self.bytes.get_mut(self.length..end) {
            Some(room) => {
                room.copy_from_slice(part);
                self.length = end;
            }
            None => {
                self.flush();
                self.hasher.write(part);
            }
        }
    }

    fn flush(&mut self) {
        self.hasher.write(&self.bytes[..self.length]);
        self.length = 0;
    }

    fn finish(mut self) -> DefaultHasher {
        self.flush();
        self.hasher
    }
}

/// The key of Call-ID and CSeq number together. The call's key is secret already.
pub(crate) const fn chain_key(call: u64, cseq: u32) -> u64 {
    (call ^ cseq as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(23)
        ^ call
}

impl Identity {
    /// The identity of a request made here.
    pub(crate) fn local(label: u32) -> Self {
        Self(branch::label_key(label))
    }

    fn from_hash(hash: [u64; 2]) -> Self {
        let mut text = [0; 32];
        let digits = hash
            .into_iter()
            .flat_map(|word| (0..16).map(move |n| (word >> (n * 4)) & 15));
        for (to, digit) in text.iter_mut().zip(digits) {
            *to = b"0123456789abcdef"[digit as usize];
        }
        Self(text)
    }

    pub(crate) fn matches(&self, key: &[u8]) -> bool {
        self.0 == key
    }

    pub(crate) fn branch_value(&self, index: u32, number: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(56);
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        branch::Branch {
            index,
            key: &self.0,
            number,
        }
        .write(&mut out);
        out
    }
}

/// Whether `request` belongs to the server transaction that `earlier` created, methods aside
/// (RFC 3261 §17.2.3). Both have the same Call-ID and CSeq number.
pub(crate) fn same_transaction(earlier: &Message, request: &Message) -> bool {
    let (Some(a), Some(b)) = (earlier.top_via(), request.top_via()) else {
        return false;
    };
    match (has_cookie(&a), has_cookie(&b)) {
        (true, true) => a.branch() == b.branch() && same_sent_by(&a, &b),
        (false, false) => {
            a.as_bytes() == b.as_bytes()
                && earlier.request_uri() == request.request_uri()
                && earlier.from_tag() == request.from_tag()
                && (request.method() == Method::Ack || earlier.to_tag() == request.to_tag())
        }
        _ => false,
    }
}

fn same_sent_by(a: &Via<'_>, b: &Via<'_>) -> bool {
    a.port() == b.port() && a.host().eq_ignore_ascii_case(b.host())
}

fn has_cookie(via: &Via<'_>) -> bool {
    via.branch()
        .is_some_and(|value| value.len() > 7 && value.starts_with(branch::COOKIE))
}
