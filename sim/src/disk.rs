//! A database of the simulation: what is committed is there after a crash, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use store::{
    Change, Connection, Databases, Driver, Error, Fault, Kind, Layout, Outcome, Row, Select, Value,
};

/// What a configuration with a database has besides the others.
pub(crate) const CONFIG: &str = "loadmodule \"db_sqlite.so\"\n\
    modparam(\"dialog\", \"db_url\", \"sqlite:simulated\")\n\
    modparam(\"dialog\", \"db_mode\", 1)\n";

/// The rows of all tables.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    tables: BTreeMap<String, Vec<Row>>,
    /// The next commit is made, but its acknowledgement never comes.
    breaks: bool,
}

impl Disk {
    /// What an engine gets for databases.
    pub(crate) fn databases(&self) -> Databases {
        let disk = self.clone();
        Databases {
            connect: Arc::new(move |_, _| Ok(Box::new(disk.clone()))),
            by_hand: true,
        }
    }

    /// Lets the next commit be the last thing that happens.
    pub(crate) fn break_after_commit(&self) {
        self.0.lock().breaks = true;
    }
}

impl Connection for Disk {
    fn execute(&mut self, sql: &str) -> Result<Outcome, Error> {
        // The only question that is asked in SQL is that for a table's version.
        let tables = modules::tables();
        let asked = tables
            .iter()
            .find(|table| sql.ends_with(&format!("'{}'", table.name)));
        let rows = asked.map(|table| vec![Value::from(table.version)]);
        Ok(Outcome {
            rows: rows.into_iter().collect(),
            ..Outcome::default()
        })
    }

    fn select(
        &mut self,
        select: &Select<'_>,
        take: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let rows = self.0.lock().tables.get(&select.layout.table).cloned();
        rows.into_iter().flatten().try_for_each(take)
    }

    fn save(&mut self, layouts: &[Layout], changes: &[Change]) -> Result<(), Error> {
        let mut state = self.0.lock();
        for (at, layout) in layouts.iter().enumerate() {
            let table = state.tables.entry(layout.table.clone()).or_default();
            for change in changes {
                let Some(Some(rows)) = change.rows.get(at) else {
                    continue;
                };
                let key = [Value::from(change.key.0), Value::from(change.key.1)];
                if change.replaces {
                    table.retain(|row| row[..2] != key);
                }
                table.extend(rows.iter().cloned());
            }
        }
        match std::mem::take(&mut state.breaks) {
            true => Err(Error::new(Fault::Away, "the answer is lost")),
            false => Ok(()),
        }
    }

    fn columns(&mut self, table: &str) -> Result<Vec<(String, String)>, Error> {
        let tables = modules::tables();
        let known = tables.iter().find(|known| known.name == table);
        let columns = known.into_iter().flat_map(|table| &table.columns);
        let kind = |kind| match kind {
            Kind::Text(_) => "TEXT",
            Kind::Id | Kind::Int => "INTEGER",
        };
        let mut columns: Vec<_> = columns
            .map(|column| (column.name.clone(), kind(column.kind).to_owned()))
            .collect();
        if table == store::VERSION_TABLE {
            columns.push(("table_name".to_owned(), "TEXT".to_owned()));
        }
        Ok(columns)
    }

    fn driver(&self) -> Driver {
        Driver::Sqlite
    }
}
