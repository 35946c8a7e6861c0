//! One file or folder for each Kamailio module that Tandem provides.

mod cfg;
mod cfg_rpc;
mod command;
mod core;
mod dialog;
mod row;

use engine::Module;

/// All modules, the core's own names first.
pub static ALL: &[&Module] = &[&core::MODULE, &cfg_rpc::MODULE, &dialog::MODULE];
