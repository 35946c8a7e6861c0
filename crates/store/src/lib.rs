//! Rows in SQLite, MySQL and PostgreSQL: where a database is, what a table looks like, and how the changes of
//! many things are saved in one commit. Knows nothing of calls, messages or scripts.
//!
//! Everything here may block: it belongs on threads of its own. A worker only touches [`Queue`], which never
//! waits for a database.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

mod change;
mod committer;
mod connection;
mod error;
mod mysql;
mod postgres;
mod queries;
mod queue;
mod schema;
mod sql;
mod sqlite;
#[cfg(test)]
mod testing;
mod url;
mod value;

pub use change::{Change, Key, Layout};
pub use committer::{Committer, Event, Figures, Pace, Source};
pub use connection::{Connect, Connection, Databases, Options, Outcome, Row, Select, connect};
pub use error::{Error, Fault};
pub use queries::{Queries, QueriesFull};
pub use queue::{Queue, Waits};
pub use schema::{Column, Difference, Kind, Table, VERSION_TABLE, check, create, upgrade};
pub use url::{Driver, Url, UrlError};
pub use value::Value;
