//! Which CPUs the server and the load use.

use crate::server::Kind;

/// How many CPUs, and workers, a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One, with one worker; the load has another one for itself.
    OneCore,
    /// Two, with two workers; on a machine with no more the load shares them.
    TwoCores,
}

/// Two where the load has a third CPU. Where it has not, the kernel puts a thread that sleeps between packets beside it,
/// or not, and a packet costs four times as much where it has to wake a CPU as where it does not.
pub fn default_cores() -> usize {
    if cpus() > 2 { 2 } else { 1 }
}

/// Caller's and callee's sockets when workers share the load by sender: enough that each gets about as much.
const SOCKETS: usize = 8;

impl Place {
    /// With so many CPUs.
    pub const fn with(cores: usize) -> Self {
        if cores < 2 {
            Self::OneCore
        } else {
            Self::TwoCores
        }
    }

    /// As a table shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneCore => "1 core",
            Self::TwoCores => "2 cores",
        }
    }

    /// Workers of the server.
    pub const fn workers(self) -> usize {
        match self {
            Self::OneCore => 1,
            Self::TwoCores => 2,
        }
    }

    /// The CPUs of the server.
    pub fn server_cpus(self) -> Vec<usize> {
        let cpus = cpus();
        (0..self.workers().min(cpus)).collect()
    }

    /// The CPU of the load; `None` when it has to share.
    pub fn load_cpu(self) -> Option<usize> {
        let next = self.workers();
        (next < cpus()).then_some(next)
    }

    /// Sockets of each side of the load.
    pub const fn sockets(self, kind: Kind) -> usize {
        match (self, kind) {
            // It knows one caller and one callee, and has one thread.
            (_, Kind::Forwarder) | (Self::OneCore, _) => 1,
            (Self::TwoCores, _) => SOCKETS,
        }
    }
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
