//! The table of calls, and how one call is changed: under its shard's lock, with the deadline,
//! the counters and the profiles kept true in one place.

use std::hash::RandomState;
use std::sync::OnceLock;

use parking_lot::Mutex;

use crate::effects::{Effects, EndReason, Event, Party};
use crate::flags::{dflags, unsaved};
use crate::id::{Cookie, DialogId, Numbering, core_hash};
use crate::input::Now;
use crate::layout::{Layout, SHARDS};
use crate::observe::Observers;
use crate::packed::Kind;
use crate::profile::Profiles;
use crate::record::Record;
use crate::remote::RemoteMembers;
use crate::settings::{MatchMode, Settings, SettingsError};
use crate::shard::Shard;
use crate::state::{Input, Outcome, State, outcome};
use crate::stats::{Counters, Resettable, Statistics};
use crate::stored::Journal;
use crate::tell::Cause;
use crate::terminate::Terminations;

/// Knows every call in progress.
///
/// All methods take `&self`; calls with different Call-IDs may be worked on by several threads at
/// once. The caller sees to it that inputs of one Call-ID come one after the other, in the order in
/// which they arrived. No lock is held when a method returns, and none while an observer runs.
/// A method that is given an id answers `None` or false when that call is gone.
#[derive(Debug)]
pub struct Tracker {
    pub(crate) settings: Settings,
    pub(crate) numbers: Numbering,
    pub(crate) profiles: Profiles,
    pub(crate) remote: RemoteMembers,
    pub(crate) layout: Layout,
    pub(crate) shards: Box<[Mutex<Shard>]>,
    pub(crate) counters: Counters,
    pub(crate) observers: Observers,
    pub(crate) terminations: Terminations,
    pub(crate) hasher: RandomState,
    pub(crate) journal: OnceLock<Box<dyn Journal>>,
}

impl Tracker {
    /// How many parts the table has; each has its own deadlines, see [`due`](Self::due).
    pub const SHARDS: usize = SHARDS;

    /// An empty tracker. Settings that nearly work are rounded, see [`Settings::sanitise`].
    pub fn new(mut settings: Settings, now: Now) -> Result<Self, SettingsError> {
        settings.sanitise()?;
        let numbers = Numbering {
            start: settings.h_id_start,
            step: settings.h_id_step,
        };
        let layout = Layout::new(settings.hash_size);
        let shard = |i| Mutex::new(Shard::new(layout.slots_of(i), &settings, numbers, now.time));
        Ok(Self {
            numbers,
            profiles: Profiles::new(&settings.profiles),
            remote: RemoteMembers::default(),
            layout,
            shards: (0..SHARDS as u32).map(shard).collect(),
            counters: Counters::default(),
            observers: Observers::default(),
            terminations: Terminations::default(),
            hasher: RandomState::new(),
            journal: OnceLock::new(),
            settings,
        })
    }

    /// The settings in use.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The counters.
    pub fn statistics(&self) -> Statistics {
        self.counters.read()
    }

    /// Sets one counter to zero.
    pub fn reset_statistic(&self, which: Resettable) {
        self.counters.reset(which);
    }

    /// The slot of a Call-ID.
    pub fn h_entry(&self, call_id: &[u8]) -> u32 {
        core_hash(call_id) & (self.settings.hash_size - 1)
    }

    /// The Record-Route parameter's value for a call; `None` if this match mode has no cookies.
    pub fn cookie(&self, id: DialogId) -> Option<Cookie> {
        (self.settings.match_mode != MatchMode::DidNone).then(|| Cookie::new(id))
    }

    pub(crate) fn shard(&self, h_entry: u32) -> &Mutex<Shard> {
        &self.shards[self.layout.shard_of(h_entry)]
    }

    pub(crate) fn read<R>(&self, id: DialogId, look: impl FnOnce(&Record) -> R) -> Option<R> {
        self.shard(id.h_entry).lock().get(id).map(look)
    }

    /// Changes one call; its timer follows the deadline, and a removed record leaves the table. Then
    /// observers are told, without a lock.
    pub(crate) fn work<R>(
        &self,
        id: DialogId,
        now: Now,
        cause: Cause<'_>,
        change: impl FnOnce(&mut Work<'_>) -> R,
    ) -> Option<(R, Effects)> {
        let mut guard = self.shard(id.h_entry).lock();
        let shard = &mut *guard;
        let place = shard.place(id)?;
        let record = shard.records.get_mut(place)?;
        let before = record.wake(&self.settings);
        let mut work = Work {
            tracker: self,
            record,
            now,
            effects: Effects::default(),
        };
        let result = change(&mut work);
        let effects = work.effects;
        let deadline = record.wake(&self.settings);
        let journal = self.journal.get();
        let journal = journal.filter(|_| record.has_news(effects.removed));
        let news = journal.map(|journal| (journal, journal.group(record.call_id())));
        if deadline != before && !effects.removed {
            if let Some(timer) = record.timer {
                shard.wheel.cancel(timer);
            }
            record.timer = Some(shard.wheel.insert(deadline, place));
        }
        let witness = match self.observers.are_there() {
            true => self.witness(shard, place, &effects, now),
            false => None,
        };
        if effects.removed {
            self.drop_record(shard, id);
        }
        drop(guard);
        if let Some((journal, group)) = news {
            journal.changed(group, id);
        }
        if let Some(witness) = witness {
            self.tell(&witness, &effects, cause);
        }
        Some((result, effects))
    }

    fn drop_record(&self, shard: &mut Shard, id: DialogId) {
        if let Some(record) = shard.remove(id, &self.hasher) {
            self.unlink(&record);
            self.counters.moved(Some(record.state), None);
        }
    }

    pub(crate) fn unlink(&self, record: &Record) {
        for (membership, value) in record.memberships() {
            self.profiles.remove(membership, value, record.id);
        }
    }
}

/// One call while it is being changed.
pub(crate) struct Work<'a> {
    pub(crate) tracker: &'a Tracker,
    pub(crate) record: &'a mut Record,
    pub(crate) now: Now,
    pub(crate) effects: Effects,
}

impl Work<'_> {
    /// What the table says of an input now; what cannot be is noted.
    pub(crate) fn outcome(&mut self, input: Input) -> Outcome {
        let outcome = match outcome(self.record.state, input) {
            Outcome::Revive if self.record.answered => Outcome::Bogus,
            Outcome::Revive => Outcome::To(State::ConfirmedNoAck),
            other => other,
        };
        if outcome == Outcome::Bogus {
            self.effects.bogus = true;
            Counters::add(&self.tracker.counters.bogus);
        }
        outcome
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.effects.events.push(event);
    }

    /// Moves to another state. Every change of a state passes here.
    pub(crate) fn enter(&mut self, new: State) {
        let old = std::mem::replace(&mut self.record.state, new);
        self.record.unsaved |= unsaved::ROW;
        self.tracker.counters.moved(Some(old), Some(new));
        self.effects.changed = Some((old, new));
    }

    /// The call was answered: its lifetime runs from here.
    pub(crate) fn answered(&mut self) {
        self.enter(State::ConfirmedNoAck);
        let record = &mut *self.record;
        record.since = self.now.time;
        record.start_ts = self.now.unix;
        record.end_ts = 0;
        record.ended = None;
        record.dflags |= dflags::NEW;
        record.unsaved |= unsaved::ROW | unsaved::VARIABLES;
        record.expire_in(record.lifetime, self.now);
        self.event(Event::Start);
    }

    /// The call is over: it leaves its profiles now, and its record waits for `end_timeout`.
    pub(crate) fn ended(&mut self, reason: EndReason, by: Party) {
        let was_answered = self.record.state.is_active();
        self.enter(State::Deleted);
        self.tracker.unlink(self.record);
        let record = &mut *self.record;
        record.text.retain(|item| item.kind != Kind::Profile);
        record.since = self.now.time;
        record.end_ts = self.now.unix;
        record.ended = Some((reason, by));
        if reason == EndReason::Abandoned {
            return;
        }
        if was_answered {
            self.event(Event::End);
        } else {
            Counters::add(&self.tracker.counters.failed);
            self.event(Event::Failed);
        }
    }
}
