//! One run of the load against a server, with the kernel's accounts of the server before and after.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use store::Driver;

use super::contender::Contender;
use super::fill;
use super::options::Options;
use super::place::Place;
use crate::accounting::Cpu;
use crate::database::Database;
use crate::load::{self, Hold, Live, Plan, Report, Target, Transport};
use crate::server::{Kind, Server, Setup};

/// A configuration, and the calls that go with it.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// As `--profile` names it.
    pub name: &'static str,
    /// As a table shows it.
    pub title: &'static str,
    config: &'static str,
    transport: Transport,
    target: Target,
    branches: usize,
    /// Whether calls are kept in a database.
    is_stored: bool,
}

/// All of them.
pub static PROFILES: [Profile; 6] = [
    Profile {
        name: "base",
        title: "dialog tracked, two profiles, Record-Route",
        config: "bench.cfg",
        transport: Transport::Udp,
        target: Target::Direct,
        branches: 1,
        is_stored: false,
    },
    Profile {
        name: "edits",
        title: "also ten script variables and five header edits",
        config: "edits.cfg",
        transport: Transport::Udp,
        target: Target::Direct,
        branches: 1,
        is_stored: false,
    },
    Profile {
        name: "registrar",
        title: "also a registrar lookup",
        config: "registrar.cfg",
        transport: Transport::Udp,
        target: Target::Registered,
        branches: 1,
        is_stored: false,
    },
    Profile {
        name: "tcp",
        title: "over TCP",
        config: "tcp.cfg",
        transport: Transport::Tcp,
        target: Target::Direct,
        branches: 1,
        is_stored: false,
    },
    Profile {
        name: "fork",
        title: "with four parallel branches",
        config: "fork.cfg",
        transport: Transport::Udp,
        target: Target::Direct,
        branches: 4,
        is_stored: false,
    },
    Profile {
        name: "database",
        title: "saved in a database before it is told",
        config: "database.cfg",
        transport: Transport::Udp,
        target: Target::Direct,
        branches: 1,
        is_stored: true,
    },
];

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Calls begun a second.
    pub rate: u64,
    /// Of the server, for one call, in microseconds.
    pub cpu: Cpu,
    /// How many CPUs the server kept busy.
    pub busy: f64,
    /// What came of the calls.
    pub report: Report,
}

/// Kamailio's shared memory: room for a million calls.
pub(super) const SHARED_MB: u64 = 8_192;
/// Before the first run: tables are grown, memory is touched, routes are resolved.
const WARM_UP: Duration = Duration::from_secs(2);
const WARM_UP_RATE: u64 = 500;

/// A server that runs, with what to send to it.
#[derive(Debug)]
pub struct Bench {
    /// The server.
    pub server: Server,
    profile: Profile,
    kind: Kind,
    place: Place,
    hold: Duration,
    is_registered: bool,
    /// Ended after the server.
    _database: Option<Database>,
}

impl Bench {
    /// Starts the server and warms it up.
    ///
    /// # Errors
    /// It cannot be started, or the load cannot be made.
    pub fn start(
        contender: &Contender,
        profile: Profile,
        place: Place,
        options: &Options,
    ) -> io::Result<Self> {
        let (database, url) = match profile.is_stored {
            true => database(options)?,
            false => (None, None),
        };
        let setup = Setup {
            config: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(profile.config),
            cpus: place.server_cpus(),
            workers: place.workers(),
            children: options.children,
            shared_mb: SHARED_MB,
            database: url,
            ports: None,
        };
        let mut bench = Self {
            server: Server::start(contender.kind, &contender.binary, &setup)?,
            profile,
            kind: contender.kind,
            place,
            hold: options.hold,
            is_registered: false,
            _database: database,
        };
        let warm_up = bench.run(WARM_UP_RATE, WARM_UP)?.report;
        if !warm_up.is_clean() {
            eprint!("  warming up: {warm_up}");
        }
        Ok(bench)
    }

    /// The plan of calls at a rate; more may be changed in it.
    pub fn plan(&self, rate: u64, calls: u64) -> Plan {
        let mut plan = Plan::new(self.server.address, self.server.callee_port, rate, calls);
        plan.sockets = self.place.sockets(self.kind);
        plan.transport = self.profile.transport;
        plan.target = self.profile.target;
        plan.branches = self.profile.branches;
        plan.hold = Hold::For(self.hold);
        plan.cpu = self.place.load_cpu();
        plan
    }

    /// Calls at a rate for a time.
    ///
    /// # Errors
    /// The load cannot be made.
    pub fn run(&mut self, rate: u64, time: Duration) -> io::Result<Run> {
        let calls = (rate as f64 * time.as_secs_f64()).round() as u64;
        self.run_plan(self.plan(rate, calls))
    }

    /// Any calls.
    ///
    /// # Errors
    /// The load cannot be made.
    pub fn run_plan(&mut self, mut plan: Plan) -> io::Result<Run> {
        plan.live = Arc::new(Live::default());
        let rate = plan.rate;
        let registers = plan.target == Target::Registered && !self.is_registered;
        plan.registers = registers;
        let before = self.server.cpu();
        let start = Instant::now();
        // In a thread of its own, so that its CPU and its place are its own.
        let made = std::thread::scope(|scope| scope.spawn(|| load::run(plan)).join());
        let report = made.map_err(|_| io::Error::other("the load panicked"))??;
        self.is_registered |= registers;
        let used = self.server.cpu().since(before);
        Ok(Run {
            rate,
            cpu: used.micros_each(report.tally.counts.begun),
            busy: used.total() / start.elapsed().as_secs_f64(),
            report,
        })
    }
}

/// The database of a run, with empty tables: our own of the first kind that was asked for, or the one that
/// `TANDEM_BENCH_DATABASE` names.
fn database(options: &Options) -> io::Result<(Option<Database>, Option<String>)> {
    if let Ok(url) = std::env::var(ELSEWHERE) {
        fill::make_tables(&url)?;
        return Ok((None, Some(url)));
    }
    let driver = options.databases.first().copied();
    let database = Database::start(driver.unwrap_or(Driver::Sqlite))?;
    let url = database.url();
    fill::make_tables(&url)?;
    Ok((Some(database), Some(url)))
}

/// The URL of a database that is not ours to start.
const ELSEWHERE: &str = "TANDEM_BENCH_DATABASE";

impl Run {
    /// One way through the server: p50, p99, p99.9 in microseconds.
    pub fn one_way(&self) -> [u64; 3] {
        self.report.tally.all_latencies().one_way().usual()
    }
}
