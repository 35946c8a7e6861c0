//! The way of each input, from its arrival to what is sent because of it. Every stage ends by starting a
//! route block that returns to the next stage, or by being done.

use std::sync::Arc;

use script::{BlockId, Completion, Outcome, RouteEnd, Routes};
use sip::{Message, Method};
use transaction::{
    CancelOutcome, Conclusion, Decision, Match, ReplyVerdict, TimerEvent, TransactionId,
};

use crate::branch_failure::BranchFailure;
use crate::engine::Armed;
use crate::errors;
use crate::log::level;
use crate::pending::Pending;
use crate::run::Run;

/// A point on the way of an input.
#[derive(Debug)]
pub enum Stage {
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
            Self::Request => request(run),
            Self::RequestEnd => request_end(run),
            Self::Reply => reply(run),
            Self::ReplyMatch => reply_match(run, end),
            Self::OnReply => on_reply_end(run, end),
            Self::BranchFailureEnd(failure) => failure.end(run),
            Self::FailureEnd => failure_end(run),
            Self::Timer(id) => timer(run, id),
            Self::BranchFailed { id, branch, status } => branch_failed(run, id, branch, status),
            Self::BranchEnded { id, branch, status } => {
                if !run.switch_transaction(id) {
                    return DONE;
                }
                ended(run, vec![branch], status)
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

fn request(run: &mut Run) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    count_request(run, message.method());
    match run.engine.transactions.match_request(&message) {
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
    let engine = Arc::clone(&run.engine);
    for hook in &engine.hooks.request_in {
        hook(run);
        if run.finished {
            return DONE;
        }
    }
    match engine.blocks.request {
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
    let engine = Arc::clone(&run.engine);
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
    match run.engine.blocks.reply {
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
    let Some(found) = run.engine.transactions.match_reply(&message) else {
        crate::forward::reply(run);
        return DONE;
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
        return local_reply(run, status);
    }
    let engine = Arc::clone(&run.engine);
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
        None => judge(run, status),
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
    judge(run, status)
}

/// The scripts of a reply have run: its failure may be one that a script wants to hear of.
fn judge(run: &mut Run, status: u16) -> Outcome<Pending> {
    match crate::branch_failure::start(run, status, Vec::new()) {
        Some(outcome) => outcome,
        None => decide(run, status),
    }
}

/// The branch has a new status, its scripts have run: what becomes of it?
pub(crate) fn decide(run: &mut Run, status: u16) -> Outcome<Pending> {
    let now = run.now.time;
    let (Some(branch), Some(tx)) = (run.branch, &mut run.tx) else {
        return DONE;
    };
    if status >= 300
        && !run.msg.message.is_request()
        && let Some(record) = tx.branch_mut(branch)
    {
        record.data.reply = Some(Box::new(run.msg.clone()));
    }
    match tx.decide(branch, status, now, &mut run.out) {
        Decision::ForwardNow => {
            run.forward_branch_reply(branch, status);
            DONE
        }
        Decision::AllFinal { winner } => all_final(run, winner),
        Decision::Stored | Decision::Discard => DONE,
    }
}

fn all_final(run: &mut Run, winner: usize) -> Outcome<Pending> {
    let Some(tx) = &mut run.tx else { return DONE };
    // Once only: a route that is not armed again is not run again when the same reply wins again.
    let armed = tx
        .branch_mut(winner)
        .and_then(|branch| branch.data.armed.on_failure.take());
    let Some(block) = armed else {
        run.send_winner(winner);
        return DONE;
    };
    // The route sees the request as it was when the transaction was made.
    let reply = tx.branch(winner).and_then(|branch| branch.reply().cloned());
    let mut working = tx.data.working.clone();
    working.branches.clear();
    tx.data.shared.armed = Armed {
        on_reply: tx.data.shared.armed.on_reply,
        ..Armed::default()
    };
    run.msg = working;
    run.msg.uri_consumed = true;
    run.reply = reply;
    run.branch = Some(winner);
    run.failure_winner = Some(winner);
    start(run, block, Routes::FAILURE, Stage::FailureEnd)
}

fn failure_end(run: &mut Run) -> Outcome<Pending> {
    let flags = run.msg.flags;
    let Some(tx) = &mut run.tx else { return DONE };
    tx.data.working.flags = flags;
    let before = run.failure_winner.take();
    match tx.conclude_failure() {
        Conclusion::Continue | Conclusion::Answered => DONE,
        // New branches that failed at once may bring another winner with a route of its own.
        Conclusion::Relay { winner } if before != Some(winner) => {
            let armed = tx
                .branch(winner)
                .is_some_and(|branch| branch.data.armed.on_failure.is_some());
            if armed {
                return all_final(run, winner);
            }
            run.send_winner(winner);
            DONE
        }
        Conclusion::Relay { winner } => {
            run.send_winner(winner);
            DONE
        }
    }
}

fn timer(run: &mut Run, id: TransactionId) -> Outcome<Pending> {
    if !run.switch_transaction(id) {
        return DONE;
    }
    let now = run.now.time;
    let Some(tx) = &mut run.tx else { return DONE };
    let timeout_status = tx.settings().policy.timeout_status;
    let events = tx.on_timer(now, &mut run.out);
    let mut timed_out = Vec::new();
    let mut is_unanswered = false;
    for event in events {
        match event {
            TimerEvent::BranchTimeout { branch } => timed_out.push(branch),
            TimerEvent::CancelTimeout { .. } | TimerEvent::NoAck => {}
            TimerEvent::Unanswered => is_unanswered = !tx.is_silent(),
        }
    }
    let local = tx.requester().is_none();
    if local && let Some(branch) = timed_out.first() {
        run.branch = Some(*branch);
        return local_reply(run, timeout_status);
    }
    let outcome = ended(run, timed_out, timeout_status);
    if is_unanswered && matches!(outcome, Outcome::Code(_)) {
        run.engine.counters.err_requests.increment();
        run.answer_made_up(timeout_status);
    }
    outcome
}

fn branch_failed(run: &mut Run, id: TransactionId, branch: usize, status: u16) -> Outcome<Pending> {
    if !run.switch_transaction(id) {
        return DONE;
    }
    let now = run.now.time;
    let Some(tx) = &mut run.tx else { return DONE };
    if !tx.branch_failed(branch, now) {
        return DONE;
    }
    if tx.requester().is_none() {
        run.branch = Some(branch);
        return local_reply(run, status);
    }
    ended(run, vec![branch], status)
}

/// Judges branches that ended without a reply, one after the other.
pub(crate) fn ended(run: &mut Run, mut branches: Vec<usize>, status: u16) -> Outcome<Pending> {
    while !branches.is_empty() {
        let branch = branches.remove(0);
        run.branch = Some(branch);
        if crate::failover::try_next(run, branch, status) {
            continue;
        }
        let rest = std::mem::take(&mut branches);
        if let Some(outcome) = crate::branch_failure::start(run, status, rest.clone()) {
            return outcome;
        }
        branches = rest;
        match decide(run, status) {
            Outcome::Code(_) => {}
            // Only the last branch can make all final, so nothing is left behind a failure route.
            other => return other,
        }
    }
    DONE
}

/// A CANCEL reached the INVITE that it means; returns the code of `t_relay()`.
pub(crate) fn cancel_invite(run: &mut Run, invite: TransactionId) -> Result<i64, i32> {
    run.ensure_transaction()?;
    let Some(cancel) = run.tx.take() else {
        return Err(errors::SERVER);
    };
    let reason = run
        .msg
        .message
        .header_by_name(b"Reason")
        .map(|header| header.value.to_vec());
    let now = run.now.time;
    let outcome = match run.engine.transactions.checkout(invite) {
        Some(mut tx) => {
            let outcome = tx.cancel(reason.as_deref(), now, &mut run.out);
            run.tx = Some(tx);
            Some(outcome)
        }
        None => None,
    };
    let mut follow_ups = Vec::new();
    match &outcome {
        Some(CancelOutcome::NoBranches) => {
            run.answer_invite_cancelled();
        }
        Some(CancelOutcome::Cancelling(ended)) => {
            let key = run.call_key();
            follow_ups.extend(ended.iter().map(|branch| {
                (
                    key,
                    crate::input::Input::BranchEnded {
                        id: invite,
                        branch: *branch,
                        status: 487,
                    },
                )
            }));
        }
        _ => {}
    }
    run.check_in();
    run.tx = Some(cancel);
    run.follow_ups.extend(follow_ups);
    let text: &[u8] = match outcome {
        Some(CancelOutcome::Cancelling(_) | CancelOutcome::NoBranches) => b"canceling",
        _ => b"ok -- no more pending branches",
    };
    run.answer(200, text);
    Ok(1)
}

fn local_reply(run: &mut Run, status: u16) -> Outcome<Pending> {
    crate::uac::replied(run, status)
}
