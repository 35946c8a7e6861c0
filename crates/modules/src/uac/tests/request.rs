//! Requests that a script describes.

use super::*;

const REPLY: &str = r#"
event_route[uac:reply] {
    xlog("L_INFO", "$uac_req(method) $uac_req(evcode) $uac_req(evtype) $uac_req(evparam)");
}
"#;

/// Has this request sent when an INVITE comes; gives what was sent to Bob.
fn asked(describe: &str) -> (Bench, Vec<Sent>) {
    let begin =
        format!("{describe}\n$var(rc) = uac_req_send(); xlog(\"L_INFO\", \"rc $var(rc)\"); exit;");
    let mut bench = bench("", &begin, REPLY);
    let sent = bench.receive(ALICE, INVITE);
    let to_bob = sent_to(&sent, BOB).into_iter().cloned().collect();
    (bench, to_bob)
}

const OPTIONS: &str = r#"
    $uac_req(method) = "OPTIONS";
    $uac_req(ruri) = "sip:bob@10.0.0.3";
    $uac_req(furi) = "sip:proxy@example.org";
    $uac_req(turi) = "sip:bob@example.org";
    $uac_req(hdrs) = "X-A: 1\r\nX-B: 2\r\n";
    $uac_req(evroute) = 1;
    $uac_req(evparam) = "mine";
"#;

#[test]
fn a_request_is_sent_and_its_reply_told() {
    let (mut bench, sent) = asked(OPTIONS);
    assert_eq!(logged(&bench), ["rc 1"]);
    let request = &sent[0];
    assert_eq!(request.first_line(), "OPTIONS sip:bob@10.0.0.3 SIP/2.0");
    assert!(
        request
            .header("From")
            .starts_with("<sip:proxy@example.org>;tag=")
    );
    assert_eq!(request.header("To"), "<sip:bob@example.org>");
    assert_eq!((request.header("X-A"), request.header("X-B")), ("1", "2"));
    assert_eq!(request.header("Max-Forwards"), "70");
    assert!(!request.header("Call-ID").is_empty());
    bench.receive(BOB, &reply(request, "404 Not Found", ""));
    assert_eq!(logged(&bench), ["OPTIONS 404 1 mine"]);
}

#[test]
fn a_challenge_is_answered_and_told_too() {
    let describe = format!("{OPTIONS}$uac_req(auser) = \"proxy\"; $uac_req(apasswd) = \"secret\";");
    let (mut bench, sent) = asked(&describe);
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\"\n";
    let again = bench.receive(BOB, &reply(&sent[0], "401 Asked", challenge));
    assert_eq!(logged(&bench), ["rc 1", "OPTIONS 401 1 mine"]);
    let again = sent_to(&again, BOB)[0].clone();
    let cseq = |sent: &Sent| sent.header("CSeq").to_owned();
    assert_eq!(
        (cseq(&sent[0]), cseq(&again)),
        ("10 OPTIONS".into(), "11 OPTIONS".into())
    );
    assert!(again.header("Authorization").contains("username=\"proxy\""));
    assert_eq!(again.header("Call-ID"), sent[0].header("Call-ID"));
    assert_ne!(again.header("Via"), sent[0].header("Via"));
    // The answer is not believed: that is all there is to say.
    let end = bench.receive(BOB, &reply(&again, "401 Asked", challenge));
    assert!(end.is_empty());
    assert_eq!(logged(&bench), ["OPTIONS 401 1 mine"]);
}

#[test]
fn silence_is_told_as_a_failure() {
    let describe = OPTIONS.replace("evroute) = 1", "evroute) = 2");
    let (mut bench, _) = asked(&describe);
    bench.log();
    bench.advance(40_000);
    assert_eq!(logged(&bench), ["OPTIONS 408 2 mine"]);
}

#[test]
fn what_is_no_request_is_refused() {
    for describe in [
        "",
        "$uac_req(method) = \"OPTIONS\";",
        "$uac_req(method) = \"OPTIONS\"; $uac_req(ruri) = \"nonsense\";",
        "$uac_req(method) = \"OPTIONS\"; $uac_req(ruri) = \"sip:bob@10.0.0.3\"; $uac_req(hdrs) = \"nonsense\";",
        "$uac_req(method) = \"OPTIONS\"; $uac_req(ruri) = \"sip:bob@10.0.0.3\"; $uac_req(sock) = \"udp:10.9.9.9:1\";",
        "$uac_req(method) = \"OP TIONS\"; $uac_req(ruri) = \"sip:bob@10.0.0.3\";",
        "$uac_req(method) = \"OPTIONS\"; $uac_req(ruri) = \"sip:bob@10.0.0.3\"; $uac_req(all) = $null;",
    ] {
        let (bench, sent) = asked(describe);
        assert_eq!(logged(&bench), ["rc -1"], "{describe}");
        assert!(sent.is_empty(), "{describe}");
    }
}

#[test]
fn what_was_described_reads_back() {
    let describe = format!(
        "{OPTIONS}xlog(\"L_INFO\", \"$uac_req(furi) $uac_req(evroute) $uac_req(evcode) $uac_req(body)\");"
    );
    let (bench, _) = asked(&describe);
    assert_eq!(logged(&bench)[0], "sip:proxy@example.org 1 0 <null>");
}
