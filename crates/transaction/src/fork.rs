//! Choosing among the replies of the branches (RFC 3261 §16.7): what is relayed at once, what is
//! kept, and which reply is the best when all are final.

use std::sync::Arc;

use sip::Message;
use smallvec::SmallVec;
use timer::Time;

use crate::branch::Branch;
use crate::cancel::{Reason, Which};
use crate::settings::{Forget, Policy};
use crate::transaction::{Output, Transaction};

/// What becomes of a reply, or of a status that stands for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Relay it now, with `send_reply`.
    ForwardNow,
    /// It is kept until the other branches are final.
    Stored,
    /// All branches are final. Run the failure route if one is armed for `winner`, then call
    /// `conclude_failure`; without one, relay the winner.
    AllFinal {
        /// The branch with the best reply.
        winner: usize,
    },
    /// It goes nowhere.
    Discard,
}

/// What follows a failure route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// New branches are on their way.
    Continue,
    /// The route sent a final reply itself.
    Answered,
    /// Relay the best reply: it may be another than before the route ran.
    Relay {
        /// The branch with the best reply.
        winner: usize,
    },
}

/// The reply that ends a transaction.
#[derive(Clone, Debug)]
pub struct Winner {
    /// The status to send: 487 for a status made here in a cancelled transaction.
    pub status: u16,
    /// The reply that was received; `None` if the status was made here.
    pub reply: Option<Arc<Message>>,
}

impl<U, B> Transaction<U, B> {
    /// Judges the news of a branch after its scripts have run. `status` is that of the reply
    /// (which the scripts may have changed), or the one that stands for a reply that never came.
    pub fn decide(
        &mut self,
        branch: usize,
        status: u16,
        now: Time,
        out: &mut Vec<Output>,
    ) -> Decision {
        let Some(record) = self.branches.get_mut(branch) else {
            return Decision::Discard;
        };
        if status < 200 {
            return self.decide_provisional(status);
        }
        if status >= 300 && record.faked && record.verdict.is_some() {
            return Decision::Discard;
        }
        let is_repeated = record.verdict.replace(status).is_some();
        if self.fork.silent {
            return Decision::Discard;
        }
        match status {
            ..300 => self.decide_success(branch, is_repeated, now, out),
            _ if is_repeated || self.has_success() || self.is_answered() => Decision::Discard,
            _ => self.decide_failure(branch, status, now, out),
        }
    }

    /// Chooses again after a failure route, or in its place.
    pub fn conclude_failure(&mut self) -> Conclusion {
        let forget = self.fork.forget.take();
        if self.is_answered() {
            return Conclusion::Answered;
        }
        let judged = self.fork.judged;
        if self.branches.len() > judged {
            let forgotten = match forget.unwrap_or(self.settings.policy.failure_reply_mode) {
                Forget::Nothing => 0..0,
                Forget::All => 0..judged,
                Forget::LastLeg => self.fork.leg..judged,
            };
            for record in self.branches.get_mut(forgotten).unwrap_or_default() {
                record.forgotten = true;
            }
            self.fork.leg = judged;
        }
        if self.branches.iter().any(|record| record.verdict.is_none()) {
            return Conclusion::Continue;
        }
        self.fork.judged = self.branches.len();
        self.pick()
            .map_or(Conclusion::Continue, |winner| Conclusion::Relay { winner })
    }

    /// Chooses which earlier replies are forgotten if this failure route adds branches
    /// (`t_drop_replies`). Without new branches nothing is forgotten.
    pub const fn drop_replies(&mut self, forget: Forget) {
        self.fork.forget = Some(forget);
    }

    /// The branch was sent to another address as a branch of its own: `status` stands for it, and it
    /// does not compete (RFC 3263 §4.3).
    pub fn supersede(&mut self, branch: usize, status: u16) {
        if let Some(record) = self.branches.get_mut(branch) {
            record.verdict = Some(status);
            record.forgotten = true;
        }
    }

    /// What to relay for the winning branch.
    pub fn winner(&self, branch: usize) -> Option<Winner> {
        let record = self.branches.get(branch)?;
        let status = record.verdict?;
        let status = if record.faked && self.fork.cancelled {
            487
        } else {
            status
        };
        let reply = if record.faked {
            None
        } else {
            record.reply.clone()
        };
        Some(Winner { status, reply })
    }

    /// The other branches whose challenges belong into the winner's 401 or 407; empty if it is
    /// neither, or if `aggregate_challenges` is off.
    pub fn challenges(&self, winner: usize) -> SmallVec<[usize; 4]> {
        let is_challenge = |record: &Branch<B>| matches!(record.verdict, Some(401 | 407));
        let wanted = self.settings.policy.aggregate_challenges
            && self.branches.get(winner).is_some_and(is_challenge);
        let others = self.branches.iter().enumerate();
        others
            .filter(|(number, record)| {
                wanted
                    && *number != winner
                    && !record.forgotten
                    && record.reply.is_some()
                    && is_challenge(record)
            })
            .map(|(number, _)| number)
            .collect()
    }

    fn decide_provisional(&self, status: u16) -> Decision {
        let relayed = status > 100 || self.settings.policy.relay_100;
        if relayed && !self.fork.silent && !self.is_answered() && !self.has_success() {
            Decision::ForwardNow
        } else {
            Decision::Discard
        }
    }

    fn decide_success(
        &mut self,
        branch: usize,
        is_repeated: bool,
        now: Time,
        out: &mut Vec<Output>,
    ) -> Decision {
        if !self.is_invite() && (is_repeated || self.is_answered()) {
            return Decision::Discard;
        }
        self.cancel_decided(Which::Others(branch), 200, now, out);
        Decision::ForwardNow
    }

    fn decide_failure(
        &mut self,
        branch: usize,
        status: u16,
        now: Time,
        out: &mut Vec<Output>,
    ) -> Decision {
        if status >= 600 && !self.settings.policy.disable_6xx_block {
            self.cancel_decided(Which::Others(branch), status, now, out);
        }
        if self.branches.iter().any(|record| record.verdict.is_none()) {
            return Decision::Stored;
        }
        self.fork.judged = self.branches.len();
        self.pick()
            .map_or(Decision::Discard, |winner| Decision::AllFinal { winner })
    }

    fn cancel_decided(&mut self, which: Which, status: u16, now: Time, out: &mut Vec<Output>) {
        for ended in self.cancel_branches(which, Reason::Status(status), now, out) {
            self.branches[ended].verdict = Some(487);
        }
    }

    fn has_success(&self) -> bool {
        self.branches
            .iter()
            .any(|record| matches!(record.verdict, Some(200..300)))
    }

    /// The best reply. Forgotten ones count only if there are no others.
    fn pick(&self) -> Option<usize> {
        let policy = &self.settings.policy;
        let ranked = self
            .branches
            .iter()
            .enumerate()
            .filter_map(|(number, record)| {
                let rank = rank(record.verdict?, record.faked, policy);
                Some((record.forgotten, rank, number))
            });
        ranked.min().map(|(_, _, number)| number)
    }
}

/// The lower, the better: 6xx, 3xx, 4xx (those that the caller can act on first), 5xx.
fn rank(status: u16, faked: bool, policy: &Policy) -> i32 {
    let within = i32::from(status % 100);
    let rank = match status {
        600.. => 1_000 + within,
        500.. => 5_000 + within,
        401 | 407 | 415 | 420 | 484 => 4_000 + within,
        400.. => 4_100 + within,
        _ => 3_000 + within,
    };
    rank.saturating_add(if faked { policy.faked_reply_prio } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_rank_as_kamailio_ranks_them() {
        let best_first = [
            600, 603, 300, 302, 401, 407, 415, 420, 484, 400, 404, 408, 486, 487, 500, 503,
        ];
        let policy = Policy::default();
        assert!(best_first.is_sorted_by_key(|&status| rank(status, false, &policy)));
    }

    #[test]
    fn made_replies_rank_as_configured() {
        let policy = Policy {
            faked_reply_prio: 2_000,
            ..Policy::default()
        };
        assert!(rank(408, true, &policy) > rank(500, false, &policy));
        assert!(rank(408, false, &policy) < rank(500, false, &policy));
    }
}
