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

pub use batch::{Datagram, RecvBatch};
pub use sender::{SendOutcome, UdpSender};
pub use steering::Steering;

pub(crate) use steering::attach_steering;

use crate::counters::UdpCounters;

/// One worker's socket on one address.
#[derive(Debug)]
pub struct UdpSocket {
    socket: tokio::net::UdpSocket,
    id: SocketId,
    sender: UdpSender,
    counters: Arc<UdpCounters>,
}

impl UdpSocket {
    /// Joins a socket from `listen::open` to the runtime of the calling thread.
    pub fn new(
        id: SocketId,
        socket: std::net::UdpSocket,
        counters: Arc<UdpCounters>,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let sender = UdpSender::new(socket.try_clone()?, counters.clone());
        Ok(Self {
            socket: tokio::net::UdpSocket::from_std(socket)?,
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
        self.socket.local_addr()
    }

    /// The way back to where a datagram came from.
    pub fn hop(&self, remote: SocketAddr) -> Hop {
        Hop {
            transport: Transport::Udp,
            socket: self.id,
            remote,
            connection: None,
        }
    }

    /// Sends from this address; may be cloned and given to other threads.
    pub fn sender(&self) -> &UdpSender {
        &self.sender
    }

    /// Waits until there may be something to read.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Waits until the kernel's send buffer may have room again.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Reads what is there, at most a batch; how many datagrams. Zero means that the next step is
    /// `readable`; so does a batch that is not full, and `readable` then waits at once without
    /// asking the kernel again.
    pub fn try_recv_batch(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        let mut read = 0;
        let result = self.socket.try_io(Interest::READABLE, || {
            read = batch.receive(&self.socket, &self.counters)?;
            if read < batch.capacity() {
                // The queue was emptied: take the readiness back. What came since then has
                // raised a new event.
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        match result {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(read),
        }
    }

    /// Waits for datagrams and reads at most a batch of them; at least one, unless all that came
    /// were errors about earlier datagrams.
    pub async fn recv_batch(&self, batch: &mut RecvBatch) -> io::Result<usize> {
        self.readable().await?;
        self.try_recv_batch(batch)
    }
}

#[cfg(test)]
mod tests;
