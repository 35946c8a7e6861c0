//! The timers, one by one.

use sip::Transport;

use super::call::{Call, other};
use crate::{Decision, Settings, TimerEvent};

const TIMEOUT_0: TimerEvent = TimerEvent::BranchTimeout { branch: 0 };

#[test]
fn invite_is_repeated_until_any_reply() {
    let mut call = Call::invite();
    call.fork(1);
    call.run_until(8_000);
    assert_eq!(call.times("b0 INVITE"), [0, 500, 1_500, 3_500, 7_500]);
    call.reply(0, 100);
    call.run_until(100_000);
    assert_eq!(call.count("b0 INVITE"), 5);
}

#[test]
fn non_invite_goes_over_to_t2_after_a_provisional_reply() {
    let mut call = Call::new(other("OPTIONS"), Settings::default(), Transport::Udp);
    call.fork(1);
    call.run_until(600);
    call.reply(0, 100);
    call.run_until(13_000);
    assert_eq!(call.times("b0 OPTIONS"), [0, 500, 4_600, 8_600, 12_600]);
    assert_eq!(call.reply(0, 200), Some(Decision::ForwardNow));
    assert!(call.answer(200));
    call.run_until(20_000);
    assert_eq!(call.count("b0 OPTIONS"), 5);
    assert!(call.is_gone());
}

#[test]
fn nothing_is_repeated_over_a_stream() {
    let mut call = Call::new(other("INVITE"), Settings::default(), Transport::Tcp);
    call.fork(1);
    call.run_until(20_000);
    assert_eq!(call.times("b0 INVITE"), [0]);
    call.reply(0, 486);
    call.answer(486);
    call.run_until(100_000);
    assert_eq!(call.times("caller 486"), [20_000]);
    assert_eq!(call.events, [(50_000, TimerEvent::NoAck)]);
    assert!(call.is_gone());
}

#[test]
fn a_silent_branch_ends_after_fr_timer() {
    let mut call = Call::invite();
    call.fork(1);
    call.run_until(30_000);
    assert_eq!(call.events, [(30_000, TIMEOUT_0)]);
    assert_eq!(call.count("b0 CANCEL"), 0);
    assert_eq!(call.decide(0, 408), Decision::AllFinal { winner: 0 });
    let (replied, timed_out) = call.work(|tx, _, _| {
        (
            tx.branches()[0].has_replied(),
            tx.branches()[0].has_timed_out(),
        )
    });
    assert_eq!((replied, timed_out), (false, true));
}

#[test]
fn a_ringing_branch_ends_after_fr_inv_timer_and_is_cancelled() {
    let mut call = Call::invite();
    call.fork(1);
    call.run_until(100);
    call.reply(0, 100);
    call.run_until(120_100);
    assert_eq!(call.events, [(120_100, TIMEOUT_0)]);
    assert_eq!(call.times("b0 CANCEL"), [120_100]);
    assert!(!call.last("b0 CANCEL").contains("Reason:"));
    assert_eq!(call.decide(0, 408), Decision::AllFinal { winner: 0 });
    assert!(call.answer(408));
    call.ack();
    assert_eq!(call.reply_to(0, 200, "1 CANCEL"), None);
    assert_eq!(call.reply(0, 487), Some(Decision::Discard));
    assert_eq!(call.count("b0 ACK"), 1);
    call.run_until(200_000);
    assert!(call.is_gone());
}

#[test]
fn each_provisional_reply_restarts_fr_inv_timer_by_default() {
    let mut call = Call::invite();
    call.fork(1);
    for at_ms in [1_000, 50_000, 100_000] {
        call.run_until(at_ms);
        call.reply(0, 180);
    }
    call.run_until(170_000);
    assert_eq!(call.events, []);
}

#[test]
fn only_higher_ringing_restarts_fr_inv_timer_if_told_so() {
    let mut call = Call::with_settings(|s| s.policy.restart_fr_on_each_reply = false);
    call.fork(1);
    for (at_ms, status) in [
        (1_000, 100),
        (2_000, 180),
        (3_000, 180),
        (4_000, 183),
        (5_000, 180),
    ] {
        call.run_until(at_ms);
        call.reply(0, status);
    }
    call.run_until(150_000);
    assert_eq!(call.events, [(124_000, TIMEOUT_0)]);
}

#[test]
fn the_lifetime_limits_every_restart() {
    let mut call = Call::invite();
    call.fork(1);
    for at_ms in [1_000, 90_000, 170_000] {
        call.run_until(at_ms);
        call.reply(0, 183);
    }
    call.run_until(179_999);
    assert_eq!(call.events, []);
    assert!(!call.work(|tx, now, _| tx.is_expired(now)));
    call.run_until(180_000);
    assert_eq!(call.events, [(180_000, TIMEOUT_0)]);
    assert!(call.work(|tx, now, _| tx.is_expired(now)));
}

#[test]
fn other_requests_have_a_shorter_life() {
    let mut settings = Settings::default();
    settings.timers.fr_timer = 60_000;
    let mut call = Call::new(other("MESSAGE"), settings, Transport::Udp);
    call.fork(1);
    call.run_until(40_000);
    assert_eq!(call.events[0], (32_000, TIMEOUT_0));
}

#[test]
fn a_negative_reply_is_repeated_until_its_ack() {
    let mut call = Call::invite();
    call.answer(404);
    call.run_until(4_000);
    assert_eq!(call.times("caller 404"), [0, 500, 1_500, 3_500]);
    call.ack();
    call.run_until(8_999);
    assert_eq!(call.count("caller 404"), 4);
    assert!(!call.is_gone());
    call.run_until(9_000);
    assert!(call.is_gone());
}

#[test]
fn a_lost_ack_ends_with_fr_timer() {
    let mut call = Call::invite();
    call.answer(404);
    call.run_until(60_000);
    assert_eq!(call.events, [(30_000, TimerEvent::NoAck)]);
    assert_eq!(call.times("caller 404").last(), Some(&27_500));
    assert!(call.is_gone());
}

#[test]
fn scripts_change_running_timers() {
    let mut call = Call::invite();
    call.fork(2);
    call.run_until(1_000);
    call.reply(1, 180);
    call.work(|tx, now, _| tx.set_fr(20_000, 5_000, now));
    call.run_until(25_000);
    let expected = [
        (6_000, TIMEOUT_0),
        (21_000, TimerEvent::BranchTimeout { branch: 1 }),
    ];
    assert_eq!(call.events, expected);

    let mut call = Call::invite();
    call.fork(1);
    call.run_until(1_000);
    call.work(|tx, now, _| tx.set_max_lifetime(2_000, 0, now));
    call.run_until(3_500);
    assert_eq!(call.events, [(3_000, TIMEOUT_0)]);
}

#[test]
fn a_request_that_nobody_answers_is_reported_and_then_released() {
    let mut call = Call::invite();
    call.run_until(184_999);
    assert_eq!(call.events, []);
    call.run_until(189_999);
    assert_eq!(call.events, [(185_000, TimerEvent::Unanswered)]);
    assert!(!call.is_gone());
    call.run_until(195_000);
    assert_eq!(call.events.len(), 1);
    assert!(call.is_gone());
}

#[test]
fn a_released_transaction_absorbs_and_goes() {
    let mut call = Call::invite();
    call.work(|tx, now, _| tx.release(now));
    call.work(|tx, _, out| tx.retransmitted(out));
    assert!(!call.answer(500));
    call.run_until(5_000);
    assert!(call.is_gone() && call.sent.is_empty() && call.events.is_empty());
}
