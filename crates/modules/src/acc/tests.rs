//! What is logged of which transaction, as Kamailio 5.6.3 logs it.

use crate::testing::{Bench, Sent};

const CALLER: &str = "10.0.0.9:5060";
const CALLEE: &str = "10.0.0.8:5060";
const SECOND: &str = "10.0.0.7:5060";

const ROUTES: &str = r#"
request_route {
    if (is_method("ACK")) { loose_route(); t_relay(); exit; }
    if (is_method("CANCEL")) { setflag(1); t_relay(); exit; }
    if (!($rU =~ "late")) setflag(1);
    if ($rU =~ "missed") setflag(2);
    if ($rU =~ "failed") setflag(3);
    if (has_totag()) { loose_route(); t_relay(); exit; }
    record_route();
    if ($rU =~ "local") { t_newtran(); t_reply("404", "Nobody here"); exit; }
    if ($rU =~ "comment") {
        acc_log_request("404 some text");
        acc_log_request("plain");
        acc_log_request("407");
        sl_send_reply("404", "No");
        exit;
    }
    if ($rU =~ "late") { t_newtran(); setflag(1); }
    if ($rU =~ "serial") t_on_failure("ELSEWHERE");
    if ($rU =~ "fork") append_branch("sip:second@10.0.0.7");
    t_relay();
}
failure_route[ELSEWHERE] { $ru = "sip:voicemail@10.0.0.7"; t_relay(); }
"#;

fn bench(more: &str) -> Bench {
    let modules = [
        "tm", "sl", "rr", "pv", "textops", "siputils", "corex", "xlog", "acc",
    ];
    let load: String = modules
        .iter()
        .map(|name| format!("loadmodule \"{name}.so\"\n"))
        .collect();
    let parameters = r#"
modparam("tm", "fr_timer", 1000)
modparam("acc", "log_flag", 1)
modparam("acc", "log_missed_flag", 2)
modparam("acc", "failed_transaction_flag", 3)
modparam("acc", "log_extra", "src=$fU;ru=$ru;none=$avp(none)")
"#;
    Bench::new(&format!("{load}{parameters}{more}{ROUTES}"))
}

fn request(method: &str, user: &str, to_tag: &str, routes: &str) -> String {
    format!(
        "{method} sip:{user}@10.0.0.8 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{method}{to_tag}\r\n\
         From: <sip:alice@x>;tag=f1\r\nTo: <sip:b@x>{to_tag}\r\nCall-ID: c1\r\nCSeq: 1 {method}\r\n\
         {routes}Content-Length: 0\r\n\r\n"
    )
}

/// A reply with a body, so that it may be early media.
fn reply(request: &Sent, status: &str, tag: &str) -> String {
    let kept = ["Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:"];
    let lines = request
        .text
        .lines()
        .filter(|line| kept.iter().any(|name| line.starts_with(name)));
    let lines: String = lines.map(|line| format!("{line}\r\n")).collect();
    format!("SIP/2.0 {status}\r\n{lines}To: <sip:b@x>;tag={tag}\r\nContent-Length: 3\r\n\r\nv=0")
}

fn sent_to<'a>(sent: &'a [Sent], to: &str, method: &str) -> &'a Sent {
    sent.iter()
        .find(|sent| sent.to.to_string() == to && sent.text.starts_with(method))
        .unwrap_or_else(|| panic!("no {method} to {to} in {sent:?}"))
}

/// Lines of accounting, without level, module and the time, which is the bench's.
fn lines(bench: &Bench) -> Vec<String> {
    let lines = bench.log().into_iter();
    lines
        .filter_map(|line| line.strip_prefix("NOTICE: <acc>: ACC: ").map(str::to_owned))
        .map(|line| {
            let (lead, rest) = line.split_once("timestamp=").expect("a time");
            let (time, rest) = rest.split_once(';').expect("more than a time");
            assert!(time.starts_with("18000000"), "{line}");
            format!("{lead}{rest}")
        })
        .collect()
}

/// A call to this user, answered with these replies by its callee.
fn call(bench: &mut Bench, user: &str, replies: &[&str]) -> Vec<String> {
    let sent = bench.receive(CALLER, &request("INVITE", user, "", ""));
    let invite = sent_to(&sent, CALLEE, "INVITE").clone();
    for status in replies {
        bench.receive(CALLEE, &reply(&invite, status, "t1"));
    }
    lines(bench)
}

fn line(lead: &str, user: &str, code: &str, reason: &str) -> String {
    format!(
        "{lead}: method=INVITE;from_tag=f1;to_tag=t1;call_id=c1;code={code};reason={reason};\
         src=alice;ru=sip:{user}@10.0.0.8;none="
    )
}

#[test]
fn an_answer_is_logged_once() {
    let mut bench = bench("");
    let replies = ["180 Ringing", "200 Fine", "200 Fine"];
    assert_eq!(
        call(&mut bench, "bob", &replies),
        [line("transaction answered", "bob", "200", "Fine")]
    );
}

#[test]
fn a_failure_is_logged_as_its_flags_say() {
    let busy = ["486 Busy Here"];
    let missed = |user| line("call missed", user, "486", "Busy Here");
    let failed = |user| line("transaction answered", user, "486", "Busy Here");
    assert_eq!(call(&mut bench(""), "bob", &busy), [""; 0]);
    assert_eq!(call(&mut bench(""), "missed", &busy), [missed("missed")]);
    assert_eq!(call(&mut bench(""), "failed", &busy), [failed("failed")]);
    let user = "missed-failed";
    assert_eq!(
        call(&mut bench(""), user, &busy),
        [missed(user), failed(user)]
    );
    let filter = "modparam(\"acc\", \"failed_filter\", \"404,486\")\n";
    assert_eq!(call(&mut bench(filter), user, &busy), [missed(user)]);
}

#[test]
fn a_call_is_missed_once_whatever_its_failure_route_does() {
    let mut bench = bench("");
    let sent = bench.receive(CALLER, &request("INVITE", "missed-serial", "", ""));
    let first = sent_to(&sent, CALLEE, "INVITE").clone();
    let sent = bench.receive(CALLEE, &reply(&first, "486 Busy Here", "t1"));
    let second = sent_to(&sent, SECOND, "INVITE").clone();
    assert_eq!(
        lines(&bench),
        [line("call missed", "missed-serial", "486", "Busy Here")]
    );
    bench.receive(SECOND, &reply(&second, "200 OK", "v1"));
    assert_eq!(
        lines(&bench),
        [
            "transaction answered: method=INVITE;from_tag=f1;to_tag=v1;call_id=c1;code=200;reason=OK;\
          src=alice;ru=sip:voicemail@10.0.0.7;none="
        ]
    );
}

#[test]
fn the_best_of_failed_branches_is_told() {
    let mut bench = bench("");
    let sent = bench.receive(CALLER, &request("INVITE", "missed-failed-fork", "", ""));
    let first = sent_to(&sent, CALLEE, "INVITE").clone();
    let second = sent_to(&sent, SECOND, "INVITE").clone();
    bench.receive(CALLEE, &reply(&first, "486 Busy Here", "t1"));
    assert_eq!(lines(&bench), [""; 0]);
    bench.receive(SECOND, &reply(&second, "404 Nope", "t2"));
    let tail = "method=INVITE;from_tag=f1;to_tag=t2;call_id=c1;code=404;reason=Nope;\
                src=alice;ru=sip:second@10.0.0.7;none=";
    assert_eq!(
        lines(&bench),
        [
            format!("call missed: {tail}"),
            format!("transaction answered: {tail}")
        ]
    );
}

#[test]
fn replies_made_here_have_the_phrase_of_their_status() {
    let mut bench = bench("");
    let sent = bench.receive(CALLER, &request("INVITE", "missed-failed-local", "", ""));
    let (_, tag) = sent_to(&sent, CALLER, "SIP/2.0 404 Nobody here")
        .header("To")
        .split_once(";tag=")
        .expect("a tag");
    let tail = format!(
        "method=INVITE;from_tag=f1;to_tag={tag};call_id=c1;code=404;reason=Not Found;\
         src=alice;ru=sip:missed-failed-local@10.0.0.8;none="
    );
    assert_eq!(
        lines(&bench),
        [
            format!("call missed: {tail}"),
            format!("transaction answered: {tail}")
        ]
    );
}

#[test]
fn silence_is_a_failure_too() {
    let mut bench = bench("");
    bench.receive(CALLER, &request("INVITE", "missed-failed", "", ""));
    bench.advance(2000);
    let found = lines(&bench);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("call missed: "), "{found:?}");
    for line in found {
        assert!(line.contains(";code=408;reason=Request Timeout;"), "{line}");
    }
}

#[test]
fn a_comment_is_a_status_and_a_reason() {
    let mut bench = bench("");
    bench.receive(CALLER, &request("INVITE", "comment", "", ""));
    let expected = |code, reason| {
        format!(
            "request accounted: method=INVITE;from_tag=f1;to_tag=;call_id=c1;code={code};reason={reason};\
             src=alice;ru=sip:comment@10.0.0.8;none="
        )
    };
    assert_eq!(
        lines(&bench),
        [
            expected("404", "some text"),
            expected("", "plain"),
            expected("407", "")
        ]
    );
}

#[test]
fn a_request_is_marked_before_its_transaction_or_prepared() {
    let ok = ["200 OK"];
    assert_eq!(call(&mut bench(""), "late", &ok), [""; 0]);
    let always = "modparam(\"acc\", \"acc_prepare_always\", 1)\n";
    assert_eq!(
        call(&mut bench(always), "late", &ok),
        [line("transaction answered", "late", "200", "OK")]
    );
}

#[test]
fn early_media_and_reasons_from_headers_are_told_when_wanted() {
    let more = "modparam(\"acc\", \"early_media\", 1)\nmodparam(\"acc\", \"reason_from_hf\", 1)\n";
    let replies = ["183 Progress", "200 OK\r\nReason: Q.850;cause=16"];
    assert_eq!(
        call(&mut bench(more), "bob", &replies),
        [
            line("transaction answered", "bob", "183", "Progress"),
            line("transaction answered", "bob", "200", "Q.850;cause=16")
        ]
    );
}

#[test]
fn the_first_ack_is_told_when_wanted() {
    let mut bench = bench("modparam(\"acc\", \"report_ack\", 1)\n");
    call(&mut bench, "bob", &["200 OK"]);
    let ack = request("ACK", "bob", ";tag=t1", "Route: <sip:10.0.0.1;lr>\r\n");
    bench.receive(CALLER, &ack);
    bench.receive(CALLER, &ack);
    assert_eq!(
        lines(&bench),
        [
            "request acknowledged: method=ACK;from_tag=f1;to_tag=t1;call_id=c1;code=200;reason=OK;\
          src=alice;ru=sip:bob@10.0.0.8;none="
        ]
    );
}

#[test]
fn a_cancel_is_told_when_wanted() {
    for (more, expected) in [("", 0), ("modparam(\"acc\", \"report_cancels\", 1)\n", 1)] {
        let mut bench = bench(more);
        call(&mut bench, "bob", &["180 Ringing"]);
        let cancel = request("CANCEL", "bob", "", "").replace("bKCANCEL", "bKINVITE");
        bench.receive(CALLER, &cancel);
        let found = lines(&bench);
        assert_eq!(found.len(), expected, "{found:?}");
        let is_it = |line: &String| line.contains("method=CANCEL;") && line.contains("reason=OK;");
        assert!(found.iter().all(is_it), "{found:?}");
    }
}

#[test]
fn tags_stay_where_they_were_at_the_beginning_of_the_call() {
    let more =
        "modparam(\"rr\", \"append_fromtag\", 1)\nmodparam(\"acc\", \"detect_direction\", 1)\n";
    for (began, from, to) in [("f1", "f1", "t1"), ("t1", "t1", "f1")] {
        let mut bench = bench(more);
        let route = format!("Route: <sip:10.0.0.1;lr;ftag={began}>\r\n");
        let sent = bench.receive(CALLER, &request("BYE", "bob", ";tag=t1", &route));
        let bye = sent_to(&sent, CALLEE, "BYE").clone();
        bench.receive(CALLEE, &reply(&bye, "200 OK", "t1"));
        let found = lines(&bench);
        let tags = format!("method=BYE;from_tag={from};to_tag={to};");
        assert!(found.len() == 1 && found[0].contains(&tags), "{found:?}");
    }
}

#[test]
fn what_is_absent_or_wrong_is_refused_at_load() {
    let load = |parameter: &str| {
        Bench::load(&format!(
            "loadmodule \"tm.so\"\nloadmodule \"rr.so\"\nloadmodule \"pv.so\"\nloadmodule \"acc.so\"\n\
             modparam(\"acc\", {parameter})\nrequest_route {{ exit; }}\n"
        ))
        .map(drop)
    };
    for accepted in [
        "\"db_flag\", -1",
        "\"db_url\", \"\"",
        "\"cdr_enable\", 0",
        "\"time_mode\", 2",
    ] {
        assert_eq!(load(accepted), Ok(()), "{accepted}");
    }
    for (refused, why) in [
        ("\"db_flag\", 1", "to a database yet"),
        ("\"db_url\", \"mysql://a\"", "to a database yet"),
        ("\"cdr_enable\", 1", "CDRs yet"),
        ("\"multi_leg_info\", \"a=$avp(b)\"", "use log_extra"),
        ("\"log_flag\", 32", "0 to 31"),
        ("\"failed_filter\", \"200\"", "300 to 999"),
        ("\"time_mode\", 5", "0 to 4"),
        ("\"time_format\", \"%!\"", "time_format"),
        ("\"log_extra\", \"a\"", "name=$variable"),
        ("\"log_extra\", \"a=$nothing(b)\"", "log_extra: a: "),
        (
            "\"detect_direction\", 1)\nmodparam(\"rr\", \"append_fromtag\", 0",
            "append_fromtag",
        ),
        ("\"radius_flag\", 1", "radius_flag"),
    ] {
        let error = load(refused).expect_err(refused);
        assert!(error.contains(why), "{refused}: {error}");
    }
}
