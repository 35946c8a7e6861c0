//! One connection to a database: the few things that Tandem asks of any of them.

use std::sync::Arc;

use crate::change::{Change, Layout};
use crate::error::Error;
use crate::url::{Driver, Url};
use crate::value::Value;

/// The fields of one row.
pub type Row = Vec<Value>;

/// What a statement gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The names of the columns; empty of a statement that gives no rows.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
    /// How many rows were changed.
    pub affected: u64,
}

/// Rows to be read from one table.
#[derive(Clone, Debug)]
pub struct Select<'a> {
    /// Which table, and which columns.
    pub layout: &'a Layout,
    /// Only those with this value in this column.
    pub filter: Option<(&'a str, Value)>,
    /// How many rows are fetched at a time, where the database lets us choose; 0 for as many as suit it.
    pub fetch: usize,
}

/// How to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Seconds that a connection may take.
    pub connect_s: u32,
    /// Seconds that an answer of a server may take.
    pub statement_s: u32,
    /// An SQLite file that does not exist is made.
    pub create: bool,
    /// An SQLite file is only read.
    pub read_only: bool,
    /// The journal of an SQLite file; empty for the write-ahead log.
    pub journal: String,
    /// Each commit of an SQLite file is on the disk when it is acknowledged, also if the power fails.
    pub full_sync: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_s: 5,
            statement_s: 10,
            create: true,
            read_only: false,
            journal: String::new(),
            full_sync: true,
        }
    }
}

/// One connection; it may block.
pub trait Connection: Send {
    /// Runs any one statement.
    ///
    /// # Errors
    /// What the database says.
    fn execute(&mut self, sql: &str) -> Result<Outcome, Error>;

    /// Hands out rows one by one.
    ///
    /// # Errors
    /// What the database says, or what `take` says: then no more rows come.
    fn select(
        &mut self,
        select: &Select<'_>,
        take: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error>;

    /// Saves changes in one transaction: all, or none.
    ///
    /// # Errors
    /// What the database says. After [`Fault::Away`](crate::Fault::Away) nobody knows whether they were saved.
    fn save(&mut self, layouts: &[Layout], changes: &[Change]) -> Result<(), Error>;

    /// The columns of a table in their order, each with its type; empty if there is no such table.
    ///
    /// # Errors
    /// What the database says.
    fn columns(&mut self, table: &str) -> Result<Vec<(String, String)>, Error>;

    /// Which kind it is.
    fn driver(&self) -> Driver;
}

/// Makes connections.
pub type Connect = Arc<dyn Fn(&Url, &Options) -> Result<Box<dyn Connection>, Error> + Send + Sync>;

/// What stands for databases: real ones, or those of a simulation.
#[derive(Clone)]
pub struct Databases {
    /// Connects to one.
    pub connect: Connect,
    /// There are no threads: whoever runs the simulation says when something is saved ([`Committer::step`]).
    ///
    /// [`Committer::step`]: crate::Committer::step
    pub by_hand: bool,
}

impl Default for Databases {
    fn default() -> Self {
        Self {
            connect: Arc::new(connect),
            by_hand: false,
        }
    }
}

/// Connects to a real database.
///
/// # Errors
/// What is wrong, without the password.
pub fn connect(url: &Url, options: &Options) -> Result<Box<dyn Connection>, Error> {
    match url.driver {
        Driver::Sqlite => crate::sqlite::Sqlite::open(url, options).map(|c| Box::new(c) as _),
        Driver::MySql => crate::mysql::MySql::open(url, options).map(|c| Box::new(c) as _),
        Driver::Postgres => crate::postgres::Postgres::open(url, options).map(|c| Box::new(c) as _),
    }
}
