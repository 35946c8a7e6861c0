//! Calls that end without their parties: by deadlines, by commands.

use rpc::Value;

use super::super::state::State;
use super::*;

#[test]
fn the_lifetime_runs_its_route_and_then_ends_the_call() {
    let begin = r#"
route[BEGIN] {
    $dlg_ctx(timeout_route) = "LATE";
    $dlg_var(x) = "v";
    dlg_manage();
    dlg_set_timeout(3);
}
"#;
    let mut bench = bench("", begin);
    answered(&mut bench);
    logged(&bench);
    bench.advance(2_900);
    assert!(logged(&bench).is_empty());
    let sent = bench.advance(400);
    assert_eq!(
        logged(&bench),
        ["late state=4 var=v", "end OPTIONS state=5 var=v"]
    );
    assert!(sent.iter().all(|sent| !sent.text.starts_with("BYE")));
    assert_eq!(state_of(&mut bench), None);
    assert_eq!(bench.statistic("dialog", "expired_dialogs"), 1);
}

#[test]
fn timeout_bye_tells_both_sides() {
    let begin = r#"
route[BEGIN] {
    $dlg_ctx(timeout_bye) = 1;
    $dlg_ctx(timeout) = 4;
    dlg_manage();
}
"#;
    let mut bench = bench(
        "modparam(\"dialog\", \"dlg_extra_hdrs\", \"X-End: late\\r\\n\")\n",
        begin,
    );
    answered(&mut bench);
    let sent = bench.advance(4_200);
    let byes: Vec<_> = sent
        .iter()
        .filter(|sent| sent.text.starts_with("BYE"))
        .collect();
    assert_eq!(byes.len(), 2);
    let [to_alice, to_bob] = [byes[0].clone(), byes[1].clone()];
    assert_eq!(to_alice.first_line(), "BYE sip:alice@10.0.0.2;ob SIP/2.0");
    assert_eq!(to_alice.header("CSeq"), "1 BYE");
    assert_eq!(to_alice.header("From"), "<sip:bob@example.org>;tag=tb");
    assert_eq!(to_alice.header("To"), "<sip:alice@example.org>;tag=fa");
    assert_eq!(to_alice.header("X-End"), "late");
    assert_eq!(to_bob.header("CSeq"), "11 BYE");
    assert_eq!(state_of(&mut bench), Some(5));
    assert_eq!(bench.statistic("dialog", "active_dialogs"), 0);
    bench.receive(ALICE, &reply(&to_alice, "200 OK", ""));
    assert_eq!(state_of(&mut bench), Some(5));
    bench.receive(BOB, &reply(&to_bob, "481 Unknown", ""));
    assert_eq!(state_of(&mut bench), None);
}

#[test]
fn an_operator_ends_a_call() {
    let mut bench = bench("", BEGIN);
    answered(&mut bench);
    let id = |bench: &mut Bench, name| match member(bench, name) {
        Some(Value::Int(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let (h_entry, h_id) = (id(&mut bench, "h_entry"), id(&mut bench, "h_id"));
    let result = bench.command("dlg.end_dlg", &[&h_entry, &h_id, "X-Why: adm\r\n"]);
    assert_eq!(result, Ok(Vec::new()));
    let sent = bench.settle();
    let byes: Vec<_> = sent
        .iter()
        .filter(|sent| sent.text.starts_with("BYE"))
        .collect();
    assert_eq!(byes.len(), 2);
    assert_eq!(byes[1].header("X-Why"), "adm");
    assert_eq!(
        logged(&bench).last().map(String::as_str),
        Some("end OPTIONS state=5 var=before")
    );
    let unknown = bench.command("dlg.end_dlg", &["1", "1"]);
    assert_eq!(unknown.map_err(|fault| fault.code), Err(404));
}

#[test]
fn a_call_that_rings_is_ended_by_a_reply_and_a_cancel() {
    let mut bench = bench("", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    let result = bench.command("dlg.terminate_dlg", &["call-1@test", "fa", ""]);
    assert_eq!(result, Ok(Vec::new()));
    let sent = bench.settle();
    assert!(
        sent_to(&sent, ALICE)[0]
            .first_line()
            .starts_with("SIP/2.0 480 Temporarily Unavailable")
    );
    assert!(sent_to(&sent, BOB)[0].text.starts_with("CANCEL"));
    assert_eq!(state_of(&mut bench), Some(5));
    assert_eq!(logged(&bench), ["failed OPTIONS <null> state=5"]);
}

/// What became of ending the call, for caller and callee.
fn outcomes(bench: &mut Bench) -> Option<[Value; 2]> {
    let calls = bench.command("dlg.dlg_list_ctx", &["call-1@test"]);
    let calls = calls.expect("a listing");
    let context = calls.first()?.as_struct()?.get("context")?.as_struct()?;
    let bye = context.get("bye")?.as_struct()?;
    Some(["caller", "callee"].map(|side| bye.get(side).cloned().unwrap_or(Value::Null)))
}

#[test]
fn the_outcome_for_each_leg_is_seen_until_the_record_goes() {
    let mut bench = bench("", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    assert_eq!(
        outcomes(&mut bench),
        Some(["none", "none"].map(Value::from))
    );
    bench
        .command("dlg.terminate_dlg", &["call-1@test", "fa", ""])
        .expect("the call is there");
    let sent = bench.settle();
    assert_eq!(
        outcomes(&mut bench),
        Some(["replied 480", "sent"].map(Value::from))
    );
    let cancel = sent_to(&sent, BOB)[0].clone();
    assert!(cancel.text.starts_with("CANCEL"));
    bench.receive(BOB, &reply(&cancel, "200 OK", ""));
    bench.receive(BOB, &reply(&to_bob, "487 Request Terminated", ""));
    assert_eq!(
        outcomes(&mut bench),
        Some(["replied 480", "answered 487"].map(Value::from))
    );
    bench.advance(60_000);
    assert_eq!(outcomes(&mut bench), None);
}

#[test]
fn a_callee_that_says_nothing_to_a_cancel_holds_no_record() {
    let mut bench = bench("", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    bench
        .command("dlg.terminate_dlg", &["call-1@test", "fa", ""])
        .expect("the call is there");
    bench.settle();
    bench.advance(20_000);
    assert_eq!(
        outcomes(&mut bench),
        Some(["replied 480", "sent"].map(Value::from))
    );
    bench.advance(120_000);
    assert_eq!(outcomes(&mut bench), None);
}

#[test]
fn a_call_without_an_answer_fails_at_early_timeout() {
    let parameters = "modparam(\"dialog\", \"early_timeout\", 5)\n";
    let mut bench = bench(parameters, BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    bench.advance(5_200);
    assert_eq!(logged(&bench), ["failed OPTIONS <null> state=5"]);
    assert_eq!(bench.statistic("dialog", "early_dialogs"), 0);
    // The call itself goes on: an answer that comes after all is tracked again.
    bench.receive(
        BOB,
        &reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n"),
    );
    assert_eq!(state_of(&mut bench), Some(3));
}

#[test]
fn a_call_without_an_ack_ends_ten_seconds_after_noack_timeout() {
    let parameters = "modparam(\"dialog\", \"noack_timeout\", 5)\n";
    let mut bench = bench(parameters, BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(
        BOB,
        &reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n"),
    );
    bench.advance(14_500);
    assert_eq!(state_of(&mut bench), Some(3));
    bench.advance(1_000);
    assert_eq!(state_of(&mut bench), None);
    assert_eq!(bench.statistic("dialog", "expired_dialogs"), 1);
}

#[test]
fn an_answer_after_our_own_480_gets_an_ack_and_a_bye() {
    let mut bench = bench("", BEGIN);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    let ended = bench.command("dlg.terminate_dlg", &["call-1@test", "fa", ""]);
    assert_eq!(ended, Ok(Vec::new()));
    bench.settle();
    let ok = reply(
        &to_bob,
        "200 OK",
        "Contact: <sip:bob@10.0.0.3:5060;moved>\n",
    );
    let sent = bench.receive(BOB, &ok);
    let lines: Vec<_> = sent_to(&sent, BOB).iter().map(|s| s.first_line()).collect();
    assert_eq!(
        lines,
        [
            "ACK sip:bob@10.0.0.3:5060;moved SIP/2.0",
            "BYE sip:bob@10.0.0.3:5060;moved SIP/2.0"
        ]
    );
    // The caller has its 480.
    assert!(sent_to(&sent, ALICE).is_empty());
    let bye = sent_to(&sent, BOB)[1].clone();
    assert_eq!(sent_to(&sent, BOB)[0].header("CSeq"), "10 ACK");
    assert_eq!(bye.header("CSeq"), "11 BYE");
    assert_eq!(state_of(&mut bench), Some(5));
    // A repeated 200 is acknowledged again, and no more.
    let sent = bench.receive(BOB, &ok);
    let lines: Vec<_> = sent_to(&sent, BOB).iter().map(|s| s.first_line()).collect();
    assert_eq!(lines, ["ACK sip:bob@10.0.0.3:5060;moved SIP/2.0"]);
    bench.receive(BOB, &reply(&bye, "200 OK", ""));
    bench.advance(60_000);
    assert_eq!(state_of(&mut bench), None);
}

/// Begins a call as one that came by this socket, answered and acknowledged, with ten seconds to live.
fn taken_over(bench: &Bench, socket: &str) {
    let state = bench.engine.state::<State>().expect("the module's state");
    let now = state.last_tick();
    let invite = dialog::Invite {
        call_id: b"call-1@test",
        from_tag: b"fa",
        from_uri: b"sip:alice@example.org",
        to_uri: b"sip:bob@example.org",
        contact: b"sip:alice@10.0.0.2",
        socket: socket.as_bytes(),
        lifetime: Some(10),
        iflags: dialog::iflags::TIMEOUT_BYE,
        ..dialog::Invite::default()
    };
    let Ok(dialog::Created::New { id, .. }) = state.tracker.create(&invite, now) else {
        panic!("the call is new");
    };
    let reply = dialog::Reply {
        status: 200,
        to_tag: b"tb",
        contact: b"sip:bob@10.0.0.3",
        socket: socket.as_bytes(),
        ..dialog::Reply::default()
    };
    state.tracker.reply(id, &reply, now);
    let ack = dialog::Request {
        direction: dialog::Direction::Downstream,
        method: dialog::Method::Ack,
        callee_tag: b"tb",
        cseq: 1,
        contact: b"",
        socket: b"",
        lifetime: None,
        message: None,
    };
    state.tracker.request(id, &ack, now);
}

#[test]
fn calls_of_another_node_are_left_to_it() {
    let parameters = "modparam(\"dialog\", \"dlg_filter_mode\", 1)\n\
        modparam(\"dialog\", \"end_timeout\", 60)\n";
    let mut bench = bench(parameters, BEGIN);
    taken_over(&bench, "udp:192.0.2.9:5060");
    assert!(bench.advance(60_000).is_empty());
    assert_eq!(state_of(&mut bench), Some(4));
    // Nobody has ended it: it is forgotten, and nobody is told.
    assert!(bench.advance(20_000).is_empty());
    assert_eq!(state_of(&mut bench), None);
    assert!(logged(&bench).is_empty());
    assert_eq!(bench.statistic("dialog", "active_dialogs"), 0);
    // Without the filter, and with a socket of our own, it is ended as usual.
    for (parameters, socket) in [
        ("", "udp:192.0.2.9:5060"),
        (parameters, "udp:10.0.0.1:5060"),
    ] {
        let mut bench = super::bench(parameters, BEGIN);
        taken_over(&bench, socket);
        let sent = bench.advance(10_300);
        let byes = sent.iter().filter(|sent| sent.text.starts_with("BYE"));
        assert_eq!(byes.count(), 2);
    }
}
