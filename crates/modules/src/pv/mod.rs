//! Module `pv`: pseudo-variables that belong to no other module, and the functions that handle them.

mod address;
mod avp;
mod branch;
mod constant;
mod credentials;
mod flags;
mod functions;
mod header;
mod message;
mod rpc;
mod sending;
mod shared;
mod socket;
mod store;
mod time;
mod tree;
mod tree_functions;
mod uri;
mod value;
mod via;

use engine::{
    FunctionRow, InitError, Module, ParameterRow, ParameterType, ParameterValue, Setup, VariableRow,
};
use script::{Str, Value};

pub(crate) use avp::parse_name as avp_name;
pub(crate) use message::changed;
pub(crate) use tree::{Kind, Level, Node, Trees, trees};

use crate::row::{join, parameter, total};

/// Pseudo-variables.
pub(crate) static MODULE: Module = Module {
    name: "pv",
    requires: &[],
    functions: &FUNCTIONS,
    variables: &VARIABLES,
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Pseudo-variables and functions that handle them.",
};

const TABLES: &[&[VariableRow]] = &[
    uri::ROWS,
    address::ROWS,
    message::ROWS,
    header::ROWS,
    socket::ROWS,
    store::ROWS,
    shared::ROWS,
    avp::ROWS,
    tree::ROWS,
    branch::ROWS,
    flags::ROWS,
    via::ROWS,
    sending::ROWS,
    credentials::ROWS,
    time::ROWS,
    constant::ROWS,
];

static VARIABLES: [VariableRow; total(TABLES)] = join(TABLES);

const FUNCTION_TABLES: &[&[FunctionRow]] = &[functions::ROWS, tree_functions::ROWS];

static FUNCTIONS: [FunctionRow; total(FUNCTION_TABLES)] = join(FUNCTION_TABLES);

static PARAMETERS: &[ParameterRow] = &[
    parameter(
        "shvset",
        ParameterType::Repeated,
        "The first value of a `$shv`: `name=i:5` or `name=s:text`. May be given several times.",
    ),
    parameter(
        "varset",
        ParameterType::Repeated,
        "The first value of a `$var`: `name=i:5` or `name=s:text`. May be given several times.",
    ),
    parameter(
        "avp_aliases",
        ParameterType::Repeated,
        "Other names for AVPs: `email=s:email_addr;tmp=i:100`.",
    ),
];

/// What the module keeps for all messages.
pub(crate) struct State {
    aliases: avp::Aliases,
    shared: shared::Shared,
    constants: constant::Constants,
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    store::init(setup)?;
    let state = State {
        aliases: avp::aliases(setup)?,
        shared: shared::Shared::new(setup)?,
        constants: constant::Constants::default(),
    };
    setup.put_state(state);
    rpc::add(setup);
    Ok(())
}

/// Reads `name=i:5` or `name=s:text`, as `varset` and `shvset` take it.
fn initial_value(parameter: &str, given: &ParameterValue) -> Result<(String, Value), InitError> {
    let wrong = |text: &str| {
        InitError::from(format!(
            "parameter {parameter}: \"{text}\" is neither name=i:number nor name=s:text"
        ))
    };
    let ParameterValue::Str(text) = given else {
        return Err(wrong("a number"));
    };
    let (name, typed) = text.split_once('=').ok_or_else(|| wrong(text))?;
    let value = match typed.trim_start().split_once(':') {
        Some(("i", number)) => {
            Value::Int(script::parse_int(number.trim().as_bytes()).ok_or_else(|| wrong(text))?)
        }
        Some(("s", text)) => Value::Str(Str::from(text)),
        _ => return Err(wrong(text)),
    };
    Ok((name.trim().to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_values_have_a_type() {
        let given = |text: &str| initial_value("varset", &ParameterValue::Str(text.to_owned()));
        assert_eq!(given("a=i:-5"), Ok(("a".to_owned(), Value::Int(-5))));
        let gateway = given("gw=s:sip:1.1.1.1;transport=tcp");
        assert_eq!(
            gateway,
            Ok(("gw".to_owned(), Value::from("sip:1.1.1.1;transport=tcp")))
        );
        for wrong in ["a", "a=5", "a=i:x", "a=x:1"] {
            assert!(given(wrong).is_err(), "{wrong}");
        }
    }
}
