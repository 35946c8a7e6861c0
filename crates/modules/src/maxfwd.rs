//! Module `maxfwd`: the Max-Forwards header (RFC 3261 §16.3 item 3, §16.6 item 3).

use std::sync::Arc;

use engine::{
    FunctionRow, InitError, Module, ParameterRow, ParameterType, ParameterValue, Pending, Run,
    Setup,
};
use script::{Args, Outcome, Parameter, ParameterKind};
use sip::{HeaderId, Tag};

use crate::row::{IN_REQUESTS, WITH_REQUESTS, function, param};

/// Max-Forwards.
pub(crate) static MODULE: Module = Module {
    name: "maxfwd",
    requires: &[],
    functions: FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Counts Max-Forwards down and looks at it.",
};

const VALUE: &[Parameter] = &[param("max_value", ParameterKind::Int)];
const COUNT_DOWN: &str =
    "Counts Max-Forwards down, or adds it with this value: 1, 2 when added, -1 at 0.";
const IS_BELOW: &str = "True when Max-Forwards is below the value.";

static FUNCTIONS: &[FunctionRow] = &[
    function(
        "mf_process_maxfwd_header",
        VALUE,
        IN_REQUESTS,
        process,
        COUNT_DOWN,
    ),
    function("maxfwd_process", VALUE, IN_REQUESTS, process, COUNT_DOWN),
    function("process_maxfwd", VALUE, IN_REQUESTS, process, COUNT_DOWN),
    function("is_maxfwd_lt", VALUE, WITH_REQUESTS, is_below, IS_BELOW),
    function("maxfwd_at_least", VALUE, WITH_REQUESTS, is_below, IS_BELOW),
    function("mf_lowlimit", VALUE, WITH_REQUESTS, is_below, IS_BELOW),
];

static PARAMETERS: &[ParameterRow] = &[ParameterRow {
    name: "max_limit",
    kind: ParameterType::Int(70),
    check: Some(check_limit),
    doc: "The greatest value in an outgoing request, 1 to 256.",
}];

fn check_limit(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(1..=256) => Ok(()),
        _ => Err("max_limit is from 1 to 256".to_owned()),
    }
}

struct State {
    max_limit: u32,
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let max_limit = u32::try_from(setup.parameters.int("maxfwd", "max_limit")).unwrap_or(70);
    setup.put_state(State { max_limit });
    Ok(())
}

/// The limit for this message: `cfg_select()` may have chosen another than the parameter's.
fn max_limit(run: &Run) -> u32 {
    crate::cfg::selected_value(run, "maxfwd", "max_limit")
        .and_then(|value| value.to_int())
        .and_then(|limit| u32::try_from(limit).ok())
        .unwrap_or(run.state::<State>().max_limit)
}

/// Max-Forwards as it stands now; an unreadable one is an error.
fn current(run: &Run) -> Result<Option<u32>, ()> {
    if run.msg.max_forwards.is_some() {
        return Ok(run.msg.max_forwards);
    }
    match run.msg.message.value(HeaderId::MaxForwards) {
        Some(text) => sip::number(text).map(Some).ok_or(()),
        None => Ok(None),
    }
}

fn process(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let limit = max_limit(run);
    let value = match current(run) {
        Err(()) => return Outcome::Code(-2),
        Ok(Some(0)) => return Outcome::Code(-1),
        Ok(Some(hops)) => (hops - 1).min(limit),
        Ok(None) => match u32::try_from(args.int(0)) {
            Ok(value @ 1..=256) => value,
            _ => return Outcome::Code(-2),
        },
    };
    let found = write(run, value);
    Outcome::Code(if found { 1 } else { 2 })
}

/// Gives the outgoing request this value; tells whether the header was there already.
fn write(run: &mut Run, value: u32) -> bool {
    let message = Arc::clone(&run.msg.message);
    let known = run.msg.max_forwards.is_some();
    run.msg.edits.withdraw(Tag::MaxForwards);
    run.msg.max_forwards = Some(value);
    match message.header(HeaderId::MaxForwards) {
        Some(header) => {
            run.msg.edits.set_number(Tag::MaxForwards, &header, value);
            true
        }
        None => {
            let mut text = b"Max-Forwards: ".to_vec();
            sip::push_number(&mut text, value);
            text.extend_from_slice(b"\r\n");
            run.msg
                .edits
                .insert_first(Tag::MaxForwards, &message, &text);
            known
        }
    }
}

fn is_below(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let code = match current(run) {
        Err(()) => -3,
        Ok(None) => -2,
        Ok(Some(hops)) if i64::from(hops) < args.int(0) => 1,
        Ok(Some(_)) => -1,
    };
    Outcome::Code(code)
}
