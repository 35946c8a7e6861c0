//! One INVITE, several phones.

use super::steps::{acknowledge_negative, await_gone, exchange, invite, pair};
use crate::support::Scene;
use crate::support::call::Leg;
use crate::support::message::Message;
use crate::support::scene::Who;

struct Fork {
    alice: Who,
    bob: Who,
    carol: Who,
    caller: Leg,
    sent: Message,
    at_bob: Message,
    at_carol: Message,
}

fn forked(s: &mut Scene, call_id: &str) -> Fork {
    let (alice, bob) = pair(s);
    let carol = s.agent("carol", 30, s.transport);
    let target = s.server_uri("fork");
    let (caller, sent) = invite(s, alice, call_id, &target);
    let at_bob = s.expect(bob, "INVITE");
    let at_carol = s.expect(carol, "INVITE");
    Fork {
        alice,
        bob,
        carol,
        caller,
        sent,
        at_bob,
        at_carol,
    }
}

/// 404 beats 486, whichever comes first.
pub fn fork_404_and_486(s: &mut Scene) {
    let f = forked(s, "fork-fails@test");
    s.reply(f.carol, &f.at_carol, 486, "Busy Here", "carol-tag");
    s.expect(f.carol, "ACK");
    s.silence(f.alice, std::time::Duration::from_millis(100));
    s.reply(f.bob, &f.at_bob, 404, "Not Found", "bob-tag");
    s.expect(f.bob, "ACK");
    let reply = s.expect(f.alice, "404 INVITE");
    acknowledge_negative(s, f.alice, &f.sent, &reply);
    s.dialogs();
    s.script_lines();
}

pub fn fork_one_answers(s: &mut Scene) {
    let mut f = forked(s, "fork@test");
    s.reply(f.bob, &f.at_bob, 180, "Ringing", "bob-tag");
    s.expect(f.alice, "180 INVITE");
    s.reply(f.carol, &f.at_carol, 180, "Ringing", "carol-tag");
    s.expect(f.alice, "180 INVITE");
    s.dialogs();
    s.reply(f.carol, &f.at_carol, 200, "OK", "carol-tag");
    let ok = s.expect(f.alice, "200 INVITE");
    let cancel = s.expect(f.bob, "CANCEL");
    s.reply(f.bob, &cancel, 200, "OK", "bob-tag");
    s.reply(f.bob, &f.at_bob, 487, "Request Terminated", "bob-tag");
    s.expect(f.bob, "ACK");
    f.caller.learn(&ok);
    let ack = f.caller.ack(s.at(f.alice));
    s.send(f.alice, &ack);
    s.expect(f.carol, "ACK");
    s.dialogs();
    exchange(s, f.alice, &mut f.caller, f.carol, "BYE");
    s.script_lines();
    await_gone(s);
}

pub fn fork_6xx_cancels(s: &mut Scene) {
    let f = forked(s, "fork-6xx@test");
    s.reply(f.bob, &f.at_bob, 180, "Ringing", "bob-tag");
    s.expect(f.alice, "180 INVITE");
    s.reply(f.carol, &f.at_carol, 603, "Decline", "carol-tag");
    s.expect(f.carol, "ACK");
    let cancel = s.expect(f.bob, "CANCEL");
    s.reply(f.bob, &cancel, 200, "OK", "bob-tag");
    s.reply(f.bob, &f.at_bob, 487, "Request Terminated", "bob-tag");
    s.expect(f.bob, "ACK");
    let reply = s.expect(f.alice, "603 INVITE");
    acknowledge_negative(s, f.alice, &f.sent, &reply);
    s.dialogs();
    s.script_lines();
}

/// Bob refuses, the failure route tries Carol.
pub fn serial_fork(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let carol = s.agent("carol", 30, s.transport);
    let target = s.server_uri("serial");
    let (mut caller, _) = invite(s, alice, "serial@test", &target);
    let at_bob = s.expect(bob, "INVITE");
    s.reply(bob, &at_bob, 486, "Busy Here", "bob-tag");
    s.expect(bob, "ACK");
    let at_carol = s.expect(carol, "INVITE");
    s.dialogs();
    s.reply(carol, &at_carol, 200, "OK", "carol-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(carol, "ACK");
    s.dialogs();
    exchange(s, alice, &mut caller, carol, "BYE");
    s.script_lines();
}

/// A forking proxy behind this one: several to-tags on one branch, one of which answers.
pub fn several_early_dialogs(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let (mut caller, _) = invite(s, alice, "early-dialogs@test", &target);
    let received = s.expect(bob, "INVITE");
    for tag in ["first-tag", "second-tag"] {
        s.reply(bob, &received, 183, "Session Progress", tag);
        s.expect(alice, "183 INVITE");
    }
    s.dialogs();
    // An UPDATE inside the second early dialog.
    let mut early = Leg::callee(&received, "second-tag");
    let update = early.request(s.at(bob), "UPDATE");
    s.send(bob, &update);
    let update = s.expect(alice, "UPDATE");
    s.reply(alice, &update, 200, "OK", "unused");
    s.expect(bob, "200 UPDATE");
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
