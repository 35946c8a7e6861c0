//! The machine: runs a program's flat code on a stack of its own, so that it can stop at any call and go on later.
//! Its state is plain data. It never blocks, never panics and never runs without end.

use crate::catalog::Routes;
use crate::host::{Completion, Host, RouteEnd};
use crate::program::{BlockId, Program, Use};
use crate::value::Value;

mod access;
mod args;
mod call;
mod direct;
mod execute;
mod network;
pub(crate) mod operate;
mod pattern;
mod quick;
mod step;

pub use args::{Args, Lazy};
pub use direct::{Direct, FindBlock};
use pattern::Patterns;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is over.
    Ended(RouteEnd),
    /// A function waits: `complete` and `run` again.
    Waiting,
}

/// What a run may use up. Exceeding one is an error told to the host, and the run goes on or ends in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Blocks within blocks (`max_recursive_level`).
    pub recursion: usize,
    /// Rounds of one loop (`max_while_loops`).
    pub loops: u32,
    /// Calls, blocks entered and loop rounds of a whole run.
    pub operations: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            recursion: 256,
            loops: 100,
            operations: 1_000_000,
        }
    }
}

/// One run, or the room for the next one. `P` is the host's plain data of a function that waits.
#[derive(Debug)]
pub struct Machine<P> {
    limits: Limits,
    state: State<P>,
    /// The next operation.
    pc: u32,
    /// `$rc`.
    rc: i64,
    /// The code of the last statement.
    code: i64,
    operations: u32,
    routes: Routes,
    values: Vec<Value>,
    frames: Vec<Frame>,
    loops: Vec<u32>,
    runs: Vec<Run<P>>,
    patterns: Patterns,
}

#[derive(Debug)]
enum State<P> {
    /// Not started, or ended with this.
    Ended(RouteEnd),
    Running,
    Waiting(P, Caller),
    Completed(P, Caller, Completion),
}

/// One block that is being run.
#[derive(Clone, Copy, Debug)]
struct Frame {
    block: BlockId,
    entry: Entry,
    /// Where to go on.
    back: u32,
    /// Heights of the stacks at the start.
    values: u32,
    loops: u32,
    /// The statement code that was, for blocks run as operands.
    code: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// By `start`.
    Top,
    /// By `route()`.
    Route(Use),
    /// By a native function.
    Run,
}

/// What is to be done with the result of the call that is being made.
#[derive(Clone, Copy, Debug)]
struct Caller {
    how: Use,
    core: bool,
}

/// A block that a native function asked for, under way.
#[derive(Debug)]
struct Run<P> {
    pending: P,
    caller: Caller,
    rc: i64,
    code: i64,
    /// The kind of run around it.
    routes: Routes,
}

impl<P> Default for Machine<P> {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl<P> Machine<P> {
    /// A machine that has nothing to run yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Ended(RouteEnd::default()),
            pc: 0,
            rc: 0,
            code: 1,
            operations: 0,
            routes: Routes::default(),
            values: Vec::new(),
            frames: Vec::new(),
            loops: Vec::new(),
            runs: Vec::new(),
            patterns: Patterns::default(),
        }
    }

    /// Gets ready to run a block; whatever was under way is forgotten.
    pub fn start(&mut self, program: &Program, block: BlockId, routes: Routes) {
        self.clear();
        self.routes = routes;
        match program.info(block) {
            Some(info) => {
                self.pc = info.entry;
                self.push_frame(block, Entry::Top, 0);
                self.state = State::Running;
            }
            None => self.state = State::Ended(RouteEnd::default()),
        }
    }

    /// Runs until the end or until a function has to wait.
    pub fn run<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) -> Progress {
        match std::mem::replace(&mut self.state, State::Running) {
            State::Running => {}
            State::Completed(pending, caller, completion) => {
                let outcome = host.resume(pending, completion);
                self.settle(program, host, outcome, caller);
            }
            waiting @ State::Waiting(..) => self.state = waiting,
            ended @ State::Ended(_) => self.state = ended,
        }
        if matches!(self.state, State::Running) {
            self.execute(program, host);
        }
        match self.state {
            State::Ended(end) => Progress::Ended(end),
            State::Running | State::Waiting(..) | State::Completed(..) => Progress::Waiting,
        }
    }

    /// Hands over what the waiting function waited for; `run` goes on from there. Without one, nothing happens.
    pub fn complete(&mut self, completion: Completion) {
        self.state = match std::mem::replace(&mut self.state, State::Running) {
            State::Waiting(pending, caller) => State::Completed(pending, caller, completion),
            other => other,
        };
    }

    /// Replaces the limits, from the next operation on.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The pending work of the function that waits.
    pub const fn waiting(&self) -> Option<&P> {
        match &self.state {
            State::Waiting(pending, _) => Some(pending),
            _ => None,
        }
    }

    /// What kind of run is under way.
    pub const fn routes(&self) -> Routes {
        self.routes
    }

    /// `$rc`.
    pub const fn rc(&self) -> i64 {
        self.rc
    }

    /// Forgets a run and keeps the room.
    pub fn clear(&mut self) {
        self.values.clear();
        self.frames.clear();
        self.loops.clear();
        self.runs.clear();
        self.rc = 0;
        self.code = 1;
        self.operations = 0;
        self.state = State::Ended(RouteEnd::default());
    }

    #[inline]
    fn push_frame(&mut self, block: BlockId, entry: Entry, back: u32) {
        self.frames.push(Frame {
            block,
            entry,
            back,
            values: self.values.len() as u32,
            loops: self.loops.len() as u32,
            code: self.code,
        });
        self.code = 1;
    }

    #[inline]
    fn block(&self) -> BlockId {
        self.frames.last().map_or(BlockId(0), |frame| frame.block)
    }

    /// Tells of a mistake in the operation before `pc`.
    #[cold]
    fn complain<H: Host<Pending = P>>(
        &self,
        program: &Program,
        host: &mut H,
        level: i32,
        text: &str,
    ) {
        let place = program.place(self.pc.saturating_sub(1), self.block());
        host.complain(level, place, text);
    }

    /// Counts one call, block or round; false when there were too many.
    #[inline]
    fn count<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) -> bool {
        self.operations += 1;
        if self.operations <= self.limits.operations {
            return true;
        }
        self.operations -= 1;
        self.too_long(program, host);
        false
    }

    #[cold]
    fn too_long<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) {
        let text = format!(
            "the script is ended after {} operations",
            self.limits.operations
        );
        self.complain(program, host, -1, &text);
        self.stop(program, host, -1, false);
    }

    /// Leaves the innermost block with the code of its last statement.
    fn leave<H: Host<Pending = P>>(&mut self, program: &Program, host: &mut H) {
        let Some(frame) = self.frames.pop() else {
            return self.end(false, false);
        };
        self.shorten(&frame);
        match frame.entry {
            Entry::Top => self.end(false, false),
            Entry::Run => {
                self.pc = frame.back;
                self.finish_run(program, host, false, false);
            }
            Entry::Route(how) => {
                self.pc = frame.back;
                self.rc = self.code;
                self.deliver(how, self.code, frame.code);
            }
        }
    }

    /// Brings the stacks back to where they were when the block was entered; nearly always they are there.
    #[inline]
    fn shorten(&mut self, frame: &Frame) {
        if self.values.len() > frame.values as usize {
            self.values.truncate(frame.values as usize);
        }
        if self.loops.len() > frame.loops as usize {
            self.loops.truncate(frame.loops as usize);
        }
    }

    /// Hands a code to the operand that wants it.
    fn deliver(&mut self, how: Use, code: i64, before: i64) {
        let value = match how {
            Use::Statement => return,
            Use::Truth => i64::from(code > 0),
            Use::Code => code,
        };
        self.code = before;
        self.values.push(Value::Int(value));
    }

    /// Ends the script, or the block that a native function asked for.
    fn stop<H: Host<Pending = P>>(
        &mut self,
        program: &Program,
        host: &mut H,
        code: i64,
        drop: bool,
    ) {
        self.code = code;
        while let Some(frame) = self.frames.pop() {
            self.shorten(&frame);
            if frame.entry == Entry::Run {
                self.pc = frame.back;
                return self.finish_run(program, host, true, drop);
            }
        }
        self.end(true, drop);
    }

    const fn result(&self, exited: bool, dropped: bool) -> RouteEnd {
        RouteEnd {
            code: self.code,
            exited,
            dropped,
        }
    }

    fn end(&mut self, exited: bool, dropped: bool) {
        self.state = State::Ended(self.result(exited, dropped));
    }
}
