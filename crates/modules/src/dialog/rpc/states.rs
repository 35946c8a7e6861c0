//! Asking for the state of one call, and setting it.

use std::sync::Arc;

use dialog::State as CallState;
use rpc::{Command, Fault, Kind};

use super::{command, find, tags};
use crate::dialog::state::State;

pub(super) fn is_alive(state: &Arc<State>) -> Command {
    let doc = "Says whether the call with this Call-ID and these tags is confirmed.";
    command("dlg.is_alive", doc, state, |call, state| {
        let missing = "Too few parameters (required callid, from-tag, to-tag)";
        let named = tags(call, missing)?;
        let id = find(&state.tracker, &named);
        match id.and_then(|id| state.tracker.state(id)) {
            None => Err(Fault::new(404, "Dialog not found")),
            Some(CallState::Confirmed) => {
                call.add("Alive");
                Ok(())
            }
            Some(_) => Err(Fault::new(500, "Dialog not in confirmed state")),
        }
    })
    .parameter("callid", Kind::Str)
    .parameter("from_tag", Kind::Str)
    .parameter("to_tag", Kind::Str)
}

pub(super) fn set_state(state: &Arc<State>) -> Command {
    let doc = "Puts the call with this Call-ID and these tags into a state (5 without one): nobody is told.";
    command("dlg.set_state", doc, state, |call, state| {
        let named = tags(call, "Need the callid, from tag,to tag and state")?;
        let invalid = || Fault::new(500, "Invalid state value");
        let number = call.opt_int().map_err(|_| invalid())?.unwrap_or(5);
        let mut states = CallState::ALL.into_iter();
        let wanted = states.find(|state| i64::from(state.number()) == number);
        let wanted = wanted.ok_or_else(invalid)?;
        let set = find(&state.tracker, &named)
            .and_then(|id| state.tracker.set_state(id, wanted, state.last_tick()));
        set.ok_or_else(|| Fault::new(500, "Dialog not found"))?;
        call.add("Done");
        Ok(())
    })
    .parameter("callid", Kind::Str)
    .parameter("from_tag", Kind::Str)
    .parameter("to_tag", Kind::Str)
    .optional("state", Kind::Int)
}
