//! Script functions of module kex.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes, Str, Value};
use sip::Uri;

use super::DebugBefore;
use crate::core::flag_bit;
use crate::row::{function, function_optional, param};

const FLAG: &[Parameter] = &[param("flag", ParameterKind::Int)];
const BRANCH_FLAG: &[Parameter] = &[
    param("flag", ParameterKind::Int),
    param("branch", ParameterKind::Int),
];
const URI: &[Parameter] = &[param("uri", ParameterKind::Str)];
const PRINT: &[Parameter] = &[
    param("to", ParameterKind::Target),
    param("text", ParameterKind::Str),
];
const ANY: Routes = Routes::ANY;

pub(super) static FUNCTIONS: &[FunctionRow] = &[
    function(
        "setsflag",
        FLAG,
        ANY,
        set_script_flag,
        "Sets a script flag, 0 to 31.",
    ),
    function(
        "resetsflag",
        FLAG,
        ANY,
        reset_script_flag,
        "Clears a script flag.",
    ),
    function(
        "issflagset",
        FLAG,
        ANY,
        is_script_flag_set,
        "True when the script flag is set.",
    ),
    function_optional(
        "setbflag",
        BRANCH_FLAG,
        1,
        ANY,
        set_branch_flag,
        "Sets a flag of a branch; branch 0 is the Request-URI.",
    ),
    function_optional(
        "resetbflag",
        BRANCH_FLAG,
        1,
        ANY,
        reset_branch_flag,
        "Clears a flag of a branch.",
    ),
    function_optional(
        "isbflagset",
        BRANCH_FLAG,
        1,
        ANY,
        is_branch_flag_set,
        "True when the flag of the branch is set.",
    ),
    function(
        "isdsturiset",
        &[],
        ANY,
        is_destination_set,
        "True when $du is set.",
    ),
    function("setdsturi", URI, ANY, set_destination, "Sets $du."),
    function("resetdsturi", &[], ANY, reset_destination, "Unsets $du."),
    function(
        "is_myself",
        URI,
        ANY,
        is_myself,
        "True when a URI or a host means this server.",
    ),
    function(
        "pv_printf",
        PRINT,
        ANY,
        print_into,
        "Prints a text into a variable.",
    ),
    function(
        "avp_printf",
        PRINT,
        ANY,
        print_into,
        "Prints a text into a variable.",
    ),
    function(
        "setdebug",
        &[param("level", ParameterKind::Int)],
        ANY,
        set_debug,
        "Changes the log level, of the whole server, until resetdebug().",
    ),
    function(
        "resetdebug",
        &[],
        ANY,
        reset_debug,
        "Puts the log level back that was there before setdebug().",
    ),
];

const fn truth(is: bool) -> Outcome<Pending> {
    Outcome::Code(if is { 1 } else { -1 })
}

fn set_script_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let bit = flag_bit(args.int(0));
    run.script_flags |= bit;
    truth(bit != 0)
}

fn reset_script_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let bit = flag_bit(args.int(0));
    run.script_flags &= !bit;
    truth(bit != 0)
}

fn is_script_flag_set(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(run.script_flags & flag_bit(args.int(0)) != 0)
}

/// The flags of a branch: 0 is the Request-URI, others are those that were appended.
fn branch_flags(run: &mut Run, branch: i64) -> Option<&mut u32> {
    match usize::try_from(branch).ok()?.checked_sub(1) {
        None => Some(&mut run.msg.target.flags),
        Some(at) => run.msg.branches.get_mut(at).map(|branch| &mut branch.flags),
    }
}

fn with_branch_flag(
    run: &mut Run,
    args: &Args<'_>,
    act: fn(&mut u32, u32) -> bool,
) -> Outcome<Pending> {
    let bit = flag_bit(args.int(0));
    match branch_flags(run, args.int(1)) {
        Some(flags) if bit != 0 => truth(act(flags, bit)),
        _ => truth(false),
    }
}

fn set_branch_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_branch_flag(run, args, |flags, bit| {
        *flags |= bit;
        true
    })
}

fn reset_branch_flag(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_branch_flag(run, args, |flags, bit| {
        *flags &= !bit;
        true
    })
}

fn is_branch_flag_set(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_branch_flag(run, args, |flags, bit| *flags & bit != 0)
}

fn is_destination_set(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    truth(run.msg.target.next_hop.is_some())
}

fn set_destination(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.target.next_hop = Some(args.str(0).as_bytes().to_vec());
    // A destination that was set anew is one to go to.
    run.msg.uri_consumed = false;
    truth(true)
}

fn reset_destination(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.target.next_hop = None;
    truth(true)
}

fn is_myself(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(0).as_bytes();
    let is_uri = [&b"sip:"[..], b"sips:"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    if !is_uri {
        return truth(run.engine.is_myself(text, None, None));
    }
    let Ok(uri) = Uri::parse(text) else {
        run.log(
            level::ERROR,
            "kex",
            "is_myself: the URI can't be understood",
        );
        return truth(false);
    };
    let transport = uri.transport().and_then(sip::Transport::from_name);
    truth(run.engine.is_myself(uri.host, uri.port, transport))
}

fn print_into(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(variable) = args.variable(0) else {
        return truth(false);
    };
    let text: Str = args.str(1).clone();
    match variable.set(run, Value::Str(text)) {
        Ok(()) => truth(true),
        Err(error) => {
            run.log(
                level::ERROR,
                "kex",
                &format!("{}: {}", args.function(), error.0),
            );
            truth(false)
        }
    }
}

fn set_debug(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<DebugBefore>();
    let mut before = state.0.lock();
    if before.is_none() {
        *before = Some(run.engine.log.threshold());
    }
    run.engine
        .log
        .set_threshold(args.int(0).clamp(-10, 10) as i32);
    truth(true)
}

fn reset_debug(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<DebugBefore>();
    if let Some(level) = state.0.lock().take() {
        run.engine.log.set_threshold(level);
    }
    truth(true)
}
