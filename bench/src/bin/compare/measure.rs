//! The runs against one contender.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tandem_bench::accounting::Cpu;
use tandem_bench::load::{self, Load, Report};
use tandem_bench::server::Server;

use crate::build::{Contender, Kind};
use crate::options::Options;

/// All that was measured of one contender.
#[derive(Debug)]
pub struct Measured {
    /// As the table calls it.
    pub name: String,
    /// Which it is.
    pub kind: Kind,
    /// One for each rate.
    pub runs: Vec<Run>,
    /// What held calls take.
    pub held: Option<Held>,
}

/// One run at one rate.
#[derive(Debug)]
pub struct Run {
    /// Calls begun a second.
    pub rate: u64,
    /// Of the server, for one call, in microseconds.
    pub cpu: Cpu,
    /// What came of the calls.
    pub report: Report,
}

/// What held calls take.
#[derive(Debug)]
pub struct Held {
    /// How many there are, beside as many others.
    pub calls: u64,
    /// How many of them the server counts in the profile `calls`.
    pub counted: Option<u64>,
    /// Transactions that the server still has.
    pub transactions: Option<u64>,
    /// Resident bytes more than before, for one call.
    pub resident: f64,
    /// Bytes more than before that the server's own allocator gave out, for one call: Kamailio's shared memory.
    pub allocated: Option<f64>,
    /// What came of the calls.
    pub report: Report,
}

/// How long a transaction may outlive its call: bench.cfg asks for a second, RFC 6026 for 32.
const TRANSACTIONS: Duration = Duration::from_secs(40);

/// Before the first run: tables are grown, memory is touched, routes are resolved.
const WARM_UP_SECONDS: u64 = 2;

/// Starts it, makes the calls, reads the accounts, stops it.
///
/// # Errors
/// It cannot be started, or the load cannot be made.
pub fn measure(contender: &Contender, options: &Options) -> io::Result<Measured> {
    let server = Server::start(&contender.program, contender.kind.name())?;
    let highest = options.rates.iter().copied().max().unwrap_or(1);
    load::run(&load(
        &server,
        highest,
        highest * WARM_UP_SECONDS,
        Some(options.hold),
    ))?;
    let mut runs = Vec::new();
    for rate in options.rates.iter().copied() {
        let load = load(&server, rate, rate * options.seconds, Some(options.hold));
        let before = server.cpu();
        let report = load::run(&load)?;
        let cpu = server.cpu().since(before).micros_each(load.calls);
        eprintln!("  {rate} calls/s: {:.0} us a call", cpu.total());
        if !report.is_clean() {
            eprint!("{report}");
        }
        runs.push(Run { rate, cpu, report });
    }
    let held = if contender.kind == Kind::Forwarder || options.keep == 0 {
        None
    } else {
        Some(hold(&server, contender.kind, options)?)
    };
    Ok(Measured {
        name: contender.name.clone(),
        kind: contender.kind,
        runs,
        held,
    })
}

/// The memory of calls. Whatever a server has once taken for transactions it may use for calls later, so the first
/// calls cost it nothing, or seem to cost far too much. What counts is what twice as many take more than half of them.
fn hold(server: &Server, kind: Kind, options: &Options) -> io::Result<Held> {
    let calls = options.keep;
    let load = load(server, options.keep_rate, calls, None);
    let first = load::run(&load)?;
    let before = Reading::take(server, kind);
    let report = load::run(&load)?;
    let after = Reading::take(server, kind);
    let each = |more: u64, before: u64| (more as f64 - before as f64) / calls.max(1) as f64;
    let held = Held {
        calls,
        counted: after
            .counted
            .zip(before.counted)
            .map(|(after, before)| after.saturating_sub(before)),
        transactions: after.transactions,
        resident: each(after.resident, before.resident),
        allocated: after
            .allocated
            .zip(before.allocated)
            .map(|(after, before)| each(after, before)),
        report,
    };
    eprintln!("  {calls} more calls held: {:.0} bytes each", held.resident);
    for report in [&first, &held.report] {
        if !report.is_clean() {
            eprint!("{report}");
        }
    }
    Ok(held)
}

/// What a server has once its transactions are gone.
struct Reading {
    transactions: Option<u64>,
    resident: u64,
    allocated: Option<u64>,
    counted: Option<u64>,
}

impl Reading {
    fn take(server: &Server, kind: Kind) -> Self {
        Self {
            transactions: server.wait_for_transactions(TRANSACTIONS),
            resident: server.memory(),
            allocated: allocated(server, kind),
            counted: server.ask_number(&["dlg.profile_get_size", "calls"], ""),
        }
    }
}

/// Kamailio keeps calls in a memory of its own, and tells what it gave out. Ours has nothing but resident bytes.
fn allocated(server: &Server, kind: Kind) -> Option<u64> {
    match kind {
        Kind::Kamailio => server.ask_number(&["core.shmmem"], "used"),
        Kind::Forwarder | Kind::Tandem => None,
    }
}

fn load(server: &Server, rate: u64, calls: u64, hold: Option<Duration>) -> Load {
    Load {
        proxy: server.address,
        callee: server.callee,
        caller: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        rate,
        calls,
        hold,
    }
}

impl Measured {
    /// Whether every call went as it should, and was counted.
    pub fn is_clean(&self) -> bool {
        self.runs.iter().all(|run| run.report.is_clean())
            && self.held.as_ref().is_none_or(|held| {
                held.report.is_clean()
                    && held.counted == Some(held.calls)
                    && held.transactions == Some(0)
            })
    }
}
