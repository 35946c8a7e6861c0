//! How a call ends without its parties: by its deadline, by the embedding program, by never beginning;
//! and when its record goes.

use parking_lot::Mutex;
use timer::Time;

use crate::effects::{Effects, EndReason, Ending, Event, Party};
use crate::flags::{dflags, iflags};
use crate::id::DialogId;
use crate::input::{Now, Reply, Side};
use crate::local::{LegKey, LegOutcome};
use crate::shard::Shard;
use crate::state::{Input, Outcome, State};
use crate::stats::Counters;
use crate::tell::Cause;
use crate::tracker::{Tracker, Work};

/// A call whose deadline passed is reported again after this, until `timeout` was called.
const REPEAT_MS: u64 = 5_000;

/// A call whose deadline has passed, or whose keep-alive is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The call.
    pub id: DialogId,
    /// Its Call-ID: what the caller serialises by.
    pub call_id: Vec<u8>,
    /// No deadline has passed: a keep-alive is due ([`Tracker::keep_alive`]).
    pub keep_alive: bool,
}

/// Which deadline of a call has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// No answer within `early_timeout`.
    Early,
    /// No ACK within `noack_timeout`.
    NoAck,
    /// The lifetime is over; the timeout route runs before [`Tracker::timeout`].
    Lifetime,
    /// The record of an ended call has waited for `end_timeout`.
    Record,
}

/// Which sides of a call a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Both; the caller first.
    All,
    /// One alone. The call is over all the same.
    One(Side),
}

impl Sides {
    fn list(&self) -> &[Side] {
        match self {
            Self::All => &[Side::Caller, Side::Callee],
            Self::One(side) => std::slice::from_ref(side),
        }
    }
}

impl Tracker {
    /// The calls of one part of the table (0..[`SHARDS`](Self::SHARDS)) whose deadline has passed.
    ///
    /// Take each call's turn, then ask [`passed_deadline`](Self::passed_deadline) and call
    /// [`timeout`](Self::timeout). To be called at least once a second for every part.
    pub fn due(&self, shard: usize, now: Now) -> Vec<Due> {
        let Some(shard) = self.shards.get(shard) else {
            return Vec::new();
        };
        let (mut places, mut due) = (Vec::new(), Vec::new());
        let mut guard = shard.lock();
        let shard = &mut *guard;
        shard.wheel.advance(now.time, &mut places);
        for place in places {
            let Some(record) = shard.records.get_mut(place) else {
                continue;
            };
            let wake = record.wake(&self.settings);
            let passed = wake <= now.time;
            let again = if passed {
                now.time.plus_millis(REPEAT_MS)
            } else {
                wake
            };
            record.timer = Some(shard.wheel.insert(again, place));
            if passed {
                due.push(Due {
                    id: record.id,
                    call_id: record.call_id().to_vec(),
                    keep_alive: record.deadline(&self.settings) > now.time,
                });
            }
        }
        due
    }

    /// A moment before which no deadline passes in any part; `None` for an empty tracker.
    pub fn next_deadline(&self) -> Option<Time> {
        let next = |shard: &Mutex<Shard>| shard.lock().wheel.next_deadline();
        self.shards.iter().filter_map(next).min()
    }

    /// Which deadline of this call has passed; `None` if none has, or the call is gone.
    pub fn passed_deadline(&self, id: DialogId, now: Now) -> Option<Deadline> {
        self.read(id, |record| {
            let passed = record.deadline(&self.settings) <= now.time;
            passed.then_some(match record.state {
                State::Unconfirmed | State::Early => Deadline::Early,
                State::ConfirmedNoAck if record.expires > now.time => Deadline::NoAck,
                State::ConfirmedNoAck | State::Confirmed => Deadline::Lifetime,
                State::Deleted => Deadline::Record,
            })
        })?
    }

    /// Acts on a deadline that has passed. Nothing happens if it was moved meanwhile.
    pub fn timeout(&self, id: DialogId, now: Now) -> Option<Effects> {
        let deadline = self.passed_deadline(id, now);
        self.work(id, now, Cause::Own, |work| {
            if let Some(deadline) = deadline {
                work.timeout(deadline);
            }
        })
        .map(|(_, effects)| effects)
    }

    /// Ends a call: BYE to the sides that had none, or word that its INVITE has to be refused.
    pub fn end_local(&self, id: DialogId, sides: Sides, now: Now) -> Option<Ending> {
        let (ending, effects) = self.work(id, now, Cause::Own, |work| work.end_local(sides))?;
        Some(ending.unwrap_or_else(|| Ending::Ended(Box::new(effects))))
    }

    /// Notes what became of a BYE among the effects. The record goes when all are known and nobody
    /// holds it. True if the record went with it.
    pub fn leg_done(&self, id: DialogId, leg: &LegKey, outcome: LegOutcome) -> bool {
        self.note_leg(id, leg, outcome, None)
    }

    /// The same for a final reply to that BYE, which observers see.
    pub fn leg_answered(&self, id: DialogId, leg: &LegKey, reply: &Reply<'_>) -> bool {
        self.note_leg(id, leg, LegOutcome::Answered(reply.status), Some(reply))
    }

    fn note_leg(
        &self,
        id: DialogId,
        leg: &LegKey,
        outcome: LegOutcome,
        reply: Option<&Reply<'_>>,
    ) -> bool {
        let change = |work: &mut Work<'_>| {
            if work.record.leg_done(leg, outcome) {
                work.event(Event::ByeAnswered);
                work.remove_if_done();
            }
            work.effects.removed
        };
        let cause = Cause::Bye(leg, outcome, reply);
        let done = self.work(id, Now::NEVER, cause, change);
        done.is_some_and(|(removed, _)| removed)
    }

    /// Notes what was done towards one side to end a call before its answer. A pending outcome keeps the record until
    /// [`leg_done`](Self::leg_done).
    pub fn note_early_end(&self, id: DialogId, side: Side, outcome: LegOutcome) {
        self.edit(id, |work| {
            work.record.outcome[side as usize] = outcome;
            work.remove_if_done();
        });
    }

    /// The INVITE was answered without being relayed: the record goes, and nobody is told.
    pub fn abandon(&self, id: DialogId, now: Now) -> Option<Effects> {
        let change = |work: &mut Work<'_>| {
            if let Outcome::To(_) = work.outcome(Input::Abandon) {
                work.ended(EndReason::Abandoned, Party::Proxy);
                work.remove_if_done();
            }
        };
        let done = self.work(id, now, Cause::Own, change);
        done.map(|(_, effects)| effects)
    }

    /// Forgets a call that is for somebody else to end: nobody is told. False if it was gone.
    pub fn forget(&self, id: DialogId) -> bool {
        self.edit(id, |work| work.effects.removed = true).is_some()
    }

    /// Keeps the record of a call, once it is over, until [`release`](Self::release).
    pub fn hold(&self, id: DialogId) -> bool {
        self.edit(id, |work| {
            work.record.holds = work.record.holds.saturating_add(1)
        })
        .is_some()
    }

    /// Undoes one [`hold`](Self::hold). True if the record went with it.
    pub fn release(&self, id: DialogId) -> bool {
        self.edit(id, |work| {
            work.record.holds = work.record.holds.saturating_sub(1);
            work.remove_if_done();
            work.effects.removed
        })
        .unwrap_or(false)
    }
}

impl Work<'_> {
    fn timeout(&mut self, deadline: Deadline) {
        if deadline == Deadline::NoAck {
            self.record.begin_grace(self.now);
            self.record.dflags |= dflags::CHANGED;
            self.effects.no_ack = true;
            return;
        }
        match self.outcome(Input::Timeout) {
            Outcome::Remove => self.effects.removed = true,
            Outcome::To(_) if deadline == Deadline::Early => {
                self.ended(EndReason::EarlyTimeout, Party::Proxy);
                self.effects.wait_for_transaction = true;
            }
            Outcome::To(_) => self.expire(),
            _ => {}
        }
    }

    fn expire(&mut self) {
        let reason = match () {
            () if self.record.grace => EndReason::NoAck,
            () if self.record.keep_alive.is_lost() => EndReason::KeepAlive,
            () => EndReason::Expired,
        };
        self.record.dflags |= dflags::EXPIRED;
        Counters::add(&self.tracker.counters.expired);
        self.ended(reason, Party::Proxy);
        if self.record.iflags & iflags::TIMEOUT_BYE != 0 {
            self.record.bye(Sides::All.list(), &mut self.effects);
        } else {
            self.event(Event::Expired);
        }
    }

    /// `None` if there are effects to be looked at.
    fn end_local(&mut self, sides: Sides) -> Option<Ending> {
        if self.record.state.is_pending() {
            self.record.rejected = true;
            return Some(Ending::Early {
                transaction: self.record.transaction(),
            });
        }
        if let Outcome::To(_) = self.outcome(Input::LocalEnd) {
            self.ended(EndReason::Local, Party::Proxy);
        } else if !self.record.answered || self.record.has_bye() {
            return Some(Ending::Already);
        }
        self.record.bye(sides.list(), &mut self.effects);
        let nothing = self.effects.changed.is_none() && self.effects.byes.is_empty();
        nothing.then_some(Ending::Already)
    }

    fn remove_if_done(&mut self) {
        let record = &self.record;
        if record.state == State::Deleted && record.holds == 0 && !record.awaits_leg() {
            self.effects.removed = true;
        }
    }
}
