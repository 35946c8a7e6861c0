//! Module `textopsx`: more about text in messages: changes that show at once, the status of replies, iterators.

mod iterator;
mod message;
mod value_path;
mod values;

use engine::{FunctionRow, Module};

use crate::row::{join, total};

/// More about text in messages.
pub(crate) static MODULE: Module = Module {
    name: "textopsx",
    requires: &[],
    functions: &FUNCTIONS,
    variables: iterator::VARIABLES,
    parameters: &[],
    statistics: &[],
    init: None,
    doc: "Changes of a message that show at once, the status of replies, iterators over headers and lines.",
};

const TABLES: &[&[FunctionRow]] = &[message::ROWS, values::ROWS, iterator::ROWS];

static FUNCTIONS: [FunctionRow; total(TABLES)] = join(TABLES);
