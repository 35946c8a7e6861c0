//! Module `sanity`: refuses messages that are wrong in themselves, with a reply that says why.

mod checks;

use engine::{
    FunctionRow, InitError, Module, ParameterRow, ParameterType, Pending, Run, Setup, level,
};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use crate::row::{IN_REQUESTS_AND_REPLIES, function, function_optional, param, parameter};
use checks::Refusal;

/// Checks of messages.
pub(crate) static MODULE: Module = Module {
    name: "sanity",
    requires: &["sl"],
    functions: FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Refuses messages that are wrong in themselves.",
};

const CHECKS: &[Parameter] = &[
    param("msg_checks", ParameterKind::Int),
    param("uri_checks", ParameterKind::Int),
];
const ROUTES: Routes = IN_REQUESTS_AND_REPLIES;

static FUNCTIONS: &[FunctionRow] = &[
    function_optional(
        "sanity_check",
        CHECKS,
        0,
        ROUTES,
        sanity_check,
        "Checks the message and answers when something is wrong.",
    ),
    function(
        "sanity_reply",
        &[],
        ROUTES,
        sanity_reply,
        "With `noreply`, answers as the last check found.",
    ),
];

static PARAMETERS: &[ParameterRow] = &[
    parameter(
        "default_checks",
        ParameterType::Int(3047),
        "The checks of `sanity_check()` without arguments, as a mask.",
    ),
    parameter(
        "uri_checks",
        ParameterType::Int(7),
        "The URIs to check: 1 Request-URI, 2 From, 4 To, 8 Contact.",
    ),
    parameter(
        "proxy_require",
        ParameterType::Str(Some("")),
        "Extensions allowed in Proxy-Require, separated by commas.",
    ),
    parameter(
        "autodrop",
        ParameterType::Int(1),
        "1 ends the script when a check fails, 0 returns -1.",
    ),
    parameter(
        "noreply",
        ParameterType::Int(0),
        "1 leaves the answer to `sanity_reply()` or the script.",
    ),
];

struct State {
    default_checks: i64,
    uri_checks: i64,
    proxy_require: Vec<Vec<u8>>,
    autodrop: bool,
    noreply: bool,
}

/// What the last check found, for `sanity_reply()`.
#[derive(Default)]
struct Found(Option<(u16, &'static str)>);

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let int = |name: &str| setup.parameters.int("sanity", name);
    let extensions = setup.parameters.str("sanity", "proxy_require");
    let extensions = extensions.unwrap_or_default();
    let tokens = extensions.split(',').map(str::trim);
    let state = State {
        default_checks: int("default_checks"),
        uri_checks: int("uri_checks"),
        proxy_require: tokens
            .filter(|token| !token.is_empty())
            .map(|token| token.as_bytes().to_vec())
            .collect(),
        autodrop: int("autodrop") != 0,
        noreply: int("noreply") != 0,
    };
    setup.put_state(state);
    Ok(())
}

fn sanity_check(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let wanted = args.opt_int(0).unwrap_or(state.default_checks);
    let uris = args.opt_int(1).unwrap_or(state.uri_checks);
    let supported: Vec<&[u8]> = state.proxy_require.iter().map(Vec::as_slice).collect();
    let message = std::sync::Arc::clone(&run.msg.message);
    let Err(refusal) = checks::check(&message, wanted, uris, &supported) else {
        return Outcome::Code(1);
    };
    if run.engine.log.enabled(level::INFO) {
        let text = format!("a message is refused: {} {}", refusal.code, refusal.reason);
        run.log(level::INFO, "sanity", &text);
    }
    if state.noreply {
        run.slots.entry::<Found>().0 = Some((refusal.code, refusal.reason));
    } else {
        answer(run, &refusal);
    }
    Outcome::Code(if state.autodrop { 0 } else { -1 })
}

fn answer(run: &mut Run, refusal: &Refusal) {
    if !run.msg.message.is_request() {
        return;
    }
    if let Some(extensions) = &refusal.unsupported {
        let line = [b"Unsupported: ", &extensions[..], b"\r\n"].concat();
        run.msg.reply_headers.extend_from_slice(&line);
    }
    run.answer(refusal.code, refusal.reason.as_bytes());
}

fn sanity_reply(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let found = run.slots.entry::<Found>().0.take();
    let Some((code, reason)) = found.filter(|_| run.msg.message.is_request()) else {
        return Outcome::Code(-1);
    };
    Outcome::Code(if run.answer(code, reason.as_bytes()) {
        1
    } else {
        -1
    })
}
