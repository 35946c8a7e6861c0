//! Digest credentials and challenges (RFC 3261 §22.4, RFC 8760): the text, not the arithmetic.

use std::borrow::Cow;

use crate::escape::unquote;
use crate::lex::{Span, peek, quoted_end, skip_lws};

/// The `name=value` list behind an authentication scheme, comma-separated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// The scheme as written: `Digest`.
    pub scheme: &'a [u8],
    fields: &'a [u8],
}

impl<'a> Credentials<'a> {
    /// Reads the value of Authorization, Proxy-Authorization, WWW-Authenticate or Proxy-Authenticate.
    /// `None` if it has no scheme or its list is malformed.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let start = skip_lws(value, 0, value.len());
        let length = value
            .get(start..)?
            .iter()
            .position(|b| crate::lex::is_lws(*b))?;
        let (scheme, fields) = value.get(start..)?.split_at(length);
        let credentials = Self { scheme, fields };
        let mut fields = credentials.fields();
        while fields.next().is_some() {}
        (!scheme.is_empty() && !fields.bad).then_some(credentials)
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"Digest")
    }

    /// One field by its name in any case, as written, quotes included.
    pub fn raw(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.fields()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// One field by its name in any case, without quotes.
    pub fn field(&self, name: &[u8]) -> Option<Cow<'a, [u8]>> {
        self.raw(name).map(unquote)
    }

    /// `username`
    pub fn username(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"username")
    }

    /// `realm`
    pub fn realm(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"realm")
    }

    /// `nonce`
    pub fn nonce(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"nonce")
    }

    /// `uri`
    pub fn uri(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"uri")
    }

    /// `response`
    pub fn response(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"response")
    }

    /// `cnonce`
    pub fn cnonce(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"cnonce")
    }

    /// `opaque`
    pub fn opaque(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"opaque")
    }

    /// `algorithm`
    pub fn algorithm(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"algorithm")
    }

    /// `nc`, eight hexadecimal digits.
    pub fn nc(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"nc")
    }

    /// `qop`; in a challenge a list in quotes.
    pub fn qop(&self) -> Option<Cow<'a, [u8]>> {
        self.field(b"qop")
    }

    /// Whether the challenge says that only the nonce was old (`stale=true`).
    pub fn is_stale(&self) -> bool {
        self.field(b"stale")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }

    const fn fields(&self) -> Fields<'a> {
        Fields {
            text: self.fields,
            at: 0,
            bad: false,
        }
    }
}

struct Fields<'a> {
    text: &'a [u8],
    at: usize,
    bad: bool,
}

impl<'a> Fields<'a> {
    fn read(&mut self, start: usize) -> Option<(&'a [u8], &'a [u8])> {
        let (text, end) = (self.text, self.text.len());
        let stop = |byte: u8| matches!(byte, b'=' | b',' | b' ' | b'\t' | b'\r' | b'\n');
        let name_end = (start..end).find(|&at| stop(peek(text, at)))?;
        let equals = skip_lws(text, name_end, end);
        if name_end == start || peek(text, equals) != b'=' {
            return None;
        }
        let value = skip_lws(text, equals + 1, end);
        let value_end = if peek(text, value) == b'"' {
            quoted_end(text, value, end)?
        } else {
            let stop = |byte: u8| matches!(byte, b',' | b' ' | b'\t' | b'\r' | b'\n');
            (value..end).find(|&at| stop(peek(text, at))).unwrap_or(end)
        };
        self.at = skip_lws(text, value_end, end);
        let separated = self.at >= end || peek(text, self.at) == b',';
        let part = |start, end| Span::new(start, end).of(text);
        separated.then(|| (part(start, name_end), part(value, value_end)))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let end = self.text.len().min(usize::from(u16::MAX));
        while self.at < end
            && (peek(self.text, self.at) == b',' || crate::lex::is_lws(peek(self.text, self.at)))
        {
            self.at += 1;
        }
        if self.at >= end {
            return None;
        }
        let field = self.read(self.at);
        if field.is_none() {
            self.bad = true;
            self.at = end;
        }
        field
    }
}

#[cfg(test)]
mod tests {
    use super::Credentials;

    #[test]
    fn fields() {
        let text =
            b"Digest username=\"bo\\\"b\", realm = \"a, b\",\r\n nonce=\"n==\", uri=\"sip:x\",\
            response=\"00\",algorithm=MD5 ,qop=auth, nc=00000001, cnonce=\"c\"";
        let credentials = Credentials::parse(text).expect("valid");
        assert!(credentials.is_digest());
        assert_eq!(credentials.username().as_deref(), Some(&b"bo\"b"[..]));
        assert_eq!(credentials.realm().as_deref(), Some(&b"a, b"[..]));
        assert_eq!(credentials.nonce().as_deref(), Some(&b"n=="[..]));
        assert_eq!(credentials.algorithm().as_deref(), Some(&b"MD5"[..]));
        assert_eq!(credentials.nc().as_deref(), Some(&b"00000001"[..]));
        assert_eq!(credentials.opaque(), None);
        assert!(!credentials.is_stale());
    }

    #[test]
    fn refuses_what_has_no_shape() {
        for bad in ["", "Digest", "Digest x", "Digest a=\"b", "Digest a=b c=d"] {
            assert!(Credentials::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
