//! For tests: a configuration with a script, run by an engine in memory, with one worker, one UDP socket,
//! 10.0.0.1:5060, and a clock that the test moves.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use engine::{Built, Engine, Extra, Log, Module, Now, Operation, Worker, World, build, load};
use parking_lot::Mutex;
use rpc::{Fault, Registry, Value};
use script::{Completion, MemoryLoader, Options, SourceMap};
use sip::{Hop, SocketId, Transport};
use timer::Time;
use transaction::Output;
use transport::listen::SocketSpec;

/// Modules that the tests' scripts use.
pub(crate) const MODULES: &[&str] = &[
    "kex",
    "corex",
    "tm",
    "tmx",
    "sl",
    "rr",
    "pv",
    "maxfwd",
    "usrloc",
    "registrar",
    "textops",
    "textopsx",
    "siputils",
    "xlog",
    "sanity",
    "counters",
    "statistics",
    "cfgutils",
    "jsonrpcs",
    "acc",
    "dialog",
    "uac",
    "sqlops",
    "test",
    "kemix",
    "app_lua",
];

/// An engine that runs a script.
pub(crate) struct Bench {
    pub(crate) engine: Arc<Engine>,
    registry: Registry,
    worker: Worker,
    log: Arc<Mutex<Vec<String>>>,
    file: PathBuf,
}

/// A directory entry of its own for each script.
static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// What the clock that watches over scripts shows next, µs, and how far it goes at each look.
    pub(crate) static STOPWATCH: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

fn stopwatch() -> u64 {
    let (now, step) = STOPWATCH.get();
    STOPWATCH.set((now + step, step));
    now
}

fn available() -> &'static [&'static Module] {
    static AVAILABLE: LazyLock<Vec<&'static Module>> = LazyLock::new(|| {
        let own = [&crate::MODULE, &crate::KEMIX, &TEST];
        modules::ALL.iter().copied().chain(own).collect()
    });
    &AVAILABLE
}

/// A module for what no real one does.
static TEST: Module = Module {
    name: "test",
    requires: &[],
    functions: &[engine::FunctionRow {
        signature: script::Signature {
            name: "panics",
            parameters: &[],
            required: 0,
            routes: script::Routes::ANY,
            core: false,
            doc: "Panics.",
        },
        handler: |_, _| panic!("on purpose"),
    }],
    variables: &[],
    parameters: &[],
    statistics: &[],
    init: None,
    doc: "For tests.",
};

impl Bench {
    /// Runs a script as the whole configuration.
    pub(crate) fn new(script: &str) -> Self {
        Self::load("cfgengine \"lua\"\n", script).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Loads all modules, then this text, and a script; or says what is wrong.
    pub(crate) fn load(config: &str, script: &str) -> Result<Self, String> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tandem-lua-test-{}-{number}.lua", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, script).map_err(|error| error.to_string())?;
        let bench = Self::load_file(config, &file);
        if bench.is_err() {
            let _ = std::fs::remove_file(&file);
        }
        bench
    }

    fn load_file(config: &str, file: &Path) -> Result<Self, String> {
        let modules: String = MODULES
            .iter()
            .map(|name| format!("loadmodule \"{name}.so\"\n"))
            .collect();
        let file_name = file.display();
        let text = format!(
            "{modules}modparam(\"app_lua\", \"load\", \"{file_name}\")\n\
             modparam(\"app_lua\", \"reload\", 1)\n{config}"
        );
        let mut map = SourceMap::new();
        let loader = MemoryLoader::one("test.cfg", &text);
        let (path, extra) = (Path::new("test.cfg"), Extra::default());
        let options = Options::default();
        let (loaded, found) = load(&mut map, &loader, path, &options, &extra, available());
        let loaded = loaded.ok_or_else(|| found.render(&map, false))?;
        let (log, lines) = Log::memory(engine::level::INFO);
        let Built {
            engine, commands, ..
        } = build(loaded, world(log))?;
        let mut registry = Registry::new();
        for command in commands {
            registry.add(command).map_err(|error| error.to_string())?;
        }
        lines.lock().clear();
        let worker = Worker::new(&engine, 0, 1);
        Ok(Self {
            engine,
            registry,
            worker,
            log: lines,
            file: file.to_owned(),
        })
    }

    /// Puts another script in the file.
    pub(crate) fn rewrite(&self, script: &str) {
        std::fs::write(&self.file, script).expect("the temporary directory can be written");
    }

    /// A request of this method to this user arrives. Returns the first lines of what is sent.
    pub(crate) fn request(&mut self, method: &str, user: &str) -> Vec<String> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.receive(&format!(
            "{method} sip:{user}@10.0.0.9:5070 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK{number}\r\n\
             From: <sip:alice@a.test>;tag=1\r\nTo: <sip:{user}@b.test>\r\nCall-ID: {number}@test\r\n\
             CSeq: 1 {method}\r\nContact: <sip:alice@10.0.0.2:5060>\r\nMax-Forwards: 70\r\n\
             X-A: one\r\nX-A: two\r\nContent-Length: 0\r\n\r\n"
        ))
    }

    /// A message arrives from 10.0.0.2. Returns the first lines of what is sent.
    pub(crate) fn receive(&mut self, text: &str) -> Vec<String> {
        first_lines(&self.receive_whole(text))
    }

    /// The same, whole.
    pub(crate) fn receive_whole(&mut self, text: &str) -> Vec<String> {
        let hop = Hop {
            transport: Transport::Udp,
            socket: SocketId(0),
            remote: SocketAddr::from(([10, 0, 0, 2], 5060)),
            connection: None,
            stream: sip::StreamUse::default(),
        };
        let now = self.now();
        self.worker.receive(&self.engine, text.as_bytes(), hop, now);
        self.settle()
    }

    /// Goes on with all runs that sleep. Returns the first lines of what is sent.
    pub(crate) fn wake(&mut self) -> Vec<String> {
        let now = self.now();
        for (task, operation) in std::mem::take(self.worker.operations()) {
            assert!(matches!(operation, Operation::Sleep(_)), "{operation:?}");
            let completion = Completion::Value(script::Value::Null);
            self.worker.complete(&self.engine, task, completion, now);
        }
        first_lines(&self.settle())
    }

    /// How many runs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.worker.waiting()
    }

    /// Runs a management command.
    pub(crate) fn command(&self, name: &str, parameters: &[&str]) -> Result<Vec<Value>, Fault> {
        let parameters = parameters.iter().map(|text| Value::from(*text)).collect();
        Ok(self.registry.call(name, parameters)?.into_values())
    }

    fn now(&self) -> Now {
        moment(0)
    }

    fn settle(&mut self) -> Vec<String> {
        let now = self.now();
        while let Some((key, input)) = self.engine.next_posted() {
            self.worker.submit(&self.engine, key, input, now);
        }
        let mut outputs = Vec::new();
        while !self.worker.is_idle() {
            outputs.append(self.worker.outputs());
            self.worker.sent(&self.engine, now);
        }
        let sent = outputs.into_iter();
        sent.map(|Output::Send { bytes, .. }| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }

    /// Takes the lines logged since the last call.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock())
    }

    /// Whether a line was logged that contains this; all lines are taken.
    pub(crate) fn logged(&self, text: &str) -> bool {
        let lines = self.log();
        let found = lines.iter().any(|line| line.contains(text));
        if !found {
            eprintln!("{lines:#?}");
        }
        found
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

fn first_lines(sent: &[String]) -> Vec<String> {
    let lines = sent.iter().filter_map(|text| text.lines().next());
    lines.map(str::to_owned).collect()
}

fn moment(at_ms: u64) -> Now {
    Now {
        time: Time::from_millis(at_ms),
        unix_us: 1_800_000_000_000_000 + at_ms * 1000,
    }
}

fn world(log: Log) -> World {
    World {
        stopwatch,
        ..World::offline(
            SocketSpec::udp(([10, 0, 0, 1], 5060).into()),
            log,
            moment(0),
        )
    }
}
