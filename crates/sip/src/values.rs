//! The elements of list headers: `a, "b,c" <sip:d,e>` has two.

use crate::block::find;
use crate::index::Line;
use crate::lex::{LIST, Span, peek, quoted_end, trim_range};
use crate::name::HeaderId;

/// One element of a list header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// As written, without white space at both ends.
    pub text: &'a [u8],
    /// Where it stands in the message.
    pub span: Span,
    /// Where the value of its header line stands.
    pub line_value: Span,
}

/// See `Message::values`. Empty elements are skipped.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    bytes: &'a [u8],
    lines: &'a [Line],
    /// Only lines of this name; all if `None`.
    id: Option<HeaderId>,
    current: Span,
    at: usize,
}

impl<'a> Values<'a> {
    pub(crate) const fn new(bytes: &'a [u8], lines: &'a [Line], id: Option<HeaderId>) -> Self {
        Self {
            bytes,
            lines,
            id,
            current: Span::NONE,
            at: 0,
        }
    }

    fn next_line(&mut self) -> Option<()> {
        loop {
            let (line, rest) = self.lines.split_first()?;
            self.lines = rest;
            if self.id.is_none_or(|id| id == line.id) {
                self.current = line.value;
                self.at = line.value.start.into();
                return Some(());
            }
        }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        loop {
            let end = usize::from(self.current.end);
            if self.at >= end {
                self.next_line()?;
                continue;
            }
            let stop = element_end(self.bytes, self.at, end);
            let (start, trimmed) = trim_range(self.bytes, self.at, stop);
            self.at = stop + 1;
            if trimmed > start {
                let span = Span::new(start, trimmed);
                return Some(Value {
                    text: span.of(self.bytes),
                    span,
                    line_value: self.current,
                });
            }
        }
    }
}

/// The comma that ends the element at `at`, or `end`.
fn element_end(bytes: &[u8], mut at: usize, end: usize) -> usize {
    loop {
        at = find(bytes, at, end, LIST);
        if at >= end {
            return end;
        }
        match peek(bytes, at) {
            // A quote that never closes is an ordinary character, so that the rest is still found.
            b'"' => at = quoted_end(bytes, at, end).unwrap_or(at + 1),
            // If it never closes the rest is one element.
            b'<' => at = find(bytes, at, end, [b'>']),
            _ => return at,
        }
    }
}

/// Splits any text as a list header's value.
pub fn split_values(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < text.len() {
            let stop = element_end(text, at, text.len());
            let (start, end) = trim_range(text, at, stop);
            at = stop + 1;
            if end > start {
                return text.get(start..end);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::split_values;

    #[test]
    fn commas_in_quotes_and_brackets_separate_nothing() {
        let text = b" \"a,b\" <sip:c,d>;x=\"1,2\" ,, sip:e ,f,";
        let parts: Vec<_> = split_values(text).collect();
        assert_eq!(parts, [&b"\"a,b\" <sip:c,d>;x=\"1,2\""[..], b"sip:e", b"f"]);
        assert_eq!(split_values(b"\"a, b").count(), 2);
    }
}
