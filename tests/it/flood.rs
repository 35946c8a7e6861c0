//! More comes in, without end, than can be read: what is due at its time still happens.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::agent::Transport;
use crate::support::call::{Leg, standalone};
use crate::support::scene::Who;
use crate::support::{Program, Scene};

const CALLS: usize = 8;
/// Enough that one of them is always at work, wherever the others are put.
const FLOODS: u8 = 4;
/// A flood that starves the timers would do so for ever; one that does not leaves them late at most.
const LIMIT: Duration = Duration::from_secs(20);

/// Calls that nobody answers are given up after `fr_timer`, 3 s, while a socket is never empty.
#[test]
fn calls_are_given_up_while_a_flood_goes_on() {
    let Some(mut s) = Scene::start_plain(Program::Tandem) else {
        return;
    };
    let caller = s.agent("caller", 10, Transport::Udp);
    let silent = s.agent("bob", 20, Transport::Udp);
    let target = s.uri(silent);
    for n in 0..CALLS {
        let leg = Leg::caller(s.at(caller), &format!("flood-{n}@test"), &target);
        let invite = leg.invite(s.at(caller));
        s.at(caller).send(&invite);
    }
    for _ in 0..CALLS {
        s.expect(silent, "INVITE");
    }
    let unknown = s.server_uri("nobody");
    let ping = standalone(s.at(caller), "OPTIONS", &unknown, "flood@test").to_string();
    let to = s.lab.server();
    let over = AtomicBool::new(false);
    let given_up = thread::scope(|scope| {
        for n in 0..FLOODS {
            let from = (s.lab.host(30 + n), 5060).into();
            let (ping, over) = (&ping, &over);
            scope.spawn(move || flood(ping, from, to, over));
        }
        let given_up = count_timeouts(&mut s, caller);
        over.store(true, Ordering::Relaxed);
        given_up
    });
    assert_eq!(given_up, CALLS, "calls that were given up");
}

/// Sends without pause until it is over.
fn flood(text: &str, from: SocketAddr, to: SocketAddr, over: &AtomicBool) {
    let socket = UdpSocket::bind(from).expect("the address is free");
    while !over.load(Ordering::Relaxed) {
        let _ = socket.send_to(text.as_bytes(), to);
    }
}

/// How many of the calls get a 408 in time.
fn count_timeouts(s: &mut Scene, caller: Who) -> usize {
    let end = Instant::now() + LIMIT;
    let mut calls = HashSet::new();
    while calls.len() < CALLS && Instant::now() < end {
        let left = end.saturating_duration_since(Instant::now());
        match s.at(caller).receive(left) {
            Some(reply) if reply.status() == Some(408) => {
                calls.insert(reply.header("Call-ID").to_owned());
            }
            _ => {}
        }
    }
    calls.len()
}
