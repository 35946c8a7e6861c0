//! Counters of the whole tracker.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::state::State;

/// The counters at one moment. The first five are Kamailio's statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// `active_dialogs`: calls in states 3 and 4.
    pub active: u64,
    /// `early_dialogs`: calls in state 2.
    pub early: u64,
    /// `processed_dialogs`: calls made so far.
    pub processed: u64,
    /// `expired_dialogs`: calls whose lifetime ran out.
    pub expired: u64,
    /// `failed_dialogs`: calls that ended without an answer.
    pub failed: u64,
    /// Records in each state, from 1 to 5.
    pub in_state: [u64; 5],
    /// INVITEs refused because a limit was reached.
    pub refused: u64,
    /// Variables, memberships and forks not recorded because a limit was reached.
    pub limited: u64,
    /// Events that could not be in their state.
    pub bogus: u64,
    /// Observers that panicked.
    pub observer_panics: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    in_state: [AtomicU64; 5],
    pub(crate) processed: AtomicU64,
    pub(crate) expired: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) limited: AtomicU64,
    pub(crate) bogus: AtomicU64,
    pub(crate) observer_panics: AtomicU64,
}

/// Which counters [`Tracker::reset_statistic`](crate::Tracker::reset_statistic) may set to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resettable {
    /// `processed_dialogs`.
    Processed,
    /// `expired_dialogs`.
    Expired,
    /// `failed_dialogs`.
    Failed,
}

impl Counters {
    /// A record came, changed its state, or went: the only place that moves the gauges.
    pub(crate) fn moved(&self, from: Option<State>, to: Option<State>) {
        if let Some(from) = from {
            self.in_state[from as usize - 1].fetch_sub(1, Relaxed);
        }
        if let Some(to) = to {
            self.in_state[to as usize - 1].fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn records(&self) -> u64 {
        self.in_state.iter().map(|count| count.load(Relaxed)).sum()
    }

    pub(crate) fn reset(&self, which: Resettable) {
        let counter = match which {
            Resettable::Processed => &self.processed,
            Resettable::Expired => &self.expired,
            Resettable::Failed => &self.failed,
        };
        counter.store(0, Relaxed);
    }

    pub(crate) fn read(&self) -> Statistics {
        let in_state = [0, 1, 2, 3, 4].map(|i| self.in_state[i].load(Relaxed));
        Statistics {
            active: in_state[2] + in_state[3],
            early: in_state[1],
            processed: self.processed.load(Relaxed),
            expired: self.expired.load(Relaxed),
            failed: self.failed.load(Relaxed),
            in_state,
            refused: self.refused.load(Relaxed),
            limited: self.limited.load(Relaxed),
            bogus: self.bogus.load(Relaxed),
            observer_panics: self.observer_panics.load(Relaxed),
        }
    }
}
