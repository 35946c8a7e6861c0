//! Reading packets and records that anybody may have sent.

use super::{
    LONG, MAGIC_VERSION, PacketKind, TYPE_ARRAY, TYPE_BYTES, TYPE_DOUBLE, TYPE_INT, TYPE_NAME,
    TYPE_STR, TYPE_STRUCT,
};
use crate::{Name, Struct, Value};

/// Why a packet cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The header is none.
    #[error("corrupted packet")]
    Corrupted,
    /// A record is missing.
    #[error("end of packet encountered")]
    EndOfPacket,
    /// A record is longer than the packet.
    #[error("more data needed")]
    Truncated,
    /// A record has a type that cannot stand there.
    #[error("record doesn't match type")]
    WrongType,
    /// Structs in structs, too many.
    #[error("structures nested too deeply")]
    TooDeep,
    /// An integer of more than 64 bits.
    #[error("record too big")]
    TooBig,
}

/// What precedes the records of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the packet is.
    pub kind: PacketKind,
    /// What the answer has to repeat.
    pub cookie: u32,
    /// Bytes of the header itself.
    pub header_len: usize,
    /// Bytes of the records.
    pub body_len: usize,
}

impl Header {
    /// Reads the header; `None` if it is not complete yet.
    pub fn parse(packet: &[u8]) -> Result<Option<Self>, DecodeError> {
        let kind = match packet {
            [] => return Ok(None),
            [magic, ..] if *magic != MAGIC_VERSION => return Err(DecodeError::Corrupted),
            [_] => return Ok(None),
            [_, flags, ..] => packet_kind(flags >> 4)?,
        };
        let flags = usize::from(packet[1]);
        let length_len = (flags >> 2 & 3) + 1;
        let cookie_len = (flags & 3) + 1;
        let header_len = 2 + length_len + cookie_len;
        let Some(sizes) = packet.get(2..header_len) else {
            return Ok(None);
        };
        let (length, cookie) = sizes.split_at(length_len);
        Ok(Some(Self {
            kind,
            cookie: big_endian(cookie),
            header_len,
            body_len: big_endian(length) as usize,
        }))
    }

    /// Bytes of the whole packet.
    pub fn packet_len(&self) -> usize {
        self.header_len + self.body_len
    }
}

/// The length of the packet at the head of a stream; `None` if its header is not complete yet.
pub fn packet_len(stream: &[u8]) -> Result<Option<usize>, DecodeError> {
    Ok(Header::parse(stream)?.map(|header| header.packet_len()))
}

/// Reads all records. A struct of nameless members is an array.
pub fn decode_values(body: &[u8]) -> Result<Vec<Value>, DecodeError> {
    let mut records = Records { rest: body };
    let mut values = Vec::new();
    while let Some(value) = records.next_value()? {
        values.push(value);
    }
    Ok(values)
}

/// Walks over the records of a body.
pub(super) struct Records<'a> {
    pub(super) rest: &'a [u8],
}

/// How deep structs may be nested.
const DEPTH_MAX: usize = 16;

enum Record<'a> {
    Value(Value),
    Name(&'a [u8]),
    Start(u8),
    End(u8),
}

impl<'a> Records<'a> {
    /// The next value at the top; `None` at the end.
    pub(super) fn next_value(&mut self) -> Result<Option<Value>, DecodeError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        match self.next_record()? {
            Record::Value(value) => Ok(Some(value)),
            Record::Start(kind) => self.container(kind, DEPTH_MAX).map(Some),
            Record::Name(_) | Record::End(_) => Err(DecodeError::WrongType),
        }
    }

    fn container(&mut self, kind: u8, depth: usize) -> Result<Value, DecodeError> {
        let depth = depth.checked_sub(1).ok_or(DecodeError::TooDeep)?;
        let mut members: Vec<(Option<Name>, Value)> = Vec::new();
        let mut name = None;
        loop {
            match self.next_record()? {
                Record::End(end) if end == kind && name.is_none() => break,
                Record::End(_) => return Err(DecodeError::WrongType),
                Record::Name(_) if name.is_some() || kind == TYPE_ARRAY => {
                    return Err(DecodeError::WrongType);
                }
                Record::Name(text) => {
                    name = Some(Name::from(String::from_utf8_lossy(text).into_owned()));
                }
                Record::Value(value) => members.push((name.take(), value)),
                Record::Start(inner) => {
                    members.push((name.take(), self.container(inner, depth)?));
                }
            }
        }
        Ok(assemble(kind, members))
    }

    fn next_record(&mut self) -> Result<Record<'a>, DecodeError> {
        let (&head, rest) = self.rest.split_first().ok_or(DecodeError::EndOfPacket)?;
        self.rest = rest;
        let kind = head & 0x0F;
        let size = usize::from(head >> 4 & 7);
        if matches!(kind, TYPE_STRUCT | TYPE_ARRAY) {
            return match (head & LONG != 0, size) {
                (false, 0) => Ok(Record::Start(kind)),
                (true, 0) => Ok(Record::End(kind)),
                _ => Err(DecodeError::WrongType),
            };
        }
        let len = if head == LONG | TYPE_DOUBLE {
            // The form of negative fractions: their length of eight reaches into the bit for long records.
            8
        } else if head & LONG != 0 {
            if !(1..=4).contains(&size) {
                return Err(DecodeError::WrongType);
            }
            big_endian(self.take(size)?) as usize
        } else {
            size
        };
        let content = self.take(len)?;
        match kind {
            TYPE_INT => Ok(Record::Value(Value::Int(integer(content)?))),
            TYPE_DOUBLE => {
                let thousandths = integer(content)? as f64;
                Ok(Record::Value(Value::Double(thousandths / 1000.0)))
            }
            TYPE_STR => Ok(Record::Value(Value::Str(text(content).to_vec()))),
            TYPE_BYTES => Ok(Record::Value(Value::Bytes(content.to_vec()))),
            TYPE_NAME => Ok(Record::Name(text(content))),
            _ => Err(DecodeError::WrongType),
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (content, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(content)
    }
}

fn packet_kind(code: u8) -> Result<PacketKind, DecodeError> {
    match code {
        0 => Ok(PacketKind::Request),
        1 => Ok(PacketKind::Reply),
        3 => Ok(PacketKind::Fault),
        _ => Err(DecodeError::Corrupted),
    }
}

/// Nameless members make an array, in which named ones become structs of one member.
fn assemble(kind: u8, members: Vec<(Option<Name>, Value)>) -> Value {
    let nameless = members.iter().any(|(name, _)| name.is_none());
    if kind == TYPE_ARRAY || nameless {
        let items = members.into_iter().map(|(name, value)| match name {
            Some(name) => Value::Struct(Struct::new().with(name, value)),
            None => value,
        });
        Value::Array(items.collect())
    } else {
        let named = members
            .into_iter()
            .filter_map(|(name, value)| Some((name?, value)));
        Value::Struct(Struct::from(named.collect::<Vec<_>>()))
    }
}

/// At most four bytes.
fn big_endian(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Four and eight bytes carry a sign; fewer do not need one.
fn integer(bytes: &[u8]) -> Result<i64, DecodeError> {
    if bytes.len() > 8 {
        return Err(DecodeError::TooBig);
    }
    let number = bytes
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Ok(match bytes.len() {
        4 => i64::from(number as u32 as i32),
        _ => number as i64,
    })
}

fn text(content: &[u8]) -> &[u8] {
    content.strip_suffix(b"\0").unwrap_or(content)
}
