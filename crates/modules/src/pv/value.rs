//! Small forms that the variables share.

use engine::Run;
use script::{Index, Key, KeySpec, SetError, Str, Value};

/// Bytes as a value.
pub(super) fn text(bytes: &[u8]) -> Value {
    Value::Str(Str::new(bytes))
}

/// Bytes as a value, or nothing.
pub(super) fn optional(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, text)
}

/// A number that fits always.
pub(super) fn int(number: impl Into<i64>) -> Value {
    Value::Int(number.into())
}

/// A length.
pub(super) fn length(bytes: &[u8]) -> Value {
    Value::Int(bytes.len() as i64)
}

/// The refusal of an assignment.
pub(super) fn refuse(why: &str) -> SetError {
    SetError(why.to_owned())
}

/// Understands one of a class's attributes at load.
pub(super) fn attribute(names: &[&str], inner: &str) -> Result<KeySpec, String> {
    let inner = inner.trim();
    match names.iter().position(|name| *name == inner) {
        Some(at) => Ok(KeySpec::Attr(at as u32)),
        None => Err(format!("expected one of {}", names.join(", "))),
    }
}

/// The attribute that `attribute` understood.
pub(super) fn attribute_name<'a>(names: &[&'a str], key: &Key) -> &'a str {
    match key {
        Key::Attr(number) => names.get(*number as usize).copied().unwrap_or_default(),
        _ => "",
    }
}

/// The text in the parentheses.
pub(super) fn key_name(key: &Key) -> &[u8] {
    match key {
        Key::Name(name) => name,
        _ => b"",
    }
}

/// The number that the interner gave to the name in the parentheses.
pub(super) fn key_number(key: &Key) -> usize {
    match key {
        Key::Attr(number) => *number as usize,
        _ => 0,
    }
}

/// The place in a list of `count` that an index means; none without an index is the first.
pub(super) fn place(index: Index, count: usize) -> Option<usize> {
    match index {
        Index::None => (count > 0).then_some(0),
        Index::At(at) if at >= 0 => usize::try_from(at).ok().filter(|at| *at < count),
        Index::At(at) => count.checked_sub(usize::try_from(at.unsigned_abs()).ok()?),
        Index::All | Index::Append => None,
    }
}

/// An element of a list by its index; all of them are joined by `separator`.
pub(super) fn pick(items: &[&[u8]], index: Index, separator: &[u8]) -> Value {
    match index {
        Index::All if items.is_empty() => Value::Null,
        Index::All => Value::from(items.join(separator)),
        _ => optional(place(index, items.len()).map(|at| items[at])),
    }
}

/// Whether the message at hand is a request; many variables are nothing in a reply.
pub(super) fn in_request(run: &Run) -> bool {
    run.msg.message.is_request()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_count_from_both_ends() {
        let items: [&[u8]; 3] = [b"a", b"b", b"c"];
        assert_eq!(pick(&items, Index::None, b","), text(b"a"));
        assert_eq!(pick(&items, Index::At(2), b","), text(b"c"));
        assert_eq!(pick(&items, Index::At(-1), b","), text(b"c"));
        assert_eq!(pick(&items, Index::At(-4), b","), Value::Null);
        assert_eq!(pick(&items, Index::At(3), b","), Value::Null);
        assert_eq!(pick(&items, Index::All, b","), text(b"a,b,c"));
        assert_eq!(pick(&[], Index::All, b","), Value::Null);
        assert_eq!(pick(&items, Index::At(i64::MIN), b","), Value::Null);
    }
}
