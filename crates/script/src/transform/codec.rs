//! `s.encode.…` and `s.decode.…`: hexadecimal digits, base 64, base 58, packed seven-bit text.

use super::{Failed, Row, Syntax};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::new("s.encode.hexa", Syntax::None, |value, _| {
        Ok(value.with_bytes(to_hex).into())
    }),
    Row::new("s.decode.hexa", Syntax::None, |value, _| {
        decoded(&value, from_hex)
    }),
    Row::new("s.encode.base64", Syntax::None, |value, _| {
        Ok(encode64(&value, STANDARD, true))
    }),
    Row::new("s.decode.base64", Syntax::None, |value, _| {
        decode64(&value, STANDARD, true)
    }),
    Row::new("s.encode.base64t", Syntax::None, |value, _| {
        Ok(encode64(&value, STANDARD, false))
    }),
    Row::new("s.decode.base64t", Syntax::None, |value, _| {
        decode64(&value, STANDARD, false)
    }),
    Row::new("s.encode.base64url", Syntax::None, |value, _| {
        Ok(encode64(&value, URL, true))
    }),
    Row::new("s.decode.base64url", Syntax::None, |value, _| {
        decode64(&value, URL, true)
    }),
    Row::new("s.encode.base64urlt", Syntax::None, |value, _| {
        Ok(encode64(&value, URL, false))
    }),
    Row::new("s.decode.base64urlt", Syntax::None, |value, _| {
        decode64(&value, URL, false)
    }),
    Row::new("s.encode.base58", Syntax::None, |value, _| {
        value.with_bytes(encode58)
    }),
    Row::new("s.decode.base58", Syntax::None, |value, _| {
        decoded(&value, decode58)
    }),
    Row::new("s.encode.7bit", Syntax::None, |value, _| {
        Ok(value.with_bytes(|text| to_hex(&pack7(text))).into())
    }),
    Row::new("s.decode.7bit", Syntax::None, |value, _| {
        decoded(&value, |text| from_hex(text).map(|bytes| unpack7(&bytes)))
    }),
];

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Base 58 takes quadratic time.
const LIMIT58: usize = 1024;

fn decoded(value: &Value, decode: fn(&[u8]) -> Option<Vec<u8>>) -> Result<Value, Failed> {
    value
        .with_bytes(decode)
        .map(Value::from)
        .ok_or(Failed("it cannot be decoded"))
}

pub(super) fn to_hex(bytes: &[u8]) -> Vec<u8> {
    hex_with(bytes, b"0123456789abcdef")
}

fn hex_with(bytes: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    let pairs = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    pairs.map(|digit| digits[usize::from(digit)]).collect()
}

pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// An odd last digit is left out.
fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    text.chunks_exact(2)
        .map(|pair| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?))
        .collect()
}

fn encode64(value: &Value, alphabet: &[u8; 64], pad: bool) -> Value {
    value.with_bytes(|bytes| {
        let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
        for chunk in bytes.chunks(3) {
            let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
            let group = byte(0) << 16 | byte(1) << 8 | byte(2);
            for digit in 0..=chunk.len() {
                out.push(alphabet[(group >> (18 - 6 * digit) & 63) as usize]);
            }
            if pad {
                out.resize(out.len().next_multiple_of(4), b'=');
            }
        }
        out.into()
    })
}

fn decode64(value: &Value, alphabet: &[u8; 64], padded: bool) -> Result<Value, Failed> {
    let decode = |text: &[u8]| -> Option<Vec<u8>> {
        if padded && !text.len().is_multiple_of(4) {
            return None;
        }
        let end = text
            .iter()
            .rposition(|byte| *byte != b'=')
            .map_or(0, |last| last + 1);
        if text.len() - end > 2 || end % 4 == 1 {
            return None;
        }
        let mut out = Vec::with_capacity(end / 4 * 3 + 2);
        let (mut bits, mut count) = (0u32, 0);
        for byte in &text[..end] {
            let digit = alphabet.iter().position(|known| known == byte)?;
            bits = bits << 6 | digit as u32;
            count += 6;
            if count >= 8 {
                count -= 8;
                out.push((bits >> count) as u8);
            }
        }
        Some(out)
    };
    value
        .with_bytes(decode)
        .map(Value::from)
        .ok_or(Failed("it cannot be decoded"))
}

fn encode58(bytes: &[u8]) -> Result<Value, Failed> {
    if bytes.len() > LIMIT58 {
        return Err(Failed("it is too long for base 58"));
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut digits = convert(&bytes[zeros..], 256, 58);
    digits.resize(digits.len() + zeros, 0);
    let text: Vec<u8> = digits
        .iter()
        .rev()
        .map(|digit| BASE58[usize::from(*digit)])
        .collect();
    Ok(text.into())
}

fn decode58(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > LIMIT58 {
        return None;
    }
    let digit = |byte: &u8| {
        BASE58
            .iter()
            .position(|known| known == byte)
            .map(|at| at as u8)
    };
    let digits: Vec<u8> = text.iter().map(digit).collect::<Option<_>>()?;
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    let mut bytes = convert(&digits[zeros..], 58, 256);
    bytes.resize(bytes.len() + zeros, 0);
    bytes.reverse();
    Some(bytes)
}

/// A number's digits in another base, lowest first.
fn convert(digits: &[u8], from: u32, to: u32) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for digit in digits {
        let mut carry = u32::from(*digit);
        for place in &mut out {
            carry += u32::from(*place) * from;
            *place = (carry % to) as u8;
            carry /= to;
        }
        while carry > 0 {
            out.push((carry % to) as u8);
            carry /= to;
        }
    }
    out
}

/// Seven-bit characters without gaps, as in short messages.
fn pack7(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0u32, 0);
    for byte in text {
        bits |= u32::from(byte & 0x7f) << count;
        count += 7;
        if count >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        out.push(bits as u8);
    }
    out
}

fn unpack7(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 8 / 7);
    let (mut bits, mut count) = (0u32, 0);
    for byte in bytes {
        bits |= u32::from(*byte) << count;
        count += 8;
        while count >= 7 {
            out.push((bits & 0x7f) as u8);
            bits >>= 7;
            count -= 7;
        }
    }
    out
}
