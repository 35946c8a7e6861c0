//! Addresses with names, as From, To, Contact, Route and their like carry them (RFC 3261 §20.10).

use std::borrow::Cow;

use crate::block::find;
use crate::escape::unquote;
use crate::lex::{ADDRESS, Span, VALUE_END, number, peek, quoted_end, skip_lws, trim_range};
use crate::params::{Params, Step, step};
use crate::uri::{Uri, UriError};

/// An address with its name and parameters, as offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct AddressSpans {
    /// The whole address, without the comma.
    pub(crate) text: Span,
    /// With its quotes; absent without a name.
    pub(crate) display: Span,
    pub(crate) uri: Span,
    /// From the first `;` behind the URI to the end.
    pub(crate) params: Span,
    /// The value of `tag`.
    pub(crate) tag: Span,
    /// Whether the URI stands in angle brackets.
    pub(crate) bracketed: bool,
}

impl AddressSpans {
    /// Reads the first address of the value that spans `at..end`; also gives the offset where it ended.
    pub(crate) fn read(bytes: &[u8], at: usize, end: usize) -> Option<(Self, usize)> {
        let mut address = Self::default();
        let stop = address.fill(bytes, at, end)?;
        Some((address, stop))
    }

    /// As `read`, into empty spans, and without a copy. If it gives nothing the spans mean nothing.
    pub(crate) fn fill(&mut self, bytes: &[u8], at: usize, end: usize) -> Option<usize> {
        let start = skip_lws(bytes, at, end);
        let after_uri = match find_bracket(bytes, start, end)? {
            Some(open) => self.read_bracketed(bytes, start, open, end)?,
            None => self.read_bare(bytes, start, end)?,
        };
        let stop = self.read_params(bytes, after_uri, end)?;
        self.text = Span::new(start, stop);
        Some(stop)
    }

    fn read_bracketed(
        &mut self,
        bytes: &[u8],
        start: usize,
        open: usize,
        end: usize,
    ) -> Option<usize> {
        let (from, to) = trim_range(bytes, start, open);
        if to > from {
            self.display = Span::new(from, to);
        }
        let close = find(bytes, open, end, [b'>']);
        if close == end {
            return None;
        }
        let (from, to) = trim_range(bytes, open + 1, close);
        self.uri = Span::new(from, to);
        self.bracketed = true;
        (to > from).then_some(close + 1)
    }

    fn read_bare(&mut self, bytes: &[u8], start: usize, end: usize) -> Option<usize> {
        let at = find(bytes, start, end, VALUE_END);
        self.uri = Span::new(start, at);
        (at > start).then_some(at)
    }

    fn read_params(&mut self, bytes: &[u8], at: usize, end: usize) -> Option<usize> {
        if at == end {
            return Some(at);
        }
        // As nearly everybody writes it: the tag, and nothing else.
        if let Some([b';', b't', b'a', b'g', b'=', value, ..]) = bytes.get(at..end)
            && *value != b'"'
        {
            let stop = find(bytes, at + 5, end, VALUE_END);
            if stop == end && stop > at + 5 {
                self.tag = Span::new(at + 5, end);
                self.params = Span::new(at, end);
                return Some(end);
            }
        }
        let first = skip_lws(bytes, at, end);
        let (mut next, mut stop) = (at, at);
        loop {
            match step(bytes, next, end) {
                Step::Param {
                    name,
                    value,
                    next: after,
                } => {
                    stop = if value.is_none() { name.end } else { value.end }.into();
                    next = after;
                    if name.len() == 3 && name.of(bytes).eq_ignore_ascii_case(b"tag") {
                        self.tag = value;
                    }
                }
                Step::End(at) if at >= end || peek(bytes, at) == b',' => break,
                Step::End(_) => return None,
                Step::Bad => next = skip_separator(bytes, next, end)?,
            }
        }
        if stop > at {
            self.params = Span::new(first, stop);
        }
        Some(stop)
    }
}

/// Goes past a `;` that nothing follows: clients do send `<sip:a@b>;`.
fn skip_separator(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    let next = skip_lws(bytes, skip_lws(bytes, at, end) + 1, end);
    (next >= end || matches!(peek(bytes, next), b';' | b',')).then_some(next)
}

/// The `<` of this address, `Some(None)` if there is none, `None` if a quoted name never closes.
#[inline]
fn find_bracket(bytes: &[u8], start: usize, end: usize) -> Option<Option<usize>> {
    let mut at = start;
    loop {
        at = find(bytes, at, end, ADDRESS);
        match peek(bytes, at) {
            b'"' if at < end => at = quoted_end(bytes, at, end)?,
            b'<' if at < end => return Some(Some(at)),
            // A URI without brackets has a colon before anything else; no name contains one.
            _ => return Some(None),
        }
    }
}

/// A name, a URI and parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The whole address as written.
    pub text: &'a [u8],
    /// The name as written, quotes included; `None` without one.
    pub display: Option<&'a [u8]>,
    /// The URI as written, without brackets; `*` in the Contact that removes all bindings.
    pub uri: &'a [u8],
    /// The header's parameters, those behind the brackets.
    pub params: Params<'a>,
    /// Whether the URI stands in angle brackets.
    pub bracketed: bool,
    tag: Option<&'a [u8]>,
}

impl<'a> NameAddr<'a> {
    pub(crate) fn new(bytes: &'a [u8], spans: &AddressSpans) -> Self {
        Self {
            text: spans.text.of(bytes),
            display: spans.display.get(bytes),
            uri: spans.uri.of(bytes),
            params: Params::new(spans.params.of(bytes)),
            bracketed: spans.bracketed,
            tag: spans.tag.get(bytes),
        }
    }

    /// Reads the first address of a header value.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        if value.len() > usize::from(u16::MAX) {
            return None;
        }
        let (spans, _) = AddressSpans::read(value, 0, value.len())?;
        Some(Self::new(value, &spans))
    }

    /// The name without quotes and backslashes; empty without one.
    pub fn display_name(&self) -> Cow<'a, [u8]> {
        self.display.map_or(Cow::Borrowed(&[]), unquote)
    }

    /// The URI, taken apart.
    pub fn parse_uri(&self) -> Result<Uri<'a>, UriError> {
        Uri::parse(self.uri)
    }

    /// The tag (RFC 3261 §19.3).
    pub const fn tag(&self) -> Option<&'a [u8]> {
        self.tag
    }

    /// Whether it is the `*` of RFC 3261 §10.2.2.
    pub fn is_star(&self) -> bool {
        self.uri == b"*"
    }

    /// The contact's lifetime in seconds, if it has a readable one (RFC 3261 §10.2.1.1).
    pub fn expires(&self) -> Option<u32> {
        self.params.value(b"expires").and_then(number)
    }

    /// The contact's preference in thousandths, 0 to 1000 (RFC 3261 §20.10).
    pub fn q(&self) -> Option<u16> {
        let text = self.params.value(b"q")?;
        let (whole, fraction) = match text.iter().position(|&b| b == b'.') {
            Some(dot) => (text.get(..dot)?, text.get(dot + 1..)?),
            None => (text, &b""[..]),
        };
        let whole = if whole.is_empty() { 0 } else { number(whole)? };
        let digits = fraction.get(..fraction.len().min(3))?;
        let thousandths = if digits.is_empty() {
            0
        } else {
            number(digits)?
        };
        let scale = 10u32.pow(3 - digits.len() as u32);
        let q = whole.checked_mul(1000)?.checked_add(thousandths * scale)?;
        u16::try_from(q).ok().filter(|&q| q <= 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::NameAddr;

    #[test]
    fn forms() {
        let a = NameAddr::parse(b"\"A \\\" <B>\" <sip:a@b;p=1>;tag=x;q=0.33").expect("valid");
        assert_eq!(a.display, Some(&b"\"A \\\" <B>\""[..]));
        assert_eq!(&*a.display_name(), b"A \" <B>");
        assert_eq!(
            (a.uri, a.tag(), a.q()),
            (&b"sip:a@b;p=1"[..], Some(&b"x"[..]), Some(330))
        );
        let a = NameAddr::parse(b"sip:a@b;tag=1").expect("valid");
        assert_eq!(
            (a.uri, a.tag(), a.display),
            (&b"sip:a@b"[..], Some(&b"1"[..]), None)
        );
        let a = NameAddr::parse(b"A. Bell <sip:a@b>").expect("valid");
        assert_eq!((a.display, a.tag()), (Some(&b"A. Bell"[..]), None));
        let a = NameAddr::parse(b"caller<sip:a@b>;").expect("valid");
        assert_eq!(
            (a.display, a.text),
            (Some(&b"caller"[..]), &b"caller<sip:a@b>"[..])
        );
        assert!(NameAddr::parse(b"*").is_some_and(|a| a.is_star()));
        let a = NameAddr::parse(b"< sip:a@b >").expect("valid");
        assert_eq!(a.uri, b"sip:a@b");
    }

    #[test]
    fn refuses_what_has_no_shape() {
        for bad in [
            "",
            "<>",
            "\"x <sip:a@b>",
            "<sip:a@b",
            "<sip:a@b> x",
            "sip:a@b x",
        ] {
            assert!(NameAddr::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
