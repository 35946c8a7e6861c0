//! The types of expressions, as far as they are known at load, and the mixtures that are refused.

use super::Compiler;
use crate::ast::{BinaryOp, Expr, ExprKind, Operand, UnaryOp};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// What an expression yields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Int,
    Str,
    /// Known at run time.
    Any,
}

impl Compiler<'_> {
    /// Checks an expression and all parts of it.
    pub(super) fn check(&mut self, expr: &Expr) -> Type {
        match &expr.kind {
            ExprKind::Int(_) | ExprKind::Family(_) => Type::Int,
            ExprKind::Str(_) | ExprKind::Network(_) | ExprKind::Protocol(_) => Type::Str,
            ExprKind::Variable(_) | ExprKind::Select(_) | ExprKind::Myself => Type::Any,
            ExprKind::Operand(operand) => operand_type(*operand),
            ExprKind::Unary(op, inner) => self.check_unary(*op, inner),
            ExprKind::Binary(op, left, right) => self.check_binary(*op, left, right),
            ExprKind::Assign(_, value) => {
                self.check(value);
                Type::Int
            }
            // Arguments are checked against the function's parameters.
            ExprKind::Call(_) => Type::Int,
            ExprKind::Route(name) => {
                self.check(name);
                Type::Int
            }
            ExprKind::Selval(parts) => {
                let [condition, yes, no] = &**parts;
                self.check(condition);
                let (yes, no) = (self.check(yes), self.check(no));
                if yes == no { yes } else { Type::Any }
            }
        }
    }

    fn check_unary(&mut self, op: UnaryOp, inner: &Expr) -> Type {
        let found = self.check(inner);
        match op {
            UnaryOp::Not | UnaryOp::Negate | UnaryOp::Complement => {
                self.want_int(found, inner.span);
            }
            UnaryOp::Strlen | UnaryOp::Strempty => self.want_str(found, inner.span),
            UnaryOp::Defined | UnaryOp::ToInt => {}
            UnaryOp::ToStr => return Type::Str,
        }
        Type::Int
    }

    fn check_binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Type {
        let (a, b) = (self.check(left), self.check(right));
        let core = matches!(left.kind, ExprKind::Operand(_));
        match op {
            BinaryOp::Add => {
                if a == Type::Int && b == Type::Str {
                    self.mixture(right.span, "a number and a string are added");
                }
                return a;
            }
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Match
            | BinaryOp::StrEqual
            | BinaryOp::StrNotEqual => {
                if a == Type::Int && b == Type::Str && !core {
                    self.mixture(right.span, "a number is compared with a string");
                }
            }
            _ => {
                self.want_int(a, left.span);
                self.want_int(b, right.span);
            }
        }
        Type::Int
    }

    fn mixture(&mut self, span: Span, message: &str) {
        let help = "convert one side with `(int)` or `(str)`";
        self.diagnostics
            .push(Diagnostic::error(span, message).help(help));
    }

    fn want_int(&mut self, found: Type, span: Span) {
        if found == Type::Str {
            self.mixture(span, "a number is needed, this is a string");
        }
    }

    fn want_str(&mut self, found: Type, span: Span) {
        if found == Type::Int {
            self.mixture(span, "a string is needed, this is a number");
        }
    }
}

const fn operand_type(operand: Operand) -> Type {
    match operand {
        Operand::SrcPort
        | Operand::DstPort
        | Operand::SndPort
        | Operand::ToPort
        | Operand::MsgLen
        | Operand::Af
        | Operand::SndAf => Type::Int,
        _ => Type::Str,
    }
}
