//! What is to be done, and what both ends of the calls share while it is done.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::callee::Branches;
use super::calls::{Calls, State, seen};
use super::tally::{PHASES, Tally};
use super::text::Id;

/// How long calls last, from the 200 to the BYE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// All as long.
    For(Duration),
    /// Between these: as many in each doubling of the time.
    Mixed(Duration, Duration),
    /// Nobody ends them.
    Forever,
}

impl Hold {
    /// For one call, in nanoseconds.
    pub(super) fn draw(self, random: &mut fastrand::Rng) -> Option<u64> {
        match self {
            Self::For(time) => Some(time.as_nanos() as u64),
            Self::Mixed(least, most) => {
                let (least, most) = (
                    least.as_secs_f64().max(0.001),
                    most.as_secs_f64().max(0.001),
                );
                let seconds = least * (most / least).powf(random.f64());
                Some((seconds * 1e9) as u64)
            }
            Self::Forever => None,
        }
    }

    /// The longest.
    pub fn longest(self) -> Duration {
        match self {
            Self::For(time) | Self::Mixed(_, time) => time,
            Self::Forever => Duration::ZERO,
        }
    }
}

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Connections: of each caller to the proxy, and of the proxy to the callee.
    Tcp,
}

/// Whom the calls are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The Request-URI has the callee's address, `127.0.0.1` and up.
    Direct,
    /// The callee registers its users, and the Request-URI has the proxy's address.
    Registered,
}

/// What load to make.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the caller sends everything.
    pub proxy: SocketAddrV4,
    /// Where the callee listens: on this port of 127.0.0.1, 127.0.0.2 and so on, one for each socket.
    pub callee_port: u16,
    /// How many sockets (connections) each side has. A proxy whose workers share the load by sender needs several.
    pub sockets: usize,
    /// How messages travel.
    pub transport: Transport,
    /// Whom the calls are for.
    pub target: Target,
    /// Whether it registers them before the calls; else they are registered already.
    pub registers: bool,
    /// To how many branches the proxy forks each call.
    pub branches: usize,
    /// Calls begun a second.
    pub rate: u64,
    /// Calls in all.
    pub calls: u64,
    /// How long they last.
    pub hold: Hold,
    /// Whether what is not answered is sent again.
    pub retransmits: bool,
    /// The CPU that makes the load, if it is to be one.
    pub cpu: Option<usize>,
    /// What others see of the run, and tell it.
    pub live: Arc<Live>,
}

impl Plan {
    /// Calls of half a second over UDP, one socket a side.
    pub fn new(proxy: SocketAddrV4, callee_port: u16, rate: u64, calls: u64) -> Self {
        Self {
            proxy,
            callee_port,
            sockets: 1,
            transport: Transport::Udp,
            target: Target::Direct,
            registers: true,
            branches: 1,
            rate: rate.max(1),
            calls,
            hold: Hold::For(Duration::from_millis(500)),
            retransmits: false,
            cpu: None,
            live: Arc::default(),
        }
    }

    /// How long it should take at most.
    pub fn duration(&self) -> Duration {
        let begin = Duration::from_secs_f64(self.calls as f64 / self.rate.max(1) as f64);
        begin + self.hold.longest()
    }
}

/// What others see of a run while it goes on, and tell it.
#[derive(Debug)]
pub struct Live {
    /// From when times are counted.
    pub started: Instant,
    /// Which part of the run this is, from 0: latencies are counted apart.
    pub phase: AtomicUsize,
    /// No more calls are to be begun.
    pub stop: AtomicBool,
    /// Calls begun so far.
    pub begun: AtomicU64,
    /// Calls that ended as they should.
    pub ended: AtomicU64,
    /// Calls between their INVITE and their end.
    pub up: AtomicU64,
    /// Calls refused, rejected, or with something unexpected.
    pub failed: AtomicU64,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            phase: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            up: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }
}

/// The state of a run.
#[derive(Debug)]
pub struct Shared {
    /// What is to be done.
    pub plan: Plan,
    /// The number of the run, which all its messages carry.
    pub run: u32,
    /// The calls.
    pub calls: Calls,
    /// By the place of the call: what the callee has to keep for several branches, or to send again.
    pub branches: Vec<Branches>,
    /// What came of it.
    pub tally: Tally,
    /// For hold times.
    pub random: fastrand::Rng,
    /// Of which calls messages are about to be sent whose way is timed.
    pub sending: Vec<(Id, Sending)>,
}

/// A message whose way through the server is timed from its sending on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// The caller's INVITE.
    Invite,
    /// The callee's 200.
    Answer,
    /// The caller's BYE.
    Bye,
}

impl Shared {
    /// Nothing done yet.
    pub fn new(plan: Plan, run: u32) -> Self {
        Self {
            plan,
            run,
            calls: Calls::default(),
            branches: Vec::new(),
            tally: Tally::default(),
            random: fastrand::Rng::with_seed(7),
            sending: Vec::new(),
        }
    }

    /// Notes that what is to be sent is sent now, in nanoseconds since the start of the run.
    pub fn note_sent(&mut self, now: u64) {
        for (id, message) in self.sending.drain(..) {
            let Ok(call) = self.calls.find(id) else {
                continue;
            };
            match message {
                Sending::Invite => call.invited_at = now,
                Sending::Answer => call.answered_at = now,
                Sending::Bye => call.bye_at = now,
            }
        }
    }

    /// The part of the run.
    pub fn phase(&self) -> usize {
        self.plan.live.phase.load(Ordering::Relaxed).min(PHASES - 1)
    }

    /// Whether the callee keeps more of a call than bits.
    pub const fn keeps_branches(&self) -> bool {
        self.plan.branches > 1 || self.plan.retransmits
    }

    /// Lets others see how it goes.
    pub fn show(&self) {
        let (live, counts) = (&self.plan.live, &self.tally.counts);
        live.begun.store(counts.begun, Ordering::Relaxed);
        live.ended.store(counts.ended, Ordering::Relaxed);
        live.up.store(self.calls.count(), Ordering::Relaxed);
        let failed = counts.refused + counts.rejected + counts.byes_rejected + counts.unexpected;
        live.failed.store(failed, Ordering::Relaxed);
    }

    /// Whether all that was to come has come.
    pub fn is_done(&self) -> bool {
        let counts = &self.tally.counts;
        match self.plan.hold {
            Hold::Forever => {
                counts.answered + counts.refused + counts.rejected == counts.begun
                    && counts.acks == counts.answered
            }
            _ => self.calls.count() == 0,
        }
    }

    /// Says of each call that did not come to its end which message never came.
    pub fn count_lost(&mut self) {
        let counts = &mut self.tally.counts;
        for call in self.calls.iter() {
            let lost = match call.state {
                State::Free => continue,
                State::Invited if !call.has(seen::INVITE) => &mut counts.lost_invites,
                State::Invited => &mut counts.lost_answers,
                State::Up | State::Ending if !call.has(seen::ACK) => &mut counts.lost_acks,
                State::Up => continue,
                State::Ending if !call.has(seen::BYE) => &mut counts.lost_byes,
                State::Ending => &mut counts.lost_bye_oks,
            };
            *lost += 1;
        }
    }
}
