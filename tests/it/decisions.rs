//! What Tandem does where Kamailio 5.6.3 does otherwise on purpose, and what Kamailio cannot show within a test:
//! exact deadlines in every state, early dialogs by to-tag, targets that move. Only Tandem runs here.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::agent::Transport;
use crate::support::call::{Leg, reply};
use crate::support::scene::Who;
use crate::support::{Program, Scene};

fn start(more: &str) -> Option<Scene> {
    let values = [
        ("MATCH_MODE", "1"),
        ("LIFETIME", "3600"),
        ("SEND_BYE", "0"),
        ("T1", "2500"),
        ("MORE", more),
    ];
    Scene::start(Program::Tandem, "dialog.cfg", &values)
}

/// Alice, Bob and the INVITE that Bob received.
fn invited(s: &mut Scene, call_id: &str) -> (Who, Who, Leg, crate::support::message::Message) {
    let alice = s.agent("alice", 10, Transport::Udp);
    let bob = s.agent("bob", 20, Transport::Udp);
    let target = s.uri(bob);
    let caller = Leg::caller(s.at(alice), call_id, &target);
    let invite = caller.invite(s.at(alice));
    s.send(alice, &invite);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    (alice, bob, caller, received)
}

fn statistic(s: &mut Scene, name: &str) -> i64 {
    let answer = s.ask("stats.fetchn", &json!([format!("{name}_dialogs")]));
    answer[format!("dialog.{name}_dialogs")]
        .as_i64()
        .unwrap_or(-1)
}

fn is_empty(list: &Value) -> bool {
    list.as_array().is_some_and(Vec::is_empty)
}

/// Waits until the table is empty and says how long that took.
fn gone_after(s: &mut Scene, since: Instant) -> Duration {
    s.until("the call is gone", "dlg.list", json!([]), is_empty);
    since.elapsed()
}

/// A call that rings for longer than `early_timeout` has failed: the script is told, the counts are right.
#[test]
fn early_timeout_is_exact_and_counted() {
    let Some(mut s) = start("modparam(\"dialog\", \"early_timeout\", 2)") else {
        return;
    };
    let begin = Instant::now();
    let (alice, bob, _, received) = invited(&mut s, "early@test");
    s.reply(bob, &received, 180, "Ringing", "bob-tag");
    s.expect(alice, "180 INVITE");
    assert_eq!(statistic(&mut s, "early"), 1);
    s.await_line("event failed");
    let took = begin.elapsed();
    assert!((1500..3500).contains(&took.as_millis()), "after {took:?}");
    assert_eq!(
        (statistic(&mut s, "early"), statistic(&mut s, "failed")),
        (0, 1)
    );
    assert_eq!(s.ask("dlg.profile_get_size", &json!(["inbound"])), json!(0));
}

/// A 2xx that nobody acknowledges leaves ten seconds after `noack_timeout`; an ACK that comes in them brings the
/// call's lifetime back.
#[test]
fn noack_timeout_is_exact() {
    let Some(mut s) = start("modparam(\"dialog\", \"noack_timeout\", 2)") else {
        return;
    };
    let (alice, bob, mut caller, received) = invited(&mut s, "noack@test");
    s.reply(bob, &received, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    let answered = Instant::now();
    let lives = |list: &Value, seconds: u32| list[0]["lifetime"] == json!(seconds);
    assert!(lives(&s.ask("dlg.list", &json!([])), 3600));
    s.until("ten seconds are left", "dlg.list", json!([]), |list| {
        lives(list, 10)
    });
    let took = answered.elapsed();
    assert!((1500..3500).contains(&took.as_millis()), "after {took:?}");

    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    let call = &s.ask("dlg.list", &json!([]))[0];
    assert_eq!(
        (&call["state"], &call["lifetime"]),
        (&json!(4), &json!(3600)),
        "{call}"
    );
}

/// A BYE that Bob never answers does not keep the record longer than its deadline.
#[test]
fn end_timeout_bounds_an_unanswered_bye() {
    let Some(mut s) = start("modparam(\"dialog\", \"end_timeout\", 2)") else {
        return;
    };
    let (alice, bob, mut caller, received) = invited(&mut s, "ended@test");
    let ok = reply(s.at(bob), &received, 200, "OK", "bob-tag");
    s.send(bob, &ok);
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    let bye = caller.request(s.at(alice), "BYE");
    s.send(alice, &bye);
    s.expect(bob, "BYE");
    let begin = Instant::now();
    assert_eq!(statistic(&mut s, "active"), 0);
    let took = gone_after(&mut s, begin);
    assert!(took < Duration::from_secs(6), "after {took:?}");
}

/// The Contact of a re-INVITE's answer is where the proxy's own BYE goes.
#[test]
fn targets_move_on_both_sides() {
    let Some(mut s) = start("") else { return };
    let (alice, bob, mut caller, received) = invited(&mut s, "moved@test");
    s.reply(bob, &received, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");

    let again = caller.request(s.at(alice), "INVITE");
    s.send(alice, &again);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    let mut ok = reply(s.at(bob), &received, 200, "OK", "unused");
    for (name, value) in &mut ok.headers {
        if name == "Contact" {
            *value = value.replace('>', ";moved=1>");
        }
    }
    s.send(bob, &ok);
    s.expect(alice, "200 INVITE");
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");

    s.ask(
        "dlg.terminate_dlg",
        &json!(["moved@test", "alice-tag", "bob-tag"]),
    );
    let at_alice = s.expect(alice, "BYE");
    let at_bob = s.expect(bob, "BYE");
    assert!(at_bob.uri().ends_with(";moved=1"), "{}", at_bob.start);
    assert!(
        at_bob.cseq() > caller.cseq,
        "the caller's CSeq goes on: {}",
        at_bob.header("CSeq")
    );
    s.reply(alice, &at_alice, 200, "OK", "unused");
    s.reply(bob, &at_bob, 200, "OK", "unused");
    s.until("the call is gone", "dlg.list", json!([]), is_empty);
}

/// A 2xx without a Contact is a call all the same, with a tag, and ends like any other.
#[test]
fn an_answer_without_contact_is_tracked() {
    let Some(mut s) = start("") else { return };
    let (alice, bob, mut caller, received) = invited(&mut s, "bare@test");
    let mut ok = reply(s.at(bob), &received, 200, "OK", "bob-tag");
    let target = s.uri(bob);
    ok.headers.retain(|(name, _)| name != "Contact");
    s.send(bob, &ok);
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    caller.target = target;
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    let calls = s.ask("dlg.list", &json!([]));
    assert_eq!(
        (&calls[0]["state"], &calls[0]["callee"]["tag"]),
        (&json!(4), &json!("bob-tag")),
        "{calls}"
    );
    s.ask(
        "dlg.terminate_dlg",
        &json!(["bare@test", "alice-tag", "bob-tag"]),
    );
    s.expect(alice, "BYE");
    s.expect(bob, "BYE");
}

/// A cookie that is no cookie is as good as none: mode 1 finds the call by Call-ID and tags.
#[test]
fn a_malformed_cookie_counts_as_absent() {
    let Some(mut s) = start("") else { return };
    let (alice, bob, mut caller, received) = invited(&mut s, "malformed@test");
    s.reply(bob, &received, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    for route in &mut caller.routes {
        *route = route.split(";did=").next().unwrap_or_default().to_owned() + ";did=xyz.!>";
    }
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    assert_eq!(s.ask("dlg.list", &json!([]))[0]["state"], 4);
}

/// Integers are 64 bits wide: what would wrap in 32 does not.
#[test]
fn integers_do_not_wrap() {
    let text = "#!KAMAILIO\ndebug=1\nlog_stderror=yes\nlisten=udp:%IP%:5060\nloadmodule \"pv.so\"\n\
                loadmodule \"sl.so\"\nloadmodule \"xlog.so\"\nrequest_route {\n\t$var(a) = 2147483647 + 1;\n\t\
                $var(b) = 4294967296;\n\txlog(\"L_NOTICE\", \"$var(a) $var(b)\\n\");\n\tsl_send_reply(\"200\", \"OK\");\n}\n";
    let Some(mut s) = Scene::start_text(Program::Tandem, text) else {
        return;
    };
    let alice = s.agent("alice", 10, Transport::Udp);
    let target = s.server_uri("x");
    let request = crate::support::call::standalone(s.at(alice), "OPTIONS", &target, "wide@test");
    s.send(alice, &request);
    s.expect(alice, "200 OPTIONS");
    s.await_line("2147483648 4294967296");
}
