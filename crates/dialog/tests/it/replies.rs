//! Replies to the INVITE: the rows T-1xx, T-2xx and T-neg, and what they record.

use tandem_dialog::{EndReason, Event, Method, Party, Reply, Side, State};

use crate::support::{DOWN, INVITE, Lab, START, events, reply, text};

#[test]
fn a_call_rings_and_is_answered() {
    let lab = Lab::new(|_| {});
    let id = lab.call();
    assert_eq!(lab.reply(id, 100, b"").changed, None);
    let early = lab.reply(id, 180, b"");
    assert_eq!(early.changed, Some((State::Unconfirmed, State::Early)));
    assert_eq!(events(&early), [Event::Early]);
    let again = lab.reply(id, 183, b"tt1");
    assert_eq!((again.changed, events(&again)), (None, &[Event::Early][..]));
    let start = lab.reply(id, 200, b"tt1");
    assert_eq!(start.changed, Some((State::Early, State::ConfirmedNoAck)));
    assert_eq!(events(&start), [Event::Start]);
    let view = lab.view(id);
    assert_eq!(view.start_ts(), START as u32);
    assert_eq!(view.timeout(), START as u32 + 43_200);
    let callee = view.leg(Side::Callee);
    assert_eq!(callee.tag, Some(b"tt1".as_slice()));
    assert_eq!(callee.contact, Some(b"sip:bob@127.0.0.1:25080".as_slice()));
    assert_eq!(
        (callee.cseq, callee.route_set),
        (Some(0), Some(b"".as_slice()))
    );
    let repeated = lab.reply(id, 200, b"tt1");
    assert!(repeated.changed.is_none() && events(&repeated).is_empty() && !repeated.bogus);
}

#[test]
fn counters_follow_the_states() {
    let lab = Lab::new(|_| {});
    let counts = || {
        let s = lab.tracker.statistics();
        (s.processed, s.early, s.active, s.expired, s.failed)
    };
    let id = lab.call();
    assert_eq!(counts(), (1, 0, 0, 0, 0));
    lab.reply(id, 180, b"tt1");
    assert_eq!(counts(), (1, 1, 0, 0, 0));
    lab.reply(id, 200, b"tt1");
    assert_eq!(counts(), (1, 0, 1, 0, 0));
    lab.send(id, Method::Ack, DOWN, 10);
    assert_eq!(counts(), (1, 0, 1, 0, 0));
    lab.send(id, Method::Bye, DOWN, 11);
    assert_eq!(counts(), (1, 0, 0, 0, 0));
    let failed = lab.call();
    lab.reply(failed, 180, b"x");
    lab.reply(failed, 486, b"x");
    assert_eq!(counts(), (2, 0, 0, 0, 1));
    assert_eq!(lab.tracker.statistics().in_state, [0, 0, 0, 0, 2]);
    lab.tracker
        .reset_statistic(tandem_dialog::Resettable::Processed);
    assert_eq!(counts(), (0, 0, 0, 0, 1));
}

#[test]
fn a_refused_call_failed() {
    for wait_ack in [true, false] {
        let lab = Lab::new(|s| s.wait_ack = wait_ack);
        for state in [State::Unconfirmed, State::Early] {
            let id = lab.call_in(state);
            lab.tracker.hold(id);
            let effects = lab.reply(id, 486, b"tt1");
            assert_eq!(effects.changed, Some((state, State::Deleted)));
            assert_eq!(events(&effects), [Event::Failed]);
            assert_eq!(effects.wait_for_transaction, wait_ack);
            let view = lab.view(id);
            assert_eq!(
                view.ended(),
                Some((EndReason::Rejected(486), Party::Callee))
            );
            assert_eq!((view.end_ts(), view.duration()), (START as u32, 0));
            assert!(lab.tracker.release(id), "nothing else keeps the record");
            assert_eq!(lab.tracker.state(id), None);
        }
    }
}

#[test]
fn cancel_is_no_event_but_is_remembered() {
    let lab = Lab::new(|_| {});
    let id = lab.call_in(State::Early);
    let cancel = lab.send(id, Method::Cancel, DOWN, 10);
    assert!(cancel.changed.is_none() && events(&cancel).is_empty());
    lab.reply(id, 487, b"tt1");
    assert_eq!(
        lab.view(id).ended(),
        Some((EndReason::Cancelled, Party::Caller))
    );
}

#[test]
fn replies_that_cannot_be_are_bogus() {
    let lab = Lab::new(|_| {});
    for state in [State::ConfirmedNoAck, State::Confirmed, State::Deleted] {
        for status in [180, 486] {
            let id = lab.call_in(state);
            let effects = lab.reply(id, status, b"tt1");
            assert!(effects.bogus && effects.changed.is_none() && events(&effects).is_empty());
        }
    }
    assert_eq!(lab.tracker.statistics().bogus, 6);
}

#[test]
fn a_late_answer_revives_what_no_bye_ended() {
    let lab = Lab::new(|_| {});
    let failed = lab.call_in(State::Deleted);
    let effects = lab.reply(failed, 200, b"tt1");
    assert_eq!(
        effects.changed,
        Some((State::Deleted, State::ConfirmedNoAck))
    );
    let view = lab.view(failed);
    assert_eq!((view.ended(), view.end_ts()), (None, 0));
    assert_eq!(lab.tracker.statistics().active, 1);

    let ended = lab.confirmed();
    lab.send(ended, Method::Bye, DOWN, 11);
    assert!(lab.reply(ended, 200, b"tt2").bogus);
    assert_eq!(lab.state(ended), State::Deleted);
}

#[test]
fn a_repeated_answer_revives_nothing() {
    let mut lab = Lab::new(|s| s.default_timeout = 3);
    let id = lab.call_in(State::ConfirmedNoAck);
    lab.pass_secs(4);
    lab.tick();
    let repeated = lab.reply(id, 200, b"tt1");
    assert!(repeated.changed.is_none() && !repeated.bogus);
    assert!(lab.reply(id, 200, b"tt2").bogus);
    assert_eq!(lab.state(id), State::Deleted);
    let refused = lab.call_in(State::Early);
    lab.tracker
        .end_local(refused, tandem_dialog::Sides::All, lab.now());
    lab.reply(refused, 480, b"own");
    let late = lab.reply(refused, 200, b"tt1");
    assert!(late.withheld && late.changed.is_none());
}

#[test]
fn an_answer_to_a_call_that_is_being_given_up_ends_it() {
    let lab = Lab::new(|_| {});
    let id = lab.call_in(State::Early);
    lab.tracker
        .end_local(id, tandem_dialog::Sides::All, lab.now());
    let late = lab.reply(id, 200, b"tt1");
    assert!(late.withheld);
    assert_eq!(late.changed, Some((State::Early, State::Deleted)));
    assert_eq!(events(&late), [Event::Failed]);
    assert_eq!((late.acks.len(), late.byes.len()), (1, 1));
    assert_eq!(lab.view(id).ended(), Some((EndReason::Local, Party::Proxy)));
    let repeated = lab.reply(id, 200, b"tt1");
    assert!(repeated.withheld && repeated.byes.is_empty());
    assert_eq!(repeated.acks.len(), 1);
}

#[test]
fn an_answer_without_contact_is_reached_where_it_came_from() {
    let lab = Lab::new(|_| {});
    let id = lab.call();
    let answer = Reply {
        contact: b"",
        ..reply(200, b"tt1")
    };
    let effects = lab.tracker.reply(id, &answer, lab.now()).expect("known");
    assert!(effects.no_contact);
    assert_eq!(lab.contact(id, Side::Callee), "sip:127.0.0.1:25080");
    let again = lab.tracker.reply(id, &answer, lab.now()).expect("known");
    assert!(!again.no_contact, "told once");
}

#[test]
fn route_sets_are_those_of_each_side() {
    let invite_routes: &[&[u8]] = &[b"<sip:u2;lr>", b"<sip:u1;lr>"];
    let reply_routes: &[&[u8]] = &[
        b"<sip:d1;lr>",
        b"<sip:us;lr;r2=on>",
        b"<sip:us2;lr;r2=on>",
        b"<sip:u2;lr>",
        b"<sip:u1;lr>",
    ];
    let expected = [
        (0, "<sip:u2;lr>,<sip:u1;lr>", "<sip:d1;lr>"),
        (
            1,
            "<sip:u2;lr>,<sip:u1;lr>",
            "<sip:us2;lr;r2=on>,<sip:us;lr;r2=on>,<sip:d1;lr>",
        ),
        (
            2,
            "<sip:us;lr;r2=on>,<sip:us2;lr;r2=on>,<sip:u2;lr>,<sip:u1;lr>",
            "<sip:d1;lr>",
        ),
    ];
    for (keep, caller, callee) in expected {
        let lab = Lab::new(|s| s.keep_proxy_rr = keep);
        let invite = tandem_dialog::Invite {
            record_routes: invite_routes,
            ..INVITE
        };
        let id = lab.create(&invite).id();
        let answer = Reply {
            record_routes: reply_routes,
            own_record_routes: 2,
            ..reply(200, b"tt1")
        };
        lab.tracker.reply(id, &answer, lab.now()).expect("known");
        let view = lab.view(id);
        let routes = |side| text(view.leg(side).route_set.unwrap_or_default());
        assert_eq!(routes(Side::Caller), caller, "keep_proxy_rr {keep}");
        assert_eq!(routes(Side::Callee), callee, "keep_proxy_rr {keep}");
    }
}

#[test]
fn an_invite_answered_without_relaying_leaves_nothing() {
    let lab = Lab::new(|_| {});
    let id = lab.call();
    let effects = lab.tracker.abandon(id, lab.now()).expect("known");
    assert!(effects.removed && events(&effects).is_empty());
    assert_eq!(lab.tracker.state(id), None);
    let s = lab.tracker.statistics();
    assert_eq!((s.processed, s.failed, s.in_state), (1, 0, [0; 5]));
    let relayed = lab.call_in(State::Early);
    assert!(
        !lab.tracker
            .abandon(relayed, lab.now())
            .expect("known")
            .removed
    );
}
