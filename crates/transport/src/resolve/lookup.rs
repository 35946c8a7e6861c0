//! The questions that are put to a name server, and the answers. Whoever implements `Lookup`
//! may be a name server's client, a table, or a simulation.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

/// Which records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Servers of a service (RFC 2782).
    Srv,
    /// Services of a domain (RFC 3403).
    Naptr,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An address, of either family.
    Address(IpAddr),
    /// A server of a service.
    Srv {
        /// Lower is tried first.
        priority: u16,
        /// The share among those of one priority.
        weight: u16,
        /// Its port.
        port: u16,
        /// Its name without the final dot; empty for "no such service here".
        target: String,
    },
    /// A service of a domain.
    Naptr {
        /// Lower comes first.
        order: u16,
        /// Among those of one order, lower comes first.
        preference: u16,
        /// `s` for SIP: the replacement is the name of SRV records.
        flags: String,
        /// Such as `SIP+D2U`.
        service: String,
        /// Empty for SIP.
        regexp: String,
        /// The name to ask for next, without the final dot.
        replacement: String,
    },
}

/// What a name server said; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The records of the kind asked for, at the end of any chain of aliases.
    pub list: Vec<Record>,
    /// How long all of it holds.
    pub ttl: Duration,
}

/// Why there are no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The name does not exist, or has no such records; for how long that holds, if known.
    #[error("no such records")]
    NotFound(Option<Duration>),
    /// No usable answer.
    #[error("no answer")]
    Failed,
}

/// An answer to come.
pub type LookupFuture<'a> = Pin<Box<dyn Future<Output = Result<Records, LookupError>> + Send + 'a>>;

/// Finds records by name.
pub trait Lookup: Send + Sync {
    /// Asks for the records of one kind. `name` has no final dot.
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordKind) -> LookupFuture<'a>;
}
