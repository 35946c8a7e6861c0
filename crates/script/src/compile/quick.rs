//! The quick forms of operations on variables that lie in the host's slots. Each is emitted right before the general
//! operation, which does the work whenever the quick form cannot.

use super::Compiler;
use crate::ast::BinaryOp;
use crate::program::{Op, Test};
use crate::value::Value;

impl Compiler<'_> {
    fn slot(&self, variable: u32) -> Option<u32> {
        self.program.variables.get(variable as usize)?.slot()
    }

    /// Whether what the host gives for the variable is its value.
    pub(super) fn is_whole(&self, variable: u32) -> bool {
        let variable = self.program.variables.get(variable as usize);
        variable.is_some_and(|variable| variable.whole().is_some())
    }

    pub(super) fn quick_test(&mut self, test: Test, variable: u32, value: &Value) {
        if let (Some(slot), Some(number), Some(orderings)) =
            (self.slot(variable), small(value), test.orderings())
        {
            self.emit(Op::UnlessSlot {
                orderings,
                slot,
                number,
                to: 0,
            });
        }
    }

    pub(super) fn quick_constant(&mut self, target: u32, constant: u32) {
        let Some(slot) = self.slot(target) else {
            return;
        };
        match self.program.constants.get(constant as usize) {
            Some(Value::Int(number)) => {
                let number = *number;
                self.emit(Op::SetSlotInt { slot, number });
            }
            Some(Value::Str(_)) => {
                self.emit(Op::SetSlot { slot, constant });
            }
            // A place is not set to null; what that means is the host's business.
            Some(Value::Null) | None => {}
        }
    }

    pub(super) fn quick_copy(&mut self, target: u32, source: u32) {
        if let (Some(target), Some(source)) = (self.slot(target), self.slot(source)) {
            self.emit(Op::CopySlot { target, source });
        }
    }

    pub(super) fn quick_sum(&mut self, op: BinaryOp, target: u32, source: u32, right: &Value) {
        let number = match op {
            BinaryOp::Add => small(right),
            BinaryOp::Subtract => small(right).and_then(i32::checked_neg),
            _ => None,
        };
        if let (Some(target), Some(source), Some(number)) =
            (self.slot(target), self.slot(source), number)
        {
            self.emit(Op::AddSlot {
                target,
                source,
                number,
            });
        }
    }
}

/// The number, if it is one and has room in an operation.
fn small(value: &Value) -> Option<i32> {
    match value {
        Value::Int(number) => i32::try_from(*number).ok(),
        _ => None,
    }
}
