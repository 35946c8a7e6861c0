//! Requests of our own: sent by a transaction that has no client side.

use std::sync::Arc;

use script::{Completion, Outcome, RouteEnd, Routes};
use sip::{Hop, Message, SocketId};

use crate::destination::{Destination, Hops};
use crate::engine::{BranchData, TxData};
use crate::errors;
use crate::events::Saved;
use crate::input::{Input, nowhere};
use crate::outgoing::framing;
use crate::pending::{Pending, Resume};
use crate::run::{Operation, Run};
use crate::slots::Slots;
use crate::uac_retry::Retry;
use crate::working::Working;

/// A request to be made and sent. Values come as they shall stand in their headers.
#[derive(Debug, Default)]
pub struct LocalRequest {
    /// The method.
    pub method: Vec<u8>,
    /// The Request-URI.
    pub uri: Vec<u8>,
    /// To, with its tag.
    pub to: Vec<u8>,
    /// From, with its tag.
    pub from: Vec<u8>,
    /// Call-ID.
    pub call_id: Vec<u8>,
    /// The number in CSeq.
    pub cseq: u32,
    /// The route set, joined with commas; empty for none.
    pub route: Vec<u8>,
    /// Further header lines, each with its line end.
    pub headers: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
    /// Where to send it when that is neither the first route nor the Request-URI.
    pub next_hop: Option<Vec<u8>>,
    /// The socket to send from.
    pub socket: Option<SocketId>,
    /// Max-Forwards is among `headers` already.
    pub has_max_forwards: bool,
    /// Who is told of the outcome.
    pub done: Option<Box<dyn Done>>,
}

/// Who is told how a request of our own ended.
pub trait Done: Send + std::fmt::Debug {
    /// The final reply came, or the status stands for none: 408 timed out, 477 and 478 could not be sent.
    fn done(self: Box<Self>, run: &mut Run, status: u16, reply: Option<Arc<Message>>);

    /// The reply is a 401 or 407 to the request of the transaction at hand: what to send it once more with, or
    /// `None` to leave it at that.
    fn challenged(&mut self, run: &mut Run, reply: &Message) -> Option<Retry> {
        let _ = (run, reply);
        None
    }
}

impl Run {
    /// Sends a request of our own: at once if it belongs to the call at hand, its way is known and no route
    /// wants to see it first; else after this run, in its call's turn.
    pub fn send_local(&mut self, request: LocalRequest) {
        let key = self.engine.call_key(&request.call_id);
        let sender = Sender::new(request);
        let is_ready = key == self.call_key() && self.script.blocks.local_request.is_none();
        if is_ready && let Destination::Known(hops) = sender.find(self) {
            let (tx, branch) = (self.tx.take(), self.branch.take());
            // Nothing is left to wait for, nor a route to run.
            let _ = Box::new(sender).write(self, hops);
            self.check_in();
            (self.tx, self.branch) = (tx, branch);
        } else {
            self.follow_ups.push((key, Input::Job(Box::new(sender))));
        }
    }
}

/// The input that sends a request of our own, for its call.
pub fn local_job(request: LocalRequest) -> Input {
    Input::Job(Box::new(Sender::new(request)))
}

#[derive(Debug)]
struct Sender {
    request: LocalRequest,
    /// Where to send it when the first address does not answer.
    alternatives: Vec<Hop>,
    at: At,
}

#[derive(Debug)]
enum At {
    Start,
    Resolving,
    Routed { saved: Box<Saved>, hop: Hop },
}

impl Resume for Sender {
    fn resume(mut self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        match std::mem::replace(&mut self.at, At::Start) {
            At::Resolving if matches!(with, Completion::Failed(_)) => {
                self.fail(run, errors::UNRESOLVABLE)
            }
            At::Start | At::Resolving => self.locate(run),
            At::Routed { saved, hop } => {
                let working = saved.restore(run);
                if matches!(with, Completion::Route(RouteEnd { dropped: true, .. })) {
                    return self.fail(run, errors::SEND);
                }
                self.send(run, working, hop)
            }
        }
    }
}

impl Sender {
    const fn new(request: LocalRequest) -> Self {
        Self {
            request,
            alternatives: Vec::new(),
            at: At::Start,
        }
    }

    /// The ways to the first Route, or wherever else it is to go.
    fn find(&self, run: &Run) -> Destination {
        let mut origin = crate::events::stand_in();
        origin.target.socket = self.request.socket;
        if let Some(socket) = self.request.socket {
            origin.hop.socket = socket;
        }
        let request = &self.request;
        let first_route = sip::split_values(&request.route).next().unwrap_or_default();
        let next = match &request.next_hop {
            Some(next) => next.as_slice(),
            None if !first_route.is_empty() => first_route,
            None => &request.uri,
        };
        run.engine
            .destination_of(next, &origin, &origin.target, run.now.time)
    }

    fn locate(mut self: Box<Self>, run: &mut Run) -> Outcome<Pending> {
        match self.find(run) {
            Destination::Known(hops) => self.write(run, hops),
            Destination::Ask(query) => {
                run.operation = Some(Operation::Resolve(query));
                self.at = At::Resolving;
                Outcome::Wait(Pending::Native(self))
            }
            Destination::Failed(error) => self.fail(run, error),
        }
    }

    fn write(mut self: Box<Self>, run: &mut Run, mut hops: Hops) -> Outcome<Pending> {
        if hops.is_empty() {
            return self.fail(run, errors::UNRESOLVABLE);
        }
        let hop = hops.remove(0);
        self.alternatives = hops.into_vec();
        let bytes = self.bytes(run, &hop, b"z9hG4bK");
        let Ok(message) = Message::parse(bytes) else {
            return self.fail(run, errors::BAD_URI);
        };
        let mut working = Working::new(Arc::new(message), nowhere());
        working.faked = true;
        working.hop = hop;
        match run.script.blocks.local_request {
            None => self.send(run, working, hop),
            Some(block) => {
                let saved = Box::new(Saved::swap(run, working, Slots::default(), Routes::EVENT));
                self.at = At::Routed { saved, hop };
                Outcome::Route {
                    block,
                    routes: Routes::EVENT,
                    then: Pending::Native(self),
                }
            }
        }
    }

    fn bytes(&self, run: &Run, hop: &Hop, branch: &[u8]) -> Vec<u8> {
        let request = &self.request;
        let via = via_value(run, hop, branch);
        let agent = &run.engine.identity.user_agent;
        let mut headers = Vec::with_capacity(request.headers.len() + agent.len() + 2);
        if !agent.is_empty() {
            headers.extend_from_slice(agent);
            headers.extend_from_slice(b"\r\n");
        }
        headers.extend_from_slice(&request.headers);
        let request = sip::build::Request {
            method: &request.method,
            uri: &request.uri,
            via: &via,
            to: &request.to,
            from: &request.from,
            cseq: request.cseq,
            call_id: &request.call_id,
            route: &request.route,
            max_forwards: (!request.has_max_forwards).then_some(70),
            user_agent: None,
            headers: &headers,
            body: &request.body,
        };
        request.to_vec()
    }

    fn send(mut self: Box<Self>, run: &mut Run, working: Working, hop: Hop) -> Outcome<Pending> {
        if working.message.method() == sip::Method::Ack {
            return send_once(run, &working, hop);
        }
        let now = run.now.time;
        let data = TxData::new(working.clone());
        let settings = run.engine.settings.transactions;
        let request = Arc::clone(&working.message);
        let Ok(mut tx) = run
            .engine
            .transactions
            .create_local(request, settings, data, now)
        else {
            return self.fail(run, errors::SERVER);
        };
        tx.data.local = self.request.done.take();
        let bytes = with_branch(run, &working, &hop, &tx.next_branch_value());
        let branch = BranchData {
            alternatives: self.alternatives,
            ..BranchData::default()
        };
        let sent = tx.add_branch(hop, bytes.into(), branch, now, &mut run.out);
        run.check_in();
        run.tx = Some(tx);
        if sent.is_err() {
            return replied(run, 477);
        }
        Outcome::Code(1)
    }

    fn fail(mut self: Box<Self>, run: &mut Run, error: i32) -> Outcome<Pending> {
        if let Some(done) = self.request.done.take() {
            done.done(run, errors::status(error).0, None);
        }
        Outcome::Code(1)
    }
}

/// An ACK has no transaction: nothing answers it.
fn send_once(run: &mut Run, working: &Working, hop: Hop) -> Outcome<Pending> {
    let branch = run.engine.transactions.stateless_branch(&working.message);
    let bytes = with_branch(run, working, &hop, &branch).into();
    run.out.push(transaction::Output::Send { hop, bytes });
    Outcome::Code(1)
}

/// The request with its Via written anew: only now is its branch known.
pub(crate) fn with_branch(run: &Run, working: &Working, hop: &Hop, branch: &[u8]) -> Vec<u8> {
    let message = &working.message;
    let mut edits = sip::Edits::new();
    if let Some(via) = message.header(sip::HeaderId::Via) {
        let value = via_value(run, hop, branch);
        edits.set_value(sip::Tag::Via, &via, &value);
    }
    let mut bytes = Vec::with_capacity(message.bytes().len() + 64);
    working
        .edits
        .apply(&[&edits], message, framing(hop.transport), &mut bytes);
    bytes
}

pub(crate) fn via_value(run: &Run, hop: &Hop, branch: &[u8]) -> Vec<u8> {
    let name = hop.transport.via_name();
    let mut value = format!(
        "SIP/2.0/{name} {};branch=",
        run.engine.via_sent_by(hop.socket)
    );
    value.push_str(&String::from_utf8_lossy(branch));
    value.into_bytes()
}

/// A reply to the request of our own at hand, or the status that stands for none.
pub(crate) fn replied(run: &mut Run, status: u16) -> Outcome<Pending> {
    if status < 200 {
        return Outcome::Code(1);
    }
    let now = run.now.time;
    let branch = run.branch.unwrap_or(0);
    let reply = run.tx.as_ref().and_then(|tx| {
        let branch = tx.branch(branch)?;
        branch.reply().cloned()
    });
    if reply.is_none() && crate::failover::try_next(run, branch, status) {
        return Outcome::Code(1);
    }
    let Some(tx) = &mut run.tx else {
        return Outcome::Code(1);
    };
    tx.decide(branch, status, now, &mut run.out);
    tx.release(now);
    let mut done = tx.data.local.take();
    if let Some(reply) = reply.as_deref().filter(|_| matches!(status, 401 | 407)) {
        done = crate::uac_retry::try_again(run, branch, reply, done);
        if done.is_none() {
            return Outcome::Code(1);
        }
    }
    let Some(tx) = &mut run.tx else {
        return Outcome::Code(1);
    };
    if tx.is_invite() && (200..300).contains(&status) {
        crate::uac_dialog::acknowledge(run, done.is_some());
    }
    if let Some(done) = done {
        done.done(run, status, reply);
    }
    Outcome::Code(1)
}
