//! Digests and checksums of a text.

use md5::Digest;

use super::codec::to_hex;
use super::{Failed, Row, Syntax, number};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::new("s.md5", Syntax::None, |value, _| {
        Ok(digest::<md5::Md5>(&value))
    }),
    Row::new("s.sha256", Syntax::None, |value, _| {
        Ok(digest::<sha2::Sha256>(&value))
    }),
    Row::new("s.sha384", Syntax::None, |value, _| {
        Ok(digest::<sha2::Sha384>(&value))
    }),
    Row::new("s.sha512", Syntax::None, |value, _| {
        Ok(digest::<sha2::Sha512>(&value))
    }),
    Row::new("s.corehash", Syntax::List(0, 1), core_hash),
    Row::new("s.crc32", Syntax::None, |value, _| {
        Ok(value.with_bytes(crc32))
    }),
];

fn digest<D: Digest>(value: &Value) -> Value {
    value.with_bytes(|text| to_hex(&D::digest(text)).into())
}

/// The hash by which Kamailio chooses table slots, bounded by a size, which should be a power of two.
fn core_hash(value: Value, given: &[Value]) -> Result<Value, Failed> {
    let mut hash = value.with_bytes(raw_hash);
    if !given.is_empty() {
        let size = u32::try_from(number(given, 0)?).map_err(|_| Failed("the size is wrong"))?;
        hash &= size.wrapping_sub(1);
    }
    Ok(Value::from(hash.to_string().as_str()))
}

fn raw_hash(text: &[u8]) -> u32 {
    let mut hash = 0u32;
    let mut add = |word: u32| hash = hash.wrapping_add(word ^ (word >> 3));
    let words = text.chunks_exact(4);
    let rest = words.remainder();
    for word in words {
        add(word
            .iter()
            .fold(0, |word, byte| word << 8 | u32::from(*byte)));
    }
    add(rest
        .iter()
        .fold(0, |word, byte| word << 8 | u32::from(*byte)));
    hash.wrapping_add(hash >> 11)
        .wrapping_add((hash >> 13).wrapping_add(hash >> 23))
}

fn crc32(text: &[u8]) -> Value {
    let sum = text.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 {
                sum >> 1 ^ 0xEDB8_8320
            } else {
                sum >> 1
            }
        })
    });
    Value::Int(i64::from(!sum))
}
