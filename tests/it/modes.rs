//! What the parameters of the database say, with each kind of server: when calls are saved, and how they are read.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::agent::{PATIENCE, Transport};
use crate::support::database::{Call, all_kept, configuration, kept, scene_with};
use crate::support::lab::Lab;

use crate::support::Program;
use crate::support::servers::{DbServer, Kind};
use crate::support::sql::Client;

fn rows(client: &Client) -> usize {
    client.count("SELECT COUNT(*) FROM dialog")
}

fn await_rows(client: &Client, count: usize) {
    let end = Instant::now() + PATIENCE;
    while rows(client) != count {
        assert!(Instant::now() < end, "never {count} rows");
        thread::sleep(Duration::from_millis(20));
    }
}

fn mode(mode: u32, more: &str) -> String {
    // The last one counts.
    format!("modparam(\"dialog\", \"db_mode\", {mode})\n{more}")
}

/// With `db_mode` 2 calls are saved now and then, whatever becomes of the process.
fn now_and_then(server: &DbServer) {
    let client = server.client();
    let more = mode(2, "modparam(\"dialog\", \"db_update_period\", 1)\n");
    let Some((mut s, text)) = scene_with(Program::Tandem, &server.url(), &more) else {
        return;
    };
    let mut call = Call::begin(&mut s, "delayed@test");
    await_rows(&client, 1);
    let before = kept(&mut s);
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(kept(&mut s), before);
    call.end(&mut s);
    await_rows(&client, 0);
}

/// With `db_mode` 3 they are saved at the end, and rows are gone while the process is there.
fn at_the_end(server: &DbServer) {
    let client = server.client();
    let Some((mut s, text)) = scene_with(Program::Tandem, &server.url(), &mode(3, "")) else {
        return;
    };
    let mut call = Call::begin(&mut s, "shutdown@test");
    let before = kept(&mut s);
    for _ in 0..2 {
        assert_eq!(rows(&client), 0);
        s.server.process().signal(Signal::SIGTERM);
        s.server.process().wait(Duration::from_secs(10));
        assert_eq!(rows(&client), 1);
        s.replace(Signal::SIGTERM, Program::Tandem, &text);
        assert_eq!(kept(&mut s), before);
    }
    call.end(&mut s);
    s.replace(Signal::SIGTERM, Program::Tandem, &text);
    assert_eq!(s.ask("dlg.list", &json!([])), json!([]));
}

/// With `db_mode` 0 nobody asks for the database.
fn never(server: &DbServer) {
    let Some((mut s, text)) = scene_with(Program::Tandem, &server.url(), &mode(0, "")) else {
        return;
    };
    Call::begin(&mut s, "forgotten@test");
    s.replace(Signal::SIGTERM, Program::Tandem, &text);
    assert_eq!(s.ask("dlg.list", &json!([])), json!([]));
    assert_eq!(rows(&server.client()), 0);
}

/// However many rows are fetched at a time, all calls are read, each with its variables.
fn in_pieces(server: &DbServer) {
    let Some((mut s, _)) = scene_with(Program::Tandem, &server.url(), "") else {
        return;
    };
    let alice = s.agent("alice", 10, Transport::Udp);
    let bob = s.agent("bob", 20, Transport::Udp);
    let names = (0..5).map(|number| format!("piece-{number}@test"));
    let begin = |name: String| Call::begin_between(&mut s, &name, (alice, bob));
    let mut calls: Vec<Call> = names.map(begin).collect();
    let before = all_kept(&mut s);
    assert_eq!(before.len(), 5);
    for rows in [0, 1, 2, 5, 100] {
        let more = format!("modparam(\"dialog\", \"db_fetch_rows\", {rows})\n");
        let text = configuration(&server.url(), &more);
        s.replace(Signal::SIGKILL, Program::Tandem, &text);
        assert_eq!(all_kept(&mut s), before, "{rows} rows at a time");
    }
    for call in &mut calls {
        call.hang_up(&mut s);
    }
    await_rows(&server.client(), 0);
}

/// A script reads the call of another node, by its Call-ID or with all others.
fn of_others(server: &DbServer) {
    let url = server.url();
    for function in [
        "dlg_db_load_callid(\"o'ther\\\\@test\")",
        "dlg_db_load_extra()",
    ] {
        let Some((mut s, _)) = scene_with(Program::Tandem, &url, "") else {
            return;
        };
        let mut call = Call::begin(&mut s, "o'ther\\@test");
        let before = all_kept(&mut s);
        let more = "modparam(\"dialog\", \"db_skip_load\", 1)\n";
        let text = configuration(&url, more);
        let text = text.replace("route[TRACK] {", &format!("route[TRACK] {{\n\t{function};"));
        s.replace(Signal::SIGKILL, Program::Tandem, &text);
        assert!(all_kept(&mut s).is_empty(), "they were not to be read");
        let mut own = Call::begin_between(&mut s, "own@test", (call.alice, call.bob));
        let mut now = all_kept(&mut s);
        assert!(now.remove("own@test").is_some());
        assert_eq!(now, before, "{function}");
        own.hang_up(&mut s);
        call.hang_up(&mut s);
        await_rows(&server.client(), 0);
    }
}

fn with_server(kind: Kind) {
    let lab = Lab::new(5060);
    let Some(server) = DbServer::start(kind, &lab) else {
        return;
    };
    for part in [now_and_then, at_the_end, never, in_pieces, of_others] {
        part(&server);
    }
}

#[test]
fn parameters_mean_the_same_with_mysql() {
    with_server(Kind::MySql);
}

#[test]
fn parameters_mean_the_same_with_postgres() {
    with_server(Kind::Postgres);
}
