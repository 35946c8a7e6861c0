//! The configuration that Debian ships with Kamailio, with all its modules.

use std::fs;
use std::time::{Duration, Instant};

use regex::Regex;

use crate::support::agent::{PATIENCE, Transport};
use crate::support::call::{Leg, follow, standalone};
use crate::support::message::Message;
use crate::support::scene::Who;
use crate::support::{Program, Scene, golden, peers};

const STOCK: &str = "/etc/kamailio/kamailio.cfg";

/// The stock file with one socket, one worker and neutral product names.
fn configuration() -> Option<String> {
    let Ok(mut text) = fs::read_to_string(STOCK) else {
        peers::skip("TANDEM_TEST_PEERS", &format!("{STOCK} is not there"));
        return None;
    };
    let own = "#!KAMAILIO\nauto_aliases=no\ntcp_children=1\nlisten=udp:%IP%:5060\nlisten=tcp:%IP%:5060\n\
               server_header=\"Server: test\"\nuser_agent_header=\"User-Agent: test\"\n";
    text = text
        .replacen("#!KAMAILIO", own, 1)
        .replace("children=8", "children=1");
    Some(text)
}

fn run(program: Program, name: &str, flow: fn(&mut Scene)) {
    let Some(text) = configuration() else { return };
    let Some(mut scene) = Scene::start_text(program, &text) else {
        return;
    };
    flow(&mut scene);
    golden::check(program, name, &scene.finish());
}

/// A phone at the server's domain; the stock configuration relays for nobody else.
fn register(s: &mut Scene, name: &str, host: u8) -> Who {
    let who = s.agent(name, host, Transport::Udp);
    let domain = s.lab.server().ip().to_string();
    let mut request = standalone(
        s.at(who),
        "REGISTER",
        &format!("sip:{domain}"),
        &format!("register-{name}@test"),
    );
    set(
        &mut request,
        "From",
        &format!("<sip:{name}@{domain}>;tag={name}-tag"),
    );
    set(&mut request, "To", &format!("<sip:{name}@{domain}>"));
    s.send(who, &request);
    s.expect(who, "200 REGISTER");
    who
}

fn set(message: &mut Message, header: &str, value: &str) {
    for (name, old) in &mut message.headers {
        if name == header {
            *old = value.to_owned();
        }
    }
}

fn caller(s: &mut Scene, from: Who, call_id: &str, user: &str) -> Leg {
    let domain = s.lab.server().ip().to_string();
    let mut leg = Leg::caller(s.at(from), call_id, &format!("sip:{user}@{domain}"));
    leg.local = format!("sip:alice@{domain}");
    leg
}

fn calls(s: &mut Scene) {
    let (alice, bob) = (register(s, "alice", 10), register(s, "bob", 20));
    let mut leg = caller(s, alice, "stock@test", "bob");
    let invite = leg.invite(s.at(alice));
    s.send(alice, &invite);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    for (code, phrase) in [(180, "Ringing"), (200, "OK")] {
        s.reply(bob, &received, code, phrase, "bob-tag");
        let reply = s.expect(alice, &format!("{code} INVITE"));
        leg.learn(&reply);
    }
    let ack = leg.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    let mut callee = Leg::callee(&received, "bob-tag");
    for method in ["INFO", "BYE"] {
        let request = callee.request(s.at(bob), method);
        s.send(bob, &request);
        let at_alice = s.expect(alice, method);
        s.reply(alice, &at_alice, 200, "OK", "unused");
        s.expect(bob, &format!("200 {method}"));
    }

    let leg = caller(s, alice, "stock-cancel@test", "bob");
    let invite = leg.invite(s.at(alice));
    s.send(alice, &invite);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    s.reply(bob, &received, 180, "Ringing", "bob-tag");
    s.expect(alice, "180 INVITE");
    let cancel = follow(&invite, "CANCEL", invite.header("To"));
    s.send(alice, &cancel);
    s.expect(alice, "200 CANCEL");
    let cancelled = s.expect(bob, "CANCEL");
    s.reply(bob, &cancelled, 200, "OK", "bob-tag");
    s.reply(bob, &received, 487, "Request Terminated", "bob-tag");
    s.expect(bob, "ACK");
    negative(s, alice, &invite, "487 INVITE");
    accounting(s, 3);
}

/// Records what the log says was accounted: so many transactions. The log may lag behind.
fn accounting(s: &mut Scene, count: usize) {
    let lines = |log: &str| -> Vec<String> {
        let lines = log.lines().filter_map(|line| line.split_once(": ACC: "));
        lines.map(|(_, line)| line.to_owned()).collect()
    };
    let end = Instant::now() + PATIENCE;
    while lines(&s.server.log()).len() < count && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    s.note("accounted");
    let time = Regex::new(r"timestamp=\d+").expect("a constant pattern");
    for line in lines(&s.server.log()) {
        s.record(&time.replace(&line, "timestamp=<time>"));
    }
}

fn negative(s: &mut Scene, who: Who, invite: &Message, kind: &str) {
    let reply = s.expect(who, kind);
    let ack = follow(invite, "ACK", reply.header("To"));
    s.send(who, &ack);
}

/// What the stock configuration turns away.
fn refusals(s: &mut Scene) {
    let alice = register(s, "alice", 10);
    let domain = s.lab.server().ip().to_string();
    let leg = caller(s, alice, "unknown@test", "nobody");
    let invite = leg.invite(s.at(alice));
    s.send(alice, &invite);
    negative(s, alice, &invite, "404 INVITE");

    let mut leg = caller(s, alice, "foreign@test", "bob");
    (leg.local, leg.target) = (
        "sip:alice@elsewhere.test".to_owned(),
        "sip:bob@other.test".to_owned(),
    );
    let invite = leg.invite(s.at(alice));
    s.send(alice, &invite);
    negative(s, alice, &invite, "403 INVITE");

    let mut leg = caller(s, alice, "in-dialog@test", "bob");
    leg.remote_tag = Some("never-seen".to_owned());
    let bye = leg.request(s.at(alice), "BYE");
    s.send(alice, &bye);
    s.expect(alice, "404 BYE");

    for (method, uri, kind) in [
        ("OPTIONS", format!("sip:{domain}"), "200 OPTIONS"),
        ("OPTIONS", format!("sip:nobody@{domain}"), "404 OPTIONS"),
        ("MESSAGE", format!("sip:nobody@{domain}"), "404 MESSAGE"),
        ("PUBLISH", format!("sip:alice@{domain}"), "404 PUBLISH"),
        ("MESSAGE", format!("sip:{domain}"), "484 MESSAGE"),
    ] {
        let mut request = standalone(
            s.at(alice),
            method,
            &uri,
            &format!("{method}-{kind}@test").replace(' ', "-"),
        );
        set(
            &mut request,
            "From",
            &format!("<sip:alice@{domain}>;tag=alice-tag"),
        );
        s.send(alice, &request);
        s.expect(alice, kind);
    }
    let mut scan = standalone(
        s.at(alice),
        "OPTIONS",
        &format!("sip:100@{domain}"),
        "scanner@test",
    );
    scan.headers
        .push(("User-Agent".to_owned(), "friendly-scanner".to_owned()));
    s.send(alice, &scan);
    s.silence(alice, Duration::from_millis(100));
    let mut tired = standalone(
        s.at(alice),
        "OPTIONS",
        &format!("sip:{domain}"),
        "tired@test",
    );
    set(&mut tired, "Max-Forwards", "0");
    s.send(alice, &tired);
    s.expect(alice, "483 OPTIONS");
}

macro_rules! stock {
    ($($flow:ident: $name:literal;)*) => {
        $(mod $flow {
            use super::*;

            #[test]
            fn kamailio() {
                run(Program::Kamailio, $name, super::$flow);
            }

            #[test]
            fn tandem() {
                run(Program::Tandem, $name, super::$flow);
            }
        })*
    };
}

stock! {
    calls: "stock_calls";
    refusals: "stock_refusals";
}
