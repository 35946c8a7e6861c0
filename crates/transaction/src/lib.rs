//! SIP transactions (RFC 3261 §17, RFC 6026) and forking (§16.7), without I/O and without a clock.
//!
//! A [`Table`] finds the transaction of a message and hands it out; a [`Transaction`] takes one input
//! at a time together with the moment, and yields what to send. The embedding program runs its
//! scripts in between, sees to it that one call's inputs come one after another, and calls
//! [`Table::advance`] as time passes.

mod branch;
mod cancel;
mod client;
pub mod client_invite;
pub mod client_non_invite;
mod clock;
mod fork;
mod key;
mod machine;
mod pace;
mod server;
pub mod server_invite;
pub mod server_non_invite;
mod settings;
mod shard;
mod statistics;
mod table;
#[cfg(test)]
mod tests;
mod transaction;
mod wire;

pub use branch::Branch;
pub use cancel::{CancelOutcome, Ended, Reason, Which};
pub use client::ReplyVerdict;
pub use clock::{TimerEvent, TimerEvents};
pub use fork::{Conclusion, Decision, Winner};
pub use machine::{ClientState, ServerState};
pub use server::Origin;
pub use settings::{Forget, Policy, Settings, SilentBranch, Timers};
pub use statistics::{Statistics, Tally};
pub use table::{Due, Listed, Match, Refused, ReplyMatch, SHARDS, Table, TableOptions};
pub use transaction::{BranchRefused, Output, Requester, Transaction, TransactionId};
