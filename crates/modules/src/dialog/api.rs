//! What other modules may ask of the call of the message at hand, and tell it. Without module dialog, or a call,
//! there is nothing to ask.

use dialog::{DialogId, Side};
use engine::{LocalState, Run};

use super::context::{self, Role};
use super::state::State;

fn at_hand(run: &Run) -> Option<(LocalState<State>, DialogId)> {
    let state = run.engine.state::<State>()?;
    let id = context::current(run, &state)?;
    Some((state, id))
}

/// A variable of the call.
pub(crate) fn variable(run: &Run, name: &[u8]) -> Option<Vec<u8>> {
    let (state, id) = at_hand(run)?;
    state.tracker.variable(id, name).map(|value| value.to_vec())
}

/// Sets a variable of the call; false without one.
pub(crate) fn set_variable(run: &Run, name: &[u8], value: &[u8]) -> bool {
    at_hand(run).is_some_and(|(state, id)| state.tracker.set_variable(id, name, value).is_ok())
}

/// The request of the transaction at hand goes out once more, with credentials: with `track_cseq_updates` it gets a
/// higher CSeq, and what follows within the call too.
pub(crate) fn authenticated(run: &Run) {
    let Some(state) = run.engine.state::<State>() else {
        return;
    };
    if !state.tracker.settings().track_cseq {
        return;
    }
    let (Some(attached), Some(tx)) = (context::attached(run), &run.tx) else {
        return;
    };
    let sender = match &attached.role {
        Role::Invite => Side::Caller,
        Role::Within { direction, .. } => direction.sender(),
        Role::Spiral => return,
    };
    if let Some(cseq) = tx.request().cseq() {
        state.tracker.raise_cseq(attached.id, sender, cseq.number);
    }
}
