//! One file or folder for each Kamailio module that Tandem provides.

mod cfg;
mod cfg_rpc;
mod command;
mod core;
mod statistics;
mod kex;
mod jsonrpcs;
mod ctl;
mod counters;
mod corex;
mod cfgutils;
mod dialog;
#[cfg(test)]
mod management_tests;
mod maxfwd;
mod pv;
mod registrar;
mod row;
mod sanity;
mod siputils;
#[cfg(test)]
mod testing;
mod textops;
mod textopsx;
mod xlog;
mod rr;
mod sl;
mod tm;
mod tmx;
mod usrloc;

use engine::Module;

/// All modules, the core's own names first.
pub static ALL: &[&Module] = &[&core::MODULE, &cfg_rpc::MODULE, &statistics::MODULE, &kex::MODULE, &jsonrpcs::MODULE, &ctl::MODULE, &counters::MODULE, &corex::MODULE, &cfgutils::MODULE, &dialog::MODULE, &rr::MODULE, &sl::MODULE, &tm::MODULE, &tmx::MODULE, &maxfwd::MODULE, &pv::MODULE, &sanity::MODULE, &siputils::MODULE, &textops::MODULE, &textopsx::MODULE, &xlog::MODULE, &usrloc::MODULE, &registrar::MODULE];
