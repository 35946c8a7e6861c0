//! Questions about the transaction at hand.

use engine::{FunctionRow, Pending, Run, Tx, TxBranch};
use script::{Args, Outcome, ParameterKind, Routes};

use super::reply::truth;
use super::{IN_REQUEST, WHERE_RELAYED, WITH_TRANSACTION};
use crate::row::{function, param};

const AFTER_A_BRANCH: Routes = WHERE_RELAYED;

pub(super) const T_IS_CANCELED: FunctionRow = function(
    "t_is_canceled",
    &[],
    WITH_TRANSACTION,
    t_is_canceled,
    "Whether a CANCEL came.",
);
pub(super) const T_IS_EXPIRED: FunctionRow = function(
    "t_is_expired",
    &[],
    WITH_TRANSACTION,
    t_is_expired,
    "Whether its lifetime is over.",
);
pub(super) const T_CHECK_STATUS: FunctionRow = function(
    "t_check_status",
    &[param("expression", ParameterKind::Regex)],
    IN_REQUEST.or(Routes::FAILURE).or(Routes::REPLY),
    t_check_status,
    "Whether the status of the reply at hand, or of the last one sent, matches.",
);
pub(super) const T_GREP_STATUS: FunctionRow = function(
    "t_grep_status",
    &[param("status", ParameterKind::Int)],
    WITH_TRANSACTION,
    t_grep_status,
    "Whether any branch ended with this status.",
);
pub(super) const T_GET_STATUS_CODE: FunctionRow = function(
    "t_get_status_code",
    &[],
    WITH_TRANSACTION.or(Routes::CORE_REPLY),
    t_get_status_code,
    "The status of the reply at hand, or of the last one sent; -1 without.",
);
pub(super) const T_BRANCH_TIMEOUT: FunctionRow = function(
    "t_branch_timeout",
    &[],
    AFTER_A_BRANCH,
    t_branch_timeout,
    "Whether the branch at hand ran out of time.",
);
pub(super) const T_BRANCH_REPLIED: FunctionRow = function(
    "t_branch_replied",
    &[],
    AFTER_A_BRANCH,
    t_branch_replied,
    "Whether the branch at hand had a reply before the one at hand.",
);
pub(super) const T_ANY_TIMEOUT: FunctionRow = function(
    "t_any_timeout",
    &[],
    WITH_TRANSACTION,
    t_any_timeout,
    "Whether any branch ran out of time.",
);
pub(super) const T_ANY_REPLIED: FunctionRow = function(
    "t_any_replied",
    &[],
    WITH_TRANSACTION,
    t_any_replied,
    "Whether any branch had a reply, the one at hand left out.",
);

pub(super) const T_IS_RETR_ASYNC_REPLY: FunctionRow = function(
    "t_is_retr_async_reply",
    &[],
    Routes::ONREPLY,
    |_, _| truth(false),
    "Always false: a reply that comes while its call is worked on waits, and none is set aside.",
);

fn about(run: &Run, question: impl FnOnce(&Tx) -> bool) -> Outcome<Pending> {
    truth(run.tx.as_deref().is_some_and(question))
}

/// The status that `$T_reply_code` shows: of the winner in a failure route, of the reply in a reply route, else
/// the one sent last.
pub(crate) fn status(run: &Run) -> u16 {
    if run.branch_status != 0 {
        return run.branch_status;
    }
    if run.routes.intersects(Routes::REPLY) {
        return run.reply_status();
    }
    let Some(tx) = run.tx.as_deref() else {
        return 0;
    };
    let winner = run
        .failure_winner
        .filter(|_| run.routes.intersects(Routes::FAILURE));
    match winner {
        Some(branch) => tx
            .branch(branch)
            .and_then(|branch| branch.verdict())
            .unwrap_or(0),
        None => tx.last_status(),
    }
}

fn t_is_canceled(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    about(run, |tx| tx.is_cancelled())
}

fn t_is_expired(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let now = run.now.time;
    about(run, |tx| tx.is_expired(now))
}

fn t_check_status(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let status = status(run).to_string();
    let is_there = run.tx.is_some() || run.routes.intersects(Routes::REPLY);
    truth(
        is_there
            && args
                .regex(0)
                .is_some_and(|expression| expression.is_match(status.as_bytes())),
    )
}

fn t_grep_status(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Ok(status) = u16::try_from(args.int(0)) else {
        return Outcome::Code(-1);
    };
    about(run, |tx| {
        tx.branches().iter().any(|branch| {
            branch.has_replied()
                && (branch.last_status() == status || branch.verdict() == Some(status))
        })
    })
}

fn t_get_status_code(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    match status(run) {
        0 => Outcome::Code(-1),
        status => Outcome::Code(status.into()),
    }
}

fn of_branch(run: &Run, question: impl FnOnce(&TxBranch) -> bool) -> Outcome<Pending> {
    let branch = run.failure_winner.or(run.branch);
    about(run, |tx| {
        branch
            .and_then(|branch| tx.branch(branch))
            .is_some_and(question)
    })
}

fn t_branch_timeout(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    of_branch(run, |branch| branch.has_timed_out())
}

/// Whether a branch had a reply. One that the script is just working on does not count.
fn replied(branch: &TxBranch, is_at_hand: bool, in_reply: bool) -> bool {
    let at_hand = is_at_hand && (in_reply || !branch.is_faked());
    branch.replies() > u16::from(at_hand)
}

fn t_branch_replied(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let in_reply = run.routes.intersects(Routes::REPLY);
    of_branch(run, |branch| replied(branch, true, in_reply))
}

fn t_any_timeout(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    about(run, |tx| {
        tx.branches().iter().any(|branch| branch.has_timed_out())
    })
}

fn t_any_replied(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let in_reply = run.routes.intersects(Routes::REPLY);
    let at_hand = run.failure_winner.or(run.branch);
    about(run, |tx| {
        let mut branches = tx.branches().iter().enumerate();
        branches.any(|(number, branch)| replied(branch, at_hand == Some(number), in_reply))
    })
}
