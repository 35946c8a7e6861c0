//! What the passing of time does to a transaction, and how scripts change its timers.

use std::sync::Arc;

use smallvec::SmallVec;
use timer::Time;

use crate::machine::{ClientAction, ClientEvent, ServerAction, ServerEvent};
use crate::pace::Pace;
use crate::transaction::{Output, Transaction};

/// What a deadline brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerEvent {
    /// The branch got no final reply in time: `decide` follows, with `Policy::timeout_status`.
    BranchTimeout {
        /// The branch.
        branch: usize,
    },
    /// Our CANCEL was not answered.
    CancelTimeout {
        /// The branch.
        branch: usize,
    },
    /// The requester did not acknowledge the negative final reply.
    NoAck,
    /// Nobody answered the requester within the lifetime: send a final reply. Otherwise the
    /// transaction is released after another `wt_timer`.
    Unanswered,
}

/// What `on_timer` reports.
pub type TimerEvents = SmallVec<[TimerEvent; 2]>;

impl<U, B> Transaction<U, B> {
    /// Does what is due: retransmissions go out, ends are reported.
    pub fn on_timer(&mut self, now: Time, out: &mut Vec<Output>) -> TimerEvents {
        let mut events = TimerEvents::new();
        for branch in 0..self.branches.len() {
            self.branch_timer(branch, now, out, &mut events);
            self.cancel_timer(branch, now, out, &mut events);
        }
        self.server_timer(now, out, &mut events);
        events
    }

    /// Sets the timeouts of branches after and before a provisional reply, in ms; 0 leaves one as
    /// it is. Branches that wait begin anew (`t_set_fr`).
    pub fn set_fr(&mut self, fr_inv_timer: u32, fr_timer: u32, now: Time) {
        let timers = &mut self.settings.timers;
        if fr_inv_timer > 0 {
            timers.fr_inv_timer = fr_inv_timer;
        }
        if fr_timer > 0 {
            timers.fr_timer = fr_timer;
        }
        let is_invite = self.is_invite();
        for record in self
            .branches
            .iter_mut()
            .filter(|record| record.is_pending())
        {
            let in_second_phase = is_invite && record.has_replied();
            let timeout_ms = if in_second_phase {
                fr_inv_timer
            } else {
                fr_timer
            };
            if timeout_ms > 0 {
                let expires_at = now.plus_millis(u64::from(timeout_ms));
                record.pace.expire_at(expires_at.min(self.end_of_life));
            }
        }
    }

    /// Sets the lifetime, counted from `now`, in ms; 0 leaves it as it is (`t_set_max_lifetime`).
    pub fn set_max_lifetime(&mut self, invite_ms: u32, other_ms: u32, now: Time) {
        let lifetime_ms = if self.is_invite() {
            invite_ms
        } else {
            other_ms
        };
        if lifetime_ms == 0 {
            return;
        }
        self.end_of_life = now.plus_millis(u64::from(lifetime_ms));
        for record in self
            .branches
            .iter_mut()
            .filter(|record| record.is_pending())
        {
            record.pace.expire_by(self.end_of_life);
        }
        self.limit_silence();
    }

    /// Bounds the time that the requester waits for an answer: a moment more than the branches get.
    pub(crate) fn limit_silence(&mut self) {
        if self.server.state.is_pending() {
            let grace_ms = u64::from(self.settings.timers.wt_timer);
            self.server.pace = Pace::until(self.end_of_life.plus_millis(grace_ms));
        }
    }

    fn branch_timer(
        &mut self,
        branch: usize,
        now: Time,
        out: &mut Vec<Output>,
        events: &mut TimerEvents,
    ) {
        let timers = self.settings.timers;
        let linger = self.straggler_pace(now);
        let record = &mut self.branches[branch];
        if record.pace.has_expired(now) {
            match record.state.on(ClientEvent::Expire) {
                action @ (ClientAction::GiveUp | ClientAction::GiveUpAndCancel) => {
                    record.timed_out = true;
                    record.faked = true;
                    record.pace = linger;
                    if action == ClientAction::GiveUpAndCancel {
                        self.cancel_timed_out(branch, now, out);
                    }
                    events.push(TimerEvent::BranchTimeout { branch });
                }
                _ => record.pace = Pace::IDLE,
            }
        } else if record.pace.repeat_is_due(now) {
            if record.state.on(ClientEvent::Repeat) == ClientAction::Resend {
                out.push(Output::Send {
                    hop: record.hop,
                    bytes: Arc::clone(&record.sent),
                });
                record.pace.repeated(now, &timers);
                self.tally.retransmitted += 1;
            } else {
                record.pace.stop_repeating();
            }
        }
    }

    fn cancel_timer(
        &mut self,
        branch: usize,
        now: Time,
        out: &mut Vec<Output>,
        events: &mut TimerEvents,
    ) {
        let record = &mut self.branches[branch];
        let Some(cancel) = &mut record.cancel else {
            return;
        };
        if cancel.pace.has_expired(now) {
            cancel.pace = Pace::IDLE;
            events.push(TimerEvent::CancelTimeout { branch });
        } else if cancel.pace.repeat_is_due(now) {
            out.push(Output::Send {
                hop: record.hop,
                bytes: Arc::clone(&cancel.bytes),
            });
            cancel.pace.repeated(now, &self.settings.timers);
            self.tally.retransmitted += 1;
        }
    }

    fn server_timer(&mut self, now: Time, out: &mut Vec<Output>, events: &mut TimerEvents) {
        if self.server.pace.has_expired(now) {
            let linger = self.straggler_pace(now);
            let (pace, event) = match self.server.state.on(ServerEvent::Expire) {
                ServerAction::Unanswered if self.server.is_overdue => {
                    self.server.state.on(ServerEvent::Release);
                    (linger, None)
                }
                ServerAction::Unanswered => {
                    self.server.is_overdue = true;
                    (linger, Some(TimerEvent::Unanswered))
                }
                ServerAction::Unacknowledged => (linger, Some(TimerEvent::NoAck)),
                _ => (Pace::IDLE, None),
            };
            self.server.pace = pace;
            events.extend(event);
        } else if self.server.pace.repeat_is_due(now) {
            if self.server.state.on(ServerEvent::Repeat) == ServerAction::Resend {
                self.send_last_reply(out);
                self.server.pace.repeated(now, &self.settings.timers);
                self.tally.retransmitted += 1;
            } else {
                self.server.pace.stop_repeating();
            }
        }
    }
}
