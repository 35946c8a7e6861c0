//! `%XX` escapes of URIs (RFC 3261 §19.1.2) and quoted strings (§25.1).

use std::borrow::Cow;

/// Replaces each well-formed `%XX` by its byte; anything else stays.
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        match escaped(rest) {
            Some(value) => {
                out.push(value);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    Cow::Owned(out)
}

/// The byte that a leading `%XX` stands for.
pub(crate) fn escaped(text: &[u8]) -> Option<u8> {
    match text {
        [b'%', high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

pub(crate) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Escapes what may not stand in the user part of a SIP URI.
pub fn escape_user(text: &[u8]) -> Cow<'_, [u8]> {
    escape(text, |byte| {
        is_unreserved(byte) || b"&=+$,;?/".contains(&byte)
    })
}

/// Escapes what may not stand in a parameter of a SIP URI.
pub fn escape_param(text: &[u8]) -> Cow<'_, [u8]> {
    escape(text, |byte| {
        is_unreserved(byte) || b"[]/:&+$".contains(&byte)
    })
}

/// `unreserved` of RFC 3261 §25.1.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
}

fn escape(text: &[u8], keep: impl Fn(u8) -> bool) -> Cow<'_, [u8]> {
    if text.iter().all(|&byte| keep(byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 8);
    for &byte in text {
        if keep(byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
    }
    Cow::Owned(out)
}

const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    }
}

/// Takes the quotes off a quoted string and resolves its backslashes; anything else stays as it is.
pub fn unquote(text: &[u8]) -> Cow<'_, [u8]> {
    let [b'"', inner @ .., b'"'] = text else {
        return Cow::Borrowed(text);
    };
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        let byte = if byte == b'\\' {
            bytes.next().copied().unwrap_or(byte)
        } else {
            byte
        };
        out.push(byte);
    }
    Cow::Owned(out)
}

/// Puts a text into quotes, with a backslash before each quote and backslash.
pub fn quote(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

/// Joins a folded header value into one line: each fold becomes one space (RFC 3261 §7.3.1).
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\n') {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let fold = byte == b'\n' || (byte == b'\r' && value.get(at + 1) == Some(&b'\n'));
        if fold {
            while value.get(at).is_some_and(|&b| crate::lex::is_lws(b)) {
                at += 1;
            }
            out.push(b' ');
        } else {
            out.push(byte);
            at += 1;
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_there_and_back() {
        assert_eq!(&*escape_user(b"a b@c"), b"a%20b%40c");
        assert_eq!(&*unescape(b"a%20b%40c%"), b"a b@c%");
        assert_eq!(&*unescape(b"%zz%4"), b"%zz%4");
        assert_eq!(&*escape_param(b"a;b=c"), b"a%3bb%3dc");
    }

    #[test]
    fn quotes_there_and_back() {
        for text in ["", "plain", "a\"b\\c"] {
            assert_eq!(&*unquote(&quote(text.as_bytes())), text.as_bytes());
        }
        assert_eq!(&*unquote(b"plain"), b"plain");
        assert_eq!(&*unquote(b"\""), b"\"");
    }

    #[test]
    fn unfolds() {
        assert_eq!(&*unfold(b"a\r\n  b\n\tc"), b"a b c");
    }
}
