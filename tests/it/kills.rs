//! `kill -9` under load, at any moment: what a caller was told of is there when the server is started again, and what
//! was ended is not.

mod sipp;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::Program;
use crate::support::agent::{Agent, Transport};
use crate::support::call::{Leg, reply};
use crate::support::database::{SQLITE, scene};
use crate::support::lab::Lab;
use crate::support::servers::{DbServer, Kind};

/// What callers know of their calls.
#[derive(Default)]
struct Known {
    /// Calls whose 200 was seen, and whose BYE was not begun.
    up: Mutex<BTreeSet<String>>,
    /// Calls of which nobody can know: an INVITE or a BYE was sent, and not answered.
    unclear: Mutex<BTreeSet<String>>,
}

/// Answers everything.
fn callee(mut agent: Agent, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let Some(request) = agent.receive_any(Duration::from_millis(50)) else {
            continue;
        };
        if matches!(request.method(), "INVITE" | "BYE") {
            let ok = reply(&agent, &request, 200, "OK", "bob-tag");
            agent.send(&ok);
        }
    }
}

/// Makes one call after another; ends every second one.
fn caller(mut agent: Agent, target: &str, known: &Known, stop: &AtomicBool) {
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let call_id = format!("{}-{number}@load", agent.name);
        let mut leg = Leg::caller(&agent, &call_id, target);
        known.unclear.lock().unwrap().insert(call_id.clone());
        let invite = leg.invite(&mut agent);
        agent.send(&invite);
        let Some(ok) = answer(&mut agent, "200 INVITE", &call_id, stop) else {
            return;
        };
        known.up.lock().unwrap().insert(call_id.clone());
        known.unclear.lock().unwrap().remove(&call_id);
        leg.learn(&ok);
        let ack = leg.ack(&mut agent);
        agent.send(&ack);
        if number % 2 == 1 {
            known.unclear.lock().unwrap().insert(call_id.clone());
            known.up.lock().unwrap().remove(&call_id);
            let bye = leg.request(&mut agent, "BYE");
            agent.send(&bye);
            if answer(&mut agent, "200 BYE", &call_id, stop).is_none() {
                return;
            }
            known.unclear.lock().unwrap().remove(&call_id);
        }
    }
}

fn answer(
    agent: &mut Agent,
    kind: &str,
    call_id: &str,
    stop: &AtomicBool,
) -> Option<crate::support::message::Message> {
    while !stop.load(Ordering::Relaxed) {
        if let Some(message) = agent.receive_any(Duration::from_millis(50))
            && message.kind() == kind
            && message.header("Call-ID") == call_id
        {
            return Some(message);
        }
    }
    None
}

/// Under load, at whatever moment it is killed: what a caller was told is there.
fn kill_under_load(url: &str, rounds: u64) {
    for round in 0..rounds {
        let Some((mut s, text)) = scene(Program::Tandem, url) else {
            return;
        };
        let known = Arc::<Known>::default();
        let stop = Arc::<AtomicBool>::default();
        let server = s.lab.server();
        let mut threads = Vec::new();
        for host in 0..3u8 {
            let agent = |name: &str, host: u8| {
                let address = (s.lab.host(host), 5060).into();
                Agent::new(name, address, Transport::Udp, server)
            };
            let bob = agent("bob", 20 + host);
            let alice = agent(&format!("alice{host}"), 10 + host);
            let target = bob.uri();
            let stopped = Arc::clone(&stop);
            threads.push(thread::spawn(move || callee(bob, &stopped)));
            let (known, stopped) = (Arc::clone(&known), Arc::clone(&stop));
            threads.push(thread::spawn(move || {
                caller(alice, &target, &known, &stopped)
            }));
        }
        // The moment is any: it depends on how fast three callers have made so many calls.
        let enough = 6 + (round * 7 % 40) as usize;
        let end = Instant::now() + Duration::from_secs(60);
        while known.up.lock().unwrap().len() < enough {
            assert!(Instant::now() < end, "{}", s.server.log());
            thread::sleep(Duration::from_millis(1));
        }
        s.server.process().signal(Signal::SIGKILL);
        s.server.process().wait(Duration::from_secs(5));
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().expect("no agent panics");
        }
        s.replace(Signal::SIGKILL, Program::Tandem, &text);
        let list = s.ask("dlg.list", &json!([]));
        let calls = list.as_array().cloned().unwrap_or_default();
        let there: BTreeSet<String> = calls
            .iter()
            .filter_map(|call| call["call-id"].as_str().map(str::to_owned))
            .collect();
        let (up, unclear) = (known.up.lock().unwrap(), known.unclear.lock().unwrap());
        let lost: Vec<_> = up.difference(&there).collect();
        assert!(
            lost.is_empty(),
            "round {round}: {lost:?} are lost of {}",
            up.len()
        );
        let ghosts: Vec<_> = there
            .iter()
            .filter(|call| !up.contains(*call) && !unclear.contains(*call))
            .collect();
        assert!(ghosts.is_empty(), "round {round}: {ghosts:?} are over");
        let size = s.ask("dlg.profile_get_size", &json!(["inbound"]));
        assert_eq!(size, calls.len());
        // The next round finds nothing.
        for call in &calls {
            let state = json!([
                call["call-id"],
                call["caller"]["tag"],
                call["callee"]["tag"],
                "5"
            ]);
            s.ask("dlg.set_state", &state);
        }
    }
}

/// How often a server is killed.
fn kills(usually: u64) -> u64 {
    let rounds = std::env::var("TANDEM_TEST_KILLS").ok();
    rounds.and_then(|text| text.parse().ok()).unwrap_or(usually)
}

fn kill_under_agents(url: &str) {
    kill_under_load(url, kills(3));
}

fn with_server(kind: Kind, test: fn(&str)) {
    let lab = Lab::new(5060);
    if let Some(server) = DbServer::start(kind, &lab) {
        test(&server.url());
    }
}

#[test]
fn no_call_that_was_told_is_lost() {
    kill_under_agents(SQLITE);
}

#[test]
fn no_call_is_lost_with_mysql() {
    with_server(Kind::MySql, kill_under_agents);
}

#[test]
fn no_call_is_lost_with_postgres() {
    with_server(Kind::Postgres, kill_under_agents);
}
