//! A worker's side of the engine, without its sockets and clock: inputs go in with the time, messages to
//! send and operations to wait for come out.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use script::{BlockId, Completion, Host, Machine, Outcome, Progress, RouteEnd, Routes, Value};
use sip::Hop;
use slab::Slab;
use timer::Time;
use transaction::Output;

use crate::baton::Taken;
use crate::clock::Now;
use crate::engine::Engine;
use crate::input::Input;
use crate::local::Local;
use crate::log::level;
use crate::overload::Overload;
use crate::packet::{Interception, Packet};
use crate::pending::Pending;
use crate::run::{Locals, Operation, Run};
use crate::scripts::LocalScript;
use crate::spare::Spare;
use crate::stage::Stage;
use crate::working::Working;

mod due;
mod parked;
mod receive;

/// How many runs of one worker may wait at the same time; a further one is given up, and counted.
pub const WAITING_MAX: usize = 100_000;

/// How many seats are kept for further runs: more than one is used only while runs wait.
const SEATS_MAX: usize = 64;

/// What one worker keeps between inputs.
pub struct Worker {
    /// This worker's number, from 0.
    number: usize,
    /// How many workers there are.
    workers: usize,
    local: Local,
    /// The compiled configuration that new runs begin with.
    script: LocalScript,
    locals: Locals,
    waiting: Slab<Task>,
    backlog: VecDeque<(u64, Input)>,
    /// Seats that nobody uses, with the room that their last runs have made.
    #[allow(
        clippy::vec_box,
        reason = "a seat is large, and moves between here and its task"
    )]
    seats: Vec<Box<Seat>>,
    due: Vec<transaction::Due>,
    jobs: Vec<(u64, Input)>,
    /// What was found due and is not started yet.
    overdue: VecDeque<(u64, Input)>,
    /// When the first of it was found.
    overdue_since: Time,
    outputs: Vec<Output>,
    operations: Vec<(usize, Operation)>,
    overload: Overload,
    /// What was last told as `receive_wait_us`.
    shown_wait_us: i64,
    /// Requests that begin something new, while there is too much to do: they come after all others of a batch.
    late: Vec<(u64, Input)>,
    /// Refusals of a batch, to be sent together.
    refusals: Vec<Output>,
    /// The calls whose batons go back when the outputs are sent.
    held: Vec<u64>,
    spare: Spare,
    /// What has to be saved before it is told.
    parked: parked::Lot,
    next_ticket: u64,
}

/// What a run happens in: used again for one after another.
struct Seat {
    run: Run,
    machine: Machine<Pending>,
}

/// A run and the point that it has reached.
struct Task {
    key: u64,
    seat: Box<Seat>,
    /// What the block on the machine, or the wait, returns to.
    then: Option<Pending>,
    /// It waits inside the machine.
    in_machine: bool,
    /// How long it was worked on, µs, where somebody wants to know.
    worked_us: u64,
}

enum Step {
    Finished,
    Waiting,
}

impl Worker {
    /// A worker with nothing to do yet.
    pub fn new(engine: &Arc<Engine>, number: usize, workers: usize) -> Self {
        let locals = Locals {
            vars: engine.first_locals.clone(),
            ..Locals::default()
        };
        let local = Local::new(engine);
        for hook in &engine.hooks.worker_begins {
            hook(&local);
        }
        Self {
            number,
            workers,
            local,
            script: LocalScript::new(engine.script()),
            locals,
            waiting: Slab::new(),
            backlog: VecDeque::new(),
            seats: Vec::new(),
            due: Vec::new(),
            jobs: Vec::new(),
            overdue: VecDeque::new(),
            overdue_since: Time::default(),
            outputs: Vec::new(),
            operations: Vec::new(),
            overload: Overload::default(),
            shown_wait_us: 0,
            late: Vec::new(),
            refusals: Vec::new(),
            held: Vec::new(),
            spare: Spare::default(),
            parked: parked::Lot::new(),
            next_ticket: 0,
        }
    }

    /// Takes any input of a call.
    pub fn submit(&mut self, engine: &Arc<Engine>, key: u64, input: Input, now: Now) {
        self.backlog.push_back((key, input));
        while let Some((key, input)) = self.backlog.pop_front() {
            match engine.batons.take(key, input, self.number) {
                Taken::Mine(input) => {
                    self.held.push(key);
                    self.run_call(engine, key, input, now);
                }
                Taken::Still(input) => self.run_call(engine, key, input, now),
                Taken::Queued => {}
                Taken::Refused => engine.counters.inbox_overflow.increment(),
            }
        }
    }

    /// Goes on with a run whose operation is done.
    pub fn complete(
        &mut self,
        engine: &Arc<Engine>,
        task: usize,
        completion: Completion,
        now: Now,
    ) {
        let Some(mut task) = self.waiting.try_remove(task) else {
            return;
        };
        let key = task.key;
        task.seat.run.now = now;
        if let Step::Finished = self.advance(engine, task, completion) {
            engine.batons.set_waiting(key, false);
            self.held.push(key);
        }
        self.drain_backlog(engine, now);
    }

    /// Says that the outputs taken so far were sent: the calls that they were about are free. What came for
    /// these calls meanwhile is run first, so that there may be outputs again.
    pub fn sent(&mut self, engine: &Arc<Engine>, now: Now) {
        let mut held = std::mem::take(&mut self.held);
        for key in held.drain(..) {
            let mut next = engine.batons.give_back(key, self.number);
            if next.is_some() {
                self.held.push(key);
            }
            while let Some(input) = next {
                self.run_call(engine, key, input, now);
                next = engine.batons.next(key, self.number);
            }
        }
        if self.held.is_empty() {
            self.held = held;
        }
        self.drain_backlog(engine, now);
    }

    /// The messages to send, in order. The worker's driver takes and sends them after each call, and then
    /// says `sent`, until there are none.
    pub fn outputs(&mut self) -> &mut Vec<Output> {
        &mut self.outputs
    }

    /// Whether there is nothing to send and no call to give back.
    pub fn is_idle(&self) -> bool {
        self.outputs.is_empty() && self.held.is_empty()
    }

    /// Whether more comes in than can be worked on.
    pub fn is_overloaded(&self) -> bool {
        !self.overload.is_calm()
    }

    /// The operations to start, each with the task to complete with its result.
    pub fn operations(&mut self) -> &mut Vec<(usize, Operation)> {
        &mut self.operations
    }

    /// How many runs wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn drain_backlog(&mut self, engine: &Arc<Engine>, now: Now) {
        if let Some((key, input)) = self.backlog.pop_front() {
            self.submit(engine, key, input, now);
        }
    }

    fn run_call(&mut self, engine: &Arc<Engine>, key: u64, input: Input, now: Now) {
        let task = self.begin(key, input, now);
        if let Step::Waiting = self.advance(engine, task, Completion::Value(Value::Null)) {
            engine.batons.set_waiting(key, true);
        }
    }

    fn begin(&mut self, key: u64, input: Input, now: Now) -> Task {
        self.renew_script();
        let (working, first) = match input {
            Input::Message { message, hop } => {
                self.locals.messages += 1;
                let blocks = &self.script.blocks;
                let first = if blocks.received.is_some() || blocks.pre_routing.is_some() {
                    Stage::Arrived
                } else if message.is_request() {
                    Stage::Request
                } else {
                    Stage::Reply
                };
                (Working::new(message, hop), Pending::Stage(first))
            }
            Input::Timer(id) => (crate::events::stand_in(), Pending::Stage(Stage::Timer(id))),
            Input::BranchFailed { id, branch, status } => {
                let stage = Stage::BranchFailed { id, branch, status };
                (crate::events::stand_in(), Pending::Stage(stage))
            }
            Input::BranchEnded { id, branch, status } => {
                let stage = Stage::BranchEnded { id, branch, status };
                (crate::events::stand_in(), Pending::Stage(stage))
            }
            Input::Job(job) => (crate::events::stand_in(), Pending::Native(job)),
        };
        let locals = std::mem::take(&mut self.locals);
        let mut seat = self.seats.pop().unwrap_or_else(|| self.new_seat());
        seat.run.script = self.script.clone();
        seat.run.restart(key, now, working, locals);
        if !seat.run.msg.faked {
            seat.run.print_log_prefix();
        }
        Task {
            key,
            seat,
            then: Some(first),
            in_machine: false,
            worked_us: 0,
        }
    }

    /// Takes up a configuration that was read meanwhile.
    fn renew_script(&mut self) {
        if self.local.scripts.generation() != self.script.program.generation() {
            self.script = LocalScript::new(self.local.script());
        }
        // A run that began before has perhaps brought back values of fewer names.
        let vars = &mut self.locals.vars;
        if vars.len() < self.script.locals {
            vars.resize(self.script.locals, Value::Int(0));
        }
    }

    fn new_seat(&self) -> Box<Seat> {
        Box::new(Seat {
            run: Run::new(self.local.clone()),
            machine: Machine::new(self.script.limits),
        })
    }

    fn advance(&mut self, engine: &Arc<Engine>, mut task: Task, with: Completion) -> Step {
        let started = engine.latency.map(|latency| (latency.clock)());
        if let Some(context) = &task.seat.run.log_context {
            crate::log::enter(Arc::clone(context));
        }
        let step = catch_unwind(AssertUnwindSafe(|| drive(engine, &mut task, with)));
        let step = step.unwrap_or_else(|_| {
            engine.counters.panics.increment();
            let call_id = task.seat.run.msg.message.call_id().unwrap_or_default();
            let call_id = String::from_utf8_lossy(call_id).into_owned();
            engine.log.line(
                level::BUG,
                "core",
                &format!("a run of call {call_id} panicked"),
            );
            task.seat.machine = Machine::default();
            Step::Finished
        });
        if let (Some(latency), Some(started)) = (&engine.latency, started) {
            task.worked_us += (latency.clock)().saturating_sub(started);
            let message = &task.seat.run.msg;
            if matches!(step, Step::Finished) && !message.faked {
                latency.worked(&engine.log, message.message.is_request(), task.worked_us);
            }
        }
        if task.seat.run.log_context.is_some() {
            crate::log::leave();
        }
        if let Some(wanted) = &engine.hooks.interception {
            let now = task.seat.run.now;
            self.show_sent(engine, wanted, &mut task.seat.run.out, now);
        }
        if let Some(wait) = self.must_wait(engine, &task) {
            return self.park(task, &step, wait);
        }
        self.outputs.append(&mut task.seat.run.out);
        self.backlog.extend(task.seat.run.follow_ups.drain(..));
        match step {
            Step::Waiting => {
                self.locals = task.seat.run.locals.clone();
                let operation = task.seat.run.operation.take();
                self.suspend(engine, task, operation)
            }
            Step::Finished => {
                self.finish(task);
                Step::Finished
            }
        }
    }

    /// Keeps a run until its operation is done, unless too many wait already: then it is over.
    fn suspend(&mut self, engine: &Engine, task: Task, operation: Option<Operation>) -> Step {
        if let Some(operation) = operation
            && self.waiting.len() < WAITING_MAX
        {
            engine.counters.suspended.increment();
            let at = self.waiting.insert(task);
            self.operations.push((at, operation));
            return Step::Waiting;
        }
        let text = "a run had to be given up: too many wait already";
        engine.log.line(level::ERROR, "core", text);
        self.finish(task);
        Step::Finished
    }

    fn show_received(
        &mut self,
        engine: &Engine,
        wanted: &Interception,
        bytes: Vec<u8>,
        hop: Hop,
        now: Now,
    ) -> Vec<u8> {
        let packet = Packet {
            bytes: bytes.as_slice().into(),
            incoming: true,
        };
        self.show(engine, wanted, packet, hop, now).unwrap_or(bytes)
    }

    fn show_sent(
        &mut self,
        engine: &Engine,
        wanted: &Interception,
        outputs: &mut [Output],
        now: Now,
    ) {
        for Output::Send { hop, bytes } in outputs {
            let packet = Packet {
                bytes: Arc::clone(bytes),
                incoming: false,
            };
            if let Some(replaced) = self.show(engine, wanted, packet, *hop, now) {
                *bytes = replaced.into();
            }
        }
    }

    /// Shows a packet to the script; the bytes to go on with, if they are others.
    fn show(
        &mut self,
        engine: &Engine,
        wanted: &Interception,
        packet: Packet,
        hop: Hop,
        now: Now,
    ) -> Option<Vec<u8>> {
        if packet.bytes.len() < wanted.length_min {
            return None;
        }
        self.renew_script();
        let mut seat = self.seats.pop().unwrap_or_else(|| self.new_seat());
        let locals = std::mem::take(&mut self.locals);
        let working = crate::packet::working(&packet, hop);
        let Seat { run, machine } = &mut *seat;
        run.script = self.script.clone();
        run.restart(0, now, working, locals);
        run.routes = Routes::EVENT;
        run.packet = Some(packet);
        let replaced = crate::packet::run_block(engine, wanted, run, machine);
        self.outputs.append(&mut run.out);
        self.backlog.extend(run.follow_ups.drain(..));
        self.leave(seat);
        replaced
    }

    fn finish(&mut self, task: Task) {
        self.leave(task.seat);
    }

    fn leave(&mut self, mut seat: Box<Seat>) {
        seat.run.check_in();
        self.spare.keep(seat.run.take_message());
        self.locals = std::mem::take(&mut seat.run.locals);
        seat.run.clear();
        if self.seats.len() < SEATS_MAX {
            self.seats.push(seat);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.local.end();
    }
}

/// Runs a task until it is finished or has to wait.
fn drive(engine: &Arc<Engine>, task: &mut Task, with: Completion) -> Step {
    let mut with = with;
    if task.in_machine {
        task.seat.machine.complete(with);
        match step_machine(task) {
            Some(end) => with = end,
            None => return Step::Waiting,
        }
    }
    while let Some(pending) = task.then.take() {
        match task.seat.run.resume(pending, with) {
            Outcome::Code(_) | Outcome::Stop { .. } => return Step::Finished,
            Outcome::Wait(then) => {
                task.then = Some(then);
                return Step::Waiting;
            }
            Outcome::Route {
                block,
                routes,
                then,
            } => {
                task.then = Some(then);
                if !start_block(engine, &mut task.seat, block, routes) {
                    with = Completion::Route(RouteEnd::default());
                    continue;
                }
                match step_machine(task) {
                    Some(end) => with = end,
                    None => return Step::Waiting,
                }
            }
        }
    }
    Step::Finished
}

/// Starts a block. One that was armed by an earlier configuration runs by that, and so does what comes of it. False
/// if that is too long ago.
fn start_block(engine: &Engine, seat: &mut Seat, block: BlockId, routes: Routes) -> bool {
    let Seat { run, machine } = seat;
    if !run.script.program.owns(block) {
        let Some(owner) = engine.scripts.owner(block) else {
            let text = "a route was armed by a configuration that is gone: it does not run";
            engine.log.line(level::ERROR, "core", text);
            return false;
        };
        run.script = LocalScript::new(owner);
    }
    machine.set_limits(run.script.limits);
    machine.start(&run.script.program, block, routes);
    true
}

fn step_machine(task: &mut Task) -> Option<Completion> {
    let Seat { run, machine } = &mut *task.seat;
    let script = run.script.clone();
    match machine.run(&script.program, run) {
        Progress::Ended(end) => {
            task.in_machine = false;
            Some(Completion::Route(end))
        }
        Progress::Waiting => {
            task.in_machine = true;
            None
        }
    }
}
