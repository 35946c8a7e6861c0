//! Making, finding, answering and ending transactions.

use std::sync::Arc;

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};
use sip::Method;

use super::{IN_REQUEST, WHERE_RELAYED};
use crate::row::{function, function_optional, param};

const REPLY: &[Parameter] = &[
    param("code", ParameterKind::Int),
    param("reason", ParameterKind::Str),
];
const WHERE_ANSWERED: Routes = WHERE_RELAYED.or(Routes::REPLY);

pub(super) const T_NEWTRAN: FunctionRow = function(
    "t_newtran",
    &[],
    IN_REQUEST,
    t_newtran,
    "Makes the request's transaction; -10 if it is there.",
);
pub(super) const T_REPLY: FunctionRow = function(
    "t_reply",
    REPLY,
    WHERE_ANSWERED,
    t_reply,
    "Answers with the transaction at hand.",
);
pub(super) const T_SEND_REPLY: FunctionRow = function(
    "t_send_reply",
    REPLY,
    WHERE_ANSWERED,
    t_send_reply,
    "Answers with a transaction, made if it is not there.",
);
pub(super) const T_RELEASE: FunctionRow = function(
    "t_release",
    &[],
    IN_REQUEST,
    t_release,
    "Ends the transaction without an answer.",
);
pub(super) const T_RETRANSMIT_REPLY: FunctionRow = function(
    "t_retransmit_reply",
    &[],
    IN_REQUEST,
    t_retransmit_reply,
    "Sends the last reply again.",
);
pub(super) const T_CHECK_TRANS: FunctionRow = function(
    "t_check_trans",
    &[],
    IN_REQUEST.or(Routes::BRANCH).or(Routes::REPLY),
    t_check_trans,
    "Whether the message belongs to a transaction; what only repeats never comes this far.",
);
pub(super) const T_LOOKUP_REQUEST: FunctionRow = function(
    "t_lookup_request",
    &[],
    IN_REQUEST,
    exists,
    "Whether the request has a transaction.",
);
pub(super) const T_LOOKUP_CANCEL: FunctionRow = function_optional(
    "t_lookup_cancel",
    &[param("copy_flags", ParameterKind::Int)],
    0,
    IN_REQUEST,
    t_lookup_cancel,
    "Whether there is an INVITE for this CANCEL; 1: takes over its flags.",
);
pub(super) const T_SAVE_LUMPS: FunctionRow = function(
    "t_save_lumps",
    &[],
    IN_REQUEST,
    t_save_lumps,
    "Lets failure routes see the changes made since the transaction was made.",
);
pub(super) const T_CLEAN: FunctionRow = function(
    "t_clean",
    &[],
    Routes::ANY,
    t_clean,
    "Nothing to do: no transaction outlives its timers.",
);
pub(super) const T_EXISTS: FunctionRow = function(
    "t_exists",
    &[],
    Routes::ANY,
    exists,
    "Whether a transaction is at hand.",
);

const EXISTS_ALREADY: i64 = -10;

pub(super) fn truth(holds: bool) -> Outcome<Pending> {
    Outcome::Code(if holds { 1 } else { -1 })
}

fn t_newtran(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    if run.tx.is_some() {
        run.log(
            level::WARNING,
            "tm",
            "t_newtran: the transaction is there already",
        );
        return Outcome::Code(EXISTS_ALREADY);
    }
    if run.msg.message.method() == Method::Ack {
        return Outcome::Code(1);
    }
    match run.ensure_transaction() {
        Ok(_) => Outcome::Code(1),
        Err(error) => {
            run.error = error;
            Outcome::Code(-1)
        }
    }
}

/// The status and reason phrase that a call asks for.
pub(super) fn wanted(run: &Run, args: &Args<'_>) -> Option<(u16, Vec<u8>)> {
    let relaying = &run.engine.settings.relaying;
    let status = match args.int(0) {
        0 => relaying.default_code,
        code => u16::try_from(code)
            .ok()
            .filter(|code| (100..700).contains(code))?,
    };
    let reason = match args.str(1).as_bytes() {
        [] => relaying.default_reason.clone(),
        reason => reason.to_vec(),
    };
    Some((status, reason))
}

fn t_reply(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if run.tx.is_none() {
        run.log(
            level::ERROR,
            "tm",
            "t_reply: the message has no transaction",
        );
        return Outcome::Code(-1);
    }
    let Some((status, reason)) = wanted(run, args) else {
        run.log(
            level::ERROR,
            "tm",
            &format!("t_reply: {} is no status", args.int(0)),
        );
        return Outcome::Code(-1);
    };
    truth(run.answer_stateful(status, &reason))
}

fn t_send_reply(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if let Err(error) = run.ensure_transaction() {
        run.error = error;
        return Outcome::Code(-1);
    }
    t_reply(run, args)
}

fn t_release(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let now = run.now.time;
    if let Some(tx) = &mut run.tx {
        tx.data.released = true;
        tx.release(now);
    }
    Outcome::Code(1)
}

fn t_retransmit_reply(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    match &mut run.tx {
        Some(tx) if tx.last_reply().is_some() => {
            tx.retransmitted(&mut run.out);
            Outcome::Code(1)
        }
        _ => Outcome::Code(-1),
    }
}

fn t_check_trans(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    if run.routes.intersects(Routes::CORE_REPLY) {
        let message = Arc::clone(&run.msg.message);
        return truth(run.engine.transactions.match_reply(&message).is_some());
    }
    let found = match run.msg.message.method() {
        Method::Ack | Method::Cancel if run.msg.message.is_request() => run.invite.is_some(),
        _ => run.tx.is_some(),
    };
    truth(found)
}

fn exists(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    truth(run.tx.is_some())
}

fn t_lookup_cancel(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(invite) = run
        .invite
        .filter(|_| run.msg.message.method() == Method::Cancel)
    else {
        return Outcome::Code(-1);
    };
    if args.int(0) == 1
        && let Some(tx) = run.engine.transactions.checkout(invite)
    {
        run.msg.flags = tx.data.working.flags;
        // It was in the table a moment ago, and nothing was done to it: it stays there.
        drop(run.engine.transactions.check_in(tx));
    }
    Outcome::Code(1)
}

fn t_save_lumps(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let working = run.msg.clone();
    match &mut run.tx {
        Some(tx) => {
            *tx.data.working = working;
            Outcome::Code(1)
        }
        None => Outcome::Code(-1),
    }
}

fn t_clean(_: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    Outcome::Code(1)
}
