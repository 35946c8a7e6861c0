//! The loop over operations. It knows the most frequent ones itself and leaves the others to `step`.
//!
//! The place in the code is what is left of it, so that going on to the next operation needs no look at a number and
//! its bounds. `self.pc` is written before the operations that look at it, and read back only after the few that may
//! have moved it.

use std::slice::Iter;

use super::{Entry, Frame, Machine, State, quick};
use crate::host::Host;
use crate::program::{BlockId, Op, Program, Use};

/// Where it goes on after an operation.
pub(super) enum Next {
    /// With the next one.
    On,
    /// Past the next one: a quick form has done its work.
    Past,
    /// There.
    To(u32),
    /// Wherever the machine says, if it still runs.
    Asked,
}

impl<P> Machine<P> {
    /// Runs operations until the state changes.
    pub(super) fn execute<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) {
        let mut to = self.pc;
        while let Some(code) = program.code.get(to as usize..) {
            let mut rest = code.iter();
            to = loop {
                let Some(op) = rest.next() else {
                    return self.end(true, false);
                };
                match self.perform(program, host, op, &rest) {
                    Next::On => {}
                    Next::Past => drop(rest.next()),
                    Next::To(to) => break to,
                    Next::Asked if matches!(self.state, State::Running) => break self.pc,
                    Next::Asked => return,
                }
            };
        }
        self.end(true, false);
    }

    /// Does one operation. Inlined, so that each arm above and here is one straight piece of code.
    #[inline(always)]
    fn perform<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        op: &Op,
        rest: &Iter<'_, Op>,
    ) -> Next {
        let pc = || (program.code.len() - rest.len()) as u32;
        match *op {
            Op::UnlessSlot {
                orderings,
                slot,
                number,
                to,
            } => match quick::ordering(host.slots(), slot, number) {
                Some(found) if orderings & found != 0 => Next::Past,
                Some(_) => self.fails(to),
                None => Next::On,
            },
            Op::SetSlotInt { slot, number } => {
                self.assigned(quick::put_int(host.slots(), slot, number))
            }
            Op::SetSlot { slot, constant } => {
                let constants = &program.constants;
                self.assigned(quick::put(host.slots(), slot, constants, constant))
            }
            Op::CopySlot { target, source } => {
                self.assigned(quick::copy(host.slots(), target, source))
            }
            Op::AddSlot {
                target,
                source,
                number,
            } => self.assigned(quick::add(host.slots(), target, source, number)),
            Op::UnlessTest {
                test,
                variable,
                constant,
                to,
            } => {
                self.pc = pc();
                if self.test(program, host, test, variable, constant) {
                    Next::On
                } else {
                    self.fails(to)
                }
            }
            Op::UnlessText {
                equal,
                variable,
                constant,
                to,
            } => {
                if self.is_text(program, host, variable, constant) == equal {
                    Next::On
                } else {
                    self.fails(to)
                }
            }
            Op::Jump(to) => Next::To(to),
            Op::Route { block, how } => {
                self.pc = pc();
                self.route(program, host, block, how)
            }
            Op::Call { site, how } => {
                self.pc = pc();
                self.call(program, host, site, how)
            }
            Op::End => self.end_block(program, host),
            _ => {
                self.pc = pc();
                self.step(program, host, op);
                Next::Asked
            }
        }
    }

    /// A condition does not hold.
    #[inline(always)]
    fn fails(&mut self, to: u32) -> Next {
        self.code = 1;
        Next::To(to)
    }

    /// After a quick assignment, if it could be done.
    #[inline(always)]
    fn assigned(&mut self, done: bool) -> Next {
        if done {
            self.code = 1;
            Next::Past
        } else {
            Next::On
        }
    }

    /// Hands a code to its use. If that is the condition of the `if` that follows, it takes no way over the stack.
    #[inline(always)]
    pub(super) fn hand_over(&mut self, program: &Program, how: Use, code: i64) -> Next {
        match (how, program.code.get(self.pc as usize)) {
            (Use::Statement, _) => self.code = code,
            (Use::Truth, Some(Op::Unless(_))) if code > 0 => return Next::Past,
            (Use::Truth, Some(Op::Unless(to))) => return self.fails(*to),
            _ => self.deliver(how, code, self.code),
        }
        Next::On
    }

    #[inline(always)]
    fn end_block<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) -> Next {
        let called = |frame: &mut Frame| frame.entry == Entry::Route(Use::Statement);
        match self.frames.pop_if(called) {
            Some(frame) => {
                self.shorten(&frame);
                self.rc = self.code;
                Next::To(frame.back)
            }
            None => {
                self.leave(program, host);
                Next::Asked
            }
        }
    }

    #[inline(always)]
    fn route<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        block: BlockId,
        how: Use,
    ) -> Next {
        if !self.count(program, host) {
            return Next::Asked;
        }
        let Some(info) = program.info(block) else {
            self.end(true, false);
            return Next::Asked;
        };
        if self.frames.len() >= self.limits.recursion {
            self.refuse_route(program, host, &info.label, how);
            return Next::Asked;
        }
        self.push_frame(block, Entry::Route(how), self.pc);
        if how != Use::Statement {
            self.rc = 0;
        }
        Next::To(info.entry)
    }

    #[cold]
    fn refuse_route<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        label: &str,
        how: Use,
    ) {
        let text = format!("{label} is not run: too many blocks within blocks");
        self.complain(program, host, -1, &text);
        self.rc = -1;
        self.code = if how == Use::Statement { -1 } else { self.code };
        self.deliver(how, -1, self.code);
    }

    pub(super) fn route_named<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        how: Use,
    ) {
        let name = self.values.pop().unwrap_or_default().to_str();
        let kind = crate::catalog::BlockKind::Request;
        match name.as_str().and_then(|name| program.block(kind, name)) {
            Some(block) => {
                if let Next::To(entry) = self.route(program, host, block, how) {
                    self.pc = entry;
                }
            }
            None => {
                self.complain(program, host, -1, &format!("there is no route {name:?}"));
                if how == Use::Statement {
                    self.code = -1;
                }
                self.deliver(how, -1, self.code);
            }
        }
    }
}
