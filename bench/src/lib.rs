//! What the benchmark programs share: callers and callees, latency histograms, the servers under test, and the
//! kernel's accounting of them.

pub mod accounting;
pub mod callee;
pub mod caller;
pub mod callgrind;
pub mod core;
pub mod histogram;
pub mod load;
pub mod message;
pub mod server;
pub mod steps;
