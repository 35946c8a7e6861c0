//! Lines that begin with `#!`: carried out where they stand.

use super::{Lexer, is_blank, is_word_byte};
use crate::diagnostic::Diagnostic;
use crate::parser::keywords;
use crate::preprocess::{ConditionFault, Rule, evaluate, evaluate_variables};
use crate::source::Span;
use crate::suggest::nearest;

/// Words that may follow `#!`; others make a comment.
const DIRECTIVES: &[&str] = &[
    "define",
    "def",
    "trydefine",
    "trydef",
    "redefine",
    "redef",
    "undefine",
    "undef",
    "tryundefine",
    "tryundef",
    "defexp",
    "defexps",
    "defenv",
    "defenvs",
    "trydefenv",
    "trydefenvs",
    "ifdef",
    "ifndef",
    "ifexp",
    "else",
    "endif",
    "subst",
    "substdef",
    "substdefs",
    "include_file",
    "import_file",
];

/// What to do when a name is defined already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Refuse,
    Keep,
    Replace,
}

impl Lexer<'_> {
    /// Carries out the directive that begins here; false if there is none.
    pub(super) fn directive(&mut self) -> bool {
        let length = self.input.run(2, is_word_byte);
        let word: Vec<u8> = (2..2 + length).filter_map(|n| self.input.peek(n)).collect();
        let word = String::from_utf8_lossy(&word).into_owned();
        if matches!(word.as_str(), "else" | "endif") && self.line_end(2 + length).is_none() {
            self.ignored(length, "with text behind it on its line, this is a comment");
            return false;
        }
        if !DIRECTIVES.contains(&word.as_str()) {
            if nearest(&word, DIRECTIVES.iter().copied()).is_some() {
                self.ignored(length, "this is no directive, so it is a comment");
            }
            return false;
        }
        let start = self.input.here();
        self.input.skip(2 + length);
        let span = self.input.since(start, self.map);
        self.carry_out(&word, span);
        true
    }

    fn ignored(&mut self, length: usize, message: &str) {
        let start = self.input.here();
        let word: Vec<u8> = (2..2 + length).filter_map(|n| self.input.peek(n)).collect();
        let word = String::from_utf8_lossy(&word).into_owned();
        let span = Span {
            start: start.start,
            end: start.start + 2 + length as u32,
        };
        let warning = Diagnostic::warning(span, message);
        let close = nearest(&word, DIRECTIVES.iter().copied()).filter(|name| *name != word);
        self.diagnostics
            .push(warning.suggest(close.map(|w| format!("#!{w}")).as_deref()));
    }

    fn carry_out(&mut self, word: &str, span: Span) {
        use Existing::{Keep, Refuse, Replace};
        match word {
            "define" | "def" => self.define(Refuse),
            "trydefine" | "trydef" => self.define(Keep),
            "redefine" | "redef" => self.define(Replace),
            "undefine" | "undef" => self.undefine(true),
            "tryundefine" | "tryundef" => self.undefine(false),
            "defexp" => self.define_expression(false),
            "defexps" => self.define_expression(true),
            "defenv" | "trydefenv" => self.define_environment(word == "defenv", false),
            "defenvs" | "trydefenvs" => self.define_environment(word == "defenvs", true),
            "ifdef" => self.if_defined(span, true),
            "ifndef" => self.if_defined(span, false),
            "ifexp" => self.if_expression(span),
            "else" => self.otherwise(span),
            "endif" => {
                let fault = self.conditions.close();
                self.condition_fault(span, fault);
            }
            "include_file" => self.include(span, true),
            "import_file" => self.include(span, false),
            _ => self.substitution(word, span),
        }
    }

    /// Reads a name behind blanks. A name that is followed by `-` is refused, as Kamailio does.
    fn name(&mut self) -> Option<(String, Span)> {
        self.input.skip(self.input.run(0, is_blank));
        let start = self.input.here();
        let length = self.input.run(0, is_word_byte);
        let name = String::from_utf8_lossy(&self.input.take(length)).into_owned();
        let fault = if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            "a name is expected here"
        } else if self.input.peek(0) == Some(b'-') {
            "a name may not be followed by `-`"
        } else {
            let span = self.input.since(start, self.map);
            return Some((name, span));
        };
        let span = if length == 0 {
            start
        } else {
            self.input.since(start, self.map)
        };
        self.error(span, fault);
        self.rest_of_line();
        None
    }

    /// The rest of the line, where a backslash at a line's end continues it.
    fn rest_of_line(&mut self) -> Vec<u8> {
        self.input.skip(self.input.run(0, is_blank));
        let mut text = Vec::new();
        loop {
            match self.input.peek(0) {
                None | Some(b'\n') => break,
                Some(b'\\') if self.input.peek(1) == Some(b'\n') => self.input.skip(2),
                Some(b'\\') if self.input.starts_with(b"\\\r\n") => self.input.skip(3),
                Some(c) => {
                    self.input.skip(1);
                    text.push(c);
                }
            }
        }
        if text.last() == Some(&b'\r') {
            text.pop();
        }
        text
    }

    fn define(&mut self, existing: Existing) {
        let Some((name, span)) = self.name() else {
            return;
        };
        let value = self.rest_of_line();
        self.set(&name, span, (!value.is_empty()).then_some(value), existing);
    }

    fn set(&mut self, name: &str, span: Span, value: Option<Vec<u8>>, existing: Existing) {
        if keywords::is_reserved(name) {
            let message = format!("`{name}` is a keyword, so its value is never put in its place");
            self.diagnostics.push(Diagnostic::warning(span, message));
        }
        match (self.defines.defined(name), existing) {
            (Some(_), Existing::Keep) => {}
            (Some(first), Existing::Refuse) => {
                let error = Diagnostic::error(span, format!("`{name}` is already defined"))
                    .help("`#!redefine` replaces a value, `#!trydefine` keeps it");
                let error = match first {
                    Span::NONE => error,
                    first => error.note(first, "first defined here"),
                };
                self.diagnostics.push(error);
            }
            _ => self.defines.set(name, value, span),
        }
    }

    fn undefine(&mut self, required: bool) {
        let Some((name, span)) = self.name() else {
            return;
        };
        if !self.defines.remove(&name) && required {
            let close = nearest(&name, self.defines.names());
            let error = Diagnostic::error(span, format!("`{name}` is not defined")).suggest(close);
            self.diagnostics.push(error);
        }
    }

    fn define_expression(&mut self, quoted: bool) {
        let Some((name, span)) = self.name() else {
            return;
        };
        let text = self.rest_of_line();
        match evaluate(&text, &self.defines) {
            Ok(value) => {
                let value = quote(value.into_bytes(), quoted);
                self.set(&name, span, Some(value), Existing::Refuse);
            }
            Err(fault) => self.error(span, format!("the value of `{name}`: {fault}")),
        }
    }

    fn define_environment(&mut self, required: bool, quoted: bool) {
        let Some((name, span)) = self.name() else {
            return;
        };
        let written = self.rest_of_line();
        let variable = match written.strip_prefix(b"=") {
            Some(variable) => String::from_utf8_lossy(variable.trim_ascii()).into_owned(),
            None => name.clone(),
        };
        match self.loader.environment(&variable) {
            Some(value) => {
                let value = quote(value.into_bytes(), quoted);
                self.set(&name, span, Some(value), Existing::Refuse);
            }
            None if required => {
                let fault = format!("the environment has no variable `{variable}`");
                let error = Diagnostic::error(span, fault);
                self.diagnostics
                    .push(error.help("`#!trydefenv` does not mind a missing one"));
            }
            None => {}
        }
    }

    fn if_defined(&mut self, span: Span, wanted: bool) {
        let name = self.name();
        let defined = name.is_some_and(|(name, _)| self.defines.defined(&name).is_some());
        self.open_condition(span, defined == wanted);
    }

    fn if_expression(&mut self, span: Span) {
        let text = self.rest_of_line();
        let value = evaluate(&text, &self.defines);
        if let Err(fault) = &value {
            self.error(span, format!("in this condition: {fault}"));
        }
        self.open_condition(span, value.is_ok_and(|value| value.is_true()));
    }

    fn open_condition(&mut self, span: Span, holds: bool) {
        if !self.conditions.open(span) {
            self.error(span, "too many conditions inside each other");
        }
        if !holds {
            self.skip_inactive();
        }
    }

    /// The end of an active part.
    fn otherwise(&mut self, span: Span) {
        let fault = self.conditions.otherwise(span);
        let usable = !matches!(fault, Err(ConditionFault::NotOpen));
        self.condition_fault(span, fault);
        if usable {
            self.skip_inactive();
        }
    }

    fn condition_fault(&mut self, span: Span, fault: Result<(), ConditionFault>) {
        let error = Diagnostic::error(span, "no condition is open here");
        match fault {
            Ok(()) => {}
            Err(ConditionFault::NotOpen) => self.diagnostics.push(error),
            Err(ConditionFault::SecondElse(first)) => {
                let error = Diagnostic::error(span, "a second `#!else` of one condition");
                self.diagnostics
                    .push(error.note(first, "the first is here"));
            }
        }
    }

    /// Passes over text up to the `#!else` or `#!endif` of the innermost open condition. Nothing in it is read:
    /// quotes need not match.
    fn skip_inactive(&mut self) {
        let mut depth = 0usize;
        loop {
            let start = self.input.here();
            match self.condition_word() {
                Some(("ifdef" | "ifndef" | "ifexp", length)) => {
                    self.input.skip(length);
                    depth += 1;
                }
                Some(("endif", length)) => {
                    self.input.skip(length);
                    if depth == 0 {
                        return self.conditions.close().unwrap_or_default();
                    }
                    depth -= 1;
                }
                Some((_, length)) => {
                    self.input.skip(length);
                    if depth == 0 {
                        let span = self.input.since(start, self.map);
                        let fault = self.conditions.otherwise(span);
                        let first = fault.is_ok();
                        self.condition_fault(span, fault);
                        if first {
                            return;
                        }
                    }
                }
                None => {
                    if self.input.next().is_none() && !self.end_of_file() {
                        return;
                    }
                }
            }
        }
    }

    /// The directive about conditions that begins here, and its length.
    fn condition_word(&self) -> Option<(&'static str, usize)> {
        if !self.input.starts_with(b"#!") && !self.input.starts_with(b"!!") {
            return None;
        }
        let length = self.input.run(2, is_word_byte) + 2;
        let word: Vec<u8> = (2..length).filter_map(|n| self.input.peek(n)).collect();
        let words = ["ifdef", "ifndef", "ifexp", "else", "endif"];
        let word = words.into_iter().find(|w| w.as_bytes() == word)?;
        match word {
            "else" | "endif" => self.line_end(length).map(|end| (word, end)),
            _ => self
                .input
                .peek(length)
                .is_some_and(is_blank)
                .then_some((word, length)),
        }
    }

    /// The offset of the line's end, if only blanks come before it.
    fn line_end(&self, from: usize) -> Option<usize> {
        let end = from + self.input.run(from, is_blank);
        match self.input.peek(end) {
            None | Some(b'\n') => Some(end),
            Some(_) => None,
        }
    }

    fn substitution(&mut self, word: &str, directive: Span) {
        self.input.skip(self.input.run(0, is_blank));
        let start = self.input.here();
        let mut text = Vec::new();
        if self.input.peek(0) != Some(b'"') || !self.quoted_piece(&mut text) {
            let error = Diagnostic::error(directive, "a rule in double quotes is expected");
            return self
                .diagnostics
                .push(error.help("write `#!subst \"/this/that/g\"`"));
        }
        let span = self.input.since(start, self.map);
        let text = self.substitutions.apply(&text);
        let Some(mut written) = Rule::split(&text) else {
            let error = Diagnostic::error(span, "the rule needs three separators");
            return self
                .diagnostics
                .push(error.help("write `\"/this/that/g\"`"));
        };
        written.replacement = evaluate_variables(&written.replacement, &self.defines, self.loader);
        match Rule::compile(&written) {
            Ok(rule) => {
                if !self.substitutions.add(rule) {
                    return self.error(span, "too many substitutions");
                }
            }
            Err(fault) => return self.error(span, format!("in this rule: {fault}")),
        }
        if word != "subst" {
            let name = String::from_utf8_lossy(&written.expression).into_owned();
            if !name.bytes().all(is_word_byte) {
                return self.error(span, format!("`{name}` cannot be the name of a define"));
            }
            let value = quote(written.replacement, word == "substdefs");
            self.set(&name, span, Some(value), Existing::Refuse);
        }
    }
}

fn quote(value: Vec<u8>, quoted: bool) -> Vec<u8> {
    if quoted {
        [b"\"", &value[..], b"\""].concat()
    } else {
        value
    }
}
