//! Commands with arguments of all kinds, and what the context of a call shows.

use super::*;

#[test]
fn the_context_shows_what_is_attached() {
    let begin = r#"
route[BEGIN] {
    $dlg_ctx(timeout_route) = "LATE";
    dlg_set_property("ka-dst");
    dlg_manage();
}
"#;
    let parameters =
        "modparam(\"dialog\", \"ka_timer\", 1)\nmodparam(\"dialog\", \"ka_interval\", 30)\n";
    let mut bench = bench(parameters, begin);
    answered(&mut bench);
    let calls = bench.command("dlg.dlg_list_ctx", &["call-1@test"]).unwrap();
    let call = calls[0].as_struct().expect("a struct").clone();
    let (last, context) = call.members().last().expect("members");
    assert_eq!(last, "context");
    let context = context.as_struct().expect("a struct");
    let names: Vec<_> = context.members().iter().map(|m| m.0.as_ref()).collect();
    assert_eq!(
        names,
        [
            "deadline",
            "deadline_of",
            "timeout_route",
            "transaction",
            "holds",
            "own_cseq",
            "variables",
            "end_reason",
            "ended_by",
            "keep_alive",
            "bye",
            "forks",
            "callbacks",
            "attached"
        ]
    );
    assert_eq!(context.get("deadline"), Some(&Value::Int(43_200)));
    assert_eq!(context.get("timeout_route"), Some(&Value::from("LATE")));
    assert_eq!(context.get("end_reason"), Some(&Value::Null));
    let keep_alive = context
        .get("keep_alive")
        .and_then(Value::as_struct)
        .unwrap();
    let next = keep_alive.get("next").and_then(Value::as_int).unwrap();
    assert!((30..=31).contains(&next), "{next}");
    let matching = ["callid", "eq", "call-1@test"];
    assert_eq!(bench.command("dlg.list_match_ctx", &matching), Ok(calls));
    let plain = bench.command("dlg.list_match", &matching).unwrap();
    assert_eq!(plain[0].as_struct().unwrap().get("context"), None);
}

#[test]
fn why_and_by_whom_is_in_the_briefing() {
    let mut bench = bench("", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "486 Busy Here", ""));
    let calls = bench.command("dlg.briefing", &["srb"]).unwrap();
    let call = calls[0].as_struct().unwrap();
    assert_eq!(call.get("state"), Some(&Value::Int(5)));
    assert_eq!(call.get("end_reason"), Some(&Value::from("rejected")));
    assert_eq!(call.get("ended_by"), Some(&Value::from("callee")));
}

#[test]
fn long_lists_come_in_pages_and_matches_are_found_anywhere() {
    let mut bench = bench("", "route[BEGIN] { dlg_manage(); }");
    for call in 0..3000 {
        let name = format!("call-{call}@test");
        let invite = invite()
            .replace("call-1@test", &name)
            .replace("z9hG4bKa1", &name);
        bench.receive(ALICE, &invite);
    }
    let count = |bench: &mut Bench, command: &str, arguments: &[&str]| {
        bench.command(command, arguments).map(|calls| calls.len())
    };
    assert_eq!(count(&mut bench, "dlg.list", &[]), Ok(3000));
    assert_eq!(count(&mut bench, "dlg.briefing", &[""]), Ok(3000));
    let all = ["furi", "sw", "sip:alice", "0"];
    assert_eq!(count(&mut bench, "dlg.list_match", &all), Ok(3000));
    let some = ["furi", "sw", "sip:alice", "77"];
    assert_eq!(count(&mut bench, "dlg.list_match", &some), Ok(77));
}

#[test]
fn wrong_arguments_are_faults() {
    let mut bench = bench("", BEGIN);
    answered(&mut bench);
    let long = "x".repeat(100_000);
    let cases: &[(&str, &[&str], u16)] = &[
        ("dlg.end_dlg", &["x", "1"], 500),
        ("dlg.end_dlg", &["99999999999", "1"], 500),
        ("dlg.end_dlg", &["1", "1", "no header"], 500),
        ("dlg.end_dlg", &["4294967295", "4294967295"], 404),
        ("dlg.terminate_dlg", &["a", "b"], 400),
        ("dlg.set_state", &["call-1@test", "fa", "tb", "x"], 500),
        ("dlg.set_state", &["call-1@test", "fa", "tb", "0"], 500),
        ("dlg.list_match", &["callid", "re", "["], 500),
        ("dlg.list_match", &["callid", "eq", &long], 404),
        ("dlg.profile_values", &[&long], 404),
        ("dlg.profile_values", &[], 400),
        ("dlg.profile_get_size", &["caller\0"], 404),
    ];
    for (command, arguments, code) in cases {
        let got = bench
            .command(command, arguments)
            .map_err(|fault| fault.code);
        assert_eq!(got, Err(*code), "{command}");
    }
    assert_eq!(state_of(&mut bench), Some(4));
    let done = bench.command("dlg.set_state", &["call-1@test", "fa", "tb"]);
    assert_eq!(done, Ok(vec![Value::from("Done")]));
    assert_eq!(state_of(&mut bench), Some(5));
    assert_eq!(bench.statistic("dialog", "active_dialogs"), 0);
    let size = bench.command("dlg.profile_get_size", &["caller"]);
    assert_eq!(size, Ok(vec![Value::Int(0)]));
}
