//! Calls that simply work, and how requests find their way.

use super::steps::{
    answer, await_gone, established, exchange, hang_up, pair, ringing, ringing_between,
};
use crate::support::Scene;
use crate::support::agent::Transport;
use crate::support::call::{Leg, standalone};

pub fn basic_call(s: &mut Scene) {
    let mut call = ringing(s, "basic@test");
    s.dialogs();
    answer(s, &mut call);
    s.dialogs();
    s.script_lines();
    hang_up(s, &mut call);
    s.dialogs();
    await_gone(s);
    s.dialogs();
    s.script_lines();
}

pub fn basic_call_tcp(s: &mut Scene) {
    let (alice, bob) = (
        s.agent("alice", 10, Transport::Tcp),
        s.agent("bob", 20, Transport::Tcp),
    );
    let mut call = ringing_between(s, alice, bob, "basic-tcp@test");
    answer(s, &mut call);
    s.dialogs();
    exchange(s, call.bob, &mut call.callee, call.alice, "INFO");
    hang_up(s, &mut call);
    s.script_lines();
}

pub fn udp_to_tcp(s: &mut Scene) {
    let (alice, bob) = (
        s.agent("alice", 10, Transport::Udp),
        s.agent("bob", 20, Transport::Tcp),
    );
    let mut call = ringing_between(s, alice, bob, "udp-tcp@test");
    answer(s, &mut call);
    s.dialogs();
    exchange(s, call.bob, &mut call.callee, call.alice, "INFO");
    hang_up(s, &mut call);
}

pub fn bye_from_callee(s: &mut Scene) {
    let mut call = established(s, "callee-ends@test");
    exchange(s, call.bob, &mut call.callee, call.alice, "BYE");
    s.dialogs();
    s.script_lines();
    await_gone(s);
}

/// Proxies before and behind: their routes stay, in the right order, in both directions and in the dialog table.
pub fn route_sets(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let caller = Leg::caller(s.at(alice), "routes@test", &target);
    let mut sent = caller.invite(s.at(alice));
    for proxy in ["<sip:edge1.test;lr>", "<sip:edge2.test;lr;x=1>"] {
        sent.headers
            .insert(1, ("Record-Route".to_owned(), proxy.to_owned()));
    }
    s.send(alice, &sent);
    s.expect(alice, "100 INVITE");
    let mut received = s.expect(bob, "INVITE");
    received.headers.insert(
        0,
        (
            "Record-Route".to_owned(),
            "<sip:far.test;lr>, <sip:near.test;lr>".to_owned(),
        ),
    );
    s.reply(bob, &received, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    let mut caller = caller;
    caller.learn(&ok);
    s.rpc("dlg.list", serde_json::json!([]));
    // The proxies are not there, so only what this proxy does with their routes is of interest.
    caller.routes.retain(|route| !route.contains(".test"));
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    exchange(s, alice, &mut caller, bob, "BYE");
}

pub fn register_and_lookup(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let registrar = s.lab.server().to_string();
    let mut register = standalone(
        s.at(bob),
        "REGISTER",
        &format!("sip:{registrar}"),
        "register@test",
    );
    for (name, value) in &mut register.headers {
        match name.as_str() {
            "From" => *value = format!("<sip:bob@{registrar}>;tag=bob-register"),
            "To" => *value = format!("<sip:bob@{registrar}>"),
            "Contact" => value.push_str(";expires=7200;q=0.5"),
            _ => {}
        }
    }
    s.send(bob, &register);
    s.expect(bob, "200 REGISTER");
    s.rpc("ul.lookup", serde_json::json!(["location", "bob"]));

    let target = s.server_uri("bob");
    let (mut caller, _) = super::steps::invite(s, alice, "lookup@test", &target);
    let invite = s.expect(bob, "INVITE");
    s.reply(bob, &invite, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    s.dialogs();
    exchange(s, alice, &mut caller, bob, "BYE");
}

pub fn unknown_user(s: &mut Scene) {
    let alice = s.agent("alice", 10, Transport::Udp);
    let target = s.server_uri("nobody");
    let caller = Leg::caller(s.at(alice), "unknown@test", &target);
    let invite = caller.invite(s.at(alice));
    s.send(alice, &invite);
    let reply = s.expect(alice, "404 INVITE");
    super::steps::acknowledge_negative(s, alice, &invite, &reply);
    let options = standalone(s.at(alice), "OPTIONS", &target, "options@test");
    s.send(alice, &options);
    s.expect(alice, "404 OPTIONS");
    s.dialogs();
}
