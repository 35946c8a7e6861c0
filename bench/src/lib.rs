//! What the benchmark programs share: callers and callees, latency histograms, the servers under test, and the
//! kernel's accounting of them.

pub mod accounting;
pub mod callgrind;
pub mod control;
pub mod core;
pub mod database;
pub mod histogram;
pub mod load;
pub mod server;
pub mod steps;
pub mod suite;
