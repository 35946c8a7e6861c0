//! Scripts run by an engine in memory.

mod api;
mod calls;
mod faults;
mod native;
