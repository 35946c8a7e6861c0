//! Prints what a confirmed call with two profiles and one variable costs: resident memory, CPU time to
//! make it, and CPU time to list it.
//!
//! `cargo run --release -p tandem-dialog --example memory -- 500000`.

use std::error::Error;
use std::fs;

use tandem_dialog::{Direction, Invite, Method, Now, Reply, Request, Settings, Tracker};

fn main() -> Result<(), Box<dyn Error>> {
    let calls: u32 = std::env::args().nth(1).map_or(Ok(200_000), |n| n.parse())?;
    let mut settings = Settings {
        hash_size: 65_536,
        ..Settings::default()
    };
    settings.declare_profiles("caller", true);
    settings.declare_profiles("inbound", false);
    let now = Now::from_unix_millis(1_700_000_000_000);
    let before = resident_bytes()?;
    let tracker = Tracker::new(settings, now)?;
    let started = cpu_nanos()?;
    for call in 0..calls {
        make(&tracker, call, now)?;
    }
    let made = cpu_nanos()? - started;
    let used = resident_bytes()?.saturating_sub(before);
    let calls = u64::from(calls);
    println!(
        "{calls} calls: {} bytes and {} ns each",
        used / calls,
        made / calls
    );
    let started = cpu_nanos()?;
    let first = tracker.page(None, 100, now).len();
    let first_page = cpu_nanos()? - started;
    let listed = tracker.iter(now).count();
    let all = cpu_nanos()? - started;
    println!(
        "listing {first}: {} µs; all {listed}: {} ms",
        first_page / 1000,
        all / 1_000_000
    );
    Ok(())
}

/// 275 bytes of text, as in a call between two phones behind another proxy.
fn make(tracker: &Tracker, call: u32, now: Now) -> Result<(), Box<dyn Error>> {
    let call_id = format!("{call:08x}-7dec-11d0-a765@192.0.2.10");
    let user = format!("caller-{}", call % 50_000);
    let id = tracker
        .create(
            &Invite {
                call_id: call_id.as_bytes(),
                from_tag: b"9fxced76sl",
                from_uri: b"sip:alice@example.org",
                to_uri: b"sip:bob@example.org",
                req_uri: b"sip:bob@example.org",
                cseq: 10,
                contact: b"sip:alice@192.0.2.10:5060;ob",
                record_routes: &[b"<sip:192.0.2.1;lr;ftag=9fxced76sl>"],
                socket: b"udp:192.0.2.2:5060",
                ..Invite::default()
            },
            now,
        )?
        .id();
    let profile = |name| tracker.profile(name).ok_or("no such profile");
    tracker.set_profile(id, profile("caller")?, Some(user.as_bytes()))?;
    tracker.set_profile(id, profile("inbound")?, None)?;
    tracker.set_variable(id, b"account", user.as_bytes())?;
    let ringing = Reply {
        status: 180,
        to_tag: b"314159",
        contact: b"sip:bob@192.0.2.20:5060",
        socket: b"udp:192.0.2.2:5060",
        ..Reply::default()
    };
    tracker.reply(id, &ringing, now);
    tracker.reply(
        id,
        &Reply {
            status: 200,
            ..ringing
        },
        now,
    );
    let ack = Request {
        direction: Direction::Downstream,
        method: Method::Ack,
        callee_tag: b"314159",
        cseq: 10,
        contact: b"",
        socket: b"",
        lifetime: None,
        message: None,
    };
    tracker.request(id, &ack, now);
    Ok(())
}

fn resident_bytes() -> Result<u64, Box<dyn Error>> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split(' ').nth(1).ok_or("odd statm")?.parse()?;
    Ok(pages * 4096)
}

/// Nanoseconds that this thread has run: unlike a clock, not disturbed by other programs.
fn cpu_nanos() -> Result<u64, Box<dyn Error>> {
    let schedstat = fs::read_to_string("/proc/self/schedstat")?;
    Ok(schedstat
        .split(' ')
        .next()
        .ok_or("odd schedstat")?
        .parse()?)
}
