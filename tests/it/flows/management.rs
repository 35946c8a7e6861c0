//! Profiles, variables, and what the management commands show of several calls.

use serde_json::json;

use super::steps::{Call, command, established, hang_up, ringing_between};
use crate::support::Scene;

/// Alice talks to Bob, and Dave's call to Carol rings.
fn two_calls(s: &mut Scene) -> (Call, Call) {
    let first = established(s, "call-1@test");
    let dave = s.agent("dave", 40, s.transport);
    let carol = s.agent("carol", 30, s.transport);
    let second = ringing_between(s, dave, carol, "call-2@test");
    (first, second)
}

pub fn profiles_of_two_calls(s: &mut Scene) {
    let (mut first, mut second) = two_calls(s);
    command(s, &mut first, "profiles");
    sizes(s);
    super::steps::answer(s, &mut second);
    s.rpc("dlg.profile_list", json!(["caller", "dave"]));
    hang_up(s, &mut first);
    sizes(s);
    hang_up(s, &mut second);
    sizes(s);
    s.script_lines();
}

fn sizes(s: &mut Scene) {
    for params in [
        json!(["inbound"]),
        json!(["caller"]),
        json!(["caller", "alice"]),
        json!(["caller", "dave"]),
        json!(["trunk"]),
    ] {
        s.rpc("dlg.profile_get_size", params);
    }
}

pub fn variables(s: &mut Scene) {
    let mut call = established(s, "variables@test");
    command(s, &mut call, "variables");
    s.rpc("dlg.dlg_list", json!(["variables@test"]));
    hang_up(s, &mut call);
    s.script_lines();
}

pub fn listings_of_two_calls(s: &mut Scene) {
    let (mut first, mut second) = two_calls(s);
    s.rpc("dlg.list", json!([]));
    s.rpc("dlg.briefing", json!([]));
    s.rpc("dlg.briefing", json!(["ftcFTISEs"]));
    s.rpc("dlg.stats_active", json!([]));
    s.rpc("dlg.dlg_list", json!(["call-1@test"]));
    s.rpc("dlg.dlg_list", json!(["call-1@test", "alice-tag"]));
    s.rpc("dlg.dlg_list", json!(["call-1@test", "other-tag"]));
    s.rpc("dlg.is_alive", json!(["call-2@test", "dave-tag", ""]));
    super::steps::answer(s, &mut second);
    s.rpc("dlg.stats_active", json!([]));
    hang_up(s, &mut first);
    s.rpc("dlg.stats_active", json!([]));
    hang_up(s, &mut second);
    s.rpc("stats.get_statistics", json!(["dialog:"]));
}

/// What the commands say to nonsense.
pub fn command_errors(s: &mut Scene) {
    s.rpc("dlg.list", json!([]));
    s.rpc("dlg.briefing", json!([]));
    s.rpc("dlg.end_dlg", json!([]));
    s.rpc("dlg.end_dlg", json!([1, 2]));
    s.rpc("dlg.terminate_dlg", json!(["a"]));
    s.rpc("dlg.terminate_dlg", json!(["a", "b", "c"]));
    s.rpc("dlg.is_alive", json!(["a"]));
    s.rpc("dlg.is_alive", json!(["a", "b", "c"]));
    s.rpc("dlg.profile_get_size", json!(["nope"]));
    s.rpc("dlg.profile_list", json!(["nope"]));
    s.rpc("dlg.dlg_list", json!(["nope"]));
    s.rpc("no.such.command", json!([]));
    s.rpc("stats.get_statistics", json!(["nope"]));
}
