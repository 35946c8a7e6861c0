//! Challenges to what Tandem itself sends, and CSeq numbers over a whole call, as its two parties see them. Only
//! Tandem runs here: Kamailio leaves such challenges alone, and sends its own requests with numbers used before.

use serde_json::json;

use crate::support::agent::Transport;
use crate::support::call::{Leg, reply};
use crate::support::message::Message;
use crate::support::scene::Who;
use crate::support::{Program, Scene};

const CHALLENGE: &str = "Digest realm=\"trunk.example\", nonce=\"0123456789\", qop=\"auth\"";

fn start(more: &str) -> Option<Scene> {
    let values = [
        ("MATCH_MODE", "1"),
        ("LIFETIME", "3600"),
        ("SEND_BYE", "0"),
        ("T1", "2500"),
        ("MORE", more),
    ];
    Scene::start(Program::Tandem, "uac.cfg", &values)
}

/// Asks for credentials, and receives the request once more: its number is one higher, and it answers.
fn challenged(s: &mut Scene, who: Who, request: &Message) -> Message {
    let mut asked = reply(s.at(who), request, 401, "Asked", "asked-tag");
    asked
        .headers
        .insert(1, ("WWW-Authenticate".to_owned(), CHALLENGE.to_owned()));
    s.send(who, &asked);
    if request.method() == "INVITE" {
        s.expect(who, "ACK");
    }
    let again = s.expect(who, request.method());
    assert_eq!(again.cseq(), request.cseq() + 1);
    assert_eq!(again.header("Call-ID"), request.header("Call-ID"));
    let answer = again.header("Authorization");
    assert!(answer.starts_with("Digest username=\"tandem\""), "{answer}");
    again
}

/// The controller's call is challenged at every step, and comes to its end.
#[test]
fn bridging_answers_challenges() {
    let Some(mut s) = start("") else { return };
    let alice = s.agent("alice", 10, Transport::Udp);
    let target = s.uri(alice);
    s.rpc("dlg.bridge_dlg", json!([target, "sip:bob@test.example"]));
    let invite = s.expect(alice, "INVITE");
    let invite = challenged(&mut s, alice, &invite);
    s.reply(alice, &invite, 200, "OK", "alice-tag");
    let ack = s.expect(alice, "ACK");
    assert_eq!(ack.cseq(), invite.cseq());
    let refer = s.expect(alice, "REFER");
    let refer = challenged(&mut s, alice, &refer);
    s.reply(alice, &refer, 202, "Accepted", "unused");
    let bye = s.expect(alice, "BYE");
    let bye = challenged(&mut s, alice, &bye);
    s.reply(alice, &bye, 200, "OK", "unused");
    assert!(refer.cseq() > ack.cseq() && bye.cseq() > refer.cseq());
    s.finish();
}

/// Bob asks Alice's INVITE for credentials, and later the proxy's own BYE: every number that each of them sees is
/// above all before it, and replies come back with the numbers that were sent.
#[test]
fn numbers_rise_for_both_sides_to_the_end() {
    let more = "modparam(\"dialog\", \"track_cseq_updates\", 1)";
    let Some(mut s) = start(more) else { return };
    let (alice, bob) = (
        s.agent("alice", 10, Transport::Udp),
        s.agent("bob", 20, Transport::Udp),
    );
    let target = s.uri(bob);
    let mut caller = Leg::caller(s.at(alice), "rising@test", &target);
    let mut invite = caller.invite(s.at(alice));
    invite.headers.push(("Track".to_owned(), "yes".to_owned()));
    s.send(alice, &invite);
    s.expect(alice, "100 INVITE");
    let first = s.expect(bob, "INVITE");
    let again = challenged(&mut s, bob, &first);
    s.reply(bob, &again, 200, "OK", "bob-tag");
    let ok = s.expect(alice, "200 INVITE");
    assert_eq!(ok.cseq(), invite.cseq());
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    assert_eq!(s.expect(bob, "ACK").cseq(), again.cseq());

    let info = caller.request(s.at(alice), "INFO");
    s.send(alice, &info);
    let seen = s.expect(bob, "INFO");
    assert_eq!(seen.cseq(), again.cseq() + 1);
    s.reply(bob, &seen, 200, "OK", "unused");
    assert_eq!(s.expect(alice, "200 INFO").cseq(), info.cseq());

    s.ask(
        "dlg.terminate_dlg",
        &json!(["rising@test", "alice-tag", "bob-tag"]),
    );
    let to_alice = s.expect(alice, "BYE");
    let to_bob = s.expect(bob, "BYE");
    assert_eq!(to_bob.cseq(), seen.cseq() + 1);
    let to_bob = challenged(&mut s, bob, &to_bob);
    s.reply(bob, &to_bob, 200, "OK", "unused");
    let what = "one of the two has answered";
    s.until(what, "dlg.dlg_list_ctx", json!(["rising@test"]), |call| {
        call["context"]["bye"] == json!({ "caller": "sent", "callee": "answered 200" })
    });
    s.reply(alice, &to_alice, 200, "OK", "unused");
    s.until("the call is gone", "dlg.list", json!([]), |list| {
        list.as_array().is_some_and(Vec::is_empty)
    });
    s.finish();
}
