//! One file or folder for each Kamailio module that Tandem provides.

mod core;
mod row;

use engine::Module;

/// All modules, the core's own names first.
pub static ALL: &[&Module] = &[&core::MODULE];
