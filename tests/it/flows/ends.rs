//! Calls that the proxy ends: by lifetime, by script, by command.

use std::time::{Duration, Instant};

use serde_json::json;

use super::steps::{Call, await_gone, command, established, exchange};
use crate::support::Scene;

/// Both sides receive the proxy's BYE and answer it.
fn byes(s: &mut Scene, call: &Call) {
    let at_alice = s.expect(call.alice, "BYE");
    let at_bob = s.expect(call.bob, "BYE");
    s.reply(call.alice, &at_alice, 200, "OK", "unused");
    s.reply(call.bob, &at_bob, 200, "OK", "unused");
}

/// The lifetime ends: the timeout route runs, nobody is told.
pub fn lifetime_without_bye(s: &mut Scene) {
    established(s, "lifetime@test");
    s.await_line("event end");
    await_gone(s);
    s.dialogs();
    s.script_lines();
}

/// The lifetime ends, and both sides are told.
pub fn lifetime_with_bye(s: &mut Scene) {
    let call = established(s, "lifetime-bye@test");
    byes(s, &call);
    await_gone(s);
    s.dialogs();
    s.script_lines();
}

pub fn ended_by_script(s: &mut Scene) {
    let mut call = established(s, "script-bye@test");
    command_and_byes(s, &mut call);
    await_gone(s);
    s.dialogs();
    s.script_lines();
}

fn command_and_byes(s: &mut Scene, call: &mut Call) {
    let mut message = call.caller.request(s.at(call.alice), "MESSAGE");
    message
        .headers
        .push(("Command".to_owned(), "bye".to_owned()));
    s.send(call.alice, &message);
    byes(s, call);
    s.expect(call.alice, "200 MESSAGE");
}

pub fn ended_by_command(s: &mut Scene) {
    let call = established(s, "end-dlg@test");
    let list = s.dialogs();
    let ids = json!([
        list[0]["h_entry"],
        list[0]["h_id"],
        "Reason: SIP;cause=200\r\n"
    ]);
    let answer = s.ask("dlg.end_dlg", &ids);
    s.record(&format!("dlg.end_dlg {answer}"));
    byes(s, &call);
    await_gone(s);
    s.dialogs();
    s.script_lines();
}

pub fn terminated_by_command(s: &mut Scene) {
    let call = established(s, "terminate@test");
    s.rpc(
        "dlg.is_alive",
        json!(["terminate@test", "alice-tag", "bob-tag"]),
    );
    s.rpc(
        "dlg.terminate_dlg",
        json!(["terminate@test", "alice-tag", "bob-tag"]),
    );
    byes(s, &call);
    await_gone(s);
    s.rpc(
        "dlg.is_alive",
        json!(["terminate@test", "alice-tag", "bob-tag"]),
    );
    s.script_lines();
}

/// `dlg_set_timeout` in mid-call.
pub fn timeout_from_script(s: &mut Scene) {
    let mut call = established(s, "set-timeout@test");
    command(s, &mut call, "timeout");
    s.rpc("dlg.list", json!([]));
    s.await_line("event end");
    await_gone(s);
    s.script_lines();
}

/// `dlg_bye` to one side tells nobody else, and the call is over when that side has answered.
fn bye_to_one(s: &mut Scene, call_id: &str, side: &str) {
    let mut call = established(s, call_id);
    let mut message = call.caller.request(s.at(call.alice), "MESSAGE");
    message
        .headers
        .push(("Command".to_owned(), format!("bye {side}")));
    s.send(call.alice, &message);
    if side == "caller" {
        let (a, b) = (s.expect(call.alice, "BYE"), call.alice);
        s.expect(call.alice, "200 MESSAGE");
        s.reply(b, &a, 200, "OK", "unused");
    } else {
        s.expect(call.alice, "200 MESSAGE");
        let at_bob = s.expect(call.bob, "BYE");
        s.reply(call.bob, &at_bob, 200, "OK", "unused");
    }
    await_gone(s);
    s.dialogs();
    s.script_lines();
}

pub fn bye_to_callee_only(s: &mut Scene) {
    bye_to_one(s, "bye-callee@test", "callee");
}

pub fn bye_to_caller_only(s: &mut Scene) {
    bye_to_one(s, "bye-caller@test", "caller");
}

/// The lifetime of one call comes from an AVP.
pub fn lifetime_of_one_call(s: &mut Scene) {
    let (alice, bob) = super::steps::pair(s);
    let target = s.uri(bob);
    let mut caller = crate::support::call::Leg::caller(s.at(alice), "avp@test", &target);
    let mut sent = caller.invite(s.at(alice));
    sent.headers.push(("Lifetime".to_owned(), "2".to_owned()));
    s.send(alice, &sent);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    s.reply(bob, &received, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    s.rpc("dlg.list", json!([]));
    s.await_line("event end");
    await_gone(s);
    s.script_lines();
}

/// Runs a call with a request inside after half its lifetime, and tells how long it lived.
fn lived(s: &mut Scene, call_id: &str) -> Duration {
    let start = Instant::now();
    let mut call = established(s, call_id);
    std::thread::sleep(Duration::from_millis(1600));
    exchange(s, call.alice, &mut call.caller, call.bob, "INFO");
    s.await_line("event end");
    start.elapsed()
}

/// A request inside the call starts its lifetime anew.
pub fn lifetime_extended(s: &mut Scene) {
    let lived = lived(s, "extended@test");
    assert!(lived > Duration::from_millis(4000), "lived for {lived:?}");
    s.script_lines();
}

pub fn lifetime_not_extended(s: &mut Scene) {
    let lived = lived(s, "not-extended@test");
    assert!(lived < Duration::from_millis(4200), "lived for {lived:?}");
    s.script_lines();
}
