//! `setflag()` and its kind: the 32 flags of a message.

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, ParameterKind};

use crate::row::{action, param};

pub(super) const SETFLAG: FunctionRow = action(
    "setflag",
    &[param("flag", ParameterKind::Int)],
    1,
    setflag,
    "Sets a message flag, 0 to 31.",
);
pub(super) const RESETFLAG: FunctionRow = action(
    "resetflag",
    &[param("flag", ParameterKind::Int)],
    1,
    resetflag,
    "Clears a message flag.",
);
pub(super) const ISFLAGSET: FunctionRow = action(
    "isflagset",
    &[param("flag", ParameterKind::Int)],
    1,
    isflagset,
    "True when the message flag is set.",
);

/// The bit of a flag number; none outside of 0 to 31.
pub(crate) fn bit(flag: i64) -> u32 {
    u32::try_from(flag)
        .ok()
        .filter(|flag| *flag < 32)
        .map_or(0, |flag| 1 << flag)
}

fn setflag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.flags |= bit(args.int(0));
    Outcome::Code(1)
}

fn resetflag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.flags &= !bit(args.int(0));
    Outcome::Code(1)
}

fn isflagset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let set = run.msg.flags & bit(args.int(0)) != 0;
    Outcome::Code(if set { 1 } else { -1 })
}
