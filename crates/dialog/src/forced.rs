//! A state set by hand: what an operator does to a record that went wrong. Nobody is told.

use crate::effects::{EndReason, Party};
use crate::id::DialogId;
use crate::input::Now;
use crate::packed::Kind;
use crate::state::State;
use crate::tell::Cause;
use crate::tracker::{Tracker, Work};

impl Tracker {
    /// Puts a call into a state: no event, no BYE. An ended one leaves its profiles, and its record goes
    /// after `end_timeout`. Gives the state before.
    pub fn set_state(&self, id: DialogId, state: State, now: Now) -> Option<State> {
        let change = |work: &mut Work<'_>| {
            let before = work.record.state;
            if before != state {
                work.force(state);
            }
            before
        };
        self.work(id, now, Cause::Own, change)
            .map(|(before, _)| before)
    }
}

impl Work<'_> {
    fn force(&mut self, state: State) {
        self.enter(state);
        let now = self.now;
        self.record.since = now.time;
        if state == State::Deleted {
            self.tracker.unlink(self.record);
            let record = &mut *self.record;
            record.text.retain(|item| item.kind != Kind::Profile);
            record.end_ts = now.unix;
            record.ended = Some((EndReason::Forced, Party::Proxy));
            return;
        }
        let record = &mut *self.record;
        record.end_ts = 0;
        record.ended = None;
        if state.is_active() {
            if record.start_ts == 0 {
                record.start_ts = now.unix;
            }
            record.grace = false;
            record.expire_in(record.lifetime, now);
        }
        self.plan_keep_alive();
    }
}
