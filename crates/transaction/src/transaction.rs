//! The record of one transaction: the request, the side towards the requester, the branches, and
//! every deadline. Its behaviour is in `server`, `client`, `cancel`, `fork` and `clock`.

use std::sync::Arc;

use sip::{Hop, Message, Method, StreamUse};
use smallvec::SmallVec;
use timer::Time;

use crate::branch::Branch;
use crate::key::Identity;
use crate::machine::ServerState;
use crate::pace::Pace;
use crate::settings::{Forget, Settings};
use crate::statistics::Tally;

/// Names a transaction, as `$T(id_index)` and `$T(id_label)` show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId {
    /// The low 16 bits of the call's key; the Via branch carries it.
    pub index: u32,
    /// A number that is given once in the lifetime of a shard's numbering.
    pub label: u32,
}

/// The only effect that a transaction has on the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes that way.
    Send {
        /// Where to.
        hop: Hop,
        /// A whole message.
        bytes: Arc<[u8]>,
    },
}

/// Where a received request came from, and where its replies go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requester {
    /// The hop that the request was received from.
    pub source: Hop,
    /// Where replies go by Via (RFC 3261 §18.2.2, RFC 3581).
    pub reply_to: Hop,
}

/// Why no branch can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchRefused {
    /// The requester sent a CANCEL.
    Cancelled,
    /// A final reply was sent.
    Answered,
    /// The lifetime of the transaction is over.
    Expired,
    /// `max_branches` are there already.
    TooMany,
}

/// A transaction, checked out of its table. `U` and `B` are the embedding program's data for the
/// transaction and for each branch.
#[derive(Debug)]
pub struct Transaction<U, B> {
    /// The embedding program's data: AVPs, armed routes, flags.
    pub data: U,
    pub(crate) id: TransactionId,
    pub(crate) call: u64,
    pub(crate) identity: Identity,
    pub(crate) request: Arc<Message>,
    pub(crate) method: Method,
    pub(crate) requester: Option<Requester>,
    pub(crate) settings: Settings,
    pub(crate) end_of_life: Time,
    pub(crate) server: Server,
    /// Most transactions have one.
    pub(crate) branches: SmallVec<[Branch<B>; 1]>,
    pub(crate) fork: Fork,
    pub(crate) tally: Tally,
}

/// The side towards the requester.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) state: ServerState,
    pub(crate) pace: Pace,
    pub(crate) last_status: u16,
    pub(crate) last_reply: Option<Arc<[u8]>>,
    /// The lifetime ended without an answer.
    pub(crate) is_overdue: bool,
}

/// What is known about the branches as a whole.
#[derive(Debug, Default)]
pub(crate) struct Fork {
    pub(crate) cancelled: bool,
    pub(crate) silent: bool,
    /// How many branches there were when all were last final.
    pub(crate) judged: usize,
    /// The first branch of the last leg.
    pub(crate) leg: usize,
    /// The script's own wish, over `failure_reply_mode`.
    pub(crate) forget: Option<Forget>,
}

impl<U, B> Transaction<U, B> {
    /// Its name.
    pub const fn id(&self) -> TransactionId {
        self.id
    }

    /// The key of the call that it belongs to, as `Table::call_key` gives it.
    pub const fn call_key(&self) -> u64 {
        self.call
    }

    /// The request as it was received or, for a local one, made.
    pub const fn request(&self) -> &Arc<Message> {
        &self.request
    }

    /// The request's method.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Whether the request is an INVITE.
    pub fn is_invite(&self) -> bool {
        self.method == Method::Invite
    }

    /// Where the request came from; `None` if it was made here.
    pub const fn requester(&self) -> Option<&Requester> {
        self.requester.as_ref()
    }

    /// Lets the stream of the request be used this way too for the replies still to come.
    pub const fn use_stream(&mut self, wish: StreamUse) {
        if let Some(requester) = &mut self.requester {
            let stream = &mut requester.reply_to.stream;
            *stream = stream.or(wish);
        }
    }

    /// Timers and policy of this transaction.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same, to be changed by a script. Deadlines that run already stay.
    pub const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The state towards the requester.
    pub const fn server_state(&self) -> ServerState {
        self.server.state
    }

    /// The status sent last; 0 if none was.
    pub const fn last_status(&self) -> u16 {
        self.server.last_status
    }

    /// The reply sent last.
    pub const fn last_reply(&self) -> Option<&Arc<[u8]>> {
        self.server.last_reply.as_ref()
    }

    /// Whether a final reply was sent.
    pub const fn is_answered(&self) -> bool {
        self.server.last_status >= 200
    }

    /// Whether a CANCEL was received (`t_is_canceled`).
    pub const fn is_cancelled(&self) -> bool {
        self.fork.cancelled
    }

    /// Whether the lifetime is over (`t_is_expired`).
    pub fn is_expired(&self, now: Time) -> bool {
        self.end_of_life <= now
    }

    /// All branches, over all legs, in the order of their numbers.
    pub fn branches(&self) -> &[Branch<B>] {
        &self.branches
    }

    /// One branch.
    pub fn branch(&self, branch: usize) -> Option<&Branch<B>> {
        self.branches.get(branch)
    }

    /// One branch, to change its data.
    pub fn branch_mut(&mut self, branch: usize) -> Option<&mut Branch<B>> {
        self.branches.get_mut(branch)
    }

    /// The Via branch for the branch that is added next.
    pub fn next_branch_value(&self) -> Vec<u8> {
        self.branch_value(self.branches.len())
    }

    /// The Via branch of a branch.
    pub fn branch_value(&self, branch: usize) -> Vec<u8> {
        self.identity.branch_value(self.id.index, branch)
    }

    /// Replies of the branches are no longer relayed nor judged (`t_replicate`).
    pub const fn set_silent(&mut self) {
        self.fork.silent = true;
    }

    /// Whether the requester is told nothing of the branches.
    pub const fn is_silent(&self) -> bool {
        self.fork.silent
    }

    /// The first moment at which `on_timer` has something to do; `Time::NEVER` if never.
    pub fn next_deadline(&self) -> Time {
        let server = self.server.pace.next();
        self.branches
            .iter()
            .map(Branch::next_deadline)
            .fold(server, Time::min)
    }

    /// Whether nothing can happen any more: the record may go.
    pub fn is_finished(&self) -> bool {
        self.server.state.is_terminated() && self.branches.iter().all(Branch::is_finished)
    }

    /// Whether the exchange is over and the record only absorbs what is retransmitted.
    pub fn is_waiting(&self) -> bool {
        !self.server.state.is_pending() && !self.branches.iter().any(Branch::is_pending)
    }

    /// Lets go of what nothing can ask for once the exchange is over: a waiting transaction is only there to absorb
    /// what is retransmitted, and there are many of them.
    pub(crate) fn settle(&mut self) {
        for branch in &mut self.branches {
            branch.reply = None;
            if !branch.state.needs_request() {
                branch.sent = Arc::default();
            }
        }
    }

    /// What happened since the last call, for the table's counters.
    pub(crate) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}
