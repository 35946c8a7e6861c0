//! `s.…`: parts of a text.

use super::string::character;
use super::{Failed, Row, Syntax, number, text};
use crate::value::Value;

/// The most and the longest prefixes that are listed, in bytes of output.
const LIMIT: usize = 1 << 16;

pub(super) const ROWS: &[Row] = &[
    Row::new("s.substr", Syntax::List(2, 2), substr),
    Row::new("s.select", Syntax::Separator, select),
    Row::new("s.selectsw", Syntax::Separator, select_blank),
    Row::new("s.strip", Syntax::List(1, 1), |value, given| {
        strip(&value, given, false)
    }),
    Row::new("s.striptail", Syntax::List(1, 1), |value, given| {
        strip(&value, given, true)
    }),
    Row::new("s.stripto", Syntax::Rest, |value, given| {
        let wanted = character(given, 0)?;
        Ok(
            value.with_bytes(|bytes| match memchr::memchr(wanted, bytes) {
                Some(at) => bytes[at..].into(),
                None => b"".as_slice().into(),
            }),
        )
    }),
    Row::new("s.before", Syntax::Rest, |value, given| {
        cut(&value, given, memchr::memchr, true)
    }),
    Row::new("s.after", Syntax::Rest, |value, given| {
        cut(&value, given, memchr::memchr, false)
    }),
    Row::new("s.rbefore", Syntax::Rest, |value, given| {
        cut(&value, given, memchr::memrchr, true)
    }),
    Row::new("s.rafter", Syntax::Rest, |value, given| {
        cut(&value, given, memchr::memrchr, false)
    }),
    Row::new("s.charat", Syntax::List(1, 1), |value, given| {
        Ok(byte_at(&value, given)?
            .map(|byte| [byte].as_slice().into())
            .unwrap_or("".into()))
    }),
    Row::new("s.byteat", Syntax::List(1, 1), |value, given| {
        byte_at(&value, given)?
            .map(|byte| i64::from(byte).into())
            .ok_or(OUTSIDE)
    }),
    Row::new("s.prefixes", Syntax::List(0, 1), |value, given| {
        prefixes(&value, given, "")
    }),
    Row::new("s.prefixes.quoted", Syntax::List(0, 1), |value, given| {
        prefixes(&value, given, "'")
    }),
];

const OUTSIDE: Failed = Failed("the position is outside of the text");

fn substr(value: Value, given: &[Value]) -> Result<Value, Failed> {
    let (offset, count) = (number(given, 0)?, number(given, 1)?);
    value.with_bytes(|bytes| {
        let length = bytes.len() as i64;
        let start = if offset < 0 {
            length.saturating_add(offset)
        } else {
            offset
        };
        if start < 0 || start >= length || count < 0 {
            return Err(OUTSIDE);
        }
        let end = if count == 0 {
            length
        } else {
            start.saturating_add(count).min(length)
        };
        Ok(bytes[start as usize..end as usize].into())
    })
}

fn select(value: Value, given: &[Value]) -> Result<Value, Failed> {
    let separator = character(given, 1)?;
    let index = number(given, 0)?;
    Ok(value.with_bytes(|bytes| pick(bytes.split(|byte| *byte == separator), index).into()))
}

/// Like `select`, and blanks around a field do not count.
fn select_blank(value: Value, given: &[Value]) -> Result<Value, Failed> {
    let separator = character(given, 1)?;
    let index = number(given, 0)?;
    Ok(value.with_bytes(|bytes| {
        let field = pick(bytes.split(|byte| *byte == separator), index);
        super::string::trimmed(field, true, true).into()
    }))
}

/// The field at an index, from the end if that is negative; empty outside.
pub(super) fn pick<'b>(
    mut fields: impl DoubleEndedIterator<Item = &'b [u8]>,
    index: i64,
) -> &'b [u8] {
    let position = |index: i64| usize::try_from(index).unwrap_or(usize::MAX);
    let found = if index < 0 {
        fields.rev().nth(position(-(index.saturating_add(1))))
    } else {
        fields.nth(position(index))
    };
    found.unwrap_or(b"")
}

fn strip(value: &Value, given: &[Value], tail: bool) -> Result<Value, Failed> {
    let count = usize::try_from(number(given, 0)?).unwrap_or(0);
    Ok(value.with_bytes(|bytes| {
        let count = count.min(bytes.len());
        if tail {
            bytes[..bytes.len() - count].into()
        } else {
            bytes[count..].into()
        }
    }))
}

fn cut(
    value: &Value,
    given: &[Value],
    find: fn(u8, &[u8]) -> Option<usize>,
    before: bool,
) -> Result<Value, Failed> {
    let wanted = character(given, 0)?;
    Ok(
        value.with_bytes(|bytes| match (find(wanted, bytes), before) {
            (Some(at), true) => bytes[..at].into(),
            (Some(at), false) => bytes[at + 1..].into(),
            (None, true) => bytes.into(),
            (None, false) => b"".as_slice().into(),
        }),
    )
}

fn byte_at(value: &Value, given: &[Value]) -> Result<Option<u8>, Failed> {
    let index = number(given, 0)?;
    Ok(value.with_bytes(|bytes| {
        let at = if index < 0 {
            (bytes.len() as i64).saturating_add(index)
        } else {
            index
        };
        usize::try_from(at)
            .ok()
            .and_then(|at| bytes.get(at).copied())
    }))
}

fn prefixes(value: &Value, given: &[Value], quote: &str) -> Result<Value, Failed> {
    let most = if given.is_empty() {
        i64::MAX
    } else {
        number(given, 0)?
    };
    let most = usize::try_from(most).unwrap_or(0);
    value.with_bytes(|bytes| {
        let count = if most == 0 {
            bytes.len()
        } else {
            most.min(bytes.len())
        };
        let mut out = Vec::new();
        for length in 1..=count {
            if length > 1 {
                out.push(b',');
            }
            out.extend_from_slice(quote.as_bytes());
            out.extend_from_slice(&bytes[..length]);
            out.extend_from_slice(quote.as_bytes());
            if out.len() > LIMIT {
                return Err(Failed("the list of prefixes is too long"));
            }
        }
        Ok(out.into())
    })
}

/// The text of a parameter, for other classes.
pub(super) fn separator(given: &[Value], at: usize, usual: u8) -> u8 {
    text(given, at).first().copied().unwrap_or(usual)
}
