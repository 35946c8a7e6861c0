//! Functions about any variable, and about the destination that `$sbranch()` puts together.

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Format, Outcome, Parameter, ParameterKind, Routes, Str, Value};

use super::branch::Prepared;
use crate::row::{function, param};

const VARIABLE: &[Parameter] = &[param("pvar", ParameterKind::Variable)];
const TARGET: &[Parameter] = &[param("pvar", ParameterKind::Target)];
const TYPED: &[Parameter] = &[
    param("pvar", ParameterKind::Variable),
    param("vtype", ParameterKind::Str),
];
const EVALUATED: &[Parameter] = &[
    param("dst", ParameterKind::Target),
    param("fmt", ParameterKind::Str),
];
const ANY: Routes = Routes::ANY;

/// How many names formats that are parsed at run time may bring.
const NAMES_MAX: usize = 65_536;

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "pv_isset",
        VARIABLE,
        ANY,
        is_set,
        "True when the variable is not null.",
    ),
    function(
        "pv_unset",
        TARGET,
        ANY,
        unset,
        "Assigns null to the variable.",
    ),
    function(
        "is_int",
        VARIABLE,
        ANY,
        is_int,
        "True when the variable holds a number.",
    ),
    function(
        "typeof",
        TYPED,
        ANY,
        type_of,
        "True when the variable is `int`, `str` or `null`.",
    ),
    function(
        "not_empty",
        VARIABLE,
        ANY,
        not_empty,
        "True when the variable holds a text that is not empty.",
    ),
    function(
        "pv_evalx",
        EVALUATED,
        ANY,
        evaluate,
        "Prints a format twice: variables that variables name.",
    ),
    function(
        "sbranch_set_ruri",
        &[],
        ANY,
        prepared_to_uri,
        "Makes the prepared destination the Request-URI.",
    ),
    function(
        "sbranch_append",
        &[],
        ANY,
        prepared_to_branch,
        "Adds the prepared destination.",
    ),
    function(
        "sbranch_reset",
        &[],
        ANY,
        prepared_reset,
        "Begins another prepared destination.",
    ),
];

fn truth(yes: bool) -> Outcome<Pending> {
    Outcome::Code(if yes { 1 } else { -1 })
}

fn value(run: &mut Run, args: &Args<'_>) -> Value {
    let variable = args.variable(0);
    variable
        .map(|variable| variable.get(run))
        .unwrap_or_default()
}

fn is_set(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(!value(run, args).is_null())
}

fn unset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let done = args
        .variable(0)
        .map(|variable| variable.set(run, Value::Null));
    truth(matches!(done, Some(Ok(()))))
}

fn is_int(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(matches!(value(run, args), Value::Int(_)))
}

fn type_of(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let wanted: &[u8] = match value(run, args) {
        Value::Null => b"null",
        Value::Int(_) => b"int",
        Value::Str(_) => b"str",
    };
    truth(args.str(1).as_bytes() == wanted)
}

/// Numbers of a message, like a port, are texts to Kamailio too; they are never empty.
fn not_empty(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(match value(run, args) {
        Value::Null => false,
        Value::Int(_) => true,
        Value::Str(text) => !text.is_empty(),
    })
}

fn evaluate(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let engine = run.engine.clone();
    let Some(target) = args.variable(0) else {
        return Outcome::Code(-1);
    };
    if engine.catalog.interner().len() > NAMES_MAX {
        run.log(
            level::ERROR,
            "pv",
            "pv_evalx: too many names came up at run time",
        );
        return Outcome::Code(-1);
    }
    let format = match Format::parse(args.str(1), &engine.catalog) {
        Ok(format) => format,
        Err(error) => {
            run.log(level::ERROR, "pv", &format!("pv_evalx: {error}"));
            return Outcome::Code(-1);
        }
    };
    let mut text = Vec::new();
    format.print(run, &mut text);
    truth(target.set(run, Value::Str(Str::from(text))).is_ok())
}

fn prepared_to_uri(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let target = run.slots.entry::<Prepared>().0.clone();
    if target.uri.is_none() {
        return Outcome::Code(-1);
    }
    run.msg.target = target;
    run.msg.uri_consumed = false;
    Outcome::Code(1)
}

fn prepared_to_branch(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let target = run.slots.entry::<Prepared>().0.clone();
    let room = run.msg.branches.len() + 1 < run.engine.settings.max_branches;
    if target.uri.is_none() || !room {
        return Outcome::Code(-1);
    }
    run.msg.branches.push(target);
    Outcome::Code(1)
}

fn prepared_reset(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.slots.take::<Prepared>();
    Outcome::Code(1)
}
