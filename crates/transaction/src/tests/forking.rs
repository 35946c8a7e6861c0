//! Which reply wins, what is relayed at once, and what a failure route may change.

use super::call::{Call, other};
use crate::{Conclusion, Decision, Forget, Settings, Which};
use sip::Transport;

const fn all_final(winner: usize) -> Option<Decision> {
    Some(Decision::AllFinal { winner })
}

#[test]
fn provisional_replies_pass_but_100_does_not() {
    let mut call = Call::invite();
    call.fork(2);
    assert_eq!(call.reply(0, 100), Some(Decision::Discard));
    assert_eq!(call.reply(0, 183), Some(Decision::ForwardNow));
    assert_eq!(call.reply(1, 180), Some(Decision::ForwardNow));
    let mut call = Call::with_settings(|s| s.policy.relay_100 = true);
    call.fork(1);
    assert_eq!(call.reply(0, 100), Some(Decision::ForwardNow));
}

#[test]
fn not_found_beats_busy() {
    let mut call = Call::invite();
    call.fork(2);
    assert_eq!(call.reply(0, 486), Some(Decision::Stored));
    assert_eq!(call.reply(1, 404), all_final(1));
    let winner = call.work(|tx, _, _| tx.winner(1)).expect("a winner");
    assert_eq!(winner.status, 404);
    assert_eq!(winner.reply.and_then(|reply| reply.status()), Some(404));
    assert_eq!((call.count("b0 ACK"), call.count("b1 ACK")), (1, 1));
}

#[test]
fn equal_replies_go_to_the_lower_branch() {
    let mut call = Call::invite();
    call.fork(3);
    call.reply(2, 486);
    call.reply(1, 486);
    assert_eq!(call.reply(0, 486), all_final(0));
}

#[test]
fn a_2xx_cancels_the_others() {
    let mut call = Call::invite();
    call.fork(3);
    call.reply(0, 180);
    call.reply(1, 180);
    assert_eq!(call.reply(1, 200), Some(Decision::ForwardNow));
    call.answer(200);
    assert_eq!(call.count("b0 CANCEL"), 1);
    let reason = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n";
    assert!(call.last("b0 CANCEL").contains(reason));
    assert_eq!((call.count("b1 CANCEL"), call.count("b2 CANCEL")), (0, 0));
    call.run_until(1_000);
    assert_eq!(call.reply(2, 180), None);
    assert_eq!(call.count("b2 CANCEL"), 1);
    assert_eq!(call.reply_to(2, 200, "1 CANCEL"), None);
    assert_eq!(call.reply(2, 487), Some(Decision::Discard));
    assert_eq!(call.reply(0, 487), Some(Decision::Discard));
    assert_eq!((call.count("b0 ACK"), call.count("b2 ACK")), (1, 1));
    call.run_until(40_000);
    assert!(call.is_gone());
    assert_eq!(call.events, []);
}

#[test]
fn every_2xx_to_an_invite_is_relayed() {
    let mut call = Call::invite();
    call.fork(2);
    assert_eq!(call.reply(0, 200), Some(Decision::ForwardNow));
    assert!(call.answer(200));
    call.run_until(500);
    assert_eq!(call.reply(0, 200), Some(Decision::ForwardNow));
    assert!(call.answer(200));
    assert_eq!(call.reply(1, 200), Some(Decision::ForwardNow));
    assert!(call.answer(200));
    assert_eq!(call.count("caller 200"), 3);
    assert_eq!(call.reply(1, 486), None);
    call.run_until(40_000);
    assert!(call.is_gone());
}

#[test]
fn a_late_2xx_is_relayed_after_a_timeout() {
    let mut call = Call::invite();
    call.fork(1);
    call.reply(0, 180);
    call.run_until(120_000);
    assert_eq!(call.decide(0, 408), Decision::AllFinal { winner: 0 });
    call.answer(408);
    call.run_until(121_000);
    assert_eq!(call.reply(0, 200), Some(Decision::ForwardNow));
    assert!(call.answer(200));
    call.run_until(160_000);
    assert!(call.is_gone());
    assert_eq!(call.count("caller 200"), 1);
}

#[test]
fn a_late_ringing_of_a_branch_given_up_is_cancelled() {
    let mut call = Call::invite();
    call.fork(1);
    call.run_until(31_000);
    assert_eq!(call.count("b0 CANCEL"), 0);
    assert_eq!(call.decide(0, 408), Decision::AllFinal { winner: 0 });
    assert_eq!(call.reply(0, 180), None);
    assert_eq!(call.reply(0, 180), None);
    assert_eq!(call.times("b0 CANCEL"), [31_000]);
    assert!(!call.last("b0 CANCEL").contains("Reason:"));
    assert_eq!(call.reply_to(0, 200, "1 CANCEL"), None);
    assert_eq!(call.reply(0, 487), Some(Decision::Discard));
    assert_eq!(call.count("b0 ACK"), 1);
}

#[test]
fn a_6xx_cancels_the_others_and_wins() {
    let mut call = Call::invite();
    call.fork(3);
    call.reply(0, 180);
    call.reply(2, 404);
    assert_eq!(call.reply(1, 603), Some(Decision::Stored));
    assert!(call.last("b0 CANCEL").contains("Reason: SIP;cause=603\r\n"));
    assert_eq!(call.reply(0, 487), all_final(1));
}

#[test]
fn a_6xx_blocks_nothing_if_told_so() {
    let mut call = Call::with_settings(|s| s.policy.disable_6xx_block = true);
    call.fork(2);
    call.reply(0, 180);
    assert_eq!(call.reply(1, 603), Some(Decision::Stored));
    assert_eq!(call.count("b0 CANCEL"), 0);
    assert_eq!(call.reply(0, 200), Some(Decision::ForwardNow));
}

#[test]
fn made_replies_compete_with_their_own_priority() {
    for (prio, winner) in [(0, 0), (3_000, 1)] {
        let mut call = Call::with_settings(|s| s.policy.faked_reply_prio = prio);
        call.fork(2);
        call.run_until(1_000);
        assert_eq!(call.reply(1, 500), Some(Decision::Stored));
        call.run_until(30_000);
        assert_eq!(call.decide(0, 408), Decision::AllFinal { winner });
        let reply = call.work(|tx, _, _| tx.winner(0)).expect("a verdict").reply;
        assert!(reply.is_none(), "a timeout has no message");
    }
}

#[test]
fn challenges_are_collected() {
    let mut call = Call::invite();
    call.fork(4);
    call.reply(0, 486);
    call.reply(1, 407);
    call.reply(2, 401);
    assert_eq!(call.reply(3, 407), all_final(2));
    let of = |call: &mut Call, branch| call.work(|tx, _, _| tx.challenges(branch).to_vec());
    assert_eq!(of(&mut call, 2), [1, 3]);
    assert_eq!(of(&mut call, 0), [0; 0]);
    call.work(|tx, _, _| tx.settings_mut().policy.aggregate_challenges = false);
    assert_eq!(of(&mut call, 2), [0; 0]);
}

/// 404 and 486, then a failure route adds a branch that ends with 480; who wins by mode.
fn serial(mode: Forget, wish: Option<Forget>) -> Conclusion {
    let mut call = Call::with_settings(|s| s.policy.failure_reply_mode = mode);
    call.fork(1);
    assert_eq!(call.reply(0, 401), all_final(0));
    call.fork(1);
    assert_eq!(
        call.work(|tx, _, _| tx.conclude_failure()),
        Conclusion::Continue
    );
    assert_eq!(call.work(|tx, _, _| tx.branches().len()), 2);
    assert!(matches!(
        call.reply(1, 404),
        Some(Decision::AllFinal { .. })
    ));
    if let Some(wish) = wish {
        call.work(|tx, _, _| tx.drop_replies(wish));
    }
    call.fork(1);
    assert_eq!(
        call.work(|tx, _, _| tx.conclude_failure()),
        Conclusion::Continue
    );
    let Some(Decision::AllFinal { winner }) = call.reply(2, 500) else {
        panic!("all are final")
    };
    let conclusion = call.work(|tx, _, _| tx.conclude_failure());
    assert_eq!(conclusion, Conclusion::Relay { winner });
    conclusion
}

#[test]
fn earlier_replies_compete_or_not() {
    assert_eq!(
        serial(Forget::Nothing, None),
        Conclusion::Relay { winner: 0 }
    );
    assert_eq!(serial(Forget::All, None), Conclusion::Relay { winner: 2 });
    assert_eq!(
        serial(Forget::LastLeg, None),
        Conclusion::Relay { winner: 2 }
    );
    assert_eq!(
        serial(Forget::Nothing, Some(Forget::LastLeg)),
        Conclusion::Relay { winner: 0 }
    );
    assert_eq!(
        serial(Forget::Nothing, Some(Forget::All)),
        Conclusion::Relay { winner: 2 }
    );
    assert_eq!(
        serial(Forget::All, Some(Forget::Nothing)),
        Conclusion::Relay { winner: 1 }
    );
}

#[test]
fn without_new_branches_nothing_is_forgotten() {
    let mut call = Call::with_settings(|s| s.policy.failure_reply_mode = Forget::All);
    call.fork(2);
    call.reply(0, 486);
    assert_eq!(call.reply(1, 404), all_final(1));
    let conclusion = call.work(|tx, _, _| tx.conclude_failure());
    assert_eq!(conclusion, Conclusion::Relay { winner: 1 });
}

#[test]
fn a_failure_route_may_answer_itself() {
    let mut call = Call::invite();
    call.fork(1);
    assert_eq!(call.reply(0, 486), all_final(0));
    assert!(call.answer(480));
    assert_eq!(
        call.work(|tx, _, _| tx.conclude_failure()),
        Conclusion::Answered
    );
    assert!(!call.answer(486));
}

#[test]
fn new_branches_that_cannot_be_sent_end_at_once() {
    let mut call = Call::invite();
    call.fork(1);
    assert_eq!(call.reply(0, 500), all_final(0));
    call.fork(1);
    assert!(call.work(|tx, now, _| tx.branch_failed(1, now)));
    assert!(!call.work(|tx, now, _| tx.branch_failed(1, now)));
    assert_eq!(call.decide(1, 477), Decision::AllFinal { winner: 1 });
    assert_eq!(
        call.work(|tx, _, _| tx.conclude_failure()),
        Conclusion::Relay { winner: 1 },
    );
}

#[test]
fn two_timeouts_at_once_are_decided_once() {
    let mut call = Call::invite();
    call.fork(2);
    call.run_until(30_000);
    assert_eq!(call.events.len(), 2);
    assert_eq!(call.decide(0, 408), Decision::Stored);
    assert_eq!(call.decide(1, 408), Decision::AllFinal { winner: 0 });
    assert_eq!(call.decide(1, 408), Decision::Discard);
}

#[test]
fn a_script_can_cancel_branches() {
    let mut call = Call::invite();
    call.fork(3);
    for branch in 0..3 {
        call.reply(branch, 180);
    }
    let ended = call
        .work(|tx, now, out| tx.cancel_branches(Which::Others(1), crate::Reason::None, now, out));
    assert!(ended.is_empty());
    assert_eq!(
        (
            call.count("b0 CANCEL"),
            call.count("b1 CANCEL"),
            call.count("b2 CANCEL")
        ),
        (1, 0, 1),
    );
    call.work(|tx, now, out| tx.cancel_branches(Which::Only(1), crate::Reason::None, now, out));
    assert_eq!(call.count("b1 CANCEL"), 1);
    assert!(!call.work(|tx, _, _| tx.is_cancelled()));
}

#[test]
fn a_second_final_reply_to_another_request_is_discarded() {
    let mut call = Call::new(other("MESSAGE"), Settings::default(), Transport::Udp);
    call.fork(2);
    assert_eq!(call.reply(0, 202), Some(Decision::ForwardNow));
    assert!(call.answer(202));
    assert_eq!(call.reply(0, 202), None);
    assert_eq!(call.reply(1, 200), Some(Decision::Discard));
    assert!(!call.answer(200));
    call.run_until(40_000);
    assert!(call.is_gone());
}

#[test]
fn a_silent_transaction_relays_nothing() {
    let mut call = Call::new(other("REGISTER"), Settings::default(), Transport::Udp);
    call.work(|tx, _, _| tx.set_silent());
    call.fork(1);
    assert!(call.answer(200));
    assert_eq!(call.reply(0, 403), Some(Decision::Discard));
    call.run_until(40_000);
    assert!(call.is_gone());
}
