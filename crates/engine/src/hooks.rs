//! Where modules take part in the way of a message. Each hook is a plain function, called in the order in
//! which the modules were loaded; none of them may wait.

use std::sync::Arc;

use sip::{Edits, Message};

use crate::clock::Now;
use crate::engine::{Engine, TxData};
use crate::local::Local;
use crate::run::Run;
use crate::setup::InitError;
use crate::working::{Target, Working};

/// A reply to a request with a transaction, about to be sent to the client.
#[derive(Debug)]
pub struct ReplyOut {
    /// Its status.
    pub status: u16,
    /// The reply as received from the branch that won; `None` when it is made here.
    pub message: Option<Arc<Message>>,
    /// The To tag that the client will see, if the reply is made here.
    pub own_tag: Vec<u8>,
    /// The way that the received reply came.
    pub hop: Option<sip::Hop>,
    /// Own Record-Route headers that were added to the request, for counting route sets.
    pub own_record_routes: usize,
}

impl ReplyOut {
    /// The To tag that the client will see.
    pub fn to_tag(&self) -> &[u8] {
        match &self.message {
            Some(message) => message.to_tag().unwrap_or_default(),
            None => &self.own_tag,
        }
    }
}

/// What becomes of a reply that a hook has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// It leaves.
    Send,
    /// It is not for the client, who has another final reply.
    Withhold,
}

/// A request about to be sent on a branch. Hooks look at the message and add to it for this sending alone.
#[derive(Debug)]
pub struct BranchOut<'a> {
    /// The message with the script's changes.
    pub working: &'a Working,
    /// Where this branch goes.
    pub target: &'a Target,
    /// The socket that it leaves by.
    pub socket: sip::SocketId,
    /// Its transport.
    pub transport: sip::Transport,
    /// Changes above those of the script.
    pub edits: Edits,
    /// Further parameters for our Via, each with its semicolon, behind those of the script.
    pub via_params: Vec<u8>,
    /// The host for our Via instead of the script's or the socket's.
    pub advertised_host: Option<Vec<u8>>,
    /// The port for our Via instead of the script's or the socket's.
    pub advertised_port: Option<u16>,
    /// Own Record-Route headers added so far.
    pub own_record_routes: usize,
}

/// A request that followed a Route header naming us.
#[derive(Clone, Copy, Debug)]
pub struct LooseRoute<'a> {
    /// The parameters of the own Route URI, from the first semicolon.
    pub params: &'a [u8],
}

/// What a module does once the engine is there.
pub type Built = fn(&Arc<Engine>) -> Result<(), InitError>;

/// All hooks.
#[derive(Default)]
pub struct Hooks {
    /// The engine has just been made; no worker runs yet. An error ends the start.
    pub built: Vec<Built>,
    /// A worker begins, in its own thread.
    pub worker_begins: Vec<fn(&Local)>,
    /// Before `request_route`.
    pub request_in: Vec<fn(&mut Run)>,
    /// After `request_route`, before what it left open is settled.
    pub request_end: Vec<fn(&mut Run)>,
    /// A transaction was made for the request being worked on.
    pub transaction_created: Vec<fn(&mut Run)>,
    /// `loose_route()` consumed an own Route.
    pub loose_route: Vec<fn(&mut Run, LooseRoute<'_>)>,
    /// A request is about to leave on a branch.
    pub branch_out: Vec<fn(&Run, &mut BranchOut<'_>)>,
    /// An ACK to a 2xx is about to leave; it has no transaction.
    pub ack_out: Vec<fn(&mut Run)>,
    /// A reply of a branch was matched, before its onreply routes run.
    pub reply_in: Vec<fn(&mut Run)>,
    /// All branches of a transaction ended without success; the number is the best one's. Its failure route
    /// runs next, if there is one.
    pub failed: Vec<fn(&mut Run, usize)>,
    /// A reply below 300 is about to be forwarded and may still be changed.
    pub reply_forwarding: Vec<fn(&mut Run, &mut Working)>,
    /// A reply is about to be sent to the client of a transaction. It leaves unless one of these says otherwise.
    pub reply_out: Vec<fn(&mut Run, &ReplyOut) -> Onward>,
    /// A reply was sent without a transaction.
    pub stateless_reply: Vec<fn(&mut Run, u16)>,
    /// A transaction is about to be forgotten.
    pub transaction_done: Vec<fn(&mut Run, &mut TxData)>,
    /// An instance of a group of configuration variables counts from now on, or the group itself again.
    pub config_selected: Vec<fn(&mut Run, &str)>,
    /// Whether what a run wants sent waits until a change of its call is saved, and until when at most. Whoever
    /// saves says `Engine::release` with the ticket.
    pub hold: Option<fn(&Run, crate::releases::Ticket) -> Option<timer::Time>>,
    /// The workers have ended; what is still to be done before the process ends is done now.
    pub end: Vec<fn(&Arc<Engine>)>,
    /// Packets that are shown to the script before they are read, and before they are sent.
    pub interception: Option<crate::packet::Interception>,
    /// Called several times a second by each worker, once for each part of its shards, to start what is due.
    pub tick: Vec<fn(&Arc<Engine>, &mut TickContext<'_>)>,
}

/// What a tick may do: hand out inputs for the shards that are this worker's.
pub struct TickContext<'a> {
    /// The time.
    pub now: Now,
    /// This worker's number.
    pub worker: usize,
    /// How many workers there are.
    pub(crate) workers: usize,
    /// Which part of the worker's shards is looked at, below [`Worker::TICK_PARTS`](crate::Worker::TICK_PARTS).
    pub part: usize,
    /// Work for calls: their key (`Engine::call_key`) and what to run.
    pub jobs: &'a mut Vec<(u64, crate::input::Input)>,
}

impl TickContext<'_> {
    /// Which of a table's shards are to be looked at now.
    pub fn shards(&self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let workers = self.workers.max(1);
        let first = self.worker + self.part * workers;
        (first..count).step_by(workers * crate::Worker::TICK_PARTS)
    }
}
