//! Operators on values: what they convert and what they yield. The compiler folds constants with the same code.

use crate::ast::{BinaryOp, UnaryOp};
use crate::program::Test;
use crate::value::{Str, Value};
use smallvec::SmallVec;

/// Whether a text that is no number was taken for 0.
#[derive(Debug, Default)]
pub(crate) struct Doubt(pub(crate) bool);

/// The value as a number; a text that is none is 0, and doubtful unless it is empty.
#[inline]
pub(crate) fn int(value: &Value, doubt: &mut Doubt) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Str(text) if text.is_empty() => 0,
        other => other.to_int().unwrap_or_else(|| {
            doubt.0 = true;
            0
        }),
    }
}

pub(crate) fn unary(op: UnaryOp, value: &Value, doubt: &mut Doubt) -> Value {
    match op {
        UnaryOp::Not => (int(value, doubt) == 0).into(),
        UnaryOp::Negate => int(value, doubt).wrapping_neg().into(),
        UnaryOp::Complement => (!int(value, doubt)).into(),
        UnaryOp::Defined => (!value.is_null()).into(),
        UnaryOp::ToInt => int(value, doubt).into(),
        UnaryOp::ToStr => Value::Str(value.to_str()),
        UnaryOp::Strlen => value.with_bytes(|text| Value::Int(text.len() as i64)),
        UnaryOp::Strempty => value.with_bytes(<[u8]>::is_empty).into(),
    }
}

/// All operators except division (see [`divide`]), matching, and the two that need not look at their right side.
#[inline]
pub(crate) fn binary(op: BinaryOp, left: &Value, right: &Value, doubt: &mut Doubt) -> Value {
    match op {
        BinaryOp::Add => add(left, right, doubt),
        BinaryOp::Equal => equal(left, right, doubt).into(),
        BinaryOp::NotEqual => (!equal(left, right, doubt)).into(),
        BinaryOp::StrEqual => same_bytes(left, right).into(),
        BinaryOp::StrNotEqual => (!same_bytes(left, right)).into(),
        _ => integers(op, int(left, doubt), int(right, doubt)),
    }
}

fn integers(op: BinaryOp, a: i64, b: i64) -> Value {
    match op {
        BinaryOp::Or => (a != 0 || b != 0).into(),
        BinaryOp::And => (a != 0 && b != 0).into(),
        BinaryOp::BitOr => (a | b).into(),
        BinaryOp::BitAnd => (a & b).into(),
        BinaryOp::BitXor => (a ^ b).into(),
        BinaryOp::ShiftLeft => a.wrapping_shl(b as u32).into(),
        BinaryOp::ShiftRight => a.wrapping_shr(b as u32).into(),
        BinaryOp::IntEqual => (a == b).into(),
        BinaryOp::IntNotEqual => (a != b).into(),
        BinaryOp::Less => (a < b).into(),
        BinaryOp::Greater => (a > b).into(),
        BinaryOp::LessEqual => (a <= b).into(),
        BinaryOp::GreaterEqual => (a >= b).into(),
        BinaryOp::Subtract => a.wrapping_sub(b).into(),
        BinaryOp::Multiply => a.wrapping_mul(b).into(),
        BinaryOp::Divide
        | BinaryOp::Modulo
        | BinaryOp::Match
        | BinaryOp::Add
        | BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::StrEqual
        | BinaryOp::StrNotEqual => Value::Null,
    }
}

/// The quotient towards 0, or the remainder; `None` by 0.
pub(crate) fn divide(modulo: bool, left: &Value, right: &Value, doubt: &mut Doubt) -> Option<i64> {
    let (a, b) = (int(left, doubt), int(right, doubt));
    match (b, modulo) {
        (0, _) => None,
        (_, true) => Some(a.wrapping_rem(b)),
        (_, false) => Some(a.wrapping_div(b)),
    }
}

/// The left side's type decides: a number adds, a text or nothing appends.
fn add(left: &Value, right: &Value, doubt: &mut Doubt) -> Value {
    match left {
        Value::Int(number) => number.wrapping_add(int(right, doubt)).into(),
        Value::Null => Value::Str(right.to_str()),
        Value::Str(text) if right.is_null() => Value::Str(text.clone()),
        Value::Str(text) => {
            let mut joined = SmallVec::<[u8; 128]>::from_slice(text);
            right.with_bytes(|bytes| joined.extend_from_slice(bytes));
            Value::Str(Str::new(&joined))
        }
    }
}

/// The left side's type decides; an unset left side takes the type of the right.
#[inline]
fn equal(left: &Value, right: &Value, doubt: &mut Doubt) -> bool {
    match (left, right) {
        (Value::Int(a), b) => *a == int(b, doubt),
        (Value::Str(_), _) => same_bytes(left, right),
        (Value::Null, Value::Int(b)) => *b == 0,
        (Value::Null, Value::Str(b)) => b.is_empty(),
        (Value::Null, Value::Null) => true,
    }
}

#[inline]
fn same_bytes(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => a == b,
        _ => left.with_bytes(|a| right.with_bytes(|b| a == b)),
    }
}

/// Whether the texts are the same in any case.
#[inline]
pub(crate) fn same_text(left: &Value, right: &Value) -> bool {
    // Nearly always the case is the same too, and then nothing is compared byte by byte.
    if let (Value::Str(a), Value::Str(b)) = (left, right)
        && a == b
    {
        return true;
    }
    left.with_bytes(|a| right.with_bytes(|b| a.eq_ignore_ascii_case(b)))
}

/// A fused comparison.
#[inline]
pub(crate) fn test(test: Test, left: &Value, right: &Value, doubt: &mut Doubt) -> bool {
    if let (Value::Int(a), Value::Int(b), Test::Equal) = (left, right, test) {
        return a == b;
    }
    match test {
        Test::Equal => equal(left, right, doubt),
        Test::NotEqual => !equal(left, right, doubt),
        Test::Less => int(left, doubt) < int(right, doubt),
        Test::Greater => int(left, doubt) > int(right, doubt),
        Test::LessEqual => int(left, doubt) <= int(right, doubt),
        Test::GreaterEqual => int(left, doubt) >= int(right, doubt),
        Test::SameText => same_text(left, right),
        Test::OtherText => !same_text(left, right),
    }
}
