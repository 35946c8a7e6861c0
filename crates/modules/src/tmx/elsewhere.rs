//! Cancelling branches, and steering the transaction of another message of the same or another call.

use engine::{FunctionRow, Input, Pending, Resume, Run, level};
use script::{Args, Completion, Outcome, Parameter, ParameterKind, Routes};
use sip::Method;
use transaction::{Reason, TransactionId, Which};

use super::ask::truth;
use crate::row::{function, function_optional, param};

const CALL: &[Parameter] = &[
    param("call_id", ParameterKind::Str),
    param("cseq", ParameterKind::Str),
    param("flag", ParameterKind::Int),
    param("reason", ParameterKind::Int),
];
const REPLY: &[Parameter] = &[
    param("call_id", ParameterKind::Str),
    param("cseq", ParameterKind::Str),
    param("code", ParameterKind::Int),
    param("reason", ParameterKind::Str),
];

pub(super) const T_CANCEL_BRANCHES: FunctionRow = function(
    "t_cancel_branches",
    &[param("which", ParameterKind::Str)],
    Routes::REPLY,
    t_cancel_branches,
    "Cancels branches: all, others than the one that answered, or this one.",
);
pub(super) const T_CANCEL_CALLID: FunctionRow = function_optional(
    "t_cancel_callid",
    CALL,
    3,
    Routes::ANY,
    t_cancel_callid,
    "Cancels the INVITE with this Call-ID and CSeq, and sets a flag in it.",
);
pub(super) const T_REPLY_CALLID: FunctionRow = function(
    "t_reply_callid",
    REPLY,
    Routes::ANY,
    t_reply_callid,
    "Answers the INVITE with this Call-ID and CSeq.",
);

fn t_cancel_branches(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let branch = run.branch.unwrap_or(0);
    let which = match args.str(0).first() {
        Some(b'a') => Which::All,
        Some(b'o') => Which::Others(branch),
        Some(b't') => Which::Only(branch),
        _ => {
            run.log(
                level::ERROR,
                "tmx",
                "t_cancel_branches: expected all, others or this",
            );
            return Outcome::Code(-1);
        }
    };
    if run.tx.is_none() {
        return Outcome::Code(-1);
    }
    run.cancel_branches(which, Reason::None);
    Outcome::Code(1)
}

/// What is to be done to another transaction, in the turn of its call.
#[derive(Debug)]
enum Work {
    Cancel {
        flag: Option<u32>,
        reason: Option<u16>,
    },
    Answer {
        status: u16,
        reason: Vec<u8>,
    },
}

#[derive(Debug)]
struct Elsewhere {
    id: TransactionId,
    work: Work,
}

impl Resume for Elsewhere {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        if !run.switch_transaction(self.id) {
            return Outcome::Code(-1);
        }
        match self.work {
            Work::Cancel { flag, reason } => {
                if let (Some(tx), Some(flag)) = (&mut run.tx, flag) {
                    tx.data.working.flags |= 1 << flag;
                }
                run.cancel_branches(Which::All, reason.map_or(Reason::None, Reason::Status));
            }
            Work::Answer { status, reason } => {
                run.answer_stateful(status, &reason);
            }
        }
        Outcome::Code(1)
    }
}

/// The transaction of the INVITE that the first two arguments name, and the key of its call.
fn find(run: &Run, args: &Args<'_>) -> Option<(TransactionId, u64)> {
    let call_id = args.str(0);
    let number = args
        .str(1)
        .as_str()?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    let id = run
        .engine
        .transactions
        .find(call_id, number, Method::Invite)?;
    Some((id, run.engine.call_key(call_id)))
}

fn t_cancel_callid(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let flag = u32::try_from(args.int(2)).ok().filter(|flag| *flag < 32);
    let reason = args
        .opt_int(3)
        .and_then(|reason| u16::try_from(reason).ok())
        .filter(|r| *r > 0);
    hand_over(run, args, Work::Cancel { flag, reason })
}

fn t_reply_callid(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(status) = u16::try_from(args.int(2))
        .ok()
        .filter(|code| (100..700).contains(code))
    else {
        return Outcome::Code(-1);
    };
    hand_over(
        run,
        args,
        Work::Answer {
            status,
            reason: args.str(3).to_vec(),
        },
    )
}

fn hand_over(run: &mut Run, args: &Args<'_>, work: Work) -> Outcome<Pending> {
    let found = find(run, args);
    if let Some((id, key)) = found {
        run.follow_ups
            .push((key, Input::Job(Box::new(Elsewhere { id, work }))));
    }
    truth(found.is_some())
}
