//! Format strings, `"call from $fu to $(ru{uri.host})"`: parsed at load, printed at each use.

use crate::catalog::Catalog;
use crate::host::{Host, Place};
use crate::value::{Str, Value};
use crate::variable::Variable;

/// Variables inside variables, at most.
const DEPTH_LIMIT: u8 = 24;

/// A parsed format string.
#[derive(Clone, Debug, Default)]
pub struct Format {
    pieces: Box<[Piece]>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Str),
    Variable(Variable),
}

impl Format {
    /// Parses a format; unknown variables are errors.
    pub fn parse(text: &[u8], catalog: &dyn Catalog) -> Result<Self, TextError> {
        Self::parse_in(text, &Scope::new(catalog))
    }

    /// Literal text without variables.
    pub fn literal(text: Str) -> Self {
        if text.is_empty() {
            Self::default()
        } else {
            Self {
                pieces: [Piece::Text(text)].into(),
            }
        }
    }

    pub(crate) fn parse_in(text: &[u8], scope: &Scope<'_>) -> Result<Self, TextError> {
        let mut cursor = Cursor::new(text);
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        loop {
            literal.extend_from_slice(cursor.take_while(|byte| byte != b'$'));
            if !cursor.eat(b'$') {
                break;
            }
            if cursor.eat(b'$') {
                literal.push(b'$');
                continue;
            }
            let variable = Variable::parse_behind_dollar(&mut cursor, scope)?;
            match variable.constant() {
                Some(value) if !value.is_null() => value.print(&mut literal),
                _ => {
                    flush(&mut literal, &mut pieces);
                    pieces.push(Piece::Variable(variable));
                }
            }
        }
        flush(&mut literal, &mut pieces);
        Ok(Self {
            pieces: pieces.into(),
        })
    }

    /// The text, if there is no variable in it.
    pub fn constant(&self) -> Option<Str> {
        match &*self.pieces {
            [] => Some(Str::EMPTY),
            [Piece::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// The variable, if the format is nothing else.
    pub fn single(&self) -> Option<&Variable> {
        match &*self.pieces {
            [Piece::Variable(variable)] => Some(variable),
            _ => None,
        }
    }

    /// Appends the printed text. An unset variable prints `<null>`, a failing transformation nothing.
    pub fn print<H: Host + ?Sized>(&self, host: &mut H, out: &mut Vec<u8>) {
        self.print_in(host, 0, out);
    }

    /// Prints in a run whose return code is `rc`.
    /// The variables in it, in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(variable),
            Piece::Text(_) => None,
        })
    }

    pub(crate) fn print_in<H: Host + ?Sized>(&self, host: &mut H, rc: i64, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Variable(variable) => {
                    if let Ok(value) = variable.read(host, rc) {
                        value.print(out);
                    }
                }
            }
        }
    }

    /// The printed text as a value of its own.
    pub(crate) fn to_str<H: Host + ?Sized>(&self, host: &mut H, rc: i64) -> Str {
        match &*self.pieces {
            [] => Str::EMPTY,
            [Piece::Text(text)] => text.clone(),
            [Piece::Variable(variable)] => match variable.read(host, rc) {
                Ok(Value::Null) => Str::from_static(b"<null>"),
                Ok(value) => value.to_str(),
                Err(_) => Str::EMPTY,
            },
            _ => {
                let mut out = Vec::with_capacity(64);
                self.print_in(host, rc, &mut out);
                out.into()
            }
        }
    }
}

fn flush(literal: &mut Vec<u8>, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(Str::new(literal)));
        literal.clear();
    }
}

/// Why a format, a variable or a transformation was refused, and at which byte of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// Offset in the text.
    pub at: usize,
    /// One line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl TextError {
    pub(crate) fn new(at: usize, message: &str) -> Self {
        Self {
            at,
            message: message.to_owned(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }

    pub(crate) const fn shifted(mut self, by: usize) -> Self {
        self.at += by;
        self
    }
}

impl std::fmt::Display for TextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TextError {}

/// What names mean where a text is parsed.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) catalog: &'a dyn Catalog,
    /// The statement that the text stands in, for `$cfg(…)`.
    pub(crate) place: Option<Place<'a>>,
    depth: u8,
}

impl<'a> Scope<'a> {
    pub(crate) const fn new(catalog: &'a dyn Catalog) -> Self {
        Self {
            catalog,
            place: None,
            depth: 0,
        }
    }

    pub(crate) const fn at(catalog: &'a dyn Catalog, place: Place<'a>) -> Self {
        Self {
            catalog,
            place: Some(place),
            depth: 0,
        }
    }

    pub(crate) fn deeper(&self, cursor: &Cursor<'_>) -> Result<Self, TextError> {
        if self.depth >= DEPTH_LIMIT {
            return Err(cursor.error("variables are nested too deeply"));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..*self
        })
    }

    /// `$cfg(line)`, `$cfg(name)` and `$cfg(route)`, which a statement knows of itself.
    pub(crate) fn place_value(&self, name: &str, inner: Option<&str>) -> Option<Value> {
        let place = self.place.as_ref().filter(|_| name == "cfg")?;
        match inner? {
            "line" => Some(Value::Int(i64::from(place.line))),
            "name" | "file" => Some(place.file.into()),
            "route" => Some(place.block.into()),
            _ => None,
        }
    }
}

/// A position in a text that is being parsed.
pub(crate) struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Cursor<'t> {
    pub(crate) const fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or(&[])
    }

    pub(crate) fn since(&self, start: usize) -> &'t [u8] {
        self.text.get(start..self.at).unwrap_or(&[])
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(crate) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn take_while(&mut self, test: impl Fn(u8) -> bool) -> &'t [u8] {
        let rest = self.rest();
        let length = rest
            .iter()
            .position(|byte| !test(*byte))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.take_while(|byte| byte.is_ascii_whitespace());
    }

    /// Reads `(…)` with balanced parentheses and returns what is between them.
    pub(crate) fn balanced(&mut self) -> Result<&'t [u8], TextError> {
        let rest = self.rest();
        let mut depth = 0usize;
        for (at, byte) in rest.iter().enumerate() {
            match byte {
                b'(' => depth += 1,
                b')' if depth <= 1 => {
                    self.at += at + 1;
                    return Ok(rest.get(1..at).unwrap_or(&[]));
                }
                b')' => depth -= 1,
                _ => {}
            }
        }
        Err(self.error("unmatched `(`"))
    }

    pub(crate) fn error(&self, message: &str) -> TextError {
        TextError::new(self.at, message)
    }
}
