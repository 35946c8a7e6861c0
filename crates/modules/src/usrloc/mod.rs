//! `usrloc`: where users are. Tables of addresses of record and their contacts, kept in memory; what ends is
//! taken out when its time has come.

mod commands;
mod contact;
mod domain;
mod parameters;
mod state;

pub(crate) use contact::{ALL_METHODS, Contact, Sequence};
pub(crate) use domain::{CONTACTS_MAX, Contacts, Domain};
pub(crate) use state::State;

use engine::{InitError, Module, Setup, StatisticRow};

/// `usrloc`.
pub static MODULE: Module = Module {
    name: "usrloc",
    requires: &[],
    functions: &[],
    variables: &[],
    parameters: parameters::PARAMETERS,
    statistics: STATISTICS,
    init: Some(init),
    doc: "Where users are: the table of registered contacts.",
};

static STATISTICS: &[StatisticRow] = &[StatisticRow {
    group: "usrloc",
    name: "refused_users",
    resettable: true,
    doc: "Registrations refused because the table was full.",
}];

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let state = State::new(setup);
    let state = setup.put_state(state);
    let users = std::sync::Arc::clone(&state);
    setup.statistics.computed(
        "usrloc",
        "registered_users",
        "Addresses of record in all tables.",
        move || users.domains().iter().map(|d| d.users() as i64).sum(),
    );
    setup.hooks.tick.push(state::tick);
    crate::command::add_commands(setup, commands::COMMANDS);
    Ok(())
}
