//! A received CANCEL: before and after provisional replies, and against a 200 that crosses it.

use super::call::Call;
use crate::{BranchRefused, CancelOutcome, Decision, SilentBranch, TimerEvent};

fn cancel(call: &mut Call, reason: Option<&[u8]>) -> CancelOutcome {
    call.work(|tx, now, out| tx.cancel(reason, now, out))
}

fn cancelling(ended: &[usize]) -> CancelOutcome {
    CancelOutcome::Cancelling(ended.iter().copied().collect())
}

#[test]
fn a_ringing_branch_gets_a_cancel_of_its_own() {
    let mut call = Call::invite();
    call.fork(1);
    call.reply(0, 180);
    call.run_until(2_000);
    assert_eq!(cancel(&mut call, Some(b"SIP;cause=300")), cancelling(&[]));
    let text = call.last("b0 CANCEL").to_owned();
    let value = call.work(|tx, _, _| String::from_utf8(tx.branch_value(0)).expect("text"));
    assert_eq!(
        text,
        format!(
            "CANCEL sip:bob@example.com SIP/2.0\r\n\
             Via: SIP/2.0/UDP 10.0.0.9:5060;branch={value}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>\r\n\
             Call-ID: call-1\r\nCSeq: 1 CANCEL\r\n\
             Route: <sip:edge.example.com;lr>\r\nContent-Length: 0\r\n\
             Reason: SIP;cause=300\r\n\r\n"
        ),
    );
    call.run_until(4_000);
    assert_eq!(call.times("b0 CANCEL"), [2_000, 2_500, 3_500]);
    assert_eq!(call.reply_to(0, 200, "1 CANCEL"), None);
    assert_eq!(call.reply(0, 487), Some(Decision::AllFinal { winner: 0 }));
    let ack = call.last("b0 ACK");
    assert!(ack.starts_with("ACK sip:bob@example.com SIP/2.0\r\n"));
    assert!(
        ack.contains("To: <sip:bob@example.com>;tag=b0\r\n") && ack.contains("CSeq: 1 ACK\r\n")
    );
    assert!(call.answer(487));
    call.ack();
    call.run_until(40_000);
    assert_eq!(call.count("b0 CANCEL"), 3);
    assert!(call.is_gone());
    assert_eq!(call.events, []);
}

#[test]
fn a_silent_branch_waits_for_a_provisional_reply() {
    let mut call = Call::invite();
    call.fork(1);
    call.run_until(700);
    assert_eq!(cancel(&mut call, None), cancelling(&[]));
    call.run_until(2_000);
    assert_eq!((call.count("b0 INVITE"), call.count("b0 CANCEL")), (3, 0));
    assert_eq!(call.reply(0, 100), None);
    assert_eq!(call.reply(0, 180), None);
    assert_eq!(call.times("b0 CANCEL"), [2_000]);
    assert!(!call.last("b0 CANCEL").contains("Reason"));
    call.run_until(2_100);
    assert_eq!(call.count("b0 INVITE"), 3);
}

#[test]
fn a_branch_that_stays_silent_ends_with_487() {
    let mut call = Call::invite();
    call.fork(1);
    cancel(&mut call, None);
    call.run_until(30_000);
    assert_eq!(
        call.events,
        [(30_000, TimerEvent::BranchTimeout { branch: 0 })]
    );
    assert_eq!(call.decide(0, 408), Decision::AllFinal { winner: 0 });
    let winner = call.work(|tx, _, _| tx.winner(0)).expect("a winner");
    assert_eq!((winner.status, winner.reply.is_none()), (487, true));
}

#[test]
fn a_silent_branch_can_be_given_up_at_once() {
    let mut call = Call::with_settings(|s| s.policy.cancel_b_method = SilentBranch::Fake487);
    call.fork(3);
    call.reply(2, 180);
    assert_eq!(cancel(&mut call, None), cancelling(&[0, 1]));
    assert_eq!(call.count("b2 CANCEL"), 1);
    assert_eq!(call.decide(0, 487), Decision::Stored);
    assert_eq!(call.decide(1, 487), Decision::Stored);
    assert_eq!(call.reply(2, 487), Some(Decision::AllFinal { winner: 0 }));
    call.run_until(600);
    assert_eq!(call.count("b0 INVITE"), 1);
}

#[test]
fn a_silent_branch_can_be_cancelled_anyway() {
    let mut call = Call::with_settings(|s| s.policy.cancel_b_method = SilentBranch::CancelAnyway);
    call.fork(1);
    cancel(&mut call, None);
    call.run_until(1_000);
    assert_eq!(call.times("b0 CANCEL"), [0, 500]);
    assert_eq!(call.times("b0 INVITE"), [0]);
}

#[test]
fn an_unanswered_cancel_gives_the_branch_fr_timer_more() {
    let mut call = Call::invite();
    call.fork(1);
    call.reply(0, 180);
    call.run_until(1_000);
    cancel(&mut call, None);
    call.run_until(60_000);
    let expected = [
        (31_000, TimerEvent::BranchTimeout { branch: 0 }),
        (31_000, TimerEvent::CancelTimeout { branch: 0 }),
    ];
    assert_eq!(call.events, expected);
    assert_eq!(call.count("b0 CANCEL"), 10);
}

#[test]
fn a_200_that_crosses_the_cancel_is_relayed() {
    let mut call = Call::invite();
    call.fork(1);
    call.reply(0, 180);
    cancel(&mut call, None);
    assert_eq!(call.reply(0, 200), Some(Decision::ForwardNow));
    assert!(call.answer(200));
    assert_eq!(call.reply_to(0, 481, "1 CANCEL"), None);
    call.run_until(10_000);
    assert_eq!(call.count("b0 CANCEL"), 1);
    assert!(call.is_gone());
}

#[test]
fn cancel_without_branches_or_too_late() {
    let mut call = Call::invite();
    assert_eq!(cancel(&mut call, None), CancelOutcome::NoBranches);
    assert!(call.work(|tx, _, _| tx.is_cancelled()));
    let refused = call.work(|tx, now, _| tx.may_add_branch(now));
    assert_eq!(refused, Err(BranchRefused::Cancelled));
    assert!(call.answer(487));
    assert_eq!(cancel(&mut call, None), CancelOutcome::TooLate);

    let mut call = Call::invite();
    call.fork(1);
    call.reply(0, 486);
    assert_eq!(cancel(&mut call, None), CancelOutcome::NothingPending);
}

#[test]
fn reasons_can_be_left_out() {
    let mut call = Call::with_settings(|s| {
        s.policy.e2e_cancel_reason = false;
        s.policy.local_cancel_reason = false;
    });
    call.fork(2);
    call.reply(0, 180);
    call.reply(1, 180);
    call.reply(1, 200);
    assert!(!call.last("b0 CANCEL").contains("Reason"));
    cancel(&mut call, Some(b"Q.850;cause=16"));
    assert_eq!(call.count("b0 CANCEL"), 1);
}

#[test]
fn a_scripts_final_reply_cancels_what_is_pending() {
    let mut call = Call::invite();
    call.fork(2);
    call.reply(0, 180);
    assert!(call.answer(480));
    assert_eq!((call.count("b0 CANCEL"), call.count("b1 CANCEL")), (1, 0));
    assert_eq!(call.reply(0, 487), Some(Decision::Discard));
    call.run_until(31_000);
    assert_eq!(call.decide(1, 408), Decision::Discard);
    call.run_until(70_000);
    assert!(call.is_gone());
}

#[test]
fn chosen_headers_are_copied() {
    for (prefix, copies) in [(None, 0), (Some(&b"x-tr"[..]), 1)] {
        let mut call = Call::with_settings(|s| s.copied_headers = prefix);
        call.fork(1);
        call.reply(0, 180);
        cancel(&mut call, None);
        assert_eq!(
            call.last("b0 CANCEL").matches("X-Trace: 7\r\n").count(),
            copies
        );
        call.reply(0, 487);
        assert_eq!(
            call.last("b0 ACK").matches("X-Trace: 7\r\n").count(),
            copies
        );
    }
}
