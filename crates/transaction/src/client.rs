//! The side towards the next hops: sending branches, and taking their replies.

use std::sync::Arc;

use sip::{Hop, Message, Method};
use timer::Time;

use crate::branch::Branch;
use crate::machine::{ClientAction as Action, ClientEvent as Event, ClientState};
use crate::pace::Pace;
use crate::transaction::{BranchRefused, Output, Transaction};
use crate::wire;

/// What to do with a reply that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyVerdict {
    /// A retransmission, the answer to our own CANCEL, or a provisional reply of a branch that is
    /// being cancelled: it has been dealt with.
    Absorbed,
    /// News: run the scripts, then call `decide`.
    Deliver,
}

impl<U, B> Transaction<U, B> {
    /// Whether a branch could be added now.
    pub fn may_add_branch(&self, now: Time) -> Result<(), BranchRefused> {
        if self.fork.cancelled {
            Err(BranchRefused::Cancelled)
        } else if self.is_answered() && !self.fork.silent {
            Err(BranchRefused::Answered)
        } else if self.is_expired(now) {
            Err(BranchRefused::Expired)
        } else if self.branches.len() >= usize::from(self.settings.policy.max_branches) {
            Err(BranchRefused::TooMany)
        } else {
            Ok(())
        }
    }

    /// Sends the request on and returns the number of the new branch. Numbers continue over serial
    /// legs; `bytes` must carry the Via branch that `next_branch_value` gives.
    pub fn add_branch(
        &mut self,
        hop: Hop,
        bytes: Arc<[u8]>,
        data: B,
        now: Time,
        out: &mut Vec<Output>,
    ) -> Result<usize, BranchRefused> {
        self.may_add_branch(now)?;
        let timers = &self.settings.timers;
        let expires_at = now
            .plus_millis(u64::from(timers.fr_timer))
            .min(self.end_of_life);
        let pace = Pace::start(now, timers, hop.transport.is_reliable(), expires_at);
        out.push(Output::Send {
            hop,
            bytes: Arc::clone(&bytes),
        });
        self.branches.push(Branch {
            data,
            hop,
            sent: bytes,
            state: ClientState::new(self.is_invite()),
            pace,
            last_status: 0,
            replies: 0,
            verdict: None,
            reply: None,
            cancel: None,
            timed_out: false,
            faked: false,
            forgotten: false,
        });
        Ok(self.branches.len() - 1)
    }

    /// The branch could not be sent, or its connection broke. Returns whether it was still pending:
    /// then `decide` follows, with the status that stands for the failure.
    pub fn branch_failed(&mut self, branch: usize, now: Time) -> bool {
        let linger = self.straggler_pace(now);
        let Some(branch) = self.branches.get_mut(branch) else {
            return false;
        };
        if branch.state.on(Event::Withdraw) != Action::GiveUp {
            return false;
        }
        branch.faked = true;
        branch.pace = linger;
        branch.cancel = None;
        true
    }

    /// Takes a reply that `Table::match_reply` assigned to this branch.
    ///
    /// Timers stop or restart, a negative final reply to an INVITE is acknowledged, a CANCEL that
    /// waited for a provisional reply is sent. Every 2xx to an INVITE is delivered, however often.
    pub fn reply_received(
        &mut self,
        branch: usize,
        reply: &Arc<Message>,
        now: Time,
        out: &mut Vec<Output>,
    ) -> ReplyVerdict {
        self.tally.received += 1;
        let (Some(status), Some(record)) = (reply.status(), self.branches.get_mut(branch)) else {
            return ReplyVerdict::Absorbed;
        };
        if self.method != Method::Cancel && reply.method() == Method::Cancel {
            self.cancel_reply_received(branch, status, now);
            return ReplyVerdict::Absorbed;
        }
        let copied = self.settings.copied_headers;
        match record.state.on(Event::of_status(status)) {
            Action::Progress => return self.progress(branch, status, now, out),
            Action::Deliver => self.branch_completed(branch, status, reply, now),
            Action::AckAndDeliver => {
                record.acknowledge(reply, copied, out);
                self.branch_completed(branch, status, reply, now);
            }
            Action::AckAgain => {
                record.acknowledge(reply, copied, out);
                // What a branch that was given up answers at last is news to scripts, once.
                if !record.faked || record.last_status >= 300 {
                    return ReplyVerdict::Absorbed;
                }
                record.last_status = status;
            }
            Action::CancelLate => {
                self.cancel_late(branch, now, out);
                return ReplyVerdict::Absorbed;
            }
            _ => return ReplyVerdict::Absorbed,
        }
        ReplyVerdict::Deliver
    }

    /// A provisional reply of a branch that is being cancelled is of no interest to anyone else.
    fn progress(
        &mut self,
        branch: usize,
        status: u16,
        now: Time,
        out: &mut Vec<Output>,
    ) -> ReplyVerdict {
        let is_invite = self.is_invite();
        let (timers, policy) = (self.settings.timers, self.settings.policy);
        let record = &mut self.branches[branch];
        let before = std::mem::replace(&mut record.last_status, status);
        record.replies = record.replies.saturating_add(1);
        if !is_invite {
            record.pace.slow_down(now, &timers);
            return ReplyVerdict::Deliver;
        }
        record.pace.stop_repeating();
        if record.cancel.is_some() {
            self.send_waiting_cancel(branch, now, out);
            return ReplyVerdict::Absorbed;
        }
        let is_higher = status >= 180 && status > before;
        if before == 0 || is_higher || policy.restart_fr_on_each_reply {
            let expires_at = now.plus_millis(u64::from(timers.fr_inv_timer));
            record.pace.expire_at(expires_at.min(self.end_of_life));
        }
        ReplyVerdict::Deliver
    }

    fn branch_completed(&mut self, branch: usize, status: u16, reply: &Arc<Message>, now: Time) {
        let linger = self.straggler_pace(now);
        let record = &mut self.branches[branch];
        record.last_status = status;
        record.replies = record.replies.saturating_add(1);
        record.faked = false;
        record.reply = Some(Arc::clone(reply));
        record.pace = linger;
        if let Some(cancel) = &mut record.cancel {
            cancel.waits = false;
            cancel.pace = Pace::IDLE;
        }
    }
}

impl<B> Branch<B> {
    /// RFC 3261 §17.1.1.3.
    fn acknowledge(&self, reply: &Message, copied: Option<&[u8]>, out: &mut Vec<Output>) {
        out.extend(
            wire::ack(&self.sent, reply, copied).map(|bytes| Output::Send {
                hop: self.hop,
                bytes,
            }),
        );
    }
}
