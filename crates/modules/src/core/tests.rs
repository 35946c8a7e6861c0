//! Sending without a transaction, and what `onsend_route` sees.

use crate::testing::{Bench, Sent};

const CALLER: &str = "10.0.0.9:5060";
const CALLEE: &str = "10.0.0.8:5060";

fn request(method: &str, uri: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK-{method}\n\
         From: <sip:a@x>;tag=1\nTo: <sip:b@x>\nCall-ID: c\nCSeq: 1 {method}\n\
         Content-Length: 0\n\n"
    )
}

/// The callee's answer to a request that was sent to it.
fn reply(to: &Sent, status: u16) -> String {
    let kept = ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "];
    let lines = to.text.lines();
    let lines: Vec<_> = lines
        .filter(|line| kept.iter().any(|name| line.starts_with(name)))
        .collect();
    format!(
        "SIP/2.0 {status} Text\n{}\nContent-Length: 0\n\n",
        lines.join("\n")
    )
}

fn first_lines(sent: &[Sent]) -> Vec<&str> {
    sent.iter().map(Sent::first_line).collect()
}

#[test]
fn what_goes_without_a_transaction_waits_for_its_name() {
    let config = "loadmodule \"tm.so\"\nloadmodule \"xlog.so\"\n\
        request_route { if (is_method(\"ACK\")) { t_relay(); } else { $var(r) = forward(); xinfo(\"code $var(r)\"); } }\n";
    let config = format!("loadmodule \"pv.so\"\nloadmodule \"textops.so\"\n{config}");
    for method in ["OPTIONS", "ACK"] {
        let mut bench = Bench::new(&config);
        let sent = bench.receive(CALLER, &request(method, "sip:b@named.test"));
        assert!(sent.is_empty(), "{method}: {sent:?}");
        let sent = bench.look_up();
        assert_eq!(sent.len(), 1, "{method}");
        assert_eq!(sent[0].to.to_string(), "10.0.0.5:5060", "{method}");
    }
    let mut bench = Bench::new(&config);
    bench.receive(CALLER, &request("OPTIONS", "sip:b@nobody.test"));
    assert!(bench.look_up().is_empty());
    assert!(bench.log().join("\n").contains("code -478"));
}

#[test]
fn a_reply_finds_its_way_whatever_host_the_script_showed() {
    let forward = |more: &str| {
        format!("{more}\nrequest_route {{ set_advertised_address(\"public.test\"); forward(); }}\n")
    };
    let mut bench = Bench::new(&forward(""));
    let sent = bench.receive(CALLER, &request("OPTIONS", "sip:b@10.0.0.8"));
    assert!(sent[0].header("Via").contains("public.test"));
    let sent = bench.receive(CALLEE, &reply(&sent[0], 200));
    assert_eq!(first_lines(&sent), ["SIP/2.0 200 Text"]);
    assert_eq!(sent[0].to.to_string(), CALLER);
    let mut bench = Bench::new(&forward("check_via=yes"));
    let sent = bench.receive(CALLER, &request("OPTIONS", "sip:b@10.0.0.8"));
    assert!(bench.receive(CALLEE, &reply(&sent[0], 200)).is_empty());
}

#[test]
fn a_stream_is_used_as_the_script_wants() {
    let streams = |statements: &str| {
        let mut bench = Bench::new(&format!(
            "loadmodule \"tm.so\"\nloadmodule \"sl.so\"\nrequest_route {{ {statements} }}\n"
        ));
        let sent = bench.receive(CALLER, &request("OPTIONS", "sip:b@10.0.0.8"));
        (sent[0].stream.no_connect, sent[0].stream.close)
    };
    for (statements, expected) in [
        ("sl_send_reply(\"200\", \"OK\");", (false, false)),
        ("send_reply_mode(\"200\", \"OK\", \"1\");", (true, false)),
        (
            "t_newtran(); send_reply_mode(\"200\", \"OK\", \"2\");",
            (false, true),
        ),
        (
            "set_reply_close(); set_reply_no_connect(); sl_send_reply(\"200\", \"OK\");",
            (true, true),
        ),
        (
            "t_newtran(); set_reply_close(); t_reply(\"200\", \"OK\");",
            (false, true),
        ),
        ("set_reply_close(); t_relay();", (false, false)),
        ("set_forward_close(); forward();", (false, true)),
        ("set_forward_close(); t_relay();", (false, true)),
    ] {
        assert_eq!(streams(statements), expected, "{statements}");
    }
}

#[test]
fn onsend_route_sees_what_is_sent_without_a_transaction() {
    let config = |more: &str| {
        format!(
            "loadmodule \"pv.so\"\nloadmodule \"xlog.so\"\n{more}\n\
             request_route {{ $var(r) = forward(); xinfo(\"code $var(r)\"); }}\n\
             onsend_route {{ xinfo(\"onsend $mts $rm $sndto(ip)\"); if ($rm == \"INFO\") drop; if ($rs == 486) drop; }}\n"
        )
    };
    let mut bench = Bench::new(&config("onsend_route_reply=yes"));
    let sent = bench.receive(CALLER, &request("OPTIONS", "sip:b@10.0.0.8"));
    let log = bench.log().join("\n");
    assert!(log.contains("onsend rq OPTIONS 10.0.0.8"), "{log}");
    assert!(log.contains("code 1"), "{log}");
    let request_sent = &sent[0];
    let sent = bench.receive(CALLEE, &reply(request_sent, 200));
    assert_eq!(first_lines(&sent), ["SIP/2.0 200 Text"]);
    assert!(
        bench
            .log()
            .join("\n")
            .contains("onsend rp OPTIONS 10.0.0.9")
    );
    assert!(bench.receive(CALLEE, &reply(request_sent, 486)).is_empty());
    bench.log();
    let sent = bench.receive(CALLER, &request("INFO", "sip:b@10.0.0.8"));
    assert!(sent.is_empty());
    assert!(bench.log().join("\n").contains("code -510"));
    // Replies are not its business unless the configuration says so.
    let mut bench = Bench::new(&config(""));
    let sent = bench.receive(CALLER, &request("OPTIONS", "sip:b@10.0.0.8"));
    bench.log();
    let sent = bench.receive(CALLEE, &reply(&sent[0], 486));
    assert_eq!(sent.len(), 1);
    assert!(!bench.log().join("\n").contains("onsend"));
}

#[test]
fn onsend_route_sees_the_replies_of_branches() {
    let mut bench = Bench::new(
        "loadmodule \"tm.so\"\nloadmodule \"pv.so\"\nloadmodule \"xlog.so\"\nonsend_route_reply=1\n\
         request_route { t_on_failure(\"F\"); t_relay(); }\n\
         failure_route[F] { xinfo(\"failed\"); }\n\
         onsend_route { xinfo(\"onsend $mts $rs $sndto(ip)\"); if ($rs == 180) drop; }\n",
    );
    let sent = bench.receive(CALLER, &request("INVITE", "sip:b@10.0.0.8"));
    let invite = sent
        .iter()
        .find(|sent| sent.first_line().starts_with("INVITE"))
        .expect("an INVITE");
    assert!(bench.receive(CALLEE, &reply(invite, 180)).is_empty());
    let sent = bench.receive(CALLEE, &reply(invite, 183));
    assert_eq!(first_lines(&sent), ["SIP/2.0 183 Text"]);
    bench.log();
    let sent = bench.receive(CALLEE, &reply(invite, 404));
    assert!(first_lines(&sent).contains(&"SIP/2.0 404 Text"));
    let log = bench.log().join("\n");
    let (failed, shown) = (log.find("failed"), log.find("onsend rp 404 10.0.0.9"));
    assert!(failed.is_some() && failed < shown, "{log}");
    // The client hears the reply again when it asks again, and the route is not run for that.
    let sent = bench.receive(CALLER, &request("INVITE", "sip:b@10.0.0.8"));
    assert_eq!(first_lines(&sent), ["SIP/2.0 404 Text"]);
    assert!(!bench.log().join("\n").contains("onsend"));
}

#[test]
fn a_route_sees_the_replies_that_belong_to_no_transaction() {
    let mut bench = Bench::new(
        "loadmodule \"tm.so\"\nloadmodule \"pv.so\"\nloadmodule \"xlog.so\"\n\
         modparam(\"tm\", \"on_sl_reply\", \"SL\")\nrequest_route { forward(); }\n\
         onreply_route[SL] { xinfo(\"unmatched $rs\"); if ($rs == 404) drop; if ($rs == 405) return 0; \
         if ($rs == 406) return -1; }\n",
    );
    let sent = bench.receive(CALLER, &request("OPTIONS", "sip:b@10.0.0.8"));
    let counts =
        [200, 404, 405, 406].map(|status| bench.receive(CALLEE, &reply(&sent[0], status)).len());
    assert_eq!(counts, [1, 0, 0, 1]);
    assert!(bench.log().join("\n").contains("unmatched 406"));
    let missing = "loadmodule \"tm.so\"\nmodparam(\"tm\", \"on_sl_reply\", \"NO\")\nrequest_route { exit; }\n";
    assert!(Bench::load(missing).is_err());
}

#[test]
fn redirections_tell_the_flags_of_branches_where_that_is_wanted() {
    let contact = |statements: &str| {
        let mut bench = Bench::new(&format!(
            "loadmodule \"tm.so\"\nloadmodule \"sl.so\"\nloadmodule \"kex.so\"\nloadmodule \"pv.so\"\n\
             modparam(\"sl\", \"rich_redirect\", 1)\n\
             request_route {{ setbflag(3); $ru = \"sip:n@n.test\"; {statements} }}\n"
        ));
        let sent = bench.receive(CALLER, &request("OPTIONS", "sip:b@10.0.0.8"));
        sent[0].header("Contact").to_owned()
    };
    assert_eq!(
        contact("sl_send_reply(\"302\", \"M\");"),
        "<sip:n@n.test>;flags=8"
    );
    assert_eq!(
        contact("t_newtran(); t_reply(\"302\", \"M\");"),
        "<sip:n@n.test>"
    );
}
