//! What becomes of a branch's outcome: the best reply is chosen, failure routes run, timers and CANCELs end
//! branches.

use script::{Outcome, Routes};
use transaction::{CancelOutcome, Conclusion, Decision, TimerEvent, TransactionId};

use crate::engine::Armed;
use crate::errors;
use crate::pending::Pending;
use crate::run::Run;
use crate::stage::{Stage, start};
use crate::working::Working;

const DONE: Outcome<Pending> = Outcome::Code(1);

/// The scripts of a reply have run: its failure may be one that a script wants to hear of.
pub(crate) fn judge(run: &mut Run, status: u16) -> Outcome<Pending> {
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
        Decision::ForwardNow => run.forward_branch_reply(branch, status),
        Decision::AllFinal { winner } => all_final(run, winner),
        Decision::Stored | Decision::Discard => DONE,
    }
}

fn all_final(run: &mut Run, winner: usize) -> Outcome<Pending> {
    let engine = run.engine.clone();
    for hook in &engine.hooks.failed {
        hook(run, winner);
    }
    let Some(tx) = &mut run.tx else { return DONE };
    // Once only: a route that is not armed again is not run again when the same reply wins again.
    let armed = tx
        .branch_mut(winner)
        .and_then(|branch| branch.data.armed.on_failure.take());
    let Some(block) = armed else {
        return run.send_winner(winner);
    };
    // The route sees the request as it was when the transaction was made.
    let reply = tx.branch(winner).and_then(|branch| branch.reply().cloned());
    let mut working = Working::clone(&tx.data.working);
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

/// The failure route has ended.
pub(crate) fn failure_end(run: &mut Run) -> Outcome<Pending> {
    let flags = run.msg.flags;
    let Some(tx) = &mut run.tx else { return DONE };
    tx.data.working.flags = flags;
    let before = run.failure_winner.take();
    // The same reply may win against the new branches: what was armed for them is for it too.
    let armed_again = tx.data.shared.armed.on_failure;
    if let Some(record) = before.and_then(|branch| tx.branch_mut(branch)) {
        record.data.armed.on_failure = armed_again;
    }
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
            run.send_winner(winner)
        }
        Conclusion::Relay { winner } => run.send_winner(winner),
    }
}

/// A deadline of a transaction has come.
pub(crate) fn timer(run: &mut Run, id: TransactionId) -> Outcome<Pending> {
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
        return crate::uac::replied(run, timeout_status);
    }
    let outcome = ended(run, timed_out, timeout_status);
    if is_unanswered && matches!(outcome, Outcome::Code(_)) {
        run.engine.counters.err_requests.increment();
        run.answer_made_up(timeout_status);
    }
    outcome
}

/// A branch could not be sent, or its connection broke.
pub(crate) fn branch_failed(
    run: &mut Run,
    id: TransactionId,
    branch: usize,
    status: u16,
) -> Outcome<Pending> {
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
        return crate::uac::replied(run, status);
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
