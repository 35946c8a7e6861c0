//! Calls of native functions: arguments, outcomes, and the blocks that a function asks for.

use super::args::{Args, Made, MadeList};
use super::execute::Next;
use super::{Caller, Entry, Machine, Run, State};
use crate::catalog::Routes;
use crate::ere::Flags;
use crate::format::Format;
use crate::host::{Completion, Host, Outcome};
use crate::program::{Arg, BlockId, CallSite, Making, Program, Use};
use crate::value::{Str, Value};

impl<P> Machine<P> {
    /// Calls a function and does what it said. Apart from the loop over operations, as are the tests of anything but
    /// slots: what they need in registers would push the place in the code out of its own.
    #[inline(never)]
    pub(super) fn call<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        site: u32,
        how: Use,
    ) -> Next {
        let Some(site) = program.calls.get(site as usize) else {
            self.end(true, false);
            return Next::Asked;
        };
        if !self.count(program, host) {
            return Next::Asked;
        }
        // A call in an expression is a script of its own, in which nothing has returned yet.
        if how != Use::Statement {
            self.rc = 0;
        }
        let caller = Caller {
            how,
            core: site.core,
        };
        let outcome = if site.constant {
            let mut args = self.args(program, site, &[], &[]);
            host.call(site.function, &mut args)
        } else if let Some(outcome) = self.call_with_values(program, host, site) {
            outcome
        } else {
            self.finish_call(program, host, -1, caller);
            return Next::Asked;
        };
        match outcome {
            Outcome::Code(code) if code != 0 || caller.core => {
                if !caller.core {
                    self.rc = code;
                }
                self.hand_over(program, how, code)
            }
            outcome => {
                self.settle(program, host, outcome, caller);
                Next::Asked
            }
        }
    }

    #[inline]
    fn args<'a>(
        &'a self,
        program: &'a Program,
        site: &'a CallSite,
        values: &'a [Value],
        made: &'a [Made],
    ) -> Args<'a> {
        Args {
            program,
            site,
            values,
            made,
            rc: self.rc,
            pc: self.pc.saturating_sub(1),
            frames: &self.frames,
            routes: self.routes,
        }
    }

    /// Calls a function some of whose arguments are made for this call; none if one cannot be made. Apart, because the
    /// room that it needs would have to be made for calls with constant arguments too.
    #[inline(never)]
    fn call_with_values<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        site: &CallSite,
    ) -> Option<Outcome<P>> {
        let base = self
            .values
            .len()
            .saturating_sub(usize::from(site.expressions));
        let mut made = MadeList::new();
        let outcome = self
            .evaluate(program, host, site, base, &mut made)
            .then(|| {
                let values = self.values.get(base..).unwrap_or(&[]);
                host.call(site.function, &mut self.args(program, site, values, &made))
            });
        self.values.truncate(base);
        outcome
    }

    /// Puts the values of all arguments on the stack; false if one cannot be what the function needs.
    fn evaluate<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        site: &CallSite,
        base: usize,
        made: &mut MadeList,
    ) -> bool {
        for (number, arg) in site.args.iter().enumerate() {
            let (slot, int) = match arg {
                Arg::Expression { slot, int } => (*slot, *int),
                Arg::Printed { slot, format } | Arg::Number { slot, format } => {
                    let text = self.print(host, format);
                    self.values.push(text);
                    (*slot, matches!(arg, Arg::Number { .. }))
                }
                Arg::Made { format, kind, .. } => {
                    let text = format.to_str(host, self.rc);
                    let Some(thing) = self.make(program, host, *kind, &text) else {
                        return false;
                    };
                    made.push(thing);
                    continue;
                }
                _ => continue,
            };
            if !self.convert(program, host, base + usize::from(slot), int, number) {
                return false;
            }
        }
        true
    }

    fn print<H: Host<Pending = P>>(&self, host: &mut H, format: &Format) -> Value {
        match format.single() {
            // A number that is wanted as one need not become a text first.
            Some(variable) => match variable.read(host, self.rc) {
                Ok(Value::Null) => Value::Str(Str::from_static(b"<null>")),
                Ok(value) => value,
                Err(_) => Value::Str(Str::EMPTY),
            },
            None => Value::Str(format.to_str(host, self.rc)),
        }
    }

    /// Makes the value at this height an integer or a text.
    fn convert<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        at: usize,
        int: bool,
        number: usize,
    ) -> bool {
        let Some(value) = self.values.get_mut(at) else {
            return false;
        };
        match (int, &*value) {
            (true, Value::Int(_)) | (false, Value::Str(_)) => true,
            (false, _) => {
                *value = Value::Str(value.to_str());
                true
            }
            (true, _) => match value.to_int() {
                Some(int) => {
                    *value = Value::Int(int);
                    true
                }
                None => {
                    let text = format!("parameter {} is not a number: {value:?}", number + 1);
                    self.complain(program, host, -1, &text);
                    false
                }
            },
        }
    }

    fn make<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        kind: Making,
        text: &Str,
    ) -> Option<Made> {
        let refused = match kind {
            Making::Regex => match self.patterns.get(text, Flags::ARGUMENT) {
                Ok(ere) => return Some(Made::Regex(ere)),
                Err(error) => format!("bad regular expression {text:?}: {error}"),
            },
            Making::Subst => match crate::subst::Subst::parse_plain(text) {
                Ok(subst) => return Some(Made::Subst(Box::new(subst))),
                Err(error) => format!("bad substitution {text:?}: {error}"),
            },
            Making::Block(kind) => {
                if text.is_empty() || text.as_bytes() == b"0" {
                    return Some(Made::Block(None));
                }
                let found = text.as_str().and_then(|name| program.block(kind, name));
                if found.is_some() {
                    return Some(Made::Block(found));
                }
                format!("there is no route block {text:?}")
            }
        };
        self.complain(program, host, -1, &refused);
        None
    }

    /// Does what a native function said.
    pub(super) fn settle<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        outcome: Outcome<P>,
        caller: Caller,
    ) {
        match outcome {
            Outcome::Code(code) => self.finish_call(program, host, code, caller),
            Outcome::Wait(pending) => self.state = State::Waiting(pending, caller),
            Outcome::Route {
                block,
                routes,
                then,
            } => {
                self.begin_run(program, host, block, routes, then, caller);
            }
            Outcome::Stop { drop } => self.stop(program, host, i64::from(!drop), drop),
        }
    }

    #[inline]
    fn finish_call<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        code: i64,
        caller: Caller,
    ) {
        if !caller.core {
            self.rc = code;
            if code == 0 {
                return self.stop(program, host, 0, false);
            }
        }
        match caller.how {
            Use::Statement => self.code = code,
            how => self.deliver(how, code, self.code),
        }
    }

    fn begin_run<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        block: BlockId,
        routes: Routes,
        pending: P,
        caller: Caller,
    ) {
        if !self.count(program, host) {
            return;
        }
        let entry = program.info(block).map(|info| info.entry);
        let refused = match entry {
            None => "there is no such route block",
            Some(_) if self.frames.len() >= self.limits.recursion => {
                "route blocks are nested too deeply"
            }
            Some(entry) => {
                let run = Run {
                    pending,
                    caller,
                    rc: self.rc,
                    code: self.code,
                    routes: self.routes,
                };
                self.runs.push(run);
                self.push_frame(block, Entry::Run, self.pc);
                self.rc = 0;
                self.routes = routes;
                self.pc = entry;
                return;
            }
        };
        self.complain(program, host, -1, refused);
        let outcome = host.resume(pending, Completion::Failed(refused.to_owned()));
        self.settle(program, host, outcome, caller);
    }

    /// Has the host run the foreign block that was entered.
    pub(super) fn foreign<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) {
        if !self.count(program, host) {
            return;
        }
        let Some(number) = self.block().foreign_number() else {
            return self.end(true, false);
        };
        // As of a core action: its code is the block's, and a 0 ends nothing but the block.
        let caller = Caller {
            how: Use::Statement,
            core: true,
        };
        let outcome = host.foreign(number);
        self.settle(program, host, outcome, caller);
    }

    /// Gives the end of a block to the native function that asked for it.
    pub(super) fn finish_run<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        exited: bool,
        dropped: bool,
    ) {
        let end = self.result(exited, dropped);
        let Some(run) = self.runs.pop() else {
            return self.end(exited, dropped);
        };
        self.rc = run.rc;
        self.code = run.code;
        self.routes = run.routes;
        let outcome = host.resume(run.pending, Completion::Route(end));
        self.settle(program, host, outcome, run.caller);
    }
}
