//! Module kex: branch and script flags, the destination URI, what means this server; statistics by command.

mod functions;
mod statistics;

use engine::{InitError, Module, Setup};
use parking_lot::Mutex;

use crate::command::add_commands;

/// Module kex.
pub(crate) static MODULE: Module = Module {
    name: "kex",
    requires: &[],
    functions: functions::FUNCTIONS,
    variables: &[],
    parameters: &[],
    statistics: &[],
    init: Some(init),
    doc: "Flags, the destination URI, and commands that show statistics.",
};

/// The log's threshold before `setdebug()` changed it.
struct DebugBefore(Mutex<Option<i32>>);

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    setup.put_state(DebugBefore(Mutex::new(None)));
    add_commands(setup, statistics::COMMANDS);
    Ok(())
}
