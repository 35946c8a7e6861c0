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
}

impl Encoder {
    /// An encoder for at most `max` bytes of records.
    pub fn new(max: usize) -> Self {
        Self {
            body: Vec::new(),
            max,
        }
    }

    /// Appends a value. After an error the records are not complete.
    pub fn value(&mut self, value: &Value) -> Result<(), TooBig> {
        match value {
            Value::Null => self.text(TYPE_STR, NULL_STRING),
            Value::Int(number) => self.int(*number),
            Value::Double(number) if *number < 0.0 => {
                // A length of eight reaches into the bit that otherwise tells long records; clients know it.
                self.body.push(LONG | TYPE_DOUBLE);
                let thousandths = (number * 1000.0) as i64;
                self.body.extend_from_slice(&thousandths.to_be_bytes());
                Ok(())
            }
            Value::Double(number) => {
                self.number(TYPE_DOUBLE, (number * 1000.0) as i32);
                Ok(())
            }
            Value::Str(text) => self.text(TYPE_STR, text),
            Value::Bytes(bytes) => self.text(TYPE_BYTES, bytes),
            Value::Struct(members) => self.members(members.members()),
            Value::Named(members) => self.members(members),
            Value::Array(items) => {
                self.body.push(TYPE_STRUCT);
                items.iter().try_for_each(|item| self.value(item))?;
                self.body.push(LONG | TYPE_STRUCT);
                Ok(())
            }
        }?;
        self.check()
    }

    /// The records.
    pub fn finish(self) -> Vec<u8> {
        self.body
    }

    fn members(&mut self, members: &[(Name, Value)]) -> Result<(), TooBig> {
        self.body.push(TYPE_STRUCT);
        for (name, value) in members {
            self.text(TYPE_NAME, name.as_bytes())?;
            self.value(value)?;
        }
        self.body.push(LONG | TYPE_STRUCT);
        Ok(())
    }

    /// Peers read integers of 32 bits; what does not fit is written as text, which prints the same.
    fn int(&mut self, number: i64) -> Result<(), TooBig> {
        match i32::try_from(number) {
            Ok(small) => {
                self.number(TYPE_INT, small);
                Ok(())
            }
            Err(_) => self.text(TYPE_STR, number.to_string().as_bytes()),
        }
    }

    fn number(&mut self, kind: u8, number: i32) {
        let bytes = number.to_be_bytes();
        let digits = significant(&bytes);
        self.body.push(head(digits.len(), kind));
        self.body.extend_from_slice(digits);
    }

    fn text(&mut self, kind: u8, text: &[u8]) -> Result<(), TooBig> {
        if text.len() >= self.max {
            return Err(TooBig(self.max));
        }
        let nul: &[u8] = if kind == TYPE_BYTES { b"" } else { b"\0" };
        let len = text.len() + nul.len();
        if len <= 7 {
            self.body.push(head(len, kind));
        } else {
            let bytes = (len as u32).to_be_bytes();
            let digits = significant(&bytes);
            self.body.push(LONG | head(digits.len(), kind));
            self.body.extend_from_slice(digits);
        }
        self.body.extend_from_slice(text);
        self.body.extend_from_slice(nul);
        self.check()
    }

    fn check(&self) -> Result<(), TooBig> {
        if self.body.len() > self.max {
            Err(TooBig(self.max))
        } else {
            Ok(())
        }
    }
}

/// A whole packet.
pub fn encode_packet(kind: PacketKind, cookie: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    let length = at_least_one(&length);
    let cookie = cookie.to_be_bytes();
    let cookie = at_least_one(&cookie);
    let sizes = ((length.len() - 1) << 2 | (cookie.len() - 1)) as u8;
    let mut packet = Vec::with_capacity(2 + length.len() + cookie.len() + body.len());
    packet.extend_from_slice(&[MAGIC_VERSION, (kind as u8) << 4 | sizes]);
    packet.extend_from_slice(length);
    packet.extend_from_slice(cookie);
    packet.extend_from_slice(body);
    packet
}

/// A request packet; for the control tool and for tests.
pub fn encode_request(method: &str, parameters: &[Value], cookie: u32) -> Result<Vec<u8>, TooBig> {
    let mut encoder = Encoder::new(MAX_REQUEST_BYTES);
    encoder.value(&Value::from(method))?;
    parameters
        .iter()
        .try_for_each(|parameter| encoder.value(parameter))?;
    Ok(encode_packet(
        PacketKind::Request,
        cookie,
        &encoder.finish(),
    ))
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
