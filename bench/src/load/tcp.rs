//! Ports that are connections: the caller's to the proxy, and those that the proxy makes to the callee.

use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;

use super::callee::Came;
use super::net::{Arrived, Outbox, callee_hosts, poll, v4};
use super::shared::Plan;
use super::wire::frame;

/// Read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// The proxy answers connections at once or never.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    own: SocketAddrV4,
    peer: SocketAddrV4,
    /// Read, and not yet a whole message.
    unread: Vec<u8>,
    is_open: bool,
    has_unsent: bool,
}

/// Listeners of the callee, and the connections of both ends.
#[derive(Debug)]
pub struct Connections {
    listeners: Vec<TcpListener>,
    connections: Vec<Connection>,
    callers: usize,
    ready: Vec<bool>,
    chunk: Vec<u8>,
    start: Instant,
}

impl Connections {
    /// Listens and connects.
    ///
    /// # Errors
    /// A port is taken, or the proxy does not take connections.
    pub fn open(plan: &Plan) -> io::Result<Self> {
        let listen = |host| {
            let listener = TcpListener::bind((host, plan.callee_port))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let connect = |_| {
            let stream = TcpStream::connect_timeout(&plan.proxy.into(), CONNECT_LIMIT)?;
            Connection::new(stream)
        };
        Ok(Self {
            listeners: callee_hosts(plan).map(listen).collect::<io::Result<_>>()?,
            connections: (0..plan.sockets).map(connect).collect::<io::Result<_>>()?,
            callers: plan.sockets,
            ready: Vec::new(),
            chunk: vec![0; CHUNK_BYTES],
            start: plan.live.started,
        })
    }

    /// The addresses of the caller's connections.
    ///
    /// # Errors
    /// None.
    pub fn callers(&self) -> io::Result<Vec<SocketAddrV4>> {
        let callers = self.connections[..self.callers].iter();
        Ok(callers.map(|connection| connection.own).collect())
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// A connection broke.
    pub fn flush(&mut self, streams: &mut [Vec<u8>]) -> io::Result<()> {
        for (out, connection) in streams.iter_mut().zip(&mut self.connections) {
            while !out.is_empty() && connection.is_open {
                match connection.stream.write(out) {
                    Ok(count) => drop(out.drain(..count)),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            connection.has_unsent = !out.is_empty() && connection.is_open;
        }
        Ok(())
    }

    /// Waits until something comes, or there is room for what is to be written.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn wait(&mut self, limit: Duration) -> io::Result<()> {
        let listeners = self.listeners.iter();
        let listeners = listeners.map(|listener| (listener.as_fd(), PollFlags::POLLIN));
        let connections = self.connections.iter().map(|connection| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::POLLIN, connection.is_open);
            flags.set(PollFlags::POLLOUT, connection.has_unsent);
            (connection.stream.as_fd(), flags)
        });
        poll(listeners.chain(connections), limit, &mut self.ready)
    }

    /// Hands over the whole messages that came.
    ///
    /// # Errors
    /// A connection broke, or what came is no SIP.
    pub fn receive(
        &mut self,
        out: &mut Outbox,
        mut take: impl FnMut(Arrived<'_>, &mut Outbox),
    ) -> io::Result<u64> {
        let mut count = 0;
        for port in 0..self.connections.len() {
            let is_ready = self.ready.get(self.listeners.len() + port);
            if is_ready.is_some_and(|ready| *ready) && self.connections[port].is_open {
                count += self.receive_at(port, out, &mut take)?;
            }
        }
        for listener in &self.listeners {
            while let Ok((stream, _)) = listener.accept() {
                self.connections.push(Connection::new(stream)?);
                if let Outbox::Tcp(streams) = out {
                    streams.push(Vec::new());
                }
            }
        }
        Ok(count)
    }

    fn receive_at(
        &mut self,
        port: usize,
        out: &mut Outbox,
        take: &mut impl FnMut(Arrived<'_>, &mut Outbox),
    ) -> io::Result<u64> {
        let connection = &mut self.connections[port];
        match connection.stream.read(&mut self.chunk) {
            Ok(0) => {
                connection.is_open = false;
                if port < self.callers {
                    return Err(io::Error::other("the proxy closed the caller's connection"));
                }
                return Ok(0);
            }
            Ok(count) => connection.unread.extend_from_slice(&self.chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(0),
            Err(error) => return Err(error),
        }
        let now = self.start.elapsed().as_nanos() as u64;
        let (mut at, mut messages) = (0, 0);
        while let Some(length) =
            frame(&connection.unread[at..]).map_err(|wrong| io::Error::other(wrong.0))?
        {
            let bytes = &connection.unread[at..at + length];
            at += length;
            messages += 1;
            let arrived = if port < self.callers {
                Arrived::AtCaller {
                    came: now,
                    now,
                    bytes,
                }
            } else {
                Arrived::AtCallee(Came {
                    port,
                    from: connection.peer,
                    own: connection.own,
                    came: now,
                    now,
                    bytes,
                })
            };
            take(arrived, out);
        }
        connection.unread.drain(..at);
        Ok(messages)
    }
}

impl Connection {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            own: v4(stream.local_addr()?)?,
            peer: v4(stream.peer_addr()?)?,
            stream,
            unread: Vec::new(),
            is_open: true,
            has_unsent: false,
        })
    }
}
