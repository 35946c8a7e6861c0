//! What is special about scripts in Lua.

use std::thread;
use std::time::{Duration, Instant};

use super::steps::{answer, await_gone, established, hang_up, ringing_between};
use crate::support::Scene;
use crate::support::agent::{PATIENCE, Transport};
use crate::support::call::standalone;

/// What the functions of KSR return, and what they do to a message.
pub fn functions(s: &mut Scene) {
    let alice = s.agent("alice", 10, Transport::Udp);
    let target = s.server_uri("api");
    let mut request = standalone(s.at(alice), "OPTIONS", &target, "api@test");
    for (name, value) in [
        ("X-Test", "one"),
        ("X-Test", "two"),
        ("User-Agent", "tables"),
    ] {
        request.headers.push((name.to_owned(), value.to_owned()));
    }
    s.send(alice, &request);
    s.expect(alice, "200 OPTIONS");
    s.script_lines();
}

/// The example that the documentation prints: it is told of the beginning and of the end of a call. Kamailio 5.6 tells it
/// of other changes, too, as `unknown`.
pub fn event_callback(s: &mut Scene) {
    let mut call = established(s, "printed@test");
    await_event(s, "dialog:start");
    hang_up(s, &mut call);
    await_event(s, "dialog:end");
    await_gone(s);
    let mut second = ringing_between(s, call.alice, call.bob, "expired@test");
    answer(s, &mut second);
    await_event(s, "dialog:timeout");
    await_gone(s);
    s.forget();
}

fn await_event(s: &mut Scene, event: &str) {
    let line = format!("===== dialog module triggered event: {event}");
    let end = Instant::now() + PATIENCE;
    while !s.server.log().lines().any(|found| found.ends_with(&line)) {
        if Instant::now() > end {
            s.fail(&format!("the script never writes {line:?}"));
        }
        thread::sleep(Duration::from_millis(10));
    }
}
