//! Writing records and packets.

use super::{
    LONG, MAGIC_VERSION, PacketKind, TYPE_BYTES, TYPE_DOUBLE, TYPE_INT, TYPE_NAME, TYPE_STR,
    TYPE_STRUCT,
};
use crate::{Name, Value};

/// The records do not fit into the packet that was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {0} bytes")]
pub struct TooBig(pub usize);

/// Collects records up to a limit.
#[derive(Debug)]
pub struct Encoder {
    body: Vec<u8>,
    max: usize,
    /// Something was left out.
    is_cut: bool,
}

impl Encoder {
    /// An encoder for at most `max` bytes of records, or four gigabytes: a packet says its length in 32 bits.
    pub fn new(max: usize) -> Self {
        Self {
            body: Vec::new(),
            max: max.min(u32::MAX as usize),
            is_cut: false,
        }
    }

    /// Appends a value. After an error the records are not complete.
    pub fn value(&mut self, value: &Value) -> Result<(), TooBig> {
        self.put(value);
        self.check()
    }

    /// Whether all that was appended is there.
    pub(crate) fn check(&self) -> Result<(), TooBig> {
        match self.is_cut {
            true => Err(TooBig(self.max)),
            false => Ok(()),
        }
    }

    /// The records.
    pub fn finish(self) -> Vec<u8> {
        self.body
    }

    fn put(&mut self, value: &Value) {
        match value {
            Value::Null => self.string(None),
            Value::Int(number) => self.int(*number),
            Value::Double(number) => self.double(*number),
            Value::Str(text) => self.string(Some(text)),
            Value::Bytes(bytes) => self.text(TYPE_BYTES, bytes, b""),
            Value::Struct(members) => self.members(members.members()),
            Value::Named(members) => self.members(members),
            Value::Array(items) => {
                self.push(TYPE_STRUCT);
                items.iter().for_each(|item| self.put(item));
                self.push(LONG | TYPE_STRUCT);
            }
        }
    }

    fn members(&mut self, members: &[(Name, Value)]) {
        self.push(TYPE_STRUCT);
        for (name, value) in members {
            self.name(name);
            self.put(value);
        }
        self.push(LONG | TYPE_STRUCT);
    }

    /// The name of the value that follows.
    pub(super) fn name(&mut self, name: &str) {
        self.text(TYPE_NAME, name.as_bytes(), b"\0");
    }

    /// A text; `None` is one that is not set.
    pub(super) fn string(&mut self, text: Option<&[u8]>) {
        self.text(TYPE_STR, text.unwrap_or(NULL_STRING), b"\0");
    }

    /// Peers read integers of 32 bits; what does not fit is written as text, which prints the same.
    pub(super) fn int(&mut self, number: i64) {
        match i32::try_from(number) {
            Ok(small) => self.number(TYPE_INT, small),
            Err(_) => self.string(Some(number.to_string().as_bytes())),
        }
    }

    fn double(&mut self, number: f64) {
        if number < 0.0 {
            // A length of eight reaches into the bit that otherwise tells long records; clients know it.
            let thousandths = (number * 1000.0) as i64;
            self.push(LONG | TYPE_DOUBLE);
            self.extend(&thousandths.to_be_bytes());
        } else {
            self.number(TYPE_DOUBLE, (number * 1000.0) as i32);
        }
    }

    fn number(&mut self, kind: u8, number: i32) {
        let bytes = number.to_be_bytes();
        let digits = significant(&bytes);
        self.push(head(digits.len(), kind));
        self.extend(digits);
    }

    fn text(&mut self, kind: u8, text: &[u8], end: &[u8]) {
        let len = text.len() + end.len();
        if len <= 7 {
            self.push(head(len, kind));
        } else {
            let bytes = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
            let digits = significant(&bytes);
            self.push(LONG | head(digits.len(), kind));
            self.extend(digits);
        }
        self.extend(text);
        self.extend(end);
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.extend(&[byte]);
    }

    /// Appends bytes, or nothing any more from the first that there is no room for.
    fn extend(&mut self, bytes: &[u8]) {
        self.is_cut |= bytes.len() > self.max - self.body.len();
        if !self.is_cut {
            self.body.extend_from_slice(bytes);
        }
    }
}

/// A whole packet, in the memory of its records, which may be very long.
pub fn encode_packet(kind: PacketKind, cookie: u32, body: Vec<u8>) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    let length = at_least_one(&length);
    let cookie = cookie.to_be_bytes();
    let cookie = at_least_one(&cookie);
    let sizes = ((length.len() - 1) << 2 | (cookie.len() - 1)) as u8;
    let start = [MAGIC_VERSION, (kind as u8) << 4 | sizes];
    let mut packet = body;
    let header = start.iter().chain(length).chain(cookie);
    packet.splice(0..0, header.copied());
    packet
}

/// A request packet; for the control tool and for tests.
pub fn encode_request(method: &str, parameters: &[Value], cookie: u32) -> Result<Vec<u8>, TooBig> {
    let mut encoder = Encoder::new(MAX_REQUEST_BYTES);
    encoder.value(&Value::from(method))?;
    parameters
        .iter()
        .try_for_each(|parameter| encoder.value(parameter))?;
    Ok(encode_packet(PacketKind::Request, cookie, encoder.finish()))
}

const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// How Kamailio prints a string that is not set.
const NULL_STRING: &[u8] = b"<null string>";

fn head(size: usize, kind: u8) -> u8 {
    (size as u8) << 4 | kind
}

/// The bytes after the leading zeros.
fn significant(bytes: &[u8; 4]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

fn at_least_one(bytes: &[u8; 4]) -> &[u8] {
    let digits = significant(bytes);
    if digits.is_empty() {
        &bytes[3..]
    } else {
        digits
    }
}
