//! Calls in a database: they survive a process that is killed, and go from Kamailio to Tandem and back.

use std::fs;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::agent::Transport;
use crate::support::call::{Leg, standalone};
use crate::support::database::{Call, SQLITE, kamailio_knows, kept, scene};
use crate::support::lab::Lab;
use crate::support::process::run;
use crate::support::scene::Who;
use crate::support::servers::{DbServer, Kind};
use crate::support::sql::Client;
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

/// A call that bob and carol answered, both.
struct Forked {
    people: [Who; 3],
    /// The caller's side of the dialogs with bob and with carol.
    legs: [Leg; 2],
}

impl Forked {
    fn begin(s: &mut Scene) -> Self {
        let alice = s.agent("alice", 10, Transport::Udp);
        let bob = s.agent("bob", 20, Transport::Udp);
        let carol = s.agent("carol", 30, Transport::Udp);
        let target = s.server_uri("fork");
        let caller = Leg::caller(s.at(alice), "forked@test", &target);
        let invite = caller.invite(s.at(alice));
        s.send(alice, &invite);
        s.expect(alice, "100 INVITE");
        let at_bob = s.expect(bob, "INVITE");
        let at_carol = s.expect(carol, "INVITE");
        let mut legs = [caller.clone(), caller];
        s.reply(bob, &at_bob, 200, "OK", "bob-tag");
        legs[0].learn(&s.expect(alice, "200 INVITE"));
        // Carol answers before she hears that bob has.
        s.reply(carol, &at_carol, 200, "OK", "carol-tag");
        legs[1].learn(&s.expect(alice, "200 INVITE"));
        for (leg, callee) in legs.iter().zip([bob, carol]) {
            let ack = leg.ack(s.at(alice));
            s.send(alice, &ack);
            s.expect(callee, "ACK");
        }
        Self {
            people: [alice, bob, carol],
            legs,
        }
    }
}

/// The further dialogs of the one call.
fn forks(s: &mut Scene) -> Value {
    s.ask("dlg.list_ctx", &json!([]))[0]["context"]["forks"].take()
}

#[test]
fn both_dialogs_of_a_forked_call_survive() {
    let Some((mut s, text)) = scene(Program::Tandem, SQLITE) else {
        return;
    };
    let Forked { people, mut legs } = Forked::begin(&mut s);
    let [alice, bob, carol] = people;
    let before = (kept(&mut s), forks(&mut s));
    assert_eq!(before.1[0]["callee"]["tag"], "carol-tag");
    assert_eq!(before.1[0]["state"], "confirmed");
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!((kept(&mut s), forks(&mut s)), before);
    // One of them ends, and the call goes on in the other.
    let bye = legs[1].request(s.at(alice), "BYE");
    s.send(alice, &bye);
    let received = s.expect(carol, "BYE");
    s.reply(carol, &received, 200, "OK", "unused");
    s.expect(alice, "200 BYE");
    s.await_line("within BYE known state=4");
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(forks(&mut s), json!([]));
    let bye = legs[0].request(s.at(alice), "BYE");
    s.send(alice, &bye);
    let received = s.expect(bob, "BYE");
    s.reply(bob, &received, 200, "OK", "unused");
    s.expect(alice, "200 BYE");
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(s.ask("dlg.list", &json!([])), json!([]));
}

/// Kamailio takes the row of a forked call, and leaves in it what it does not know.
#[test]
fn kamailio_reads_over_further_dialogs() {
    if Program::Kamailio.path().is_none() || !kamailio_knows(SQLITE) {
        return;
    }
    let Some((mut s, text)) = scene(Program::Tandem, SQLITE) else {
        return;
    };
    let Some(client) = Client::sqlite(&s.lab.directory().join("calls.db")) else {
        return;
    };
    let mut forked = Forked::begin(&mut s);
    let mut before = kept(&mut s);
    let further = forks(&mut s);
    s.replace(Signal::SIGTERM, Program::Kamailio, &text);
    let told = client.ask("SELECT xdata FROM dialog");
    assert!(told.contains("carol-tag"), "{told}");
    let mut after = kept(&mut s);
    for call in [&mut before, &mut after] {
        // Each counts the lifetime's end in ticks of its own.
        call["timeout"] = json!(0);
    }
    assert_eq!(after, before);
    assert!(!s.server.log().contains("ERROR"), "{}", s.server.log());
    let [alice, bob, _] = forked.people;
    let info = forked.legs[0].request(s.at(alice), "INFO");
    s.send(alice, &info);
    let received = s.expect(bob, "INFO");
    s.reply(bob, &received, 200, "OK", "unused");
    s.expect(alice, "200 INFO");
    s.replace(Signal::SIGTERM, Program::Tandem, &text);
    assert_eq!(forks(&mut s), further);
    assert_eq!(kept(&mut s)["caller"]["cseq"], "11");
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
