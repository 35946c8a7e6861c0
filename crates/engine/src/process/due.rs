//! What is due: found at each tick, and started in portions.

use std::sync::Arc;

use super::Worker;
use crate::clock::Now;
use crate::engine::Engine;
use crate::hooks::TickContext;
use crate::input::Input;

/// How much of it is started at once while it is fresh: some 50 µs of work.
const PORTION: usize = 16;

/// A portion in a tick that began so many milliseconds ago. It doubles every 16 ms: where messages never end, what is
/// due would fall behind them, and everything that it lets go would stay.
fn portion(age_ms: u64) -> usize {
    PORTION << (age_ms / 16).min(8)
}

impl Worker {
    /// In how many parts a tick looks at this worker's shards.
    pub const TICK_PARTS: usize = 16;

    /// Starts all that is due, however much that is: transaction timers and the modules' own.
    pub fn tick(&mut self, engine: &Arc<Engine>, now: Now) {
        self.note_all_due(engine, now);
        while self.start_due(engine, now) {}
    }

    /// Looks for what is due everywhere.
    pub fn note_all_due(&mut self, engine: &Arc<Engine>, now: Now) {
        for part in 0..Self::TICK_PARTS {
            self.note_due(engine, now, part);
        }
    }

    /// Looks for what is due in one part of the shards; whether `start_due` is to be called. To look costs some hundred
    /// nanoseconds for each that is found: no message shall wait for all of it.
    pub fn note_due(&mut self, engine: &Arc<Engine>, now: Now, part: usize) -> bool {
        let mut context = TickContext {
            now,
            worker: self.number,
            workers: self.workers,
            part,
            jobs: &mut self.jobs,
        };
        for shard in context.shards(transaction::SHARDS) {
            engine.transactions.advance(shard, now.time, &mut self.due);
        }
        let due = self.due.drain(..);
        let timers = due.map(|due| (due.call_key, Input::Timer(due.id)));
        context.jobs.extend(timers);
        for hook in &engine.hooks.tick {
            hook(engine, &mut context);
        }
        let begins = part == 0;
        if begins && self.overdue.is_empty() {
            self.overdue_since = now.time;
        }
        self.overdue.extend(self.jobs.drain(..));
        if begins && !self.parked.is_empty() {
            self.release_late(engine, now);
        }
        begins || !self.overdue.is_empty()
    }

    /// Starts a portion of what was found due; whether there is more. What came meanwhile is received in between, so
    /// that no message waits for all that a tick brings.
    pub fn start_due(&mut self, engine: &Arc<Engine>, now: Now) -> bool {
        let age_ms = now.time.millis_since(self.overdue_since);
        let count = self.overdue.len().min(portion(age_ms));
        self.backlog.extend(self.overdue.drain(..count));
        self.drain_backlog(engine, now);
        !self.overdue.is_empty()
    }
}
