//! The binary notation that kamcmd speaks: a header with length and cookie, then typed records.
//!
//! | bytes | content |
//! |---|---|
//! | 1 | magic `0xA` in the high half, version 1 in the low |
//! | 1 | kind in the high half (0 request, 1 reply, 3 fault), then 2 bits each: bytes of the length − 1, bytes of the cookie − 1 |
//! | 1–4 | length of what follows the header, big-endian |
//! | 1–4 | cookie, big-endian; the answer repeats it |
//!
//! A record begins with a byte: bit 7 says that bits 6–4 count the bytes of the length rather than of
//! the value; bits 3–0 are the type.

mod decode;
mod encode;
mod fields;
mod serve;
#[cfg(test)]
mod tests;

pub use decode::{DecodeError, Header, decode_values, packet_len};
pub use encode::{Encoder, TooBig, encode_packet, encode_request};
pub use fields::BinFields;
pub use serve::{Limits, refuse, respond, respond_async, too_big};

const MAGIC_VERSION: u8 = 0xA1;

const TYPE_INT: u8 = 0;
const TYPE_STR: u8 = 1;
const TYPE_DOUBLE: u8 = 2;
const TYPE_STRUCT: u8 = 3;
const TYPE_ARRAY: u8 = 4;
const TYPE_NAME: u8 = 5;
const TYPE_BYTES: u8 = 6;

const LONG: u8 = 0x80;

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketKind {
    /// A method's name and its parameters.
    Request = 0,
    /// The values of a reply.
    Reply = 1,
    /// A code and a sentence.
    Fault = 3,
}
