//! `s.escape.…`, `s.unescape.…`, `s.urlencode.…`: characters that stand for others.

use super::codec::hex_digit;
use super::{Failed, Row, Syntax};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::new("s.escape.common", Syntax::None, |value, _| {
        Ok(value.with_bytes(backslash).into())
    }),
    Row::new("s.unescape.common", Syntax::None, |value, _| {
        Ok(value.with_bytes(unbackslash).into())
    }),
    Row::new("s.escape.user", Syntax::None, |value, _| {
        percent(&value, b"-_.!~*'()&=+$,;?", true)
    }),
    Row::new("s.unescape.user", Syntax::None, |value, _| {
        Ok(unpercent(&value, false))
    }),
    Row::new("s.escape.param", Syntax::None, |value, _| {
        percent(&value, b"-_.!~*'()[]/:&+$", true)
    }),
    Row::new("s.unescape.param", Syntax::None, |value, _| {
        Ok(unpercent(&value, false))
    }),
    Row::new("s.escape.csv", Syntax::None, |value, _| {
        Ok(value.with_bytes(csv).into())
    }),
    Row::new("s.escape.crlf", Syntax::None, |value, _| {
        Ok(value.with_bytes(escape_crlf).into())
    }),
    Row::new("s.unescape.crlf", Syntax::None, |value, _| {
        Ok(value.with_bytes(unescape_crlf).into())
    }),
    Row::new("s.urlencode.param", Syntax::None, |value, _| {
        percent(&value, b"-_.~", false)
    }),
    Row::new("s.urldecode.param", Syntax::None, |value, _| {
        Ok(unpercent(&value, true))
    }),
];

fn backslash(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    for &byte in text {
        match byte {
            b'\'' | b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0 => out.extend_from_slice(b"\\0"),
            _ => out.push(byte),
        }
    }
    out
}

fn unbackslash(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return out,
            [b'\\', byte @ (b'\'' | b'"' | b'\\'), behind @ ..] => {
                out.push(*byte);
                behind
            }
            [b'\\', b'0', behind @ ..] => {
                out.push(0);
                behind
            }
            [byte, behind @ ..] => {
                out.push(*byte);
                behind
            }
        };
    }
}

/// Escapes all but letters, digits and `kept`. In a URI control characters and bytes above 126 are wrong.
fn percent(value: &Value, kept: &[u8], strict: bool) -> Result<Value, Failed> {
    value.with_bytes(|text| {
        let mut out = Vec::with_capacity(text.len() + 16);
        for &byte in text {
            if strict && !(b' '..=b'~').contains(&byte) {
                return Err(Failed("it has a character that cannot be escaped"));
            }
            if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
                out.push(byte);
            } else {
                out.push(b'%');
                out.extend_from_slice(&super::codec::to_hex(&[byte]));
            }
        }
        Ok(out.into())
    })
}

/// A `%` that begins no escape stays.
fn unpercent(value: &Value, plus: bool) -> Value {
    value.with_bytes(|text| {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let [byte, behind @ ..] = rest {
            rest = behind;
            let code = match (byte, behind) {
                (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
                _ => None,
            };
            match (code, byte) {
                (Some((high, low)), _) => {
                    out.push(high << 4 | low);
                    rest = behind.get(2..).unwrap_or(&[]);
                }
                (None, b'+') if plus => out.push(b' '),
                (None, _) => out.push(*byte),
            }
        }
        out.into()
    })
}

fn csv(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

fn escape_crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    for &byte in text {
        match byte {
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => out.push(byte),
        }
    }
    out
}

fn unescape_crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return out,
            [b'\\', b'r', behind @ ..] => {
                out.push(b'\r');
                behind
            }
            [b'\\', b'n', behind @ ..] => {
                out.push(b'\n');
                behind
            }
            [byte, behind @ ..] => {
                out.push(*byte);
                behind
            }
        };
    }
}
