//! Substitutions in the manner of sed: `/expression/replacement/flags`.

use std::ops::Range;

use crate::catalog::{Catalog, FunctionId, NameError, Resolved, Signature};
use crate::ere::{Ere, Flags};
use crate::format::{Cursor, Scope, TextError};
use crate::host::Host;
use crate::value::Str;
use crate::variable::Variable;

/// A parsed substitution.
#[derive(Clone, Debug)]
pub struct Subst {
    ere: Ere,
    replacement: Box<[Piece]>,
    all: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Str),
    /// What a pair of parentheses matched; 0 is the whole match.
    Group(u8),
    Variable(Variable),
}

impl Subst {
    /// Parses a substitution, which must be the whole text. Its flags are `g` (all matches), `i` (upper and lower
    /// case are the same) and `s` (a line break is nothing special).
    pub fn parse(text: &[u8], catalog: &dyn Catalog) -> Result<Self, TextError> {
        Self::parse_in(text, &Scope::new(catalog))
    }

    /// Parses one that was printed at run time; it names no variables any more.
    pub(crate) fn parse_plain(text: &[u8]) -> Result<Self, TextError> {
        Self::parse_in(text, &Scope::new(&NoNames))
    }

    pub(crate) fn parse_in(text: &[u8], scope: &Scope<'_>) -> Result<Self, TextError> {
        let mut cursor = Cursor::new(text);
        let subst = Self::parse_prefix(&mut cursor, scope)?;
        if cursor.rest().is_empty() {
            Ok(subst)
        } else {
            Err(cursor
                .error("unknown flag of a substitution")
                .help("flags are g, i and s"))
        }
    }

    /// Parses a substitution at the cursor and stops behind its flags.
    pub(crate) fn parse_prefix(
        cursor: &mut Cursor<'_>,
        scope: &Scope<'_>,
    ) -> Result<Self, TextError> {
        let separator = match cursor.next() {
            Some(byte) if byte != b'\\' => byte,
            _ => return Err(cursor.error("expected `/expression/replacement/flags`")),
        };
        let pattern_at = cursor.position();
        let pattern = take_part(cursor, separator)?;
        let replacement_at = cursor.position();
        let replacement = take_part(cursor, separator)?;
        let mut flags = Flags {
            ignore_case: false,
            lines: true,
        };
        let mut all = false;
        while let Some(flag) = cursor.peek() {
            match flag {
                b'g' => all = true,
                b'i' => flags.ignore_case = true,
                b's' => flags.lines = false,
                _ => break,
            }
            cursor.next();
        }
        let ere = Ere::new(pattern, flags)
            .map_err(|error| TextError::new(pattern_at, &format!("bad expression: {error}")))?;
        let replacement = parse_replacement(replacement, separator, scope)
            .map_err(|error| error.shifted(replacement_at))?;
        let groups = ere.groups();
        for piece in &replacement {
            if let Piece::Group(number) = piece
                && usize::from(*number) >= groups
            {
                let message = format!("the expression has no group {number}");
                return Err(TextError::new(replacement_at, &message));
            }
        }
        Ok(Self {
            ere,
            replacement: replacement.into(),
            all,
        })
    }

    /// The text with its matches replaced, and their number; `None` when nothing matches.
    pub fn apply<H: Host + ?Sized>(&self, host: &mut H, text: &[u8]) -> Option<(Vec<u8>, usize)> {
        self.apply_in(host, 0, text)
    }

    pub(crate) fn apply_in<H: Host + ?Sized>(
        &self,
        host: &mut H,
        rc: i64,
        text: &[u8],
    ) -> Option<(Vec<u8>, usize)> {
        let replacements = self.replacements_in(host, rc, text);
        let count = replacements.len();
        if count == 0 {
            return None;
        }
        let mut out = Vec::with_capacity(text.len());
        let mut copied = 0;
        for (range, replacement) in replacements {
            out.extend_from_slice(&text[copied..range.start]);
            out.extend_from_slice(&replacement);
            copied = range.end;
        }
        out.extend_from_slice(&text[copied..]);
        Some((out, count))
    }

    /// Each match with what is to stand in its place, in order.
    pub fn replacements<H: Host + ?Sized>(
        &self,
        host: &mut H,
        text: &[u8],
    ) -> Vec<(Range<usize>, Vec<u8>)> {
        self.replacements_in(host, 0, text)
    }

    fn replacements_in<H: Host + ?Sized>(
        &self,
        host: &mut H,
        rc: i64,
        text: &[u8],
    ) -> Vec<(Range<usize>, Vec<u8>)> {
        let mut found = Vec::new();
        for captures in self.ere.captures_iter(text) {
            let mut out = Vec::new();
            for piece in &self.replacement {
                match piece {
                    Piece::Text(text) => out.extend_from_slice(text),
                    Piece::Group(number) => {
                        let group = captures.get(usize::from(*number));
                        out.extend_from_slice(group.map_or(b"", |group| &text[group]));
                    }
                    Piece::Variable(variable) => {
                        if let Ok(value) = variable.read(host, rc) {
                            value.with_bytes(|bytes| out.extend_from_slice(bytes));
                        }
                    }
                }
            }
            found.push((captures.whole(), out));
            if !self.all {
                break;
            }
        }
        found
    }

    /// The expression.
    pub const fn ere(&self) -> &Ere {
        &self.ere
    }
}

/// Names nothing: what was printed already is not looked into again.
struct NoNames;

impl Catalog for NoNames {
    fn functions(&self, _: &str) -> Vec<(FunctionId, &Signature)> {
        Vec::new()
    }

    fn variable(&self, _: &str, _: Option<&str>) -> Result<Resolved, NameError> {
        Err(NameError::Unknown)
    }

    fn function_names(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn variable_names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The text up to the next separator that has no backslash before it.
fn take_part<'t>(cursor: &mut Cursor<'t>, separator: u8) -> Result<&'t [u8], TextError> {
    let start = cursor.position();
    while let Some(byte) = cursor.next() {
        if byte == b'\\' {
            cursor.next();
        } else if byte == separator {
            let part = cursor.since(start);
            return Ok(&part[..part.len() - 1]);
        }
    }
    let text = format!("expected `{}`", char::from(separator));
    Err(cursor
        .error(&text)
        .help("a substitution is `/expression/replacement/flags`"))
}

fn parse_replacement(
    text: &[u8],
    separator: u8,
    scope: &Scope<'_>,
) -> Result<Vec<Piece>, TextError> {
    let mut cursor = Cursor::new(text);
    let mut pieces = Vec::new();
    let mut literal = Vec::new();
    while let Some(byte) = cursor.next() {
        let piece = match (byte, cursor.peek()) {
            (b'\\', Some(escaped)) => {
                cursor.next();
                match escaped {
                    b'0'..=b'9' => Piece::Group(escaped - b'0'),
                    _ => {
                        unescape(escaped, separator, &mut literal);
                        continue;
                    }
                }
            }
            (b'$', Some(b'$')) => {
                cursor.next();
                literal.push(b'$');
                continue;
            }
            (b'$', _) => Piece::Variable(Variable::parse_behind_dollar(&mut cursor, scope)?),
            _ => {
                literal.push(byte);
                continue;
            }
        };
        flush(&mut literal, &mut pieces);
        pieces.push(piece);
    }
    flush(&mut literal, &mut pieces);
    Ok(pieces)
}

fn unescape(escaped: u8, separator: u8, literal: &mut Vec<u8>) {
    match escaped {
        b'n' => literal.push(b'\n'),
        b'r' => literal.push(b'\r'),
        b't' => literal.push(b'\t'),
        b'\\' => literal.push(b'\\'),
        other if other == separator => literal.push(other),
        other => literal.extend_from_slice(&[b'\\', other]),
    }
}

fn flush(literal: &mut Vec<u8>, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(Str::new(literal)));
        literal.clear();
    }
}
