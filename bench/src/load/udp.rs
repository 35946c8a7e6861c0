//! Ports that are UDP sockets, read and written in batches.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::poll::PollFlags;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn, recvmmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use sip::SocketId;
use transport::udp::UdpSender;

use super::callee::Came;
use super::net::{Arrived, Outbox, Queue, callee_hosts, poll, v4};
use super::shared::Plan;
use crate::accounting;

/// Datagrams read at once.
const BATCH: usize = 64;
/// The longest message that is read.
const MESSAGE_BYTES: usize = 4_096;
/// Receive buffers: room for what comes while this thread is not running.
const BUFFER_BYTES: usize = 16 << 20;
/// How long to wait for room in a send buffer.
const SEND_LIMIT: Duration = Duration::from_secs(1);

/// The sockets of both ends.
pub struct Datagrams {
    sockets: Vec<(UdpSocket, SocketAddrV4, UdpSender)>,
    callers: usize,
    ready: Vec<bool>,
    headers: MultiHeaders<SockaddrIn>,
    arena: Vec<u8>,
    start: Instant,
}

impl Datagrams {
    /// Binds them.
    ///
    /// # Errors
    /// A port is taken.
    pub fn open(plan: &Plan) -> io::Result<Self> {
        let callers = (0..plan.sockets).map(|_| SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        let callees = callee_hosts(plan).map(|host| SocketAddrV4::new(host, plan.callee_port));
        Ok(Self {
            sockets: callers
                .chain(callees)
                .map(bind)
                .collect::<io::Result<_>>()?,
            callers: plan.sockets,
            ready: Vec::new(),
            headers: MultiHeaders::preallocate(BATCH, Some(nix::cmsg_space!(TimeSpec))),
            arena: vec![0; BATCH * MESSAGE_BYTES],
            start: plan.live.started,
        })
    }

    /// The addresses of the callers' sockets.
    ///
    /// # Errors
    /// None.
    pub fn callers(&self) -> io::Result<Vec<SocketAddrV4>> {
        let callers = self.sockets[..self.callers].iter();
        Ok(callers.map(|(_, address, _)| *address).collect())
    }

    /// Sends the queues.
    ///
    /// # Errors
    /// The kernel refuses a datagram, or there is no room for it in a second.
    pub fn flush(&mut self, queues: &mut [Queue]) -> io::Result<()> {
        for (queue, (socket, _, sender)) in queues.iter_mut().zip(&self.sockets) {
            let mut datagrams = queue.used();
            while !datagrams.is_empty() {
                let outcome = sender.send_batch(datagrams);
                if let Some((_, error)) = outcome.failed.into_iter().next() {
                    return Err(error);
                }
                datagrams = &datagrams[outcome.done..];
                if outcome.done == 0 {
                    let port = [(socket.as_fd(), PollFlags::POLLOUT)];
                    poll(port.into_iter(), SEND_LIMIT, &mut self.ready)?;
                    if self.ready == [false] {
                        return Err(io::Error::other("a send buffer stays full"));
                    }
                }
            }
            queue.clear();
        }
        Ok(())
    }

    /// Waits until something comes.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn wait(&mut self, limit: Duration) -> io::Result<()> {
        let sockets = self.sockets.iter();
        let ports = sockets.map(|(socket, ..)| (socket.as_fd(), PollFlags::POLLIN));
        poll(ports, limit, &mut self.ready)
    }

    /// Hands over what came to the sockets that are ready.
    ///
    /// # Errors
    /// A socket fails.
    pub fn receive(
        &mut self,
        out: &mut Outbox,
        mut take: impl FnMut(Arrived<'_>, &mut Outbox),
    ) -> io::Result<u64> {
        let mut count = 0;
        for port in 0..self.sockets.len() {
            while self.ready.get(port).is_some_and(|ready| *ready) {
                let got = self.receive_at(port, out, &mut take)?;
                count += got as u64;
                self.ready[port] = got == BATCH;
            }
        }
        Ok(count)
    }

    fn receive_at(
        &mut self,
        port: usize,
        out: &mut Outbox,
        take: &mut impl FnMut(Arrived<'_>, &mut Outbox),
    ) -> io::Result<usize> {
        let (socket, own, _) = &self.sockets[port];
        let chunks = self.arena.chunks_exact_mut(MESSAGE_BYTES);
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            chunks.map(|chunk| [IoSliceMut::new(chunk)]).collect();
        let flags = MsgFlags::MSG_DONTWAIT;
        let received = recvmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            &mut slices,
            flags,
            None,
        );
        let received = match received {
            Ok(received) => received,
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let now = self.start.elapsed().as_nanos() as u64;
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        let unix = unix.unwrap_or_default();
        let mut count = 0;
        for message in received {
            count += 1;
            let (Some(from), Some(bytes)) = (message.address, message.iovs().next()) else {
                continue;
            };
            let waited = came(&message).map_or(0, |came| unix.saturating_sub(came).as_nanos());
            let came = now.saturating_sub(waited as u64);
            let arrived = if port < self.callers {
                Arrived::AtCaller { came, now, bytes }
            } else {
                Arrived::AtCallee(Came {
                    port,
                    from: SocketAddrV4::new(from.ip(), from.port()),
                    own: *own,
                    came,
                    now,
                    bytes,
                })
            };
            take(arrived, out);
        }
        Ok(count)
    }

    /// What the kernel dropped at these sockets.
    pub fn drops(&self) -> u64 {
        let sockets = self.sockets.iter();
        sockets.map(|(_, own, _)| accounting::udp_drops(*own)).sum()
    }
}

impl fmt::Debug for Datagrams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagrams")
            .field("sockets", &self.sockets.len())
            .finish_non_exhaustive()
    }
}

/// When the kernel took a datagram in, since 1970: how long this thread was busy or asleep then is not the server's doing.
fn came(message: &RecvMsg<'_, '_, SockaddrIn>) -> Option<Duration> {
    message.cmsgs().ok()?.find_map(|note| match note {
        ControlMessageOwned::ScmTimestampns(came) => Some(Duration::from(came)),
        _ => None,
    })
}

fn bind(address: SocketAddrV4) -> io::Result<(UdpSocket, SocketAddrV4, UdpSender)> {
    let socket = UdpSocket::bind(address)
        .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))?;
    // Beyond the system's limit only with privileges; without them, what the limit allows.
    if setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES).is_err() {
        setsockopt(&socket, sockopt::RcvBuf, &BUFFER_BYTES)?;
    }
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    let own = v4(socket.local_addr()?)?;
    // The sender needs no runtime, but is only made together with a socket that has one.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _entered = runtime.enter();
    let joined =
        transport::udp::UdpSocket::new(SocketId(0), socket.try_clone()?, Default::default())?;
    Ok((socket, own, joined.sender().clone()))
}
