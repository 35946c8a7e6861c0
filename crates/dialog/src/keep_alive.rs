//! Asking the parties of a call whether they are still there, and what follows when one is not.

use timer::Time;

use crate::flags::{dflags, iflags, unsaved};
use crate::id::DialogId;
use crate::input::{Now, Side};
use crate::local::LocalRequest;
use crate::state::State;
use crate::tell::Cause;
use crate::tracker::{Tracker, Work};

/// Seconds that a call gets when a party has missed too many keep-alives.
const LOST_SECS: u32 = 10;

/// What a record knows of its keep-alives.
#[derive(Clone, Debug)]
pub(crate) struct KeepAliveState {
    /// When the next ones are sent; `NEVER` for a call that asks for none.
    pub(crate) next: Time,
    /// Unanswered ones in a row, of each side.
    pub(crate) missed: [u32; 2],
    /// What the deadline was before the last ten seconds began.
    before: Option<Box<Before>>,
}

#[derive(Clone, Debug)]
struct Before {
    lifetime: u32,
    expires: Time,
    expires_unix: u32,
}

impl Default for KeepAliveState {
    fn default() -> Self {
        Self {
            next: Time::NEVER,
            missed: [0; 2],
            before: None,
        }
    }
}

impl KeepAliveState {
    /// Whether the call runs out because a party does not answer.
    pub(crate) fn is_lost(&self) -> bool {
        self.before.is_some()
    }

    /// The deadline was set anew: there is nothing to go back to.
    pub(crate) fn forget(&mut self) {
        self.before = None;
    }
}

/// What the answer to a keep-alive meant for its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// The party is there, or the call is past caring.
    Alive,
    /// It is there again: the call has its old deadline back.
    Recovered,
    /// It missed this one, and may miss more.
    Missed,
    /// It missed as many as the limit allows: the call ends in ten seconds.
    Lost,
}

impl Tracker {
    /// The keep-alives of a call that are due, caller's first; the next ones are planned.
    pub fn keep_alive(&self, id: DialogId, now: Now) -> Vec<LocalRequest> {
        let change = |work: &mut Work<'_>| {
            let record = &mut *work.record;
            if record.state != State::Confirmed || record.keep_alive.next > work.now.time {
                return Vec::new();
            }
            let wanted = [
                (Side::Caller, iflags::KA_CALLER),
                (Side::Callee, iflags::KA_CALLEE),
            ];
            let asked = record.iflags;
            let requests = wanted
                .into_iter()
                .filter(|(_, flag)| asked & flag != 0)
                .filter_map(|(side, _)| record.keep_alive_request(side))
                .collect();
            record.keep_alive.next = Time::NEVER;
            work.plan_keep_alive();
            requests
        };
        self.work(id, now, Cause::Own, change)
            .map(|(requests, _)| requests)
            .unwrap_or_default()
    }

    /// What a party answered: `alive` is false when it did not, or knows of no such call.
    pub fn kept_alive(&self, id: DialogId, side: Side, alive: bool, now: Now) -> KeepAlive {
        let change = |work: &mut Work<'_>| match () {
            () if work.record.state != State::Confirmed => KeepAlive::Alive,
            () if alive => work.heard_from(side),
            () => work.missed(side),
        };
        self.work(id, now, Cause::Own, change)
            .map_or(KeepAlive::Alive, |(verdict, _)| verdict)
    }
}

impl Work<'_> {
    /// Plans the next keep-alives of a call that has begun, or ceased, to ask for them.
    pub(crate) fn plan_keep_alive(&mut self) {
        let settings = &self.tracker.settings;
        let record = &mut *self.record;
        let wanted = record.iflags & (iflags::KA_CALLER | iflags::KA_CALLEE) != 0;
        let state = &mut record.keep_alive;
        if !wanted || settings.keep_alive_interval == 0 || record.state != State::Confirmed {
            state.next = Time::NEVER;
        } else if state.next == Time::NEVER {
            let spread = u64::from(settings.keep_alive_spread) * 1000;
            let scattered = u64::from(record.id.h_id ^ record.id.h_entry.rotate_left(16))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                >> 32;
            let wait = u64::from(settings.keep_alive_interval) * 1000;
            let shift = scattered.checked_rem(spread).unwrap_or(0);
            state.next = self.now.time.plus_millis(wait + shift);
        }
    }

    /// A party showed that it is there.
    pub(crate) fn heard_from(&mut self, side: Side) -> KeepAlive {
        let record = &mut *self.record;
        record.keep_alive.missed[side as usize] = 0;
        let limit = self.tracker.settings.keep_alive_limit;
        if record
            .keep_alive
            .missed
            .iter()
            .any(|&missed| missed >= limit)
        {
            return KeepAlive::Alive;
        }
        let Some(before) = record.keep_alive.before.take() else {
            return KeepAlive::Alive;
        };
        record.lifetime = before.lifetime;
        record.expires = before.expires;
        record.expires_unix = before.expires_unix;
        record.unsaved |= unsaved::ROW;
        record.dflags |= dflags::CHANGED;
        KeepAlive::Recovered
    }

    fn missed(&mut self, side: Side) -> KeepAlive {
        let record = &mut *self.record;
        let missed = &mut record.keep_alive.missed[side as usize];
        *missed = missed.saturating_add(1);
        if *missed < self.tracker.settings.keep_alive_limit || record.keep_alive.is_lost() {
            return KeepAlive::Missed;
        }
        record.keep_alive.before = Some(Box::new(Before {
            lifetime: record.lifetime,
            expires: record.expires,
            expires_unix: record.expires_unix,
        }));
        record.lifetime = LOST_SECS;
        record.expire_in(LOST_SECS, self.now);
        record.dflags |= dflags::CHANGED;
        KeepAlive::Lost
    }
}
