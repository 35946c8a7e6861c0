//! `val.…` and `num.…`: unset values, JSON, digits of numbers.

use super::{Failed, Row, Syntax};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::nullable("val.n0", |value, _| {
        Ok(if value.is_null() {
            Value::Int(0)
        } else {
            value
        })
    }),
    Row::nullable("val.ne", |value, _| {
        Ok(if value.is_null() { "".into() } else { value })
    }),
    Row::nullable("val.json", |value, _| {
        Ok(value.with_bytes(|text| json(text, "")).into())
    }),
    Row::nullable("val.jsonqe", |value, _| {
        Ok(match value {
            Value::Str(text) => json(&text, "\"").into(),
            Value::Null => "\"\"".into(),
            number @ Value::Int(_) => number,
        })
    }),
    Row::new("num.fdigit", Syntax::None, |value, _| {
        digit(&value, |digits| digits.first().copied())
    }),
    Row::new("num.ldigit", Syntax::None, |value, _| {
        digit(&value, |digits| digits.last().copied())
    }),
];

fn digit(value: &Value, pick: fn(&[u8]) -> Option<u8>) -> Result<Value, Failed> {
    let number = value.to_int().ok_or(Failed("it is not a number"))?;
    let digits = number.unsigned_abs().to_string();
    Ok(pick(digits.as_bytes())
        .map(|digit| i64::from(digit - b'0'))
        .into())
}

fn json(text: &[u8], quote: &str) -> Vec<u8> {
    let mut out = quote.as_bytes().to_vec();
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            0..=31 | 127 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.extend_from_slice(quote.as_bytes());
    out
}
