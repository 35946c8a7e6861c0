//! The connections of one worker.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashMap;
use sip::{ConnectionId, Hop, SocketId, StreamUse, Transport};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::connection::Connection;
use super::driver::Driver;
use super::pool::{Command, ConnectionInfo, StreamHandle, StreamSeat, connection_id, worker_of};
use super::{ByteStream, CloseReason, Event, SendError, StreamSettings, accept, open};
use crate::counters::StreamCounters;

/// Who is told what happens. Called from the connections' tasks, never from within a call of
/// `Streams`, so it may itself use `Streams`.
pub type Owner = Rc<dyn Fn(Event<'_>)>;

/// The streams of one worker. Everything here belongs to one thread, and everything is called
/// from within its `LocalSet`.
#[derive(Clone, Debug)]
pub struct Streams(Rc<Worker>);

impl StreamSeat {
    /// Takes the seat in the worker's own thread, from within its `LocalSet`.
    pub fn start(self, owner: Owner) -> Streams {
        let worker = Rc::new(Worker {
            number: self.number,
            handle: self.handle,
            owner,
            connections: RefCell::default(),
            serial: Cell::new(0),
            tasks: RefCell::default(),
        });
        let task = tokio::task::spawn_local(obey(worker.clone(), self.commands));
        worker.tasks.borrow_mut().push(task.abort_handle());
        Streams(worker)
    }
}

impl Streams {
    /// Accepts connections from a socket that `listen::open` opened.
    pub fn listen(
        &self,
        socket: SocketId,
        transport: Transport,
        listener: std::net::TcpListener,
    ) -> io::Result<()> {
        if transport != Transport::Tcp {
            return Err(io::ErrorKind::Unsupported.into());
        }
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let accepting = accept::accept(self.0.clone(), socket, transport, listener);
        let task = tokio::task::spawn_local(accepting);
        self.0.tasks.borrow_mut().push(task.abort_handle());
        Ok(())
    }

    /// Sends over the hop's connection, else over one to the same peer, else over a new one
    /// (RFC 3261 §18.1.1, §18.2.2). Success means that the message is queued; what happens to it
    /// later is an event, here or in the worker that owns the connection.
    pub fn send(&self, hop: Hop, bytes: Arc<[u8]>) -> Result<(), SendError> {
        self.0.send(hop, bytes)
    }

    /// Closes a connection, whoever owns it. What waits for it comes back as `Unsent`.
    pub fn close(&self, id: ConnectionId) -> Result<(), SendError> {
        match self.0.find(id) {
            Some(connection) => {
                connection.close(CloseReason::Requested);
                Ok(())
            }
            None if worker_of(id) == self.0.number => Err(SendError::NoConnection),
            None => self.0.handle.close(id),
        }
    }

    /// Accepts no more, obeys no more, and closes all connections of this worker.
    pub fn shut_down(&self) {
        for task in self.0.tasks.borrow_mut().drain(..) {
            task.abort();
        }
        for connection in self.0.connections.borrow().values() {
            connection.close(CloseReason::Requested);
        }
    }

    /// How many connections this worker owns.
    pub fn len(&self) -> usize {
        self.0.connections.borrow().len()
    }

    /// Whether it owns none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The way in for other threads.
    pub fn handle(&self) -> StreamHandle {
        self.0.handle.clone()
    }
}

/// Carries out what other threads ask for.
async fn obey(worker: Rc<Worker>, mut commands: mpsc::Receiver<Command>) {
    while let Some(command) = commands.recv().await {
        match command {
            Command::Send { hop, bytes } => {
                if let Err(error) = worker.send(hop, bytes.clone()) {
                    worker.counters().unsent.increment();
                    worker.notify(Event::Unsent { hop, bytes, error });
                }
            }
            Command::Close(id) => {
                if let Some(connection) = worker.find(id) {
                    connection.close(CloseReason::Requested);
                }
            }
        }
    }
}

/// What the tasks of one worker share.
pub(super) struct Worker {
    number: usize,
    handle: StreamHandle,
    owner: Owner,
    connections: RefCell<HashMap<ConnectionId, Rc<Connection>, foldhash::fast::RandomState>>,
    serial: Cell<u64>,
    tasks: RefCell<Vec<AbortHandle>>,
}

impl Worker {
    pub(super) fn settings(&self) -> &StreamSettings {
        self.handle.settings()
    }

    pub(super) fn counters(&self) -> &StreamCounters {
        self.handle.counters()
    }

    pub(super) fn notify(&self, event: Event<'_>) {
        (self.owner)(event);
    }

    fn find(&self, id: ConnectionId) -> Option<Rc<Connection>> {
        self.connections.borrow().get(&id).cloned()
    }

    fn send(self: &Rc<Self>, hop: Hop, bytes: Arc<[u8]>) -> Result<(), SendError> {
        if let Some(id) = hop.connection {
            if let Some(connection) = self.find(id).filter(|known| !known.is_ending()) {
                return self.queue(&connection, hop, bytes);
            }
            let owner = worker_of(id);
            if owner != self.number && self.handle.contains(id) {
                return self.handle.command(owner, Command::Send { hop, bytes });
            }
        }
        let hop = Hop {
            connection: self.handle.find(hop.transport, hop.remote),
            ..hop
        };
        match hop.connection {
            Some(id) => self.send_to(id, hop, bytes),
            None => self.open(hop, bytes),
        }
    }

    fn send_to(&self, id: ConnectionId, hop: Hop, bytes: Arc<[u8]>) -> Result<(), SendError> {
        match self.find(id) {
            Some(connection) => self.queue(&connection, hop, bytes),
            None if worker_of(id) == self.number => Err(SendError::NoConnection),
            None => self
                .handle
                .command(worker_of(id), Command::Send { hop, bytes }),
        }
    }

    /// Queues a message. If the connection is to end with it, nobody finds the connection any more.
    fn queue(&self, connection: &Connection, hop: Hop, bytes: Arc<[u8]>) -> Result<(), SendError> {
        let ends = hop.stream.close;
        connection.send(bytes, ends, self.settings(), self.counters())?;
        if ends {
            self.handle.retire(&connection.hop);
        }
        Ok(())
    }

    fn open(self: &Rc<Self>, hop: Hop, bytes: Arc<[u8]>) -> Result<(), SendError> {
        if hop.transport != Transport::Tcp {
            return Err(SendError::Unsupported(hop.transport));
        }
        if hop.stream.no_connect || self.settings().no_connect {
            return Err(SendError::NoConnection);
        }
        let registration = match self.register(hop, true) {
            Ok(registration) => registration,
            // Another worker has begun to open one since we looked.
            Err(Refused::Other(id)) => return self.send_to(id, hop, bytes),
            Err(Refused::TooMany) => return Err(SendError::TooManyConnections),
        };
        self.queue(&registration.connection, hop, bytes)?;
        let local = self
            .handle
            .sockets()
            .get(hop.socket)
            .map(|s| s.address.ip());
        tokio::task::spawn_local(open::open(registration, local));
        Ok(())
    }

    /// Gives a new connection its id and enters it everywhere.
    pub(super) fn register(
        self: &Rc<Self>,
        hop: Hop,
        outgoing: bool,
    ) -> Result<Registration, Refused> {
        let limit = self.settings().max_connections;
        if !self.counters().connections.increment_below(limit) {
            self.counters().refused.increment();
            return Err(Refused::TooMany);
        }
        self.serial.set(self.serial.get() + 1);
        let id = connection_id(self.number, self.serial.get());
        let hop = Hop {
            connection: Some(id),
            stream: StreamUse::default(),
            ..hop
        };
        let info = ConnectionInfo { hop, outgoing };
        if !outgoing {
            if !self.handle.enter(info) {
                self.counters().connections.decrement();
                self.counters().refused.increment();
                return Err(Refused::TooMany);
            }
        } else if let Some(other) = self.handle.enter_or_find(info) {
            self.counters().connections.decrement();
            return Err(Refused::Other(other));
        }
        let connection = Rc::new(Connection::new(hop, outgoing));
        self.connections.borrow_mut().insert(id, connection.clone());
        Ok(Registration {
            connection,
            worker: self.clone(),
        })
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("number", &self.number)
            .field("connections", &self.connections.borrow().len())
            .finish_non_exhaustive()
    }
}

/// Why a connection was not registered.
#[derive(Debug)]
pub(super) enum Refused {
    TooMany,
    Other(ConnectionId),
}

/// A connection's entry in all tables, which leaves them when this is dropped, even if the task
/// that holds it ends by a panic.
#[derive(Debug)]
pub(super) struct Registration {
    connection: Rc<Connection>,
    worker: Rc<Worker>,
}

impl Registration {
    pub(super) fn worker(&self) -> &Worker {
        &self.worker
    }

    pub(super) fn hop(&self) -> Hop {
        self.connection.hop
    }

    /// Waits until somebody wants the connection closed.
    pub(super) async fn closed(&self) -> CloseReason {
        self.connection.closed().await
    }

    /// Runs the connection to its end over `stream`.
    pub(super) async fn run(self, stream: impl ByteStream) {
        self.worker.notify(Event::Connected {
            hop: self.hop(),
            outgoing: self.connection.outgoing,
        });
        let reason = Driver::new(stream, self.connection.clone(), self.worker.clone()).await;
        self.finish(reason);
    }

    /// Takes the connection out of the tables, then reports what it did not send, and its end.
    pub(super) fn finish(self, reason: CloseReason) {
        let (worker, connection) = (self.worker.clone(), self.connection.clone());
        connection.close(reason);
        let unsent = {
            let mut output = connection.output().borrow_mut();
            worker.counters().queued_bytes.subtract(output.len() as u64);
            output.take_messages()
        };
        drop(self);
        count_end(worker.counters(), reason);
        let error = SendError::Closed(reason);
        for bytes in unsent {
            worker.counters().unsent.increment();
            let hop = connection.hop;
            worker.notify(Event::Unsent { hop, bytes, error });
        }
        worker.notify(Event::Closed {
            hop: connection.hop,
            reason,
        });
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let counters = self.worker.counters();
        let mut output = self.connection.output().borrow_mut();
        counters.queued_bytes.subtract(output.len() as u64);
        drop(output.take_messages());
        counters.connections.decrement();
        self.worker.handle.leave(&self.connection.hop);
        if let Some(id) = self.connection.hop.connection {
            self.worker.connections.borrow_mut().remove(&id);
        }
    }
}

fn count_end(counters: &StreamCounters, reason: CloseReason) {
    counters.closed.increment();
    match reason {
        CloseReason::Idle => counters.idle_closed.increment(),
        CloseReason::Framing(_) => counters.bad_framing.increment(),
        CloseReason::ReadStalled | CloseReason::WriteStalled => counters.stalled.increment(),
        _ => {}
    }
}
