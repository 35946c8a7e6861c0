//! `sql.…`: values as they stand in SQL statements.

use super::Row;
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::nullable("sql.val", |value, _| Ok(literal(value, "NULL"))),
    Row::nullable("sql.val.int", |value, _| Ok(literal(value, "0"))),
    Row::nullable("sql.val.str", |value, _| Ok(literal(value, "''"))),
];

/// A number bare, a text in quotes: neither quotes nor backslashes within end it, in any database.
fn literal(value: Value, nothing: &str) -> Value {
    match value {
        Value::Null => nothing.into(),
        Value::Int(number) => number.to_string().as_str().into(),
        Value::Str(text) => {
            let mut out = Vec::with_capacity(text.len() + 2);
            out.push(b'\'');
            for &byte in text.iter() {
                match byte {
                    b'\'' => out.extend_from_slice(b"''"),
                    b'\\' => out.extend_from_slice(b"\\\\"),
                    0 => {}
                    byte => out.push(byte),
                }
            }
            out.push(b'\'');
            out.into()
        }
    }
}
