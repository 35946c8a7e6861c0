//! Sockets for SIP: listening addresses, UDP in batches, streams, and the resolution of names
//! (RFC 3263). Thin drivers: bytes and hops in and out. Nothing here knows what a transaction,
//! a dialog or a script is, and nothing here parses more of a message than where it ends.

pub mod counters;
pub mod listen;
pub mod resolve;
pub mod stream;
pub mod udp;

pub use listen::{Socket, Sockets};
pub use resolve::{Candidate, Candidates, Query, ResolveError, Resolver};
