//! Module `acc`: lines in the log about answered, failed and missed transactions.

mod extra;
mod hooks;
mod parameters;
mod phrases;
mod record;
mod state;
#[cfg(test)]
mod tests;

use engine::{FunctionRow, InitError, Module, Pending, Run, Setup};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use crate::row::{function, param};

use record::Record;
use state::State;

/// The module's row.
pub(crate) static MODULE: Module = Module {
    name: "acc",
    requires: &["tm"],
    functions: FUNCTIONS,
    variables: &[],
    parameters: parameters::PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Writes accounting records into the log.",
};

const ANSWERED: &str = "ACC: transaction answered: ";
const MISSED: &str = "ACC: call missed: ";
const ACKNOWLEDGED: &str = "ACC: request acknowledged: ";
const ACCOUNTED: &str = "ACC: request accounted: ";

const COMMENT: Parameter = param("comment", ParameterKind::Str);

static FUNCTIONS: &[FunctionRow] = &[
    function(
        "acc_log_request",
        &[COMMENT],
        Routes::ANY,
        acc_log_request,
        "Logs the message at hand; the comment is a status with a reason, or a reason alone.",
    ),
    function(
        "acc_request",
        &[COMMENT, param("table", ParameterKind::Str)],
        Routes::ANY,
        acc_log_request,
        "The same; nothing is written to the table as long as there is no database.",
    ),
];

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let state = State::new(setup)?;
    let reports_ack = state.report_ack;
    setup.put_state(state);
    let hooks = &mut *setup.hooks;
    hooks.transaction_created.push(hooks::transaction_created);
    hooks.failed.push(hooks::failed);
    hooks.reply_out.push(hooks::reply_out);
    if reports_ack {
        hooks.ack_out.push(hooks::ack_out);
    }
    Ok(())
}

fn acc_log_request(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let (code, reason) = split_comment(args.str(0).as_bytes());
    let record = Record {
        lead: ACCOUNTED,
        to_tag: run.msg.message.to_tag().unwrap_or_default().to_vec(),
        code: code.to_vec(),
        reason: reason.to_vec(),
    };
    let is_upstream = state.is_upstream(run);
    record.write(run, &state, is_upstream);
    Outcome::Code(1)
}

/// Three digits at the beginning are a status.
fn split_comment(comment: &[u8]) -> (&[u8], &[u8]) {
    match comment.split_at_checked(3) {
        Some((code, reason)) if code.iter().all(u8::is_ascii_digit) => {
            (code, reason.trim_ascii_start())
        }
        _ => (b"", comment),
    }
}
