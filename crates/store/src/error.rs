//! What a database says when something is wrong, sorted by what to do about it.

use std::fmt;

/// Whose fault an error is, which decides what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody is there, or the connection broke: try again later, on a new connection.
    Away,
    /// Somebody else was faster (a lock, a dead lock): try again soon.
    Busy,
    /// The database does not let us, whatever the rows are: a full disk, a lost permission, a missing table.
    Refused,
    /// It does not like these rows: trying again will not help.
    Rows,
}

/// A database's complaint, without any password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What to do about it.
    pub fault: Fault,
    /// What the database said.
    pub text: String,
}

impl Error {
    /// An error with this text.
    pub fn new(fault: Fault, text: impl Into<String>) -> Self {
        Self {
            fault,
            text: text.into(),
        }
    }

    /// The server does not answer in time.
    pub(crate) fn too_long() -> Self {
        Self::new(Fault::Away, "the server takes too long to answer")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
