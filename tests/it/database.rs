//! Calls in a database: they survive a process that is killed, and go from Kamailio to Tandem and back.

use std::fs;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::agent::Transport;
use crate::support::call::standalone;
use crate::support::database::{Call, SQLITE, kamailio_knows, kept, scene};
use crate::support::lab::Lab;
use crate::support::process::run;
use crate::support::servers::{DbServer, Kind};
use crate::support::{Program, Scene, peers};

#[test]
fn a_call_survives_a_kill() {
    let Some((mut s, text)) = scene(Program::Tandem, SQLITE) else {
        return;
    };
    let mut call = Call::begin(&mut s, "killed@test");
    let before = kept(&mut s);
    assert_eq!(before["state"], 4);
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(kept(&mut s), before);
    let size = s.ask("dlg.profile_get_size", &json!(["caller", "alice"]));
    assert_eq!(size, 1);
    call.reinvite(&mut s);
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(s.ask("dlg.list", &json!([]))[0]["caller"]["cseq"], "11");
    call.end(&mut s);
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(s.ask("dlg.list", &json!([])), json!([]));
}

/// With no setup at all calls are in a file.
#[test]
fn the_built_in_configuration_keeps_calls() {
    let Some(tandem) = peers::tandem() else {
        return;
    };
    let mut print = Command::new(tandem);
    let (_, text) = run(print.arg("--print-default-config"), Duration::from_secs(5));
    let text = text.replacen("fork=no", "fork=no\nlisten=udp:%IP%:5060", 1);
    let Some(mut s) = Scene::start_text(Program::Tandem, &text) else {
        return;
    };
    let alice = s.agent("alice", 10, Transport::Udp);
    let bob = s.agent("bob", 20, Transport::Udp);
    let server = s.server_uri("bob");
    let mut register = standalone(s.at(bob), "REGISTER", &server, "register@test");
    for (name, value) in &mut register.headers {
        if name == "To" {
            *value = format!("<{server}>");
        }
    }
    s.send(bob, &register);
    s.expect(bob, "200 REGISTER");
    let mut call = Call::begin_to(&mut s, "default@test", &server, (alice, bob));
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(s.ask("dlg.list", &json!([]))[0]["call-id"], "default@test");
    let bye = call.callee.request(s.at(bob), "BYE");
    s.send(bob, &bye);
    let received = s.expect(alice, "BYE");
    s.reply(alice, &received, 200, "OK", "unused");
    s.expect(bob, "200 BYE");
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(s.ask("dlg.list", &json!([])), json!([]));
}

/// From one program to the other with a call in progress, which goes on and ends there.
fn pass(from: Program, to: Program, url: &str) {
    if from.path().is_none() || to.path().is_none() || !kamailio_knows(url) {
        return;
    }
    let Some((mut s, text)) = scene(from, url) else {
        return;
    };
    let mut call = Call::begin(&mut s, "passed@test");
    call.reinvite(&mut s);
    let mut before = kept(&mut s);
    s.replace(Signal::SIGTERM, to, &text);
    let mut after = kept(&mut s);
    // Each counts the lifetime's end in ticks of its own.
    let end = |call: &mut Value| call["timeout"].take().as_i64().unwrap_or(0);
    let (first, second) = (end(&mut before), end(&mut after));
    assert!((first - second).abs() <= 1, "{first} {second}");
    assert_eq!(after, before);
    call.reinvite(&mut s);
    call.end(&mut s);
    s.replace(Signal::SIGTERM, from, &text);
    assert_eq!(s.ask("dlg.list", &json!([])), json!([]));
}

#[test]
fn calls_go_from_kamailio_to_tandem() {
    pass(Program::Kamailio, Program::Tandem, SQLITE);
}

#[test]
fn calls_go_from_tandem_to_kamailio() {
    pass(Program::Tandem, Program::Kamailio, SQLITE);
}

/// Kamailio's own tools make the same tables as Tandem.
#[test]
fn tables_are_those_of_kamailio() {
    let scripts = ["standard-create.sql", "dialog-create.sql"];
    let scripts = scripts.map(|name| format!("/usr/share/kamailio/db_sqlite/{name}"));
    let (Some(sqlite), Some((mut s, _))) =
        (peers::require("sqlite3"), scene(Program::Tandem, SQLITE))
    else {
        return;
    };
    // Whoever answers has made them.
    s.ask("dlg.list", &json!([]));
    let describe = |name: &str, script: &str| {
        let path = s.lab.directory().join(name);
        let sql = format!(
            "{script} SELECT m.name, p.* FROM sqlite_master m JOIN pragma_table_info(m.name) p \
             WHERE m.type = 'table' ORDER BY 1, 2; SELECT table_name, table_version FROM version ORDER BY 1; \
             SELECT m.name, p.name FROM sqlite_master m JOIN pragma_index_info(m.name) p WHERE m.type = 'index' \
             AND m.sql IS NOT NULL ORDER BY 1, 2;"
        );
        let out = Command::new(&sqlite)
            .arg(path)
            .arg(sql)
            .output()
            .expect("sqlite3 runs");
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let Ok(script) = scripts
        .iter()
        .map(fs::read_to_string)
        .collect::<Result<String, _>>()
    else {
        peers::skip(
            "TANDEM_TEST_PEERS",
            "Kamailio's tables for SQLite are not installed",
        );
        return;
    };
    // Its index of versions is part of the table; ours is beside it.
    let ours: String = describe("calls.db", "")
        .lines()
        .filter(|line| !line.starts_with("version_table_name_idx"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(ours, describe("kamailio.db", &script));
}

/// Everything that is done with SQLite, with a server: it has one database, which each part finds empty.
fn with_server(kind: Kind) {
    let lab = Lab::new(5060);
    let Some(server) = DbServer::start(kind, &lab) else {
        return;
    };
    let url = server.url();
    pass(Program::Kamailio, Program::Tandem, &url);
    pass(Program::Tandem, Program::Kamailio, &url);
}

#[test]
fn calls_live_in_mysql() {
    with_server(Kind::MySql);
}

#[test]
fn calls_live_in_postgres() {
    with_server(Kind::Postgres);
}

/// The database goes away and comes back: calls go on, and all is saved in the end.
fn come_and_go(kind: Kind) {
    let lab = Lab::new(5060);
    let Some(mut server) = DbServer::start(kind, &lab) else {
        return;
    };
    let Some((mut s, text)) = scene(Program::Tandem, &server.url()) else {
        return;
    };
    let mut before = Call::begin(&mut s, "before@test");
    server.stop();
    // The first message waits as long as one may; then nobody waits any more.
    before.reinvite(&mut s);
    let statistic = |s: &mut Scene, name: &str| {
        let answer = s.ask("stats.fetchn", &json!(["dialog_db:"]));
        answer[format!("dialog_db.{name}")].as_i64().unwrap_or(-1)
    };
    assert_eq!(
        (statistic(&mut s, "away"), statistic(&mut s, "waiting")),
        (1, 1)
    );
    before.end(&mut s);
    let call = Call::begin_between(&mut s, "while-away@test", (before.alice, before.bob));
    let kept_before = kept(&mut s);
    assert!(
        s.server.log().contains("does not save"),
        "{}",
        s.server.log()
    );
    assert!(!s.server.log().contains("secret"), "a password in the log");
    server.resume();
    s.until(
        "all is saved",
        "stats.fetchn",
        json!(["dialog_db:"]),
        |answer| answer["dialog_db.waiting"] == 0,
    );
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(kept(&mut s), kept_before);
    let mut call = call;
    call.end(&mut s);
}

#[test]
fn mysql_may_come_and_go() {
    come_and_go(Kind::MySql);
}

#[test]
fn postgres_may_come_and_go() {
    come_and_go(Kind::Postgres);
}
