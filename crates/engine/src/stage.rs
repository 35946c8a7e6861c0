//! The way of each input, from its arrival to what is sent because of it. Every stage ends by starting a
//! route block that returns to the next stage, or by being done.

use std::sync::Arc;

use script::{BlockId, BlockKind, Completion, Outcome, RouteEnd, Routes, Value};
use sip::{Message, Method};
use transaction::{Match, ReplyVerdict, TransactionId};

use crate::branch_failure::BranchFailure;
use crate::judge;
use crate::log::level;
use crate::pending::Pending;
use crate::run::Run;

/// A point on the way of an input.
#[derive(Debug)]
pub enum Stage {
    /// A message arrived; the event routes for all messages come first.
    Arrived,
    /// `event_route[core:msg-received]` has ended, or there is none.
    Received,
    /// `event_route[core:pre-routing]` has ended, or there is none.
    PreRouted,
    /// A request arrived.
    Request,
    /// `request_route` has ended.
    RequestEnd,
    /// A reply arrived.
    Reply,
    /// `reply_route` has ended, or there is none.
    ReplyMatch,
    /// An onreply route has ended.
    OnReply,
    /// The route for replies without a transaction has ended.
    Unmatched,
    /// `event_route[tm:branch-failure:…]` of a branch has ended.
    BranchFailureEnd(Box<BranchFailure>),
    /// The failure route of this branch has ended.
    FailureEnd,
    /// A transaction's deadline passed.
    Timer(TransactionId),
    /// A branch could not be sent, or its connection broke.
    BranchFailed {
        /// The transaction.
        id: TransactionId,
        /// The branch.
        branch: usize,
        /// The status that stands for it.
        status: u16,
    },
    /// A branch was given up unanswered because it was cancelled.
    BranchEnded {
        /// The transaction.
        id: TransactionId,
        /// The branch.
        branch: usize,
        /// The status that stands for it.
        status: u16,
    },
}

const DONE: Outcome<Pending> = Outcome::Code(1);

impl Stage {
    /// Goes on from this point.
    pub fn resume(self, run: &mut Run, with: Completion) -> Outcome<Pending> {
        let end = match with {
            Completion::Route(end) => end,
            _ => RouteEnd {
                code: 1,
                ..RouteEnd::default()
            },
        };
        match self {
            Self::Arrived => event(run, run.script.blocks.received, Self::Received),
            Self::Received if end.dropped => dropped(run),
            Self::Received => event(run, run.script.blocks.pre_routing, Self::PreRouted),
            Self::PreRouted if end.dropped => dropped(run),
            Self::PreRouted => arrived(run),
            Self::Request => request(run),
            Self::RequestEnd => request_end(run),
            Self::Reply => reply(run),
            Self::ReplyMatch => reply_match(run, end),
            Self::OnReply => on_reply_end(run, end),
            Self::Unmatched if end.dropped || end.code == 0 => {
                run.engine.counters.drop_replies.increment();
                DONE
            }
            Self::Unmatched => crate::forward::reply(run),
            Self::BranchFailureEnd(failure) => failure.end(run),
            Self::FailureEnd => judge::failure_end(run),
            Self::Timer(id) => judge::timer(run, id),
            Self::BranchFailed { id, branch, status } => {
                judge::branch_failed(run, id, branch, status)
            }
            Self::BranchEnded { id, branch, status } => {
                if !run.switch_transaction(id) {
                    return DONE;
                }
                judge::ended(run, vec![branch], status)
            }
        }
    }
}

/// Starts a block as this kind of run, to come back to `then`.
pub(crate) fn start(
    run: &mut Run,
    block: BlockId,
    routes: Routes,
    then: Stage,
) -> Outcome<Pending> {
    run.routes = routes;
    Outcome::Route {
        block,
        routes,
        then: Pending::Stage(then),
    }
}

/// Runs an event route if there is one, and goes on behind it.
fn event(run: &mut Run, block: Option<BlockId>, then: Stage) -> Outcome<Pending> {
    match block {
        Some(block) => start(run, block, Routes::EVENT, then),
        None => then.resume(run, Completion::Value(Value::Null)),
    }
}

fn arrived(run: &mut Run) -> Outcome<Pending> {
    if run.msg.message.is_request() {
        run.routes = Routes::REQUEST;
        request(run)
    } else {
        reply(run)
    }
}

fn dropped(run: &mut Run) -> Outcome<Pending> {
    let counters = &run.engine.counters;
    if run.msg.message.is_request() {
        counters.drop_requests.increment();
    } else {
        counters.drop_replies.increment();
    }
    DONE
}

fn request(run: &mut Run) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    count_request(run, message.method());
    match run.engine.transactions.match_request_of(run.key, &message) {
        Match::Retransmission(id) => {
            if run.switch_transaction(id)
                && let Some(tx) = &mut run.tx
            {
                tx.retransmitted(&mut run.out);
            }
            return DONE;
        }
        Match::AckNegative(id) => {
            let now = run.now.time;
            if run.switch_transaction(id)
                && let Some(tx) = &mut run.tx
            {
                tx.ack_received(now);
            }
            return DONE;
        }
        Match::Cancel { invite } => run.invite = invite,
        Match::AckTwoHundred(invite) => run.invite = invite,
        Match::New => {}
    }
    if refuse_while_stopping(run, &message) {
        return DONE;
    }
    run.msg.force_rport = run.engine.settings.force_rport;
    take_alias(run, &message);
    let engine = run.engine.clone();
    for hook in &engine.hooks.request_in {
        hook(run);
        if run.finished {
            return DONE;
        }
    }
    match run.script.blocks.request {
        Some(block) => start(run, block, Routes::REQUEST, Stage::RequestEnd),
        None => DONE,
    }
}

fn count_request(run: &Run, method: Method) {
    let counters = &run.engine.counters;
    counters.rcv_requests.increment();
    let name = method.name();
    let known = crate::counters::METHODS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name));
    let at =
        known.or_else(|| (method == Method::Publish).then_some(crate::counters::METHODS.len()));
    match at.and_then(|at| counters.rcv_requests_by_method.get(at)) {
        Some(counter) => counter.increment(),
        None => counters.unsupported_methods.increment(),
    }
}

/// Lets the stream of a request be found by the port in its Via, where the client and the configuration want it.
fn take_alias(run: &Run, message: &Message) {
    let Some(connection) = run.msg.hop.connection else {
        return;
    };
    if run.engine.settings.accept_aliases
        && let Some(via) = message.top_via()
        && via.param(b"alias").is_some()
    {
        let usual = run.msg.hop.transport.default_port();
        let port = via.port().unwrap_or(usual);
        if let Err(refused) = run.engine.streams.add_alias(connection, port) {
            let text = format!("no alias for port {port}: {refused}");
            run.engine.log.line(level::INFO, "core", &text);
        }
    }
}

/// New calls are refused while the process is on its way out; what belongs to a call goes on.
fn refuse_while_stopping(run: &mut Run, message: &Message) -> bool {
    if !run.engine.is_stopping() || message.to_tag().is_some() {
        return false;
    }
    if matches!(message.method(), Method::Ack | Method::Cancel) {
        return false;
    }
    run.msg
        .reply_headers
        .extend_from_slice(b"Retry-After: 5\r\n");
    run.answer_stateless(503, b"Service Unavailable");
    true
}

fn request_end(run: &mut Run) -> Outcome<Pending> {
    let engine = run.engine.clone();
    for hook in &engine.hooks.request_end {
        hook(run);
    }
    if let Some(error) = run.owed_error.take() {
        let answered = run.tx.as_ref().is_none_or(|tx| tx.is_answered());
        if !answered {
            run.answer_error(error, "TM");
        }
    }
    let now = run.now.time;
    if let Some(tx) = &mut run.tx
        && tx.requester().is_some()
        && tx.branches().is_empty()
        && !tx.is_answered()
        && !tx.data.suspended
    {
        if !tx.data.released {
            let text = "a script ended without answering or relaying a request with a transaction";
            run.engine.log.line(level::WARNING, "tm", text);
        }
        tx.release(now);
    }
    DONE
}

fn reply(run: &mut Run) -> Outcome<Pending> {
    let status = run.msg.message.status().unwrap_or(0);
    let method = run.msg.message.method();
    run.engine.counters.reply_received(status, method);
    let block = run.script.blocks.reply;
    match block.filter(|block| run.engine.foreign.is_there(*block)) {
        Some(block) => start(run, block, Routes::CORE_REPLY, Stage::ReplyMatch),
        None => reply_match(
            run,
            RouteEnd {
                code: 1,
                ..RouteEnd::default()
            },
        ),
    }
}

fn reply_match(run: &mut Run, end: RouteEnd) -> Outcome<Pending> {
    if end.dropped || end.code <= 0 {
        if end.code < 0 {
            let text = "reply_route ended with a negative code: the reply is dropped";
            run.engine.log.line(level::WARNING, "core", text);
        }
        run.engine.counters.drop_replies.increment();
        return DONE;
    }
    let message = Arc::clone(&run.msg.message);
    let found = run.engine.transactions.match_reply_of(run.key, &message);
    let Some(found) = found else {
        return unmatched(run);
    };
    // What the core's reply route set goes into the transaction's own, as far as there is room for it.
    let flags = run.msg.flags;
    if !run.switch_transaction(found.id) {
        return DONE;
    }
    run.branch = Some(found.branch);
    let now = run.now.time;
    let Some(tx) = &mut run.tx else { return DONE };
    let verdict = tx.reply_received(found.branch, &message, now, &mut run.out);
    if verdict == ReplyVerdict::Absorbed {
        return DONE;
    }
    run.msg.flags = flags | tx.data.working.flags;
    let status = message.status().unwrap_or(0);
    if tx.requester().is_none() {
        return crate::uac::replied(run, status);
    }
    let engine = run.engine.clone();
    for hook in &engine.hooks.reply_in {
        hook(run);
    }
    let Some(tx) = &run.tx else { return DONE };
    // What a branch route armed takes the place of the transaction's own.
    let of_branch = tx
        .branch(found.branch)
        .and_then(|branch| branch.data.armed.on_reply);
    match of_branch.or(tx.data.shared.armed.on_reply) {
        Some(block) => start(run, block, Routes::ONREPLY, Stage::OnReply),
        None => judge::judge(run, status),
    }
}

/// A reply that belongs to no transaction.
fn unmatched(run: &mut Run) -> Outcome<Pending> {
    let name = run.engine.settings.relaying.on_sl_reply.as_deref();
    match name.and_then(|name| run.find_block(BlockKind::OnReply, name)) {
        Some(block) => start(run, block, Routes::ONREPLY, Stage::Unmatched),
        None => crate::forward::reply(run),
    }
}

fn on_reply_end(run: &mut Run, end: RouteEnd) -> Outcome<Pending> {
    let status = run.reply_status();
    let flags = run.msg.flags;
    if let Some(tx) = &mut run.tx {
        tx.data.working.flags = flags;
    }
    if end.dropped && status < 200 {
        return DONE;
    }
    judge::judge(run, status)
}
