//! `param.…`: lists like `a=1;b="x y";c`.

use super::slice::separator;
use super::string::trimmed;
use super::{Row, Syntax, number, text};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::new("param.value", Syntax::Named, |value, given| {
        let name = text(given, 0);
        Ok(with_list(&value, given, |list| {
            find(list, &name).map_or(b"".as_slice(), |p| p.1).into()
        }))
    }),
    Row::new("param.in", Syntax::Named, |value, given| {
        let name = text(given, 0);
        Ok(with_list(&value, given, |list| {
            find(list, &name).is_some().into()
        }))
    }),
    Row::new("param.valueat", Syntax::Named, |value, given| {
        let index = number(given, 0)?;
        Ok(with_list(&value, given, |list| {
            at(list, index).map_or(b"".as_slice(), |p| p.1).into()
        }))
    }),
    Row::new("param.name", Syntax::Named, |value, given| {
        let index = number(given, 0)?;
        Ok(with_list(&value, given, |list| {
            at(list, index).map_or(b"".as_slice(), |p| p.0).into()
        }))
    }),
    Row::new("param.count", Syntax::List(0, 1), |value, given| {
        let by = separator(given, 0, b';');
        Ok(value.with_bytes(|text| Value::Int(parse(text, by).len() as i64)))
    }),
];

type Pair<'t> = (&'t [u8], &'t [u8]);

fn with_list(value: &Value, given: &[Value], use_it: impl FnOnce(&[Pair<'_>]) -> Value) -> Value {
    value.with_bytes(|text| use_it(&parse(text, separator(given, 1, b';'))))
}

fn find<'t>(list: &[Pair<'t>], name: &[u8]) -> Option<Pair<'t>> {
    list.iter()
        .copied()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn at<'t>(list: &[Pair<'t>], index: i64) -> Option<Pair<'t>> {
    let at = if index < 0 {
        (list.len() as i64).saturating_add(index)
    } else {
        index
    };
    usize::try_from(at)
        .ok()
        .and_then(|at| list.get(at).copied())
}

/// Names and values, quotes removed. A separator inside quotes is none.
pub(super) fn parse(text: &[u8], by: u8) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = end_of_item(rest, by);
        let item = trimmed(&rest[..end], true, true);
        rest = rest.get(end + 1..).unwrap_or(&[]);
        if item.is_empty() {
            continue;
        }
        pairs.push(match memchr::memchr(b'=', item) {
            Some(equal) => (
                trimmed(&item[..equal], true, true),
                unquoted(trimmed(&item[equal + 1..], true, true)),
            ),
            None => (item, b"".as_slice()),
        });
    }
    pairs
}

fn end_of_item(text: &[u8], by: u8) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte) if byte == by => return at,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) => {}
        }
    }
    text.len()
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [open @ (b'"' | b'\''), inside @ .., close] if open == close => inside,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_separators_stay() {
        let list = parse(b"a=\"1;2\" ; b;c='x'", b';');
        let want: &[Pair<'_>] = &[(b"a", b"1;2"), (b"b", b""), (b"c", b"x")];
        assert_eq!(list, want);
    }
}
