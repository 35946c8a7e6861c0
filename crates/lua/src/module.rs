//! The module's row: parameters, functions, and what it brings to the engine.

use std::sync::Arc;

use engine::{
    Engine, ForeignCall, FunctionRow, Handler, InitError, Language, Local, Module, ParameterRow,
    ParameterType, ParameterValue, Pending, Run, Setup,
};
use script::{Outcome, Parameter, ParameterKind, Routes, Signature};

use crate::scripts::Scripts;
use crate::seat::Seat;
use crate::{errors, functions, route, rpc_commands};

/// The module's row.
pub static MODULE: Module = Module {
    name: "app_lua",
    requires: &[],
    functions: FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Lua: functions of a script, called by routes or instead of them.",
};

static PARAMETERS: &[ParameterRow] = &[
    ParameterRow {
        name: "load",
        kind: ParameterType::Repeated,
        check: Some(text),
        doc: "A file with a script. May be given several times; the last one is run first.",
    },
    ParameterRow {
        name: "reload",
        kind: ParameterType::Int(0),
        check: None,
        doc: "1: app_lua.reload may read the files again.",
    },
    ParameterRow {
        name: "register",
        kind: ParameterType::Repeated,
        check: Some(registered),
        doc: "Has no meaning: all functions are there as KSR.",
    },
    ParameterRow {
        name: "log_mode",
        kind: ParameterType::Int(0),
        check: None,
        doc: "Has no meaning: errors are logged once, with a traceback.",
    },
    ParameterRow {
        name: "run_time_limit",
        kind: ParameterType::Int(1000),
        check: Some(not_negative),
        doc: "How long a script may run without waiting, ms; 0 as long as it likes. Only in Tandem.",
    },
    ParameterRow {
        name: "memory_limit",
        kind: ParameterType::Int(256),
        check: Some(not_negative),
        doc: "How much memory the scripts of one worker may use, MB; 0 as much as there is. Only in Tandem.",
    },
];

const fn param(name: &'static str) -> Parameter {
    Parameter {
        name,
        kind: ParameterKind::Str,
    }
}

const fn function(
    name: &'static str,
    parameters: &'static [Parameter],
    handler: Handler,
    doc: &'static str,
) -> FunctionRow {
    FunctionRow {
        signature: Signature {
            name,
            parameters,
            required: 1,
            routes: Routes::ANY,
            core: false,
            doc,
        },
        handler,
    }
}

static FUNCTIONS: &[FunctionRow] = &[
    function(
        "lua_run",
        &[param("function"), param("p1"), param("p2"), param("p3")],
        functions::run,
        "Calls a global function of the scripts.",
    ),
    function(
        "lua_runstring",
        &[param("code")],
        functions::run_string,
        "Runs this piece of Lua.",
    ),
    function(
        "lua_dostring",
        &[param("code")],
        functions::run_string,
        "Runs this piece of Lua.",
    ),
    function(
        "lua_dofile",
        &[param("path")],
        functions::run_file,
        "Runs the Lua in this file, which is read each time.",
    ),
];

fn text(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(path) if !path.is_empty() => Ok(()),
        _ => Err("the value must be the name of a file".to_owned()),
    }
}

fn registered(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(_) => Ok(()),
        ParameterValue::Int(_) => Err("the value must be the name of a module".to_owned()),
    }
}

fn not_negative(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..) => Ok(()),
        _ => Err("the value must not be negative".to_owned()),
    }
}

/// What the module keeps.
pub(crate) struct State {
    pub(crate) scripts: Scripts,
    /// The longest that a script may run without waiting, µs; 0 for ever.
    pub(crate) time_limit_us: u64,
    /// The most memory that the scripts of one worker may use, bytes; 0 for any.
    pub(crate) memory_max: usize,
    /// Scripts may be read again.
    pub(crate) may_reload: bool,
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let files = setup.parameters.all("app_lua", "load");
    // As in Kamailio, the file that was named last is run first.
    let paths = files.into_iter().rev().filter_map(|value| match value {
        ParameterValue::Str(path) => Some(path),
        ParameterValue::Int(_) => None,
    });
    let limit_ms = u64::try_from(setup.parameters.int("app_lua", "run_time_limit")).unwrap_or(0);
    let state = State {
        scripts: Scripts::read(paths.collect())?,
        time_limit_us: limit_ms.saturating_mul(1000),
        memory_max: usize::try_from(setup.parameters.int("app_lua", "memory_limit"))
            .unwrap_or(0)
            .saturating_mul(1 << 20),
        may_reload: setup.parameters.int("app_lua", "reload") != 0,
    };
    let state = setup.put_state(state);
    setup.add_language(Lua(Arc::clone(&state)));
    setup.hooks.built.push(built);
    setup.hooks.worker_begins.push(worker_begins);
    rpc_commands::add(setup, &state);
    Ok(())
}

/// The scripts are run once, when all that they may call is there.
fn built(engine: &Arc<Engine>) -> Result<(), InitError> {
    let state = engine
        .state::<State>()
        .ok_or("app_lua was not initialised")?;
    state.scripts.try_out(engine, &state)?;
    if engine.foreign.is_engine() {
        let wanted = engine.script().blocks.request;
        if let Some(call) = wanted.and_then(|block| engine.foreign.call_of(block))
            && !state.scripts.has(&call.function)
        {
            let text = format!(
                "there is no function {} in the scripts, which requests would run",
                call.function
            );
            return Err(InitError(text));
        }
    }
    Ok(())
}

/// Each worker makes its machine before its first message has to wait for it.
fn worker_begins(engine: &Local) {
    let Some(state) = engine.state::<State>() else {
        return;
    };
    if let Err(error) = Seat::of(engine, &state).vm(engine, &state) {
        errors::log(&engine.log, "loading the scripts", &error);
    }
}

/// What the engine sees.
struct Lua(Arc<State>);

impl Language for Lua {
    fn name(&self) -> &'static str {
        "lua"
    }

    fn has(&self, function: &str) -> bool {
        self.0.scripts.has(function)
    }

    fn call(&self, run: &mut Run, call: &ForeignCall) -> Outcome<Pending> {
        route::block(run, call)
    }
}

/// What brings KSR.kx; it has nothing else.
pub static KEMIX: Module = Module {
    name: "kemix",
    requires: &[],
    functions: &[],
    variables: &[],
    parameters: &[],
    statistics: &[],
    init: None,
    doc: "Parts of the message for scripts: KSR.kx.",
};
