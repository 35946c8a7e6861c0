//! What ends a route in the middle, and how errors are told.

use std::fmt;

use engine::{Log, level};
use mlua::Error;

/// Most lines of one error that are logged: a traceback may be endless.
const LINES_MAX: usize = 40;

/// An end that a script cannot catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fatal {
    /// `KSR.x.exit()`.
    Exit,
    /// `KSR.x.drop()`.
    Drop,
    /// It ran longer than this, ms.
    TooLong(u64),
    /// It keeps more than this, MB.
    TooMuch(usize),
    /// A function of a module panicked.
    Panic,
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit => f.write_str("~~ksr~exit~~"),
            Self::Drop => f.write_str("~~ksr~drop~~"),
            Self::TooLong(ms) => write!(
                f,
                "the script ran for more than {ms} ms (parameter run_time_limit): it is ended"
            ),
            Self::TooMuch(mb) => write!(
                f,
                "the scripts keep more than {mb} MB (parameter memory_limit): this one is ended"
            ),
            Self::Panic => f.write_str("a function of a module panicked"),
        }
    }
}

impl std::error::Error for Fatal {}

impl From<Fatal> for Error {
    fn from(fatal: Fatal) -> Self {
        Self::external(fatal)
    }
}

/// The end that cannot be caught, if the error is one.
pub(crate) fn fatal(error: &Error) -> Option<Fatal> {
    error.downcast_ref::<Fatal>().copied()
}

/// Writes an error with its traceback to the log.
pub(crate) fn log(log: &Log, place: &str, error: &Error) {
    let text = error.to_string();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or("unknown error");
    log.line(level::ERROR, "app_lua", &format!("{place}: {first}"));
    for line in lines.take(LINES_MAX) {
        log.line(
            level::ERROR,
            "app_lua",
            &format!("{place}: {}", line.trim()),
        );
    }
}
