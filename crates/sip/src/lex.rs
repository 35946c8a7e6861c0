//! Lexical pieces of RFC 3261 §25.1 that every decoder shares: spans, white space, tokens, quotes, numbers.

use crate::block::find;

/// A part of a message, as byte offsets. `Span::NONE` stands for "absent": no part begins at 0 and is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u16,
    /// One past the last byte.
    pub end: u16,
}

impl Span {
    /// The absent part.
    pub const NONE: Self = Self { start: 0, end: 0 };

    /// From byte offsets, which the caller keeps within 64 KiB.
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u16,
            end: end as u16,
        }
    }

    /// Whether this is `Span::NONE`.
    pub const fn is_none(self) -> bool {
        self.start == 0 && self.end == 0
    }

    /// Length in bytes.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether it covers no byte.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The bytes it names, or none of them if it does not lie within `bytes`.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(usize::from(self.start)..usize::from(self.end))
            .unwrap_or_default()
    }

    /// The bytes, or `None` for an absent part.
    pub fn get(self, bytes: &[u8]) -> Option<&[u8]> {
        if self.is_none() {
            None
        } else {
            Some(self.of(bytes))
        }
    }

    /// Whether `other` lies within this one.
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The byte at `at`, or 0 past the end.
#[inline]
pub(crate) fn peek(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// Classes of bytes: bits of `CLASS`.
pub(crate) const TOKEN: u8 = 1;
/// White space as it may stand between two tokens, folding included.
pub(crate) const LWS: u8 = 2;

/// Sets of bytes: what ends a parameter's value.
pub(crate) const VALUE_END: [u8; 6] = *b" \t\r\n,;";
/// What ends a parameter's name.
pub(crate) const NAME_END: [u8; 7] = *b" \t\r\n,;=";
/// What a name in quotes or a URI in brackets begins with, or shows that neither is there.
pub(crate) const ADDRESS: [u8; 4] = *b"<\":;";
/// What matters when a list is split at its commas.
pub(crate) const LIST: [u8; 3] = *b",<\"";

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => LWS,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~' => TOKEN,
            _ if byte.is_ascii_alphanumeric() => TOKEN,
            _ => 0,
        };
        at += 1;
    }
    table
}

#[inline]
pub(crate) fn is(byte: u8, class: u8) -> bool {
    CLASS[usize::from(byte)] & class != 0
}

/// The first offset in `at..end` whose byte is not of the class, or `end`.
#[inline]
pub(crate) fn skip(bytes: &[u8], at: usize, end: usize, class: u8) -> usize {
    let found = bytes
        .get(at..end)
        .and_then(|part| part.iter().position(|&b| !is(b, class)));
    found.map_or(end.max(at), |offset| at + offset)
}

/// Whether the byte is white space, folding included.
#[inline]
pub(crate) fn is_lws(byte: u8) -> bool {
    is(byte, LWS)
}

/// The first offset from `at` on, below `end`, that is not white space.
#[inline]
pub(crate) fn skip_lws(bytes: &[u8], at: usize, end: usize) -> usize {
    if at < end && is_lws(peek(bytes, at)) {
        skip(bytes, at, end, LWS)
    } else {
        at
    }
}

/// `start..end` without white space at both ends.
#[inline]
pub(crate) fn trim_range(bytes: &[u8], start: usize, mut end: usize) -> (usize, usize) {
    let start = skip_lws(bytes, start, end);
    while end > start && is_lws(peek(bytes, end - 1)) {
        end -= 1;
    }
    (start, end)
}

/// The text without white space at both ends.
pub fn trim(text: &[u8]) -> &[u8] {
    let (start, end) = trim_range(text, 0, text.len());
    text.get(start..end).unwrap_or_default()
}

/// One past the closing quote of the quoted string that opens at `at` (RFC 3261 §25.1), or `None` if it never closes.
pub(crate) fn quoted_end(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at = find(bytes, at, end, *b"\"\\");
        match peek(bytes, at) {
            _ if at >= end => return None,
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// Whether the text is a `token`.
pub(crate) fn is_token_text(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is(byte, TOKEN))
}

/// A decimal number that fits; nothing but digits, at least one.
pub fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u32, |sum, &byte| {
        if !byte.is_ascii_digit() {
            return None;
        }
        sum.checked_mul(10)?.checked_add(u32::from(byte - b'0'))
    })
}

/// The decimal number at `at` and where it ends, at `end` at the latest; `None` if there is no digit or if it is too big.
#[inline]
pub(crate) fn digits(bytes: &[u8], at: usize, end: usize) -> Option<(u32, usize)> {
    let mut stop = at;
    let mut sum = 0u32;
    while stop < end {
        let digit = peek(bytes, stop).wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        sum = sum.checked_mul(10)?.checked_add(digit.into())?;
        stop += 1;
    }
    (stop > at).then_some((sum, stop))
}

/// A port: a decimal number up to 65535.
pub(crate) fn port(text: &[u8]) -> Option<u16> {
    number(text).and_then(|n| u16::try_from(n).ok())
}

/// Appends a number in decimal.
pub fn push_number(out: &mut Vec<u8>, number: u32) {
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
