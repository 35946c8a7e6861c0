//! One branch: a request that was sent on, and what came back.

use std::sync::Arc;

use sip::{Hop, Message};

use crate::machine::ClientState;
use crate::pace::Pace;

/// A branch of a transaction. `B` is the embedding program's data.
#[derive(Debug)]
pub struct Branch<B> {
    /// The embedding program's data: armed routes, edits, flags.
    pub data: B,
    pub(crate) hop: Hop,
    pub(crate) sent: Arc<[u8]>,
    pub(crate) state: ClientState,
    pub(crate) pace: Pace,
    pub(crate) last_status: u16,
    /// Replies received, as far as they can be counted.
    pub(crate) replies: u16,
    pub(crate) verdict: Option<u16>,
    pub(crate) reply: Option<Arc<Message>>,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) timed_out: bool,
    pub(crate) faked: bool,
    pub(crate) forgotten: bool,
}

/// The CANCEL of a branch.
#[derive(Debug)]
pub(crate) struct Cancel {
    pub(crate) bytes: Arc<[u8]>,
    /// It waits for a provisional reply (RFC 3261 §9.1).
    pub(crate) waits: bool,
    pub(crate) pace: Pace,
}

impl<B> Branch<B> {
    /// Where the request went.
    pub const fn hop(&self) -> &Hop {
        &self.hop
    }

    /// The request as it was sent.
    pub const fn sent(&self) -> &Arc<[u8]> {
        &self.sent
    }

    /// The state of its client transaction.
    pub const fn state(&self) -> ClientState {
        self.state
    }

    /// The status received last; 0 if nothing came.
    pub const fn last_status(&self) -> u16 {
        self.last_status
    }

    /// The final status with which the branch competes, once `decide` has heard of it.
    pub const fn verdict(&self) -> Option<u16> {
        self.verdict
    }

    /// The final reply that was received.
    pub const fn reply(&self) -> Option<&Arc<Message>> {
        self.reply.as_ref()
    }

    /// Whether any reply was received.
    pub const fn has_replied(&self) -> bool {
        self.last_status != 0
    }

    /// How many replies were received, repetitions of final ones left out.
    pub const fn replies(&self) -> u16 {
        self.replies
    }

    /// Whether it ran into its timeout (`t_branch_timeout`).
    pub const fn has_timed_out(&self) -> bool {
        self.timed_out
    }

    /// Whether its final status was made here: timeout, failure to send, or cancelled unanswered.
    pub const fn is_faked(&self) -> bool {
        self.faked
    }

    /// Whether its reply was dropped from the competition (`t_drop_replies`).
    pub const fn is_forgotten(&self) -> bool {
        self.forgotten
    }

    /// Whether a final reply is still awaited.
    pub const fn is_pending(&self) -> bool {
        self.state.is_pending()
    }

    /// Whether a CANCEL was sent, or waits for a provisional reply.
    pub const fn is_cancelled(&self) -> bool {
        self.cancel.is_some()
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.state.is_terminated() && self.cancel.as_ref().is_none_or(|c| c.pace.is_idle())
    }

    pub(crate) fn next_deadline(&self) -> timer::Time {
        let own = self.pace.next();
        self.cancel
            .as_ref()
            .map_or(own, |cancel| own.min(cancel.pace.next()))
    }
}
