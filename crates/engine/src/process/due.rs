//! What is due: found at each tick, and started in portions.

use std::sync::Arc;

use super::Worker;
use crate::clock::Now;
use crate::engine::Engine;
use crate::hooks::TickContext;
use crate::input::Input;

/// How much of it is started at once while it is fresh: some 50 µs of work.
const PORTION: usize = 16;

/// A portion of what was found due so many milliseconds ago. It doubles every 16 ms: where messages never end, what is
/// due would fall behind them, and everything that it lets go would stay.
fn portion(age_ms: u64) -> usize {
    PORTION << (age_ms / 16).min(8)
}

impl Worker {
    /// Starts all that is due, however much that is: transaction timers and the modules' own.
    pub fn tick(&mut self, engine: &Arc<Engine>, now: Now) {
        self.note_due(engine, now);
        while self.start_due(engine, now) {}
    }

    /// Looks for what is due; `start_due` starts it.
    pub fn note_due(&mut self, engine: &Arc<Engine>, now: Now) {
        for shard in (self.number..transaction::SHARDS).step_by(self.workers.max(1)) {
            engine.transactions.advance(shard, now.time, &mut self.due);
        }
        let due = self.due.drain(..);
        self.jobs
            .extend(due.map(|due| (due.call_key, Input::Timer(due.id))));
        let mut context = TickContext {
            now,
            worker: self.number,
            workers: self.workers,
            jobs: &mut self.jobs,
        };
        for hook in &engine.hooks.tick {
            hook(engine, &mut context);
        }
        if self.overdue.is_empty() {
            self.overdue_since = now.time;
        }
        self.overdue.extend(self.jobs.drain(..));
        if !self.parked.is_empty() {
            self.release_late(engine, now);
        }
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
