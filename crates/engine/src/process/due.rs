//! What is due: found at each tick, and started in portions.

use std::sync::Arc;

use super::Worker;
use crate::clock::Now;
use crate::engine::Engine;
use crate::hooks::TickContext;
use crate::input::Input;

/// How much of it is started at once: some 50 µs of work.
const PORTION: usize = 16;

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
        self.overdue.extend(self.jobs.drain(..));
        if !self.parked.is_empty() {
            self.release_late(engine, now);
        }
    }

    /// Starts a portion of what was found due; whether there is more. What came meanwhile is received in between, so
    /// that no message waits for all that a tick brings.
    pub fn start_due(&mut self, engine: &Arc<Engine>, now: Now) -> bool {
        let count = self.overdue.len().min(PORTION);
        self.backlog.extend(self.overdue.drain(..count));
        self.drain_backlog(engine, now);
        !self.overdue.is_empty()
    }
}
