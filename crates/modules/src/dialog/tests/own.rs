//! Requests of our own: within calls, and to bridge two addresses.

use super::functions::{SAY, at_info};
use super::*;

/// What was sent beside replies.
fn requests(sent: &[Sent]) -> Vec<&Sent> {
    sent.iter()
        .filter(|sent| !sent.text.starts_with("SIP/2.0"))
        .collect()
}

fn lines(sent: &[Sent]) -> Vec<&str> {
    requests(sent)
        .iter()
        .map(|sent| sent.first_line())
        .collect()
}

#[test]
fn requests_within_a_call_in_all_forms() {
    let (mut bench, sent, logged_lines) = at_info(
        BEGIN,
        &format!(
            r#"
            dlg_req_within("all", "OPTIONS");
            dlg_req_within("caller", "INFO", "X-A: 1\r\nX-B: 2\r\n");
            dlg_req_within("callee", "UPDATE", "application/sdp", "v=0");
            dlg_req_within("callee", "INFO", "X-A: 1", "text/plain", "body");
            if (!dlg_req_within("callee", "CANCEL")) {SAY}"no cancel");
            if (!dlg_req_within("callee", "INFO", "X-A: 1\r\n\r\nBYE")) {SAY}"no second message");
            $var(empty) = "";
            if (!dlg_req_within("callee", "INFO", "$var(empty)")) {SAY}"nothing empty");
            "#
        ),
    );
    assert_eq!(
        logged_lines,
        ["no cancel", "no second message", "nothing empty"]
    );
    assert_eq!(
        lines(&sent),
        [
            "OPTIONS sip:alice@10.0.0.2;ob SIP/2.0",
            "OPTIONS sip:bob@10.0.0.3 SIP/2.0",
            "INFO sip:alice@10.0.0.2;ob SIP/2.0",
            "UPDATE sip:bob@10.0.0.3 SIP/2.0",
            "INFO sip:bob@10.0.0.3 SIP/2.0",
        ]
    );
    let requests: Vec<Sent> = requests(&sent).into_iter().cloned().collect();
    let cseqs: Vec<_> = requests.iter().map(|sent| sent.header("CSeq")).collect();
    // Bob has seen 11 from Alice, who has seen nothing from Bob.
    assert_eq!(
        cseqs,
        ["1 OPTIONS", "12 OPTIONS", "2 INFO", "13 UPDATE", "14 INFO"]
    );
    assert_eq!(requests[0].header("From"), "<sip:bob@example.org>;tag=tb");
    assert_eq!(requests[1].header("From"), "<sip:alice@example.org>;tag=fa");
    assert_eq!(requests[2].header("X-B"), "2");
    assert_eq!(requests[3].header("Content-Type"), "application/sdp");
    assert!(requests[3].text.ends_with("\r\n\r\nv=0"));
    assert_eq!(requests[4].header("X-A"), "1");
    assert_eq!(requests[4].header("Content-Length"), "4");
    // Whatever is answered, the call goes on.
    bench.receive(BOB, &reply(&requests[1], "481 Unknown", ""));
    assert_eq!(state_of(&mut bench), Some(4));
}

#[test]
fn a_bye_sent_within_a_call_ends_it() {
    let (mut bench, sent, _) = at_info(BEGIN, r#"dlg_req_within("all", "BYE", "X-A: 1\r\n");"#);
    assert_eq!(
        lines(&sent),
        [
            "BYE sip:alice@10.0.0.2;ob SIP/2.0",
            "BYE sip:bob@10.0.0.3 SIP/2.0"
        ]
    );
    assert_eq!(requests(&sent)[1].header("X-A"), "1");
    assert_eq!(state_of(&mut bench), Some(5));
}

#[test]
fn a_request_reaches_the_early_dialog_of_the_reply_at_hand() {
    let begin = r#"
route[BEGIN] {
    dlg_manage();
    t_on_reply("RINGS");
}
onreply_route[RINGS] {
    if ($rs == "180" && dlg_req_within("callee", "INFO")) xlog("L_INFO", "asked");
}
"#;
    let mut bench = bench("", begin);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let contact = "Contact: <sip:bob@10.0.0.3:5060;early>\n";
    let first = bench.receive(BOB, &reply(&to_bob, "183 Progress", contact));
    assert!(requests(&first).is_empty());
    let sent = bench.receive(BOB, &reply(&to_bob, "180 Ringing", contact));
    assert_eq!(logged(&bench), ["asked"]);
    assert_eq!(lines(&sent), ["INFO sip:bob@10.0.0.3:5060;early SIP/2.0"]);
    assert_eq!(
        requests(&sent)[0].header("To"),
        "<sip:bob@example.org>;tag=tb"
    );
}

#[test]
fn requests_follow_the_route_set_to_strict_routers_too() {
    let mut bench = bench("", BEGIN);
    let routed = invite().replace(
        "Contact:",
        "Record-Route: <sip:10.0.0.8;lr>\nRecord-Route: <sip:10.0.0.9>\nContact:",
    );
    let sent = bench.receive(ALICE, &routed);
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    let strict = ok.replacen(
        "Record-Route:",
        "Record-Route: <sip:10.0.0.7>\nRecord-Route:",
        1,
    );
    bench.receive(BOB, &strict);
    bench
        .command("dlg.terminate_dlg", &["call-1@test", "fa", "tb"])
        .unwrap();
    let sent = bench.settle();
    let byes = requests(&sent);
    assert_eq!(byes[0].to, "10.0.0.8:5060".parse().unwrap());
    assert_eq!(byes[0].header("Route"), "<sip:10.0.0.8;lr>,<sip:10.0.0.9>");
    assert_eq!(byes[0].first_line(), "BYE sip:alice@10.0.0.2;ob SIP/2.0");
    assert_eq!(byes[1].to, "10.0.0.7:5060".parse().unwrap());
    assert_eq!(byes[1].first_line(), "BYE sip:10.0.0.7 SIP/2.0");
    assert_eq!(byes[1].header("Route"), "<sip:bob@10.0.0.3>");
}

#[test]
fn a_party_that_is_referred_leaves_the_call() {
    let parameters = "sip:ctl@example.org";
    let (mut bench, sent, _) = at_info(
        BEGIN,
        r#"dlg_refer("caller", "sip:announcement@example.org");"#,
    );
    let refer = requests(&sent)[0].clone();
    assert_eq!(refer.first_line(), "REFER sip:alice@10.0.0.2;ob SIP/2.0");
    assert_eq!(refer.header("To"), "<sip:alice@example.org>;tag=fa");
    assert_eq!(refer.header("From"), "<sip:bob@example.org>;tag=tb");
    assert_eq!(refer.header("Refer-To"), "sip:announcement@example.org");
    assert_eq!(refer.header("Referred-By"), "sip:controller@kamailio.org");
    assert_eq!(
        refer.header("Contact"),
        "<sip:controller@kamailio.org:5060>"
    );
    assert!(!refer.text.contains(parameters));

    // The reference's NOTIFYs are answered here, before and after the end of the call.
    let notify = |cseq: u32, state: &str| {
        within("NOTIFY", cseq, "<sip:10.0.0.1;lr>").replace(
            "Content-Length",
            &format!("Event: refer\nSubscription-State: {state}\nContent-Length"),
        )
    };
    let sent = bench.receive(ALICE, &notify(12, "active"));
    assert_eq!(sent[0].first_line(), "SIP/2.0 200 OK");
    let sent = bench.receive(ALICE, &reply(&refer, "202 Accepted", ""));
    assert_eq!(
        lines(&sent),
        [
            "BYE sip:alice@10.0.0.2;ob SIP/2.0",
            "BYE sip:bob@10.0.0.3 SIP/2.0"
        ]
    );
    assert_eq!(state_of(&mut bench), Some(5));
    for byes in requests(&sent) {
        let from = byes.to.to_string();
        bench.receive(&from, &reply(byes, "200 OK", ""));
    }
    assert_eq!(state_of(&mut bench), None);
    let sent = bench.receive(ALICE, &notify(13, "terminated;reason=noresource"));
    assert_eq!(sent[0].first_line(), "SIP/2.0 200 OK");
}

#[test]
fn a_party_that_refuses_to_be_referred_stays_in_the_call() {
    let (mut bench, sent, _) = at_info(BEGIN, r#"dlg_refer("callee", "sip:x@example.org");"#);
    let refer = requests(&sent)[0].clone();
    assert_eq!(refer.first_line(), "REFER sip:bob@10.0.0.3 SIP/2.0");
    let sent = bench.receive(BOB, &reply(&refer, "603 Decline", ""));
    assert!(sent.is_empty());
    assert_eq!(state_of(&mut bench), Some(4));
}

/// Carol answers the controller's INVITE; gives the ACK and the REFER.
fn bridge_answered(bench: &mut Bench, invite: &Sent) -> Vec<Sent> {
    let ok = reply(invite, "200 OK", "Contact: <sip:carol@10.0.0.4:5070>\n");
    bench.receive("10.0.0.4:5060", &ok)
}

#[test]
fn bridging_goes_from_invite_to_bye() {
    let mut bench = bench("", BEGIN);
    bench
        .command(
            "dlg.bridge_dlg",
            &["sip:carol@10.0.0.4", "sip:dave@example.org"],
        )
        .unwrap();
    let sent = bench.settle();
    let invite = sent[0].clone();
    assert_eq!(invite.first_line(), "INVITE sip:carol@10.0.0.4 SIP/2.0");
    let sent = bridge_answered(&mut bench, &invite);
    assert_eq!(
        lines(&sent),
        [
            "ACK sip:carol@10.0.0.4:5070 SIP/2.0",
            "REFER sip:carol@10.0.0.4:5070 SIP/2.0"
        ]
    );
    assert_eq!(sent[0].header("CSeq"), "10 ACK");
    assert_eq!(sent[0].header("To"), "<sip:carol@10.0.0.4>;tag=tb");
    let refer = sent[1].clone();
    assert_eq!(refer.header("CSeq"), "11 REFER");
    // A repeated 200 is acknowledged again, and no more.
    let sent = bridge_answered(&mut bench, &invite);
    assert_eq!(lines(&sent), ["ACK sip:carol@10.0.0.4:5070 SIP/2.0"]);
    // Another phone's 200 is acknowledged and ended.
    let ok = reply(&invite, "200 OK", "Contact: <sip:other@10.0.0.4:5071>\n");
    let sent = bench.receive("10.0.0.4:5060", &ok.replace("tag=tb", "tag=other"));
    assert_eq!(
        lines(&sent),
        [
            "ACK sip:other@10.0.0.4:5071 SIP/2.0",
            "BYE sip:other@10.0.0.4:5071 SIP/2.0"
        ]
    );
    let sent = bench.receive("10.0.0.4:5070", &reply(&refer, "202 Accepted", ""));
    assert_eq!(lines(&sent), ["BYE sip:carol@10.0.0.4:5070 SIP/2.0"]);
    assert_eq!(sent[0].header("CSeq"), "12 BYE");
    assert_eq!(bench.statistic("dialog", "processed_dialogs"), 0);
}

#[test]
fn bridging_says_no_to_nonsense() {
    let mut bench = bench("", BEGIN);
    for parameters in [
        &["sip:carol@10.0.0.4"][..],
        &["", "sip:dave@example.org"],
        &["nonsense", "sip:dave@example.org"],
        &["sip:carol@10.0.0.4", "sip:dave\r\nX: 1"],
        &["sip:carol@10.0.0.4", "sip:dave@example.org", "nonsense"],
    ] {
        let code = bench
            .command("dlg.bridge_dlg", parameters)
            .map_err(|f| f.code);
        assert_eq!(code, Err(500), "{parameters:?}");
    }
    assert!(bench.settle().is_empty());
}

#[test]
fn a_request_of_our_own_goes_to_the_next_address_when_one_is_silent() {
    let mut bench = bench("", BEGIN);
    bench
        .command(
            "dlg.bridge_dlg",
            &[
                "sip:carol@pair.test:5060;transport=udp",
                "sip:dave@example.org",
            ],
        )
        .unwrap();
    let mut sent = bench.settle();
    sent.extend(bench.advance(40_000));
    let mut asked: Vec<_> = requests(&sent)
        .iter()
        .filter(|sent| sent.text.starts_with("INVITE"))
        .map(|sent| sent.to.to_string())
        .collect();
    asked.dedup();
    assert_eq!(asked, ["10.0.0.7:5060", "10.0.0.6:5060"]);
}

/// A call that is given up towards its callee while it rings, and the INVITE that it got.
fn given_up_by_the_callee() -> (Bench, Sent) {
    let begin = r#"
route[BEGIN] {
    dlg_manage();
    t_on_reply("RINGS");
}
onreply_route[RINGS] {
    if ($rs == "180") dlg_bye("callee");
}
"#;
    let mut bench = bench("", begin);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let sent = bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    assert!(sent_to(&sent, BOB)[0].text.starts_with("CANCEL"));
    (bench, to_bob)
}

#[test]
fn an_answer_that_crosses_the_cancel_ends_the_call_all_the_same() {
    let (mut bench, to_bob) = given_up_by_the_callee();
    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    let sent = bench.receive(BOB, &ok);
    let lines = |sent: &[Sent], to: &str| -> Vec<String> {
        let sent = sent_to(sent, to).into_iter();
        sent.map(|sent| sent.first_line().to_owned()).collect()
    };
    assert_eq!(lines(&sent, ALICE), ["SIP/2.0 480 Temporarily Unavailable"]);
    assert_eq!(
        lines(&sent, BOB),
        [
            "ACK sip:bob@10.0.0.3 SIP/2.0",
            "BYE sip:bob@10.0.0.3 SIP/2.0"
        ]
    );
    assert_eq!(logged(&bench), ["failed INVITE 200 state=5"]);
    let sent = bench.receive(BOB, &ok);
    assert_eq!(lines(&sent, BOB), ["ACK sip:bob@10.0.0.3 SIP/2.0"]);
    assert!(lines(&sent, ALICE).is_empty());
}

#[test]
fn early_ending_of_the_callee_alone_cancels_and_relays_what_follows() {
    let (mut bench, to_bob) = given_up_by_the_callee();
    let sent = bench.receive(BOB, &reply(&to_bob, "487 Request Terminated", ""));
    assert!(
        sent_to(&sent, ALICE)[0]
            .first_line()
            .starts_with("SIP/2.0 487")
    );
    assert_eq!(logged(&bench), ["failed INVITE 487 state=5"]);
}

#[test]
fn each_leg_has_its_own_outcome_in_the_record() {
    let (mut bench, sent, _) = at_info(BEGIN, r#"dlg_bye("all");"#);
    let bye = |bench: &mut Bench, side: &str| {
        let calls = bench.command("dlg.list_ctx", &[]).expect("a listing");
        let context = calls[0].as_struct()?.get("context")?.as_struct()?.clone();
        let bye = context.get("bye")?.as_struct()?.get(side)?;
        bye.as_str().map(str::to_owned)
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(bye(&mut bench, "caller"), text("sent"));
    let to_alice = sent_to(&sent, ALICE)[0].clone();
    bench.receive(ALICE, &reply(&to_alice, "481 Unknown", ""));
    assert_eq!(bye(&mut bench, "caller"), text("answered 481"));
    assert_eq!(bye(&mut bench, "callee"), text("sent"));
    bench.advance(40_000);
    assert_eq!(state_of(&mut bench), None);
}
