//! String literals, and the statements that name a file to be read in their place.

use std::path::{Path, PathBuf};

use super::{Lexer, TokenKind, is_blank};
use crate::diagnostic::Diagnostic;
use crate::source::{LoadError, Origin, Span};

/// Files that include each other, counting the first.
const INCLUDES: usize = 10;

/// Files in one configuration, each counted as often as it is read.
const FILES: usize = 1000;

impl Lexer<'_> {
    /// A string in double quotes, and those that follow it with nothing but blanks between them.
    pub(super) fn quoted(&mut self, start: Span) {
        let mut bytes = Vec::new();
        let mut closed = self.quoted_piece(&mut bytes);
        while closed {
            let blanks = self.input.run(0, |c| is_blank(c) || c == b'\n');
            if self.input.peek(blanks) != Some(b'"') {
                break;
            }
            self.input.skip(blanks);
            closed = self.quoted_piece(&mut bytes);
        }
        if !closed {
            self.unclosed(start);
        }
        let bytes = self.substitutions.apply(&bytes);
        self.module_loaded(&bytes);
        self.emit(
            TokenKind::Str {
                bytes: bytes.into(),
                raw: false,
            },
            start,
        );
    }

    /// One string from its opening quote on; false if it has no other.
    pub(super) fn quoted_piece(&mut self, out: &mut Vec<u8>) -> bool {
        self.input.skip(1);
        loop {
            match self.input.next() {
                None => return false,
                Some(b'"') => return true,
                Some(b'\\') => self.escape(out),
                Some(c) => out.push(c),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) {
        let hex = self.input.run(1, |c| c.is_ascii_hexdigit()).min(2);
        let octal = self.input.run(0, |c| matches!(c, b'0'..=b'7')).min(3);
        match self.input.peek(0) {
            Some(b'n') => self.escaped(out, b'\n'),
            Some(b'r') => self.escaped(out, b'\r'),
            Some(b'a') => self.escaped(out, 7),
            Some(b't') => self.escaped(out, b'\t'),
            Some(c @ (b'"' | b'\\')) => self.escaped(out, c),
            Some(b'\n') => self.input.skip(1),
            Some(b'x') if hex > 0 => {
                self.input.skip(1);
                self.coded(out, hex, 16);
            }
            Some(_) if octal > 1 => self.coded(out, octal, 8),
            _ => out.push(b'\\'),
        }
    }

    fn escaped(&mut self, out: &mut Vec<u8>, c: u8) {
        self.input.skip(1);
        out.push(c);
    }

    fn coded(&mut self, out: &mut Vec<u8>, digits: usize, radix: u32) {
        let digits = self.input.take(digits);
        let value = digits.iter().fold(0u32, |value, digit| {
            value * radix + char::from(*digit).to_digit(radix).unwrap_or_default()
        });
        out.push((value & 0xff) as u8);
    }

    /// A string in single quotes: no escapes, and never joined with others.
    pub(super) fn raw(&mut self, start: Span) {
        self.input.skip(1);
        let length = self.input.run(0, |c| c != b'\'');
        let bytes = self.input.take(length);
        if self.input.next().is_none() {
            self.unclosed(start);
        }
        let bytes = self.substitutions.apply(&bytes);
        self.module_loaded(&bytes);
        self.emit(
            TokenKind::Str {
                bytes: bytes.into(),
                raw: true,
            },
            start,
        );
    }

    fn unclosed(&mut self, start: Span) {
        let span = Span {
            start: start.start,
            end: start.start + 1,
        };
        self.error(span, "this string is not closed");
    }

    /// `loadmodule "x"` defines `MOD_x` for what follows.
    fn module_loaded(&mut self, file: &[u8]) {
        let mut before = self.tokens.iter().rev().map(|token| &token.kind);
        let statement = match before.next() {
            Some(TokenKind::Sign("(")) => before.next(),
            other => other,
        };
        if matches!(statement, Some(TokenKind::Word(word)) if word == "loadmodule") {
            let name = crate::preprocess::module_name(&String::from_utf8_lossy(file)).to_owned();
            self.defines.set_predefined(&format!("MOD_{name}"), None);
        }
    }

    /// `include_file "name"`, or `import_file`, which does not need the file to exist.
    pub(super) fn include(&mut self, word: Span, required: bool) {
        let blanks = self.input.run(0, |c| is_blank(c) || c == b'\n');
        self.input.skip(blanks);
        let start = self.input.here();
        if self.input.peek(0) != Some(b'"') {
            let error = Diagnostic::error(word, "a file's name in double quotes is expected");
            return self.diagnostics.push(error.label("behind this word"));
        }
        let mut name = Vec::new();
        if !self.quoted_piece(&mut name) {
            return self.unclosed(start);
        }
        let span = self.input.since(start, self.map);
        self.files += 1;
        if self.files > FILES {
            return self.error(span, format!("more than {FILES} files are included"));
        }
        if self.input.depth() > INCLUDES {
            let fault = format!("files may include each other {INCLUDES} deep");
            return self.error(span, fault);
        }
        let name = String::from_utf8_lossy(&name).into_owned();
        match self.load(Path::new(&name), span) {
            Ok((path, text)) => {
                let name = path.to_string_lossy();
                let origin = Origin::Include(span);
                if self
                    .input
                    .push_file(self.map, &name, text.into(), origin)
                    .is_err()
                {
                    self.error(span, "the configuration is too large");
                }
                self.spaced = true;
            }
            Err(LoadError::NotFound) if !required => {}
            Err(LoadError::NotFound) => {
                let error = Diagnostic::error(span, format!("there is no file `{name}`"));
                self.diagnostics
                    .push(error.help("`import_file` does not mind a missing file"));
            }
            Err(LoadError::Unreadable(reason)) => {
                self.error(span, format!("`{name}` cannot be read: {reason}"));
            }
        }
    }

    /// Tries the name as it is, then beside the including file.
    fn load(&self, name: &Path, at: Span) -> Result<(PathBuf, Vec<u8>), LoadError> {
        match self.loader.load(name) {
            Ok(text) => Ok((name.to_owned(), text)),
            Err(LoadError::NotFound) if name.is_relative() => {
                let including = self.map.source_of(self.map.in_file(at));
                let beside = including
                    .and_then(|source| Path::new(&source.name).parent())
                    .map(|folder| folder.join(name))
                    .ok_or(LoadError::NotFound)?;
                self.loader.load(&beside).map(|text| (beside, text))
            }
            Err(error) => Err(error),
        }
    }
}
