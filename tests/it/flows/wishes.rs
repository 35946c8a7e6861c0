//! What a script wishes for one `save()`, `lookup()` or `registered()`, and what it is shown of the contact found.

use serde_json::json;

use crate::support::Scene;
use crate::support::agent::Transport;
use crate::support::call::standalone;
use crate::support::scene::Who;

/// A request of the one user, with a number of its own, and these headers.
fn ask(s: &mut Scene, who: Who, method: &str, number: u32, headers: &[(&str, &str)]) {
    let uri = s.server_uri("bob");
    let mut message = standalone(s.at(who), method, &uri, &format!("wish-{number}@test"));
    message.headers.retain(|(name, _)| name != "Contact");
    for (name, value) in &mut message.headers {
        match name.as_str() {
            "To" => *value = format!("<{uri}>"),
            "CSeq" => *value = format!("{number} {method}"),
            _ => {}
        }
    }
    let more = headers.iter();
    let more = more.map(|(name, value)| ((*name).to_owned(), s.lab.fill(value)));
    message.headers.extend(more.collect::<Vec<_>>());
    s.send(who, &message);
    let Some(reply) = s.at(who).receive(crate::support::agent::PATIENCE) else {
        s.fail(&format!("{method} {number} is not answered"))
    };
    s.record_message(who, &reply);
    s.script_lines();
}

const HOME: (&str, &str) = ("Contact", "<sip:home@%NET%.10:5060>;q=0.5;expires=1000");
const WORK: (&str, &str) = ("Contact", "<sip:work@%NET%.20:5060>;q=0.9;expires=1000");
const CAR: (&str, &str) = ("Contact", "<sip:car@%NET%.30:5060>;q=0.1;expires=1000");

const TENT: (&str, &str) = ("Contact", "<sip:tent@%NET%.40:5060>;q=0.1");

fn three_contacts(s: &mut Scene) -> Who {
    let phone = s.agent("phone", 10, Transport::Udp);
    ask(s, phone, "REGISTER", 1, &[HOME]);
    let behind = [
        WORK,
        ("Path", "<sip:192.0.2.5;lr>"),
        ("X-Received", "sip:192.0.2.9"),
    ];
    ask(s, phone, "REGISTER", 2, &behind);
    ask(s, phone, "REGISTER", 3, &[CAR, ("X-Flag", "1")]);
    phone
}

/// The contact that was found, whole and with parts left out.
pub fn contacts_found_are_shown(s: &mut Scene) {
    let phone = three_contacts(s);
    let does = ["lookup", "twice", "branches", "0", "hidden"];
    for (number, what) in (4..).zip(does) {
        ask(s, phone, "OPTIONS", number, &[("X-Do", what)]);
    }
}

/// The same with two of its parts left out.
pub fn contacts_found_in_part(s: &mut Scene) {
    contacts_found_are_shown(s);
}

/// By branch flags, Call-ID, received address and contact.
pub fn contacts_are_chosen(s: &mut Scene) {
    let phone = three_contacts(s);
    for (number, headers) in (4..).zip([
        [("X-Do", "lookup"), ("X-Flags", "8")],
        [("X-Do", "lookup"), ("X-Flags", "12")],
        [("X-Do", "lookup"), ("X-Flags", "4")],
        [("X-Do", "0"), ("X-Flags", "4")],
        [("X-Do", "1"), ("X-Call", "wish-3@test")],
        [("X-Do", "1"), ("X-Call", "wish-33@test")],
        [("X-Do", "1"), ("X-Contact", "sip:nobody@%NET%.10")],
        [("X-Do", "2"), ("X-From", "sip:192.0.2.9")],
        [("X-Do", "2"), ("X-From", "sip:192.0.2.8")],
        [("X-Do", "4"), ("X-Contact", "sip:home@%NET%.10:5060")],
        [("X-Do", "4"), ("X-Contact", "sip:home@%NET%.10")],
    ]) {
        ask(s, phone, "OPTIONS", number, &headers);
    }
}

/// q, lifetime, number of contacts and socket of a registration.
pub fn registrations_as_the_script_wishes(s: &mut Scene) {
    let phone = s.agent("phone", 10, Transport::Udp);
    for (number, headers) in (1..).zip([
        [HOME, ("X-Q", "700")],
        [WORK, ("X-Q", "0")],
        [CAR, ("X-Q", "1001")],
        [CAR, ("X-Q", "-1")],
        [CAR, ("X-Expires", "777")],
        [CAR, ("X-Expires", "5")],
        [CAR, ("X-Expires", "5000")],
        [CAR, ("X-Expires", "-5")],
        [CAR, ("X-Expires", "0")],
        [CAR, ("X-Max", "2")],
        [CAR, ("X-Max", "3")],
        [TENT, ("X-Max", "1")],
        [TENT, ("X-Max", "-1")],
        [
            ("Contact", "<sip:a@%NET%.51>"),
            ("X-Socket", "udp:%IP%:5060"),
        ],
        [
            ("Contact", "<sip:b@%NET%.52>"),
            ("X-Socket", "udp:192.0.2.1:5060"),
        ],
        [("Contact", "<sip:c@%NET%.53>"), ("X-Socket", "nonsense")],
    ]) {
        ask(s, phone, "REGISTER", number, &headers);
    }
    s.rpc("ul.dump", json!([]));
}
