//! The first line: request line or status line (RFC 3261 §7.1, §7.2).

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
pub(super) fn read_start(bytes: &[u8], start: usize, end: usize) -> Result<Start, ParseError> {
    let mut end = end;
    while end > start && matches!(peek(bytes, end - 1), b'\r' | b'\n') {
        end -= 1;
    }
    let error = |offset, fault| ParseError { offset, fault };
    let word = word_end(bytes, start, end);
    if is_version(&bytes[start..word]) {
        return read_status(bytes, start, word, end).ok_or(error(word, Fault::Status));
    }
    let bad = error(start, Fault::FirstLine);
    let (_, trimmed) = trim_range(bytes, start, end);
    let version = bytes[start..trimmed]
        .iter()
        .rposition(|&b| b == b' ')
        .ok_or(bad)?
        + start
        + 1;
    let (uri_start, uri_end) = trim_range(bytes, word, version);
    if !is_token_text(&bytes[start..word])
        || !is_version(&bytes[version..trimmed])
        || uri_start >= uri_end
    {
        return Err(bad);
    }
    let name = Span::new(start, word);
    Ok(Start::Request {
        method: Method::from_bytes(name.of(bytes)),
        name,
        uri: Span::new(uri_start, uri_end),
        version: Span::new(version, trimmed),
    })
}

fn read_status(bytes: &[u8], start: usize, version_end: usize, end: usize) -> Option<Start> {
    let code_start = skip_lws(bytes, version_end, end);
    let code_end = word_end(bytes, code_start, end);
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

#[inline]
fn word_end(bytes: &[u8], start: usize, end: usize) -> usize {
    bytes[start..end]
        .iter()
        .position(|&b| b == b' ')
        .map_or(end, |at| start + at)
}

/// `SIP/2.0` or another version of it, or of HTTP: both are framed alike, and a proxy's TCP port gets both.
fn is_version(text: &[u8]) -> bool {
    let digits = match text {
        [s, i, p, b'/', rest @ ..] if [*s, *i, *p].eq_ignore_ascii_case(b"SIP") => rest,
        [b'H', b'T', b'T', b'P', b'/', rest @ ..] => rest,
        _ => return false,
    };
    matches!(digits, [major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit())
}
