//! UDP in batches. Each worker has its own socket for each address; sending is possible from any
//! thread through a `UdpSender`, because the kernel's send call needs no state of ours.

mod batch;
mod mmsg;
mod sender;
mod steering;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use sip::{Hop, SocketId, Transport};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub use batch::{Datagram, RecvBatch};
pub use sender::{SendOutcome, UdpSender};
pub use steering::Steering;

pub(crate) use mmsg::allow_fragments;
pub(crate) use steering::attach_steering;

use crate::counters::UdpCounters;

/// One worker's socket on one address.
#[derive(Debug)]
pub struct UdpSocket {
    /// Only reading is waited for: each datagram that leaves would be an event, and a wake-up, otherwise.
    socket: AsyncFd<std::net::UdpSocket>,
    id: SocketId,
    sender: UdpSender,
    counters: Arc<UdpCounters>,
}

impl UdpSocket {
    /// Joins a socket from `listen::open` to the runtime of the calling thread.
    #[allow(
        deprecated,
        reason = "what replaces it is unsafe, for types whose descriptor may change; that of a std socket does not"
    )]
    pub fn new(
        id: SocketId,
        socket: std::net::UdpSocket,
        counters: Arc<UdpCounters>,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let sender = UdpSender::new(socket.try_clone()?, counters.clone());
        Ok(Self {
            socket: AsyncFd::with_interest(socket, Interest::READABLE)?,
            id,
            sender,
            counters,
        })
    }

    /// Our number in the table of sockets.
    pub fn id(&self) -> SocketId {
        self.id
    }

    /// The address that we are bound to.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.get_ref().local_addr()
    }

    /// The way back to where a datagram came from.
    pub fn hop(&self, remote: SocketAddr) -> Hop {
        Hop {
            transport: Transport::Udp,
            socket: self.id,
            remote,
            connection: None,
            stream: sip::StreamUse::default(),
        }
    }

    /// Sends from this address; may be cloned and given to other threads.
    pub fn sender(&self) -> &UdpSender {
        &self.sender
    }

    /// Waits for datagrams and reads at most a batch of them; at least one, unless all that came
    /// were errors about earlier datagrams.
    pub async fn recv_batch(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        let mut ready = self.socket.readable().await?;
        let read = batch.receive(self.socket.get_ref(), &self.counters);
        if read.is_err() || !batch.is_full() {
            // The queue was emptied. What came since then has raised a new event: there is no need to ask the
            // kernel once more.
            ready.clear_ready();
        }
        match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            read => read,
        }
    }
}

#[cfg(test)]
mod tests;
