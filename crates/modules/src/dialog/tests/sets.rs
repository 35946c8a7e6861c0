//! Work on many calls: by profile, by what they match; and places in profiles.

use super::functions::SAY;
use super::*;

#[test]
fn the_lifetime_of_all_calls_in_a_profile() {
    let begin = r#"
route[BEGIN] {
    set_dlg_profile("caller", "$fU");
    set_dlg_profile("inbound");
    dlg_manage();
    if ($hdr(Short) == "value") $var(rc) = dlg_set_timeout_by_profile("caller", "alice", "77");
    if ($hdr(Short) == "all") $var(rc) = dlg_set_timeout_by_profile("inbound", "88");
    xlog("L_INFO", "$var(rc)");
}
"#;
    let mut bench = bench("", begin);
    answered(&mut bench);
    let other = |call: &str, short: &str| {
        invite()
            .replace("call-1@test", call)
            .replace("z9hG4bKa1", call)
            .replace("Content-Length", &format!("Short: {short}\nContent-Length"))
    };
    bench.receive(ALICE, &other("call-2", "value"));
    assert_eq!(member(&mut bench, "lifetime"), Some(Value::Int(77)));
    let timeout = member(&mut bench, "timeout");
    assert_eq!(
        timeout,
        Some(Value::Int(crate::testing::UNIX_BEGIN as i64 + 77))
    );
    bench.receive(ALICE, &other("call-3", "all"));
    assert_eq!(member(&mut bench, "lifetime"), Some(Value::Int(88)));
    // Nothing has come back for the calls that set it: they have no deadline to move yet.
    let calls = bench.command("dlg.dlg_list", &["call-3"]).unwrap();
    let lifetime = calls[0].as_struct().and_then(|call| call.get("lifetime"));
    assert_eq!(lifetime, Some(&Value::Int(43_200)));
}

#[test]
fn a_place_in_a_profile_is_taken_once() {
    let begin = format!(
        r#"
route[BEGIN] {{
    if (!dlg_profile_admit("caller", "alice", "2")) {SAY}"no call yet");
    dlg_manage();
    if (dlg_profile_admit("caller", "alice", "2")) {SAY}"in"); else {SAY}"full");
    if (dlg_profile_admit("caller", "alice", "1")) {SAY}"still in");
    if (!dlg_profile_admit("caller", "other", "0")) {SAY}"none at all");
}}
"#
    );
    let mut bench = bench("", &begin);
    for call in ["call-1", "call-2", "call-3"] {
        let invite = invite()
            .replace("call-1@test", call)
            .replace("z9hG4bKa1", call);
        bench.receive(ALICE, &invite);
        let third = call == "call-3";
        let expected = if third {
            vec!["no call yet", "full", "none at all"]
        } else {
            vec!["no call yet", "in", "still in", "none at all"]
        };
        assert_eq!(logged(&bench), expected, "{call}");
    }
    let size = bench.command("dlg.profile_get_size", &["caller", "alice"]);
    assert_eq!(size, Ok(vec![Value::Int(2)]));
    let values = bench.command("dlg.profile_values", &["caller"]).unwrap();
    let first = values[0].as_struct().expect("a struct");
    assert_eq!(first.get("value"), Some(&Value::from("alice")));
    assert_eq!(first.get("size"), Some(&Value::Int(2)));
}

#[test]
fn items_of_other_nodes_go_at_their_time() {
    let begin = r#"
route[BEGIN] {
    $var(exp) = $Ts + 3;
    dlg_remote_profile("add", "caller", "alice", "u1", "$var(exp)");
    dlg_remote_profile("add", "inbound", "", "u2", "0");
    dlg_remote_profile("rm", "inbound", "", "u3", "0");
    dlg_manage();
}
"#;
    let mut bench = bench("", begin);
    bench.receive(ALICE, invite());
    let size = |bench: &mut Bench, name: &str| bench.command("dlg.profile_get_size", &[name]);
    assert_eq!(size(&mut bench, "caller"), Ok(vec![Value::Int(1)]));
    assert_eq!(size(&mut bench, "inbound"), Ok(vec![Value::Int(1)]));
    bench.advance(4_000);
    assert_eq!(size(&mut bench, "caller"), Ok(vec![Value::Int(0)]));
    assert_eq!(size(&mut bench, "inbound"), Ok(vec![Value::Int(1)]));
}

#[test]
fn all_calls_that_match_are_ended() {
    let mut bench = bench("", BEGIN);
    answered(&mut bench);
    for call in 2..=500 {
        let name = format!("call-{call}@test");
        let invite = invite()
            .replace("call-1@test", &name)
            .replace("z9hG4bKa1", &name);
        bench.receive(ALICE, &invite);
    }
    let mut end = |arguments: &[&str]| {
        let reply = bench
            .command("dlg.end_match", arguments)
            .map_err(|f| f.code)?;
        let counts = reply[0].as_struct().expect("a struct").clone();
        let number = |name| counts.get(name).and_then(Value::as_int).unwrap_or(-1);
        Ok::<_, u16>((number("matched"), number("ended"), bench.settle()))
    };
    let (matched, ended, sent) = end(&["furi", "sw", "sip:alice@", "0", "1"]).unwrap();
    assert_eq!((matched, ended, sent.len()), (500, 0, 0));
    let (matched, ended, sent) = end(&["callid", "eq", "call-1@test"]).unwrap();
    assert_eq!((matched, ended), (1, 1));
    let byes = sent.iter().filter(|sent| sent.text.starts_with("BYE"));
    assert_eq!(byes.count(), 2);
    let (matched, ended, sent) = end(&["callid", "re", "^CALL-[2-9]@", "3"]).unwrap();
    assert_eq!((matched, ended), (3, 3));
    let refused = sent
        .iter()
        .filter(|sent| sent.text.starts_with("SIP/2.0 480"));
    assert_eq!(refused.count(), 3);
    let (matched, _, _) = end(&["furi", "sw", "sip:alice@"]).unwrap();
    assert_eq!(matched, 496);
    let (matched, ended, _) = end(&["furi", "sw", "sip:alice@"]).unwrap();
    assert_eq!((matched, ended), (0, 0));
    assert_eq!(end(&["nope", "sw", "x"]).map(|_| ()), Err(500));
    assert_eq!(bench.statistic("dialog", "active_dialogs"), 0);
}
