//! SQLite: a file. One connection writes; checkpoints of its write-ahead log run on another, so that no commit
//! waits for one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, Transaction};

use crate::change::{Change, Layout};
use crate::connection::{Connection, Options, Outcome, Row, Select};
use crate::error::{Error, Fault};
use crate::sql;
use crate::url::{Driver, Url};
use crate::value::Value;

/// How long a statement waits for another process to be done with the file.
const BUSY: Duration = Duration::from_millis(2_000);
/// Time between two checkpoints of the write-ahead log.
const CHECKPOINT: Duration = Duration::from_millis(500);
/// Pages of the log after which a commit makes the checkpoint itself, because nobody else does.
const CHECKPOINT_PAGES: u32 = 20_000;

pub(crate) struct Sqlite {
    connection: rusqlite::Connection,
    statements: HashMap<String, Statements>,
    /// Ends the thread of checkpoints when it is dropped.
    _checkpoints: Option<SyncSender<()>>,
}

/// The text of the statements that save a table's rows.
struct Statements {
    delete: String,
    insert: String,
}

impl Statements {
    fn new(layout: &Layout) -> Self {
        let places = vec!["?"; layout.columns.len()].join(", ");
        Self {
            delete: sql::delete_one(Driver::Sqlite, layout),
            insert: format!("{}({places})", sql::insert(Driver::Sqlite, layout)),
        }
    }
}

impl Sqlite {
    pub(crate) fn open(url: &Url, options: &Options) -> Result<Self, Error> {
        let path = url.path().unwrap_or(Path::new(":memory:"));
        if options.create
            && !options.read_only
            && let Some(directory) = path.parent().filter(|d| !d.as_os_str().is_empty())
        {
            // What is wrong with it is told when the file cannot be opened.
            let _ = std::fs::create_dir_all(directory);
        }
        let connection = open_file(path, options)?;
        if options.read_only {
            return Ok(Self {
                connection,
                statements: HashMap::new(),
                _checkpoints: None,
            });
        }
        let journal = match options.journal.as_str() {
            "" => "WAL",
            journal => journal,
        };
        let is_wal = journal.eq_ignore_ascii_case("wal");
        let sync = if options.full_sync { "FULL" } else { "NORMAL" };
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = {journal}; PRAGMA synchronous = {sync}; \
                 PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
            ))
            .map_err(|error| told(&error))?;
        let is_file = path != Path::new(":memory:");
        Ok(Self {
            connection,
            statements: HashMap::new(),
            _checkpoints: (is_wal && is_file)
                .then(|| checkpoints(path.to_owned()))
                .flatten(),
        })
    }
}

fn open_file(path: &Path, options: &Options) -> Result<rusqlite::Connection, Error> {
    let mode = match (options.read_only, options.create) {
        (true, _) => OpenFlags::SQLITE_OPEN_READ_ONLY,
        (false, true) => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        (false, false) => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags).map_err(|error| {
        let text = format!("cannot open {}: {error}", path.display());
        Error::new(told(&error).fault, text)
    })?;
    connection
        .busy_timeout(BUSY)
        .map_err(|error| told(&error))?;
    Ok(connection)
}

/// Starts the thread that makes checkpoints; without it the writer makes them now and then.
fn checkpoints(path: PathBuf) -> Option<SyncSender<()>> {
    let (end, ended) = sync_channel::<()>(0);
    let work = move || {
        let options = Options {
            create: false,
            ..Options::default()
        };
        let Ok(connection) = open_file(&path, &options) else {
            return;
        };
        while ended.recv_timeout(CHECKPOINT) == Err(RecvTimeoutError::Timeout) {
            // One that cannot be made now is made the next time.
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    };
    let name = "sqlite checkpoints".to_owned();
    let thread = std::thread::Builder::new().name(name).spawn(work);
    thread.is_ok().then_some(end)
}

impl Connection for Sqlite {
    fn execute(&mut self, sql: &str) -> Result<Outcome, Error> {
        let run = || -> rusqlite::Result<Outcome> {
            let mut statement = self.connection.prepare(sql)?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            if columns.is_empty() {
                let affected = statement.execute([])? as u64;
                return Ok(Outcome {
                    affected,
                    ..Outcome::default()
                });
            }
            let count = columns.len();
            let mut found = statement.query([])?;
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                rows.push(read(row, count)?);
            }
            let affected = self.connection.changes();
            Ok(Outcome {
                columns,
                rows,
                affected,
            })
        };
        run().map_err(|error| told(&error))
    }

    fn select(
        &mut self,
        select: &Select<'_>,
        take: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let sql = sql::select(Driver::Sqlite, select, "?");
        let told = |error: rusqlite::Error| told(&error);
        let mut statement = self.connection.prepare_cached(&sql).map_err(told)?;
        let count = select.layout.columns.len();
        let mut rows = match &select.filter {
            Some((_, value)) => statement.query([Bound(value)]).map_err(told)?,
            None => statement.query([]).map_err(told)?,
        };
        while let Some(row) = rows.next().map_err(told)? {
            take(read(row, count).map_err(told)?)?;
        }
        Ok(())
    }

    fn save(&mut self, layouts: &[Layout], changes: &[Change]) -> Result<(), Error> {
        for layout in layouts {
            if !self.statements.contains_key(&layout.table) {
                let statements = Statements::new(layout);
                self.statements.insert(layout.table.clone(), statements);
            }
        }
        let statements = &self.statements;
        let run = |transaction: &Transaction<'_>| -> rusqlite::Result<()> {
            for (at, layout) in layouts.iter().enumerate() {
                if let Some(statements) = statements.get(&layout.table) {
                    save_table(transaction, statements, at, changes)?;
                }
            }
            Ok(())
        };
        let behavior = rusqlite::TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior);
        let transaction = transaction.map_err(|error| told(&error))?;
        run(&transaction)
            .and_then(|()| transaction.commit())
            .map_err(|error| told(&error))
    }

    fn columns(&mut self, table: &str) -> Result<Vec<(String, String)>, Error> {
        let sql = "SELECT name, type FROM pragma_table_info(?)";
        let mut statement = self.connection.prepare(sql).map_err(|error| told(&error))?;
        let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.and_then(Iterator::collect)
            .map_err(|error| told(&error))
    }

    fn driver(&self) -> Driver {
        Driver::Sqlite
    }
}

fn save_table(
    transaction: &Transaction<'_>,
    statements: &Statements,
    table: usize,
    changes: &[Change],
) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached(&statements.delete)?;
    let mut insert = transaction.prepare_cached(&statements.insert)?;
    for change in changes {
        let Some(Some(rows)) = change.rows.get(table) else {
            continue;
        };
        if change.replaces {
            delete.execute([change.key.0, change.key.1])?;
        }
        for row in rows {
            insert.execute(rusqlite::params_from_iter(row.iter().map(Bound)))?;
        }
    }
    Ok(())
}

/// A value as a parameter of a statement.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Double(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text),
        }))
    }
}

fn read(row: &rusqlite::Row<'_>, count: usize) -> rusqlite::Result<Row> {
    (0..count)
        .map(|at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Int(number),
                ValueRef::Real(number) => Value::Double(number),
                ValueRef::Text(text) | ValueRef::Blob(text) => Value::from(text),
            })
        })
        .collect()
}

fn told(error: &rusqlite::Error) -> Error {
    let fault = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fault::Busy,
        Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch) => {
            Fault::Rows
        }
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => Fault::Away,
        _ => Fault::Refused,
    };
    Error::new(fault, error.to_string())
}

#[cfg(test)]
#[path = "sqlite_tests.rs"]
mod tests;
