//! Calls: what `loadmodule "dialog.so"` brings. The calls themselves, their states and deadlines are kept by
//! the `dialog` crate; here messages are taken apart for it, and what it decides is carried out.

mod api;
mod bridge;
mod bulk;
mod bye;
mod carry;
mod checks;
mod context;
mod control;
mod cseq;
mod database;
mod ending;
mod functions;
mod hooks;
mod keep_alive;
mod listing;
mod manage;
mod message;
mod mi;
mod outgoing;
mod parameters;
mod profiles;
mod properties;
mod refer;
mod replies;
mod rpc;
mod settings;
mod state;
mod subscriptions;
#[cfg(test)]
mod tests;
mod timeout;
mod variables;
mod within;

use std::sync::Arc;

use engine::{InitError, Module, Setup};

pub(crate) use api::{authenticated, set_variable, variable};
pub(crate) use database::{rows_of, step as save_step, usual_layouts, usual_tables};
pub(crate) use state::State;

/// The module's row.
pub static MODULE: Module = Module {
    name: "dialog",
    requires: &["tm", "rr"],
    functions: functions::FUNCTIONS,
    variables: variables::VARIABLES,
    parameters: parameters::PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Knows every call: its state, its profiles, its variables, its deadline.",
};

/// What an `event_callback` is called for.
const EVENTS: &[&str] = &[
    "dialog:start",
    "dialog:end",
    "dialog:failed",
    "dialog:timeout",
];

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    setup.check_program(checks::arguments)?;
    checks::explain(setup);
    let state = State::new(setup)?;
    state.add_statistics(setup);
    let state = setup.put_state(state);
    database::start(setup, &state)?;
    setup.event_callback("dialog", "event_callback", EVENTS)?;
    let declared = Arc::clone(&state);
    setup.check_program(move |program| profiles::check(program, &declared))?;
    rpc::add(setup, &state);
    mi::add(setup, &state);
    let hooks = &mut *setup.hooks;
    hooks.request_in.push(subscriptions::request_in);
    hooks.request_in.push(hooks::request_in);
    hooks.request_end.push(hooks::request_end);
    hooks.transaction_created.push(hooks::transaction_created);
    hooks.transaction_done.push(hooks::transaction_done);
    hooks.loose_route.push(manage::loose_route);
    hooks.reply_in.push(hooks::reply_in);
    if state.tracker.settings().track_cseq {
        hooks.branch_out.push(cseq::branch_out);
        hooks.reply_in.push(cseq::reply_in);
    }
    hooks.reply_out.push(replies::reply_out);
    hooks.tick.push(timeout::tick);
    Ok(())
}
