//! Requests within a call: the rows ACK, BYE, PRACK and REQ, refreshes, and crossing BYEs.

use tandem_dialog::{
    EndReason, Event, MatchMode, Method, Party, Reply, Request, Side, State, dflags, iflags,
};

use crate::support::{DOWN, Lab, START, UP, events, reply, request};

#[test]
fn every_row_of_the_table() {
    use Method::{Ack, Bye, Other, Prack};
    let bogus = None;
    let rows = [
        (Ack, [bogus, bogus, Some(4), Some(4), Some(5)]),
        (Bye, [bogus, Some(2), Some(5), Some(5), Some(5)]),
        (Prack, [bogus, Some(2), Some(3), Some(4), Some(5)]),
        (Other, [bogus, Some(2), Some(3), Some(4), Some(5)]),
    ];
    for (method, outcomes) in rows {
        for (state, outcome) in State::ALL.into_iter().zip(outcomes) {
            let lab = Lab::new(|_| {});
            let id = lab.call_in(state);
            let effects = lab.send(id, method, DOWN, 11);
            assert_eq!(effects.bogus, outcome.is_none(), "{method:?} in {state:?}");
            let after = lab.state(id).number();
            assert_eq!(
                after,
                outcome.unwrap_or(state.number()),
                "{method:?} in {state:?}"
            );
        }
    }
}

#[test]
fn a_bye_ends_the_call_once() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let bye = lab.send(id, Method::Bye, UP, 1);
    assert_eq!(bye.changed, Some((State::Confirmed, State::Deleted)));
    assert_eq!(events(&bye), [Event::End]);
    assert!(bye.wait_for_transaction);
    let view = lab.view(id);
    assert_eq!(view.ended(), Some((EndReason::Bye, Party::Callee)));
    assert_eq!(view.timeout(), 0);
    assert_ne!(view.dflags() & dflags::HAS_BYE, 0);
    for direction in [UP, DOWN] {
        let crossing = lab.send(id, Method::Bye, direction, 11);
        assert!(crossing.changed.is_none() && events(&crossing).is_empty() && !crossing.bogus);
    }
    assert_eq!(lab.view(id).ended(), Some((EndReason::Bye, Party::Callee)));
    assert_eq!(lab.tracker.statistics().active, 0);
}

#[test]
fn the_confirming_ack_restarts_the_lifetime() {
    let mut lab = Lab::new(|s| s.timeout_noreset = true);
    let id = lab.call_in(State::ConfirmedNoAck);
    lab.pass_secs(5);
    let ack = lab.send(id, Method::Ack, DOWN, 10);
    assert_eq!(events(&ack), [Event::Confirmed]);
    assert_eq!(ack.cookie, None);
    assert_eq!(lab.view(id).timeout(), START as u32 + 5 + 43_200);
    let again = lab.send(id, Method::Ack, DOWN, 10);
    assert_eq!(events(&again), [Event::RequestWithin]);
}

#[test]
fn requests_restart_the_lifetime_unless_told_not_to() {
    for (noreset, property, restarts) in [
        (false, 0, true),
        (true, 0, false),
        (false, iflags::TIMEOUT_NORESET, false),
    ] {
        let mut lab = Lab::new(|s| s.timeout_noreset = noreset);
        let id = lab.confirmed();
        lab.tracker.change_iflags(id, 0, property, lab.now());
        lab.pass_secs(7);
        let effects = lab.send(id, Method::Other, UP, 1);
        assert_eq!(events(&effects), [Event::RequestWithin]);
        assert!(effects.cookie.is_some());
        let expected = START as u32 + 43_200 + if restarts { 7 } else { 0 };
        assert_eq!(lab.view(id).timeout(), expected);
    }
}

#[test]
fn a_lifetime_from_the_script_counts_unless_it_is_the_default() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    assert!(lab.tracker.set_timeout(id, 600, lab.now()));
    let with = |lifetime| Request {
        lifetime,
        ..request(Method::Other, DOWN, 11)
    };
    for (lifetime, expected) in [
        (None, 600),
        (Some(43_200), 600),
        (Some(0), 600),
        (Some(30), 30),
    ] {
        lab.request(id, &with(lifetime));
        assert_eq!(lab.view(id).lifetime(), expected);
        assert_eq!(lab.view(id).timeout(), START as u32 + expected);
    }
    let ringing = lab.call_in(State::Early);
    lab.request(
        ringing,
        &Request {
            lifetime: Some(99),
            ..request(Method::Prack, DOWN, 11)
        },
    );
    let view = lab.view(ringing);
    assert_eq!((view.lifetime(), view.timeout()), (99, 0));
    assert_eq!(view.iflags(), iflags::PRACK);
}

#[test]
fn targets_are_refreshed_on_both_legs() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let moved = |method, direction, cseq, contact| Request {
        contact,
        ..request(method, direction, cseq)
    };
    lab.request(id, &moved(Method::Invite, DOWN, 12, b"sip:alice@two"));
    assert_eq!(lab.contact(id, Side::Caller), "sip:alice@two");
    let answered = Reply {
        contact: b"sip:bob@two",
        ..reply(200, b"tt1")
    };
    let within = |method, direction, reply: Reply<'_>| {
        lab.tracker
            .reply_within(id, direction, method, b"tt1", &reply, lab.now())
    };
    assert!(within(Method::Invite, DOWN, answered));
    assert_eq!(lab.contact(id, Side::Callee), "sip:bob@two");
    lab.request(id, &moved(Method::Update, UP, 1, b"sip:bob@three"));
    assert_eq!(lab.contact(id, Side::Callee), "sip:bob@three");
    assert!(within(
        Method::Update,
        UP,
        Reply {
            contact: b"sip:alice@three",
            ..answered
        }
    ));
    assert_eq!(lab.contact(id, Side::Caller), "sip:alice@three");
    lab.request(id, &moved(Method::Other, DOWN, 13, b"sip:not@taken"));
    assert!(!within(Method::Other, DOWN, answered));
    assert!(!within(
        Method::Invite,
        DOWN,
        Reply {
            status: 491,
            ..answered
        }
    ));
    assert!(!within(
        Method::Invite,
        DOWN,
        Reply {
            contact: b"",
            ..answered
        }
    ));
    assert_eq!(lab.contact(id, Side::Caller), "sip:alice@three");
    let view = lab.view(id);
    assert_eq!(view.leg(Side::Caller).cseq, Some(13));
    assert_eq!(view.leg(Side::Callee).cseq, Some(1));
}

#[test]
fn an_old_cseq_lowers_nothing() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    lab.send(id, Method::Other, DOWN, 20);
    lab.send(id, Method::Other, DOWN, 11);
    assert_eq!(lab.view(id).leg(Side::Caller).cseq, Some(20));
}

#[test]
fn requests_before_the_ack_change_no_timer() {
    let mut lab = Lab::new(|_| {});
    let id = lab.call_in(State::ConfirmedNoAck);
    lab.pass_secs(3);
    let effects = lab.send(id, Method::Other, DOWN, 11);
    assert!(events(&effects).is_empty() && effects.cookie.is_none());
    assert_eq!(lab.view(id).timeout(), START as u32 + 43_200);
}

#[test]
fn cookies_are_added_where_they_are_used() {
    for (mode, added) in [
        (MatchMode::DidOnly, true),
        (MatchMode::DidFallback, true),
        (MatchMode::DidNone, false),
    ] {
        let lab = Lab::new(|s| s.match_mode = mode);
        let id = lab.confirmed();
        assert_eq!(
            lab.send(id, Method::Invite, DOWN, 11).cookie.is_some(),
            added
        );
        assert_eq!(lab.tracker.cookie(id).is_some(), added);
    }
}
