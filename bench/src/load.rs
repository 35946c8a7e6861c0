//! A run of the load: one caller and one callee in this process, with exact counts of what went wrong.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::accounting::{Cpu, cpu_of_process};
use crate::callee::{self, Seen};
use crate::caller::{self, Outcome, Plan};
use crate::histogram::Histogram;

/// What load to make.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Where the caller sends everything.
    pub proxy: SocketAddr,
    /// Where the callee listens.
    pub callee: SocketAddr,
    /// Where the caller listens.
    pub caller: SocketAddr,
    /// Calls begun a second.
    pub rate: u64,
    /// Calls in all.
    pub calls: u64,
    /// From the 200 to the BYE; `None` never ends a call.
    pub hold: Option<Duration>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The caller's side.
    pub caller: Outcome,
    /// The callee's side.
    pub callee: Seen,
    /// Whether calls were to be ended.
    pub ends: bool,
    /// What making the load took.
    pub cpu: Cpu,
}

/// How long the callee goes on after the caller is done, for the last ACKs.
const AFTERWARDS: Duration = Duration::from_millis(100);

/// Makes the load.
///
/// # Errors
/// A socket fails.
pub fn run(load: &Load) -> io::Result<Report> {
    let before = cpu_of_process(std::process::id());
    let start = Instant::now();
    let callee_socket = UdpSocket::bind(load.callee)?;
    let caller_socket = UdpSocket::bind(load.caller)?;
    let stop = AtomicBool::new(false);
    let plan = Plan {
        proxy: load.proxy,
        rate: load.rate.max(1),
        calls: load.calls,
        hold: load.hold,
        run: number_of_run(),
    };
    let (caller, callee, cpu) = std::thread::scope(|scope| {
        let answering = scope.spawn(|| callee::run(&callee_socket, plan.run, start, &stop));
        let caller = caller::run(&caller_socket, plan, start);
        std::thread::sleep(AFTERWARDS);
        // Threads that have ended are no longer counted.
        let cpu = cpu_of_process(std::process::id()).since(before);
        stop.store(true, Ordering::Relaxed);
        (caller, answering.join(), cpu)
    });
    Ok(Report {
        caller: caller?,
        callee: callee.map_err(|_| io::Error::other("the callee panicked"))??,
        ends: load.hold.is_some(),
        cpu,
    })
}

/// Different for each run, so that no server takes a call for one of an earlier run.
fn number_of_run() -> u64 {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    seconds * 1_000 + RUNS.fetch_add(1, Ordering::Relaxed)
}

impl Report {
    /// One way through the proxy, INVITE and 200 together.
    pub fn latency(&self) -> Histogram {
        let mut both = self.callee.forth.clone();
        both.merge(&self.caller.back);
        both
    }

    /// Whether every call went as it should.
    pub fn is_clean(&self) -> bool {
        let (caller, callee) = (&self.caller, &self.callee);
        let calls = caller.begun;
        let ended = !self.ends || (caller.ended == calls && callee.byes == calls);
        caller.answered == calls
            && callee.invites == calls
            && callee.acks == calls
            && ended
            && caller.refused + caller.unexpected + callee.unexpected == 0
    }

    /// Calls of which some message never came, or that were refused.
    pub fn failed(&self) -> u64 {
        let (caller, callee) = (&self.caller, &self.callee);
        let mut whole = caller.answered.min(callee.acks);
        if self.ends {
            whole = whole.min(caller.ended);
        }
        caller.begun - whole
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (caller, callee) = (&self.caller, &self.callee);
        writeln!(
            f,
            "caller: {} begun, {} answered, {} ended, {} refused, {} repeated, {} unexpected",
            caller.begun,
            caller.answered,
            caller.ended,
            caller.refused,
            caller.repeated,
            caller.unexpected
        )?;
        writeln!(
            f,
            "callee: {} INVITE, {} ACK, {} BYE, {} repeated, {} unexpected",
            callee.invites, callee.acks, callee.byes, callee.repeated, callee.unexpected
        )?;
        for line in [&caller.first_refusal, &callee.first_unexpected]
            .into_iter()
            .flatten()
        {
            writeln!(f, "first of them: {line}")?;
        }
        for (way, latency) in [("INVITE", &callee.forth), ("200", &caller.back)] {
            let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| latency.quantile(share));
            writeln!(f, "{way}: p50 {p50} us, p99 {p99} us, p99.9 {p999} us")?;
        }
        Ok(())
    }
}
