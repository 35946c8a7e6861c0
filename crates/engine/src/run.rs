//! One input being worked on: the message, its transaction, and everything that it will have caused.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use script::{
    Args, BlockId, BlockKind, Completion, FunctionId, Host, Index, Key, Outcome, Place, Routes,
    SetError, Value, VariableId,
};
use sip::{Hop, Message};
use transaction::{Output, TransactionId};

use crate::avp::Avps;
use crate::clock::Now;
use crate::engine::{Armed, Tx};
use crate::events::{Event, before_result};
use crate::gate::Gate;
use crate::input::Input;
use crate::local::{Local, LocalState};
use crate::log::{Context, Line, level};
use crate::pending::Pending;
use crate::scripts::LocalScript;
use crate::slots::Slots;
use crate::working::Working;

/// One input being worked on.
pub struct Run {
    /// The engine.
    pub engine: Local,
    /// The key of the call that the input is of.
    pub key: u64,
    /// When the input came; a resumed run gets the time of its resumption.
    pub now: Now,
    /// The kind of block that is running.
    pub routes: Routes,
    /// The message.
    pub msg: Working,
    /// Its transaction, checked out for the length of the run.
    pub tx: Option<Box<Tx>>,
    /// The branch that a reply or a branch or failure route is about.
    pub branch: Option<usize>,
    /// In a failure route, the reply that won; `None` when it is made up.
    pub reply: Option<Arc<Message>>,
    /// The INVITE that a CANCEL or an ACK means, if its transaction is there.
    pub invite: Option<TransactionId>,
    /// The branch whose failure route is running.
    pub failure_winner: Option<usize>,
    /// In `event_route[tm:branch-failure:…]`, the status that the branch ended with; else 0.
    pub branch_status: u16,
    /// A hook has dealt with the request: no route is to run.
    pub finished: bool,
    /// The last internal error, for error replies: Kamailio's negative numbers, -1 when nothing better is known.
    pub error: i32,
    /// An error reply owed to the client, sent when the script ends without another answer.
    pub owed_error: Option<i32>,
    /// What lives as long as the transaction, while there is none.
    pub shared: Shared,
    /// What modules attached to this message.
    pub slots: Slots,
    /// The 32 script flags of `setsflag()`.
    pub script_flags: u32,
    /// Values that outlive a message in one worker.
    pub locals: Locals,
    /// What will be sent when the run ends or waits.
    pub out: Vec<Output>,
    /// Event routes to run.
    pub events: VecDeque<Event>,
    /// Work for this call or others, by call key, to be taken up after this run.
    pub follow_ups: Vec<(u64, Input)>,
    /// What the run waits for.
    pub operation: Option<Operation>,
    /// In `onsend_route`, what is about to be sent.
    pub sending: Option<Sending>,
    /// In `event_route[network:msg]`, what was received or is about to be sent.
    pub packet: Option<crate::packet::Packet>,
    /// What is armed for the branch whose branch route is running.
    pub branch_armed: Armed,
    /// The compiled configuration that it runs by.
    pub script: LocalScript,
    /// What its log lines begin with.
    pub log_context: Option<Arc<Context>>,
}

/// A message about to be sent.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The way.
    pub hop: Hop,
    /// The whole message.
    pub bytes: Arc<[u8]>,
}

/// What lives as long as the transaction.
#[derive(Default)]
pub struct Shared {
    /// `$avp`.
    pub avps: Avps,
    /// What modules attach.
    pub slots: Slots,
    /// The blocks that are to run.
    pub armed: Armed,
    /// What is to be done otherwise than the module parameters say.
    pub wishes: Wishes,
    /// Timers and policy for the transaction to come; empty once it is there.
    pub settings: Option<Box<transaction::Settings>>,
}

impl Shared {
    fn clear(&mut self) {
        self.avps = Avps::default();
        self.slots.clear();
        self.armed = Armed::default();
        self.wishes = Wishes::default();
        self.settings = None;
    }
}

/// What a script wants otherwise than the module parameters say, for one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Whether INVITE gets a 100 at once (`t_set_auto_inv_100`).
    pub auto_100: Option<bool>,
    /// No error reply of our own when relaying fails (`t_set_disable_internal_reply`).
    pub no_internal_reply: bool,
    /// No other address is tried when one fails (`t_set_disable_failover`).
    pub no_failover: bool,
}

/// Values that outlive a message in one worker, as Kamailio's do in one process.
#[derive(Clone, Debug, Default)]
pub struct Locals {
    /// `$var`, by the number that each name got at load.
    pub vars: Vec<Value>,
    /// `$vn` and its kind.
    pub nullable: Vec<Value>,
    /// Messages seen so far (`$mi`).
    pub messages: u64,
}

/// Something that takes time, to be done by the worker's driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Look up a destination (RFC 3263), so that the resolver can answer at once afterwards.
    Resolve(transport::resolve::Query),
    /// Let this much time pass.
    Sleep(Duration),
    /// Wait until somebody opens this gate; give up after a while.
    Gate(Gate, Duration),
}

impl Run {
    /// Room for runs, with nothing to work on yet.
    pub fn new(engine: Local) -> Self {
        Self {
            key: 0,
            now: engine.started,
            script: LocalScript::new(engine.script()),
            engine,
            routes: Routes::REQUEST,
            msg: crate::events::stand_in(),
            tx: None,
            branch: None,
            reply: None,
            invite: None,
            failure_winner: None,
            branch_status: 0,
            finished: false,
            error: crate::errors::SERVER,
            owed_error: None,
            shared: Shared::default(),
            slots: Slots::default(),
            script_flags: 0,
            locals: Locals::default(),
            out: Vec::new(),
            events: VecDeque::new(),
            follow_ups: Vec::new(),
            operation: None,
            sending: None,
            packet: None,
            branch_armed: Armed::default(),
            log_context: None,
        }
    }

    /// Begins to work on a message. Whatever was before has been cleared away.
    pub(crate) fn restart(&mut self, key: u64, now: Now, msg: Working, locals: Locals) {
        self.key = key;
        self.now = now;
        self.routes = Routes::REQUEST;
        self.msg = msg;
        self.branch = None;
        self.reply = None;
        self.invite = None;
        self.failure_winner = None;
        self.branch_status = 0;
        self.finished = false;
        self.error = crate::errors::SERVER;
        self.owed_error = None;
        self.script_flags = 0;
        self.locals = locals;
        self.operation = None;
        self.sending = None;
        self.branch_armed = Armed::default();
        self.log_context = None;
    }

    /// The message, which is worked on no more.
    pub(crate) fn take_message(&mut self) -> Arc<Message> {
        std::mem::replace(&mut self.msg.message, crate::events::no_message())
    }

    /// Lets go of everything that others may hold in common with this run, and keeps its room.
    pub(crate) fn clear(&mut self) {
        self.tx = None;
        self.reply = None;
        self.sending = None;
        self.packet = None;
        self.shared.clear();
        self.slots.clear();
        self.events.clear();
        self.out.clear();
        self.follow_ups.clear();
    }

    /// What lives as long as the transaction: the transaction's own, or the message's while there is none.
    pub fn shared(&mut self) -> &mut Shared {
        match &mut self.tx {
            Some(tx) => &mut tx.data.shared,
            None => &mut self.shared,
        }
    }

    /// The same, to read.
    pub fn shared_ref(&self) -> &Shared {
        match &self.tx {
            Some(tx) => &tx.data.shared,
            None => &self.shared,
        }
    }

    /// A module's state.
    ///
    /// # Panics
    /// When the module was not initialised, which the load order rules out for a module's own functions.
    pub fn state<T: std::any::Any + Send + Sync>(&self) -> LocalState<T> {
        self.engine
            .state::<T>()
            .expect("the module that owns this function was initialised")
    }

    /// The blocks armed for what is sent next: the branch's own in a branch route, else the transaction's.
    pub fn armed(&mut self) -> &mut Armed {
        if self.routes.intersects(Routes::BRANCH) {
            return &mut self.branch_armed;
        }
        &mut self.shared().armed
    }

    /// Timers and policy of the transaction, of the one to come while there is none.
    pub fn transaction_settings(&mut self) -> &mut transaction::Settings {
        if let Some(tx) = &mut self.tx {
            return tx.settings_mut();
        }
        let defaults = &self.engine.settings.transactions;
        let kept = &mut self.shared.settings;
        kept.get_or_insert_with(|| Box::new(*defaults))
    }

    /// Writes a log line of a part of the program.
    pub fn log(&self, level: i32, part: &str, text: &str) {
        self.engine.log.line(level, part, text);
    }

    /// The call that this run is about.
    pub fn call_key(&self) -> u64 {
        self.tx.as_ref().map_or(self.key, |tx| tx.call_key())
    }

    /// The route block of this kind and name; where routes are functions of another language, the function.
    pub fn find_block(&self, kind: BlockKind, name: &str) -> Option<BlockId> {
        if self.engine.foreign.is_engine() {
            return self.engine.foreign.block(name, None);
        }
        self.script.program.block(kind, name)
    }

    /// The status of the reply at hand; 0 in a request.
    pub fn reply_status(&self) -> u16 {
        self.msg.status.or(self.msg.message.status()).unwrap_or(0)
    }
}

impl Run {
    /// A call with a new log prefix before it, or with its time taken.
    fn observed_call(&mut self, function: FunctionId, args: &mut Args<'_>) -> Outcome<Pending> {
        let engine = self.engine.clone();
        if self.script.log_prefix.as_ref().is_some_and(|p| p.each_call) {
            self.print_log_prefix();
        }
        let start = engine.latency.map_or(0, |latency| (latency.clock)());
        let outcome = engine.catalog.handler(function)(self, args);
        if let Some(latency) = &engine.latency {
            let name = engine.catalog.function_name(function);
            latency.called(&engine.log, start, name, args.place());
        }
        before_result(self, outcome)
    }
}

impl Host for Run {
    type Pending = Pending;

    fn call(&mut self, function: FunctionId, args: &mut Args<'_>) -> Outcome<Pending> {
        if self.script.observes_calls {
            return self.observed_call(function, args);
        }
        let handler = self.engine.catalog.handler(function);
        let outcome = handler(self, args);
        before_result(self, outcome)
    }

    fn resume(&mut self, pending: Pending, with: Completion) -> Outcome<Pending> {
        let outcome = pending.resume(self, with);
        before_result(self, outcome)
    }

    fn foreign(&mut self, number: u32) -> Outcome<Pending> {
        let outcome = crate::foreign::Foreign::run(self, number);
        before_result(self, outcome)
    }

    fn get(&mut self, id: VariableId, key: &Key, index: Index) -> Value {
        (self.engine.catalog.variable_row(id).get)(self, key, index)
    }

    fn slots(&mut self) -> &mut [Value] {
        &mut self.locals.vars
    }

    fn set(
        &mut self,
        id: VariableId,
        key: &Key,
        index: Index,
        value: Value,
    ) -> Result<(), SetError> {
        match self.engine.catalog.variable_row(id).set {
            Some(set) => set(self, key, index, value),
            None => Err(SetError("the variable is read-only".to_owned())),
        }
    }

    fn is_myself(&mut self, operand: VariableId) -> bool {
        let name = self.engine.catalog.variable_row(operand).name;
        crate::myself::operand_is_myself(self, name)
    }

    fn complain(&mut self, level: i32, place: Place<'_>, text: &str) {
        if self.engine.log.enabled(level) {
            let text = format!(
                "{}:{}:{}: in {}: {text}",
                place.file, place.line, place.column, place.block
            );
            self.engine.log.write(Line {
                level: level.max(level::ALERT),
                facility: None,
                part: "core".into(),
                mark: "<core>: ".into(),
                text,
            });
        }
    }
}
