//! Module cfgutils: locks, pauses, chance, flags of the whole server, and its end.

mod abort;
mod chance;
mod commands;
mod hash;
mod locks;
mod routes;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32};

use engine::{FunctionRow, InitError, Module, ParameterRow, ParameterType, ParameterValue, Setup};

use crate::command::add_commands;
use crate::row::{join, parameter, total};

/// Module cfgutils.
pub(crate) static MODULE: Module = Module {
    name: "cfgutils",
    requires: &[],
    functions: &FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Locks, pauses, chance, and flags of the whole server.",
};

const TABLES: &[&[FunctionRow]] = &[
    locks::FUNCTIONS,
    routes::FUNCTIONS,
    chance::FUNCTIONS,
    abort::FUNCTIONS,
];

static FUNCTIONS: [FunctionRow; total(TABLES)] = join(TABLES);

static PARAMETERS: &[ParameterRow] = &[
    ParameterRow {
        name: "initial_probability",
        kind: ParameterType::Int(10),
        check: Some(percent),
        doc: "How often rand_event() is true at first (percent).",
    },
    parameter(
        "initial_gflags",
        ParameterType::Int(0),
        "The server's flags at first, as a bit mask.",
    ),
    parameter(
        "hash_file",
        ParameterType::Str(None),
        "A file whose changes cfgutils.check_config_hash tells of.",
    ),
    ParameterRow {
        name: "lock_set_size",
        kind: ParameterType::Int(0),
        check: Some(lock_count),
        doc: "0: lock() and its kind fail; else they work. Kamailio shares 2^n locks among all keys; here each key has its own.",
    },
];

fn percent(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..=100) => Ok(()),
        _ => Err("initial_probability is a number of percent, 0 to 100".to_owned()),
    }
}

fn lock_count(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..=31) => Ok(()),
        _ => Err("lock_set_size is 0 to 31".to_owned()),
    }
}

/// What the module keeps for the whole server.
struct State {
    /// Percent.
    probability: AtomicI64,
    initial_probability: i64,
    flags: AtomicU32,
    locks: Option<Arc<locks::Locks>>,
    hash: Option<commands::FileHash>,
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let int = |name| setup.parameters.int("cfgutils", name);
    let probability = int("initial_probability");
    let hash = match setup.parameters.text("cfgutils", "hash_file") {
        Some(path) => Some(commands::FileHash::of(path)?),
        None => None,
    };
    let state = State {
        probability: AtomicI64::new(probability),
        initial_probability: probability,
        flags: AtomicU32::new(int("initial_gflags") as u32),
        locks: (int("lock_set_size") > 0).then(Arc::default),
        hash,
    };
    setup.put_state(state);
    add_commands(setup, commands::COMMANDS);
    Ok(())
}
