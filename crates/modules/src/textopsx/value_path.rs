//! How a configuration names a value of a header: `Name`, `Name[2]`, `Name[-1]`, `Name[*].param`.

use sip::{Message, Value};

/// Which of a header's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Not written.
    Unsaid,
    /// From 1, or from the end by -1.
    At(i64),
    /// `*`.
    All,
}

/// A value, or a parameter of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    pub(super) name: &'a [u8],
    pub(super) which: Which,
    pub(super) param: Option<&'a [u8]>,
}

impl<'a> Path<'a> {
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let name_end = text.iter().position(|byte| b"[.".contains(byte));
        let (name, rest) = text.split_at(name_end.unwrap_or(text.len()));
        let (which, rest) = match rest.strip_prefix(b"[") {
            None => (Which::Unsaid, rest),
            Some(rest) => {
                let close = rest.iter().position(|byte| *byte == b']')?;
                let which = match sip::trim(&rest[..close]) {
                    b"*" => Which::All,
                    number => Which::At(script::parse_int(number).filter(|at| *at != 0)?),
                };
                (which, &rest[close + 1..])
            }
        };
        let param = match rest {
            [] => None,
            [b'.', param @ ..] if !param.is_empty() => Some(sip::trim(param)),
            _ => return None,
        };
        let name = sip::trim(name);
        (!name.is_empty()).then_some(Self { name, which, param })
    }

    /// The values that the path means; the first when no index is written.
    pub(super) fn select<T>(&self, mut items: Vec<T>) -> Vec<T> {
        let count = items.len() as i64;
        let at = match self.which {
            Which::All => return items,
            Which::Unsaid => 0,
            Which::At(at) if at > 0 => at - 1,
            Which::At(at) => count + at,
        };
        match usize::try_from(at) {
            Ok(at) if at < items.len() => vec![items.swap_remove(at)],
            _ => Vec::new(),
        }
    }
}

/// All values of the headers of this name, split at commas.
pub(super) fn values<'a>(message: &'a Message, name: &'a [u8]) -> Vec<Value<'a>> {
    let headers = message.headers_by_name(name);
    headers
        .flat_map(|header| message.values_of(&header))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path = |text: &'static str| Path::parse(text.as_bytes());
        let made = |name, which, param| Some(Path { name, which, param });
        assert_eq!(path("foo"), made(b"foo", Which::Unsaid, None));
        assert_eq!(path("foo[2]"), made(b"foo", Which::At(2), None));
        assert_eq!(path("foo[*].bar"), made(b"foo", Which::All, Some(b"bar")));
        assert_eq!(path("foo.bar"), made(b"foo", Which::Unsaid, Some(b"bar")));
        for wrong in ["", "[1]", "foo[0]", "foo[x]", "foo[1", "foo[1]x", "foo."] {
            assert_eq!(path(wrong), None, "{wrong}");
        }
        let last = Path::parse(b"foo[-1]").expect("a path");
        assert_eq!(last.select(vec![1, 2, 3]), [3]);
        let beyond = Path::parse(b"foo[-4]").expect("a path");
        assert!(beyond.select(vec![1, 2, 3]).is_empty());
    }
}
