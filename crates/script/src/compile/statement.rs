//! Code for statements. Each sets the code that its block has if it is the last one.

use super::Compiler;
use super::fold::constant;
use crate::ast::{Expr, ExprKind, Statement, StatementKind};
use crate::program::{Op, Use};
use crate::value::Value;

impl Compiler<'_> {
    pub(super) fn statements(&mut self, list: &[Statement]) {
        for statement in list {
            self.statement(statement);
        }
    }

    /// Statements of which one sets the code.
    fn body(&mut self, list: &[Statement]) {
        if list
            .iter()
            .all(|statement| matches!(statement.kind, StatementKind::Empty))
        {
            self.emit(Op::Code(1));
        }
        self.statements(list);
    }

    fn statement(&mut self, statement: &Statement) {
        self.span = statement.span;
        match &statement.kind {
            StatementKind::Empty => {}
            StatementKind::Call(call) => {
                self.call(call, statement.span, Use::Statement);
                self.patch_fails();
            }
            StatementKind::Route(name) => {
                self.check(name);
                self.route(name, Use::Statement);
                self.patch_fails();
            }
            StatementKind::Assign(target, value) => self.assign(target, value),
            StatementKind::If {
                condition,
                then,
                otherwise,
            } => {
                self.branch(condition, then, otherwise);
            }
            StatementKind::While { condition, body } => self.repeat(condition, body),
            StatementKind::Switch { value, arms } => self.switch(value, arms, statement.span),
            StatementKind::Return(value) => self.return_from(value.as_ref()),
            StatementKind::Exit(value) => self.stop(value.as_ref(), 1, false),
            StatementKind::Drop(value) => self.stop(value.as_ref(), 0, true),
            StatementKind::Break => self.break_out(),
        }
    }

    fn assign(&mut self, target: &Expr, value: &Expr) {
        self.check(value);
        let target = self.target(target);
        match &value.kind {
            ExprKind::Variable(_) | ExprKind::Select(_) => {
                let source = self.readable(value);
                self.quick_copy(target, source);
                self.emit(Op::SetRead { target, source });
            }
            _ => match constant(value) {
                Some(value) => {
                    let constant = self.constant(value);
                    self.quick_constant(target, constant);
                    self.emit(Op::SetConstant { target, constant });
                }
                None => self.assign_computed(target, value),
            },
        }
        self.patch_fails();
    }

    /// `$x = $y + 1` and the like are one operation.
    fn assign_computed(&mut self, target: u32, value: &Expr) {
        if let ExprKind::Binary(op, left, right) = &value.kind
            && matches!(left.kind, ExprKind::Variable(_) | ExprKind::Select(_))
            && super::expression::is_plain(*op)
            && let Some(right) = constant(right)
        {
            let source = self.readable(left);
            self.quick_sum(*op, target, source, &right);
            let constant = self.constant(right);
            self.emit(Op::SetBinary {
                op: *op,
                target,
                source,
                constant,
            });
            return;
        }
        self.assigned(value);
        self.emit(Op::Set(target));
    }

    fn branch(&mut self, condition: &Expr, then: &[Statement], otherwise: &[Statement]) {
        let not = self.condition(condition);
        let fails = std::mem::take(&mut self.fails);
        self.body(then);
        if otherwise.is_empty() && fails.is_empty() {
            return self.patch(not);
        }
        let end = self.emit(Op::Jump(0));
        self.patch(not);
        self.patch_all(fails);
        self.body(otherwise);
        self.patch(end);
    }

    fn repeat(&mut self, condition: &Expr, body: &[Statement]) {
        self.emit(Op::LoopStart);
        let top = self.here();
        self.breaks.push(Vec::new());
        // The code after a loop is that of its last round, so leaving it must not set one.
        self.check(condition);
        self.expression(condition);
        let not = self.emit(Op::IfFalse(0));
        let fails = std::mem::take(&mut self.fails);
        let over = self.emit(Op::LoopRound(0));
        self.body(body);
        self.emit(Op::Jump(top));
        let breaks = self.breaks.pop().unwrap_or_default();
        self.patch(not);
        self.patch(over);
        self.patch_all(breaks);
        self.patch_all(fails);
        self.emit(Op::LoopEnd);
    }

    fn return_from(&mut self, value: Option<&Expr>) {
        let Some(value) = value else {
            self.emit(Op::ReturnCode(1));
            return;
        };
        self.check(value);
        match constant(value) {
            Some(Value::Int(code)) => {
                self.emit(Op::ReturnCode(code));
            }
            _ => {
                self.expression(value);
                self.emit(Op::Return);
                self.failed_return();
            }
        }
    }

    /// Where a division in the value of `return` gives up: the block is left all the same.
    fn failed_return(&mut self) {
        if !self.fails.is_empty() {
            self.patch_fails();
            self.emit(Op::ReturnCode(-1));
        }
    }

    fn stop(&mut self, value: Option<&Expr>, code: i64, drop: bool) {
        match value {
            Some(value) => {
                self.check(value);
                self.expression(value);
            }
            None => self.push(Value::Int(code)),
        }
        self.emit(Op::Stop { drop });
        if !self.fails.is_empty() {
            self.patch_fails();
            self.push(Value::Int(-1));
            self.emit(Op::Stop { drop });
        }
    }

    fn break_out(&mut self) {
        if self.breaks.is_empty() {
            self.emit(Op::BreakBlock);
            return;
        }
        self.emit(Op::Code(0));
        let jump = self.emit(Op::Jump(0));
        if let Some(innermost) = self.breaks.last_mut() {
            innermost.push(jump);
        }
    }
}
