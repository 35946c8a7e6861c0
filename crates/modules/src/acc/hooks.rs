//! Where accounting listens: a transaction begins, fails, is answered; an ACK goes through.

use std::sync::Arc;

use engine::{Onward, ReplyOut, Run, Tx, TxBranch};
use sip::Method;

use super::record::{Record, accounted, write_of_transaction};
use super::state::{Accounted, State};
use super::{ACKNOWLEDGED, ANSWERED, MISSED};

/// Only a transaction whose request is marked when it begins is ever accounted.
pub(super) fn transaction_created(run: &mut Run) {
    let state = run.state::<State>();
    if run.msg.message.method() == Method::Cancel && !state.report_cancels {
        return;
    }
    let wanted = state.log | state.missed | state.prepare;
    if run.msg.flags & wanted == 0 && !state.prepare_always {
        return;
    }
    let is_upstream = state.is_upstream(run);
    run.shared().slots.put(Accounted {
        is_upstream,
        is_acknowledged: false,
    });
}

/// All branches failed. The failure route that may run next can mark the call as one to be missed again.
pub(super) fn failed(run: &mut Run, branch: usize) {
    let Some(winner) = run.tx.as_ref().and_then(|tx| tx.winner(branch)) else {
        return;
    };
    let reply = winner.reply.as_deref();
    let own_tag = |run: &Run| run.tx.as_ref().map(|tx| run.own_to_tag(tx));
    let to_tag = match reply {
        Some(reply) => reply.to_tag().unwrap_or_default().to_vec(),
        None => own_tag(run).unwrap_or_default(),
    };
    let state = run.state::<State>();
    let record = Record::of_reply(&state, MISSED, winner.status, reply, &to_tag);
    missed(run, &state, &record, Some(branch));
}

/// A reply is about to leave for the client.
pub(super) fn reply_out(run: &mut Run, out: &ReplyOut) -> Onward {
    account(run, out);
    Onward::Send
}

fn account(run: &mut Run, out: &ReplyOut) {
    let Some(tx) = &run.tx else { return };
    if accounted(tx).is_none() || tx.is_answered() {
        return;
    }
    let state = run.state::<State>();
    let reply = out.message.as_deref();
    let branch = branch_of(run, tx, out);
    let record = |lead| Record::of_reply(&state, lead, out.status, reply, out.to_tag());
    if out.status >= 300 {
        missed(run, &state, &record(MISSED), branch);
    }
    let has_body = reply.is_some_and(|reply| !reply.body().is_empty());
    if state.counts(flags(run), out.status, has_body) {
        write_of_transaction(run, &state, &record(ANSWERED), branch);
    }
}

/// The branch that a reply came by, or whose silence it stands for.
fn branch_of(run: &Run, tx: &Tx, out: &ReplyOut) -> Option<usize> {
    let of_reply = out.message.as_ref().and_then(|message| {
        let is_its =
            |branch: &TxBranch| branch.reply().is_some_and(|own| Arc::ptr_eq(own, message));
        tx.branches().iter().position(is_its)
    });
    // A failure route answers the request itself.
    of_reply.or(run.branch.filter(|_| run.failure_winner.is_none()))
}

/// An INVITE without success: logged if it is marked so, which ends the mark.
fn missed(run: &mut Run, state: &State, record: &Record, branch: Option<usize>) {
    let Some(tx) = &run.tx else { return };
    if accounted(tx).is_none() || !tx.is_invite() || flags(run) & state.missed == 0 {
        return;
    }
    write_of_transaction(run, state, record, branch);
    let Some(tx) = &mut run.tx else { return };
    tx.data.working.flags &= !state.missed;
    if Arc::ptr_eq(tx.request(), &run.msg.message) {
        run.msg.flags &= !state.missed;
    }
}

/// The flags of the request of the transaction at hand.
fn flags(run: &Run) -> u32 {
    match &run.tx {
        Some(tx) if !Arc::ptr_eq(tx.request(), &run.msg.message) => tx.data.working.flags,
        _ => run.msg.flags,
    }
}

/// An ACK to a 2xx is about to leave.
pub(super) fn ack_out(run: &mut Run) {
    let Some(invite) = run.invite else { return };
    let state = run.state::<State>();
    let table = &run.engine.transactions;
    let Some(mut tx) = table.checkout(invite) else {
        return;
    };
    let is_marked = tx.data.working.flags & state.log != 0;
    let status = tx.last_status();
    let note = tx.data.shared.slots.get_mut::<Accounted>();
    let first = note.filter(|note| is_marked && !note.is_acknowledged);
    let is_upstream = first.map(|note| {
        note.is_acknowledged = true;
        note.is_upstream
    });
    // It was in the table a moment ago, and nothing was done to its state: it stays there.
    drop(table.check_in(tx));
    let Some(is_upstream) = is_upstream else {
        return;
    };
    let message = Arc::clone(&run.msg.message);
    let to_tag = message.to_tag().unwrap_or_default();
    Record::of_reply(&state, ACKNOWLEDGED, status, None, to_tag).write(run, &state, is_upstream);
}
