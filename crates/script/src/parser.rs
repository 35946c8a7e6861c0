//! From tokens to the syntax tree. Every error of a configuration is reported in one run: after one, reading
//! goes on at the next statement.

mod action;
mod avp;
mod expression;
mod globals;
pub(crate) mod keywords;
mod listen;
mod modules;
mod operand;
mod routes;
mod statement;

use std::path::Path;

use crate::ast::{Config, Text};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lexer::{Lexer, Token, TokenKind};
use crate::preprocess::Defines;
use crate::source::{LoadError, Loader, Origin, SourceMap, Span};

/// Parentheses, blocks and signs inside each other.
const NESTING: usize = 100;

/// What the command line says about the preprocessor.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `-A ID` or `-A ID=value`: `#!define`.
    pub defines: Vec<String>,
    /// `--subst=/this/that/g`.
    pub substs: Vec<String>,
    /// `--substdef=/ID/value/`.
    pub substdefs: Vec<String>,
    /// `--substdefs=/ID/value/`.
    pub substdefs_quoted: Vec<String>,
}

/// Reads a configuration with everything that it includes. The tree is whole only if there were no errors.
pub fn parse(
    map: &mut SourceMap,
    loader: &dyn Loader,
    path: &Path,
    options: &Options,
) -> (Config, Diagnostics) {
    let mut lexer = Lexer::new(map, loader);
    lexer.command_line(options);
    let name = path.to_string_lossy();
    let lexed = match loader.load(path) {
        Ok(text) => lexer.run(&name, text, Origin::Root),
        Err(error) => {
            let reason = match error {
                LoadError::NotFound => "there is no such file".to_owned(),
                LoadError::Unreadable(reason) => reason,
            };
            lexer.error(Span::NONE, format!("`{name}` cannot be read: {reason}"));
            lexer.run(&name, Vec::new(), Origin::Root)
        }
    };
    let mut diagnostics = lexed.diagnostics;
    let parser = Parser::new(map, loader, &lexed.defines, lexed.tokens);
    let (mut config, found) = parser.run();
    config.defines = lexed.defines.into_list();
    diagnostics.append(found);
    (config, diagnostics)
}

/// An error that was reported already.
#[derive(Clone, Copy, Debug)]
struct Reported;

type Parsed<T> = Result<T, Reported>;

struct Parser<'a> {
    map: &'a SourceMap,
    loader: &'a dyn Loader,
    defines: &'a Defines,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    config: Config,
    diagnostics: Diagnostics,
    /// Where an error was reported last: one place gets one error.
    failed_at: Option<usize>,
}

impl<'a> Parser<'a> {
    fn new(
        map: &'a SourceMap,
        loader: &'a dyn Loader,
        defines: &'a Defines,
        tokens: Vec<Token>,
    ) -> Self {
        Self {
            map,
            loader,
            defines,
            tokens,
            at: 0,
            depth: 0,
            config: Config::default(),
            diagnostics: Diagnostics::new(),
            failed_at: None,
        }
    }

    fn run(mut self) -> (Config, Diagnostics) {
        while *self.kind() != TokenKind::End {
            let before = self.at;
            if self.top_level().is_err() {
                self.recover_top_level(before);
            }
        }
        (self.config, self.diagnostics)
    }

    fn token(&self) -> &Token {
        self.ahead(0)
    }

    /// The token some places on; the end token beyond the end.
    fn ahead(&self, count: usize) -> &Token {
        &self.tokens[(self.at + count).min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    fn span(&self) -> Span {
        self.token().span
    }

    /// The span of the token before the next one.
    fn last_span(&self) -> Span {
        self.at
            .checked_sub(1)
            .map_or(Span::NONE, |at| self.tokens[at].span)
    }

    /// From a token's start to the last token taken.
    fn since(&self, start: Span) -> Span {
        start.to(self.last_span(), self.map)
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn word(&self) -> Option<&str> {
        word_of(self.token())
    }

    fn at_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    fn at_sign(&self, sign: &str) -> bool {
        is_sign(self.token(), sign)
    }

    fn sign_ahead(&self, count: usize, sign: &str) -> bool {
        is_sign(self.ahead(count), sign)
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.advance();
        }
        found
    }

    fn accept_sign(&mut self, sign: &str) -> bool {
        let found = self.at_sign(sign);
        if found {
            self.advance();
        }
        found
    }

    fn expect_sign(&mut self, sign: &str, place: &str) -> Parsed<()> {
        if self.accept_sign(sign) {
            return Ok(());
        }
        self.expected(&format!("`{sign}` {place}"))
    }

    /// A string.
    fn string(&mut self, what: &str) -> Parsed<Text> {
        match self.accept_string() {
            Some(text) => Ok(text),
            None => self.expected(what),
        }
    }

    fn accept_string(&mut self) -> Option<Text> {
        let TokenKind::Str { bytes, .. } = self.kind() else {
            return None;
        };
        let text = Text {
            bytes: bytes.clone(),
            span: self.span(),
        };
        self.advance();
        Some(text)
    }

    /// A number, with a sign if it may have one; `yes` and `no` are numbers too.
    fn accept_int(&mut self, signed: bool) -> Option<i64> {
        let negative = signed && self.at_sign("-");
        let value = match &self.ahead(usize::from(negative)).kind {
            TokenKind::Int(value) => *value,
            TokenKind::Word(word) if !negative => i64::from(keywords::boolean(word)?),
            _ => return None,
        };
        self.at += usize::from(negative);
        self.advance();
        Some(if negative {
            value.wrapping_neg()
        } else {
            value
        })
    }

    /// Reports that something else was expected. Where the next token begins another line the marker stands
    /// behind the last one.
    fn expected<T>(&mut self, what: &str) -> Parsed<T> {
        let found = describe(self.token());
        let behind = self.begins_line(self.at) || *self.kind() == TokenKind::End;
        let span = match self.last_span() {
            last if behind && last != Span::NONE => last.after(),
            _ => self.span(),
        };
        let error = Diagnostic::error(span, format!("expected {what}, found {found}"));
        self.fail(error.label(format!("expected {what}")))
    }

    /// Reports an error and gives up on what is being read.
    fn fail<T>(&mut self, error: Diagnostic) -> Parsed<T> {
        let repeated = self.failed_at.replace(self.at) == Some(self.at);
        if *self.kind() != TokenKind::Bad && !repeated {
            self.diagnostics.push(error);
        }
        Err(Reported)
    }

    /// Reports an error that reading is not disturbed by.
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reads something inside something else of its kind.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= NESTING {
            let fault = format!("nested more than {NESTING} deep");
            let error = Diagnostic::error(self.span(), fault);
            return self.fail(error);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Whether only blanks stand before a token on its line.
    fn begins_line(&self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else {
            return false;
        };
        let span = self.map.in_file(token.span);
        let Some(source) = self.map.source_of(span) else {
            return true;
        };
        let (start, _) = source.line_bounds(span.start);
        let before = &source.text[start..(span.start - source.base) as usize];
        before.iter().all(u8::is_ascii_whitespace)
    }

    /// After an error outside of blocks: to the next thing that looks like a statement.
    fn recover_top_level(&mut self, began: usize) {
        if self.at == began {
            self.advance();
        }
        let mut depth = 0usize;
        loop {
            match self.kind() {
                TokenKind::End => return,
                TokenKind::Sign("{") => depth += 1,
                TokenKind::Sign("}") if depth <= 1 => return self.advance(),
                TokenKind::Sign("}") => depth -= 1,
                TokenKind::Sign(";") if depth == 0 => return self.advance(),
                _ if self.at_block_header() => return,
                TokenKind::Word(_) if depth == 0 && self.at_statement_start() => return,
                _ => {}
            }
            self.advance();
        }
    }

    /// A word at the beginning of a line that can begin a statement outside of blocks.
    fn at_statement_start(&self) -> bool {
        let known = self.word().is_some_and(keywords::begins_global);
        let assigned =
            self.sign_ahead(1, "=") || (self.sign_ahead(1, ".") && self.sign_ahead(3, "="));
        (known || assigned) && self.begins_line(self.at)
    }
}

fn word_of(token: &Token) -> Option<&str> {
    match &token.kind {
        TokenKind::Word(word) => Some(word),
        _ => None,
    }
}

fn is_sign(token: &Token, sign: &str) -> bool {
    matches!(&token.kind, TokenKind::Sign(found) if *found == sign)
}

/// A token in a message.
fn describe(token: &Token) -> String {
    match &token.kind {
        TokenKind::Word(word) => format!("`{word}`"),
        TokenKind::Int(value) => format!("the number {value}"),
        TokenKind::Str { .. } => "a string".to_owned(),
        TokenKind::Variable(text) => format!("the variable `{}`", shortened(text)),
        TokenKind::Select(text) => format!("the select `@{}`", shortened(text)),
        TokenKind::Ip6(address) => format!("the address {address}"),
        TokenKind::Sign(sign) => format!("`{sign}`"),
        TokenKind::Bad => "something unreadable".to_owned(),
        TokenKind::End => "the end of the file".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
