//! Reading and assigning variables. Numbers are handled apart where it keeps them in registers.

use super::Machine;
use super::operate::{self, Doubt};
use crate::host::Host;
use crate::program::{Program, Test, Use};
use crate::value::Value;

impl<P> Machine<P> {
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
        match variable.read(host, self.rc) {
            Ok(value) => Some(value),
            Err(failed) => {
                let text = format!("{} has no value: {}", variable.text(), failed.0);
                self.complain(program, host, -1, &text);
                None
            }
        }
    }

    pub(super) fn unless_test<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        test: Test,
        variable: u32,
        constant: u32,
        to: u32,
    ) {
        let read = self.read_value(program, host, variable);
        let left = read.as_ref().unwrap_or(&Value::Null);
        let right = program
            .constants
            .get(constant as usize)
            .unwrap_or(&Value::Null);
        let mut doubt = Doubt::default();
        if !operate::test(test, left, right, &mut doubt) {
            self.code = 1;
            self.pc = to;
        }
        self.tell_doubt(program, host, &doubt, &[left, right]);
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

    #[inline]
    pub(super) fn set_constant<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        target: u32,
        constant: u32,
    ) {
        match program.constants.get(constant as usize) {
            // Numbers apart, so that they stay in registers.
            Some(Value::Int(number)) => self.set(program, host, target, Value::Int(*number)),
            value => self.set(program, host, target, value.cloned().unwrap_or_default()),
        }
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
