//! REGISTER: what is kept, what is answered, what is turned away, and in which order `lookup` takes contacts.

use serde_json::json;

use super::steps::{invite, pair};
use crate::support::Scene;
use crate::support::agent::Transport;
use crate::support::call::standalone;
use crate::support::message::Message;
use crate::support::scene::Who;

/// A REGISTER of `user` with these Contact lines and this number.
fn register(
    s: &mut Scene,
    who: Who,
    user: &str,
    cseq: u32,
    contacts: &[&str],
    expires: &str,
) -> Message {
    let registrar = s.lab.server().to_string();
    let mut message = standalone(
        s.at(who),
        "REGISTER",
        &format!("sip:{registrar}"),
        "registrations@test",
    );
    message.headers.retain(|(name, _)| name != "Contact");
    for (name, value) in &mut message.headers {
        match name.as_str() {
            "To" => *value = format!("<sip:{user}@{registrar}>"),
            "From" => *value = format!("<sip:{user}@{registrar}>;tag=register"),
            "CSeq" => *value = format!("{cseq} REGISTER"),
            _ => {}
        }
    }
    for contact in contacts {
        message
            .headers
            .push(("Contact".to_owned(), s.lab.fill(contact)));
    }
    if !expires.is_empty() {
        message
            .headers
            .push(("Expires".to_owned(), expires.to_owned()));
    }
    s.send(who, &message);
    message
}

/// One phone after another registers, refreshes, asks, and leaves.
pub fn contacts_come_and_go(s: &mut Scene) {
    let phone = s.agent("phone", 10, Transport::Udp);
    let home = "<sip:home@%NET%.10:5060;a=1>;q=0.3";
    let work = "<sip:work@%NET%.20:5060>;q=0.9;expires=120";
    for (cseq, contacts, expires, kind) in [
        (1, &[][..], "", "200 REGISTER"),
        (2, &[home], "600", "200 REGISTER"),
        (3, &[work], "", "200 REGISTER"),
        // Below the minimum, above the maximum, and another q.
        (
            4,
            &["<sip:home@%NET%.10:5060;a=1>;q=0.95"],
            "5",
            "200 REGISTER",
        ),
        (5, &[work], "99999", "200 REGISTER"),
        (
            6,
            &["<sip:third@%NET%.30:5060>, <sip:fourth@%NET%.31>;expires=300"],
            "400",
            "200 REGISTER",
        ),
        (7, &[], "", "200 REGISTER"),
        // An old number with the same Call-ID.
        (4, &[work], "600", "400 REGISTER"),
        (
            8,
            &["<sip:third@%NET%.30:5060>;expires=0"],
            "600",
            "200 REGISTER",
        ),
        (9, &["*"], "60", "400 REGISTER"),
        (10, &["*", work], "0", "400 REGISTER"),
        (11, &["*"], "0", "200 REGISTER"),
        (12, &[], "", "200 REGISTER"),
    ] {
        register(s, phone, "bob", cseq, contacts, expires);
        let reply = s.at(phone).receive(crate::support::agent::PATIENCE);
        let Some(reply) = reply else {
            s.fail(&format!("REGISTER {cseq} is not answered"))
        };
        s.record_message(phone, &reply);
        if reply.kind() != kind {
            s.fail(&format!(
                "REGISTER {cseq} draws {} instead of {kind}",
                reply.kind()
            ));
        }
        while let Some(more) = s.at(phone).receive(std::time::Duration::from_millis(20)) {
            s.record_message(phone, &more);
        }
    }
    s.rpc("ul.dump", json!([]));
}

/// Two contacts of one user: both ring, the better one first in the request.
pub fn call_to_two_contacts(s: &mut Scene) {
    let (alice, bob) = pair(s);
    let carol = s.agent("carol", 30, Transport::Udp);
    register(s, bob, "team", 1, &["<sip:bob@%NET%.20:5060>;q=0.2"], "600");
    s.expect(bob, "200 REGISTER");
    register(
        s,
        bob,
        "team",
        2,
        &["<sip:carol@%NET%.30:5060>;q=0.8"],
        "600",
    );
    s.expect(bob, "200 REGISTER");
    let target = s.server_uri("team");
    let (mut caller, _) = invite(s, alice, "team@test", &target);
    let at_carol = s.expect(carol, "INVITE");
    s.expect(bob, "INVITE");
    s.reply(carol, &at_carol, 200, "OK", "carol-tag");
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(carol, "ACK");
    super::steps::exchange(s, alice, &mut caller, carol, "BYE");
    s.script_lines();
}
