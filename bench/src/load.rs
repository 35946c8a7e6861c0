//! The load: many calls at once through a proxy, caller and callee in one thread, at a steady rate that does not wait for
//! answers. No memory is allocated for a message; every call and every message is accounted for.

pub mod answer;
pub mod callee;
mod caller;
pub mod calls;
pub mod net;
mod register;
mod shared;
pub mod tally;
mod tcp;
pub mod text;
mod udp;
pub mod wire;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

pub use shared::{Hold, Live, Plan, Shared, Target, Transport};

use calls::Task;
use net::{Arrived, Net, Outbox};
use tally::Tally;
use text::{Common, Texts};

use crate::accounting::{Cpu, cpu_of_this_thread};

/// Calls begun in one round at most, so that a pause is not made up for by one burst.
const BURST_MAX: u64 = 16;
/// With nothing coming for so long, what has not come is lost.
const QUIET: Duration = Duration::from_secs(3);
/// The same when lost messages are sent again: the longest wait between two of these, twice.
const QUIET_WITH_RETRANSMITS: Duration = Duration::from_secs(9);
/// The longest sleep.
const NAP: Duration = Duration::from_millis(50);
/// How late the whole run may be before it is given up.
const GRACE: Duration = Duration::from_secs(60);

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The counts and latencies.
    pub tally: Tally,
    /// Whether calls were to be ended.
    pub ends: bool,
    /// To how many branches each call was to be forked.
    pub branches: u64,
    /// What making the load took.
    pub cpu: Cpu,
    /// How long it took, from the first INVITE to the last message.
    pub took: Duration,
    /// By how much the beginning of a call was late at worst: the load itself had no time.
    pub late_by: Duration,
    /// Datagrams that the kernel dropped before the load read them: its own fault.
    pub own_drops: u64,
}

/// Makes the load.
///
/// # Errors
/// A socket fails, or the registrar of a plan that needs one.
pub fn run(plan: Plan) -> io::Result<Report> {
    if let Some(cpu) = plan.cpu {
        pin(cpu)?;
    }
    // Sleeps are to end when they should, not 50 us later. Without the right to ask for it, they end a little late.
    let _ = nix::sys::prctl::set_timerslack(1);
    let run = number_of_run();
    if plan.target == Target::Registered && plan.registers {
        register::register(&plan, run)?;
    }
    let (net, out) = Net::open(&plan)?;
    let hosts: Vec<String> = match plan.target {
        Target::Direct => net::callee_hosts(&plan)
            .map(|host| host.to_string())
            .collect(),
        Target::Registered => vec![plan.proxy.to_string()],
    };
    let common = Common {
        transport: match plan.transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        },
        run,
        hosts: &hosts,
    };
    let callers = net.callers()?.into_iter();
    let texts = callers.map(|own| Texts::new(own, &common)).collect();
    let before = cpu_of_this_thread();
    let mut maker = Maker {
        net,
        out,
        texts,
        shared: Shared::new(plan, run),
        first: 0,
        last_message: 0,
        late_by: 0,
    };
    maker.make()?;
    Ok(maker.report(before))
}

/// A different one for each run, so that no server takes a call for one of an earlier run.
fn number_of_run() -> u32 {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (since.as_millis() as u32).wrapping_add(RUNS.fetch_add(1, Ordering::Relaxed))
}

fn pin(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// A run.
struct Maker {
    net: Net,
    out: Outbox,
    texts: Vec<Texts>,
    shared: Shared,
    /// When the first call began; times are nanoseconds since the start.
    first: u64,
    last_message: u64,
    late_by: u64,
}

impl Maker {
    fn now(&self) -> u64 {
        self.shared.plan.live.started.elapsed().as_nanos() as u64
    }

    fn make(&mut self) -> io::Result<()> {
        let limit = (self.shared.plan.duration() + GRACE).as_nanos() as u64;
        self.first = self.now();
        self.last_message = self.first;
        let mut shown = 0;
        loop {
            let now = self.now();
            let begins_at = self.begin_due(now);
            self.do_due(now);
            let sent = self.now();
            self.shared.note_sent(sent);
            self.net.flush(&mut self.out)?;
            if self.is_over(now, begins_at) || now - self.first > limit {
                break;
            }
            if now - shown > 20 * caller::MS {
                self.shared.show();
                shown = now;
            }
            let next = begins_at
                .into_iter()
                .chain(self.shared.calls.next_due())
                .min();
            let sleep = next.map_or(NAP, |next| Duration::from_nanos(next.saturating_sub(now)));
            self.net.wait(sleep.min(NAP))?;
            let (shared, texts) = (&mut self.shared, &self.texts);
            let count = self
                .net
                .receive(&mut self.out, |arrived, out| match arrived {
                    Arrived::AtCaller { came, now, bytes } => {
                        caller::take(shared, texts, bytes, (came, now), out);
                    }
                    Arrived::AtCallee(came) => callee::take(shared, came, out),
                })?;
            if count > 0 {
                self.last_message = self.now();
            }
        }
        self.shared.show();
        Ok(())
    }

    /// Begins the calls that are due; when the next one is.
    fn begin_due(&mut self, now: u64) -> Option<u64> {
        let plan = &self.shared.plan;
        let (rate, calls) = (plan.rate, plan.calls);
        if plan.live.stop.load(Ordering::Relaxed) {
            return None;
        }
        for _ in 0..BURST_MAX {
            let begun = self.shared.tally.counts.begun;
            if begun == calls {
                return None;
            }
            let due = self.first + (u128::from(begun) * 1_000_000_000 / u128::from(rate)) as u64;
            if due > now {
                return Some(due);
            }
            self.late_by = self.late_by.max(now - due);
            caller::begin(&mut self.shared, &self.texts, now, &mut self.out);
        }
        Some(now)
    }

    fn do_due(&mut self, now: u64) {
        while let Some((task, id)) = self.shared.calls.due(now) {
            match task {
                Task::AnswerAgain(waited) => {
                    callee::due(&mut self.shared, waited, id, now, &mut self.out);
                }
                _ => caller::due(&mut self.shared, &self.texts, task, id, now, &mut self.out),
            }
        }
    }

    fn is_over(&self, now: u64, begins_at: Option<u64>) -> bool {
        if begins_at.is_some() {
            return false;
        }
        let quiet = if self.shared.plan.retransmits {
            QUIET_WITH_RETRANSMITS
        } else {
            QUIET
        };
        let is_quiet = now.saturating_sub(self.last_message) > quiet.as_nanos() as u64;
        self.shared.is_done() || is_quiet && self.shared.calls.next_due().is_none()
    }

    fn report(mut self, before: Cpu) -> Report {
        self.shared.count_lost();
        Report {
            ends: self.shared.plan.hold != Hold::Forever,
            branches: self.shared.plan.branches as u64,
            cpu: cpu_of_this_thread().since(before),
            took: Duration::from_nanos(self.last_message - self.first),
            late_by: Duration::from_nanos(self.late_by),
            own_drops: self.net.drops(),
            tally: self.shared.tally,
        }
    }
}

impl Report {
    /// Calls that the server took, or should have taken, and that did not go as they should.
    pub fn failed(&self) -> u64 {
        let counts = &self.tally.counts;
        let whole = if self.ends {
            counts.ended.saturating_sub(counts.lost_acks)
        } else {
            counts.answered.min(counts.acks)
        };
        counts.begun.saturating_sub(whole + counts.refused)
    }

    /// Calls that were carried.
    pub fn carried(&self) -> u64 {
        let counts = &self.tally.counts;
        counts.begun - counts.refused - self.failed()
    }

    /// Whether every call went as it should, with every message, and nothing else came.
    pub fn is_clean(&self) -> bool {
        let counts = &self.tally.counts;
        self.failed() == 0
            && counts.refused + counts.missing_100 + counts.missing_180 == 0
            && counts.unexpected == 0
            && counts.invites == self.branches * counts.begun
            && counts.cancels == (self.branches - 1) * counts.begun
            && counts.negative_acks == counts.cancels
    }

    /// What the load took for one call.
    pub fn cpu_each(&self) -> Cpu {
        self.cpu.micros_each(self.tally.counts.begun)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tally)?;
        if self.own_drops > 0 {
            writeln!(
                f,
                "{} datagrams dropped at the load's own sockets",
                self.own_drops
            )?;
        }
        let cpu = self.cpu_each();
        writeln!(
            f,
            "the load itself: {:.1} us of CPU a call ({:.1} user, {:.1} kernel), a call late by {:.1} ms at worst",
            cpu.total(),
            cpu.user,
            cpu.system,
            self.late_by.as_secs_f64() * 1e3
        )
    }
}
