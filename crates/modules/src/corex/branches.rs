//! Destinations beside the Request-URI, flags beyond the 32 of the core, and parameters of our Via.

use engine::{FunctionRow, Pending, Run, Target, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use crate::row::{function, function_optional, param};

const APPEND: &[Parameter] = &[
    param("uri", ParameterKind::Str),
    param("q", ParameterKind::Str),
];
const FLAG: &[Parameter] = &[param("flag", ParameterKind::Int)];
/// Where Kamailio lets destinations be added.
const REQUESTS: Routes = Routes(Routes::REQUEST.0 | Routes::FAILURE.0 | Routes::EVENT.0);

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function_optional(
        "append_branch",
        APPEND,
        0,
        REQUESTS,
        append_branch,
        "Adds a destination; without a URI, the Request-URI becomes that destination.",
    ),
    function(
        "setxflag",
        FLAG,
        Routes::ANY,
        set_flag,
        "Sets an extended flag, 0 to 63, for as long as the transaction lives.",
    ),
    function(
        "resetxflag",
        FLAG,
        Routes::ANY,
        reset_flag,
        "Clears an extended flag.",
    ),
    function(
        "isxflagset",
        FLAG,
        Routes::ANY,
        is_flag_set,
        "True when the extended flag is set.",
    ),
    function(
        "via_add_srvid",
        FLAG,
        Routes::ANY,
        add_server_id,
        "Adds srvid with server_id, unless that is 0, to our Via; 0 takes it out again.",
    ),
    function(
        "forward_reply",
        &[],
        Routes::CORE_REPLY,
        forward_reply,
        "Sends the reply on by its Via, without its transaction.",
    ),
    function(
        "is_faked_msg",
        &[],
        Routes::ANY,
        is_faked,
        "True when nobody sent this message: it stands in for one.",
    ),
];

const fn truth(is: bool) -> Outcome<Pending> {
    Outcome::Code(if is { 1 } else { -1 })
}

fn append_branch(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(q) = preference(args) else {
        run.log(
            level::ERROR,
            "corex",
            "append_branch: q is a number from 0 to 1",
        );
        return truth(false);
    };
    let own = usize::from(!run.msg.uri_consumed);
    let clones = args.opt_str(0).is_none_or(|uri| uri.is_empty());
    if run.msg.branches.len() + own * usize::from(!clones) >= run.engine.settings.max_branches {
        run.log(
            level::ERROR,
            "corex",
            "append_branch: there are too many destinations",
        );
        return truth(false);
    }
    let mut branch = run.msg.target.clone();
    branch.q = q.unwrap_or(-1);
    if !clones {
        branch.uri = Some(args.str(0).as_bytes().to_vec());
        run.msg.branches.push(branch);
        return truth(true);
    }
    branch.uri = Some(run.msg.uri().to_vec());
    run.msg.branches.push(branch);
    let uri = run.msg.target.uri.take();
    run.msg.target = Target {
        uri,
        q: -1,
        ..Target::default()
    };
    run.msg.uri_consumed = true;
    truth(true)
}

/// The second argument in thousandths; `Some(None)` if it was not given, `None` if it is wrong.
fn preference(args: &Args<'_>) -> Option<Option<i32>> {
    match args.opt_str(1) {
        None => Some(None),
        Some(text) if text.is_empty() => Some(None),
        Some(text) => thousandths(text.as_str()?).map(Some),
    }
}

/// A number from 0 to 1, with three digits behind the point, in thousandths.
fn thousandths(text: &str) -> Option<i32> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || fraction.len() > 3 || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: i32 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let fraction: i32 = format!("{fraction:0<3}").parse().ok()?;
    let sum = whole.checked_mul(1000)?.checked_add(fraction)?;
    (0..=1000).contains(&sum).then_some(sum)
}

/// The extended flags of a message and its transaction.
#[derive(Default)]
struct ExtendedFlags(u64);

fn bit(flag: i64) -> u64 {
    u32::try_from(flag)
        .ok()
        .and_then(|flag| 1u64.checked_shl(flag))
        .unwrap_or(0)
}

fn set_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let bit = bit(args.int(0));
    run.shared().slots.entry::<ExtendedFlags>().0 |= bit;
    truth(bit != 0)
}

fn reset_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let bit = bit(args.int(0));
    run.shared().slots.entry::<ExtendedFlags>().0 &= !bit;
    truth(bit != 0)
}

fn is_flag_set(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let flags = run.shared_ref().slots.get::<ExtendedFlags>();
    truth(flags.is_some_and(|flags| flags.0 & bit(args.int(0)) != 0))
}

fn add_server_id(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.via_params.clear();
    let server = run.engine.settings.server_id;
    if args.int(0) != 0 && server != 0 {
        let text = format!(";srvid={server}");
        run.msg.via_params.extend_from_slice(text.as_bytes());
    }
    truth(true)
}

fn forward_reply(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    engine::forward_reply_stateless(run)
}

fn is_faked(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    truth(run.msg.faked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_counted_in_thousandths() {
        let all = [
            ("0.5", Some(500)),
            ("1", Some(1000)),
            (".75", Some(750)),
            ("0.123", Some(123)),
            ("1.1", None),
            ("x", None),
            ("", None),
            ("0.1234", None),
            ("-1", None),
        ];
        for (text, expected) in all {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }

    #[test]
    fn there_are_64_extended_flags() {
        assert_eq!(bit(63), 1 << 63);
        assert_eq!(bit(64), 0);
        assert_eq!(bit(-1), 0);
    }
}
