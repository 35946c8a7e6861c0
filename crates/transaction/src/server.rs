//! The side towards the requester: sending replies, repeating them, and taking the ACK.

use std::sync::Arc;

use sip::Transport;
use timer::Time;

use crate::cancel::Reason;
use crate::machine::{ServerAction as Action, ServerEvent as Event};
use crate::pace::Pace;
use crate::transaction::{Output, Transaction};

/// Who made a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was made here.
    Local,
    /// It came from a branch.
    Relayed,
}

impl<U, B> Transaction<U, B> {
    /// Sends a reply and remembers it. A final one also cancels the branches that are still pending.
    ///
    /// Returns false, and sends nothing, if a final reply was sent before; only a 2xx to an INVITE
    /// may follow another final reply (RFC 3261 §16.7 item 5, RFC 6026).
    pub fn send_reply(
        &mut self,
        status: u16,
        bytes: Arc<[u8]>,
        origin: Origin,
        now: Time,
        out: &mut Vec<Output>,
    ) -> bool {
        let action = self.server.state.on(Event::of_status(status));
        self.server.pace = match action {
            Action::Send => self.server.pace,
            Action::SendFinal => self.straggler_pace(now),
            Action::SendUntilAck => self.ack_pace(now),
            _ => return false,
        };
        self.server.last_status = status;
        self.server.last_reply = Some(bytes);
        self.tally.reply_sent(status, origin);
        self.send_last_reply(out);
        if status >= 200 {
            self.cancel_pending(Reason::Status(status), now, out);
        }
        true
    }

    /// The request came again: it gets the last reply again.
    pub fn retransmitted(&mut self, out: &mut Vec<Output>) {
        self.tally.absorbed += 1;
        if self.server.state.on(Event::Retransmission) == Action::Resend {
            self.send_last_reply(out);
        }
    }

    /// The ACK to a negative final reply came.
    pub fn ack_received(&mut self, now: Time) {
        if self.server.state.on(Event::Ack) == Action::Acknowledged {
            self.server.pace = self.straggler_pace(now);
        }
    }

    /// Gives the transaction up without an answer (`t_release`, or a script that just ends).
    pub fn release(&mut self, now: Time) {
        if self.server.state.on(Event::Release) == Action::Wait {
            self.server.pace = self.straggler_pace(now);
        }
    }

    pub(crate) fn send_last_reply(&mut self, out: &mut Vec<Output>) {
        if let (Some(requester), Some(bytes)) = (&self.requester, &self.server.last_reply) {
            out.push(Output::Send {
                hop: requester.reply_to,
                bytes: Arc::clone(bytes),
            });
        }
    }

    pub(crate) fn straggler_pace(&self, now: Time) -> Pace {
        Pace::until(now.plus_millis(u64::from(self.settings.timers.wt_timer)))
    }

    fn ack_pace(&self, now: Time) -> Pace {
        let timers = &self.settings.timers;
        let transport = self
            .requester
            .map_or(Transport::Udp, |r| r.reply_to.transport);
        let expires_at = now.plus_millis(u64::from(timers.fr_timer));
        Pace::start(now, timers, transport.is_reliable(), expires_at)
    }
}
