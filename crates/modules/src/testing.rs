//! For tests: a configuration run by an engine in memory, with one worker, one UDP socket, 10.0.0.1:5060, and a
//! clock that the test moves.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use engine::{Built, Engine, Extra, Log, Now, Operation, Worker, World, build, load};
use parking_lot::Mutex;
use rpc::{Fault, Registry, Value};
use script::{Completion, MemoryLoader, Options, SourceMap};
use sip::{Hop, SocketId, Transport};
use timer::Time;
use transaction::Output;
use transport::listen::SocketSpec;
use transport::resolve::{Hosts, ResolveSettings, Resolver, TableLookup};

/// The Unix time at which every bench begins.
pub(crate) const UNIX_BEGIN: u64 = 1_800_000_000;

/// An engine that runs a small configuration.
pub(crate) struct Bench {
    pub(crate) engine: Arc<Engine>,
    registry: Arc<Registry>,
    mi: Vec<rpc::MiCommand>,
    worker: Worker,
    pub(crate) log: Arc<Mutex<Vec<String>>>,
    at_ms: u64,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) to: SocketAddr,
    /// What was wanted of its stream.
    pub(crate) stream: sip::StreamUse,
    pub(crate) text: String,
}

impl Sent {
    /// The first line.
    pub(crate) fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The values of all headers with this name.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.text.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// The value of the first header with this name; empty without one.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers(name).first().copied().unwrap_or_default()
    }
}

impl Bench {
    /// Loads a configuration.
    pub(crate) fn new(config: &str) -> Self {
        Self::load(config).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Loads a configuration, or says what is wrong with it.
    pub(crate) fn load(config: &str) -> Result<Self, String> {
        let mut map = SourceMap::new();
        let loader = MemoryLoader::one("test.cfg", config);
        let (path, extra) = (Path::new("test.cfg"), Extra::default());
        let options = Options::default();
        let (loaded, found) = load(&mut map, &loader, path, &options, &extra, crate::ALL);
        let loaded = loaded.ok_or_else(|| found.render(&map, false))?;
        let (log, lines) = Log::memory(engine::level::INFO);
        let world = world(log);
        let now = world.now;
        let Built {
            engine,
            commands,
            doors,
        } = build(loaded, world)?;
        let mut registry = Registry::new();
        for command in commands {
            registry.add(command).map_err(|error| error.to_string())?;
        }
        let worker = Worker::new(&engine, 0, 1);
        let at_ms = now.time.as_millis();
        Ok(Self {
            engine,
            registry: Arc::new(registry),
            mi: doors.mi_commands,
            worker,
            log: lines,
            at_ms,
        })
    }

    fn now(&self) -> Now {
        moment(self.at_ms)
    }

    /// A message arrives from this address; its lines may end with a bare line feed. Returns what is sent.
    pub(crate) fn receive(&mut self, from: &str, text: &str) -> Vec<Sent> {
        let hop = Hop {
            transport: Transport::Udp,
            socket: SocketId(0),
            remote: from.parse().expect("an address"),
            connection: None,
            stream: sip::StreamUse::default(),
        };
        let bytes = text
            .replace("\r\n", "\n")
            .replace('\n', "\r\n")
            .into_bytes();
        let now = self.now();
        self.worker.receive(&self.engine, &bytes, hop, now);
        self.settle()
    }

    /// These messages arrive in one batch, full, whose first one has waited this long. Returns what is sent.
    pub(crate) fn receive_batch(&mut self, waited_ms: u64, batch: &[(&str, &str)]) -> Vec<Sent> {
        let seen = engine::Batch {
            waited: std::time::Duration::from_millis(waited_ms),
            was_full: true,
            dropped: false,
        };
        let now = self.now();
        self.worker.begin_batch(&self.engine, seen, now);
        let mut sent = Vec::new();
        for (from, text) in batch {
            sent.extend(self.receive(from, text));
        }
        self.worker.end_batch(&self.engine, now);
        sent.extend(self.settle());
        sent
    }

    /// Lets time pass, in steps of 50 ms. Returns what is sent.
    pub(crate) fn advance(&mut self, ms: u64) -> Vec<Sent> {
        self.advance_by(ms, 50)
    }

    /// The same in steps of this many ms.
    pub(crate) fn advance_by(&mut self, ms: u64, step_ms: u64) -> Vec<Sent> {
        let mut sent = Vec::new();
        let end = self.at_ms + ms;
        while self.at_ms < end {
            self.at_ms = end.min(self.at_ms + step_ms);
            let now = self.now();
            self.worker.tick(&self.engine, now);
            sent.extend(self.settle());
        }
        sent
    }

    /// Lets time pass at once. Returns what is sent, by the portions in which what is due is started, each so many ms
    /// after the one before.
    pub(crate) fn portions(&mut self, ms: u64, apart_ms: u64) -> Vec<Vec<Sent>> {
        self.at_ms += ms;
        self.worker.note_all_due(&self.engine, self.now());
        let mut portions = Vec::new();
        self.start_all_due(apart_ms, &mut portions);
        portions
    }

    /// Lets time pass at once, as `portions`, and looks part by part for what is due, as a driver does.
    pub(crate) fn portions_by_parts(&mut self, ms: u64, apart_ms: u64) -> Vec<Vec<Sent>> {
        self.at_ms += ms;
        let mut portions = Vec::new();
        for part in 0..Worker::TICK_PARTS {
            if self.worker.note_due(&self.engine, self.now(), part) {
                self.start_all_due(apart_ms, &mut portions);
            }
        }
        portions
    }

    fn start_all_due(&mut self, apart_ms: u64, portions: &mut Vec<Vec<Sent>>) {
        let mut more = true;
        while more {
            more = self.worker.start_due(&self.engine, self.now());
            self.at_ms += apart_ms;
            portions.push(self.settle());
        }
    }

    /// Waits until the gates that runs wait behind are open, and goes on with those runs. Returns what is sent.
    pub(crate) fn open_gates(&mut self) -> Vec<Sent> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let now = self.now();
        for (task, operation) in std::mem::take(self.worker.operations()) {
            let Operation::Gate(gate, _) = operation else {
                panic!("{operation:?} is no gate");
            };
            runtime.block_on(gate.opened());
            let completion = Completion::Value(script::Value::Null);
            self.worker.complete(&self.engine, task, completion, now);
        }
        self.settle()
    }

    /// Waits until what is held back for a change to be saved is let out. Returns what is sent.
    pub(crate) fn saved(&mut self) -> Vec<Sent> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let mut sent = Vec::new();
        let mut numbers = Vec::new();
        while self.worker.parked() > 0 {
            runtime.block_on(self.engine.released(0));
            self.engine.take_released(0, &mut numbers);
            let now = self.now();
            self.worker.released(&self.engine, &numbers, now);
            sent.extend(self.settle());
        }
        sent
    }

    /// Looks the names up that runs wait for, and goes on with those runs. Returns what is sent.
    pub(crate) fn look_up(&mut self) -> Vec<Sent> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let now = self.now();
        for (task, operation) in std::mem::take(self.worker.operations()) {
            let Operation::Resolve(query) = operation else {
                panic!("{operation:?} is no look-up");
            };
            let found = runtime.block_on(self.engine.resolver.resolve(&query, now.time));
            let completion = match found {
                Ok(_) => Completion::Value(script::Value::Null),
                Err(error) => Completion::Failed(error.to_string()),
            };
            self.worker.complete(&self.engine, task, completion, now);
        }
        self.settle()
    }

    /// Runs a management command, and the work that it hands to the workers.
    pub(crate) fn command(&mut self, name: &str, parameters: &[&str]) -> Result<Vec<Value>, Fault> {
        let parameters = parameters.iter().map(|text| Value::from(*text)).collect();
        let reply = self.registry.call(name, parameters)?;
        Ok(reply.into_values())
    }

    /// Answers one MI request, given as its lines.
    pub(crate) fn mi(&mut self, lines: &[&str]) -> String {
        let (command, arguments) = lines.split_first().expect("a command");
        let arguments: String = arguments.iter().map(|line| format!("{line}\n")).collect();
        let request = format!(":{command}:reply\n{arguments}\n");
        let reply = rpc::answer_mi(&self.mi, &self.registry, request.as_bytes());
        String::from_utf8(reply).expect("text")
    }

    /// The names of all management commands of the modules.
    pub(crate) fn commands(&self) -> Vec<String> {
        let commands = self.registry.commands();
        commands.map(|command| command.name().to_owned()).collect()
    }

    /// Takes up posted work. Returns what is sent.
    pub(crate) fn settle(&mut self) -> Vec<Sent> {
        let now = self.now();
        while let Some((key, input)) = self.engine.next_posted() {
            self.worker.submit(&self.engine, key, input, now);
        }
        let mut outputs = Vec::new();
        while !self.worker.is_idle() {
            outputs.append(self.worker.outputs());
            self.worker.sent(&self.engine, now);
        }
        let sent = outputs.into_iter().map(|Output::Send { hop, bytes }| Sent {
            to: hop.remote,
            stream: hop.stream,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
        sent.collect()
    }

    /// Takes the lines logged since the last call.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock())
    }

    /// A statistic's value.
    pub(crate) fn statistic(&self, group: &str, name: &str) -> i64 {
        self.engine
            .statistics
            .get(group, name)
            .unwrap_or_else(|| panic!("no statistic {group}:{name}"))
    }
}

/// The callee's reply to a request that was sent to it.
pub(crate) fn reply(request: &Sent, status: &str, more: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\n");
    for name in ["Via", "Record-Route", "From"] {
        for value in request.headers(name) {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    let to = request.header("To");
    let tag = if to.contains(";tag=") { "" } else { ";tag=tb" };
    let (call_id, cseq) = (request.header("Call-ID"), request.header("CSeq"));
    text.push_str(&format!(
        "To: {to}{tag}\nCall-ID: {call_id}\nCSeq: {cseq}\n{more}Content-Length: 0\n\n"
    ));
    text
}

fn moment(at_ms: u64) -> Now {
    Now {
        time: Time::from_millis(at_ms),
        unix_us: UNIX_BEGIN * 1_000_000 + at_ms * 1000,
    }
}

fn world(log: Log) -> World {
    let spec = SocketSpec {
        name: Some("bench".into()),
        ..SocketSpec::udp(([10, 0, 0, 1], 5060).into())
    };
    let resolver = Resolver::new(
        Box::new(TableLookup::new().address("named.test", [10, 0, 0, 5].into())),
        ResolveSettings::default(),
        Hosts::parse("10.0.0.7 pair.test\n10.0.0.6 pair.test\n"),
        Box::new(|_| 0),
        Arc::default(),
    );
    World {
        resolver: Arc::new(resolver),
        ..World::offline(spec, log, moment(0))
    }
}
