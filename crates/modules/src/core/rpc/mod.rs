//! The management commands of the core, and those that show transactions.

mod about;
mod memory;
mod network;
mod threads;
mod transactions;
pub(crate) mod uac;

use engine::{InitError, Setup};

use crate::command::add_commands;

pub(crate) use memory::Memory;
pub(crate) use network::{alias_row, socket_row};
pub(crate) use threads::threads;

/// What commands show of the configuration as it was read.
pub(crate) struct Facts {
    /// What the preprocessor ended with.
    pub(crate) defines: Vec<(String, Option<String>)>,
    /// Core settings.
    pub(crate) settings: script::Settings,
}

/// Adds the commands and the statistics that belong to no module.
pub(super) fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let defines = setup.config.defines.iter();
    let facts = Facts {
        defines: defines
            .map(|(name, value)| (name.clone(), value.as_deref().map(text)))
            .collect(),
        settings: script::Settings::new(setup.config),
    };
    setup.put_state(facts);
    add_commands(setup, about::COMMANDS);
    add_commands(setup, memory::COMMANDS);
    add_commands(setup, network::COMMANDS);
    add_commands(setup, threads::COMMANDS);
    if setup.is_loaded("tm") {
        add_commands(setup, transactions::TM_COMMANDS);
        add_commands(setup, uac::COMMANDS);
    }
    if setup.is_loaded("sl") {
        add_commands(setup, transactions::SL_COMMANDS);
    }
    network::add_statistics(setup);
    memory::add_statistics(setup);
    Ok(())
}
