//! `line.…`: the lines of a text.

use super::slice::pick;
use super::{Failed, Row, Syntax, number, text};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::new("line.count", Syntax::None, |value, _| {
        value.with_bytes(|text| {
            let count = if text.is_empty() {
                return Err(EMPTY);
            } else {
                lines(text).count()
            };
            Ok(Value::Int(count as i64))
        })
    }),
    Row::new("line.at", Syntax::List(1, 1), |value, given| {
        let index = number(given, 0)?;
        Ok(value.with_bytes(|text| pick(lines(text), index).into()))
    }),
    Row::new("line.sw", Syntax::Rest, |value, given| {
        let start = text(given, 0);
        Ok(value.with_bytes(|text| {
            let found = lines(text).find(|line| line.starts_with(&start));
            found.unwrap_or(b"").into()
        }))
    }),
];

const EMPTY: Failed = Failed("the text is empty");

/// Lines without their ends; the end of the last line begins no other.
fn lines(text: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}
