//! End-to-end tests: real programs, real sockets, one server for each test.
//!
//! Every flow runs against Kamailio, which fixes what is right in `tests/golden/`, and against Tandem, which has
//! to show the same except for the accepted differences in `support/accepted.rs`.

mod another_stack;
mod credentials;
mod database;
mod decisions;
mod flood;
mod flows;
mod hostile;
mod kills;
mod language;
mod load;
mod management;
mod mi;
mod modes;
mod outages;
mod phones;
mod program;
mod reference;
mod reload;
mod sending;
mod settings;
mod sqlops;
mod stock;
mod support;
