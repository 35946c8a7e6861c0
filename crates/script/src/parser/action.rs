//! Core actions: functions of the language itself, some of which take bare words.

use std::cell::Cell;

use super::{Parsed, Parser};
use crate::ast::{Call, Expr, ExprKind, Name};
use crate::diagnostic::Diagnostic;
use crate::lexer::TokenKind;
use crate::suggest::nearest;

/// Message flags are numbered from 0 to this.
pub(super) const LAST_FLAG: u8 = 31;

/// Actions that may be written without parentheses.
const BARE: &[&str] = &[
    "revert_uri",
    "userphone",
    "clear_branches",
    "force_rport",
    "add_local_rport",
    "force_tcp_alias",
    "set_forward_no_connect",
    "set_reply_no_connect",
    "set_forward_close",
    "set_reply_close",
];

impl Parser<'_> {
    /// A core action, at its name.
    pub(super) fn action(&mut self, name: Name) -> Parsed<Call> {
        self.advance();
        if !self.at_sign("(") && BARE.contains(&name.text.as_str()) {
            return Ok(Call {
                name,
                args: Vec::new(),
            });
        }
        let args = match name.text.as_str() {
            "setflag" | "resetflag" | "isflagset" => self.arguments(Self::flag)?,
            "setavpflag" | "resetavpflag" | "isavpflagset" => self.avp_and_flag()?,
            _ => self.arguments(Self::bare_argument)?,
        };
        Ok(Call { name, args })
    }

    fn avp_and_flag(&mut self) -> Parsed<Vec<Expr>> {
        let is_first = Cell::new(true);
        self.arguments(|parser| match is_first.replace(false) {
            true => parser.avp_name(),
            false => parser.avp_flag(),
        })
    }

    /// A flag's number or name.
    fn flag(&mut self) -> Parsed<Expr> {
        let span = self.span();
        let number = match self.kind().clone() {
            TokenKind::Int(number) => match u8::try_from(number) {
                Ok(number) if number <= LAST_FLAG => number,
                _ => {
                    let fault = format!("message flags are numbered from 0 to {LAST_FLAG}");
                    return self.fail(Diagnostic::error(span, fault));
                }
            },
            TokenKind::Word(word) => self.flag_named(&word)?,
            TokenKind::Str { bytes, .. } => self.flag_named(&String::from_utf8_lossy(&bytes))?,
            _ => return self.expected("a flag's number or name"),
        };
        self.advance();
        Ok(Expr {
            kind: ExprKind::Int(i64::from(number)),
            span,
        })
    }

    fn flag_named(&mut self, name: &str) -> Parsed<u8> {
        let flags = &self.config.flags;
        if let Some(flag) = flags.iter().find(|flag| flag.name.text == name) {
            return Ok(flag.number);
        }
        let close = nearest(name, flags.iter().map(|flag| flag.name.text.as_str()));
        let error = Diagnostic::error(self.span(), format!("no flag is named `{name}`"));
        let error = match close {
            Some(_) => error.suggest(close),
            None => error.help(format!("declare it before this: `flags {name}`")),
        };
        self.fail(error)
    }

    /// An expression, or words, addresses and ports as they are: `udp:10.0.0.1:5060`, `uri:host`.
    fn bare_argument(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let length = self.bare_length();
        if length == 0 {
            return self.expression();
        }
        let mut bytes = Vec::new();
        for _ in 0..length {
            self.push_text(&mut bytes);
        }
        Ok(Expr {
            kind: ExprKind::Str(bytes.into()),
            span: self.since(start),
        })
    }

    /// How many tokens up to the next `,` or `)` are bare text; 0 if they are an expression.
    fn bare_length(&self) -> usize {
        let bare = match &self.kind() {
            TokenKind::Word(_) => !self.sign_ahead(1, "("),
            TokenKind::Int(_) => self.sign_ahead(1, "."),
            TokenKind::Ip6(_) => true,
            TokenKind::Sign(sign) => *sign == "[",
            _ => false,
        };
        if !bare {
            return 0;
        }
        let part = |n: usize| {
            let token = self.ahead(n);
            let text = matches!(
                token.kind,
                TokenKind::Word(_)
                    | TokenKind::Int(_)
                    | TokenKind::Ip6(_)
                    | TokenKind::Sign("." | "-" | ":" | "[" | "]")
            );
            text && (n == 0 || !token.spaced)
        };
        (0..).find(|n| !part(*n)).unwrap_or(0)
    }
}
