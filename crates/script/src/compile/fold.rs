//! Expressions whose value is known at load. As in Kamailio a constant operand can decide alone: in `f() || 1`
//! the function is never called.

use crate::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::machine::operate::{self, Doubt};
use crate::value::{Str, Value};

/// The value, if it does not depend on the message.
pub(super) fn constant(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Int(number) => Some(Value::Int(*number)),
        ExprKind::Str(text) => Some(Value::Str(Str::new(text))),
        ExprKind::Unary(op, inner) => unary(*op, inner),
        ExprKind::Binary(op, left, right) => binary(*op, left, right),
        ExprKind::Selval(parts) => {
            let [condition, yes, no] = &**parts;
            let taken = if constant(condition)?.to_int()? > 0 {
                yes
            } else {
                no
            };
            constant(taken)
        }
        _ => None,
    }
}

/// The number, if the expression is a constant one that is an integer.
pub(super) fn constant_int(expr: &Expr) -> Option<i64> {
    match constant(expr)? {
        Value::Int(number) => Some(number),
        _ => None,
    }
}

fn unary(op: UnaryOp, inner: &Expr) -> Option<Value> {
    let value = constant(inner)?;
    let mut doubt = Doubt::default();
    let result = operate::unary(op, &value, &mut doubt);
    (!doubt.0).then_some(result)
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr) -> Option<Value> {
    let (a, b) = (constant(left), constant(right));
    let either = |number: i64| a == Some(Value::Int(number)) || b == Some(Value::Int(number));
    let non_zero =
        |value: &Option<Value>| matches!(value, Some(Value::Int(number)) if *number != 0);
    match op {
        BinaryOp::Or if non_zero(&a) || non_zero(&b) => return Some(Value::Int(1)),
        BinaryOp::And | BinaryOp::Multiply | BinaryOp::BitAnd if either(0) => {
            return Some(Value::Int(0));
        }
        BinaryOp::Match => return None,
        _ => {}
    }
    let (a, b) = (a?, b?);
    let mut doubt = Doubt::default();
    let result = match op {
        BinaryOp::Divide | BinaryOp::Modulo => {
            operate::divide(op == BinaryOp::Modulo, &a, &b, &mut doubt).map(Value::Int)?
        }
        BinaryOp::Equal if is_empty(&a) || is_empty(&b) => both_empty(&a, &b).into(),
        BinaryOp::NotEqual if is_empty(&a) || is_empty(&b) => (!both_empty(&a, &b)).into(),
        _ => operate::binary(op, &a, &b, &mut doubt),
    };
    (!doubt.0).then_some(result)
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Str(text) if text.is_empty())
}

fn both_empty(a: &Value, b: &Value) -> bool {
    is_empty(a) && is_empty(b)
}
