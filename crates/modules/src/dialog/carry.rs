//! Carries out what the tracker decided: event routes, BYEs, log lines, and how long records are kept.

use std::sync::Arc;

use dialog::{DialogId, Effects, Event};
use engine::{Run, Working, level};
use script::{BlockId, Routes};

use super::bye;
use super::context::{self, Attached, Held};
use super::outgoing::Content;
use super::state::State;

/// Carries out effects on a call. `message` gives the message that event routes see.
pub(super) fn carry_out(
    run: &mut Run,
    state: &Arc<State>,
    id: DialogId,
    effects: Effects,
    message: impl Fn(&Run) -> Working,
) {
    complain(run, id, &effects);
    let is_quiet = effects.changed.is_none() && effects.byes.is_empty() && effects.acks.is_empty();
    if is_quiet {
        return;
    }
    // A call that is over goes with the last of those who hold its record, this function at least.
    let _held = Held::new(&state.tracker, id);
    for event in &effects.events {
        if let Some(block) = route_of(run, *event) {
            let event = engine::Event {
                block,
                routes: Routes::EVENT,
                working: message(run),
                slots: context::slots_of(&state.tracker, id),
            };
            run.events.push_back(event);
        }
    }
    if effects.wait_for_transaction {
        keep_for_transaction(run, state, id);
    }
    for request in effects.acks {
        bye::acknowledge(run, state, id, request);
    }
    for request in effects.byes {
        bye::send(run, state, id, request, &Content::default());
    }
}

fn route_of(run: &Run, event: Event) -> Option<BlockId> {
    match event {
        Event::Start => run.script.event("dialog:start"),
        Event::End => run.script.event("dialog:end"),
        Event::Failed => run.script.event("dialog:failed"),
        _ => None,
    }
}

/// The record stays as long as the transaction of the message that ended the call; when none did, as long
/// as that of its INVITE.
fn keep_for_transaction(run: &mut Run, state: &Arc<State>, id: DialogId) {
    let is_at_hand = context::attached(run).is_some_and(|attached| attached.id == id);
    let is_found = is_at_hand || (run.tx.is_none() && check_out_invite(run, state, id));
    if !is_found {
        return;
    }
    let held = Held::new(&state.tracker, id);
    if let Some(attached) = run.shared().slots.get_mut::<Attached>() {
        attached.held = held;
    }
}

/// Takes the transaction of a call's INVITE in hand; false when it is gone.
pub(super) fn check_out_invite(run: &mut Run, state: &State, id: DialogId) -> bool {
    let number = state.tracker.transaction(id);
    number.is_some_and(|number| run.switch_transaction(context::transaction_of(number)))
        && context::attached(run).is_some_and(|attached| attached.id == id)
}

fn complain(run: &Run, id: DialogId, effects: &Effects) {
    let say = |holds: bool, level: i32, text: &str| {
        if holds && run.engine.log.enabled(level) {
            run.log(level, "dialog", &format!("call {id}: {text}"));
        }
    };
    say(
        effects.bogus,
        level::WARNING,
        "the message does not fit the state of its call",
    );
    say(
        effects.no_contact,
        level::WARNING,
        "the 2xx has not exactly one Contact: its source is taken for it",
    );
    say(
        effects.no_ack,
        level::NOTICE,
        "no ACK came: the call ends in 10 seconds",
    );
    say(
        effects.too_many_forks,
        level::WARNING,
        "more branches answered than are tracked",
    );
    say(
        effects.unreachable > 0,
        level::ERROR,
        "a party's address was never known: no BYE can be sent to it",
    );
}
