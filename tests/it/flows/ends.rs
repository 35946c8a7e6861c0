//! Calls that the proxy ends: by lifetime, by script, by command.

use serde_json::json;

use super::steps::{Call, await_gone, command, established};
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
