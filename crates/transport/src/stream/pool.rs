//! What the workers' connections have in common: who owns which, the limits, and the way to send
//! from a thread that owns none.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use sip::{ConnectionId, Hop, Transport};
use tokio::sync::mpsc;

use super::{Connect, SendError, StreamSettings};
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
    Send {
        hop: Hop,
        bytes: Arc<[u8]>,
        connect: Connect,
    },
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

/// Touched when a connection begins or ends, and when one is looked for by its peer.
#[derive(Debug, Default)]
struct Directory {
    by_peer: HashMap<(Transport, SocketAddr), ConnectionId>,
    all: HashMap<ConnectionId, ConnectionInfo>,
    /// How many each address has opened; kept only where that is limited.
    by_address: HashMap<IpAddr, u64>,
}

impl Directory {
    /// A connection that this address had opened is gone.
    fn one_less(&mut self, address: IpAddr) {
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

impl StreamHandle {
    /// Sends over the hop's connection, else over one to the same peer, else over a new one. The
    /// worker that owns the connection reports a failure as an event.
    pub fn send(&self, hop: Hop, bytes: Arc<[u8]>, connect: Connect) -> Result<(), SendError> {
        let owner = hop
            .connection
            .or_else(|| self.find(hop.transport, hop.remote))
            .map(worker_of)
            .unwrap_or_else(|| self.any_worker());
        self.command(
            owner,
            Command::Send {
                hop,
                bytes,
                connect,
            },
        )
    }

    /// Asks for a connection to be closed.
    pub fn close(&self, id: ConnectionId) -> Result<(), SendError> {
        self.command(worker_of(id), Command::Close(id))
    }

    /// The connection to a peer, if there is one or one is being opened.
    pub fn find(&self, transport: Transport, remote: SocketAddr) -> Option<ConnectionId> {
        let directory = self.0.directory.lock();
        directory.by_peer.get(&(transport, remote)).copied()
    }

    /// Whether a connection is there.
    pub fn contains(&self, id: ConnectionId) -> bool {
        self.0.directory.lock().all.contains_key(&id)
    }

    /// All connections, oldest first within a worker; at most `limit`.
    pub fn connections(&self, limit: usize) -> Vec<ConnectionInfo> {
        let mut all: Vec<_> = self.0.directory.lock().all.values().copied().collect();
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

    /// Enters a connection. A second one to the same peer (from another address of ours) is known
    /// only by its id.
    /// Enters a connection that was accepted. False if its peer's address has too many already.
    pub(super) fn enter(&self, info: ConnectionInfo) -> bool {
        let Some(id) = info.hop.connection else {
            return false;
        };
        let limit = self.0.settings.max_per_address;
        let mut directory = self.0.directory.lock();
        if limit > 0 {
            let address = info.hop.remote.ip();
            let count = directory.by_address.entry(address).or_default();
            if *count >= limit {
                return false;
            }
            *count += 1;
        }
        let peer = (info.hop.transport, info.hop.remote);
        directory.by_peer.entry(peer).or_insert(id);
        directory.all.insert(id, info);
        true
    }

    /// Enters a connection that is about to be opened, unless somebody was quicker: then theirs.
    pub(super) fn enter_or_find(&self, info: ConnectionInfo) -> Option<ConnectionId> {
        let id = info.hop.connection?;
        let mut directory = self.0.directory.lock();
        let peer = (info.hop.transport, info.hop.remote);
        let found = *directory.by_peer.entry(peer).or_insert(id);
        if found != id {
            return Some(found);
        }
        directory.all.insert(id, info);
        None
    }

    pub(super) fn leave(&self, hop: &Hop) {
        let Some(id) = hop.connection else { return };
        let mut directory = self.0.directory.lock();
        let known = directory.all.remove(&id);
        if self.0.settings.max_per_address > 0 && known.is_some_and(|info| !info.outgoing) {
            directory.one_less(hop.remote.ip());
        }
        let peer = (hop.transport, hop.remote);
        if directory.by_peer.get(&peer) == Some(&id) {
            directory.by_peer.remove(&peer);
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
