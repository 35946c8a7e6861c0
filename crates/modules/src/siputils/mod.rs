//! Module `siputils`: questions about a message and small changes of URIs.

mod message;

use engine::{FunctionRow, Module};

use crate::row::{join, total};

/// Questions about SIP messages.
pub(crate) static MODULE: Module = Module {
    name: "siputils",
    requires: &[],
    functions: &FUNCTIONS,
    variables: &[],
    parameters: &[],
    statistics: &[],
    init: None,
    doc: "Questions about a message and small changes of URIs.",
};

const TABLES: &[&[FunctionRow]] = &[message::ROWS];

static FUNCTIONS: [FunctionRow; total(TABLES)] = join(TABLES);
