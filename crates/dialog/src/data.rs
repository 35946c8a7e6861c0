//! What scripts and commands attach to a call: lifetime, flags, variables, a transaction.

use crate::flags::{dflags, unsaved};
use crate::id::DialogId;
use crate::input::Now;
use crate::packed::{Item, Kind};
use crate::state::State;
use crate::stats::Counters;
use crate::tell::Cause;
use crate::tracker::{Tracker, Work};

/// Why a variable was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VariableError {
    /// There is no such call any more.
    NoCall,
    /// The call carries as much as it may (`max_items_bytes`), or the name has over 65,535 bytes.
    TooLarge,
}

impl std::fmt::Display for VariableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoCall => "no such call",
            Self::TooLarge => "the call carries too many variables and profile values",
        })
    }
}

impl std::error::Error for VariableError {}

impl Tracker {
    /// Sets the lifetime in seconds; an answered call's runs anew from now. False for 0, for a
    /// call that is over, and for one that is gone.
    pub fn set_timeout(&self, id: DialogId, seconds: u32, now: Now) -> bool {
        let change = |work: &mut Work<'_>| {
            let record = &mut *work.record;
            if seconds == 0 || record.state == State::Deleted {
                return false;
            }
            record.lifetime = seconds;
            record.unsaved |= unsaved::ROW;
            record.lifetime_before_grace = 0;
            record.keep_alive.forget();
            if record.state.is_active() {
                record.expire_in(seconds, work.now);
                record.dflags |= dflags::CHANGED;
            }
            true
        };
        self.work(id, now, Cause::Own, change)
            .is_some_and(|(set, _)| set)
    }

    /// Names the route that runs when the lifetime is over; empty for none.
    pub fn set_timeout_route(&self, id: DialogId, name: &[u8]) -> bool {
        self.edit(id, |work| work.record.set_timeout_route(name))
            .is_some()
    }

    /// Changes the script flags: `clear` first, then `set`. Gives the flags after that.
    pub fn change_sflags(&self, id: DialogId, clear: u32, set: u32) -> Option<u32> {
        self.edit(id, |work| {
            let sflags = work.record.sflags & !clear | set;
            if std::mem::replace(&mut work.record.sflags, sflags) != sflags {
                work.record.unsaved |= unsaved::ROW;
            }
            work.record.sflags
        })
    }

    /// Changes the properties ([`iflags`](crate::iflags)) likewise. They act from now on.
    pub fn change_iflags(&self, id: DialogId, clear: u32, set: u32, now: Now) -> Option<u32> {
        self.work(id, now, Cause::Own, |work| {
            let iflags = work.record.iflags & !clear | set;
            if std::mem::replace(&mut work.record.iflags, iflags) != iflags {
                work.record.unsaved |= unsaved::ROW;
            }
            work.plan_keep_alive();
            work.record.iflags
        })
        .map(|(iflags, _)| iflags)
    }

    /// Notes the transaction of the INVITE, or that it is gone. The number is the caller's own.
    pub fn set_transaction(&self, id: DialogId, transaction: Option<u64>) -> bool {
        self.edit(id, |work| {
            work.record.set_transaction(transaction);
            if transaction.is_some() {
                work.record.dflags |= dflags::TRANSACTION;
            }
        })
        .is_some()
    }

    /// The transaction of the INVITE, if it was noted.
    pub fn transaction(&self, id: DialogId) -> Option<u64> {
        self.read(id, |record| record.transaction())?
    }

    /// A variable's value. Also of a call that is over, as long as its record is there.
    pub fn variable(&self, id: DialogId, name: &[u8]) -> Option<Vec<u8>> {
        self.read(id, |record| {
            let mut variables = record.items().of_kind(Kind::Variable);
            variables
                .find(|variable| variable.0 == name)
                .map(|variable| variable.1.to_vec())
        })?
    }

    /// Sets a variable; one that exists keeps its place in the list.
    pub fn set_variable(
        &self,
        id: DialogId,
        name: &[u8],
        value: &[u8],
    ) -> Result<(), VariableError> {
        let item = Item {
            kind: Kind::Variable,
            key: name,
            value,
        };
        self.edit(id, |work| work.put_variable(item))
            .unwrap_or(Err(VariableError::NoCall))
    }

    /// Removes a variable; false if it was not set.
    pub fn unset_variable(&self, id: DialogId, name: &[u8]) -> bool {
        self.edit(id, |work| {
            let record = &mut *work.record;
            let set = record.items().has(Kind::Variable, name);
            if set {
                let other = |item: &Item<'_>| item.kind != Kind::Variable || item.key != name;
                record.text.retain(other);
                record.dflags |= dflags::VARIABLES_CHANGED;
                record.unsaved |= unsaved::VARIABLES;
            }
            set
        })
        .unwrap_or(false)
    }

    /// A change that the deadline does not depend on.
    pub(crate) fn edit<R>(
        &self,
        id: DialogId,
        change: impl FnOnce(&mut Work<'_>) -> R,
    ) -> Option<R> {
        self.work(id, Now::NEVER, Cause::Own, change)
            .map(|(result, _)| result)
    }
}

impl Work<'_> {
    /// Sets a variable.
    pub(crate) fn put_variable(&mut self, item: Item<'_>) -> Result<(), VariableError> {
        if item.key.len() > usize::from(u16::MAX) || !self.has_room(&item) {
            return Err(VariableError::TooLarge);
        }
        let record = &mut *self.record;
        if record.items().has(Kind::Variable, item.key) {
            record.text.replace(Kind::Variable, item.key, item.value);
        } else {
            record.text.push(item);
        }
        record.dflags |= dflags::VARIABLES_CHANGED;
        record.unsaved |= unsaved::VARIABLES;
        Ok(())
    }

    /// Whether an item still fits; if not, that is counted.
    pub(crate) fn has_room(&self, item: &Item<'_>) -> bool {
        let tracker = self.tracker;
        let bytes = self.record.items().bytes() + item.encoded_len();
        let fits = bytes <= tracker.settings.max_items_bytes as usize;
        if !fits {
            Counters::add(&tracker.counters.limited);
        }
        fits
    }
}
