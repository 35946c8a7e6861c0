//! What is to be saved of one thing: the rows that take the place of those that it had.

use crate::connection::Row;

/// Names one thing in all of its tables: the values of two columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u32, pub u32);

/// A table as it is written and read: its name, its columns in the order of a [`Row`], and the two that hold the
/// [`Key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The table.
    pub table: String,
    /// The columns.
    pub columns: Vec<String>,
    /// The columns of the key.
    pub key: [String; 2],
}

/// The rows of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The thing.
    pub key: Key,
    /// There may be rows already, which go.
    pub replaces: bool,
    /// For each table, its rows from now on; `None` leaves that table as it is. All empty: the thing is gone.
    pub rows: Vec<Option<Vec<Row>>>,
}

impl Change {
    /// The thing is gone from all tables.
    pub fn gone(key: Key, tables: usize) -> Self {
        Self {
            key,
            replaces: true,
            rows: vec![Some(Vec::new()); tables],
        }
    }

    /// Whether it leaves no row.
    pub fn is_removal(&self) -> bool {
        self.rows
            .iter()
            .all(|rows| rows.as_ref().is_some_and(Vec::is_empty))
    }
}
