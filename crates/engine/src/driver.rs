//! Drives one worker with real sockets and the real clock: everything in it runs on one thread.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use script::{Completion, Value};
use sip::{Hop, SocketId, Transport};
use timer::Time;
use tokio::sync::watch;
use tokio::task::spawn_local;
use transaction::Output;
use transport::resolve::Query;
use transport::stream::{Event, StreamSeat, Streams};
use transport::udp::{RecvBatch, UdpSender, UdpSocket};

use crate::clock::Now;
use crate::engine::Engine;
use crate::log::level;
use crate::overload::Batch;
use crate::process::Worker;
use crate::run::Operation;

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(crate::build::TICK_MS);

/// The real clock, counting from the start of the process.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Begins to count.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The moment now.
    pub fn now(&self) -> Now {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            time: Time::from_millis(self.0.elapsed().as_millis() as u64 + 1),
            unix_us: unix.as_micros() as u64,
        }
    }
}

/// Sockets of one worker, joined to its runtime.
#[derive(Debug, Default)]
pub struct WorkerSockets {
    /// One for each UDP address.
    pub udp: Vec<UdpSocket>,
    /// Listeners for streams.
    pub listeners: Vec<(SocketId, Transport, std::net::TcpListener)>,
}

/// One worker with its sockets.
pub struct Driver {
    engine: Arc<Engine>,
    clock: Clock,
    worker: RefCell<Worker>,
    senders: Vec<(SocketId, UdpSender)>,
    streams: Streams,
    unsent: RefCell<Vec<Arc<[u8]>>>,
    /// Room for what is being sent.
    outputs: Cell<Vec<Output>>,
    datagrams: Cell<Vec<Datagram>>,
}

/// Bytes and where they go.
type Datagram = (Arc<[u8]>, SocketAddr);

impl Driver {
    /// Runs worker `number` of `workers` until `stop` becomes true.
    pub async fn run(
        engine: Arc<Engine>,
        clock: Clock,
        sockets: WorkerSockets,
        seat: StreamSeat,
        (number, workers): (usize, usize),
        mut stop: watch::Receiver<bool>,
    ) {
        let worker = RefCell::new(Worker::new(&engine, number, workers));
        let senders = sockets
            .udp
            .iter()
            .map(|s| (s.id(), s.sender().clone()))
            .collect();
        let driver = Rc::new_cyclic(|this: &Weak<Self>| {
            let this = Weak::clone(this);
            let streams = seat.start(Rc::new(move |event: Event<'_>| {
                if let Some(driver) = this.upgrade() {
                    driver.stream_event(event);
                }
            }));
            Self {
                engine,
                clock,
                worker,
                senders,
                streams,
                unsent: RefCell::default(),
                outputs: Cell::default(),
                datagrams: Cell::default(),
            }
        });
        for (id, transport, listener) in sockets.listeners {
            if let Err(error) = driver.streams.listen(id, transport, listener) {
                let text = format!("cannot accept {transport} connections: {error}");
                driver.engine.log.line(level::ERROR, "core", &text);
            }
        }
        let mut tasks = Vec::new();
        for socket in sockets.udp {
            tasks.push(spawn_local(Rc::clone(&driver).receive_datagrams(socket)));
        }
        tasks.push(spawn_local(Rc::clone(&driver).tick()));
        tasks.push(spawn_local(Rc::clone(&driver).take_posted()));
        if driver.engine.hooks.hold.is_some() {
            tasks.push(spawn_local(Rc::clone(&driver).take_released(number)));
        }
        // The sender of the signal lives as long as the process.
        let _ = stop.wait_for(|stop| *stop).await;
        for task in tasks {
            task.abort();
        }
        driver.streams.shut_down();
    }

    async fn receive_datagrams(self: Rc<Self>, socket: UdpSocket) {
        let mut batch = RecvBatch::new();
        loop {
            if let Err(error) = socket.recv_batch(&mut batch).await {
                let text = format!("cannot receive on a UDP socket: {error}");
                self.engine.log.line(level::ERROR, "core", &text);
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            self.take_batch(&socket, &batch);
            if batch.is_full() {
                // There may be more at once, and then without end: timers and all else have their turn too.
                tokio::task::yield_now().await;
            }
        }
    }

    fn take_batch(self: &Rc<Self>, socket: &UdpSocket, batch: &RecvBatch) {
        let now = self.clock.now();
        let mut worker = self.worker.borrow_mut();
        let seen = Batch {
            waited: batch.waited(Duration::from_micros(now.unix_us)),
            was_full: batch.is_full(),
            dropped: batch.has_dropped(),
        };
        worker.begin_batch(&self.engine, seen, now);
        for datagram in batch.iter() {
            let hop = socket.hop(datagram.from);
            worker.receive(&self.engine, datagram.bytes, hop, now);
        }
        worker.end_batch(&self.engine, now);
        drop(worker);
        self.flush();
    }

    fn stream_event(self: &Rc<Self>, event: Event<'_>) {
        let now = self.clock.now();
        match event {
            Event::Message(incoming) => {
                self.worker
                    .borrow_mut()
                    .receive(&self.engine, incoming.bytes, incoming.hop, now);
            }
            Event::Unsent { bytes, .. } => {
                self.worker.borrow_mut().unsent(&self.engine, &bytes, now);
            }
            _ => return,
        }
        self.flush();
    }

    async fn tick(self: Rc<Self>) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            interval.tick().await;
            for part in 0..Worker::TICK_PARTS {
                let now = self.clock.now();
                let mut more = self.worker.borrow_mut().note_due(&self.engine, now, part);
                while more {
                    more = self.start_due();
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Starts a portion of what is due; whether there is more.
    fn start_due(self: &Rc<Self>) -> bool {
        let now = self.clock.now();
        let more = self.worker.borrow_mut().start_due(&self.engine, now);
        self.flush();
        more
    }

    async fn take_posted(self: Rc<Self>) {
        loop {
            while let Some((key, input)) = self.engine.next_posted() {
                let now = self.clock.now();
                self.worker
                    .borrow_mut()
                    .submit(&self.engine, key, input, now);
            }
            self.flush();
            self.engine.posted().await;
        }
    }

    /// Sends what was put aside until a change was saved.
    async fn take_released(self: Rc<Self>, number: usize) {
        let mut numbers = Vec::new();
        loop {
            self.engine.released(number).await;
            self.engine.take_released(number, &mut numbers);
            let now = self.clock.now();
            self.worker
                .borrow_mut()
                .released(&self.engine, &numbers, now);
            self.flush();
        }
    }

    /// Sends what the worker wants sent, until it is content, and starts what it waits for.
    fn flush(self: &Rc<Self>) {
        loop {
            let room = self.outputs.take();
            let mut worker = self.worker.borrow_mut();
            let mut outputs = std::mem::replace(worker.outputs(), room);
            // What is sent in overload is mostly refusals, which are alike.
            let join = worker.is_overloaded();
            drop(worker);
            self.send(&mut outputs, join);
            self.outputs.set(outputs);
            let unsent = std::mem::take(&mut *self.unsent.borrow_mut());
            let now = self.clock.now();
            let mut worker = self.worker.borrow_mut();
            for bytes in unsent {
                worker.unsent(&self.engine, &bytes, now);
            }
            worker.sent(&self.engine, now);
            for (task, operation) in worker.operations().drain(..) {
                spawn_local(Rc::clone(self).perform(task, operation));
            }
            if worker.is_idle() {
                return;
            }
        }
    }

    fn send(&self, outputs: &mut Vec<Output>, join: bool) {
        let mut datagrams = self.datagrams.take();
        let mut socket = None;
        for Output::Send { hop, bytes } in outputs.drain(..) {
            if hop.transport != Transport::Udp {
                self.send_on_stream(hop, bytes);
                continue;
            }
            if socket != Some(hop.socket) {
                self.send_datagrams(socket, &mut datagrams, join);
                socket = Some(hop.socket);
            }
            datagrams.push((bytes, hop.remote));
        }
        self.send_datagrams(socket, &mut datagrams, join);
        self.datagrams.set(datagrams);
    }

    fn send_on_stream(&self, hop: Hop, bytes: Arc<[u8]>) {
        if self.streams.send(hop, Arc::clone(&bytes)).is_err() {
            // What stays unsent is looked at when this round is over: its own branch may be at work now.
            self.unsent.borrow_mut().push(bytes);
        }
    }

    fn send_datagrams(&self, socket: Option<SocketId>, datagrams: &mut Vec<Datagram>, join: bool) {
        let sender = self.senders.iter().find(|(id, _)| Some(*id) == socket);
        if let Some((_, sender)) = sender.filter(|_| !datagrams.is_empty()) {
            sender.send_or_drop(datagrams, join);
        }
        datagrams.clear();
    }

    async fn perform(self: Rc<Self>, task: usize, operation: Operation) {
        let completion = match operation {
            Operation::Sleep(time) => {
                tokio::time::sleep(time).await;
                Completion::Value(Value::Null)
            }
            Operation::Gate(gate, limit) => {
                match tokio::time::timeout(limit, gate.opened()).await {
                    Ok(()) => Completion::Value(Value::Null),
                    Err(_) => Completion::Failed("it took too long".to_owned()),
                }
            }
            Operation::Resolve(query) => self.resolve(&query).await,
        };
        let now = self.clock.now();
        self.worker
            .borrow_mut()
            .complete(&self.engine, task, completion, now);
        self.flush();
    }

    async fn resolve(&self, query: &Query) -> Completion {
        let start = self.clock.now().time;
        let result = self.engine.resolver.resolve(query, start).await;
        let limit = self.engine.settings.dns_slow_ms;
        let took = self.clock.now().time.millis_since(start);
        if limit > 0 && took > limit {
            let name = query.name().unwrap_or_default();
            let text = format!("slow DNS: {took} ms for {name}");
            self.engine.log.line(level::WARNING, "core", &text);
        }
        match result {
            Ok(_) => Completion::Value(Value::Null),
            Err(error) => Completion::Failed(error.to_string()),
        }
    }
}
