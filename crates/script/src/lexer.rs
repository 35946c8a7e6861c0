//! From characters to tokens, with the preprocessor in between: directives, defines, includes and substitutions
//! are carried out here, so that the parser sees only the language itself.

mod directive;
mod input;
mod scan;
mod text;

use std::net::Ipv6Addr;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::parser::Options;
use crate::preprocess::{Conditions, Defines, Substitutions};
use crate::source::{Loader, Origin, SourceMap, Span};
use input::Input;

/// Tokens in one configuration.
const TOKENS: usize = 2_000_000;

/// Uses of defines in one configuration.
const USES: usize = 100_000;

/// Values of defines inside each other.
const NESTED_DEFINES: usize = 64;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
    /// Whether something that is no token stands before it.
    pub(crate) spaced: bool,
}

/// The kinds of token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// An identifier or a keyword.
    Word(String),
    /// A number.
    Int(i64),
    /// A string; `raw` if it was in single quotes.
    Str { bytes: Box<[u8]>, raw: bool },
    /// A variable with its `$`.
    Variable(String),
    /// A select without its `@`.
    Select(String),
    /// An IPv6 address without brackets.
    Ip6(Ipv6Addr),
    /// An operator or another mark.
    Sign(&'static str),
    /// Something wrong that was already reported.
    Bad,
    /// The end of everything.
    End,
}

/// What the lexer leaves behind.
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) defines: Defines,
    pub(crate) diagnostics: Diagnostics,
}

/// Reads everything from one file on.
pub(crate) struct Lexer<'a> {
    pub(crate) map: &'a mut SourceMap,
    pub(crate) loader: &'a dyn Loader,
    pub(crate) defines: Defines,
    pub(crate) substitutions: Substitutions,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) conditions: Conditions,
    input: Input,
    tokens: Vec<Token>,
    uses: usize,
    files: usize,
    spaced: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer with the predefined names.
    pub(crate) fn new(map: &'a mut SourceMap, loader: &'a dyn Loader) -> Self {
        Self {
            map,
            loader,
            defines: Defines::predefined(),
            substitutions: Substitutions::default(),
            diagnostics: Diagnostics::new(),
            conditions: Conditions::default(),
            input: Input::default(),
            tokens: Vec::new(),
            uses: 0,
            files: 0,
            spaced: false,
        }
    }

    /// Carries out what the command line asks of the preprocessor.
    pub(crate) fn command_line(&mut self, options: &Options) {
        let mut text = String::new();
        for define in &options.defines {
            let (name, value) = define.split_once('=').unwrap_or((define, ""));
            text.push_str(&format!("#!define {name} {value}\n"));
        }
        let rules = [
            ("subst", &options.substs),
            ("substdef", &options.substdefs),
            ("substdefs", &options.substdefs_quoted),
        ];
        for (directive, rules) in rules {
            for rule in rules {
                let rule = rule.trim_matches('"').replace('"', "\\\"");
                text.push_str(&format!("#!{directive} \"{rule}\"\n"));
            }
        }
        let text = text.into_bytes().into();
        if self
            .input
            .push_file(self.map, "command line", text, Origin::CommandLine)
            .is_ok()
        {
            self.skip_blanks();
            self.end_of_file();
        }
    }

    /// All tokens of a text, with an end token.
    pub(crate) fn run(mut self, name: &str, text: Vec<u8>, origin: Origin) -> Lexed {
        if self
            .input
            .push_file(self.map, name, text.into(), origin)
            .is_err()
        {
            self.error(Span::NONE, "the configuration is too large");
        }
        while self.tokens.len() < TOKENS {
            self.skip_blanks();
            if self.input.peek(0).is_none() {
                if !self.end_of_file() {
                    break;
                }
                continue;
            }
            self.token();
        }
        if self.tokens.len() >= TOKENS {
            self.error(
                Span::NONE,
                format!("more than {TOKENS} words in one configuration"),
            );
        }
        self.finish()
    }

    fn finish(mut self) -> Lexed {
        for opener in self.conditions.unclosed() {
            self.error(opener, "this condition has no `#!endif`");
        }
        let span = self
            .tokens
            .last()
            .map_or(Span::NONE, |token| token.span.after());
        self.tokens.push(Token {
            kind: TokenKind::End,
            span,
            spaced: true,
        });
        Lexed {
            tokens: self.tokens,
            defines: self.defines,
            diagnostics: self.diagnostics,
        }
    }

    fn end_of_file(&mut self) -> bool {
        self.spaced = true;
        self.input.pop_file()
    }

    /// Reports an error.
    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(span, message));
    }

    fn emit(&mut self, kind: TokenKind, start: Span) {
        let span = self.input.since(start, self.map);
        let spaced = std::mem::replace(&mut self.spaced, false);
        self.tokens.push(Token { kind, span, spaced });
    }

    /// Blanks, comments and joined lines.
    fn skip_blanks(&mut self) {
        loop {
            match (self.input.peek(0), self.input.peek(1)) {
                (Some(b' ' | b'\t' | b'\r' | b'\n' | 8 | 12), _) => self.input.skip(1),
                (Some(b'\\'), Some(b'\n')) => self.input.skip(2),
                (Some(b'\\'), Some(b'\r')) if self.input.peek(2) == Some(b'\n') => {
                    self.input.skip(3);
                }
                (Some(b'#'), Some(b'!')) | (Some(b'!'), Some(b'!')) => {
                    let marked = self.input.peek(0) == Some(b'#');
                    if !self.directive() {
                        if !marked {
                            return;
                        }
                        self.skip_line();
                    }
                }
                (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => self.skip_line(),
                (Some(b'/'), Some(b'*')) => self.skip_comment(),
                _ => return,
            }
            self.spaced = true;
        }
    }

    fn skip_line(&mut self) {
        while self.input.next().is_some_and(|c| c != b'\n') {}
    }

    fn skip_comment(&mut self) {
        let start = self.input.here();
        let mut depth = 0usize;
        loop {
            match (self.input.peek(0), self.input.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    self.input.skip(2);
                    depth += 1;
                }
                (Some(b'*'), Some(b'/')) => {
                    self.input.skip(2);
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                (Some(_), _) => self.input.skip(1),
                (None, _) => {
                    let span = Span {
                        start: start.start,
                        end: start.start + 2,
                    };
                    let error = Diagnostic::error(span, "this comment is not closed")
                        .help("comments nest: each `/*` inside needs a `*/` of its own");
                    return self.diagnostics.push(error);
                }
            }
        }
    }

    fn token(&mut self) {
        let start = self.input.here();
        let Some(c) = self.input.peek(0) else { return };
        if self.address(start) {
            return;
        }
        match c {
            b'"' => self.quoted(start),
            b'\'' => self.raw(start),
            b'$' => self.variable(start),
            b'@' => self.select(start),
            b'0'..=b'9' => self.number(start),
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => self.word(start),
            _ => self.sign(start),
        }
    }

    fn word(&mut self, start: Span) {
        let length = self.input.run(0, is_word_byte);
        let word = String::from_utf8_lossy(&self.input.take(length)).into_owned();
        let span = self.input.since(start, self.map);
        match word.as_str() {
            "include_file" => return self.include(span, true),
            "import_file" => return self.include(span, false),
            _ => {}
        }
        if let Some((value, defined)) = self.defines.expansion(&word) {
            return self.expand(
                &word,
                value,
                Origin::Expansion {
                    used: span,
                    defined,
                },
            );
        }
        self.emit(TokenKind::Word(word), start);
    }

    fn expand(&mut self, name: &str, value: std::sync::Arc<[u8]>, origin: Origin) {
        let Origin::Expansion { used, defined } = origin else {
            return;
        };
        self.uses += 1;
        let (depth, recursive) = self.input.expansions(name);
        let fault = if recursive {
            format!("`{name}` is defined by itself")
        } else if depth >= NESTED_DEFINES || self.uses > USES {
            "too many defines inside each other".to_owned()
        } else {
            match self.input.push_define(self.map, name, value, origin) {
                Ok(()) => return,
                Err(_) => "the configuration is too large".to_owned(),
            }
        };
        let error = Diagnostic::error(used, fault).note(defined, "defined here");
        self.diagnostics.push(error);
        self.emit(TokenKind::Bad, used);
    }
}

pub(crate) const fn is_word_byte(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

pub(crate) const fn is_blank(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\r' | 8)
}
