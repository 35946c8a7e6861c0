//! Small questions and settings.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, ParameterKind, Routes};

use crate::row::{function, function_optional, param};

const IN_REQUEST: Routes = Routes::REQUEST.or(Routes::EVENT);

pub(super) const T_IS_REQUEST_ROUTE: FunctionRow = function(
    "t_is_request_route",
    &[],
    Routes::ANY,
    |run, _| is_in(run, Routes::REQUEST),
    "Whether a request_route runs.",
);
pub(super) const T_IS_FAILURE_ROUTE: FunctionRow = function(
    "t_is_failure_route",
    &[],
    Routes::ANY,
    |run, _| is_in(run, Routes::FAILURE),
    "Whether a failure_route runs.",
);
pub(super) const T_IS_BRANCH_ROUTE: FunctionRow = function(
    "t_is_branch_route",
    &[],
    Routes::ANY,
    |run, _| is_in(run, Routes::BRANCH),
    "Whether a branch_route runs.",
);
pub(super) const T_IS_REPLY_ROUTE: FunctionRow = function(
    "t_is_reply_route",
    &[],
    Routes::ANY,
    |run, _| is_in(run, Routes::REPLY),
    "Whether a reply route runs.",
);
pub(super) const T_PRECHECK_TRANS: FunctionRow = function(
    "t_precheck_trans",
    &[],
    IN_REQUEST,
    t_precheck_trans,
    "Always false: a message waits while another one of its call is worked on.",
);
pub(super) const T_FLUSH_FLAGS: FunctionRow = function(
    "t_flush_flags",
    &[],
    Routes::ANY,
    t_flush_flags,
    "Puts the message's flags into the transaction.",
);
pub(super) const T_FLUSH_XFLAGS: FunctionRow = function(
    "t_flush_xflags",
    &[],
    Routes::ANY,
    t_flush_xflags,
    "Nothing to do when there is a transaction: it has the extended flags from its beginning.",
);
pub(super) const T_DROP: FunctionRow = function_optional(
    "t_drop",
    &[param("code", ParameterKind::Int)],
    0,
    Routes::ANY,
    t_drop,
    "Ends the transaction without an answer.",
);
pub(super) const T_REUSE_BRANCH: FunctionRow = function(
    "t_reuse_branch",
    &[],
    IN_REQUEST,
    t_reuse_branch,
    "In event_route[tm:branch-failure:…]: makes the failed branch's destination one again.",
);

pub(super) fn truth(holds: bool) -> Outcome<Pending> {
    Outcome::Code(if holds { 1 } else { -1 })
}

fn is_in(run: &Run, routes: Routes) -> Outcome<Pending> {
    truth(run.routes.intersects(routes))
}

fn t_precheck_trans(_: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    Outcome::Code(-1)
}

fn t_flush_flags(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let flags = run.msg.flags;
    match &mut run.tx {
        Some(tx) => {
            tx.data.working.flags = flags;
            Outcome::Code(1)
        }
        None => Outcome::Code(-1),
    }
}

fn t_flush_xflags(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    truth(run.tx.is_some())
}

fn t_drop(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let now = run.now.time;
    match &mut run.tx {
        Some(tx) => {
            tx.data.released = true;
            tx.release(now);
            Outcome::Code(1)
        }
        None => Outcome::Code(-1),
    }
}

fn t_reuse_branch(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let failed = run.branch.filter(|_| run.branch_status != 0);
    let target = run
        .tx
        .as_deref()
        .and_then(|tx| Some(tx.branch(failed?)?.data.target.clone()));
    let Some(target) = target else {
        run.log(
            level::ERROR,
            "tmx",
            "t_reuse_branch: no branch has failed here",
        );
        return Outcome::Code(-1);
    };
    run.msg.target = target;
    run.msg.uri_consumed = false;
    Outcome::Code(1)
}
