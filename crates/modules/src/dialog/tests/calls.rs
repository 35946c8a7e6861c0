//! Calls from their INVITE to their end, and how they are shown.

use rpc::Value;

use super::*;
use crate::testing::UNIX_BEGIN;

#[test]
fn a_call_from_its_invite_to_its_bye() {
    let mut bench = bench("", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let route = to_bob.header("Record-Route").to_owned();
    assert!(
        route.starts_with("<sip:10.0.0.1;lr;ftag=fa;did=9ea."),
        "{route}"
    );
    assert_eq!(state_of(&mut bench), Some(1));
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    assert_eq!(state_of(&mut bench), Some(2));
    assert_eq!(bench.statistic("dialog", "early_dialogs"), 1);

    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    bench.receive(BOB, &ok);
    assert_eq!(state_of(&mut bench), Some(3));
    assert_eq!(
        logged(&bench),
        ["start INVITE 200 state=3 to=tb var=before"]
    );
    bench.receive(ALICE, &within("ACK", 10, &route));
    assert_eq!(state_of(&mut bench), Some(4));
    assert_eq!(logged(&bench), ["within state=4 var=before"]);
    let caller = |bench: &mut Bench| bench.command("dlg.profile_get_size", &["caller", "alice"]);
    assert_eq!(caller(&mut bench), Ok(vec![Value::Int(1)]));

    bench.advance(2_000);
    let sent = bench.receive(ALICE, &within("BYE", 11, &route));
    assert_eq!(
        logged(&bench),
        ["end BYE state=5 var=before", "within state=5 var=before"]
    );
    assert_eq!(state_of(&mut bench), Some(5));
    assert_eq!(caller(&mut bench), Ok(vec![Value::Int(0)]));
    assert_eq!(bench.statistic("dialog", "active_dialogs"), 0);
    let bye = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&bye, "200 OK", ""));
    bench.advance(8_000);
    assert_eq!(state_of(&mut bench), None);
}

#[test]
fn a_call_is_listed_with_all_its_parts() {
    let mut bench = bench("", BEGIN);
    answered(&mut bench);
    let calls = bench.command("dlg.list", &[]).expect("a listing");
    let call = calls[0].as_struct().expect("a struct");
    let names: Vec<_> = call.members().iter().map(|m| m.0.as_ref()).collect();
    assert_eq!(
        names,
        [
            "h_entry",
            "h_id",
            "ref",
            "call-id",
            "from_uri",
            "to_uri",
            "state",
            "start_ts",
            "init_ts",
            "end_ts",
            "duration",
            "timeout",
            "lifetime",
            "dflags",
            "sflags",
            "iflags",
            "caller",
            "callee",
            "profiles",
            "variables"
        ]
    );
    let int = |name| call.get(name).and_then(Value::as_int);
    assert_eq!(int("h_entry"), Some(2793));
    assert_eq!(int("ref"), Some(2));
    assert_eq!(int("sflags"), Some(8));
    assert_eq!(int("timeout"), Some(UNIX_BEGIN as i64 + 43_200));
    assert_eq!(int("dflags"), Some(1667));
    let leg = |side, name| {
        let leg = call.get(side).and_then(Value::as_struct);
        leg.and_then(|leg| leg.get(name))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(leg("caller", "contact"), text("sip:alice@10.0.0.2;ob"));
    assert_eq!(leg("caller", "cseq"), text("10"));
    assert_eq!(leg("callee", "tag"), text("tb"));
    assert_eq!(leg("callee", "route_set"), text(""));
    assert_eq!(leg("callee", "socket"), text("udp:10.0.0.1:5060"));
    let Some(Value::Array(profiles)) = call.get("profiles") else {
        panic!("no profiles");
    };
    assert_eq!(profiles[0], Value::from("inbound"));
    assert_eq!(profiles.len(), 2);
}

#[test]
fn a_refused_call_fails_and_stays_as_long_as_its_transaction() {
    let mut bench = bench("", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "486 Busy Here", ""));
    assert_eq!(logged(&bench), ["failed INVITE 486 state=5"]);
    assert_eq!(state_of(&mut bench), Some(5));
    assert_eq!(bench.statistic("dialog", "failed_dialogs"), 1);
    bench.advance(60_000);
    assert_eq!(state_of(&mut bench), None);
}

#[test]
fn wait_ack_0_lets_a_failed_call_go_after_its_event() {
    let mut bench = bench("modparam(\"dialog\", \"wait_ack\", 0)\n", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "486 Busy Here", ""));
    assert_eq!(logged(&bench), ["failed INVITE 486 state=5"]);
    assert_eq!(state_of(&mut bench), None);
}

#[test]
fn a_cancelled_call_fails_with_the_487() {
    let mut bench = bench("", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    let cancel = invite()
        .replace("INVITE sip", "CANCEL sip")
        .replace("10 INVITE", "10 CANCEL");
    bench.receive(ALICE, &cancel);
    assert_eq!(state_of(&mut bench), Some(2));
    bench.receive(BOB, &reply(&to_bob, "487 Request Terminated", ""));
    assert_eq!(state_of(&mut bench), Some(5));
    assert_eq!(bench.statistic("dialog", "early_dialogs"), 0);
}

#[test]
fn a_stateless_answer_leaves_no_call() {
    let begin = r#"
route[BEGIN] {
    dlg_manage();
    sl_send_reply("403", "Forbidden");
    exit;
}
"#;
    let mut bench = bench("", begin);
    bench.receive(ALICE, invite());
    assert_eq!(state_of(&mut bench), None);
    assert_eq!(bench.statistic("dialog", "processed_dialogs"), 1);
    assert_eq!(bench.statistic("dialog", "failed_dialogs"), 0);
}

#[test]
fn dlg_flag_makes_a_call_when_the_transaction_is_made() {
    let begin = r#"
route[BEGIN] {
    setflag(4);
    $dlg_var(x) = "kept";
}
"#;
    let mut bench = bench("modparam(\"dialog\", \"dlg_flag\", 4)\n", begin);
    let route = answered(&mut bench);
    assert!(route.contains(";did="), "{route}");
    assert_eq!(state_of(&mut bench), Some(4));
    assert_eq!(
        logged(&bench).last().map(String::as_str),
        Some("within state=4 var=kept")
    );
}
