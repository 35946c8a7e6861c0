//! Ending calls from here: `dlg_bye()` and the management commands.

use std::sync::Arc;

use dialog::{DialogId, Ending, LegOutcome, Side, Sides, Termination};
use engine::{Engine, Input, Pending, Resume, Run, level, stand_in};
use script::{Args, Completion, Outcome, Routes};
use transaction::{Reason, Which};

use super::bye;
use super::carry::{self, carry_out};
use super::context::{self, Context};
use super::outgoing::Content;
use super::state::{State, moment};

/// The argument of `dlg_bye()`.
pub(super) fn sides(word: &[u8]) -> Option<Sides> {
    match word.to_ascii_lowercase().as_slice() {
        b"all" => Some(Sides::All),
        b"caller" => Some(Sides::One(Side::Caller)),
        b"callee" => Some(Sides::One(Side::Callee)),
        _ => None,
    }
}

pub(super) fn dlg_bye(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let (Some(sides), Some(id)) = (sides(args.str(0)), context::bound(run)) else {
        return Outcome::Code(-1);
    };
    let ended = end(run, &state, id, sides, &Content::default());
    Outcome::Code(if ended { 1 } else { -1 })
}

/// Ends a call; `content` goes into its BYEs. False when not all that was asked for could be done.
pub(super) fn end(
    run: &mut Run,
    state: &Arc<State>,
    id: DialogId,
    sides: Sides,
    content: &Content,
) -> bool {
    match state.tracker.end_local(id, sides, moment(run.now)) {
        None => false,
        Some(Ending::Already) => sides == Sides::All,
        Some(Ending::Early { .. }) => refuse(run, state, id, sides),
        Some(Ending::Ended(mut effects)) => {
            let reached_all = effects.unreachable == 0;
            let byes = std::mem::take(&mut effects.byes);
            carry_out(run, state, id, *effects, |_| stand_in());
            for request in byes {
                bye::send(run, state, id, request, content);
            }
            reached_all
        }
    }
}

/// Ends a call that was not answered: its INVITE gets a final reply, which also cancels the branches.
/// For the callee alone the branches are cancelled, and what they say to that is the caller's reply.
fn refuse(run: &mut Run, state: &Arc<State>, id: DialogId, sides: Sides) -> bool {
    let is_own = run
        .slots
        .get::<Context>()
        .is_some_and(|c| c.created && c.dialog == Some(id));
    let in_hand = match &run.tx {
        Some(tx) => Some(context::number_of(tx.id())) == state.tracker.transaction(id),
        None if is_own && run.routes.intersects(Routes::REQUEST) => {
            run.ensure_transaction().is_ok()
        }
        None => carry::check_out_invite(run, state, id),
    };
    if in_hand {
        let is_out = has_branches(run);
        let note = |side, outcome| state.tracker.note_early_end(id, side, outcome);
        if is_out {
            note(Side::Callee, LegOutcome::Pending);
        }
        if sides == Sides::One(Side::Callee) && is_out {
            run.cancel_branches(Which::All, Reason::None);
            return true;
        }
        return tell_caller(run, state, id);
    }
    let Some(call) = state.tracker.snapshot(id, moment(run.now)) else {
        return false;
    };
    if state.tracker.transaction(id).is_none() {
        let text = format!("call {id} is not answered, and its INVITE's transaction is gone");
        run.log(level::ERROR, "dialog", &text);
        return false;
    }
    let key = run.engine.call_key(call.call_id());
    let end = End {
        id,
        sides,
        content: Content::default(),
    };
    run.follow_ups.push((key, Input::Job(Box::new(end))));
    true
}

/// Answers the INVITE at hand, whose call is given up. False if it is answered already.
pub(super) fn tell_caller(run: &mut Run, state: &State, id: DialogId) -> bool {
    let (code, reason) = &state.bye_early;
    let is_answered = run.answer_stateful(*code, reason);
    let outcome = match is_answered {
        true => LegOutcome::Replied(*code),
        false => LegOutcome::NotSent,
    };
    state.tracker.note_early_end(id, Side::Caller, outcome);
    is_answered
}

/// Whether the INVITE at hand has gone anywhere.
fn has_branches(run: &Run) -> bool {
    run.tx.as_ref().is_some_and(|tx| !tx.branches().is_empty())
}

/// Ends a call in its turn.
pub(super) struct End {
    id: DialogId,
    sides: Sides,
    content: Content,
}

impl End {
    /// The input that ends a call whose end an observer asked for. Header lines that are none are left out.
    pub(super) fn wanted(engine: &Engine, wanted: &Termination) -> Input {
        let content = Content::parse(&wanted.headers, None).unwrap_or_else(|| {
            let text = format!("call {}: its BYEs go without the headers given", wanted.id);
            engine.log.line(level::ERROR, "dialog", &text);
            Content::default()
        });
        Self::job(wanted.id, content)
    }

    /// The input that ends a call on both sides.
    pub(super) fn job(id: DialogId, content: Content) -> Input {
        Input::Job(Box::new(Self {
            id,
            sides: Sides::All,
            content,
        }))
    }
}

impl Resume for End {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        let state = run.state::<State>();
        if !end(run, &state, self.id, self.sides, &self.content) {
            let text = format!("call {} could not be ended on all sides", self.id);
            run.log(level::ERROR, "dialog", &text);
        }
        Outcome::Code(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_words_in_any_case() {
        assert_eq!(sides(b"ALL"), Some(Sides::All));
        assert_eq!(sides(b"Caller"), Some(Sides::One(Side::Caller)));
        assert_eq!(sides(b"callee"), Some(Sides::One(Side::Callee)));
        assert_eq!(sides(b"both"), None);
    }
}
