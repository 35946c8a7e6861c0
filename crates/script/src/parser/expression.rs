//! Expressions, by the precedence of their operators.

use super::{Parsed, Parser, keywords};
use crate::ast::{BinaryOp, Call, Expr, ExprKind, Name, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::lexer::TokenKind;
use crate::source::Span;

/// Operators in one row, `a + b + c …`.
const ROW: usize = 500;

const INSIDE: (&str, &str) = (
    "an index or a transformation must be inside the variable",
    "write `$(name(x)[0]{s.len})`",
);

/// A binary operator and how tightly it binds.
pub(super) fn binary_operator(kind: &TokenKind) -> Option<(BinaryOp, u8)> {
    let text = match kind {
        TokenKind::Sign(sign) => sign,
        TokenKind::Word(word) => word.as_str(),
        _ => return None,
    };
    Some(match text {
        "||" | "or" => (BinaryOp::Or, 2),
        "&&" | "and" => (BinaryOp::And, 3),
        "|" => (BinaryOp::BitOr, 4),
        "&" => (BinaryOp::BitAnd, 5),
        "^" => (BinaryOp::BitXor, 6),
        "<<" => (BinaryOp::ShiftLeft, 7),
        ">>" => (BinaryOp::ShiftRight, 8),
        "==" => (BinaryOp::Equal, 9),
        "!=" => (BinaryOp::NotEqual, 9),
        "=~" => (BinaryOp::Match, 9),
        "eq" => (BinaryOp::StrEqual, 9),
        "ne" => (BinaryOp::StrNotEqual, 9),
        "ieq" => (BinaryOp::IntEqual, 9),
        "ine" => (BinaryOp::IntNotEqual, 9),
        "<" => (BinaryOp::Less, 10),
        ">" => (BinaryOp::Greater, 10),
        "<=" => (BinaryOp::LessEqual, 10),
        ">=" => (BinaryOp::GreaterEqual, 10),
        "+" => (BinaryOp::Add, 11),
        "-" => (BinaryOp::Subtract, 11),
        "*" => (BinaryOp::Multiply, 12),
        "/" => (BinaryOp::Divide, 12),
        "mod" => (BinaryOp::Modulo, 12),
        _ => return None,
    })
}

impl Parser<'_> {
    /// A whole expression.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.binary(2)
    }

    /// Binary operators that bind at least as tightly as `level`.
    pub(super) fn binary(&mut self, level: u8) -> Parsed<Expr> {
        let mut left = self.unary()?;
        let mut operators = 0;
        while let Some((op, binds)) = binary_operator(self.kind()).filter(|(_, b)| *b >= level) {
            operators += 1;
            if operators > ROW {
                let fault = format!("more than {ROW} operators in a row");
                let error = Diagnostic::error(self.span(), fault);
                return self.fail(error);
            }
            self.advance();
            let right = self.nested(|p| p.binary(binds + 1))?;
            let span = left.span.to(right.span, self.map);
            let kind = ExprKind::Binary(op, Box::new(left), Box::new(right));
            left = Expr { kind, span };
        }
        self.no_such_operator()?;
        Ok(left)
    }

    /// Explains operators that other languages have.
    fn no_such_operator(&mut self) -> Parsed<()> {
        let (message, help) = match self.kind() {
            TokenKind::Sign("%") => ("there is no operator `%`", "the remainder is written `mod`"),
            TokenKind::Sign("?") => (
                "there is no operator `? :`",
                "write `selval(condition, this, that)`",
            ),
            TokenKind::Sign(".") if !self.begins_line(self.at) => {
                ("there is no operator `.`", "strings are joined by `+`")
            }
            TokenKind::Sign("!") if self.sign_ahead(1, "~") => {
                ("there is no operator `!~`", "write `!(text =~ expression)`")
            }
            TokenKind::Sign("[") if self.behind_variable() => INSIDE,
            TokenKind::Sign("{") if self.behind_variable() && self.sign_ahead(2, ".") => INSIDE,

            _ => return Ok(()),
        };
        let error = Diagnostic::error(self.span(), message).help(help);
        self.fail(error)
    }

    /// Whether a `{` or `[` touches a variable.
    fn behind_variable(&self) -> bool {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let touches = last.is_some_and(|t| matches!(t.kind, TokenKind::Variable(_)));
        touches && !self.token().spaced
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let op = match self.kind() {
            TokenKind::Sign("!") => UnaryOp::Not,
            TokenKind::Word(word) if word == "not" => UnaryOp::Not,
            TokenKind::Sign("-") => UnaryOp::Negate,
            TokenKind::Sign("~") => UnaryOp::Complement,
            _ => return self.tight(),
        };
        self.prefixed(op, 1, Self::unary)
    }

    /// `defined`, `(int)` and `(str)` bind more tightly than signs.
    fn tight(&mut self) -> Parsed<Expr> {
        if self.at_word("defined") {
            return self.prefixed(UnaryOp::Defined, 1, Self::tight);
        }
        if self.at_sign("(") && self.sign_ahead(2, ")") {
            match super::word_of(self.ahead(1)) {
                Some("int") => return self.prefixed(UnaryOp::ToInt, 3, Self::tight),
                Some("str") => return self.prefixed(UnaryOp::ToStr, 3, Self::tight),
                _ => {}
            }
        }
        self.primary()
    }

    fn prefixed(
        &mut self,
        op: UnaryOp,
        tokens: usize,
        operand: fn(&mut Self) -> Parsed<Expr>,
    ) -> Parsed<Expr> {
        let start = self.span();
        for _ in 0..tokens {
            self.advance();
        }
        let operand = self.nested(operand)?;
        Ok(Expr {
            kind: ExprKind::Unary(op, Box::new(operand)),
            span: self.since(start),
        })
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let span = self.span();
        let kind = match self.kind().clone() {
            TokenKind::Int(value) => ExprKind::Int(value),
            TokenKind::Str { bytes, .. } => ExprKind::Str(bytes),
            TokenKind::Variable(text) => ExprKind::Variable(text),
            TokenKind::Select(text) => ExprKind::Select(text),
            TokenKind::Sign("(") => return self.nested(Self::parenthesised),
            TokenKind::Word(word) => return self.word_operand(&word),
            _ => return self.expected("an expression"),
        };
        self.advance();
        Ok(Expr { kind, span })
    }

    /// `( … )`; an assignment is an expression in here only.
    fn parenthesised(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.advance();
        let mut inner = self.expression()?;
        if self.at_sign("=") && matches!(inner.kind, ExprKind::Variable(_)) {
            self.advance();
            let value = self.expression()?;
            inner.kind = ExprKind::Assign(Box::new(inner.clone()), Box::new(value));
        }
        self.expect_sign(")", "to close the parenthesis")?;
        inner.span = self.since(start);
        Ok(inner)
    }

    fn word_operand(&mut self, word: &str) -> Parsed<Expr> {
        let span = self.span();
        if let Some(value) = keywords::boolean(word) {
            self.advance();
            return Ok(Expr {
                kind: ExprKind::Int(i64::from(value)),
                span,
            });
        }
        match word {
            "strlen" => return self.prefixed(UnaryOp::Strlen, 1, Self::in_parentheses),
            "strempty" => return self.prefixed(UnaryOp::Strempty, 1, Self::in_parentheses),
            "selval" => return self.selval(),
            "route" => {
                let name = self.route_call()?;
                let kind = ExprKind::Route(Box::new(name));
                return Ok(Expr {
                    kind,
                    span: self.since(span),
                });
            }
            _ => {}
        }
        if self.at_operand() {
            return self.operand_test();
        }
        let call = self.call()?;
        Ok(Expr {
            kind: ExprKind::Call(call),
            span: self.since(span),
        })
    }

    fn in_parentheses(&mut self) -> Parsed<Expr> {
        if !self.at_sign("(") {
            return self.expected("`(`");
        }
        self.parenthesised()
    }

    fn selval(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.advance();
        self.expect_sign("(", "after `selval`")?;
        let condition = self.nested(Self::expression)?;
        self.expect_sign(",", "after the condition")?;
        let yes = self.nested(Self::expression)?;
        self.expect_sign(",", "after the second of three values")?;
        let no = self.nested(Self::expression)?;
        self.expect_sign(")", "after the third value")?;
        let kind = ExprKind::Selval(Box::new([condition, yes, no]));
        Ok(Expr {
            kind,
            span: self.since(start),
        })
    }

    /// `route(NAME)`, `route("name")`, `route(expression)`; yields the name.
    pub(super) fn route_call(&mut self) -> Parsed<Expr> {
        self.advance();
        self.expect_sign("(", "after `route`")?;
        let span = self.span();
        let name = match self.kind() {
            TokenKind::Word(word) if !self.sign_ahead(1, "(") => {
                let kind = ExprKind::Str(word.as_bytes().into());
                self.advance();
                Expr { kind, span }
            }
            TokenKind::Sign(")") => return self.expected("the name of a route"),
            _ => self.nested(Self::expression)?,
        };
        self.expect_sign(")", "after the name of the route")?;
        Ok(name)
    }

    /// `f(…)`, or a core action without parentheses.
    pub(super) fn call(&mut self) -> Parsed<Call> {
        let Some(word) = self.word().map(str::to_owned) else {
            return self.expected("the name of a function");
        };
        let span = self.span();
        if let Some(name) = keywords::action(&word) {
            let name = Name {
                text: name.to_owned(),
                span,
            };
            return self.action(name);
        }
        if !self.sign_ahead(1, "(") {
            return self.bare_word(&word, span);
        }
        self.advance();
        let args = self.arguments(Self::expression)?;
        Ok(Call {
            name: Name { text: word, span },
            args,
        })
    }

    fn bare_word<T>(&mut self, word: &str, span: Span) -> Parsed<T> {
        let message = format!("`{word}` is neither in quotes nor called");
        let help = format!("a function is called `{word}()`, a text is written `\"{word}\"`");
        self.fail(Diagnostic::error(span, message).help(help))
    }

    /// `( … , … )`, each read by `read`.
    pub(super) fn arguments(
        &mut self,
        read: impl Fn(&mut Self) -> Parsed<Expr>,
    ) -> Parsed<Vec<Expr>> {
        self.expect_sign("(", "before the arguments")?;
        let mut args = Vec::new();
        if self.accept_sign(")") {
            return Ok(args);
        }
        loop {
            args.push(self.nested(&read)?);
            if self.accept_sign(")") {
                return Ok(args);
            }
            if !self.accept_sign(",") {
                return self.expected("`,` or `)` after the argument");
            }
        }
    }
}
