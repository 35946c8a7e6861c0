//! Reads calls: all of them at start, or some for a script.

use dialog::{DialogId, RestoreError, Stored, Tracker};
use engine::{Log, level};
use store::{Connection, Error, Fault, Layout, Select, Value};

use super::rows;
use super::variables::{Collected, OfOne, Variables, put};

/// Calls between two lines that say how far we are.
const PROGRESS: usize = 100_000;

/// What reading came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Calls that go on.
    pub(super) calls: usize,
    /// Rows that are no calls, or belong to calls that are here already.
    pub(super) skipped: usize,
    /// Memberships in profiles that are not declared.
    undeclared: usize,
    /// Parties that faced a socket which is not ours, and one such socket.
    elsewhere: usize,
    foreign_socket: String,
}

/// Reads calls.
pub(super) struct Reader<'a> {
    pub(super) tracker: &'a Tracker,
    pub(super) layouts: &'a [Layout; 2],
    pub(super) fetch: usize,
    pub(super) log: &'a Log,
    pub(super) now: dialog::Now,
    /// Whether a socket by its text is one of ours.
    pub(super) is_ours: &'a dyn Fn(&str) -> bool,
}

impl Reader<'_> {
    /// Reads all calls, or those with a Call-ID.
    ///
    /// # Errors
    /// What the database says; or that a call was written with another `hash_size`: then nothing else is read.
    pub(super) fn read(
        &self,
        connection: &mut dyn Connection,
        call_id: Option<&[u8]>,
    ) -> Result<Count, Error> {
        let [calls, _] = self.layouts;
        let mut variables = match call_id {
            None => self.all_variables(connection)?,
            Some(_) => Variables::default(),
        };
        let mut count = Count::default();
        let mut found = Vec::new();
        let select = Select {
            layout: calls,
            filter: call_id.map(|text| (calls.columns[2].as_str(), Value::from(text))),
            fetch: self.fetch,
        };
        connection.select(&select, &mut |row| {
            match rows::call(row) {
                Ok(call) if call_id.is_some() => found.push(call),
                Ok(mut call) => {
                    call.variables = variables.take(call.id);
                    self.restore(call, &mut count)?;
                }
                Err(why) => {
                    count.skipped += 1;
                    self.warn(&format!("a row of the database is no call: {why}"));
                }
            }
            Ok(())
        })?;
        for mut call in found {
            call.variables = self.variables_of(connection, call.id)?;
            self.restore(call, &mut count)?;
        }
        self.sum_up(&count);
        if variables.left() > 0 {
            let text = format!("variables of {} calls that are not there", variables.left());
            self.warn(&text);
        }
        Ok(count)
    }

    fn all_variables(&self, connection: &mut dyn Connection) -> Result<Variables, Error> {
        let mut variables = Collected::default();
        let select = Select {
            layout: &self.layouts[1],
            filter: None,
            fetch: self.fetch,
        };
        connection.select(&select, &mut |row| {
            if let Some((id, name, value)) = rows::variable(row) {
                variables.add(id, &name, &value);
            }
            Ok(())
        })?;
        Ok(variables.by_call())
    }

    fn variables_of(&self, connection: &mut dyn Connection, id: DialogId) -> Result<OfOne, Error> {
        let layout = &self.layouts[1];
        let mut variables = OfOne::new();
        let value = rows::number(id.h_id, connection.driver());
        let select = Select {
            layout,
            filter: Some((&layout.columns[1], value)),
            fetch: 0,
        };
        connection.select(&select, &mut |row| {
            if let Some((_, name, value)) = rows::variable(row).filter(|(of, ..)| *of == id) {
                put(&mut variables, &name, &value);
            }
            Ok(())
        })?;
        Ok(variables)
    }

    fn restore(&self, mut call: Stored, count: &mut Count) -> Result<(), Error> {
        let id = call.id;
        for leg in call.parties_mut() {
            let text = String::from_utf8_lossy(&leg.socket);
            if !text.is_empty() && !(self.is_ours)(&text) {
                count.elsewhere += 1;
                count.foreign_socket = text.into_owned();
                leg.socket.clear();
            }
        }
        match self.tracker.restore(&call, self.now) {
            Ok(unknown) => {
                count.calls += 1;
                self.tracker.loaded(id, self.now);
                count.undeclared += unknown;
                if count.calls.is_multiple_of(PROGRESS) {
                    let text = format!("{} calls read", count.calls);
                    self.log.line(level::NOTICE, "dialog", &text);
                }
                Ok(())
            }
            Err(why @ RestoreError::Hash) => {
                let call_id = call.call_id.escape_ascii();
                let text = format!(
                    "inconsistent hash data in the dialog database: call {id}, Call-ID {call_id}: {why}"
                );
                Err(Error::new(Fault::Refused, text))
            }
            Err(_) => {
                count.skipped += 1;
                Ok(())
            }
        }
    }

    /// One line for what may be so of every call.
    fn sum_up(&self, count: &Count) {
        if count.elsewhere > 0 {
            let text = format!(
                "{} parties of calls faced sockets that are not ours, like {}: any will do for them",
                count.elsewhere, count.foreign_socket
            );
            self.warn(&text);
        }
        if count.undeclared > 0 {
            let text = format!(
                "{} places in profiles that are not declared",
                count.undeclared
            );
            self.warn(&text);
        }
    }

    fn warn(&self, text: &str) {
        self.log.line(level::WARNING, "dialog", text);
    }
}
