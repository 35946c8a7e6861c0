//! The first line: request line or status line (RFC 3261 §7.1, §7.2).

use crate::block::find;
use crate::error::{Fault, ParseError};
use crate::lex::{Span, is_token_text, number, peek, skip_lws, trim_range};
use crate::method::Method;

/// What the first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Start {
    #[default]
    None,
    Request {
        method: Method,
        name: Span,
        uri: Span,
        version: Span,
    },
    Status {
        code: u16,
        reason: Span,
        version: Span,
    },
}

/// Reads the first line, `start..end` with its line end.
#[inline]
pub(super) fn read_start(bytes: &[u8], start: usize, end: usize) -> Result<Start, ParseError> {
    let mut end = end;
    while end > start && matches!(peek(bytes, end - 1), b'\r' | b'\n') {
        end -= 1;
    }
    let word = find(bytes, start, end, [b' ']);
    if is_version(&bytes[start..word]) {
        return read_status(bytes, start, word, end).ok_or(ParseError {
            offset: word,
            fault: Fault::Status,
        });
    }
    read_request(bytes, start, word, end).ok_or(ParseError {
        offset: start,
        fault: Fault::FirstLine,
    })
}

#[inline]
fn read_request(bytes: &[u8], start: usize, name_end: usize, end: usize) -> Option<Start> {
    let (_, end) = trim_range(bytes, start, end);
    let line = bytes.get(start..end)?;
    let version = match line.strip_suffix(b" SIP/2.0") {
        Some(rest) => start + rest.len() + 1,
        None => start + line.iter().rposition(|&b| b == b' ')? + 1,
    };
    let (uri_start, uri_end) = trim_range(bytes, name_end, version);
    let name = Span::new(start, name_end);
    if !is_version(&bytes[version..end]) || uri_start >= uri_end {
        return None;
    }
    Some(Start::Request {
        method: read_method(name.of(bytes))?,
        name,
        uri: Span::new(uri_start, uri_end),
        version: Span::new(version, end),
    })
}

fn read_status(bytes: &[u8], start: usize, version_end: usize, end: usize) -> Option<Start> {
    let code_start = skip_lws(bytes, version_end, end);
    let code_end = find(bytes, code_start, end, [b' ']);
    let code = number(bytes.get(code_start..code_end)?)?;
    if code_end - code_start != 3 || !(100..700).contains(&code) {
        return None;
    }
    Some(Start::Status {
        code: code as u16,
        reason: Span::new((code_end + 1).min(end), end),
        version: Span::new(start, version_end),
    })
}

/// Reads the name of a method: of those with a number there is no need to look at each letter.
pub(super) fn read_method(name: &[u8]) -> Option<Method> {
    let method = Method::from_bytes(name);
    (method != Method::Extension || is_token_text(name)).then_some(method)
}

/// `SIP/2.0` or another version of it, or of HTTP: both are framed alike, and a proxy's TCP port gets both.
fn is_version(text: &[u8]) -> bool {
    if text == b"SIP/2.0" {
        return true;
    }
    let digits = match text {
        [s, i, p, b'/', rest @ ..] if [*s, *i, *p].eq_ignore_ascii_case(b"SIP") => rest,
        [b'H', b'T', b'T', b'P', b'/', rest @ ..] => rest,
        _ => return false,
    };
    matches!(digits, [major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit())
}
