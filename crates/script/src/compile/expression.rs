//! Code for expressions: each leaves one value on the stack.

use super::fold::{constant, constant_int};
use super::{Compiler, is_null};
use crate::ast::{BinaryOp, Call, Expr, ExprKind, UnaryOp};
use crate::catalog::{BlockKind, Resolved};
use crate::diagnostic::Diagnostic;
use crate::ere::{Ere, Flags};
use crate::program::{Key, Op, Test, Use};
use crate::source::Span;
use crate::value::{Str, Value};
use crate::variable::Variable;

impl Compiler<'_> {
    /// Leaves the value of a checked expression on the stack.
    pub(super) fn expression(&mut self, expr: &Expr) {
        if let Some(value) = constant(expr) {
            return self.push(value);
        }
        match &expr.kind {
            ExprKind::Int(number) => self.push(Value::Int(*number)),
            ExprKind::Str(text) => self.push(Value::Str(Str::new(text))),
            ExprKind::Variable(_) | ExprKind::Select(_) | ExprKind::Operand(_) => {
                let variable = self.readable(expr);
                self.emit(Op::Read(variable));
            }
            ExprKind::Myself => {
                self.error(
                    expr.span,
                    "`myself` can only be compared with an address or a URI",
                );
            }
            ExprKind::Network(network) => self.push(network.address.to_string().as_str().into()),
            ExprKind::Protocol(protocol) => self.push(protocol.name().into()),
            ExprKind::Family(family) => self.push(Value::Int(i64::from(*family))),
            ExprKind::Unary(op, inner) => self.unary(*op, inner),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ExprKind::Assign(target, value) => {
                self.assigned(value);
                let target = self.target(target);
                self.emit(Op::SetTruth(target));
            }
            ExprKind::Call(call) => self.call(call, expr.span, Use::Truth),
            ExprKind::Route(name) => self.route(name, Use::Truth),
            ExprKind::Selval(parts) => {
                let [condition, yes, no] = &**parts;
                self.expression(condition);
                let other = self.emit(Op::IfFalse(0));
                self.expression(yes);
                let end = self.emit(Op::Jump(0));
                self.patch(other);
                self.expression(no);
                self.patch(end);
            }
        }
    }

    /// Leaves what an assignment stores: a call's code as it is, else the expression's value.
    pub(super) fn assigned(&mut self, value: &Expr) {
        let value = without_neutral(value);
        match &value.kind {
            ExprKind::Call(call) => self.call(call, value.span, Use::Code),
            ExprKind::Route(name) => self.route(name, Use::Code),
            _ => self.expression(value),
        }
    }

    /// The variable that a name, a select or a core operand stands for.
    pub(super) fn readable(&mut self, expr: &Expr) -> u32 {
        match &expr.kind {
            ExprKind::Variable(text) => self.variable(text, expr.span),
            ExprKind::Select(path) => {
                let resolved = self.catalog.variable("sel", Some(path));
                let missing = format!("unknown select `@{path}`");
                self.resolved(
                    resolved.ok(),
                    &format!("@{path}"),
                    path,
                    &missing,
                    expr.span,
                )
            }
            ExprKind::Operand(operand) => {
                let name = super::operand::name(*operand);
                let resolved = self.catalog.variable(name, None);
                let missing = format!("`{}` is not known here", &name[1..]);
                self.resolved(resolved.ok(), name, "", &missing, expr.span)
            }
            _ => u32::MAX,
        }
    }

    fn resolved(
        &mut self,
        resolved: Option<Resolved>,
        text: &str,
        inner: &str,
        missing: &str,
        span: Span,
    ) -> u32 {
        if let Some(known) = self.variables.get(text) {
            return *known;
        }
        let Some(resolved) = resolved else {
            self.error(span, missing);
            return u32::MAX;
        };
        let key = match resolved.key {
            crate::catalog::KeySpec::None => Key::None,
            crate::catalog::KeySpec::Attr(number) => Key::Attr(number),
            crate::catalog::KeySpec::Format => Key::Name(inner.into()),
        };
        let number = self.add_variable(Variable::of_host(resolved.id, key, text));
        self.variables.insert(text.to_owned(), number);
        number
    }

    /// The variable on the left of an assignment.
    pub(super) fn target(&mut self, target: &Expr) -> u32 {
        let ExprKind::Variable(text) = &target.kind else {
            self.error(target.span, "this cannot be assigned");
            return u32::MAX;
        };
        let number = self.variable(text, target.span);
        let variable = self.program.variables.get(number as usize);
        if variable.is_some_and(|variable| !variable.is_writable()) {
            self.error(target.span, format!("{text} cannot be assigned"));
        }
        number
    }

    fn unary(&mut self, op: UnaryOp, inner: &Expr) {
        if op == UnaryOp::Defined && !is_variable(inner) {
            // Whatever is not a variable is defined, but may have to be done all the same.
            self.expression(inner);
            self.emit(Op::Pop);
            return self.push(Value::Int(1));
        }
        self.expression(inner);
        self.emit(Op::Unary(op));
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        if self.operand_comparison(op, left, right) {
            return;
        }
        match op {
            BinaryOp::Or => self.short_circuit(left, right, true),
            BinaryOp::And => self.short_circuit(left, right, false),
            BinaryOp::Equal | BinaryOp::NotEqual => self.equality(op, left, right),
            BinaryOp::Match => {
                self.expression(left);
                self.matching(right);
            }
            BinaryOp::Divide | BinaryOp::Modulo => {
                self.expression(left);
                self.expression(right);
                let fail = self.emit(Op::Divide {
                    modulo: op == BinaryOp::Modulo,
                    fail: 0,
                });
                self.fails.push(fail);
            }
            _ => {
                self.expression(left);
                self.expression(right);
                self.emit(Op::Binary(op));
            }
        }
    }

    /// `&&` and `||`. Beside a literal that decides nothing the value stays what it is, as a number.
    fn short_circuit(&mut self, left: &Expr, right: &Expr, or: bool) {
        let neutral = |expr: &Expr| constant_int(expr).is_some_and(|number| (number != 0) != or);
        for (literal, other) in [(left, right), (right, left)] {
            if neutral(literal) {
                self.expression(other);
                self.emit(Op::Unary(UnaryOp::ToInt));
                return;
            }
        }
        self.expression(left);
        let decided = self.emit(if or { Op::IfNonZero(0) } else { Op::IfZero(0) });
        self.expression(right);
        self.emit(Op::Truth);
        let end = self.emit(Op::Jump(0));
        self.patch(decided);
        self.push(Value::Int(i64::from(or)));
        self.patch(end);
    }

    /// `==` and `!=`, where `$null` on the right and an empty literal are questions of their own.
    fn equality(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        let equal = op == BinaryOp::Equal;
        if is_null(right) {
            if is_variable(left) {
                self.expression(left);
                self.emit(if equal {
                    Op::Undefined
                } else {
                    Op::Unary(UnaryOp::Defined)
                });
            } else {
                self.expression(left);
                self.emit(Op::Pop);
                self.push((!equal).into());
            }
            return;
        }
        for (literal, other) in [(right, left), (left, right)] {
            if is_empty_literal(literal) {
                self.expression(other);
                self.emit(Op::Unary(UnaryOp::Strempty));
                if !equal {
                    self.emit(Op::Unary(UnaryOp::Not));
                }
                return;
            }
        }
        self.expression(left);
        self.expression(right);
        self.emit(Op::Binary(op));
    }

    /// The right side of `=~`; the text is on the stack.
    pub(super) fn matching(&mut self, right: &Expr) {
        let Some(pattern) = constant(right) else {
            self.expression(right);
            self.emit(Op::MatchDynamic);
            return;
        };
        if let Some(regex) = self.regex(&pattern.to_str(), Flags::OPERATOR, right.span) {
            self.program.regexes.push(regex);
            let number = self.program.regexes.len() as u32 - 1;
            self.emit(Op::Match(number));
        }
    }

    pub(super) fn regex(&mut self, pattern: &[u8], flags: Flags, span: Span) -> Option<Ere> {
        match Ere::new(pattern, flags) {
            Ok(ere) => Some(ere),
            Err(error) => {
                self.error(span, format!("bad regular expression: {error}"));
                None
            }
        }
    }

    /// `route(X)`. The name is on no stack if it is known now.
    pub(super) fn route(&mut self, name: &Expr, how: Use) {
        match constant(name) {
            Some(value) => {
                let value = value.to_str();
                let text = String::from_utf8_lossy(&value);
                if let Some(block) = self.find_block(BlockKind::Request, &text, name.span) {
                    self.reach.call(self.block, block);
                    self.emit(Op::Route { block, how });
                }
            }
            None => {
                self.expression(name);
                self.reach.call_by_name(self.block);
                self.emit(Op::RouteNamed(how));
            }
        }
    }

    /// Emits a jump that is taken when the condition does not hold, and returns where it stands.
    pub(super) fn condition(&mut self, expr: &Expr) -> usize {
        self.check(expr);
        if let Some((test, variable, value)) = self.fused(expr) {
            self.quick_test(test, variable, &value);
            let constant = self.constant(value);
            return self.emit(match test {
                Test::SameText | Test::OtherText if self.is_whole(variable) => Op::UnlessText {
                    equal: test == Test::SameText,
                    variable,
                    constant,
                    to: 0,
                },
                _ => Op::UnlessTest {
                    test,
                    variable,
                    constant,
                    to: 0,
                },
            });
        }
        self.expression(expr);
        self.emit(Op::Unless(0))
    }

    /// A comparison of a variable with a constant, which is one operation.
    fn fused(&mut self, expr: &Expr) -> Option<(Test, u32, Value)> {
        let ExprKind::Binary(op, left, right) = &expr.kind else {
            return None;
        };
        let test = match op {
            BinaryOp::Equal => Test::Equal,
            BinaryOp::NotEqual => Test::NotEqual,
            BinaryOp::Less => Test::Less,
            BinaryOp::Greater => Test::Greater,
            BinaryOp::LessEqual => Test::LessEqual,
            BinaryOp::GreaterEqual => Test::GreaterEqual,
            _ => return None,
        };
        let value = constant(right).filter(|_| !is_empty_literal(right))?;
        let test = match (&left.kind, test) {
            (ExprKind::Variable(_) | ExprKind::Select(_), test) => test,
            (ExprKind::Operand(operand), test) => super::operand::fused_test(*operand, test)?,
            _ => return None,
        };
        Some((test, self.readable(left), value))
    }

    /// A call of a function or core action.
    pub(super) fn call(&mut self, call: &Call, span: Span, how: Use) {
        let name = call.name.text.as_str();
        let rows = self.catalog.functions(name);
        if rows.is_empty() {
            return self.unknown_function(name, call.name.span);
        }
        let Some((function, signature)) = super::argument::choose(&rows, call) else {
            let wanted: Vec<String> = rows
                .iter()
                .map(|(_, row)| super::argument::describe(row))
                .collect();
            let given = call.args.len();
            let message = format!("`{name}` does not take {given} parameters");
            let help = format!("it is {}", wanted.join(" or "));
            self.diagnostics
                .push(Diagnostic::error(span, message).help(help));
            return;
        };
        if !signature.core || signature.routes != crate::catalog::Routes::ANY {
            self.reach
                .function(self.block, name, signature.routes, call.name.span);
        }
        let site = self.call_site(function, signature, call);
        self.program.calls.push(site);
        let site = self.program.calls.len() as u32 - 1;
        self.emit(Op::Call { site, how });
    }

    fn unknown_function(&mut self, name: &str, span: Span) {
        let known = self.catalog.function_names();
        let message = format!("unknown function `{name}`");
        let diagnostic = Diagnostic::error(span, message);
        let exact = known.iter().find(|(known, _)| *known == name);
        let diagnostic = match exact {
            Some((_, module)) => diagnostic.help(format!("add `loadmodule \"{module}.so\"`")),
            None => {
                let names = known.iter().map(|(name, _)| *name);
                diagnostic.suggest(crate::suggest::nearest(name, names))
            }
        };
        self.diagnostics.push(diagnostic);
    }
}

/// Whether the operator takes the values of both sides and nothing else: no choice, no comparison with rules of its
/// own, no division by 0.
pub(super) const fn is_plain(op: BinaryOp) -> bool {
    !matches!(
        op,
        BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Match
            | BinaryOp::Divide
            | BinaryOp::Modulo
    )
}

/// The operand beside which a literal says nothing: `f() && 1`, `f() || 0`, `f() + 0`.
fn without_neutral(expr: &Expr) -> &Expr {
    let ExprKind::Binary(op, left, right) = &expr.kind else {
        return expr;
    };
    let is_call = |expr: &Expr| matches!(expr.kind, ExprKind::Call(_) | ExprKind::Route(_));
    let neutral = |literal: &Expr| match (op, constant_int(literal)) {
        (BinaryOp::And, Some(number)) => number != 0,
        (BinaryOp::Or | BinaryOp::Add, Some(number)) => number == 0,
        _ => false,
    };
    match (&**left, &**right) {
        (call, literal) | (literal, call) if is_call(call) && neutral(literal) => call,
        _ => expr,
    }
}

/// Whether the expression can be unset at all.
const fn is_variable(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Variable(_) | ExprKind::Select(_) | ExprKind::Operand(_)
    )
}

fn is_empty_literal(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Str(text) if text.is_empty())
}
