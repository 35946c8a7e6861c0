//! Between calls and committer: hears of changes, gives rows, lets messages go.

use std::sync::Arc;

use dialog::{DialogId, Journal, ToStore, Tracker};
use engine::{Engine, EngineHandle, Log, Ticket, level};
use store::{Change, Connection, Driver, Error, Event, Layout, Select, Source};

use super::{Changes, key, rows};

/// Gives the rows of calls.
pub(super) struct Saver {
    pub(super) tracker: Arc<Tracker>,
    pub(super) engine: EngineHandle,
    pub(super) changes: Changes,
    pub(super) layouts: [Layout; 2],
    pub(super) driver: Driver,
    /// What was read is not in the database any more: a call is always written whole.
    pub(super) writes_all: bool,
    pub(super) log: Log,
    /// The database, as the log may show it.
    pub(super) place: String,
}

/// Tells the queue of changes.
#[derive(Debug)]
pub(super) struct Marker {
    pub(super) engine: EngineHandle,
    pub(super) changes: Changes,
}

impl Journal for Marker {
    fn group(&self, call_id: &[u8]) -> u64 {
        self.engine
            .get()
            .map_or(0, |engine| engine.call_key(call_id))
    }

    fn changed(&self, group: u64, id: DialogId) {
        // What finds no place is looked for when there is one again.
        self.changes.mark(group, id);
    }
}

impl Saver {
    /// Marks one call as changed.
    pub(super) fn mark(&self, engine: &Engine, id: DialogId) {
        let group = self
            .tracker
            .call_id(id)
            .map(|call_id| engine.call_key(&call_id));
        self.changes.mark(group.unwrap_or(u64::from(id.h_id)), id);
    }

    fn say(&self, level: i32, text: &str) {
        self.log.line(level, "dialog", text);
    }
}

impl Source for Saver {
    type Id = DialogId;
    type Waiter = Ticket;

    fn change(&self, id: DialogId, again: bool) -> Option<Change> {
        match self.tracker.to_store(id, again || self.writes_all) {
            ToStore::Nothing => None,
            ToStore::Gone => Some(Change::gone(key(id), self.layouts.len())),
            ToStore::Call {
                call,
                is_new,
                same_variables,
            } => Some(rows::change(&call, self.driver, is_new, !same_variables)),
        }
    }

    fn release(&self, mut waiters: Vec<Ticket>) {
        if waiters.is_empty() {
            return;
        }
        waiters.sort_unstable_by_key(|ticket| (ticket.worker, ticket.number));
        if let Some(engine) = self.engine.get() {
            engine.release(&waiters);
        }
    }

    fn tell(&self, event: Event<'_>) {
        let place = &self.place;
        match event {
            Event::Away(error) => {
                let text = format!(
                    "{place} does not save: {error}; calls go on, and are saved when it is back"
                );
                self.say(level::ALERT, &text);
            }
            Event::Back(after) => {
                let text = format!("{place} saves again after {} s", after.as_secs());
                self.say(level::NOTICE, &text);
            }
            Event::Rejected(key, error) => {
                let text = format!(
                    "call {}:{} is not saved: {place} does not take its rows: {error}",
                    key.0, key.1
                );
                self.say(level::ERROR, &text);
            }
        }
    }

    fn look_again(&self, connection: &mut dyn Connection) -> Result<(), Error> {
        let Some(engine) = self.engine.get() else {
            return Ok(());
        };
        let [calls, _] = &self.layouts;
        let mut gone = Vec::new();
        let select = Select {
            layout: calls,
            filter: None,
            fetch: 1000,
        };
        connection.select(&select, &mut |row| {
            let h_entry = row.first().and_then(rows::natural);
            let h_id = row.get(1).and_then(rows::natural);
            if let (Some(h_entry), Some(h_id)) = (h_entry, h_id) {
                let id = DialogId { h_entry, h_id };
                if !self.tracker.contains(id) {
                    gone.push(id);
                }
            }
            Ok(())
        })?;
        for id in gone.into_iter().chain(self.tracker.answered()) {
            self.mark(&engine, id);
        }
        self.say(
            level::NOTICE,
            "more calls changed than could be noted: all are saved again",
        );
        Ok(())
    }
}
