//! Every state has an exact deadline.

use tandem_dialog::{Deadline, EndReason, Event, LegOutcome, Method, Party, Side, State, dflags};

use crate::support::{DOWN, Lab, START, events};

#[test]
fn a_call_without_an_answer_fails_at_early_timeout() {
    for state in [State::Unconfirmed, State::Early] {
        let mut lab = Lab::new(|s| s.early_timeout = 180);
        let id = lab.call_in(state);
        lab.pass_ms(179_900);
        assert!(lab.tick().is_empty());
        assert_eq!(lab.tracker.passed_deadline(id, lab.now()), None);
        lab.pass_ms(116);
        assert_eq!(
            lab.tracker.passed_deadline(id, lab.now()),
            Some(Deadline::Early)
        );
        let done = lab.tick();
        assert_eq!(done.len(), 1);
        assert_eq!(events(&done[0].1), [Event::Failed]);
        assert!(done[0].1.wait_for_transaction);
        assert_eq!(
            lab.view(id).ended(),
            Some((EndReason::EarlyTimeout, Party::Proxy))
        );
        let s = lab.tracker.statistics();
        assert_eq!((s.early, s.failed, s.expired, s.active), (0, 1, 0, 0));
        assert!(lab.tick().is_empty(), "only once");
    }
}

#[test]
fn a_call_without_ack_gets_ten_seconds_more() {
    let mut lab = Lab::new(|_| {});
    let id = lab.call_in(State::ConfirmedNoAck);
    lab.pass_ms(60_016);
    assert_eq!(
        lab.tracker.passed_deadline(id, lab.now()),
        Some(Deadline::NoAck)
    );
    let done = lab.tick();
    assert!(done[0].1.no_ack && done[0].1.changed.is_none());
    let view = lab.view(id);
    assert_eq!((view.lifetime(), view.timeout()), (10, START as u32 + 70));
    lab.pass_ms(9_900);
    assert!(lab.tick().is_empty());
    lab.pass_ms(200);
    let done = lab.tick();
    assert_eq!(events(&done[0].1), [Event::End, Event::Expired]);
    assert_eq!(lab.view(id).ended(), Some((EndReason::NoAck, Party::Proxy)));
    assert_eq!(lab.tracker.statistics().expired, 1);
}

#[test]
fn a_late_ack_brings_the_lifetime_back() {
    let mut lab = Lab::new(|_| {});
    let id = lab.call_in(State::ConfirmedNoAck);
    lab.pass_secs(61);
    lab.tick();
    lab.send(id, Method::Ack, DOWN, 10);
    let view = lab.view(id);
    assert_eq!(
        (view.lifetime(), view.timeout()),
        (43_200, START as u32 + 61 + 43_200)
    );
    lab.pass_secs(20);
    assert!(lab.tick().is_empty());
}

#[test]
fn a_lifetime_shorter_than_noack_timeout_ends_first() {
    let mut lab = Lab::new(|s| s.default_timeout = 30);
    let id = lab.call_in(State::ConfirmedNoAck);
    lab.pass_secs(31);
    assert_eq!(
        lab.tracker.passed_deadline(id, lab.now()),
        Some(Deadline::Lifetime)
    );
    lab.tick();
    assert_eq!(
        lab.view(id).ended(),
        Some((EndReason::Expired, Party::Proxy))
    );
}

#[test]
fn an_expired_call_is_over_and_nobody_is_told() {
    let mut lab = Lab::new(|s| s.default_timeout = 3);
    let id = lab.confirmed();
    lab.pass_ms(3_016);
    let done = lab.tick();
    assert_eq!(done[0].1.changed, Some((State::Confirmed, State::Deleted)));
    assert_eq!(events(&done[0].1), [Event::End, Event::Expired]);
    assert!(done[0].1.byes.is_empty());
    let s = lab.tracker.statistics();
    assert_eq!((s.expired, s.active, s.failed), (1, 0, 0));
    assert_ne!(lab.view(id).dflags() & dflags::EXPIRED, 0);
}

#[test]
fn an_expired_call_is_ended_by_bye_if_asked_for() {
    let mut lab = Lab::new(|s| {
        s.default_timeout = 4;
        s.send_bye = true;
    });
    let id = lab.confirmed();
    lab.pass_ms(4_016);
    let done = lab.tick();
    let effects = &done[0].1;
    assert_eq!(events(effects), [Event::End]);
    let sent: Vec<_> = effects
        .byes
        .iter()
        .map(|bye| (bye.leg.side, bye.cseq))
        .collect();
    assert_eq!(sent, [(Side::Caller, 1), (Side::Callee, 11)]);
    assert_eq!(
        (
            lab.tracker.statistics().expired,
            lab.tracker.statistics().active
        ),
        (1, 0)
    );
    assert!(
        !lab.tracker
            .leg_done(id, &effects.byes[0].leg, LegOutcome::Answered(200))
    );
    assert!(
        lab.tracker
            .leg_done(id, &effects.byes[1].leg, LegOutcome::TimedOut)
    );
}

#[test]
fn ended_records_go_at_end_timeout() {
    let mut lab = Lab::new(|s| s.end_timeout = 120);
    let id = lab.confirmed();
    lab.send(id, Method::Bye, DOWN, 11);
    lab.tracker.hold(id);
    lab.pass_ms(119_900);
    assert!(lab.tick().is_empty());
    lab.pass_ms(116);
    let done = lab.tick();
    assert!(done[0].1.removed, "even one that is held");
    assert_eq!(lab.tracker.state(id), None);
    assert_eq!(lab.tracker.statistics().in_state, [0; 5]);
    assert_eq!(lab.tracker.next_deadline(), None);
}

#[test]
fn a_moved_deadline_makes_a_report_void() {
    let mut lab = Lab::new(|s| s.default_timeout = 10);
    let id = lab.confirmed();
    lab.pass_secs(11);
    let shards = 0..tandem_dialog::Tracker::SHARDS;
    let due: Vec<_> = shards.flat_map(|s| lab.tracker.due(s, lab.now())).collect();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].call_id, b"call-1@test");
    lab.tracker.set_timeout(id, 60, lab.now());
    let effects = lab.tracker.timeout(id, lab.now()).expect("known");
    assert!(effects.changed.is_none());
    assert_eq!(lab.state(id), State::Confirmed);
    lab.pass_ms(60_016);
    assert_eq!(lab.tick().len(), 1);
}

#[test]
fn a_report_that_nobody_acts_on_is_repeated() {
    let mut lab = Lab::new(|s| s.default_timeout = 10);
    lab.confirmed();
    lab.pass_secs(11);
    let due = |lab: &Lab| {
        let shards = 0..tandem_dialog::Tracker::SHARDS;
        shards
            .map(|s| lab.tracker.due(s, lab.now()).len())
            .sum::<usize>()
    };
    assert_eq!(due(&lab), 1);
    assert_eq!(due(&lab), 0);
    lab.pass_ms(5_016);
    assert_eq!(due(&lab), 1);
}

#[test]
fn set_timeout_runs_anew_only_for_answered_calls() {
    let mut lab = Lab::new(|_| {});
    let set = |lab: &Lab, id, seconds| lab.tracker.set_timeout(id, seconds, lab.now());
    let ringing = lab.call_in(State::Early);
    assert!(set(&lab, ringing, 100));
    assert_eq!(lab.view(ringing).timeout(), 0);
    let up = lab.confirmed();
    lab.pass_secs(50);
    assert!(set(&lab, up, 100) && !set(&lab, up, 0));
    assert_eq!(lab.view(up).timeout(), START as u32 + 150);
    let over = lab.call_in(State::Deleted);
    assert!(!set(&lab, over, 100));
    lab.reply(ringing, 200, b"tt1");
    assert_eq!(lab.view(ringing).timeout(), START as u32 + 150);
}

#[test]
fn very_long_lifetimes_do_not_end_early() {
    let mut lab = Lab::new(|_| {});
    let id = lab.confirmed();
    assert!(lab.tracker.set_timeout(id, u32::MAX, lab.now()));
    lab.pass_secs(86_400 * 900);
    assert!(lab.tick().is_empty());
    assert_eq!(lab.state(id), State::Confirmed);
}
