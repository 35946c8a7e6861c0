//! The pieces that most flows are made of.

use crate::support::Scene;
use crate::support::call::{Leg, follow};
use crate::support::message::Message;
use crate::support::scene::Who;

/// A call between two agents, with what each knows of it.
pub struct Call {
    pub alice: Who,
    pub bob: Who,
    pub caller: Leg,
    pub callee: Leg,
    /// The INVITE as Alice sent it and as Bob received it.
    pub sent: Message,
    pub received: Message,
}

/// The caller and the callee.
pub fn pair(s: &mut Scene) -> (Who, Who) {
    let transport = s.transport;
    (
        s.agent("alice", 10, transport),
        s.agent("bob", 20, transport),
    )
}

/// Alice invites `target`; returns her side, the INVITE and nothing of the answer but the 100.
pub fn invite(s: &mut Scene, from: Who, call_id: &str, target: &str) -> (Leg, Message) {
    let leg = Leg::caller(s.at(from), call_id, target);
    let invite = leg.invite(s.at(from));
    s.send(from, &invite);
    s.expect(from, "100 INVITE");
    (leg, invite)
}

/// Alice calls Bob, who rings.
pub fn ringing(s: &mut Scene, call_id: &str) -> Call {
    let (alice, bob) = pair(s);
    ringing_between(s, alice, bob, call_id)
}

/// One agent calls another, which rings.
pub fn ringing_between(s: &mut Scene, alice: Who, bob: Who, call_id: &str) -> Call {
    let target = s.uri(bob);
    let (caller, sent) = invite(s, alice, call_id, &target);
    let received = s.expect(bob, "INVITE");
    s.reply(bob, &received, 180, "Ringing", "bob-tag");
    s.expect(alice, "180 INVITE");
    let callee = Leg::callee(&received, "bob-tag");
    Call {
        alice,
        bob,
        caller,
        callee,
        sent,
        received,
    }
}

/// Bob answers and Alice acknowledges.
pub fn answer(s: &mut Scene, call: &mut Call) {
    s.reply(call.bob, &call.received, 200, "OK", "bob-tag");
    let ok = s.expect(call.alice, "200 INVITE");
    call.caller.learn(&ok);
    acknowledge(s, call);
}

/// Alice sends the ACK and Bob receives it.
pub fn acknowledge(s: &mut Scene, call: &mut Call) {
    let ack = call.caller.ack(s.at(call.alice));
    s.send(call.alice, &ack);
    s.expect(call.bob, "ACK");
}

/// A call that is up.
pub fn established(s: &mut Scene, call_id: &str) -> Call {
    let mut call = ringing(s, call_id);
    answer(s, &mut call);
    call
}

/// A request and its 200, from one side of a call to the other; returns the request as received.
pub fn exchange(s: &mut Scene, from: Who, leg: &mut Leg, to: Who, method: &str) -> Message {
    let request = leg.request(s.at(from), method);
    s.send(from, &request);
    let received = s.expect(to, method);
    s.reply(to, &received, 200, "OK", "unused");
    s.expect(from, &format!("200 {method}"));
    received
}

/// Alice hangs up.
pub fn hang_up(s: &mut Scene, call: &mut Call) {
    exchange(s, call.alice, &mut call.caller, call.bob, "BYE");
}

/// A request inside the call that the script answers itself, doing `command`.
pub fn command(s: &mut Scene, call: &mut Call, command: &str) {
    let mut message = call.caller.request(s.at(call.alice), "MESSAGE");
    message
        .headers
        .push(("Command".to_owned(), command.to_owned()));
    s.send(call.alice, &message);
    s.expect(call.alice, "200 MESSAGE");
}

/// Acknowledges a negative final reply, hop by hop.
pub fn acknowledge_negative(s: &mut Scene, who: Who, invite: &Message, reply: &Message) {
    let ack = follow(invite, "ACK", reply.header("To"));
    s.send(who, &ack);
}

/// Waits until the table is empty.
pub fn await_gone(s: &mut Scene) {
    let empty = |list: &serde_json::Value| list.as_array().is_some_and(Vec::is_empty);
    s.until(
        "no dialog is left",
        "dlg.list",
        serde_json::json!([]),
        empty,
    );
}
