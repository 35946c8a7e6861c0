//! Module `uac` in calls: challenges answered on the way, CSeq tracked through them, addresses replaced and put
//! back, requests that a script describes. The configuration is `configs/uac.cfg`.

use serde_json::json;

use super::steps::{Call, acknowledge, acknowledge_negative, exchange, hang_up, pair};
use crate::support::Scene;
use crate::support::call::{self, Leg};
use crate::support::message::Message;
use crate::support::scene::Who;

const CHALLENGE: &str = "Digest realm=\"trunk.example\", nonce=\"0123456789\", qop=\"auth\"";

/// Header lines beside the usual ones.
type Headers = &'static [(&'static str, &'static str)];

/// Alice invites Bob with further headers; he receives the INVITE.
fn invited(s: &mut Scene, call_id: &str, headers: &[(&str, &str)]) -> Call {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let caller = Leg::caller(s.at(alice), call_id, &target);
    let mut sent = caller.invite(s.at(alice));
    for (name, value) in headers {
        sent.headers.push(((*name).to_owned(), (*value).to_owned()));
    }
    s.send(alice, &sent);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    let callee = Leg::callee(&received, "bob-tag");
    Call {
        alice,
        bob,
        caller,
        callee,
        sent,
        received,
    }
}

/// A challenge in reply to a request.
fn challenge(s: &mut Scene, who: Who, request: &Message, code: u16, values: &[&str]) {
    let mut reply = call::reply(s.at(who), request, code, "Asked", "bob-tag");
    let name = match code {
        401 => "WWW-Authenticate",
        _ => "Proxy-Authenticate",
    };
    for value in values {
        reply
            .headers
            .insert(1, (name.to_owned(), (*value).to_owned()));
    }
    s.send(who, &reply);
}

/// Bob challenges what he received, and receives the ACK and the request once more.
fn challenged(s: &mut Scene, call: &mut Call, code: u16, values: &[&str]) {
    let request = call.received.clone();
    challenge(s, call.bob, &request, code, values);
    s.expect(call.bob, "ACK");
    call.received = s.expect(call.bob, "INVITE");
}

/// Bob rings and answers, and Alice acknowledges.
fn answered(s: &mut Scene, call: &mut Call) {
    s.reply(call.bob, &call.received, 180, "Ringing", "bob-tag");
    s.expect(call.alice, "180 INVITE");
    s.reply(call.bob, &call.received, 200, "OK", "bob-tag");
    let ok = s.expect(call.alice, "200 INVITE");
    call.caller.learn(&ok);
    acknowledge(s, call);
}

pub fn challenge_answered(s: &mut Scene) {
    let mut call = invited(s, "auth@test", &[]);
    challenged(s, &mut call, 407, &[CHALLENGE]);
    answered(s, &mut call);
    hang_up(s, &mut call);
    s.script_lines();
}

/// Without a name the one for this realm is taken; a digest without `qop` shows the whole computation.
pub fn challenges_of_all_kinds(s: &mut Scene) {
    let plain = "Digest realm=\"trunk.example\", nonce=\"0123456789\"";
    let opaque = "Digest realm=\"trunk.example\", nonce=\"0123456789\", opaque=\"abc\", algorithm=MD5, stale=false";
    let elsewhere = "Digest realm=\"elsewhere\", nonce=\"0123456789\"";
    let cases: &[(&str, u16, &[&str], Headers)] = &[
        ("auth-1@test", 401, &[plain], &[]),
        ("auth-2@test", 401, &[opaque], &[]),
        (
            "auth-3@test",
            407,
            &[elsewhere],
            &[("User", "bob"), ("Password", "pw")],
        ),
        (
            "auth-4@test",
            407,
            &[elsewhere],
            &[("User", "bob"), ("Password", "pw"), ("Realm", "elsewhere")],
        ),
        (
            "auth-5@test",
            401,
            &[plain],
            &[("User", "bob"), ("Password", "pw")],
        ),
        (
            "auth-6@test",
            401,
            &[elsewhere],
            &[
                ("Mode", "1"),
                ("User", "bob"),
                ("Password", "36d0a02793542b4961e8348347236dbf"),
            ],
        ),
    ];
    let (alice, bob) = pair(s);
    for (call_id, code, values, headers) in cases {
        s.chapter(call_id);
        let target = s.uri(bob);
        let caller = Leg::caller(s.at(alice), call_id, &target);
        let mut sent = caller.invite(s.at(alice));
        for (name, value) in *headers {
            sent.headers.push(((*name).to_owned(), (*value).to_owned()));
        }
        s.send(alice, &sent);
        s.expect(alice, "100 INVITE");
        let received = s.expect(bob, "INVITE");
        challenge(s, bob, &received, *code, values);
        s.expect(bob, "ACK");
        let again = s.expect(bob, "INVITE");
        s.reply(bob, &again, 486, "Busy Here", "bob-tag");
        s.expect(bob, "ACK");
        let busy = s.expect(alice, "486 INVITE");
        acknowledge_negative(s, alice, &sent, &busy);
        s.script_lines();
    }
}

/// A challenge that nobody can answer goes to the caller.
pub fn challenge_passed_on(s: &mut Scene) {
    let call = invited(s, "auth@test", &[]);
    let elsewhere = "Digest realm=\"elsewhere\", nonce=\"0123456789\"";
    challenge(s, call.bob, &call.received, 401, &[elsewhere]);
    s.expect(call.bob, "ACK");
    let reply = s.expect(call.alice, "401 INVITE");
    acknowledge_negative(s, call.alice, &call.sent, &reply);
    s.script_lines();
}

/// The number of the INVITE is raised, and with it all that Alice sends later; she sees her own numbers.
pub fn cseq_tracked(s: &mut Scene) {
    let mut call = invited(s, "cseq@test", &[("Track", "yes")]);
    challenged(s, &mut call, 407, &[CHALLENGE]);
    answered(s, &mut call);
    s.rpc("dlg.list", json!([]));
    exchange(s, call.alice, &mut call.caller, call.bob, "INFO");
    exchange(s, call.bob, &mut call.callee, call.alice, "INFO");
    reinvited(s, &mut call, false);
    exchange(s, call.alice, &mut call.caller, call.bob, "UPDATE");
    reinvited(s, &mut call, true);
    exchange(s, call.alice, &mut call.caller, call.bob, "INFO");
    s.rpc("dlg.list", json!([]));
    hang_up(s, &mut call);
    s.script_lines();
}

/// Alice renews the session; Bob may ask for credentials once more.
fn reinvited(s: &mut Scene, call: &mut Call, with_challenge: bool) {
    let invite = call.caller.request(s.at(call.alice), "INVITE");
    s.send(call.alice, &invite);
    s.expect(call.alice, "100 INVITE");
    call.received = s.expect(call.bob, "INVITE");
    if with_challenge {
        challenged(s, call, 407, &[CHALLENGE]);
    }
    s.reply(call.bob, &call.received, 200, "OK", "bob-tag");
    s.expect(call.alice, "200 INVITE");
    acknowledge(s, call);
}

/// Calls whose addresses are replaced in every way; each is refused at once.
pub fn replaced_in_all_ways(s: &mut Scene) {
    let cases: &[(&str, Headers)] = &[
        ("uri alone", &[("From-Uri", "sip:nobody@anonymous.invalid")]),
        (
            "name and uri",
            &[("From-Name", "Nobody"), ("From-Uri", "sip:n@x.example")],
        ),
        (
            "name alone",
            &[("From-Name", "\"No Body\""), ("From-Uri", "-")],
        ),
        (
            "no name",
            &[
                ("From-Name", "-"),
                ("From-Uri", "sip:a-longer-name@much.longer.example.org"),
            ],
        ),
        (
            "nothing left but the uri",
            &[("From-Name", "-"), ("From-Uri", "-")],
        ),
        ("to", &[("To-Uri", "sip:49@x")]),
        (
            "to with a name",
            &[
                ("To-Name", "Bob"),
                ("To-Uri", "sip:49@x.example;user=phone"),
            ],
        ),
        ("no address", &[("From-Uri", "nonsense")]),
        (
            "tracked",
            &[
                ("Track", "yes"),
                ("From-Uri", "sip:nobody@anonymous.invalid"),
            ],
        ),
    ];
    let (alice, bob) = pair(s);
    for (at, (title, headers)) in cases.iter().enumerate() {
        s.chapter(title);
        let target = s.uri(bob);
        let caller = Leg::caller(s.at(alice), &format!("replace-{at}@test"), &target);
        let mut sent = caller.invite(s.at(alice));
        if at % 2 == 1 {
            let from = sent.headers.iter_mut().find(|(name, _)| name == "From");
            let from = from.expect("an INVITE has From");
            from.1 = format!("\"Alice A\" {}", from.1);
        }
        for (name, value) in *headers {
            sent.headers.push(((*name).to_owned(), (*value).to_owned()));
        }
        s.send(alice, &sent);
        s.expect(alice, "100 INVITE");
        let received = s.expect(bob, "INVITE");
        s.reply(bob, &received, 180, "Ringing", "bob-tag");
        s.expect(alice, "180 INVITE");
        if *title == "tracked" {
            s.rpc("dlg.list", json!([]));
        }
        s.reply(bob, &received, 486, "Busy Here", "bob-tag");
        s.expect(bob, "ACK");
        let busy = s.expect(alice, "486 INVITE");
        acknowledge_negative(s, alice, &sent, &busy);
        s.script_lines();
    }
}

/// Whoever knows an address keeps seeing it, in requests and replies, whichever way they go.
pub fn replaced_in_a_call(s: &mut Scene) {
    let headers = [
        ("From-Name", "Nobody"),
        ("From-Uri", "sip:nobody@anonymous.invalid"),
        ("To-Uri", "sip:+4930123456@trunk.example"),
    ];
    replaced_call(s, &headers, false);
}

/// The script puts back what a request of the caller needs.
pub fn restored_by_hand(s: &mut Scene) {
    let headers = [
        ("From-Name", "Nobody"),
        ("From-Uri", "sip:nobody@anonymous.invalid"),
        ("To-Uri", "sip:+4930123456@trunk.example"),
    ];
    replaced_call(s, &headers, true);
}

/// The same with the call keeping what is needed.
pub fn replaced_in_a_tracked_call(s: &mut Scene) {
    let headers = [
        ("Track", "yes"),
        ("From-Name", "Nobody"),
        ("From-Uri", "sip:nobody@anonymous.invalid"),
        ("To-Uri", "sip:+4930123456@trunk.example"),
    ];
    replaced_call(s, &headers, false);
}

fn replaced_call(s: &mut Scene, headers: &[(&str, &str)], by_hand: bool) {
    let mut call = invited(s, "replaced@test", headers);
    answered(s, &mut call);
    exchange(s, call.alice, &mut call.caller, call.bob, "INFO");
    exchange(s, call.bob, &mut call.callee, call.alice, "INFO");
    reinvited(s, &mut call, false);
    if by_hand {
        let mut request = call.caller.request(s.at(call.alice), "INFO");
        request
            .headers
            .push(("Restore".to_owned(), "yes".to_owned()));
        s.send(call.alice, &request);
        let received = s.expect(call.bob, "INFO");
        s.reply(call.bob, &received, 200, "OK", "unused");
        s.expect(call.alice, "200 INFO");
    }
    exchange(s, call.bob, &mut call.callee, call.alice, "BYE");
    s.script_lines();
}

/// Requests of the proxy's own, and what its script hears of them.
pub fn asked_by_script(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let target = s.uri(bob);
    let cases: &[(&str, Headers, u16)] = &[
        (
            "ask-1@test",
            &[("Ask-Event", "1"), ("Ask-Headers", "yes")],
            200,
        ),
        (
            "ask-2@test",
            &[("Ask-Event", "1"), ("Ask-Body", "yes")],
            404,
        ),
        ("ask-3@test", &[("Ask-Event", "0")], 200),
        (
            "ask-4@test",
            &[("Ask-Event", "1"), ("Ask-User", "tandem")],
            401,
        ),
        ("ask-5@test", &[("Ask-Event", "2")], 500),
    ];
    for (call_id, headers, code) in cases {
        s.chapter(call_id);
        let mut message = call::standalone(s.at(alice), "MESSAGE", &target, call_id);
        message
            .headers
            .push(("Ask".to_owned(), "OPTIONS".to_owned()));
        message.headers.push(("Ask-Uri".to_owned(), target.clone()));
        for (name, value) in *headers {
            message
                .headers
                .push(((*name).to_owned(), (*value).to_owned()));
        }
        s.send(alice, &message);
        s.expect(alice, "200 MESSAGE");
        let request = s.expect(bob, "OPTIONS");
        if *code == 401 {
            let plain = "Digest realm=\"anything\", nonce=\"0123456789\"";
            challenge(s, bob, &request, 401, &[plain]);
            let again = s.expect(bob, "OPTIONS");
            s.reply(bob, &again, 200, "OK", "bob-tag");
        } else {
            s.reply(bob, &request, *code, "Said", "bob-tag");
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        s.script_lines();
    }
}
