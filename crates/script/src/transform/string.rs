//! `s.…`: case, blanks, replacement, counting, time.

use super::{Failed, Row, Syntax, number, text};
use crate::value::{Value, parse_int};

/// The longest text that an operation may make.
const LIMIT: usize = 1 << 20;

pub(super) const ROWS: &[Row] = &[
    Row::new("s.len", Syntax::None, |value, _| {
        Ok(value.with_bytes(|text| text.len() as i64).into())
    }),
    Row::new("s.int", Syntax::None, |value, _| {
        value
            .with_bytes(parse_int)
            .map(Value::Int)
            .ok_or(Failed("it is not a number"))
    }),
    Row::new("s.intv", Syntax::None, |value, _| {
        Ok(leading_int(&value).into())
    }),
    Row::new("s.numeric", Syntax::None, |value, _| {
        Ok(keep(&value, u8::is_ascii_digit))
    }),
    Row::new("s.tolower", Syntax::None, |value, _| {
        Ok(value.with_bytes(<[u8]>::to_ascii_lowercase).into())
    }),
    Row::new("s.toupper", Syntax::None, |value, _| {
        Ok(value.with_bytes(<[u8]>::to_ascii_uppercase).into())
    }),
    Row::new("s.trim", Syntax::None, |value, _| {
        Ok(trim(&value, true, true))
    }),
    Row::new("s.ltrim", Syntax::None, |value, _| {
        Ok(trim(&value, true, false))
    }),
    Row::new("s.rtrim", Syntax::None, |value, _| {
        Ok(trim(&value, false, true))
    }),
    Row::new("s.rmws", Syntax::None, |value, _| {
        Ok(keep(&value, |byte| !is_blank(*byte)))
    }),
    Row::new("s.rmhdws", Syntax::None, |value, _| {
        Ok(keep(&value, |byte| !matches!(byte, b' ' | b'\t')))
    }),
    Row::new("s.rmhlws", Syntax::None, |value, _| {
        Ok(value.with_bytes(join_blanks).into())
    }),
    Row::new("s.unquote", Syntax::None, |value, _| {
        Ok(value.with_bytes(|bytes| unwrapped(bytes, &[(b'"', b'"'), (b'\'', b'\'')]).into()))
    }),
    Row::new("s.unbracket", Syntax::None, |value, _| {
        let pairs = [(b'<', b'>'), (b'[', b']'), (b'(', b')'), (b'{', b'}')];
        Ok(value.with_bytes(|bytes| unwrapped(bytes, &pairs).into()))
    }),
    Row::new("s.replace", Syntax::List(2, 2), |value, given| {
        replace(&value, &text(given, 0), &text(given, 1))
    }),
    Row::new("s.rm", Syntax::List(1, 1), |value, given| {
        replace(&value, &text(given, 0), b"")
    }),
    Row::new("s.count", Syntax::Rest, |value, given| {
        let wanted = character(given, 0)?;
        let count = value.with_bytes(|bytes| bytes.iter().filter(|byte| **byte == wanted).count());
        Ok(Value::Int(count as i64))
    }),
    Row::new("s.ftime", Syntax::Rest, format_time),
    Row::new("s.fmtlines", Syntax::List(2, 2), |value, given| {
        lines(&value, given, b' ')
    }),
    Row::new("s.fmtlinet", Syntax::List(2, 2), |value, given| {
        lines(&value, given, b'\t')
    }),
];

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The first character of a parameter.
pub(super) fn character(given: &[Value], at: usize) -> Result<u8, Failed> {
    text(given, at)
        .first()
        .copied()
        .ok_or(Failed("the parameter is empty"))
}

pub(super) fn keep(value: &Value, test: impl Fn(&u8) -> bool) -> Value {
    value.with_bytes(|bytes| {
        bytes
            .iter()
            .copied()
            .filter(test)
            .collect::<Vec<u8>>()
            .into()
    })
}

fn leading_int(value: &Value) -> i64 {
    value.with_bytes(|bytes| {
        let sign = usize::from(bytes.first().is_some_and(|byte| b"+-".contains(byte)));
        let digits = bytes
            .iter()
            .skip(sign)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        parse_int(&bytes[..sign + digits]).unwrap_or(0)
    })
}

pub(super) fn trimmed(mut bytes: &[u8], left: bool, right: bool) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && left
        && is_blank(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && right
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

fn trim(value: &Value, left: bool, right: bool) -> Value {
    value.with_bytes(|bytes| trimmed(bytes, left, right).into())
}

/// A folded header body on one line: each run of blanks with line ends becomes one blank.
fn join_blanks(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(&byte) = rest.first() {
        let run = rest.iter().take_while(|byte| is_blank(**byte)).count();
        if rest[..run].iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            out.push(b' ');
            rest = &rest[run..];
        } else {
            out.push(byte);
            rest = &rest[1..];
        }
    }
    out
}

fn unwrapped<'b>(bytes: &'b [u8], pairs: &[(u8, u8)]) -> &'b [u8] {
    match bytes {
        [open, inside @ .., close] if pairs.contains(&(*open, *close)) => inside,
        _ => bytes,
    }
}

fn replace(value: &Value, wanted: &[u8], by: &[u8]) -> Result<Value, Failed> {
    if wanted.is_empty() {
        return Err(Failed("the text to replace is empty"));
    }
    value.with_bytes(|bytes| {
        let mut out = Vec::with_capacity(bytes.len());
        let mut copied = 0;
        for at in memchr::memmem::find_iter(bytes, wanted) {
            out.extend_from_slice(&bytes[copied..at]);
            out.extend_from_slice(by);
            copied = at + wanted.len();
            if out.len() > LIMIT {
                return Err(Failed("the result is too long"));
            }
        }
        out.extend_from_slice(&bytes[copied..]);
        Ok(out.into())
    })
}

fn format_time(value: Value, given: &[Value]) -> Result<Value, Failed> {
    let seconds = value.to_int().ok_or(Failed("it is not a time"))?;
    let time = jiff::Timestamp::from_second(seconds).map_err(|_| Failed("it is not a time"))?;
    let local = time.to_zoned(jiff::tz::TimeZone::system());
    let printed = jiff::fmt::strtime::format(text(given, 0).as_bytes(), &local);
    printed
        .map(|text| text.as_str().into())
        .map_err(|_| Failed("the time format is wrong"))
}

/// Lines of `n` characters; each but the first begins with `m` blanks.
fn lines(value: &Value, given: &[Value], blank: u8) -> Result<Value, Failed> {
    let width = usize::try_from(number(given, 0)?).unwrap_or(0);
    let indent = usize::try_from(number(given, 1)?).unwrap_or(0);
    if width == 0 || indent > width.max(64) {
        return Err(Failed("the line length is wrong"));
    }
    value.with_bytes(|bytes| {
        let mut out = Vec::new();
        for (at, line) in bytes.chunks(width).enumerate() {
            if at > 0 {
                out.extend_from_slice(b"\r\n");
                out.resize(out.len() + indent, blank);
            }
            if out.len() > LIMIT {
                return Err(Failed("the result is too long"));
            }
            out.extend_from_slice(line);
        }
        Ok(out.into())
    })
}
