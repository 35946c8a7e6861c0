//! The functions of module `sl`.

use engine::{FunctionRow, Pending, Run, errors, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use sip::StreamUse;

use super::State;
use crate::core::streams::use_for_replies;
use crate::row::{function, function_optional, param};

const REPLY: &[Parameter] = &[
    param("code", ParameterKind::Int),
    param("reason", ParameterKind::Str),
];
const REPLY_MODE: &[Parameter] = &[
    param("code", ParameterKind::Int),
    param("reason", ParameterKind::Str),
    param("mode", ParameterKind::Int),
];
const IN_REQUEST: Routes = Routes::REQUEST.or(Routes::EVENT);
const WHERE_ANSWERED: Routes = IN_REQUEST.or(Routes::FAILURE).or(Routes::REPLY);

pub(super) static FUNCTIONS: &[FunctionRow] = &[
    function(
        "sl_send_reply",
        REPLY,
        IN_REQUEST,
        sl_send_reply,
        "Answers without a transaction.",
    ),
    function(
        "sl_reply",
        REPLY,
        IN_REQUEST,
        sl_send_reply,
        "Answers without a transaction.",
    ),
    function(
        "send_reply",
        REPLY,
        WHERE_ANSWERED,
        send_reply,
        "Answers with the transaction if there is one, else without.",
    ),
    function(
        "send_reply_mode",
        REPLY_MODE,
        WHERE_ANSWERED,
        send_reply_mode,
        "The same; mode 1 opens no stream for it, 2 closes the stream behind it, 3 both.",
    ),
    function(
        "sl_reply_error",
        &[],
        IN_REQUEST,
        sl_reply_error,
        "Answers with the last internal error. -3 if a transaction is going to do that.",
    ),
    function(
        "send_reply_error",
        &[],
        WHERE_ANSWERED,
        send_reply_error,
        "The same, with the transaction if there is one.",
    ),
    function_optional(
        "sl_forward_reply",
        REPLY,
        0,
        Routes::REPLY,
        sl_forward_reply,
        "Sends a reply on by its Via, without a transaction.",
    ),
];

/// The result when a transaction is going to answer with the error itself.
const OWED: i64 = -3;

fn wanted(run: &Run, args: &Args<'_>) -> Option<(u16, Vec<u8>)> {
    let state = run.state::<State>();
    let status = match args.int(0) {
        0 => state.default_code,
        code => u16::try_from(code)
            .ok()
            .filter(|code| (100..700).contains(code))?,
    };
    let reason = match args.str(1).as_bytes() {
        [] => state.default_reason.clone(),
        reason => reason.to_vec(),
    };
    Some((status, reason))
}

fn sl_send_reply(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let sent = match wanted(run, args) {
        Some((status, reason)) => run.answer_stateless(status, &reason),
        None => false,
    };
    outcome(run, sent)
}

fn send_reply(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some((status, reason)) = wanted(run, args) else {
        return outcome(run, false);
    };
    if run.tx.is_some() && run.state::<State>().with_transaction {
        return Outcome::Code(if run.answer_stateful(status, &reason) {
            1
        } else {
            -1
        });
    }
    let sent = run.answer_stateless(status, &reason);
    outcome(run, sent)
}

fn send_reply_mode(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let mode = args.int(2);
    let wish = StreamUse {
        no_connect: mode & 1 != 0,
        close: mode & 2 != 0,
    };
    use_for_replies(run, wish);
    send_reply(run, args)
}

fn outcome(run: &Run, sent: bool) -> Outcome<Pending> {
    if sent {
        return Outcome::Code(1);
    }
    run.state::<State>().counters.failures.increment();
    Outcome::Code(-1)
}

fn sl_reply_error(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    reply_error(run, Run::answer_stateless)
}

fn send_reply_error(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    reply_error(run, Run::answer)
}

fn reply_error(run: &mut Run, answer: fn(&mut Run, u16, &[u8]) -> bool) -> Outcome<Pending> {
    if run.owed_error.is_some() {
        return Outcome::Code(OWED);
    }
    let (status, _) = errors::status(run.error);
    let reason = errors::reason(run.error, "SL");
    run.log(
        level::ERROR,
        "sl",
        &format!("error reply: {status} {reason}"),
    );
    let sent = answer(run, status, reason.as_bytes());
    if sent {
        run.state::<State>().counters.sent_errors.increment();
    }
    outcome(run, sent)
}

fn sl_forward_reply(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if let Some(code) = args.opt_int(0) {
        let Some(status) = u16::try_from(code)
            .ok()
            .filter(|code| (100..700).contains(code))
        else {
            return Outcome::Code(-1);
        };
        let message = std::sync::Arc::clone(&run.msg.message);
        let reason = args
            .opt_str(1)
            .map_or(message.reason(), |text| text.as_bytes());
        run.msg.edits.set_status(&message, status, reason);
        run.msg.status = Some(status);
    }
    engine::forward_reply_stateless(run)
}
