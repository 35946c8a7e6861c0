//! The proxy under test: the real engine with the real modules, without sockets and clock.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use engine::{Built, Engine, Extra, Log, Now, Worker, World, build, load};
use parking_lot::Mutex;
use rpc::Registry;
use script::{MemoryLoader, Options, SourceMap};
use sip::{Hop, SocketId, Transport};
use timer::Time;
use transaction::Output;
use transport::listen::SocketSpec;

use crate::disk::Disk;
use crate::watch::Watch;

const CONFIG: &str = include_str!("proxy.cfg");
/// Where time begins: the clock of a process that was just started.
const BEGIN_MS: u64 = 1_000;
const UNIX_BEGIN: u64 = 1_800_000_000;

/// The address of the proxy.
pub(crate) fn address() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5060))
}

/// A proxy with two workers that take turns as chance will have it.
pub(crate) struct Proxy {
    pub(crate) engine: Arc<Engine>,
    pub(crate) registry: Arc<Registry>,
    workers: Vec<Worker>,
    log: Arc<Mutex<Vec<String>>>,
    /// What an observer hears of the calls.
    pub(crate) watch: Arc<Watch>,
}

/// The proxy's time at a moment of the simulation.
pub(crate) fn now(at_ms: u64) -> Now {
    Now {
        time: Time::from_millis(BEGIN_MS + at_ms),
        unix_us: UNIX_BEGIN * 1_000_000 + at_ms * 1_000,
    }
}

impl Proxy {
    /// Starts one at a moment of the simulation, with a disk or without.
    ///
    /// # Panics
    /// When the simulation's own configuration has a mistake.
    pub(crate) fn start(seed: u64, at: u64, disk: Option<&Disk>) -> Self {
        fastrand::seed(seed);
        let mut map = SourceMap::new();
        let more = disk.map_or("", |_| crate::disk::CONFIG);
        let config = CONFIG.replace(
            "loadmodule \"dialog.so\"\n",
            &format!("loadmodule \"dialog.so\"\n{more}"),
        );
        let loader = MemoryLoader::one("proxy.cfg", &config);
        let path = Path::new("proxy.cfg");
        let extra = Extra::default();
        let (loaded, found) = load(
            &mut map,
            &loader,
            path,
            &Options::default(),
            &extra,
            modules::ALL,
        );
        let loaded = loaded.unwrap_or_else(|| panic!("{}", found.render(&map, false)));
        let (log, lines) = Log::memory(0);
        let world = World {
            seed,
            databases: disk.map(Disk::databases).unwrap_or_default(),
            ..World::offline(SocketSpec::udp(address()), log, now(at))
        };
        let Built {
            engine, commands, ..
        } = build(loaded, world).unwrap_or_else(|e| panic!("{e}"));
        let mut registry = Registry::new();
        for command in commands {
            registry.add(command).unwrap_or_else(|e| panic!("{e}"));
        }
        let registry = Arc::new(registry);
        engine.set_registry(Arc::clone(&registry));
        let tracker = modules::tracker(&engine);
        let tracker = tracker.unwrap_or_else(|| panic!("module dialog is loaded"));
        let watch = Watch::start(&tracker, disk.is_none());
        let workers = (0..2)
            .map(|number| Worker::new(&engine, number, 2))
            .collect();
        Self {
            engine,
            registry,
            workers,
            log: lines,
            watch,
        }
    }

    /// A datagram arrived at one of the workers.
    pub(crate) fn receive(&mut self, worker: usize, from: SocketAddr, bytes: Vec<u8>, at: u64) {
        let hop = Hop {
            transport: Transport::Udp,
            socket: SocketId(0),
            remote: from,
            connection: None,
            stream: sip::StreamUse::default(),
        };
        self.workers[worker].receive(&self.engine, &bytes, hop, now(at));
    }

    /// Time goes on: what is due is noted.
    pub(crate) fn tick(&mut self, at: u64) {
        for worker in &mut self.workers {
            worker.note_all_due(&self.engine, now(at));
        }
    }

    /// Starts what was found due, or a portion of it; whether there is more.
    pub(crate) fn start_due(&mut self, at: u64) -> bool {
        let mut more = false;
        for worker in &mut self.workers {
            more |= worker.start_due(&self.engine, now(at));
            while let Some((key, input)) = self.engine.next_posted() {
                worker.submit(&self.engine, key, input, now(at));
            }
        }
        more
    }

    /// Saves what changed, and lets out what waited for that.
    pub(crate) fn save(&mut self, at: u64) {
        modules::save(&self.engine);
        let mut numbers = Vec::new();
        for (number, worker) in self.workers.iter_mut().enumerate() {
            self.engine.take_released(number, &mut numbers);
            worker.released(&self.engine, &numbers, now(at));
        }
    }

    /// What it wants sent.
    pub(crate) fn sent(&mut self, at: u64) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut outputs = Vec::new();
        while let Some(worker) = self.workers.iter_mut().find(|worker| !worker.is_idle()) {
            outputs.append(worker.outputs());
            worker.sent(&self.engine, now(at));
        }
        let sent = outputs.into_iter();
        sent.map(|Output::Send { hop, bytes }| (hop.remote, bytes.to_vec()))
            .collect()
    }

    /// The runs that wait for something.
    pub(crate) fn waiting(&self) -> usize {
        self.workers.iter().map(Worker::waiting).sum()
    }

    /// The lines that it logged, warnings and worse.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().clone()
    }

    /// The result of a management command.
    ///
    /// # Errors
    /// The command's fault.
    pub(crate) fn command(&self, name: &str, args: &[&str]) -> Result<Vec<rpc::Value>, String> {
        let args = args.iter().map(|text| rpc::Value::from(*text)).collect();
        let reply = self
            .registry
            .call(name, args)
            .map_err(|fault| format!("{fault:?}"))?;
        Ok(reply.into_values())
    }
}
