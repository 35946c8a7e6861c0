//! Module `textops`: looks for text in messages and changes headers and bodies.

mod body;
mod compare;
mod headers;
mod multipart;
mod question;
mod replace;
mod sdp;

use engine::{FunctionRow, Module, Pending};
use script::Outcome;

pub(crate) use headers::{add_to_replies, remove_where};

use crate::row::{join, total};

/// Text in messages.
pub(crate) static MODULE: Module = Module {
    name: "textops",
    requires: &[],
    functions: &FUNCTIONS,
    variables: &[],
    parameters: &[],
    statistics: &[],
    init: None,
    doc: "Looks for text in messages and changes headers and bodies.",
};

const TABLES: &[&[FunctionRow]] = &[
    question::ROWS,
    compare::ROWS,
    headers::ROWS,
    replace::ROWS,
    body::ROWS,
];

static FUNCTIONS: [FunctionRow; total(TABLES)] = join(TABLES);

/// A yes or no as a return code.
const fn truth(yes: bool) -> Outcome<Pending> {
    Outcome::Code(if yes { 1 } else { -1 })
}
