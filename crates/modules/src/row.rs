//! Short forms for the rows of function tables.

use engine::{
    Check, FunctionRow, Handler, KeyRule, ParameterRow, ParameterType, ParameterValue, Run, Setter,
    VariableRow,
};
use script::{Index, Key, Parameter, ParameterKind, Routes, Signature, Value};

/// In request routes. Event routes may use everything that request routes may.
pub(crate) const IN_REQUESTS: Routes = Routes::REQUEST.or(Routes::EVENT);
/// In request and reply routes.
pub(crate) const IN_REQUESTS_AND_REPLIES: Routes = IN_REQUESTS.or(Routes::REPLY);
/// Wherever a request is worked on.
pub(crate) const WITH_REQUESTS: Routes = IN_REQUESTS.or(Routes::BRANCH).or(Routes::FAILURE);
/// Wherever a message is worked on, except when it is about to leave.
pub(crate) const WITH_MESSAGES: Routes = WITH_REQUESTS.or(Routes::REPLY);

/// A parameter.
pub(crate) const fn param(name: &'static str, kind: ParameterKind) -> Parameter {
    Parameter { name, kind }
}

/// A module function all of whose parameters must be given.
pub(crate) const fn function(
    name: &'static str,
    parameters: &'static [Parameter],
    routes: Routes,
    handler: Handler,
    doc: &'static str,
) -> FunctionRow {
    let required = parameters.len();
    FunctionRow {
        signature: Signature {
            name,
            parameters,
            required,
            routes,
            core: false,
            doc,
        },
        handler,
    }
}

/// A module function whose last parameters may be left out.
pub(crate) const fn function_optional(
    name: &'static str,
    parameters: &'static [Parameter],
    required: usize,
    routes: Routes,
    handler: Handler,
    doc: &'static str,
) -> FunctionRow {
    FunctionRow {
        signature: Signature {
            name,
            parameters,
            required,
            routes,
            core: false,
            doc,
        },
        handler,
    }
}

/// A core action.
pub(crate) const fn action(
    name: &'static str,
    parameters: &'static [Parameter],
    required: usize,
    handler: Handler,
    doc: &'static str,
) -> FunctionRow {
    let routes = Routes::ANY;
    FunctionRow {
        signature: Signature {
            name,
            parameters,
            required,
            routes,
            core: true,
            doc,
        },
        handler,
    }
}

/// A variable that can only be read.
pub(crate) const fn reads(
    name: &'static str,
    key: KeyRule,
    get: fn(&mut Run, &Key, Index) -> Value,
    doc: &'static str,
) -> VariableRow {
    VariableRow {
        name,
        key,
        get,
        set: None,
        doc,
    }
}

/// A variable that can be assigned.
pub(crate) const fn writes(
    name: &'static str,
    key: KeyRule,
    get: fn(&mut Run, &Key, Index) -> Value,
    set: Setter,
    doc: &'static str,
) -> VariableRow {
    VariableRow {
        name,
        key,
        get,
        set: Some(set),
        doc,
    }
}

/// A module parameter, with what checks its value when it is given, if anything does.
pub(crate) const fn parameter_row(
    name: &'static str,
    kind: ParameterType,
    check: Option<Check>,
    doc: &'static str,
) -> ParameterRow {
    ParameterRow {
        name,
        kind,
        check,
        doc,
    }
}

/// A module parameter that takes any value of its type.
pub(crate) const fn parameter(
    name: &'static str,
    kind: ParameterType,
    doc: &'static str,
) -> ParameterRow {
    parameter_row(name, kind, None, doc)
}

/// A module parameter whose value is checked when it is given.
pub(crate) const fn checked(
    name: &'static str,
    kind: ParameterType,
    check: Check,
    doc: &'static str,
) -> ParameterRow {
    ParameterRow {
        check: Some(check),
        ..parameter(name, kind, doc)
    }
}

/// Accepts integers above 0.
pub(crate) fn positive(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(1..) => Ok(()),
        _ => Err("the value must be above 0".to_owned()),
    }
}

/// Accepts integers from 0.
pub(crate) fn not_negative(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..) => Ok(()),
        _ => Err("the value must not be negative".to_owned()),
    }
}

/// Accepts only 0: what another value asks for is not there.
pub(crate) fn off(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0) => Ok(()),
        _ => Err("Tandem does not do this yet: the value must be 0".to_owned()),
    }
}

/// Accepts only an empty text: what another asks for is not there.
pub(crate) fn unset(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) if text.is_empty() => Ok(()),
        _ => Err("Tandem does not do this yet: the value must be empty".to_owned()),
    }
}

/// How many rows several tables have together.
pub(crate) const fn total<T>(tables: &[&[T]]) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < tables.len() {
        count += tables[at].len();
        at += 1;
    }
    count
}

/// Several tables as one; the first must not be empty.
pub(crate) const fn join<T: Copy, const N: usize>(tables: &[&[T]]) -> [T; N] {
    let mut rows = [tables[0][0]; N];
    let (mut put, mut at) = (0, 0);
    while at < tables.len() {
        let mut row = 0;
        while row < tables[at].len() {
            rows[put] = tables[at][row];
            put += 1;
            row += 1;
        }
        at += 1;
    }
    rows
}
