//! Requests of the proxy's own within calls and beside them: keep-alives, bridging.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::steps::{Call, answer, await_gone, command, established, pair};
use crate::support::Scene;
use crate::support::call::Leg;
use crate::support::scene::Who;

/// A call whose parties are asked whether they are still there: one of them knows of no call any more.
pub fn keep_alive(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let caller = Leg::caller(s.at(alice), "keep-alive@test", &target);
    let mut sent = caller.invite(s.at(alice));
    sent.headers.push(("Keep".to_owned(), "yes".to_owned()));
    s.send(alice, &sent);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    s.reply(bob, &received, 180, "Ringing", "bob-tag");
    s.expect(alice, "180 INVITE");
    let callee = Leg::callee(&received, "bob-tag");
    let mut call = Call {
        alice,
        bob,
        caller,
        callee,
        sent,
        received,
    };
    answer(s, &mut call);
    // Nothing comes before the interval of thirty seconds is over.
    sleep(Duration::from_secs(29));
    let at_alice = s.expect(alice, "OPTIONS");
    let at_bob = s.expect(bob, "OPTIONS");
    s.rpc("dlg.list", json!([]));
    s.reply(alice, &at_alice, 200, "OK", "unused");
    s.reply(
        bob,
        &at_bob,
        481,
        "Call/Transaction Does Not Exist",
        "unused",
    );
    s.until("ten seconds are left", "dlg.list", json!([]), |list| {
        list[0]["lifetime"] == json!(10)
    });
    sleep(Duration::from_secs(7));
    s.await_line("event end");
    await_gone(s);
    s.dialogs();
    s.script_lines();
}

/// The ACK of a 2xx is not recorded: Kamailio gives it the INVITE's branch, which RFC 3261 §17 forbids.
fn acknowledged(s: &mut Scene, who: Who) {
    let ack = s.receive_unrecorded(who);
    assert_eq!(ack.kind(), "ACK");
    assert_eq!(ack.header("CSeq"), "10 ACK");
    assert_eq!(ack.tag("To"), Some("a-tag"));
}

/// The controller's call to Alice: on hold, referred, over.
fn bridged(s: &mut Scene, alice: Who) {
    let invite = s.expect(alice, "INVITE");
    s.reply(alice, &invite, 180, "Ringing", "a-tag");
    s.reply(alice, &invite, 200, "OK", "a-tag");
    acknowledged(s, alice);
    let refer = s.expect(alice, "REFER");
    s.reply(alice, &refer, 202, "Accepted", "unused");
    let bye = s.expect(alice, "BYE");
    s.reply(alice, &bye, 200, "OK", "unused");
    s.dialogs();
}

pub fn bridged_by_command(s: &mut Scene) {
    let alice = s.agent("alice", 10, s.transport);
    let uri = s.uri(alice);
    s.rpc("dlg.bridge_dlg", json!([uri, "sip:bob@test.example"]));
    bridged(s, alice);
    s.rpc(
        "dlg.bridge_dlg",
        json!(["sip:alice@test.example", "<sip:bob@test.example>", uri, "_"]),
    );
    bridged(s, alice);
    s.rpc(
        "dlg.bridge_dlg",
        json!([uri, "sip:bob@test.example", ".", "v=0\r\n"]),
    );
    bridged(s, alice);
    s.rpc(
        "dlg.bridge_dlg",
        json!([uri, "sip:bob@test.example", ".", "."]),
    );
    let invite = s.expect(alice, "INVITE");
    s.reply(alice, &invite, 486, "Busy Here", "a-tag");
    s.expect(alice, "ACK");
    s.rpc("dlg.bridge_dlg", json!([uri]));
    s.rpc("dlg.bridge_dlg", json!([]));
}

pub fn bridged_by_script(s: &mut Scene) {
    let mut call = established(s, "bridge@test");
    let carol = s.agent("carol", 30, s.transport);
    let uri = s.uri(carol);
    let mut message = call.caller.request(s.at(call.alice), "MESSAGE");
    for (name, value) in [
        ("Command", "bridge"),
        ("Bridge-From", "sip:carol@test.example"),
    ] {
        message.headers.push((name.to_owned(), value.to_owned()));
    }
    message.headers.push(("Bridge-Via".to_owned(), uri));
    s.send(call.alice, &message);
    s.expect(call.alice, "200 MESSAGE");
    bridged(s, carol);
    super::steps::hang_up(s, &mut call);
    s.script_lines();
}

/// Items of other nodes count in profiles.
pub fn remote_profiles(s: &mut Scene) {
    let mut call = established(s, "remote@test");
    command(s, &mut call, "remote");
    for params in [
        json!(["inbound"]),
        json!(["caller"]),
        json!(["caller", "alice"]),
    ] {
        s.rpc("dlg.profile_get_size", params);
    }
    s.rpc("dlg.profile_list", json!(["caller"]));
    super::steps::hang_up(s, &mut call);
    s.rpc("dlg.profile_get_size", json!(["caller"]));
    s.script_lines();
}

/// Records a listing but for the context that only Tandem shows.
fn without_context(s: &mut Scene, method: &str, params: &Value) {
    let mut answer = s.ask(method, params);
    let calls = match &mut answer {
        Value::Array(calls) => calls.as_mut_slice(),
        call => std::slice::from_mut(call),
    };
    for call in calls {
        if let Some(members) = call.as_object_mut() {
            members.remove("context");
        }
    }
    s.note(&format!("{method} {params}"));
    s.record_json(&answer.to_string());
}

/// Matching, and states set by hand.
pub fn matching_lists(s: &mut Scene) {
    let mut call = established(s, "match@test");
    for params in [
        json!(["callid", "eq", "match@test"]),
        json!(["callid", "sw", "match"]),
        json!(["callid", "re", "^MATCH@"]),
        json!(["callid", "eq", "match"]),
        json!(["furi", "sw", "sip:alice@", 1]),
        json!(["turi", "re", "callee"]),
        json!(["ruri", "re", "^sip:bob"]),
        json!(["start_ts", "gt", "1"]),
        json!(["start_ts", "gt", 1]),
        json!(["start_ts", "lt", "1"]),
        json!(["start_ts", "gt", "x"]),
        json!(["start_ts", "eq", "1"]),
        json!(["callid", "gt", "1"]),
        json!(["nope", "eq", "1"]),
        json!(["callid", "nope", "1"]),
        json!(["callid", "re", "("]),
        json!(["callid", "eq"]),
        json!(["callid", "eq", "match@test", 0]),
        json!([]),
    ] {
        s.rpc("dlg.list_match", params.clone());
        without_context(s, "dlg.list_match_ctx", &params);
    }
    without_context(s, "dlg.list_ctx", &json!([]));
    without_context(s, "dlg.dlg_list_ctx", &json!(["match@test"]));
    s.rpc("dlg.briefing", json!([""]));
    s.rpc("dlg.briefing", json!(["xfx"]));
    s.rpc("dlg.stats_active", json!([1]));
    s.rpc("dlg.set_state", json!(["match@test", "alice-tag"]));
    s.rpc("dlg.set_state", json!(["nope", "alice-tag", "bob-tag", 5]));
    s.rpc(
        "dlg.set_state",
        json!(["match@test", "alice-tag", "bob-tag", 9]),
    );
    s.rpc(
        "dlg.set_state",
        json!(["match@test", "alice-tag", "bob-tag", 5]),
    );
    s.rpc("dlg.stats_active", json!([]));
    s.rpc("stats.get_statistics", json!(["dialog:"]));
    s.rpc("dlg.list", json!([]));
    super::steps::hang_up(s, &mut call);
    s.script_lines();
}

/// The file of `dlg.dump_file`.
pub fn dumped(s: &mut Scene) {
    let mut call = established(s, "dump@test");
    let path = s.lab.directory().join("dump.json");
    s.ask("dlg.dump_file", &json!([path.to_string_lossy()]));
    s.ask("dlg.dump_file", &json!([path.to_string_lossy()]));
    let text = std::fs::read_to_string(&path).expect("the dump is there");
    s.note("the dump");
    for line in text.lines() {
        s.record_json(line);
    }
    super::steps::hang_up(s, &mut call);
}
