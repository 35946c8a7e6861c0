//! Numbers, addresses, variables, selects and operators.

use std::net::Ipv6Addr;

use super::{Lexer, TokenKind, is_word_byte};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// The longest variable, in bytes; Kamailio stops at a line end.
const VARIABLE: usize = 8192;

/// Operators, the longer before their beginnings.
const SIGNS: &[&str] = &[
    "==", "!=", "=~", "=>", "<=", ">=", "<<", ">>", "&&", "||", "=", "<", ">", "!", "~", "+", "-",
    "*", "/", "|", "&", "^", "(", ")", "[", "]", "{", "}", ";", ",", ":", ".", "%", "?",
];

impl Lexer<'_> {
    /// An IPv6 address without brackets: seven colons, or a double one.
    pub(super) fn address(&mut self, start: Span) -> bool {
        if !self
            .input
            .peek(0)
            .is_some_and(|c| c == b':' || c.is_ascii_hexdigit())
        {
            return false;
        }
        let plain = self.input.run(0, |c| c == b':' || c.is_ascii_hexdigit());
        let dotted = self
            .input
            .run(0, |c| matches!(c, b':' | b'.') || c.is_ascii_hexdigit());
        for length in [dotted, plain] {
            let bytes: Vec<u8> = (0..length).filter_map(|n| self.input.peek(n)).collect();
            let address = std::str::from_utf8(&bytes)
                .ok()
                .and_then(|t| t.parse::<Ipv6Addr>().ok());
            let ends = !self.input.peek(length).is_some_and(is_word_byte);
            if let (Some(address), true) = (address, ends) {
                self.input.skip(length);
                self.emit(TokenKind::Ip6(address), start);
                return true;
            }
        }
        false
    }

    /// Decimal, octal (`010`), hexadecimal (`0x10`) and binary (`10b`) numbers.
    pub(super) fn number(&mut self, start: Span) {
        let hex = self.input.run(2, |c| c.is_ascii_hexdigit());
        let binary = self.input.run(0, |c| matches!(c, b'0' | b'1'));
        let (prefix, digits, suffix, radix) = if self.input.starts_with(b"0x") && hex > 0 {
            (2, hex, 0, 16)
        } else if binary > 0
            && self.input.peek(binary) == Some(b'b')
            && !self.input.peek(binary + 1).is_some_and(is_word_byte)
        {
            (0, binary, 1, 2)
        } else {
            let digits = self.input.run(0, |c| c.is_ascii_digit());
            let octal = digits > 1 && self.input.peek(0) == Some(b'0');
            (0, digits, 0, if octal { 8 } else { 10 })
        };
        self.input.skip(prefix);
        let text = String::from_utf8_lossy(&self.input.take(digits)).into_owned();
        self.input.skip(suffix);
        let Ok(value) = i64::from_str_radix(&text, radix) else {
            let span = self.input.since(start, self.map);
            let octal = radix == 8 && text.bytes().any(|c| c > b'7');
            let error = if octal {
                Diagnostic::error(span, "a number that begins with 0 is octal")
                    .label("8 and 9 are no octal digits")
            } else {
                Diagnostic::error(span, "the number does not fit into 64 bits")
            };
            self.diagnostics.push(error);
            return self.emit(TokenKind::Bad, start);
        };
        self.emit(TokenKind::Int(value), start);
    }

    /// `$id`, `$id(inner)`, `$(inner)`, `$?`.
    pub(super) fn variable(&mut self, start: Span) {
        let name = match self.input.peek(1) {
            Some(b'?') => 1,
            _ => self.input.run(1, |c| is_word_byte(c) || c == b'.'),
        };
        let mut text = self.input.take(1 + name);
        let parenthesis = self.input.peek(0) == Some(b'(') && text != b"$?";
        let closed = !parenthesis || self.parenthesised(&mut text);
        let span = self.input.since(start, self.map);
        if text.len() == 1 {
            self.error(span, "a variable's name is expected behind `$`");
            return self.emit(TokenKind::Bad, start);
        }
        if !closed {
            let error = Diagnostic::error(span, "this variable's parenthesis is not closed")
                .help("a variable ends on the line on which it begins");
            self.diagnostics.push(error);
            return self.emit(TokenKind::Bad, start);
        }
        match String::from_utf8(self.substitutions.apply(&text)) {
            Ok(text) => self.emit(TokenKind::Variable(text), start),
            Err(_) => {
                self.error(span, "a variable must be written in UTF-8");
                self.emit(TokenKind::Bad, start);
            }
        }
    }

    /// Takes `(…)` with balanced parentheses; false at the end of the line.
    fn parenthesised(&mut self, text: &mut Vec<u8>) -> bool {
        let mut depth = 0usize;
        while text.len() < VARIABLE {
            match self.input.peek(0) {
                None | Some(b'\n') => return false,
                Some(c) => {
                    self.input.skip(1);
                    text.push(c);
                    depth += usize::from(c == b'(');
                    depth -= usize::from(c == b')');
                    if depth == 0 {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// `@name.name[1].name["key"]`.
    pub(super) fn select(&mut self, start: Span) {
        self.input.skip(1);
        let mut text = Vec::new();
        let mut expects_name = true;
        loop {
            let name = self.input.run(0, is_word_byte);
            match self.input.peek(0) {
                _ if expects_name && name > 0 => {
                    text.extend(self.input.take(name));
                    expects_name = false;
                }
                Some(b'.') if !expects_name => {
                    text.extend(self.input.take(1));
                    expects_name = true;
                }
                Some(b'[') if !expects_name => {
                    let index = self.input.run(0, |c| c != b']' && c != b'\n') + 1;
                    text.extend(self.input.take(index));
                }
                _ => break,
            }
        }
        match String::from_utf8(text) {
            Ok(text) if !expects_name => self.emit(TokenKind::Select(text), start),
            _ => {
                let span = self.input.since(start, self.map);
                self.error(span, "a select is written `@name.name`");
                self.emit(TokenKind::Bad, start);
            }
        }
    }

    pub(super) fn sign(&mut self, start: Span) {
        let sign = SIGNS
            .iter()
            .find(|sign| self.input.starts_with(sign.as_bytes()));
        if let Some(sign) = sign {
            self.input.skip(sign.len());
            return self.emit(TokenKind::Sign(sign), start);
        }
        let c = self.input.peek(0).unwrap_or_default();
        self.input.skip(1);
        while self.input.peek(0).is_some_and(|c| !c.is_ascii()) {
            self.input.skip(1);
        }
        let span = self.input.since(start, self.map);
        let message = if c.is_ascii_graphic() {
            format!("`{}` has no meaning here", char::from(c))
        } else {
            "this character has no meaning outside of strings".to_owned()
        };
        self.error(span, message);
        self.emit(TokenKind::Bad, start);
    }
}
