//! Blocks that run as a request goes on, and what they may change.

use crate::testing::{Bench, Sent};

fn config(routes: &str) -> String {
    let modules = ["tm", "tmx", "sl", "pv", "xlog", "corex"];
    let load: String = modules
        .iter()
        .map(|name| format!("loadmodule \"{name}.so\"\n"))
        .collect();
    format!("{load}{routes}")
}

const CALLER: &str = "10.0.0.9:5060";

fn invite() -> String {
    "INVITE sip:b@10.0.0.8 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKa\r\n\
     From: <sip:a@x>;tag=f1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
        .to_owned()
}

fn invites(sent: &[Sent]) -> Vec<&Sent> {
    sent.iter()
        .filter(|sent| sent.text.starts_with("INVITE"))
        .collect()
}

/// The reply to a request that was sent.
fn reply(request: &Sent, status: u16) -> String {
    let kept = ["Via:", "From:", "Call-ID:", "CSeq:"];
    let lines = request
        .text
        .lines()
        .filter(|line| kept.iter().any(|name| line.starts_with(name)));
    let lines: String = lines.map(|line| format!("{line}\r\n")).collect();
    format!("SIP/2.0 {status} Text\r\n{lines}To: <sip:b@x>;tag=t\r\nContent-Length: 0\r\n\r\n")
}

fn final_status(sent: &[Sent]) -> Option<&str> {
    let lines = sent.iter().map(Sent::first_line);
    lines
        .rev()
        .find(|line| line.starts_with("SIP/2.0 ") && !line.starts_with("SIP/2.0 1"))
}

#[test]
fn an_error_of_relaying_is_answered_once() {
    let mut bench = Bench::new(&config(
        "request_route { $ru = \"tel:1\"; if (!t_relay()) { sl_reply_error(); xlog(\"L_ERR\", \"rc $rc\\n\"); } }",
    ));
    let sent = bench.receive(CALLER, &invite());
    let finals = sent
        .iter()
        .filter(|sent| !sent.first_line().contains(" 100 "))
        .count();
    assert_eq!(finals, 1, "{sent:?}");
    assert!(
        final_status(&sent).is_some_and(|line| line.ends_with("(479/TM)")),
        "{sent:?}"
    );
    assert!(bench.log().join(" ").contains("rc -3"));
}

#[test]
fn a_second_relaying_without_a_new_destination_fails_and_is_not_answered() {
    let mut bench = Bench::new(&config(
        "request_route { t_relay(); t_relay(); xlog(\"L_ERR\", \"rc $rc\\n\"); }",
    ));
    let sent = bench.receive(CALLER, &invite());
    assert_eq!((invites(&sent).len(), final_status(&sent)), (1, None));
    assert!(bench.log().join(" ").contains("rc -1"));
}

#[test]
fn what_a_branch_arms_takes_the_place_of_what_the_request_armed() {
    let mut bench = Bench::new(&config(
        r#"request_route { append_branch("sip:c@10.0.0.7"); t_on_reply("R"); t_on_branch("B"); t_relay(); }
        branch_route[B] { if ($T_branch_idx == 1) t_on_reply("OWN"); }
        onreply_route[R] { xlog("L_ERR", "R$T_branch_idx\n"); }
        onreply_route[OWN] { xlog("L_ERR", "OWN$T_branch_idx\n"); }"#,
    ));
    let sent = bench.receive(CALLER, &invite());
    let branches = invites(&sent);
    bench.log();
    bench.receive("10.0.0.8:5060", &reply(branches[0], 180));
    bench.receive("10.0.0.7:5060", &reply(branches[1], 180));
    let log = bench.log().join(" ");
    assert!(
        log.contains("R0") && log.contains("OWN1") && !log.contains("R1"),
        "{log}"
    );
}

#[test]
fn a_failure_route_tries_elsewhere_with_the_first_request() {
    let mut bench = Bench::new(&config(
        r#"request_route { append_branch("sip:c@10.0.0.7"); t_on_failure("F"); t_relay(); }
        failure_route[F] { xlog("L_ERR", "F $T_reply_code $T_branch_idx\n"); $ru = "sip:d@10.0.0.6"; t_relay(); }"#,
    ));
    let sent = bench.receive(CALLER, &invite());
    let branches = invites(&sent);
    bench.receive("10.0.0.8:5060", &reply(branches[0], 486));
    let sent = bench.receive("10.0.0.7:5060", &reply(branches[1], 404));
    assert!(bench.log().join(" ").contains("F 404 2"));
    let next = invites(&sent);
    assert_eq!(next.len(), 1, "{sent:?}");
    assert_eq!(next[0].first_line(), "INVITE sip:d@10.0.0.6 SIP/2.0");
    let sent = bench.receive("10.0.0.6:5060", &reply(next[0], 500));
    assert_eq!(final_status(&sent), Some("SIP/2.0 404 Text"));
}

#[test]
fn a_failure_route_armed_again_runs_again_though_the_first_reply_wins_again() {
    let mut bench = Bench::new(&config(
        r#"request_route { t_on_failure("F"); t_relay(); }
        failure_route[F] { xlog("L_ERR", "F $T_branch_idx\n"); if ($T_branch_idx == 1) { $ru = "sip:d@10.0.0.6"; t_on_failure("F"); t_relay(); } }"#,
    ));
    let sent = bench.receive(CALLER, &invite());
    let sent = bench.receive("10.0.0.8:5060", &reply(invites(&sent)[0], 486));
    let sent = bench.receive("10.0.0.6:5060", &reply(invites(&sent)[0], 486));
    assert_eq!(final_status(&sent), Some("SIP/2.0 486 Text"));
    let log = bench.log().join(" ");
    assert!(log.contains("F 1") && log.contains("F 2"), "{log}");
}

#[test]
fn a_failed_branch_may_be_replaced_before_the_best_reply_is_chosen() {
    let mut bench = Bench::new(&config(
        r#"request_route { t_on_branch_failure("X"); t_on_failure("F"); t_relay(); }
        failure_route[F] { xlog("L_ERR", "F $T_reply_code\n"); }
        event_route[tm:branch-failure:X] { if ($T_reply_code == 486) { $ru = "sip:d@10.0.0.6"; t_relay(); } }"#,
    ));
    let sent = bench.receive(CALLER, &invite());
    let sent = bench.receive("10.0.0.8:5060", &reply(invites(&sent)[0], 486));
    let next = invites(&sent);
    assert_eq!((next.len(), final_status(&sent)), (1, None));
    bench.log();
    let sent = bench.receive("10.0.0.6:5060", &reply(next[0], 404));
    assert_eq!(final_status(&sent), Some("SIP/2.0 404 Text"));
    assert!(bench.log().join(" ").contains("F 404"));
}

#[test]
fn a_suspended_request_goes_on_with_its_variables() {
    let mut bench = Bench::new(&config(
        r#"request_route {
            if (method == "OPTIONS") { t_continue("$shv(i)", "$shv(l)", "GO"); exit; }
            $avp(x) = "kept"; t_suspend(); $shv(i) = $T(id_index); $shv(l) = $T(id_label);
        }
        route[GO] { xlog("L_ERR", "go $avp(x) $rm\n"); t_relay(); }"#,
    ));
    let sent = bench.receive(CALLER, &invite());
    assert!(invites(&sent).is_empty());
    let other = invite()
        .replace("INVITE", "OPTIONS")
        .replace("Call-ID: c", "Call-ID: other");
    let mut sent = bench.receive(CALLER, &other);
    sent.extend(bench.settle());
    assert!(bench.log().join(" ").contains("go kept INVITE"));
    assert_eq!(invites(&sent).len(), 1, "{sent:?}");
}

#[test]
fn a_suspended_request_that_nobody_takes_up_is_answered() {
    let routes = "modparam(\"tm\", \"max_inv_lifetime\", 2000)\nrequest_route { t_suspend(); }";
    let mut bench = Bench::new(&config(routes));
    bench.receive(CALLER, &invite());
    let sent = bench.advance(10_000);
    assert!(
        sent.iter()
            .any(|sent| sent.first_line() == "SIP/2.0 408 Request Timeout"),
        "{sent:?}"
    );
}

#[test]
fn timers_set_before_the_transaction_count_for_it() {
    let mut bench = Bench::new(&config("request_route { t_set_fr(0, 700); t_relay(); }"));
    bench.receive(CALLER, &invite());
    let sent = bench.advance(1_000);
    assert_eq!(final_status(&sent), Some("SIP/2.0 408 Request Timeout"));
}

#[test]
fn a_redirection_lists_the_destinations() {
    let mut bench = Bench::new(&config(
        r#"request_route { append_branch("sip:c@10.0.0.7", "0.5"); sl_send_reply("302", "Moved"); }"#,
    ));
    let sent = bench.receive(CALLER, &invite());
    assert_eq!(sent[0].header("Contact"), "<sip:c@10.0.0.7>;q=0.5");
}

#[test]
fn a_silent_address_is_followed_by_the_next_one() {
    let run = |flags: &str| {
        let mut bench = Bench::new(&config(&format!(
            "use_dns_failover=yes\nmodparam(\"tm\", \"fr_timer\", 1000)\n\
             request_route {{ $ru = \"sip:b@pair.test:5060\"; t_relay_to(\"{flags}\"); }}",
        )));
        let mut sent = bench.receive(CALLER, &invite());
        sent.extend(bench.advance(3_000));
        sent
    };
    let sent = run("0");
    let mut ways: Vec<_> = invites(&sent)
        .iter()
        .map(|sent| sent.to.ip().to_string())
        .collect();
    ways.dedup();
    assert_eq!(ways, ["10.0.0.7", "10.0.0.6"]);
    let branch = |sent: &Sent| sent.header("Via").to_owned();
    let first = invites(&sent)[0];
    let second = invites(&sent)
        .into_iter()
        .find(|sent| sent.to.ip().to_string() == "10.0.0.6");
    assert!(
        second
            .is_some_and(|second| branch(second).ends_with(".1") && branch(first).ends_with(".0"))
    );
    let timeouts = sent
        .iter()
        .filter(|sent| sent.first_line() == "SIP/2.0 408 Request Timeout");
    assert!(timeouts.count() >= 1, "{sent:?}");
    let sent = run("4");
    assert!(
        invites(&sent)
            .iter()
            .all(|sent| sent.to.ip().to_string() == "10.0.0.7")
    );
}

#[test]
fn a_reply_at_hand_is_none_that_came_before() {
    let mut bench = Bench::new(&config(
        r#"request_route { t_on_failure("F"); t_relay(); }
        failure_route[F] {
            $var(branch) = t_branch_replied();
            $var(any) = t_any_replied();
            xlog("L_ERR", "replied $var(branch) $var(any)\n");
        }"#,
    ));
    for (branch, replies, expected) in [
        ("z9hG4bKone", &[486][..], "replied -1 -1"),
        ("z9hG4bKtwo", &[180, 486], "replied 1 1"),
    ] {
        let sent = bench.receive(CALLER, &invite().replace("z9hG4bKa", branch));
        let relayed = invites(&sent)[0].clone();
        for status in replies {
            bench.receive("10.0.0.8:5060", &reply(&relayed, *status));
        }
        let log = bench.log().join(" ");
        assert!(log.contains(expected), "{replies:?}: {log}");
    }
}

#[test]
fn another_flow_of_a_user_agent_is_tried_when_one_fails() {
    let mut bench = Bench::new(&config(
        r#"loadmodule "usrloc.so"
        loadmodule "registrar.so"
        modparam("tm", "contacts_avp", "contacts")
        modparam("tm", "contact_flows_avp", "flows")
        request_route {
            if (method == "REGISTER") { save("location"); exit; }
            lookup("location");
            t_load_contacts();
            t_next_contacts();
            t_on_branch_failure("X");
            t_relay();
        }
        event_route[tm:branch-failure:X] {
            if (t_next_contact_flow()) { t_on_branch_failure("X"); t_relay(); }
            else { xlog("L_ERR", "no more flows: $rc\n"); }
        }"#,
    ));
    let register = |id: u8, host: &str| {
        format!(
            "REGISTER sip:10.0.0.8 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKr{id}\n\
             From: <sip:b@10.0.0.8>;tag=r{id}\nTo: <sip:b@10.0.0.8>\nCall-ID: r{id}\n\
             CSeq: 1 REGISTER\nContact: <sip:b@{host}>;+sip.instance=\"<urn:one>\";reg-id={id}\n\
             Expires: 600\nContent-Length: 0\n\n"
        )
    };
    for (id, host) in [(1, "10.0.0.6"), (2, "10.0.0.7")] {
        let sent = bench.receive(CALLER, &register(id, host));
        assert_eq!(final_status(&sent), Some("SIP/2.0 200 OK"));
    }
    let sent = bench.receive(CALLER, &invite());
    let first = invites(&sent);
    assert_eq!(first.len(), 1, "{sent:?}");
    let sent = bench.receive("10.0.0.6:5060", &reply(first[0], 430));
    let second = invites(&sent);
    assert_eq!(second.len(), 1, "{sent:?}");
    assert_ne!(first[0].to, second[0].to);
    let sent = bench.receive("10.0.0.7:5060", &reply(second[0], 430));
    assert_eq!(final_status(&sent), Some("SIP/2.0 430 Text"));
    assert!(bench.log().join(" ").contains("no more flows: -2"));
}
