//! Module `sqlops`: SQL from scripts. The script waits for the answer, the worker does not.

mod functions;
mod results;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{
    FunctionRow, InitError, KeyRule, Module, ParameterRow, ParameterType, ParameterValue, Setup,
    VariableRow, level,
};
use script::{Parameter, ParameterKind, Program};
use store::{Queries, Url};

use crate::row::{WITH_MESSAGES, function, function_optional, param, reads};

/// SQL from scripts.
pub(crate) static MODULE: Module = Module {
    name: "sqlops",
    requires: &[],
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "SQL from scripts, which wait for the answer; the workers do not.",
};

const fn text(name: &'static str) -> Parameter {
    param(name, ParameterKind::Str)
}

const QUERY: &[Parameter] = &[text("connection"), text("query"), text("result")];
const ONCE: &[Parameter] = &[text("connection"), text("query")];
const INTO_TREE: &[Parameter] = &[text("connection"), text("query"), text("xavp")];
const INTO_VARIABLES: &[Parameter] = &[
    text("connection"),
    text("query"),
    param("variables", ParameterKind::Lazy),
];

static FUNCTIONS: &[FunctionRow] = &[
    function_optional(
        "sql_query",
        QUERY,
        2,
        WITH_MESSAGES,
        functions::query,
        "Runs a statement: 1 with rows in the result, 2 without rows, 3 with rows that nobody wants; -1 on an error.",
    ),
    function(
        "sql_query_async",
        ONCE,
        WITH_MESSAGES,
        functions::send,
        "Runs a statement without waiting for its end.",
    ),
    function(
        "sql_xquery",
        INTO_TREE,
        WITH_MESSAGES,
        functions::into_tree,
        "Puts each row into an XAVP, the first one on top: 1, or 2 without rows; -1 on an error.",
    ),
    function(
        "sql_pvquery",
        INTO_VARIABLES,
        WITH_MESSAGES,
        functions::into_variables,
        "Puts the first row into variables: 1, or 2 without rows; -1 on an error.",
    ),
    function(
        "sql_result_free",
        &[text("result")],
        WITH_MESSAGES,
        functions::free,
        "Forgets a result; others go with the message.",
    ),
];

static VARIABLES: &[VariableRow] = &[
    reads(
        "dbr",
        KeyRule::Format,
        results::field,
        "Of a result: name=>rows, name=>cols, name=>[row,column], name=>colname[column].",
    ),
    reads(
        "sqlrows",
        KeyRule::Format,
        results::affected,
        "How many rows the last statement on a connection changed.",
    ),
];

const fn parameter(name: &'static str, kind: ParameterType, doc: &'static str) -> ParameterRow {
    ParameterRow {
        name,
        kind,
        check: None,
        doc,
    }
}

static PARAMETERS: &[ParameterRow] = &[
    ParameterRow {
        name: "sqlcon",
        kind: ParameterType::Repeated,
        check: Some(check_connection),
        doc: "name=>URL: a connection, which functions name.",
    },
    parameter(
        "connect_mode",
        ParameterType::Int(0),
        "1: start although a database is not there; it is connected to when it is.",
    ),
    parameter(
        "tr_buf_size",
        ParameterType::Int(2048),
        "Has no meaning here: texts have the room that they need.",
    ),
    parameter(
        "log_buf_size",
        ParameterType::Int(128),
        "Has no meaning here: texts have the room that they need.",
    ),
];

/// The name and the URL of a connection.
fn connection(value: &ParameterValue) -> Result<(String, Url), String> {
    let ParameterValue::Str(text) = value else {
        return Err("expected name=>URL".to_owned());
    };
    let (name, url) = text.split_once("=>").ok_or("expected name=>URL")?;
    let url = Url::parse(url.trim()).map_err(|error| format!("{}: {error}", name.trim()))?;
    Ok((name.trim().to_owned(), url))
}

fn check_connection(value: &ParameterValue) -> Result<(), String> {
    connection(value).map(drop)
}

/// The connections by name.
struct State {
    connections: BTreeMap<String, Connection>,
}

struct Connection {
    url: Url,
    queries: Queries,
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let mut connections = BTreeMap::new();
    for value in setup.parameters.all("sqlops", "sqlcon") {
        let (name, url) = connection(&value)?;
        let url = url.within(&setup.data_dir);
        let driver = url.driver.module();
        if !setup.is_loaded(driver) {
            let text = format!("sqlcon {name} is {url}: load module {driver} before module sqlops");
            return Err(text.into());
        }
        let options = crate::database::options(setup.parameters, &url);
        if let Err(error) = (setup.databases.connect)(&url, &options) {
            let text = format!("sqlcon {name}: cannot connect to {url}: {error}");
            if setup.parameters.int("sqlops", "connect_mode") != 1 {
                return Err(text.into());
            }
            setup.log.line(level::WARNING, "sqlops", &text);
        }
        let queries = Queries::start(url.clone(), options)
            .map_err(|error| InitError(format!("cannot start a thread: {error}")))?;
        connections.insert(name, Connection { url, queries });
    }
    let names: Vec<String> = connections.keys().cloned().collect();
    setup.put_state(State { connections });
    setup.check_program(move |program| check(program, &names))
}

/// Connections whose names are known when the configuration is loaded have to be there.
fn check(program: &Program, names: &[String]) -> Result<(), InitError> {
    for function in FUNCTIONS {
        let function = function.signature.name;
        if function == "sql_result_free" {
            continue;
        }
        for (place, name) in program.constant_arguments(function, 0) {
            if !names
                .iter()
                .any(|known| known.as_bytes() == name.as_bytes())
            {
                let name = name.escape_ascii();
                let text = format!(
                    "{}:{}:{}: {function}: there is no connection \"{name}\"",
                    place.file, place.line, place.column
                );
                return Err(text.into());
            }
        }
    }
    Ok(())
}

fn state(run: &engine::Run) -> Option<Arc<State>> {
    run.engine.shared().state::<State>()
}
