//! Reading and assigning variables. A variable that lies in a place of the host (`Host::slot`) is read where it is;
//! numbers are handled apart where it keeps them in registers.

use super::Machine;
use super::operate::{self, Doubt};
use crate::ast::BinaryOp;
use crate::host::{Host, Index};
use crate::program::{Program, Test, Use};
use crate::value::Value;
use crate::variable::Variable;

/// Where a variable lies, if it has a slot and the host has made room for it.
#[inline]
fn place<'h, H: Host>(host: &'h mut H, variable: &Variable) -> Option<&'h Value> {
    let slot = variable.slot()?;
    host.slots().get(slot as usize)
}

impl<P> Machine<P> {
    #[inline]
    pub(super) fn read<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        variable: u32,
    ) {
        match self.read_value(program, host, variable) {
            Some(Value::Int(number)) => self.values.push(Value::Int(number)),
            value => self.values.push(value.unwrap_or_default()),
        }
    }

    /// `None` if a transformation failed, which has been told.
    #[inline]
    fn read_value<H: Host<Pending = P>>(
        &self,
        program: &Program,
        host: &mut H,
        variable: u32,
    ) -> Option<Value> {
        let variable = program.variables.get(variable as usize)?;
        if let Some(place) = place(host, variable) {
            return Some(place.clone());
        }
        match variable.read(host, self.rc) {
            Ok(value) => Some(value),
            Err(failed) => {
                let text = format!("{} has no value: {}", variable.text(), failed.0);
                self.complain(program, host, -1, &text);
                None
            }
        }
    }

    /// What `make` yields for a variable and a constant, without copying what lies in a place.
    #[inline(always)]
    fn with_constant<H: Host<Pending = P>, R>(
        &self,
        program: &Program,
        host: &mut H,
        variable: u32,
        constant: u32,
        make: impl FnOnce(&Value, &Value, &mut Doubt) -> R,
    ) -> R {
        let right = program
            .constants
            .get(constant as usize)
            .unwrap_or(&Value::Null);
        let mut doubt = Doubt::default();
        let known = program.variables.get(variable as usize);
        if let Some(place) = known.and_then(|variable| place(host, variable)) {
            let result = make(place, right, &mut doubt);
            if doubt.0 {
                let left = place.clone();
                self.tell_conversion(program, host, &[&left, right]);
            }
            return result;
        }
        let left = match known.and_then(Variable::whole) {
            Some((id, key)) => host.get(id, key, Index::None),
            None => self.read_value(program, host, variable).unwrap_or_default(),
        };
        let result = make(&left, right, &mut doubt);
        self.tell_doubt(program, host, &doubt, &[&left, right]);
        result
    }

    /// Whether a variable, one that is `whole`, and a constant text are the same in any case.
    #[inline(never)]
    pub(super) fn is_text<H: Host<Pending = P>>(
        &self,
        program: &Program,
        host: &mut H,
        variable: u32,
        constant: u32,
    ) -> bool {
        let variable = program.variables.get(variable as usize);
        match (
            variable.and_then(Variable::fixed),
            program.constants.get(constant as usize),
        ) {
            (Some((id, key)), Some(right)) => {
                operate::same_text(&host.get(id, key, Index::None), right)
            }
            _ => false,
        }
    }

    /// Whether a variable compares with a constant as asked.
    #[inline(never)]
    pub(super) fn test<H: Host<Pending = P>>(
        &self,
        program: &Program,
        host: &mut H,
        test: Test,
        variable: u32,
        constant: u32,
    ) -> bool {
        self.with_constant(program, host, variable, constant, |left, right, doubt| {
            operate::test(test, left, right, doubt)
        })
    }

    #[inline]
    pub(super) fn set<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        target: u32,
        value: Value,
    ) {
        let Some(variable) = program.variables.get(target as usize) else {
            return;
        };
        self.code = match variable.write(host, self.rc, value) {
            Ok(()) => 1,
            Err(error) => {
                let text = format!("{} is not assigned: {}", variable.text(), error.0);
                self.complain(program, host, -1, &text);
                -1
            }
        };
    }

    pub(super) fn set_constant<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        target: u32,
        constant: u32,
    ) {
        let value = program.constants.get(constant as usize).cloned();
        self.set(program, host, target, value.unwrap_or_default());
    }

    pub(super) fn set_read<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        target: u32,
        source: u32,
    ) {
        match self.read_value(program, host, source) {
            Some(Value::Int(number)) => self.set(program, host, target, Value::Int(number)),
            Some(value) => self.set(program, host, target, value),
            None => {
                // As in Kamailio the target is unset then, and the statement has failed.
                self.set(program, host, target, Value::Null);
                self.code = -1;
            }
        }
    }

    pub(super) fn set_binary<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        op: BinaryOp,
        [target, source, constant]: [u32; 3],
    ) {
        let make = |left: &Value, right: &Value, doubt: &mut Doubt| {
            operate::binary(op, left, right, doubt)
        };
        let value = self.with_constant(program, host, source, constant, make);
        self.set(program, host, target, value);
    }

    pub(super) fn set_truth<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        target: u32,
    ) {
        let before = self.code;
        let value = self.values.pop().unwrap_or_default();
        self.set(program, host, target, value);
        self.rc = 0;
        self.deliver(Use::Truth, self.code, before);
    }
}
