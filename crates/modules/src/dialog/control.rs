//! Functions that find calls, and read or change one beyond its profiles and flags.

use dialog::{DialogId, Direction, Matched, Side};
use engine::{Pending, Run, level};
use script::{Args, Outcome, Value};
use sip::Method;

use super::context::{self, Context};
use super::state::{State, moment, seconds_of};

const YES: Outcome<Pending> = Outcome::Code(1);
const NO: Outcome<Pending> = Outcome::Code(-1);

fn truth(holds: bool) -> Outcome<Pending> {
    if holds { YES } else { NO }
}

/// The call with the Call-ID, From tag and To tag of the first three arguments.
fn named(state: &State, args: &Args<'_>) -> Option<Matched> {
    let (call_id, from_tag, to_tag) = (args.str(0), args.str(1), args.str(2));
    if call_id.is_empty() || from_tag.is_empty() {
        return None;
    }
    state.tracker.find(call_id, from_tag, to_tag, None)
}

pub(super) fn dlg_get(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(found) = named(&state, args) else {
        return NO;
    };
    let context = context::bind(run, &state, found.id);
    context.direction = Some(found.direction);
    YES
}

pub(super) fn dlg_get_var(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(target) = args.variable(4) else {
        return NO;
    };
    let found = named(&state, args);
    let value = found.and_then(|call| state.tracker.variable(call.id, args.str(3)));
    match target.set(run, Value::from(value)) {
        Ok(()) => YES,
        Err(error) => {
            run.log(level::ERROR, "dialog", &error.0);
            NO
        }
    }
}

pub(super) fn dlg_set_var(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(found) = named(&state, args) else {
        return NO;
    };
    match state
        .tracker
        .set_variable(found.id, args.str(3), args.str(4))
    {
        Ok(()) => YES,
        Err(error) => {
            run.log(level::ERROR, "dialog", &error.to_string());
            NO
        }
    }
}

pub(super) fn is_known_dlg(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(id) = context::current(run, &state) else {
        return NO;
    };
    if state.tracker.state(id).is_none() {
        return NO;
    }
    let message = &run.msg.message;
    if state.binds_cancel && message.is_request() && message.method() == Method::Cancel {
        context::bind(run, &state, id);
    }
    YES
}

pub(super) fn dlg_set_timeout(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let id = context::current(run, &state);
    truth(id.is_some_and(|id| set_timeout(run, &state, id, args.int(0))))
}

pub(super) fn dlg_set_timeout_of(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let number = |at| u32::try_from(args.int(at)).ok();
    let (Some(h_entry), Some(h_id)) = (number(1), number(2)) else {
        return NO;
    };
    let id = DialogId { h_entry, h_id };
    truth(set_timeout(run, &state, id, args.int(0)))
}

fn set_timeout(run: &Run, state: &State, id: DialogId, seconds: i64) -> bool {
    let seconds = seconds_of(seconds);
    seconds.is_some_and(|seconds| state.tracker.set_timeout(id, seconds, moment(run.now)))
}

pub(super) fn dlg_set_ruri(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(id) = context::current(run, &state) else {
        return NO;
    };
    let receiver = match direction(run, &state) {
        Some(Direction::Downstream) => Side::Callee,
        _ => Side::Caller,
    };
    match state.tracker.contact(id, receiver) {
        Some(contact) => {
            run.msg.set_uri(contact);
            YES
        }
        None => NO,
    }
}

/// Which way the message at hand travels in its call.
fn direction(run: &Run, state: &State) -> Option<Direction> {
    let sought = run.slots.get::<Context>().and_then(|c| c.direction);
    sought.or_else(|| {
        let key = super::message::key(&run.msg.message)?;
        let found = state
            .tracker
            .find(key.call_id, key.from_tag, key.to_tag, None)?;
        Some(found.direction)
    })
}
