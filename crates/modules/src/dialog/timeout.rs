//! Deadlines of calls: found at each tick, acted on in the call's turn.

use std::sync::Arc;

use dialog::{Deadline, DialogId, Side, Tracker};
use engine::{Engine, Input, Pending, Resume, Run, TickContext, level, stand_in};
use script::{BlockId, BlockKind, Completion, Outcome, Routes};

use super::carry::carry_out;
use super::context;
use super::ending::End;
use super::keep_alive::Ask;
use super::outgoing;
use super::state::{State, moment};

/// Hands out work for the calls of this worker's part whose deadline has passed.
pub(super) fn tick(engine: &Arc<Engine>, context: &mut TickContext<'_>) {
    let Some(state) = engine.state::<State>() else {
        return;
    };
    let now = moment(context.now);
    state.tick(now);
    if context.worker == 0 && context.part == 0 {
        if state.sweep_is_due(now) {
            state.tracker.expire_remote(now);
            state.subscriptions.sweep(now.time);
        }
        for wanted in state.tracker.terminations() {
            let key = engine.call_key(&wanted.call_id);
            context.jobs.push((key, End::wanted(engine, &wanted)));
        }
    }
    for shard in context.shards(Tracker::SHARDS) {
        for due in state.tracker.due(shard, now) {
            let key = engine.call_key(&due.call_id);
            let job: Box<dyn Resume> = if due.keep_alive {
                Box::new(Ask(due.id))
            } else {
                Box::new(Expiry {
                    id: due.id,
                    route_ran: false,
                })
            };
            context.jobs.push((key, Input::Job(job)));
        }
    }
}

/// A call whose deadline has passed.
struct Expiry {
    id: DialogId,
    route_ran: bool,
}

impl Resume for Expiry {
    fn resume(mut self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        let state = run.state::<State>();
        if state.is_own_only && self.is_of_another_node(run, &state) {
            return Outcome::Code(1);
        }
        if !self.route_ran
            && let Some(block) = self.timeout_route(run, &state)
        {
            self.route_ran = true;
            run.routes = Routes::REQUEST;
            run.slots = context::slots_of(&state.tracker, self.id);
            return Outcome::Route {
                block,
                routes: Routes::REQUEST,
                then: Pending::Native(self),
            };
        }
        // The record may go with what the timeout does, and not with the route's own hold.
        run.slots = engine::Slots::default();
        if let Some(effects) = state.tracker.timeout(self.id, moment(run.now)) {
            if effects.events.contains(&dialog::Event::Expired) {
                let text = format!("call {}: its lifetime is over", self.id);
                run.log(level::WARNING, "dialog", &text);
            }
            carry_out(run, &state, self.id, effects, |_| stand_in());
        }
        Outcome::Code(1)
    }
}

impl Expiry {
    /// Whether the call is another node's to end. When that did not happen for as long as the record of an ended
    /// call stays, it is forgotten here.
    fn is_of_another_node(&self, run: &Run, state: &State) -> bool {
        let now = moment(run.now);
        if state.tracker.passed_deadline(self.id, now) != Some(Deadline::Lifetime) {
            return false;
        }
        let Some(view) = state.tracker.snapshot(self.id, now) else {
            return true;
        };
        let socket = view.leg(Side::Caller).socket.unwrap_or_default();
        if outgoing::is_own(&run.engine, socket) {
            return false;
        }
        let since = now.unix.saturating_sub(view.timeout());
        if since >= state.tracker.settings().end_timeout {
            state.tracker.forget(self.id);
        }
        true
    }

    /// The route to run first, when the lifetime of an answered call is over.
    fn timeout_route(&self, run: &Run, state: &State) -> Option<BlockId> {
        let now = moment(run.now);
        if state.tracker.passed_deadline(self.id, now) != Some(Deadline::Lifetime) {
            return None;
        }
        let view = state.tracker.snapshot(self.id, now)?;
        let name = std::str::from_utf8(view.timeout_route()?).ok()?;
        // An `event_callback` is told of it like of any event.
        if run.engine.foreign.is_engine()
            && let Some(block) = run.script.event("dialog:timeout")
        {
            return Some(block);
        }
        run.find_block(BlockKind::Request, name)
    }
}
