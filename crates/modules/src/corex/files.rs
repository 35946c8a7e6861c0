//! Small files, read and written by scripts.

use std::fs::File;
use std::io::Read;

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes, Str, Value};

use crate::row::{function, param};

const READ: &[Parameter] = &[
    param("file", ParameterKind::Str),
    param("to", ParameterKind::Target),
];
const WRITE: &[Parameter] = &[
    param("file", ParameterKind::Str),
    param("text", ParameterKind::Str),
];

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function(
        "file_read",
        READ,
        Routes::ANY,
        file_read,
        "Reads a file of up to 64 KB into a variable.",
    ),
    function(
        "file_write",
        WRITE,
        Routes::ANY,
        file_write,
        "Writes a text to a file, whose contents it becomes.",
    ),
];

/// The longest file that is read.
const READ_MAX: u64 = 64 * 1024;

fn file_read(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (Some(path), Some(variable)) = (args.str(0).as_str(), args.variable(1)) else {
        return Outcome::Code(-1);
    };
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let text = format!("file_read: cannot read {path}: {error}");
            run.log(level::ERROR, "corex", &text);
            return Outcome::Code(-1);
        }
    };
    match variable.set(run, Value::Str(Str::from(bytes))) {
        Ok(()) => Outcome::Code(1),
        Err(error) => {
            run.log(level::ERROR, "corex", &format!("file_read: {}", error.0));
            Outcome::Code(-1)
        }
    }
}

fn read(path: &str) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(READ_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > READ_MAX {
        return Err(std::io::Error::other("it is longer than 64 KB"));
    }
    Ok(bytes)
}

fn file_write(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(path) = args.str(0).as_str() else {
        return Outcome::Code(-1);
    };
    match std::fs::write(path, args.str(1).as_bytes()) {
        Ok(()) => Outcome::Code(1),
        Err(error) => {
            let text = format!("file_write: cannot write {path}: {error}");
            run.log(level::ERROR, "corex", &text);
            Outcome::Code(-1)
        }
    }
}
