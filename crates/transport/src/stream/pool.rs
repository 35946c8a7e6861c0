//! What the workers' connections have in common: who owns which, the limits, and the way to send
//! from a thread that owns none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use sip::{ConnectionId, Hop, Transport};
use tokio::sync::mpsc;

use super::directory::{AliasRefused, Directory};
use super::{SendError, StreamSettings};
use crate::counters::StreamCounters;
use crate::listen::Sockets;

/// The most workers: their number has eight bits in a connection's id.
const MAX_WORKERS: usize = 1 << WORKER_BITS;
const WORKER_BITS: u32 = 8;
/// Commands that may wait for one worker.
const COMMANDS: usize = 4096;

/// One connection, for listings.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionInfo {
    /// The way to the peer, with its id.
    pub hop: Hop,
    /// Whether we opened it.
    pub outgoing: bool,
}

/// Something for the worker that owns a connection.
#[derive(Debug)]
pub(super) enum Command {
    Send { hop: Hop, bytes: Arc<[u8]> },
    Close(ConnectionId),
}

/// Makes the streams of a process with `workers` workers (1 to 256): the handle that any thread
/// may use, and a seat for each worker to be started in its thread.
pub fn pool(
    workers: usize,
    sockets: Arc<Sockets>,
    settings: StreamSettings,
    counters: Arc<StreamCounters>,
) -> (StreamHandle, Vec<StreamSeat>) {
    let workers = workers.clamp(1, MAX_WORKERS);
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..workers).map(|_| mpsc::channel(COMMANDS)).unzip();
    let handle = StreamHandle(Arc::new(Shared {
        settings,
        counters,
        sockets,
        senders,
        next_worker: AtomicUsize::new(0),
        directory: Mutex::default(),
    }));
    let seat = |(number, commands)| StreamSeat {
        number,
        handle: handle.clone(),
        commands,
    };
    let seats = receivers.into_iter().enumerate().map(seat).collect();
    (handle, seats)
}

/// One worker's share, on its way to the worker's thread.
#[derive(Debug)]
pub struct StreamSeat {
    pub(super) number: usize,
    pub(super) handle: StreamHandle,
    pub(super) commands: mpsc::Receiver<Command>,
}

/// Sends over the connections of all workers, from any thread.
#[derive(Clone, Debug)]
pub struct StreamHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: StreamSettings,
    counters: Arc<StreamCounters>,
    sockets: Arc<Sockets>,
    senders: Vec<mpsc::Sender<Command>>,
    next_worker: AtomicUsize,
    directory: Mutex<Directory>,
}

impl StreamHandle {
    /// Sends over the hop's connection, else over one to the same peer, else over a new one. The
    /// worker that owns the connection reports a failure as an event.
    pub fn send(&self, hop: Hop, bytes: Arc<[u8]>) -> Result<(), SendError> {
        let owner = hop
            .connection
            .or_else(|| self.find(hop.transport, hop.remote))
            .map(worker_of)
            .unwrap_or_else(|| self.any_worker());
        self.command(owner, Command::Send { hop, bytes })
    }

    /// Asks for a connection to be closed.
    pub fn close(&self, id: ConnectionId) -> Result<(), SendError> {
        self.command(worker_of(id), Command::Close(id))
    }

    /// The connection to a peer, if there is one or one is being opened.
    pub fn find(&self, transport: Transport, remote: SocketAddr) -> Option<ConnectionId> {
        self.0.directory.lock().find(transport, remote)
    }

    /// Sends what goes to another port of this connection's peer over this connection too, until it ends or
    /// another connection claims that port (RFC 5923). The most that one connection may have is twelve.
    ///
    /// # Errors
    /// The connection is gone, or has too many.
    pub fn add_alias(&self, id: ConnectionId, port: u16) -> Result<(), AliasRefused> {
        let added = self.0.directory.lock().add_alias(id, port);
        if added.is_err() {
            self.0.counters.aliases_refused.increment();
        }
        added
    }

    /// Whether a connection is there.
    pub fn contains(&self, id: ConnectionId) -> bool {
        self.0.directory.lock().contains(id)
    }

    /// All connections, oldest first within a worker; at most `limit`.
    pub fn connections(&self, limit: usize) -> Vec<ConnectionInfo> {
        let mut all: Vec<_> = self.0.directory.lock().all().collect();
        all.sort_unstable_by_key(|info| info.hop.connection);
        all.truncate(limit);
        all
    }

    /// How many workers share the connections.
    pub fn workers(&self) -> usize {
        self.0.senders.len()
    }

    /// What the connections count.
    pub fn counters(&self) -> &Arc<StreamCounters> {
        &self.0.counters
    }

    pub(super) fn settings(&self) -> &StreamSettings {
        &self.0.settings
    }

    pub(super) fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    /// Hands a command to a worker; never waits.
    pub(super) fn command(&self, worker: usize, command: Command) -> Result<(), SendError> {
        let sender = self.0.senders.get(worker).ok_or(SendError::NoConnection)?;
        sender.try_send(command).map_err(|_| {
            self.0.counters.commands_full.increment();
            SendError::Busy
        })
    }

    /// Enters a connection that was accepted. False if its peer's address has too many already.
    pub(super) fn enter(&self, info: ConnectionInfo) -> bool {
        info.hop.connection.is_some_and(|id| {
            let limit = self.0.settings.max_per_address;
            self.0.directory.lock().enter(id, info, limit)
        })
    }

    /// Enters a connection that is about to be opened, unless somebody was quicker: then theirs.
    pub(super) fn enter_or_find(&self, info: ConnectionInfo) -> Option<ConnectionId> {
        let id = info.hop.connection?;
        self.0.directory.lock().enter_or_find(id, info)
    }

    /// Lets nobody find a connection by its peer any more: it ends with what waits for it already.
    pub(super) fn retire(&self, hop: &Hop) {
        if let Some(id) = hop.connection {
            self.0.directory.lock().retire(id, hop);
        }
    }

    pub(super) fn leave(&self, hop: &Hop) {
        if let Some(id) = hop.connection {
            self.0.directory.lock().leave(id, hop);
        }
    }

    fn any_worker(&self) -> usize {
        self.0.next_worker.fetch_add(1, Ordering::Relaxed) % self.0.senders.len()
    }
}

/// The worker that owns a connection.
pub(super) fn worker_of(id: ConnectionId) -> usize {
    (id.0 & ((1 << WORKER_BITS) - 1)) as usize
}

/// The id of a worker's connection with this serial number.
pub(super) fn connection_id(worker: usize, serial: u64) -> ConnectionId {
    ConnectionId(serial << WORKER_BITS | worker as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_their_worker() {
        let id = connection_id(200, 12_345);
        assert_eq!(worker_of(id), 200);
        assert_ne!(id, connection_id(200, 12_346));
    }
}
