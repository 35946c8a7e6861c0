//! Where calls take part in the way of a request besides the functions that scripts call.

use std::sync::Arc;

use dialog::{Direction, LegKey, LegOutcome, Request, Side};
use engine::{Run, TxData};
use sip::Method;

use super::context::{self, Attached, Context, Role};
use super::manage;
use super::message;
use super::state::{State, moment};

/// A CANCEL tells its call that the caller gave up; the reply to the INVITE ends it.
pub(super) fn request_in(run: &mut Run) {
    if run.invite.is_none() || run.msg.message.method() != Method::Cancel {
        return;
    }
    let state = run.state::<State>();
    let message = Arc::clone(&run.msg.message);
    let Some(key) = message::key(&message) else {
        return;
    };
    let direction = Direction::Downstream;
    let found = state
        .tracker
        .find(key.call_id, key.from_tag, b"", Some(direction));
    let Some(found) = found else { return };
    let request = Request {
        direction,
        method: dialog::Method::Cancel,
        callee_tag: b"",
        cseq: message.cseq().map_or(0, |cseq| cseq.number),
        contact: b"",
        socket: b"",
        lifetime: None,
        message: Some(&*message),
    };
    state.tracker.request(found.id, &request, moment(run.now));
}

/// A call whose INVITE got no transaction goes nowhere.
pub(super) fn request_end(run: &mut Run) {
    let context = run.slots.get::<Context>();
    let Some(id) = context.filter(|c| c.created).and_then(|c| c.dialog) else {
        return;
    };
    if run.tx.is_none() {
        let state = run.state::<State>();
        state.tracker.abandon(id, moment(run.now));
    }
}

/// Makes a call of an INVITE that is marked for it, and tells the call of its transaction.
pub(super) fn transaction_created(run: &mut Run) {
    let state = run.state::<State>();
    let invite = context::attached(run).filter(|attached| matches!(attached.role, Role::Invite));
    if let Some(Attached { id, .. }) = invite {
        let number = run.tx.as_ref().map(|tx| context::number_of(tx.id()));
        state.tracker.set_transaction(*id, number);
    }
    if context::attached(run).is_some() {
        manage::announce_late(run, &state);
        return;
    }
    if is_marked(run, &state) {
        manage::begin(run, &state);
    }
}

fn is_marked(run: &Run, state: &State) -> bool {
    let context = run.slots.get::<Context>();
    let on = run.msg.flags & state.dlg_flag != 0 || context.is_some_and(|context| context.on != 0);
    let message = &run.msg.message;
    on && message.method() == Method::Invite
        && message::to_tag(message).is_empty()
        && context::bound(run).is_none()
}

/// The callee's leg of a call that nobody has answered.
const fn before_answer() -> LegKey {
    LegKey {
        side: Side::Callee,
        callee_tag: Vec::new(),
    }
}

/// A branch of an INVITE that was cancelled here says how it ended.
pub(super) fn reply_in(run: &mut Run) {
    let status = run.reply_status();
    let Some(attached) = context::attached(run).filter(|_| status >= 300) else {
        return;
    };
    if matches!(attached.role, Role::Invite) {
        let state = run.state::<State>();
        let outcome = LegOutcome::Answered(status);
        state
            .tracker
            .leg_done(attached.id, &before_answer(), outcome);
    }
}

/// The transaction of an INVITE is over; a call that heard of no reply by now never will.
pub(super) fn transaction_done(run: &mut Run, data: &mut TxData) {
    let Some(attached) = data.shared.slots.get::<Attached>() else {
        return;
    };
    if !matches!(attached.role, Role::Invite) {
        return;
    }
    let state = run.state::<State>();
    let call = state.tracker.state(attached.id);
    // Of an answered call, which most are, no leg without a tag is waited for.
    if !call.is_some_and(dialog::State::is_active) {
        let (leg, outcome) = (before_answer(), LegOutcome::TimedOut);
        state.tracker.leg_done(attached.id, &leg, outcome);
    }
    state.tracker.set_transaction(attached.id, None);
    if call == Some(dialog::State::Unconfirmed) {
        state.tracker.abandon(attached.id, moment(run.now));
    }
}
