//! The core without sockets and clock: the real engine with the real modules and bench.cfg, into which prepared
//! messages go by function call. What it costs can be counted exactly.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use engine::{Built, Engine, Extra, Log, Now, Worker, World, build, load};
use rpc::{Registry, Value};
use script::{FileLoader, Options, SourceMap};
use sip::{Hop, SocketId, Transport};
use timer::Time;
use transaction::Output;
use transport::listen::SocketSpec;

/// Where time begins: the clock of a process that was just started.
const BEGIN_MS: u64 = 1_000;
const UNIX_BEGIN: u64 = 1_800_000_000;
const SEED: u64 = 7;

/// The proxy.
pub const PROXY: SocketAddr = local(5060);
/// Who calls.
pub const CALLER: SocketAddr = local(5070);
/// Who is called.
pub const CALLEE: SocketAddr = local(5080);

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// One worker and its engine.
pub struct Core {
    engine: Arc<Engine>,
    registry: Registry,
    worker: Worker,
    log: Arc<parking_lot::Mutex<Vec<String>>>,
    outputs: Vec<Output>,
}

/// What the core wanted sent, in buffers that are used again: the peers' copies, as the kernel would make them.
#[derive(Debug, Default)]
pub struct Sent {
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
    count: usize,
}

impl Sent {
    /// The datagrams, in order.
    pub fn iter(&self) -> impl Iterator<Item = (SocketAddr, &[u8])> {
        let used = self.datagrams[..self.count].iter();
        used.map(|(to, bytes)| (*to, bytes.as_slice()))
    }

    fn push(&mut self, to: SocketAddr, bytes: &[u8]) {
        if self.datagrams.len() == self.count {
            self.datagrams.push((to, Vec::with_capacity(2_048)));
        }
        let (address, copy) = &mut self.datagrams[self.count];
        *address = to;
        copy.clear();
        copy.extend_from_slice(bytes);
        self.count += 1;
    }
}

/// The core's time at a moment of the run.
fn now(at_ms: u64) -> Now {
    Now {
        time: Time::from_millis(BEGIN_MS + at_ms),
        unix_us: UNIX_BEGIN * 1_000_000 + at_ms * 1_000,
    }
}

impl Core {
    /// Makes it from a configuration file that takes the defines PORT and CALLEE.
    ///
    /// # Errors
    /// The configuration has a mistake.
    pub fn start(config: &Path) -> io::Result<Self> {
        fastrand::seed(SEED);
        let mut map = SourceMap::new();
        let options = Options {
            defines: vec![
                format!("PORT={}", PROXY.port()),
                format!("CALLEE={}", CALLEE.port()),
                "CHILDREN=1".to_owned(),
            ],
            ..Options::default()
        };
        let extra = Extra::default();
        let (loaded, found) = load(
            &mut map,
            &FileLoader,
            config,
            &options,
            &extra,
            modules::ALL,
        );
        let loaded = loaded.ok_or_else(|| io::Error::other(found.render(&map, false)))?;
        let (log, lines) = Log::memory(0);
        let Built {
            engine, commands, ..
        } = build(loaded, world(log)).map_err(io::Error::other)?;
        let mut registry = Registry::new();
        for command in commands {
            registry.add(command).map_err(io::Error::other)?;
        }
        let worker = Worker::new(&engine, 0, 1);
        Ok(Self {
            engine,
            registry,
            worker,
            log: lines,
            outputs: Vec::new(),
        })
    }

    /// A datagram arrives: all that the worker's driver does with it but the system calls.
    pub fn receive(&mut self, from: SocketAddr, bytes: &[u8], at_ms: u64, sent: &mut Sent) {
        let hop = Hop {
            transport: Transport::Udp,
            socket: SocketId(0),
            remote: from,
            connection: None,
            stream: sip::StreamUse::default(),
        };
        let now = now(at_ms);
        self.worker.receive(&self.engine, bytes, hop, now);
        self.flush(now, sent);
    }

    /// Time goes on.
    pub fn tick(&mut self, at_ms: u64, sent: &mut Sent) {
        let now = now(at_ms);
        self.worker.tick(&self.engine, now);
        while let Some((key, input)) = self.engine.next_posted() {
            self.worker.submit(&self.engine, key, input, now);
        }
        self.flush(now, sent);
    }

    fn flush(&mut self, now: Now, sent: &mut Sent) {
        sent.count = 0;
        while !self.worker.is_idle() {
            std::mem::swap(&mut self.outputs, self.worker.outputs());
            for Output::Send { hop, bytes } in self.outputs.drain(..) {
                sent.push(hop.remote, &bytes);
            }
            self.worker.sent(&self.engine, now);
        }
    }

    /// How many calls are in a profile without values; `None` when the command fails.
    pub fn calls_in(&self, profile: &str) -> Option<u64> {
        let reply = self
            .registry
            .call("dlg.profile_get_size", vec![Value::from(profile)])
            .ok()?;
        let size = reply.into_values().first()?.as_int()?;
        u64::try_from(size).ok()
    }

    /// The management commands.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The lines that it logged: warnings and worse.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().clone()
    }
}

fn world(log: Log) -> World {
    World {
        seed: SEED,
        ..World::offline(SocketSpec::udp(PROXY), log, now(0))
    }
}
