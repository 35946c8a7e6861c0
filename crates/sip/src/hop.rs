//! Where a message came from or goes to, as plain values: no socket is touched here.

use std::fmt;
use std::net::SocketAddr;

/// The transport protocol of a hop. The discriminants are Kamailio's `$prid` numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Transport {
    /// Datagrams.
    Udp = 1,
    /// A byte stream.
    Tcp = 2,
    /// TLS over TCP.
    Tls = 3,
    /// SCTP; named in configurations, never opened.
    Sctp = 4,
    /// WebSocket.
    Ws = 5,
    /// WebSocket over TLS.
    Wss = 6,
}

impl Transport {
    /// Whether the transport repeats lost bytes itself, so that RFC 3261 §17 retransmissions are off.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The lower-case name used in URIs and Kamailio's socket texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Sctp => "sctp",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The upper-case name used in Via.
    pub const fn via_name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Sctp => "SCTP",
            Self::Ws => "WS",
            Self::Wss => "WSS",
        }
    }

    /// Reads a name in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [
            Self::Udp,
            Self::Tcp,
            Self::Tls,
            Self::Sctp,
            Self::Ws,
            Self::Wss,
        ]
        .into_iter()
        .find(|t| t.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The port that a URI without one means: 5060, or 5061 over TLS (RFC 3261 §19.1.2).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Tls | Self::Wss => 5061,
            _ => 5060,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A listening socket, by its position in the table of sockets that the process opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u16);

/// One accepted or opened stream connection; never reused within a process. Kamailio's `$conid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// What is wanted of the stream that carries a message; of no meaning for datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StreamUse {
    /// Send only on a stream that is open already.
    pub no_connect: bool,
    /// Close the stream when the message has left.
    pub close: bool,
}

impl StreamUse {
    /// What either of two asks for.
    pub const fn or(self, other: Self) -> Self {
        Self {
            no_connect: self.no_connect || other.no_connect,
            close: self.close || other.close,
        }
    }
}

/// The way to or from one peer: what to send with, to whom, and on which stream if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// Protocol; for an incoming message the one it arrived by.
    pub transport: Transport,
    /// Our socket: the one that received, or that shall send.
    pub socket: SocketId,
    /// The peer's address.
    pub remote: SocketAddr,
    /// The stream it arrived on, to be preferred for replies (RFC 3261 §18.2.2).
    pub connection: Option<ConnectionId>,
    /// How that stream, or the one that takes its place, is to be used.
    pub stream: StreamUse,
}
