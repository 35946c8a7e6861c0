//! Blocks that are to run as a request goes on.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, BlockKind, Outcome, Parameter, ParameterKind, Routes};

use super::reply::truth;
use super::{WHERE_RELAYED, WITH_TRANSACTION};
use crate::row::{function, param};

const FAILURE: &[Parameter] = &[param("block", ParameterKind::Block(BlockKind::Failure))];
const ON_REPLY: &[Parameter] = &[param("block", ParameterKind::Block(BlockKind::OnReply))];
const BRANCH: &[Parameter] = &[param("block", ParameterKind::Block(BlockKind::Branch))];
const NAME: &[Parameter] = &[param("name", ParameterKind::Str)];

pub(super) const T_ON_FAILURE: FunctionRow = function(
    "t_on_failure",
    FAILURE,
    WITH_TRANSACTION,
    t_on_failure,
    "Runs a failure_route when all branches have failed.",
);
pub(super) const T_ON_REPLY: FunctionRow = function(
    "t_on_reply",
    ON_REPLY,
    WITH_TRANSACTION,
    t_on_reply,
    "Runs an onreply_route for each reply.",
);
pub(super) const T_ON_BRANCH: FunctionRow = function(
    "t_on_branch",
    BRANCH,
    WHERE_RELAYED,
    t_on_branch,
    "Runs a branch_route before each branch is sent.",
);
pub(super) const T_ON_BRANCH_FAILURE: FunctionRow = function(
    "t_on_branch_failure",
    NAME,
    WITH_TRANSACTION,
    t_on_branch_failure,
    "Runs event_route[tm:branch-failure:NAME] for each branch that fails.",
);
pub(super) const T_IS_SET: FunctionRow = function(
    "t_is_set",
    &[param("kind", ParameterKind::Static)],
    Routes::ANY,
    t_is_set,
    "Whether a branch_route, failure_route or onreply_route is armed.",
);

fn t_on_failure(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.armed().on_failure = args.block(0);
    Outcome::Code(1)
}

fn t_on_reply(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.armed().on_reply = args.block(0);
    Outcome::Code(1)
}

fn t_on_branch(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.armed().on_branch = args.block(0);
    Outcome::Code(1)
}

fn t_on_branch_failure(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(0);
    if name.is_empty() || name.as_bytes() == b"0" {
        run.armed().on_branch_failure = None;
        return Outcome::Code(1);
    }
    let block = if run.engine.foreign.is_engine() {
        let function = name.as_str();
        function.and_then(|function| run.find_block(BlockKind::Event, function))
    } else {
        run.script.event(&format!("tm:branch-failure:{name}"))
    };
    if block.is_none() {
        let text =
            format!("t_on_branch_failure: there is no event_route[tm:branch-failure:{name}]");
        run.log(level::ERROR, "tm", &text);
        return Outcome::Code(-1);
    }
    run.armed().on_branch_failure = block;
    Outcome::Code(1)
}

fn t_is_set(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let armed = *run.armed();
    let block = match args.str(0).first() {
        Some(b'b') => armed.on_branch,
        Some(b'f') => armed.on_failure,
        Some(b'o') => armed.on_reply,
        _ => return Outcome::Code(-1),
    };
    truth(block.is_some())
}
