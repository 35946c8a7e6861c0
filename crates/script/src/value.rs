//! What a variable holds and an expression yields: nothing, a number, or bytes.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

const INLINE: usize = 23;

/// Immutable bytes that are cheap to clone and may cross threads. Up to 23 bytes live in the value itself.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    Inline(Short),
    Static(&'static [u8]),
    Shared(Arc<[u8]>),
}

/// Aligned like the other forms, so that a value is copied in whole words.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Short {
    length: u8,
    bytes: [u8; INLINE],
}

impl Str {
    /// The empty string.
    pub const EMPTY: Self = Self(Repr::Static(b""));

    /// A copy of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        if let Some(short) = Self::inline(bytes) {
            short
        } else {
            Self(Repr::Shared(bytes.into()))
        }
    }

    /// Bytes that live for ever; nothing is copied.
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self(Repr::Static(bytes))
    }

    fn inline(bytes: &[u8]) -> Option<Self> {
        let mut buffer = [0; INLINE];
        buffer.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self(Repr::Inline(Short {
            length: bytes.len() as u8,
            bytes: buffer,
        })))
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(short) => short
                .bytes
                .get(..usize::from(short.length))
                .unwrap_or(&short.bytes),
            Repr::Static(bytes) => bytes,
            Repr::Shared(bytes) => bytes,
        }
    }

    /// The text, if the bytes are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }
}

impl Deref for Str {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl Default for Str {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl PartialEq for Str {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            // Unused bytes are 0, so that short texts are compared as three words, without a loop.
            (Repr::Inline(a), Repr::Inline(b)) => a.length == b.length && a.bytes == b.bytes,
            _ => self.as_bytes() == other.as_bytes(),
        }
    }
}

impl Eq for Str {}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self))
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(&bytes)
    }
}

/// A value. `Null` is an unset variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// Unset.
    #[default]
    Null,
    /// A number.
    Int(i64),
    /// Bytes.
    Str(Str),
}

impl Value {
    /// Whether this is `Null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The number: digits with an optional sign, or `0x…`; `Null` is 0; `None` for any other text.
    pub fn to_int(&self) -> Option<i64> {
        match self {
            Self::Null => Some(0),
            Self::Int(number) => Some(*number),
            Self::Str(text) => parse_int(text),
        }
    }

    /// The text: numbers in decimal, `Null` as nothing.
    pub fn to_str(&self) -> Str {
        match self {
            Self::Null => Str::EMPTY,
            Self::Int(number) => Digits::new(*number).as_bytes().into(),
            Self::Str(text) => text.clone(),
        }
    }

    /// Appends the text as a format string does: `Null` as `<null>`.
    pub fn print(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"<null>"),
            Self::Int(number) => out.extend_from_slice(Digits::new(*number).as_bytes()),
            Self::Str(text) => out.extend_from_slice(text),
        }
    }

    /// Calls `f` with the text (`Null` is empty), without making a `Str` of a number.
    #[inline]
    pub fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Null => f(b""),
            Self::Int(number) => f(Digits::new(*number).as_bytes()),
            Self::Str(text) => f(text),
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Int(i64::from(truth))
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Str(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Str(bytes.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Str(bytes.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A number as `(int)` reads it: decimal with an optional sign, or `0x…`; the whole text or nothing.
pub fn parse_int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        _ => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number: i64 = 0;
    for &byte in digits {
        let digit = i64::from(char::from(byte).to_digit(radix)?);
        number = number.checked_mul(i64::from(radix))?.checked_add(digit)?;
    }
    Some(if negative { -number } else { number })
}

/// The decimal digits of a number, on the stack.
pub(crate) struct Digits {
    buffer: [u8; 20],
    start: usize,
}

impl Digits {
    pub(crate) fn new(number: i64) -> Self {
        let mut digits = Self {
            buffer: [0; 20],
            start: 20,
        };
        let mut rest = number.unsigned_abs();
        loop {
            digits.put(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            digits.put(b'-');
        }
        digits
    }

    fn put(&mut self, byte: u8) {
        self.start -= 1;
        self.buffer[self.start] = byte;
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_forms() {
        assert_eq!(size_of::<Value>(), 32);
        for length in [0, 1, 23, 24, 400] {
            let bytes = vec![7; length];
            assert_eq!(Str::new(&bytes).as_bytes(), bytes);
        }
        assert_eq!(Str::from_static(b"abc"), Str::from("abc"));
    }

    #[test]
    fn integers() {
        for (text, number) in [
            ("12", Some(12)),
            ("-7", Some(-7)),
            ("+7", Some(7)),
            ("0x1F", Some(31)),
            ("", None),
            ("-", None),
            ("12abc", None),
            (" 1", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
        ] {
            assert_eq!(parse_int(text.as_bytes()), number, "{text}");
        }
        for number in [0, 9, 10, -1, i64::MIN, i64::MAX] {
            assert_eq!(
                Value::Int(number).to_str().as_str(),
                Some(number.to_string().as_str())
            );
        }
    }
}
