//! Calls that the program itself ends, and the BYEs that it sends.

use tandem_dialog::{
    Effects, EndReason, Ending, Event, Invite, LegOutcome, Method, Party, Reply, Side, Sides, State,
};

use crate::support::{DOWN, INVITE, Lab, UP, events, reply, text};

fn end(lab: &Lab, id: tandem_dialog::DialogId, sides: Sides) -> Effects {
    match lab.tracker.end_local(id, sides, lab.now()) {
        Some(Ending::Ended(effects)) => *effects,
        other => panic!("not ended: {other:?}"),
    }
}

#[test]
fn the_state_changes_before_anyone_is_told() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let effects = end(&lab, id, Sides::All);
    assert_eq!(effects.changed, Some((State::Confirmed, State::Deleted)));
    assert_eq!(events(&effects), [Event::End]);
    assert_eq!(lab.tracker.statistics().active, 0);
    assert_eq!(lab.view(id).ended(), Some((EndReason::Local, Party::Proxy)));
    let [to_caller, to_callee] = &effects.byes[..] else {
        panic!("two BYEs")
    };
    assert_eq!(text(&to_caller.request_uri), "sip:alice@127.0.0.1:25070;ob");
    assert_eq!(text(&to_caller.to), "<sip:alice@example.org>;tag=ftA");
    assert_eq!(text(&to_caller.from), "<sip:bob@example.org>;tag=tt1");
    assert_eq!(text(&to_callee.request_uri), "sip:bob@127.0.0.1:25080");
    assert_eq!(text(&to_callee.to), "<sip:bob@example.org>;tag=tt1");
    assert_eq!(text(&to_callee.from), "<sip:alice@example.org>;tag=ftA");
    assert_eq!((to_caller.cseq, to_callee.cseq), (1, 11));
    assert_eq!(text(&to_callee.socket), "udp:127.0.0.1:25060");
    assert_eq!(to_callee.next_hop, to_callee.request_uri);
    assert!(to_callee.routes.is_empty());
}

#[test]
fn the_record_stays_until_both_outcomes_are_known() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let effects = end(&lab, id, Sides::All);
    lab.tracker.hold(id);
    assert!(!lab.tracker.release(id), "the BYEs are out");
    assert!(
        !lab.tracker
            .leg_done(id, &effects.byes[0].leg, LegOutcome::Answered(481))
    );
    assert!(
        !lab.tracker
            .leg_done(id, &effects.byes[0].leg, LegOutcome::TimedOut)
    );
    assert_eq!(
        lab.view(id).bye_outcome(Side::Caller),
        LegOutcome::Answered(481)
    );
    assert_eq!(lab.view(id).bye_outcome(Side::Callee), LegOutcome::Pending);
    assert!(
        lab.tracker
            .leg_done(id, &effects.byes[1].leg, LegOutcome::NotSent)
    );
    assert_eq!(lab.tracker.state(id), None);
}

#[test]
fn ending_twice_sends_nothing_twice() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    end(&lab, id, Sides::All);
    let again = lab.tracker.end_local(id, Sides::All, lab.now());
    assert!(matches!(again, Some(Ending::Already)));
    let by_bye = lab.confirmed();
    lab.send(by_bye, Method::Bye, UP, 1);
    assert!(matches!(
        lab.tracker.end_local(by_bye, Sides::All, lab.now()),
        Some(Ending::Already)
    ));
    let failed = lab.call_in(State::Deleted);
    assert!(matches!(
        lab.tracker.end_local(failed, Sides::All, lab.now()),
        Some(Ending::Already)
    ));
}

#[test]
fn one_side_after_the_other() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let first = end(&lab, id, Sides::One(Side::Callee));
    assert_eq!(events(&first), [Event::End]);
    assert_eq!(first.byes.len(), 1);
    assert!(matches!(
        lab.tracker
            .end_local(id, Sides::One(Side::Callee), lab.now()),
        Some(Ending::Already)
    ));
    let second = end(&lab, id, Sides::One(Side::Caller));
    assert!(second.changed.is_none() && events(&second).is_empty());
    assert_eq!(second.byes[0].leg.side, Side::Caller);
}

#[test]
fn an_unanswered_call_is_ended_by_its_reply() {
    let lab = Lab::new(|_| {});
    for state in [State::Unconfirmed, State::Early] {
        let id = lab.call_in(state);
        lab.tracker.set_transaction(id, Some(77));
        let ending = lab.tracker.end_local(id, Sides::All, lab.now());
        assert!(matches!(
            ending,
            Some(Ending::Early {
                transaction: Some(77)
            })
        ));
        assert_eq!(lab.state(id), state);
        lab.reply(id, 480, b"own");
        assert_eq!(lab.view(id).ended(), Some((EndReason::Local, Party::Proxy)));
    }
}

#[test]
fn a_bye_from_a_party_crosses_ours() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let effects = end(&lab, id, Sides::All);
    let crossing = lab.send(id, Method::Bye, UP, 1);
    assert!(crossing.changed.is_none() && events(&crossing).is_empty());
    for bye in &effects.byes {
        lab.tracker
            .leg_done(id, &bye.leg, LegOutcome::Answered(200));
    }
    assert_eq!(lab.tracker.state(id), None);
}

#[test]
fn each_leg_counts_its_own_cseq() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    lab.send(id, Method::Other, DOWN, 12);
    lab.send(id, Method::Other, UP, 100);
    let effects = end(&lab, id, Sides::All);
    assert_eq!((effects.byes[0].cseq, effects.byes[1].cseq), (101, 13));
}

/// It is over for us alone: its parties go on, and are told in the end.
#[test]
fn a_call_that_was_set_to_ended_counts_on() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    lab.tracker.set_state(id, State::Deleted, lab.now());
    lab.send(id, Method::Other, DOWN, 40);
    let effects = end(&lab, id, Sides::All);
    assert_eq!(effects.byes[1].cseq, 41);
}

#[test]
fn requests_follow_the_route_set() {
    let lab = Lab::new(|_| {});
    let invite = Invite {
        record_routes: &[b"<sip:u2;lr>", b"\"u, 1\" <sip:u1;lr>"],
        ..INVITE
    };
    let id = lab.create(&invite).id();
    let strict: &[&[u8]] = &[
        b"<sip:d2;lr>",
        b"<sip:d1>",
        b"<sip:us;lr>",
        b"<u2>",
        b"<u1>",
    ];
    let answer = Reply {
        record_routes: strict,
        ..reply(200, b"tt1")
    };
    lab.tracker.reply(id, &answer, lab.now()).expect("known");
    let effects = end(&lab, id, Sides::All);
    let [caller, callee] = &effects.byes[..] else {
        panic!("two BYEs")
    };
    let routes = |request: &tandem_dialog::LocalRequest| -> Vec<String> {
        request.routes.iter().map(|route| text(route)).collect()
    };
    assert_eq!(routes(caller), ["<sip:u2;lr>", "\"u, 1\" <sip:u1;lr>"]);
    assert_eq!(text(&caller.next_hop), "sip:u2;lr");
    assert_eq!(text(&caller.request_uri), "sip:alice@127.0.0.1:25070;ob");
    assert_eq!(routes(callee), ["<sip:d2;lr>", "<sip:bob@127.0.0.1:25080>"]);
    assert_eq!(text(&callee.request_uri), "sip:d1");
    assert_eq!(text(&callee.next_hop), "sip:d1");
}

#[test]
fn an_alias_is_the_next_hop_where_there_is_no_route() {
    let lab = Lab::new(|_| {});
    let contact = b"sip:alice@10.0.0.1:5060;alias=192.0.2.7~4711~2;ob";
    let id = lab.create(&Invite { contact, ..INVITE }).id();
    lab.reply(id, 200, b"tt1");
    let effects = end(&lab, id, Sides::One(Side::Caller));
    assert_eq!(
        text(&effects.byes[0].request_uri),
        "sip:alice@10.0.0.1:5060;ob"
    );
    assert_eq!(
        text(&effects.byes[0].next_hop),
        "sip:192.0.2.7:4711;transport=tcp"
    );
}

#[test]
fn a_party_without_address_is_counted() {
    let lab = Lab::new(|_| {});
    let id = lab.call();
    let answer = Reply {
        contact: b"",
        source: b"",
        ..reply(200, b"tt1")
    };
    lab.tracker.reply(id, &answer, lab.now()).expect("known");
    let effects = end(&lab, id, Sides::All);
    assert_eq!((effects.byes.len(), effects.unreachable), (1, 1));
    assert!(
        lab.tracker
            .leg_done(id, &effects.byes[0].leg, LegOutcome::Answered(200))
    );
}

#[test]
fn expired_calls_may_still_be_told() {
    let mut lab = Lab::new(|s| s.default_timeout = 3);
    let id = lab.confirmed();
    lab.pass_secs(4);
    lab.tick();
    let effects = end(&lab, id, Sides::All);
    assert!(effects.changed.is_none() && events(&effects).is_empty());
    assert_eq!(effects.byes.len(), 2);
    assert_eq!(
        lab.view(id).ended(),
        Some((EndReason::Expired, Party::Proxy))
    );
}

#[test]
fn own_requests_never_share_a_cseq() {
    let lab = Lab::new(|_| {});
    let id = lab.confirmed();
    let next = |side| {
        lab.tracker
            .local_request(id, side, None)
            .map(|request| request.cseq)
    };
    assert_eq!(
        (next(Side::Callee), next(Side::Callee)),
        (Some(11), Some(12))
    );
    assert_eq!(next(Side::Caller), Some(1));
    lab.send(id, Method::Other, DOWN, 20);
    assert_eq!(next(Side::Callee), Some(21));
    let effects = end(&lab, id, Sides::All);
    assert_eq!((effects.byes[0].cseq, effects.byes[1].cseq), (2, 22));
    assert!(lab.tracker.local_request(id, Side::Callee, None).is_none());
}

#[test]
fn own_requests_reach_each_early_dialog() {
    let lab = Lab::new(|_| {});
    let silent = lab.call();
    let ask = |id, side, tag| lab.tracker.local_request(id, side, tag);
    assert!(ask(silent, Side::Callee, None).is_none());
    let to_caller = ask(silent, Side::Caller, None).expect("the caller is known");
    assert_eq!(text(&to_caller.from), "<sip:bob@example.org>");

    let id = lab.call();
    lab.reply(id, 180, b"tt1");
    lab.reply(id, 183, b"tt2");
    let to = |tag| ask(id, Side::Callee, tag).map(|r| (text(&r.to), r.cseq));
    let last = "<sip:bob@example.org>;tag=tt2".to_owned();
    assert_eq!(to(None), Some((last.clone(), 11)));
    assert_eq!(to(Some(b"tt2")), Some((last, 12)));
    assert_eq!(
        to(Some(b"tt1")),
        Some(("<sip:bob@example.org>;tag=tt1".to_owned(), 11))
    );
    lab.reply(id, 200, b"tt2");
    assert_eq!(to(None).map(|(_, cseq)| cseq), Some(13));
}
