//! The ports of both ends: callers' ports first, then those of the callee. A port is a UDP socket or a connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::callee::Came;
use super::shared::{Plan, Transport};
use super::tcp::Connections;
use super::udp::Datagrams;

/// What came in.
#[derive(Clone, Copy, Debug)]
pub enum Arrived<'a> {
    /// At one of the caller's ports.
    AtCaller {
        /// When it came, in nanoseconds since the start of the run.
        came: u64,
        /// When it was read.
        now: u64,
        /// All of it.
        bytes: &'a [u8],
    },
    /// At one of the callee's ports.
    AtCallee(Came<'a>),
}

/// What is to be sent, by port, in buffers that are used again.
#[derive(Debug)]
pub enum Outbox {
    /// Datagrams, each with its destination.
    Udp(Vec<Queue>),
    /// Bytes of connections.
    Tcp(Vec<Vec<u8>>),
}

/// The datagrams that leave one port.
#[derive(Debug, Default)]
pub struct Queue {
    datagrams: Vec<(Vec<u8>, std::net::SocketAddr)>,
    used: usize,
}

impl Queue {
    /// Those to be sent now.
    pub fn used(&self) -> &[(Vec<u8>, std::net::SocketAddr)] {
        &self.datagrams[..self.used]
    }

    /// They are sent.
    pub fn clear(&mut self) {
        self.used = 0;
    }
}

impl Outbox {
    /// Where to append a message from a port to an address. A connection needs no address.
    pub fn message(&mut self, port: usize, to: SocketAddrV4) -> &mut Vec<u8> {
        match self {
            Self::Tcp(streams) => &mut streams[port],
            Self::Udp(queues) => {
                let queue = &mut queues[port];
                if queue.datagrams.len() == queue.used {
                    queue.datagrams.push((Vec::with_capacity(2_048), to.into()));
                }
                let (bytes, address) = &mut queue.datagrams[queue.used];
                queue.used += 1;
                bytes.clear();
                *address = to.into();
                bytes
            }
        }
    }
}

/// All ports.
#[derive(Debug)]
pub enum Net {
    /// UDP.
    Udp(Datagrams),
    /// TCP.
    Tcp(Connections),
}

impl Net {
    /// Opens them.
    ///
    /// # Errors
    /// A port is taken, or the proxy does not take connections.
    pub fn open(plan: &Plan) -> io::Result<(Self, Outbox)> {
        match plan.transport {
            Transport::Udp => {
                let net = Datagrams::open(plan)?;
                let queues = (0..plan.sockets * 2).map(|_| Queue::default());
                Ok((Self::Udp(net), Outbox::Udp(queues.collect())))
            }
            Transport::Tcp => {
                let net = Connections::open(plan)?;
                Ok((Self::Tcp(net), Outbox::Tcp(vec![Vec::new(); plan.sockets])))
            }
        }
    }

    /// The addresses of the caller's ports.
    ///
    /// # Errors
    /// None that can happen: they are open.
    pub fn callers(&self) -> io::Result<Vec<SocketAddrV4>> {
        match self {
            Self::Udp(net) => net.callers(),
            Self::Tcp(net) => net.callers(),
        }
    }

    /// Sends what is to be sent.
    ///
    /// # Errors
    /// The kernel refuses, or a connection broke.
    pub fn flush(&mut self, out: &mut Outbox) -> io::Result<()> {
        match (self, out) {
            (Self::Udp(net), Outbox::Udp(queues)) => net.flush(queues),
            (Self::Tcp(net), Outbox::Tcp(streams)) => net.flush(streams),
            _ => Ok(()),
        }
    }

    /// Sleeps until something comes or the time is over.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn wait(&mut self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Udp(net) => net.wait(limit),
            Self::Tcp(net) => net.wait(limit),
        }
    }

    /// Hands over what came; how many messages that was.
    ///
    /// # Errors
    /// A port fails.
    pub fn receive(
        &mut self,
        out: &mut Outbox,
        take: impl FnMut(Arrived<'_>, &mut Outbox),
    ) -> io::Result<u64> {
        match self {
            Self::Udp(net) => net.receive(out, take),
            Self::Tcp(net) => net.receive(out, take),
        }
    }

    /// Datagrams that the kernel dropped because we were too slow.
    pub fn drops(&self) -> u64 {
        match self {
            Self::Udp(net) => net.drops(),
            Self::Tcp(_) => 0,
        }
    }
}

/// The callee's addresses, one for each socket.
pub fn callee_hosts(plan: &Plan) -> impl Iterator<Item = Ipv4Addr> {
    (1..=plan.sockets as u32).map(|number| Ipv4Addr::from(0x7f00_0000 + number))
}

/// Waits until some of these are ready, with the precision of the kernel's timers: the sockets' own timeouts count in
/// ticks of 1 to 10 ms, which would make bursts of a steady rate. Which are ready.
pub fn poll<'a>(
    ports: impl Iterator<Item = (BorrowedFd<'a>, PollFlags)>,
    limit: Duration,
    ready: &mut Vec<bool>,
) -> io::Result<()> {
    let mut ports: Vec<PollFd<'_>> = ports
        .map(|(port, flags)| PollFd::new(port, flags))
        .collect();
    let limit = TimeSpec::from_duration(limit);
    ready.clear();
    match ppoll(&mut ports, Some(limit), None) {
        Ok(_) => ready.extend(ports.iter().map(|port| port.any().unwrap_or(true))),
        Err(Errno::EINTR) => ready.resize(ports.len(), true),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Only IPv4: the traffic stays on this machine.
pub fn v4(address: std::net::SocketAddr) -> io::Result<SocketAddrV4> {
    match address {
        std::net::SocketAddr::V4(address) => Ok(address),
        std::net::SocketAddr::V6(_) => Err(io::Error::other("the load speaks IPv4 only")),
    }
}
