//! `;name=value` lists, as headers and URIs carry them (RFC 3261 §7.3.1).

use crate::block::{BLOCK, find, matches_blank_or, test_last};
use crate::lex::{NAME_END, Span, VALUE_END, peek, quoted_end, skip_lws};

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// The name as written.
    pub name: &'a [u8],
    /// The value as written, quotes included; `None` without `=`.
    pub value: Option<&'a [u8]>,
}

/// What a step over a list found.
pub(crate) enum Step {
    /// A parameter. `value` is absent without `=`; `next` is where the next step begins.
    Param {
        name: Span,
        value: Span,
        next: usize,
    },
    /// No further parameter: the list ended at this offset.
    End(usize),
    /// Not a parameter list from this offset on.
    Bad,
}

/// Reads the parameter whose `;` is the next non-blank byte from `at` on.
#[inline]
pub(crate) fn step(bytes: &[u8], at: usize, end: usize) -> Step {
    let at = skip_lws(bytes, at, end);
    if at >= end || peek(bytes, at) != b';' {
        return Step::End(at);
    }
    let start = skip_lws(bytes, at + 1, end);
    let name_end = find(bytes, start, end, NAME_END);
    if name_end == start {
        return Step::Bad;
    }
    let name = Span::new(start, name_end);
    let next = skip_lws(bytes, name_end, end);
    if next >= end || peek(bytes, next) != b'=' {
        return Step::Param {
            name,
            value: Span::NONE,
            next,
        };
    }
    let start = skip_lws(bytes, next + 1, end);
    let value_end = if peek(bytes, start) == b'"' && start < end {
        match quoted_end(bytes, start, end) {
            Some(at) => at,
            None => return Step::Bad,
        }
    } else {
        find(bytes, start, end, VALUE_END)
    };
    Step::Param {
        name,
        value: Span::new(start, value_end),
        next: value_end,
    }
}

/// A parameter list: empty, or from its first `;` to its end. Ends silently where it is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Params<'a>(pub(crate) &'a [u8]);

impl<'a> Params<'a> {
    /// A list in text form, from its first `;`. At most 64 KiB of it are read.
    pub fn new(text: &'a [u8]) -> Self {
        Self(
            text.get(..text.len().min(usize::from(u16::MAX)))
                .unwrap_or_default(),
        )
    }

    /// The list as written.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The parameters in their order.
    pub const fn iter(&self) -> ParamsIter<'a> {
        ParamsIter {
            text: self.0,
            at: 0,
        }
    }

    /// The first of that name in any case: its value, or `Some(None)` if it has none.
    pub fn get(&self, name: &[u8]) -> Option<Option<&'a [u8]>> {
        match self.look_up(name) {
            Ok(found) => found,
            Err(Unusual) => self
                .iter()
                .find(|param| param.name.eq_ignore_ascii_case(name))
                .map(|param| param.value),
        }
    }

    /// As `get`, by the semicolons alone: right for a list without blanks, commas and quotes, as nearly all are.
    fn look_up(&self, name: &[u8]) -> Result<Option<Option<&'a [u8]>>, Unusual> {
        let text = self.0;
        for block in (0..text.len()).step_by(BLOCK) {
            let mut marks = match text.get(block..).and_then(|rest| rest.first_chunk()) {
                Some(part) => marks(part),
                None => test_last(text, block, marks),
            };
            while marks != 0 {
                let at = block + marks.trailing_zeros() as usize;
                marks &= marks - 1;
                match text.get(at) {
                    None => break,
                    Some(b';') => {}
                    Some(_) => return Err(Unusual),
                }
                let rest = &text[at + 1..];
                if rest.first() == Some(&b'=') {
                    return Err(Unusual);
                }
                let Some((head, tail)) = rest.split_at_checked(name.len()) else {
                    continue;
                };
                if !head.eq_ignore_ascii_case(name) {
                    continue;
                }
                match tail.split_first() {
                    None | Some((b';', _)) => return Ok(Some(None)),
                    Some((b'=', value)) => {
                        let end = find(value, 0, value.len(), VALUE_END);
                        let usual = end == value.len() || value[end] == b';';
                        return match value.first() {
                            Some(b'"') => Err(Unusual),
                            _ if usual => Ok(Some(Some(&value[..end]))),
                            _ => Err(Unusual),
                        };
                    }
                    Some((b' ' | b'\t' | b'\r' | b'\n' | b',', _)) => return Err(Unusual),
                    Some(_) => {}
                }
            }
        }
        Ok(None)
    }

    /// The value of the first of that name; `None` also if it has none.
    pub fn value(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.get(name).flatten()
    }
}

/// A list that has to be read parameter by parameter.
struct Unusual;

/// The bytes that a look-up stops at.
fn marks(block: &[u8; BLOCK]) -> u32 {
    matches_blank_or(block, *b";,\"")
}

impl<'a> IntoIterator for Params<'a> {
    type Item = Param<'a>;
    type IntoIter = ParamsIter<'a>;

    fn into_iter(self) -> ParamsIter<'a> {
        self.iter()
    }
}

/// See `Params::iter`.
#[derive(Clone, Debug)]
pub struct ParamsIter<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for ParamsIter<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        loop {
            match step(self.text, self.at, self.text.len()) {
                Step::Param { name, value, next } => {
                    self.at = next;
                    return Some(Param {
                        name: name.of(self.text),
                        value: value.get(self.text),
                    });
                }
                Step::End(_) => return None,
                Step::Bad => self.skip_empty()?,
            }
        }
    }
}

impl ParamsIter<'_> {
    /// Goes past a `;` with nothing behind it; gives up at anything else that is no parameter.
    fn skip_empty(&mut self) -> Option<()> {
        let semicolon = skip_lws(self.text, self.at, self.text.len());
        let next = skip_lws(self.text, semicolon + 1, self.text.len());
        if peek(self.text, next) != b';' {
            self.at = self.text.len();
            return None;
        }
        self.at = next;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Params;

    #[test]
    fn values_may_be_missing_empty_or_quoted() {
        let params = Params::new(b";a ;B= \"x;y\\\"\" ; c=;d = 1;;e");
        let list: Vec<_> = params.iter().map(|p| (p.name, p.value)).collect();
        assert_eq!(
            list,
            [
                (&b"a"[..], None),
                (b"B", Some(&b"\"x;y\\\"\""[..])),
                (b"c", Some(b"")),
                (b"d", Some(b"1")),
                (b"e", None)
            ]
        );
        assert_eq!(params.get(b"b"), Some(Some(&b"\"x;y\\\"\""[..])));
        assert_eq!(params.get(b"a"), Some(None));
        assert_eq!(params.get(b"z"), None);
    }

    proptest::proptest! {
        #[test]
        fn a_look_up_finds_what_reading_one_by_one_finds(
            text in "(;{1,2}[ab ]{0,2}(=?[ab,;\" =]{0,3}))*",
            name in "[abAB]{1,2}",
        ) {
            let params = Params::new(text.as_bytes());
            let mut all = params.iter();
            let named = all.find(|param| param.name.eq_ignore_ascii_case(name.as_bytes()));
            proptest::prop_assert_eq!(params.get(name.as_bytes()), named.map(|param| param.value));
        }
    }

    #[test]
    fn a_broken_list_ends_where_it_breaks() {
        assert_eq!(Params::new(b";a=1;b=\"x").iter().count(), 1);
        assert_eq!(Params::new(b";;;").iter().count(), 0);
    }
}
