//! Statements of route blocks, and how reading goes on after a wrong one.

use super::{Parsed, Parser, Reported};
use crate::ast::{Arm, Expr, ExprKind, Label, Statement, StatementKind};
use crate::diagnostic::Diagnostic;
use crate::lexer::TokenKind;
use crate::source::Span;

/// Links of one `else if` chain.
const CHAIN: usize = 500;

/// One link of an `else if` chain.
struct Link {
    condition: Expr,
    then: Vec<Statement>,
    start: Span,
}

impl Parser<'_> {
    /// `{ … }`, at the brace. The error of an unclosed block names its brace.
    pub(super) fn braces(&mut self) -> Parsed<Vec<Statement>> {
        let open = self.span();
        self.advance();
        if self.at_sign("}") {
            let error = Diagnostic::error(open, "this block is empty")
                .help("write `{ ; }` for a block that does nothing");
            self.report(error);
        }
        let body = self.nested(|p| Ok(p.statements()))?;
        if self.accept_sign("}") {
            return Ok(body);
        }
        let found = super::describe(self.token());
        let error = Diagnostic::error(open, "this block is not closed");
        let error = error.note(
            self.span(),
            format!("{found} stands where `}}` is expected"),
        );
        self.fail(error)
    }

    /// Statements up to a `}`, a label, a block's header or the end.
    fn statements(&mut self) -> Vec<Statement> {
        let mut list = Vec::new();
        while !self.at_end_of_statements() {
            let before = self.at;
            match self.statement() {
                Ok(statement) => list.push(statement),
                Err(Reported) => self.recover_statement(before),
            }
        }
        list
    }

    fn at_end_of_statements(&self) -> bool {
        match self.kind() {
            TokenKind::End | TokenKind::Sign("}") => true,
            TokenKind::Word(word) => is_label(word) || self.at_block_header(),
            _ => false,
        }
    }

    /// To the statement behind the wrong one. What begins a line after a missing `;` is read as a statement.
    fn recover_statement(&mut self, began: usize) {
        let mut depth = 0usize;
        if self.at > began
            && self.begins_line(self.at)
            && matches!(self.kind(), TokenKind::Word(_) | TokenKind::Variable(_))
        {
            return;
        }
        loop {
            match self.kind() {
                TokenKind::End => return,
                TokenKind::Sign(";") if depth == 0 => return self.advance(),
                TokenKind::Sign("{") => depth += 1,
                TokenKind::Sign("}") if depth == 0 => return,
                TokenKind::Sign("}") => {
                    depth -= 1;
                    if depth == 0 {
                        return self.advance();
                    }
                }
                _ if self.at_block_header() => return,
                _ => {}
            }
            self.advance();
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let start = self.span();
        let kind = match self.kind().clone() {
            TokenKind::Sign(";") => {
                self.advance();
                StatementKind::Empty
            }
            TokenKind::Sign("{") => {
                let error = Diagnostic::error(start, "a block cannot be a statement of its own")
                    .help("it belongs to `if`, `else`, `while` or a route");
                self.report(error);
                self.failed_at = Some(self.at);
                self.braces()?;
                StatementKind::Empty
            }
            TokenKind::Word(word) => return self.word_statement(&word),
            TokenKind::Variable(text) => self.assignment(text)?,
            TokenKind::Select(_) => {
                let error = Diagnostic::error(start, "a select can only be read")
                    .help("assign to the variable that shows the same value");
                return self.fail(error);
            }
            _ => return self.expected("a statement"),
        };
        Ok(Statement {
            kind,
            span: self.since(start),
        })
    }

    fn word_statement(&mut self, word: &str) -> Parsed<Statement> {
        let start = self.span();
        let kind = match word {
            "if" => return self.if_chain(),
            "while" => self.while_loop()?,
            "switch" => self.switch()?,
            "return" | "exit" | "drop" => self.ending(word)?,
            "break" => {
                self.advance();
                self.end_of_statement()?;
                StatementKind::Break
            }
            "else" => {
                let error = Diagnostic::error(start, "this `else` has no `if`")
                    .help("between `if (…) …;` and `else` there may be one statement or one block");
                return self.fail(error);
            }
            "route" => {
                let name = self.route_call()?;
                self.end_of_statement()?;
                StatementKind::Route(name)
            }
            "selval" | "strlen" | "strempty" | "defined" | "not" => {
                let error = Diagnostic::error(start, format!("`{word}` begins no statement"));
                return self.fail(error.help("it can be a part of an expression"));
            }
            _ if self.sign_ahead(1, "=") => {
                let error = Diagnostic::error(start, format!("`{word}` is no variable"))
                    .help("variables begin with `$`; settings stand outside of blocks");
                return self.fail(error);
            }
            _ => {
                let call = self.call()?;
                self.end_of_statement()?;
                StatementKind::Call(call)
            }
        };
        Ok(Statement {
            kind,
            span: self.since(start),
        })
    }

    fn end_of_statement(&mut self) -> Parsed<()> {
        self.expect_sign(";", "after the statement")
    }

    fn assignment(&mut self, text: String) -> Parsed<StatementKind> {
        let target = Expr {
            kind: ExprKind::Variable(text),
            span: self.span(),
        };
        self.advance();
        if !self.at_sign("=") {
            if let TokenKind::Sign(sign @ ("+" | "-" | "*" | "/")) = self.kind()
                && self.sign_ahead(1, "=")
            {
                let error =
                    Diagnostic::error(self.span(), format!("there is no operator `{sign}=`"));
                let name = String::from_utf8_lossy(self.map.text(target.span));
                let help = format!("write `{name} = {name} {sign} …`");
                return self.fail(error.help(help));
            }
            return self.expected("`=` after the variable");
        }
        self.advance();
        let value = self.expression()?;
        self.end_of_statement()?;
        Ok(StatementKind::Assign(target, value))
    }

    /// `return`, `exit` and `drop`, with or without a value.
    fn ending(&mut self, word: &str) -> Parsed<StatementKind> {
        self.advance();
        let empty = self.at_sign("(") && self.sign_ahead(1, ")");
        if empty {
            self.at += 1;
            self.advance();
        }
        let ended = empty || self.at_sign(";") || self.at_sign("}");
        let value = if ended {
            None
        } else {
            Some(self.expression()?)
        };
        self.end_of_statement()?;
        Ok(match word {
            "return" => StatementKind::Return(value),
            "exit" => StatementKind::Exit(value),
            _ => StatementKind::Drop(value),
        })
    }

    /// A whole `if … else if … else …`.
    fn if_chain(&mut self) -> Parsed<Statement> {
        let mut links = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let start = self.span();
            self.advance();
            let condition = self.condition()?;
            let then = self.body()?;
            links.push(Link {
                condition,
                then,
                start,
            });
            if links.len() > CHAIN {
                let fault = format!("more than {CHAIN} times `else if` in a row");
                return self.fail(Diagnostic::error(start, fault));
            }
            if !self.accept_word("else") {
                break;
            }
            if !self.at_word("if") {
                otherwise = self.body()?;
                break;
            }
        }
        for Link {
            condition,
            then,
            start,
        } in links.into_iter().rev()
        {
            let kind = StatementKind::If {
                condition,
                then,
                otherwise,
            };
            otherwise = vec![Statement {
                kind,
                span: self.since(start),
            }];
        }
        otherwise.pop().ok_or(Reported)
    }

    fn while_loop(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let condition = self.condition()?;
        let body = self.body()?;
        Ok(StatementKind::While { condition, body })
    }

    /// A condition. After a wrong one the body is read all the same, for its errors.
    fn condition(&mut self) -> Parsed<Expr> {
        let start = self.span();
        match self.expression() {
            Ok(condition) => {
                self.warn_of_assignment(&condition);
                Ok(condition)
            }
            Err(Reported) => {
                while !matches!(
                    self.kind(),
                    TokenKind::Sign("{" | ";" | "}") | TokenKind::End
                ) {
                    self.advance();
                }
                if !self.at_sign("{") {
                    return Err(Reported);
                }
                Ok(Expr {
                    kind: ExprKind::Int(1),
                    span: start,
                })
            }
        }
    }

    fn warn_of_assignment(&mut self, condition: &Expr) {
        let doubled = self.map.text(condition.span).starts_with(b"((");
        if matches!(condition.kind, ExprKind::Assign(..)) && !doubled {
            let warning = Diagnostic::warning(condition.span, "this assigns, it does not compare");
            self.report(
                warning.help("compare with `==`, or put it into a second pair of parentheses"),
            );
        }
    }

    /// A block, or one statement.
    fn body(&mut self) -> Parsed<Vec<Statement>> {
        if self.at_sign("{") {
            return self.braces();
        }
        self.nested(|p| p.statement().map(|statement| vec![statement]))
    }

    fn switch(&mut self) -> Parsed<StatementKind> {
        self.advance();
        let value = self.condition()?;
        let open = self.span();
        self.expect_sign("{", "after the value of the switch")?;
        let mut arms = Vec::new();
        while !self.at_sign("}") {
            if matches!(self.kind(), TokenKind::End) || self.at_block_header() {
                return self.fail(Diagnostic::error(open, "this switch is not closed"));
            }
            let before = self.at;
            match self.nested(Self::arm) {
                Ok(arm) => arms.push(arm),
                Err(Reported) => self.recover_arm(before),
            }
        }
        self.advance();
        Ok(StatementKind::Switch { value, arms })
    }

    /// To the next label or the end of the switch.
    fn recover_arm(&mut self, began: usize) {
        let mut depth = 0usize;
        if self.at == began && self.word().is_some_and(is_label) {
            self.advance();
        }
        loop {
            match self.kind() {
                TokenKind::End => return,
                TokenKind::Sign("}") if depth == 0 => return,
                TokenKind::Sign("{") => depth += 1,
                TokenKind::Sign("}") => depth -= 1,
                TokenKind::Word(word) if depth == 0 && is_label(word) => return,
                _ if self.at_block_header() => return,
                _ => {}
            }
            self.advance();
        }
    }

    fn arm(&mut self) -> Parsed<Arm> {
        let start = self.span();
        let label = if self.accept_word("default") {
            Label::Default
        } else if self.accept_word("case") {
            if self.accept_sign("/") {
                Label::Regex(self.string("an expression in quotes after `/`")?)
            } else {
                Label::Value(self.expression()?)
            }
        } else {
            return self.expected("`case` or `default`");
        };
        self.expect_sign(":", "after the label")?;
        let span = self.since(start);
        let mut body = if self.at_sign("{") {
            self.braces()?
        } else {
            Vec::new()
        };
        body.extend(self.statements());
        Ok(Arm { label, body, span })
    }
}

fn is_label(word: &str) -> bool {
    matches!(word, "case" | "default")
}
