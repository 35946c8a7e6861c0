//! Calls that come to nothing.

use super::steps::{acknowledge_negative, await_gone, invite, pair, ringing};
use crate::support::Scene;
use crate::support::call::follow;

pub fn cancel_after_ringing(s: &mut Scene) {
    let call = ringing(s, "cancel@test");
    let cancel = follow(&call.sent, "CANCEL", call.sent.header("To"));
    s.send(call.alice, &cancel);
    s.expect(call.alice, "200 CANCEL");
    let cancelled = s.expect(call.bob, "CANCEL");
    s.dialogs();
    s.reply(call.bob, &cancelled, 200, "OK", "bob-tag");
    s.reply(
        call.bob,
        &call.received,
        487,
        "Request Terminated",
        "bob-tag",
    );
    s.expect(call.bob, "ACK");
    let reply = s.expect(call.alice, "487 INVITE");
    acknowledge_negative(s, call.alice, &call.sent, &reply);
    s.dialogs();
    s.script_lines();
    await_gone(s);
}

/// The CANCEL comes while nothing is heard from Bob: it is held back until the first provisional reply.
pub fn cancel_before_provisional(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let (_, sent) = invite(s, alice, "early-cancel@test", &target);
    let received = s.expect(bob, "INVITE");
    let cancel = follow(&sent, "CANCEL", sent.header("To"));
    s.send(alice, &cancel);
    s.expect(alice, "200 CANCEL");
    s.expect_again(bob, "INVITE");
    // What rings now is cancelled at once, and Alice is not told that it rang.
    s.reply(bob, &received, 180, "Ringing", "bob-tag");
    let cancelled = s.expect(bob, "CANCEL");
    s.reply(bob, &cancelled, 200, "OK", "bob-tag");
    s.reply(bob, &received, 487, "Request Terminated", "bob-tag");
    s.expect(bob, "ACK");
    let reply = s.expect(alice, "487 INVITE");
    acknowledge_negative(s, alice, &sent, &reply);
    s.dialogs();
}

fn refused(s: &mut Scene, call_id: &str, code: u16, phrase: &str, shown: u16) {
    let call = ringing(s, call_id);
    s.reply(call.bob, &call.received, code, phrase, "bob-tag");
    s.expect(call.bob, "ACK");
    let reply = s.expect(call.alice, &format!("{shown} INVITE"));
    acknowledge_negative(s, call.alice, &call.sent, &reply);
    s.dialogs();
    s.script_lines();
    await_gone(s);
}

pub fn busy(s: &mut Scene) {
    refused(s, "busy@test", 486, "Busy Here", 486);
}

pub fn declined_6xx(s: &mut Scene) {
    refused(s, "declined@test", 603, "Decline", 603);
}

pub fn unavailable_503(s: &mut Scene) {
    refused(s, "unavailable@test", 503, "Service Unavailable", 500);
}

/// Bob rings until the proxy gives up: 408 to Alice, CANCEL to Bob.
pub fn no_answer(s: &mut Scene) {
    let call = ringing(s, "no-answer@test");
    let reply = s.expect(call.alice, "408 INVITE");
    acknowledge_negative(s, call.alice, &call.sent, &reply);
    let cancelled = s.expect(call.bob, "CANCEL");
    s.reply(call.bob, &cancelled, 200, "OK", "bob-tag");
    s.reply(
        call.bob,
        &call.received,
        487,
        "Request Terminated",
        "bob-tag",
    );
    s.expect(call.bob, "ACK");
    s.dialogs();
    s.script_lines();
}

/// Bob never says a word.
pub fn nobody_there(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let (_, sent) = invite(s, alice, "nobody@test", &target);
    s.expect(bob, "INVITE");
    s.dialogs();
    let reply = s.expect(alice, "408 INVITE");
    acknowledge_negative(s, alice, &sent, &reply);
    s.dialogs();
    s.script_lines();
}
