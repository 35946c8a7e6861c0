//! What runs want sent although a change that it tells of is not saved yet: it waits here, and its call with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use timer::Time;
use transaction::Output;

use super::{Step, Task, WAITING_MAX, Worker};
use crate::clock::Now;
use crate::engine::Engine;
use crate::releases::Ticket;
use crate::run::Operation;

/// What waits, by the number of its ticket; the first ones are the oldest.
pub(super) type Lot = BTreeMap<u64, Parked>;

/// What one run wants sent.
pub(super) struct Parked {
    key: u64,
    outputs: Vec<Output>,
    /// The run goes on when that has left, with what it waits for.
    then: Option<(Task, Operation)>,
    /// It leaves by then, saved or not.
    deadline: Time,
}

impl Worker {
    /// Whether what a run wants sent has to wait, and until when at most.
    pub(super) fn must_wait(&mut self, engine: &Engine, task: &Task) -> Option<(u64, Time)> {
        let hold = engine.hooks.hold?;
        let is_full = self.parked.len() >= WAITING_MAX;
        if task.seat.run.out.is_empty() || is_full {
            return None;
        }
        let number = self.next_ticket;
        let worker = self.number;
        let deadline = hold(&task.seat.run, Ticket { worker, number })?;
        self.next_ticket += 1;
        Some((number, deadline))
    }

    /// Puts aside what a run wants sent.
    pub(super) fn park(
        &mut self,
        mut task: Task,
        step: &Step,
        (ticket, deadline): (u64, Time),
    ) -> Step {
        let run = &mut task.seat.run;
        self.backlog.extend(run.follow_ups.drain(..));
        let (key, outputs) = (task.key, std::mem::take(&mut run.out));
        let then = match (step, run.operation.take()) {
            (Step::Waiting, Some(operation)) => {
                self.locals = run.locals.clone();
                Some((task, operation))
            }
            _ => {
                self.finish(task);
                None
            }
        };
        let parked = Parked {
            key,
            outputs,
            then,
            deadline,
        };
        self.parked.insert(ticket, parked);
        Step::Waiting
    }

    /// Lets out what these tickets stand for: it is saved now.
    pub fn released(&mut self, engine: &Arc<Engine>, tickets: &[u64], now: Now) {
        for ticket in tickets {
            // One that is not there any more has waited for too long before.
            if let Some(parked) = self.parked.remove(ticket) {
                self.unpark(engine, parked);
            }
        }
        self.drain_backlog(engine, now);
    }

    /// Lets out what has waited for too long.
    pub(super) fn release_late(&mut self, engine: &Arc<Engine>, now: Now) {
        while let Some(first) = self.parked.first_entry() {
            if first.get().deadline > now.time {
                return;
            }
            let parked = first.remove();
            engine.counters.sent_unsaved.increment();
            self.unpark(engine, parked);
        }
    }

    /// How much is put aside.
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    fn unpark(&mut self, engine: &Arc<Engine>, parked: Parked) {
        self.outputs.extend(parked.outputs);
        if let Some((task, operation)) = parked.then
            && let Step::Waiting = self.suspend(engine, task, Some(operation))
        {
            return;
        }
        engine.batons.set_waiting(parked.key, false);
        self.held.push(parked.key);
    }
}
