//! Timers and policy of one transaction. Before it is there, what is set counts for the one to come.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};
use transaction::Forget;

use super::{IN_REQUEST, State, WITH_TRANSACTION};
use crate::row::{function, function_optional, param};

const ON: &[Parameter] = &[param("on", ParameterKind::Int)];
const FR: &[Parameter] = &[
    param("fr_inv_timer", ParameterKind::Int),
    param("fr_timer", ParameterKind::Int),
];
const RETR: &[Parameter] = &[
    param("t1", ParameterKind::Int),
    param("t2", ParameterKind::Int),
];
const LIFETIME: &[Parameter] = &[
    param("invite", ParameterKind::Int),
    param("other", ParameterKind::Int),
];

pub(super) const T_SET_FR: FunctionRow = function_optional(
    "t_set_fr",
    FR,
    1,
    WITH_TRANSACTION,
    t_set_fr,
    "Timeouts after and before a provisional reply, ms; 0 leaves one as it is.",
);
pub(super) const T_RESET_FR: FunctionRow = function(
    "t_reset_fr",
    &[],
    WITH_TRANSACTION,
    t_reset_fr,
    "Puts the timeouts back.",
);
pub(super) const T_SET_RETR: FunctionRow = function(
    "t_set_retr",
    RETR,
    WITH_TRANSACTION,
    t_set_retr,
    "Retransmission intervals T1 and T2, ms; 0 leaves one as it is.",
);
pub(super) const T_RESET_RETR: FunctionRow = function(
    "t_reset_retr",
    &[],
    WITH_TRANSACTION,
    t_reset_retr,
    "Puts the retransmission intervals back.",
);
pub(super) const T_SET_MAX_LIFETIME: FunctionRow = function(
    "t_set_max_lifetime",
    LIFETIME,
    WITH_TRANSACTION,
    t_set_max_lifetime,
    "Lifetime of an INVITE's transaction and of others, ms; 0 leaves one as it is.",
);
pub(super) const T_RESET_MAX_LIFETIME: FunctionRow = function(
    "t_reset_max_lifetime",
    &[],
    WITH_TRANSACTION,
    t_reset_max_lifetime,
    "Puts the lifetime back.",
);
pub(super) const T_SET_AUTO_INV_100: FunctionRow = function(
    "t_set_auto_inv_100",
    ON,
    IN_REQUEST,
    t_set_auto_inv_100,
    "Whether t_relay() answers an INVITE with 100.",
);
pub(super) const T_SET_DISABLE_6XX: FunctionRow = function(
    "t_set_disable_6xx",
    ON,
    WITH_TRANSACTION,
    t_set_disable_6xx,
    "Lets other branches go on after a 6xx.",
);
pub(super) const T_SET_DISABLE_FAILOVER: FunctionRow = function(
    "t_set_disable_failover",
    ON,
    WITH_TRANSACTION,
    t_set_disable_failover,
    "Tries no other address when one fails.",
);
pub(super) const T_SET_NO_E2E_CANCEL_REASON: FunctionRow = function(
    "t_set_no_e2e_cancel_reason",
    ON,
    WITH_TRANSACTION,
    t_set_no_e2e_cancel_reason,
    "Does not pass the Reason of a CANCEL on.",
);
pub(super) const T_DISABLE_E2E_CANCEL_REASON: FunctionRow = function(
    "t_disable_e2e_cancel_reason",
    ON,
    WITH_TRANSACTION,
    t_set_no_e2e_cancel_reason,
    "Does not pass the Reason of a CANCEL on.",
);
pub(super) const T_SET_DISABLE_INTERNAL_REPLY: FunctionRow = function(
    "t_set_disable_internal_reply",
    ON,
    WITH_TRANSACTION,
    t_set_disable_internal_reply,
    "Makes a failing t_relay() return -4 and send no error reply.",
);
pub(super) const T_DROP_REPLIES: FunctionRow = function_optional(
    "t_drop_replies",
    &[param("mode", ParameterKind::Str)],
    0,
    Routes::FAILURE,
    t_drop_replies,
    "If branches are added: a all, l the last leg's, n none of the earlier replies is forgotten.",
);
pub(super) const T_USE_UAC_HEADERS: FunctionRow = function(
    "t_use_uac_headers",
    &[],
    Routes::ANY,
    t_use_uac_headers,
    "Nothing to do: hop-by-hop requests are built from what was sent.",
);

/// A count of milliseconds; what is negative leaves the value as it is, as 0 does.
fn millis(args: &Args<'_>, at: usize) -> u32 {
    args.int(at).clamp(0, i64::from(u32::MAX)) as u32
}

fn t_set_fr(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_fr(run, millis(args, 0), millis(args, 1))
}

fn t_reset_fr(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let timers = run.state::<State>().defaults.timers;
    set_fr(run, timers.fr_inv_timer, timers.fr_timer)
}

pub(super) fn set_fr(run: &mut Run, fr_inv_timer: u32, fr_timer: u32) -> Outcome<Pending> {
    let now = run.now.time;
    if let Some(tx) = &mut run.tx {
        tx.set_fr(fr_inv_timer, fr_timer, now);
        return Outcome::Code(1);
    }
    let timers = &mut run.transaction_settings().timers;
    set(&mut timers.fr_inv_timer, fr_inv_timer);
    set(&mut timers.fr_timer, fr_timer);
    Outcome::Code(1)
}

fn set(timer: &mut u32, ms: u32) {
    if ms > 0 {
        *timer = ms;
    }
}

fn t_set_retr(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (t1, t2) = (millis(args, 0), millis(args, 1));
    let timers = &mut run.transaction_settings().timers;
    set(&mut timers.retr_timer1, t1);
    set(&mut timers.retr_timer2, t2);
    Outcome::Code(1)
}

fn t_reset_retr(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let defaults = run.state::<State>().defaults.timers;
    let timers = &mut run.transaction_settings().timers;
    timers.retr_timer1 = defaults.retr_timer1;
    timers.retr_timer2 = defaults.retr_timer2;
    Outcome::Code(1)
}

fn t_set_max_lifetime(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_lifetime(run, millis(args, 0), millis(args, 1))
}

fn t_reset_max_lifetime(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let timers = run.state::<State>().defaults.timers;
    set_lifetime(run, timers.max_inv_lifetime, timers.max_noninv_lifetime)
}

fn set_lifetime(run: &mut Run, invite: u32, other: u32) -> Outcome<Pending> {
    let now = run.now.time;
    if let Some(tx) = &mut run.tx {
        tx.set_max_lifetime(invite, other, now);
        return Outcome::Code(1);
    }
    let timers = &mut run.transaction_settings().timers;
    set(&mut timers.max_inv_lifetime, invite);
    set(&mut timers.max_noninv_lifetime, other);
    Outcome::Code(1)
}

fn t_set_auto_inv_100(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.shared().wishes.auto_100 = Some(args.int(0) != 0);
    Outcome::Code(1)
}

fn t_set_disable_6xx(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.transaction_settings().policy.disable_6xx_block = args.int(0) != 0;
    Outcome::Code(1)
}

fn t_set_disable_failover(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.shared().wishes.no_failover = args.int(0) != 0;
    Outcome::Code(1)
}

fn t_set_no_e2e_cancel_reason(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.transaction_settings().policy.e2e_cancel_reason = args.int(0) == 0;
    Outcome::Code(1)
}

fn t_set_disable_internal_reply(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.shared().wishes.no_internal_reply = args.int(0) != 0;
    Outcome::Code(1)
}

fn t_drop_replies(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let forget = match args.opt_str(0).and_then(|mode| mode.first().copied()) {
        None | Some(b'a') => Forget::All,
        Some(b'l') => Forget::LastLeg,
        Some(b'n') => Forget::Nothing,
        Some(_) => {
            run.log(
                level::ERROR,
                "tm",
                "t_drop_replies: expected all, last or none",
            );
            return Outcome::Code(-1);
        }
    };
    let Some(tx) = &mut run.tx else {
        return Outcome::Code(-1);
    };
    tx.drop_replies(forget);
    Outcome::Code(1)
}

fn t_use_uac_headers(_: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    Outcome::Code(1)
}
