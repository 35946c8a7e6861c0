//! What the network does to a call: losses, repetitions, crossings.

use std::time::Duration;

use super::steps::{
    acknowledge, acknowledge_negative, await_gone, established, hang_up, invite, pair, ringing,
};
use crate::support::Scene;
use crate::support::call::{Leg, follow, reply};

/// The ACK is lost, Bob repeats his 200, every copy comes through, and the second ACK confirms.
pub fn lost_ack(s: &mut Scene) {
    let mut call = ringing(s, "lost-ack@test");
    s.reply(call.bob, &call.received, 200, "OK", "bob-tag");
    let ok = s.expect(call.alice, "200 INVITE");
    call.caller.learn(&ok);
    s.dialogs();
    for _ in 0..2 {
        s.reply(call.bob, &call.received, 200, "OK", "bob-tag");
        s.expect_again(call.alice, "200 INVITE");
    }
    acknowledge(s, &mut call);
    s.dialogs();
    hang_up(s, &mut call);
    s.script_lines();
}

pub fn retransmissions(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let (mut caller, sent) = invite(s, alice, "again@test", &target);
    let received = s.expect(bob, "INVITE");
    // Bob is slow: the proxy repeats the INVITE. Alice repeats hers: the proxy repeats its last reply.
    s.expect_again(bob, "INVITE");
    s.send(alice, &sent);
    s.expect_again(alice, "100 INVITE");
    s.reply(bob, &received, 180, "Ringing", "bob-tag");
    s.expect(alice, "180 INVITE");
    s.send(alice, &sent);
    s.expect_again(alice, "180 INVITE");
    s.reply(bob, &received, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    // An ACK repeated end to end is passed on again.
    s.send(alice, &ack);
    s.expect_again(bob, "ACK");

    let bye = caller.request(s.at(alice), "BYE");
    s.send(alice, &bye);
    let at_bob = s.expect(bob, "BYE");
    s.expect_again(bob, "BYE");
    s.reply(bob, &at_bob, 200, "OK", "unused");
    s.expect(alice, "200 BYE");
    s.send(alice, &bye);
    s.expect_again(alice, "200 BYE");
    s.silence(bob, Duration::from_millis(700));
    s.dialogs();
}

pub fn crossing_byes(s: &mut Scene) {
    let mut call = established(s, "crossing@test");
    let from_alice = call.caller.request(s.at(call.alice), "BYE");
    s.send(call.alice, &from_alice);
    let at_bob = s.expect(call.bob, "BYE");
    let from_bob = call.callee.request(s.at(call.bob), "BYE");
    s.send(call.bob, &from_bob);
    let at_alice = s.expect(call.alice, "BYE");
    s.reply(
        call.alice,
        &at_alice,
        481,
        "Call/Transaction Does Not Exist",
        "unused",
    );
    s.expect(call.bob, "481 BYE");
    s.reply(call.bob, &at_bob, 200, "OK", "unused");
    s.expect(call.alice, "200 BYE");
    s.dialogs();
    s.script_lines();
    await_gone(s);
}

/// Bob answers in the moment that Alice gives up: the 200 wins, the call is up, and Alice has to end it.
pub fn late_answer_after_cancel(s: &mut Scene) {
    let mut call = ringing(s, "glare@test");
    let cancel = follow(&call.sent, "CANCEL", call.sent.header("To"));
    s.send(call.alice, &cancel);
    s.expect(call.alice, "200 CANCEL");
    let cancelled = s.expect(call.bob, "CANCEL");
    s.reply(call.bob, &call.received, 200, "OK", "bob-tag");
    let ok = s.expect(call.alice, "200 INVITE");
    s.reply(
        call.bob,
        &cancelled,
        481,
        "Call/Transaction Does Not Exist",
        "bob-tag",
    );
    call.caller.learn(&ok);
    acknowledge(s, &mut call);
    s.dialogs();
    hang_up(s, &mut call);
    s.script_lines();
}

/// Alice loses the 486: the proxy repeats it until her ACK comes.
pub fn lost_negative_ack(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let caller = Leg::caller(s.at(alice), "lost-486@test", &target);
    let sent = caller.invite(s.at(alice));
    s.send(alice, &sent);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    let busy = reply(s.at(bob), &received, 486, "Busy Here", "bob-tag");
    s.send(bob, &busy);
    s.expect(bob, "ACK");
    s.expect(alice, "486 INVITE");
    let repeated = s.expect_again(alice, "486 INVITE");
    // Bob repeats too, and is acknowledged again.
    s.send(bob, &busy);
    s.expect_again(bob, "ACK");
    acknowledge_negative(s, alice, &sent, &repeated);
    // A copy may have been on its way; after that the proxy is silent.
    s.at(alice).receive_any(Duration::from_millis(50));
    assert!(
        s.at(alice)
            .receive_any(Duration::from_millis(1200))
            .is_none(),
        "the ACK stops the repetition"
    );
    s.dialogs();
}
