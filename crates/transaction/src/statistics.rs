//! What the transactions did, as `tm.stats` shows it.

use std::ops::AddAssign;

use crate::server::Origin;

/// Counters since the start, and two sizes as they are now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Transactions that exist now.
    pub current: u64,
    /// Those of them that only absorb retransmissions.
    pub waiting: u64,
    /// Transactions created.
    pub created: u64,
    /// Transactions created for requests made here.
    pub created_local: u64,
    /// Transactions that ended.
    pub freed: u64,
    /// Records that were never brought back, and were given up.
    pub lost: u64,
    /// Requests refused because too many of one Call-ID and CSeq were there.
    pub crowded: u64,
    /// What happened in them.
    pub traffic: Tally,
}

/// What happened in one transaction, or in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Replies received for branches.
    pub received: u64,
    /// Replies made here.
    pub generated: u64,
    /// Replies sent, of either origin.
    pub sent: u64,
    /// Replies relayed from a branch.
    pub relayed: u64,
    /// Requests and replies sent again because a timer fired.
    pub retransmitted: u64,
    /// Retransmitted requests absorbed.
    pub absorbed: u64,
    /// Final replies sent, by class: 2xx first, 6xx last.
    pub finals: [u64; 5],
}

impl Tally {
    pub(crate) const fn reply_sent(&mut self, status: u16, origin: Origin) {
        self.sent += 1;
        match origin {
            Origin::Local => self.generated += 1,
            Origin::Relayed => self.relayed += 1,
        }
        if let class @ 2..=6 = status / 100 {
            self.finals[class as usize - 2] += 1;
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.generated += other.generated;
        self.sent += other.sent;
        self.relayed += other.relayed;
        self.retransmitted += other.retransmitted;
        self.absorbed += other.absorbed;
        for (sum, more) in self.finals.iter_mut().zip(other.finals) {
            *sum += more;
        }
    }
}

impl AddAssign for Statistics {
    fn add_assign(&mut self, other: Self) {
        self.current += other.current;
        self.waiting += other.waiting;
        self.created += other.created;
        self.created_local += other.created_local;
        self.freed += other.freed;
        self.lost += other.lost;
        self.crowded += other.crowded;
        self.traffic += other.traffic;
    }
}
