//! One file or folder for each Kamailio module that Tandem provides.

mod acc;
mod aside;
mod cfg;
mod cfg_rpc;
mod cfgutils;
mod command;
mod core;
mod corex;
mod counters;
mod ctl;
mod database;
mod dialog;
mod jsonrpcs;
mod kex;
#[cfg(test)]
mod management_tests;
mod maxfwd;
mod mi_fifo;
#[cfg(test)]
mod names_tests;
#[cfg(test)]
mod overload_tests;
mod pv;
mod registrar;
mod row;
mod rr;
mod sanity;
mod siputils;
mod sl;
mod sqlops;
mod statistics;
#[cfg(test)]
mod testing;
mod textops;
mod textopsx;
mod tm;
mod tmx;
mod uac;
mod usrloc;
mod xlog;

use engine::Module;

/// The tables that Tandem keeps in databases, with their usual names.
pub fn tables() -> Vec<store::Table> {
    dialog::usual_tables()
}

/// How calls and their variables are written into those tables.
pub fn layouts() -> [store::Layout; 2] {
    dialog::usual_layouts()
}

/// What is written of a call that is not in a database yet, for these layouts.
pub fn rows_of(call: &::dialog::Stored, driver: store::Driver) -> store::Change {
    dialog::rows_of(call, driver, true, true)
}

/// Saves changes of calls now, in a simulation: elsewhere a thread does.
pub fn save(engine: &engine::Engine) {
    dialog::save_step(engine);
}

/// All modules, the core's own names first.
pub static ALL: &[&Module] = &[
    &core::MODULE,
    &cfg_rpc::MODULE,
    &statistics::MODULE,
    &kex::MODULE,
    &jsonrpcs::MODULE,
    &ctl::MODULE,
    &mi_fifo::MODULE,
    &counters::MODULE,
    &corex::MODULE,
    &cfgutils::MODULE,
    &database::SQLITE,
    &database::MYSQL,
    &database::POSTGRES,
    &dialog::MODULE,
    &rr::MODULE,
    &sl::MODULE,
    &sqlops::MODULE,
    &tm::MODULE,
    &tmx::MODULE,
    &maxfwd::MODULE,
    &pv::MODULE,
    &sanity::MODULE,
    &siputils::MODULE,
    &textops::MODULE,
    &textopsx::MODULE,
    &xlog::MODULE,
    &usrloc::MODULE,
    &registrar::MODULE,
    &acc::MODULE,
    &uac::MODULE,
];

/// Knows every call, if module dialog is loaded: where programs that embed the proxy observe calls.
pub fn tracker(engine: &engine::Engine) -> Option<std::sync::Arc<::dialog::Tracker>> {
    engine.state::<dialog::State>().map(|state| state.tracker())
}
