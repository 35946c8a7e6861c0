//! Connections over byte streams. A connection belongs to the worker that accepted or opened it
//! and lives as one task there; other threads reach it through a `StreamHandle`.
//!
//! What carries the bytes is behind `ByteStream`. TCP is there now. TLS is one more `ByteStream`,
//! made by a handshake between `accept` (or `connect`) and `Driver`; WebSocket is one more form of
//! `Input` and `Output`, because it has its own frames.

mod accept;
mod connection;
mod directory;
mod driver;
mod input;
mod open;
mod output;
mod pool;
mod worker;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sip::{Hop, Transport};
use tokio::io::{AsyncRead, AsyncWrite};

pub use directory::AliasRefused;
pub use pool::{ConnectionInfo, StreamHandle, StreamSeat, pool};
pub use worker::{Owner, Streams};

/// What carries the bytes of one connection.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> ByteStream for S {}

/// Limits and times of stream connections; the names of the settings in brackets.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// How long opening may take (`tcp_connect_timeout`).
    pub connect_timeout: Duration,
    /// How long the peer may read nothing of what waits for it (`tcp_send_timeout`).
    pub send_timeout: Duration,
    /// How long a connection may be idle (`tcp_connection_lifetime`).
    pub lifetime: Duration,
    /// How long a message may take from its first byte to its last (`tcp_msg_read_timeout`).
    pub message_timeout: Duration,
    /// Connections of the whole process, in either direction (`tcp_max_connections`).
    pub max_connections: u64,
    /// Bytes that may wait for one peer (`tcp_conn_wq_max`). One message may always wait.
    pub connection_queue: usize,
    /// Bytes that may wait for all peers (`tcp_wq_max`).
    pub total_queue: u64,
    /// Take a missing Content-Length for 0 (`tcp_accept_no_cl`).
    pub length_optional: bool,
    /// Answer a double CRLF with a CRLF, RFC 5626 §4.4.1 (`tcp_crlf_ping`).
    pub crlf_ping: bool,
    /// The kernel's own probes (`tcp_keepalive`).
    pub keepalive: bool,
    /// Seconds of silence before the first probe, 0 for the kernel's default (`tcp_keepidle`).
    pub keepalive_idle: u32,
    /// Seconds between probes, 0 for the kernel's default (`tcp_keepintvl`).
    pub keepalive_interval: u32,
    /// Probes before the connection counts as dead, 0 for the default (`tcp_keepcnt`).
    pub keepalive_count: u32,
    /// Never open a connection (`tcp_no_connect`).
    pub no_connect: bool,
    /// Connections to IPv4 peers are opened from this address (`tcp_source_ipv4`).
    pub source_ipv4: Option<IpAddr>,
    /// Connections to IPv6 peers are opened from this address (`tcp_source_ipv6`).
    pub source_ipv6: Option<IpAddr>,
    /// Connections that one address may have opened to us, 0 any number (`tcp_accept_iplimit`).
    pub max_per_address: u64,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            send_timeout: Duration::from_secs(10),
            lifetime: Duration::from_secs(120),
            message_timeout: Duration::from_secs(20),
            max_connections: 2048,
            connection_queue: 32 * 1024,
            total_queue: 10 << 20,
            length_optional: false,
            crlf_ping: true,
            keepalive: true,
            keepalive_idle: 0,
            keepalive_interval: 0,
            keepalive_count: 0,
            no_connect: false,
            source_ipv4: None,
            source_ipv6: None,
            max_per_address: 0,
        }
    }
}

/// A message that has been read.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its bytes, lent for the length of the call.
    pub bytes: &'a [u8],
    /// Where it came from, connection included.
    pub hop: Hop,
}

/// What a worker learns of its connections.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A message.
    Message(Incoming<'a>),
    /// A connection is ready: accepted, or opened by us.
    Connected {
        /// The connection.
        hop: Hop,
        /// Whether we opened it.
        outgoing: bool,
    },
    /// A message that was taken for sending could not be sent, or not to its end. A transaction
    /// can go on to its next destination.
    Unsent {
        /// Where it was to go.
        hop: Hop,
        /// The message.
        bytes: Arc<[u8]>,
        /// Why.
        error: SendError,
    },
    /// A connection is gone, or could not be opened. Comes after its `Unsent` events.
    Closed {
        /// The connection.
        hop: Hop,
        /// Why.
        reason: CloseReason,
    },
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Too much waits for this peer, or for all of them.
    #[error("the write queue is full")]
    QueueFull,
    /// The limit of connections has been reached.
    #[error("too many connections")]
    TooManyConnections,
    /// There is none, and none may be opened (`StreamUse::no_connect`, `tcp_no_connect`).
    #[error("no connection")]
    NoConnection,
    /// Not a stream transport that is there.
    #[error("{0} is not supported")]
    Unsupported(Transport),
    /// The worker that owns the connection does not keep up, or has stopped.
    #[error("the worker of the connection is busy")]
    Busy,
    /// The connection was lost or could not be opened.
    #[error("{0}")]
    Closed(CloseReason),
}

/// Why a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The peer closed it.
    #[error("closed by the peer")]
    Peer,
    /// Nothing was read or written for its lifetime.
    #[error("idle")]
    Idle,
    /// The peer did not finish a message in time.
    #[error("a message was not completed in time")]
    ReadStalled,
    /// The peer did not read what was sent to it.
    #[error("the peer does not read")]
    WriteStalled,
    /// What came cannot be split into messages.
    #[error("bad framing: {0}")]
    Framing(&'static str),
    /// The peer could not be reached.
    #[error("cannot connect: {0}")]
    Connect(io::ErrorKind),
    /// The peer did not answer in time.
    #[error("cannot connect: no answer in time")]
    ConnectTimeout,
    /// The connection broke.
    #[error("connection lost: {0}")]
    Lost(io::ErrorKind),
    /// We were told to close it.
    #[error("closed by us")]
    Requested,
}

#[cfg(test)]
mod tests;
