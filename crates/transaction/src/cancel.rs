//! Cancelling branches (RFC 3261 §9.1): for a received CANCEL, for a winner elsewhere, for a timeout.

use std::sync::Arc;

use smallvec::SmallVec;
use timer::Time;

use crate::branch::Cancel;
use crate::machine::{ClientAction as Action, ClientEvent as Event};
use crate::pace::Pace;
use crate::settings::SilentBranch;
use crate::transaction::{Output, Transaction};
use crate::wire;

/// Why a branch is cancelled, for the Reason header (RFC 3326).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    /// Nothing is said.
    None,
    /// A final status decided it; a 2xx says that the call was completed elsewhere.
    Status(u16),
    /// The value of the Reason header in the CANCEL that was received.
    Received(&'a [u8]),
}

/// Which branches are cancelled (`t_cancel_branches`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that are pending.
    All,
    /// All but this one.
    Others(usize),
    /// This one.
    Only(usize),
}

/// Branches that ended at once because they were cancelled; `decide` follows for each.
pub type Ended = SmallVec<[usize; 4]>;

/// What a received CANCEL found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// A final reply was sent before: the CANCEL gets `200 ok -- no more pending branches`.
    TooLate,
    /// There are no branches yet: the CANCEL gets a 200, and the INVITE a 487 at once.
    NoBranches,
    /// Branches are being cancelled: the CANCEL gets `200 canceling`.
    Cancelling(Ended),
    /// All branches are final already, and the INVITE's final reply is on its way.
    NothingPending,
}

impl<U, B> Transaction<U, B> {
    /// Takes a CANCEL from the requester. `reason` is the value of its Reason header, if any.
    pub fn cancel(
        &mut self,
        reason: Option<&[u8]>,
        now: Time,
        out: &mut Vec<Output>,
    ) -> CancelOutcome {
        if self.is_answered() {
            return CancelOutcome::TooLate;
        }
        self.fork.cancelled = true;
        if self.branches.is_empty() {
            return CancelOutcome::NoBranches;
        }
        if !self.branches.iter().any(|branch| branch.is_pending()) {
            return CancelOutcome::NothingPending;
        }
        let reason = match reason {
            Some(value) if self.settings.policy.e2e_cancel_reason => Reason::Received(value),
            _ => Reason::None,
        };
        CancelOutcome::Cancelling(self.cancel_branches(Which::All, reason, now, out))
    }

    /// Cancels pending branches without a CANCEL from the requester.
    pub fn cancel_branches(
        &mut self,
        which: Which,
        reason: Reason<'_>,
        now: Time,
        out: &mut Vec<Output>,
    ) -> Ended {
        (0..self.branches.len())
            .filter(|&branch| match which {
                Which::All => true,
                Which::Others(kept) => branch != kept,
                Which::Only(only) => branch == only,
            })
            .filter(|&branch| self.cancel_branch(branch, reason, now, out))
            .collect()
    }

    /// Cancels what is pending after a final reply went out; nothing is left to be decided.
    pub(crate) fn cancel_pending(&mut self, reason: Reason<'_>, now: Time, out: &mut Vec<Output>) {
        if self.fork.silent {
            return;
        }
        for branch in self.cancel_branches(Which::All, reason, now, out) {
            self.branches[branch].verdict = Some(487);
        }
    }

    /// Sends a CANCEL that waited for the provisional reply that has come now.
    pub(crate) fn send_waiting_cancel(&mut self, branch: usize, now: Time, out: &mut Vec<Output>) {
        if self.branches[branch]
            .cancel
            .as_ref()
            .is_some_and(|cancel| cancel.waits)
        {
            self.send_cancel(branch, now, out);
        }
    }

    /// Cancels a branch that was given up and now turns out to be worked on.
    pub(crate) fn cancel_late(&mut self, branch: usize, now: Time, out: &mut Vec<Output>) {
        let record = &self.branches[branch];
        let was_sent = record.cancel.as_ref().is_some_and(|cancel| !cancel.waits);
        if record.faked && !was_sent {
            self.cancel_given_up(branch, now, out);
        }
    }

    /// Cancels a branch whose time is over although it had answered provisionally.
    pub(crate) fn cancel_timed_out(&mut self, branch: usize, now: Time, out: &mut Vec<Output>) {
        if self.branches[branch].cancel.is_none() {
            self.cancel_given_up(branch, now, out);
        }
    }

    fn cancel_given_up(&mut self, branch: usize, now: Time, out: &mut Vec<Output>) {
        if self.branches[branch].cancel.is_none() {
            self.prepare_cancel(branch, Reason::None);
        }
        self.send_cancel(branch, now, out);
    }

    pub(crate) fn cancel_reply_received(&mut self, branch: usize, status: u16, now: Time) {
        let timers = &self.settings.timers;
        if let Some(cancel) = &mut self.branches[branch].cancel {
            if status < 200 {
                cancel.pace.slow_down(now, timers);
            } else if !cancel.waits {
                cancel.pace = Pace::IDLE;
            }
        }
    }

    /// Returns whether the branch ended at once.
    fn cancel_branch(
        &mut self,
        branch: usize,
        reason: Reason<'_>,
        now: Time,
        out: &mut Vec<Output>,
    ) -> bool {
        let is_invite = self.is_invite();
        let linger = self.straggler_pace(now);
        let record = &mut self.branches[branch];
        if !is_invite || !record.is_pending() || record.cancel.is_some() {
            return false;
        }
        let method = self.settings.policy.cancel_b_method;
        if record.last_status == 0 && method == SilentBranch::Fake487 {
            let ended = record.state.on(Event::Withdraw) == Action::GiveUp;
            record.faked = true;
            record.pace = linger;
            return ended;
        }
        let heard = record.last_status != 0;
        self.prepare_cancel(branch, reason);
        if heard || method == SilentBranch::CancelAnyway {
            self.send_cancel(branch, now, out);
        }
        false
    }

    fn prepare_cancel(&mut self, branch: usize, reason: Reason<'_>) {
        let reason = match reason {
            Reason::Status(_) if !self.settings.policy.local_cancel_reason => Reason::None,
            other => other,
        };
        let record = &mut self.branches[branch];
        let copied = self.settings.copied_headers;
        if let Some(bytes) = wire::cancel(&record.sent, reason, copied) {
            record.cancel = Some(Cancel {
                bytes,
                waits: true,
                pace: Pace::IDLE,
            });
        }
    }

    /// Sends the prepared CANCEL. The INVITE gets `fr_timer` more to end (64·T1 in RFC 3261 §9.1).
    fn send_cancel(&mut self, branch: usize, now: Time, out: &mut Vec<Output>) {
        let timers = &self.settings.timers;
        let record = &mut self.branches[branch];
        let Some(cancel) = &mut record.cancel else {
            return;
        };
        let expires_at = now.plus_millis(u64::from(timers.fr_timer));
        let reliable = record.hop.transport.is_reliable();
        cancel.waits = false;
        cancel.pace = Pace::start(now, timers, reliable, expires_at);
        out.push(Output::Send {
            hop: record.hop,
            bytes: Arc::clone(&cancel.bytes),
        });
        record.pace.stop_repeating();
        if record.state.is_pending() {
            record.pace.expire_by(expires_at);
        } else {
            record.pace.expire_at(expires_at);
        }
    }
}
