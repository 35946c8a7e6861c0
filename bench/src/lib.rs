//! What the benchmark programs share: callers and callees, latency histograms, and the kernel's accounting.

pub mod accounting;
pub mod callee;
pub mod caller;
pub mod histogram;
pub mod message;
