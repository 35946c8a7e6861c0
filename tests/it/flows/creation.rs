//! How a call comes to be tracked, and when it does not.

use std::time::{Duration, Instant};

use super::steps::{acknowledge_negative, await_gone, exchange, pair, ringing};
use crate::support::Scene;
use crate::support::agent::Transport;
use crate::support::call::Leg;
use crate::support::message::Message;
use crate::support::scene::Who;

/// An INVITE with a header that tells the script how to track it.
fn invite_with(
    s: &mut Scene,
    from: Who,
    call_id: &str,
    target: &str,
    track: &str,
) -> (Leg, Message) {
    let leg = Leg::caller(s.at(from), call_id, target);
    let mut invite = leg.invite(s.at(from));
    invite.headers.push(("Track".to_owned(), track.to_owned()));
    s.send(from, &invite);
    (leg, invite)
}

/// A whole call to `target`, which comes out at Bob.
fn whole_call(s: &mut Scene, call_id: &str, target: &str, track: &str) {
    let (alice, bob) = pair(s);
    let came_twice = !target.is_empty();
    let target = if came_twice {
        s.server_uri(target)
    } else {
        s.uri(bob)
    };
    let (mut caller, _) = invite_with(s, alice, call_id, &target, track);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    if came_twice {
        // The proxy's reply to itself and Bob's may otherwise come in either order.
        s.await_line("reply 100");
    }
    s.reply(bob, &received, 180, "Ringing", "bob-tag");
    s.expect(alice, "180 INVITE");
    s.dialogs();
    s.reply(bob, &received, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    s.dialogs();
    exchange(s, alice, &mut caller, bob, "BYE");
    s.dialogs();
    s.script_lines();
}

/// The INVITE comes through the proxy twice and is one call.
pub fn spiral(s: &mut Scene) {
    whole_call(s, "spiral@test", "spiral", "");
}

/// Without detection each pass is a call of its own.
pub fn spirals_not_detected(s: &mut Scene) {
    whole_call(s, "two-passes@test", "spiral", "");
}

pub fn tracked_by_flag(s: &mut Scene) {
    whole_call(s, "flag@test", "", "flag");
}

/// Refused before there is a transaction: the call was processed, and is forgotten at once.
pub fn refused_without_transaction(s: &mut Scene) {
    let alice = s.agent("alice", 10, Transport::Udp);
    let target = s.server_uri("bob");
    let (_, sent) = invite_with(s, alice, "refused@test", &target, "refuse");
    let reply = s.expect(alice, "403 INVITE");
    acknowledge_negative(s, alice, &sent, &reply);
    await_gone(s);
    s.dialogs();
    s.script_lines();
}

pub fn refused_with_transaction(s: &mut Scene) {
    let alice = s.agent("alice", 10, Transport::Udp);
    let target = s.server_uri("bob");
    let (_, sent) = invite_with(s, alice, "refused-2@test", &target, "refuse statefully");
    let reply = s.expect(alice, "480 INVITE");
    acknowledge_negative(s, alice, &sent, &reply);
    s.dialogs();
    s.script_lines();
    await_gone(s);
}

/// The same Call-ID and From tag again after a 407: a new call beside the failed one.
pub fn authentication_retry(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let mut caller = Leg::caller(s.at(alice), "retry@test", &target);
    let sent = caller.invite(s.at(alice));
    s.send(alice, &sent);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    s.reply(
        bob,
        &received,
        407,
        "Proxy Authentication Required",
        "first-tag",
    );
    s.expect(bob, "ACK");
    let refused = s.expect(alice, "407 INVITE");
    acknowledge_negative(s, alice, &sent, &refused);
    caller.cseq += 1;
    let sent = caller.invite(s.at(alice));
    s.send(alice, &sent);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    s.dialogs();
    s.reply(bob, &received, 200, "OK", "second-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    s.dialogs();
    exchange(s, alice, &mut caller, bob, "BYE");
    s.script_lines();
}

/// `wait_ack=0`: the record goes with the final reply.
pub fn negative_without_waiting(s: &mut Scene) {
    let call = ringing(s, "no-wait@test");
    s.reply(call.bob, &call.received, 486, "Busy Here", "bob-tag");
    s.expect(call.bob, "ACK");
    let reply = s.expect(call.alice, "486 INVITE");
    let told = Instant::now();
    await_gone(s);
    assert!(
        told.elapsed() < Duration::from_millis(900),
        "the record waits for the transaction"
    );
    acknowledge_negative(s, call.alice, &call.sent, &reply);
    s.dialogs();
    s.script_lines();
}

pub fn another_cookie_name(s: &mut Scene) {
    whole_call(s, "cookie@test", "", "");
}
