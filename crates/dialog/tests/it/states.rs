//! Every state against every input, through the tracker, compared with the table.

use tandem_dialog::state::{Input, Outcome, outcome};
use tandem_dialog::{DialogId, Event, Method, Sides, State};

use crate::support::{DOWN, Lab};

/// What an input did: the state after it (`None` if the record went), and whether it was bogus.
fn drive(lab: &mut Lab, id: DialogId, input: Input) -> (Option<State>, bool) {
    let method = |method| Some(lab.send(id, method, DOWN, 11));
    let effects = match input {
        Input::Provisional => Some(lab.reply(id, 183, b"tt1")),
        Input::Success => Some(lab.reply(id, 200, b"tt9")),
        Input::Negative => Some(lab.reply(id, 486, b"tt1")),
        Input::Ack => method(Method::Ack),
        Input::Bye => method(Method::Bye),
        Input::Prack => method(Method::Prack),
        Input::Request => method(Method::Other),
        Input::Cancel => method(Method::Cancel),
        Input::Abandon => lab.tracker.abandon(id, lab.now()),
        Input::LocalEnd => {
            lab.tracker.end_local(id, Sides::All, lab.now());
            None
        }
        Input::Timeout => {
            // Past the last ten seconds of a call without ACK as well.
            for seconds in [60 * 60 * 24, 11] {
                if lab.tracker.state(id).is_some_and(|s| s != State::Deleted) || seconds > 11 {
                    lab.pass_secs(seconds);
                    lab.tick();
                }
            }
            None
        }
    };
    (lab.tracker.state(id), effects.is_some_and(|e| e.bogus))
}

#[test]
fn the_tracker_does_what_the_table_says() {
    for state in State::ALL {
        for input in Input::ALL {
            let mut lab = Lab::new(|_| {});
            let id = lab.call_in(state);
            lab.tracker.hold(id);
            let (after, bogus) = drive(&mut lab, id, input);
            let expected = match outcome(state, input) {
                Outcome::Keep | Outcome::Bogus => Some(state),
                Outcome::To(new) => Some(new),
                Outcome::Revive => Some(State::ConfirmedNoAck),
                Outcome::Remove => None,
            };
            assert_eq!(after, expected, "{state:?} + {input:?}");
            assert_eq!(
                bogus,
                outcome(state, input) == Outcome::Bogus,
                "{state:?} + {input:?}"
            );
        }
    }
}

#[test]
fn a_call_ends_once_whatever_comes() {
    for first in Input::ALL {
        for second in Input::ALL {
            let mut lab = Lab::new(|_| {});
            let id = lab.confirmed();
            lab.tracker.hold(id);
            for input in [first, second] {
                if lab.tracker.state(id).is_some() {
                    drive(&mut lab, id, input);
                }
            }
            let stats = lab.tracker.statistics();
            let active = lab.tracker.state(id).is_some_and(State::is_active);
            assert_eq!(stats.active, u64::from(active), "{first:?}, {second:?}");
            assert_eq!(stats.failed, 0);
        }
    }
}

#[test]
fn the_end_is_told_once() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let mut ends = 0;
    for _ in 0..3 {
        let effects = lab.send(id, Method::Bye, DOWN, 11);
        ends += effects
            .events
            .iter()
            .filter(|&&event| event == Event::End)
            .count();
        lab.tracker.end_local(id, Sides::All, lab.now());
    }
    assert_eq!(ends, 1);
}

#[test]
fn a_state_set_by_hand_keeps_every_count_right() {
    let lab = Lab::new(|_| {});
    let caller = lab.tracker.profile("caller").expect("declared");
    for from in State::ALL {
        for to in State::ALL {
            let id = lab.call_in(from);
            // An ended call joins nothing.
            let _ = lab.tracker.set_profile(id, caller, Some(b"x"));
            assert_eq!(lab.tracker.set_state(id, to, lab.now()), Some(from));
            assert_eq!(lab.state(id), to);
            let is_member = from != State::Deleted && to != State::Deleted;
            let size = lab.tracker.profile_size(caller, Some(b"x"));
            assert_eq!(size, usize::from(is_member), "{from:?} {to:?}");
            lab.tracker.set_state(id, State::Deleted, lab.now());
        }
    }
    let s = lab.tracker.statistics();
    assert_eq!((s.active, s.early, s.in_state[4]), (0, 0, 25));
}

#[test]
fn a_call_ended_by_hand_goes_silently_after_end_timeout() {
    let mut lab = Lab::new(|s| s.end_timeout = 20);
    let id = lab.confirmed();
    lab.tracker.set_state(id, State::Deleted, lab.now());
    let view = lab.view(id);
    assert_eq!(view.end_ts(), view.init_ts());
    assert_eq!(
        view.ended().map(|(reason, _)| reason.name()),
        Some("forced")
    );
    lab.pass_ms(20_016);
    let done = lab.tick();
    assert!(done[0].1.events.is_empty() && done[0].1.removed);
}
