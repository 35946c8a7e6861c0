//! Calls in a database: they survive a process that is killed, and go from Kamailio to Tandem and back.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::agent::{Agent, Transport};
use crate::support::call::{Leg, reply, standalone};
use crate::support::lab::{Lab, test_file};
use crate::support::process::run;
use crate::support::scene::{Who, script_output};
use crate::support::servers::{DbServer, Kind};
use crate::support::{Program, Scene, peers};

/// The module that a database needs.
fn driver(url: &str) -> &'static str {
    match url.split(':').next() {
        Some("mysql") => "db_mysql",
        Some("postgres") => "db_postgres",
        _ => "db_sqlite",
    }
}

/// The configuration that both programs run.
fn configuration(url: &str, more: &str) -> String {
    let driver = driver(url);
    let database = format!(
        "loadmodule \"{driver}.so\"\nmodparam(\"dialog\", \"db_url\", \"{url}\")\n\
         modparam(\"dialog\", \"db_mode\", 1)\n{more}"
    );
    let values = [
        ("MATCH_MODE", "0"),
        ("LIFETIME", "3600"),
        ("SEND_BYE", "0"),
        ("T1", "500"),
        ("MORE", &database),
    ];
    let mut text = fs::read_to_string(test_file("configs/dialog.cfg")).expect("a configuration");
    for (key, value) in values {
        text = text.replace(&format!("%{key}%"), value);
    }
    text
}

const SQLITE: &str = "sqlite:///%DIR%/calls.db";

/// A scene on an empty database: its tables are made as people make them.
fn scene(program: Program, url: &str) -> Option<(Scene, String)> {
    let text = configuration(url, "");
    let tandem = peers::tandem()?;
    let scene = Scene::start_with(program, &text, |lab| {
        let mut create = Command::new(&tandem);
        create.args(["db", "create", "--url", &lab.fill(url)]);
        let (success, said) = run(&mut create, Duration::from_secs(20));
        assert!(success, "{said}");
    });
    Some((scene?, text))
}

/// A call that is up, and its two sides.
struct Call {
    alice: Who,
    bob: Who,
    caller: Leg,
    callee: Leg,
}

impl Call {
    fn begin(s: &mut Scene, call_id: &str) -> Self {
        let alice = s.agent("alice", 10, Transport::Udp);
        let bob = s.agent("bob", 20, Transport::Udp);
        Self::begin_between(s, call_id, (alice, bob))
    }

    fn begin_between(s: &mut Scene, call_id: &str, (alice, bob): (Who, Who)) -> Self {
        let target = s.uri(bob);
        Self::begin_to(s, call_id, &target, (alice, bob))
    }

    fn begin_to(s: &mut Scene, call_id: &str, target: &str, (alice, bob): (Who, Who)) -> Self {
        let mut caller = Leg::caller(s.at(alice), call_id, target);
        let invite = caller.invite(s.at(alice));
        s.send(alice, &invite);
        s.expect(alice, "100 INVITE");
        let received = s.expect(bob, "INVITE");
        let callee = Leg::callee(&received, "bob-tag");
        s.reply(bob, &received, 200, "OK", "bob-tag");
        let ok = s.expect(alice, "200 INVITE");
        caller.learn(&ok);
        let ack = caller.ack(s.at(alice));
        s.send(alice, &ack);
        s.expect(bob, "ACK");
        Self {
            alice,
            bob,
            caller,
            callee,
        }
    }

    /// A re-INVITE of the caller goes through, known to the server.
    fn reinvite(&mut self, s: &mut Scene) {
        let invite = self.caller.request(s.at(self.alice), "INVITE");
        s.send(self.alice, &invite);
        s.expect(self.alice, "100 INVITE");
        let received = s.expect(self.bob, "INVITE");
        s.reply(self.bob, &received, 200, "OK", "unused");
        s.expect(self.alice, "200 INVITE");
        let ack = self.caller.ack(s.at(self.alice));
        s.send(self.alice, &ack);
        s.expect(self.bob, "ACK");
        s.await_line("within INVITE known state=4 count=1 after=of alice known_to=bob-tag");
    }

    /// The callee hangs up; the server knows.
    fn end(&mut self, s: &mut Scene) {
        let bye = self.callee.request(s.at(self.bob), "BYE");
        s.send(self.bob, &bye);
        let received = s.expect(self.alice, "BYE");
        s.reply(self.alice, &received, 200, "OK", "unused");
        s.expect(self.bob, "200 BYE");
        s.await_line("event end BYE");
        s.until("the call is gone", "dlg.list", json!([]), |list| {
            list.as_array().is_some_and(Vec::is_empty)
        });
    }
}

/// What a database has to bring back of the one call.
fn kept(s: &mut Scene) -> Value {
    let mut list = s.ask("dlg.list", &json!([]));
    let call = &mut list[0];
    let members = [
        "h_entry", "h_id", "call-id", "from_uri", "to_uri", "state", "start_ts", "timeout",
        "sflags", "iflags", "caller", "callee",
    ];
    let mut kept = json!({});
    for member in members {
        kept[member] = call[member].take();
    }
    // Kamailio turns the order of these round whenever it reads them.
    for member in ["profiles", "variables"] {
        let mut items: Vec<_> = call[member].as_array().cloned().unwrap_or_default();
        items.sort_by_key(ToString::to_string);
        kept[member] = json!(items);
    }
    kept
}

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

/// Whether Kamailio's driver for this database is installed; that it is not has been said.
fn kamailio_knows(url: &str) -> bool {
    let name = format!("{}.so", driver(url));
    let places = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut places = places.map(|place| place.path().join("kamailio/modules").join(&name));
    let is_there = places.any(|path| path.is_file());
    if !is_there {
        peers::skip(
            "TANDEM_TEST_PEERS",
            &format!("Kamailio's {name} is not installed"),
        );
    }
    is_there
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
fn kills() -> u64 {
    let rounds = std::env::var("TANDEM_TEST_KILLS").ok();
    rounds.and_then(|text| text.parse().ok()).unwrap_or(3)
}

#[test]
fn no_call_that_was_told_is_lost() {
    kill_under_load(SQLITE, kills());
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
    kill_under_load(&url, kills());
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

/// The same script on the same rows says the same in both programs.
#[test]
fn scripts_ask_alike() {
    let route = r#"
	sql_query("ca", "DROP TABLE IF EXISTS t");
	sql_query("ca", "CREATE TABLE t (n INTEGER, s VARCHAR(20))");
	$var(rc) = sql_query("ca", "INSERT INTO t VALUES (1, 'one')");
	xlog("L_NOTICE", "insert $var(rc)\n");
	sql_query("ca", "INSERT INTO t VALUES (2, NULL)");
	$var(rc) = sql_query("ca", "SELECT n, s FROM t ORDER BY n", "ra");
	xlog("L_NOTICE", "select $var(rc) $dbr(ra=>rows) $dbr(ra=>cols) $dbr(ra=>colname[0]) $dbr(ra=>colname[1])\n");
	$var(i) = 1;
	xlog("L_NOTICE", "$dbr(ra=>[0,0]) $dbr(ra=>[0,1]) $dbr(ra=>[$var(i),0]) $dbr(ra=>[1,1]) $dbr(ra=>[7,0])\n");
	if ($dbr(ra=>[1,1]) == $null) xlog("L_NOTICE", "null\n");
	sql_result_free("ra");
	xlog("L_NOTICE", "free $dbr(ra=>rows)\n");
	$var(rc) = sql_query("ca", "SELECT n FROM t WHERE n > 7", "rb");
	xlog("L_NOTICE", "none $var(rc) $dbr(rb=>rows)\n");
	$var(rc) = sql_query("ca", "SELECT n FROM t");
	xlog("L_NOTICE", "unwanted $var(rc)\n");
	$var(rc) = sql_query("ca", "nonsense", "rc");
	xlog("L_NOTICE", "wrong $var(rc)\n");
	$var(rc) = sql_pvquery("ca", "SELECT n, s FROM t WHERE n = 1", "$var(n), $avp(s)");
	xlog("L_NOTICE", "variables $var(rc) $var(n) $avp(s)\n");
	$var(rc) = sql_pvquery("ca", "SELECT n, s FROM t WHERE n = 7", "$var(n), $avp(s)");
	xlog("L_NOTICE", "no variables $var(rc)\n");
	$var(rc) = sql_xquery("ca", "SELECT n, s FROM t ORDER BY n", "x");
	xlog("L_NOTICE", "tree $var(rc) $xavp(x=>n) $xavp(x=>s) $xavp(x[1]=>n) $xavp(x[1]=>s)\n");
	$var(rc) = sql_xquery("ca", "SELECT n FROM t WHERE n = 7", "y");
	xlog("L_NOTICE", "no tree $var(rc)\n");
	$var(t) = "o'hara";
	xlog("L_NOTICE", "$(rU{sql.val}) $(var(i){sql.val}) $(avp(none){sql.val}) $(avp(none){sql.val.int}) $(avp(none){sql.val.str})\n");
	xlog("L_NOTICE", "end\n");
"#;
    let text = format!(
        "#!KAMAILIO\ndebug=1\nlog_stderror=yes\nchildren=1\nlisten=udp:%IP%:5060\nloadmodule \"db_sqlite.so\"\n\
         loadmodule \"sqlops.so\"\nloadmodule \"pv.so\"\nloadmodule \"sl.so\"\nloadmodule \"xlog.so\"\n\
         modparam(\"sqlops\", \"sqlcon\", \"ca=>{SQLITE}\")\n\
         request_route {{{route}\tsl_send_reply(\"200\", \"OK\");\n}}\n"
    );
    if !kamailio_knows(SQLITE) {
        return;
    }
    let mut said = Vec::new();
    for program in [Program::Kamailio, Program::Tandem] {
        let Some(tandem) = peers::tandem() else {
            return;
        };
        let scene = Scene::start_with(program, &text, |lab| {
            let mut create = Command::new(&tandem);
            create.args(["db", "create", "--url", &lab.fill(SQLITE)]);
            assert!(run(&mut create, Duration::from_secs(20)).0);
        });
        let Some(mut s) = scene else { return };
        let alice = s.agent("alice", 10, Transport::Udp);
        let target = s.server_uri("x");
        let request = standalone(s.at(alice), "OPTIONS", &target, "ask@test");
        s.send(alice, &request);
        s.expect(alice, "200 OPTIONS");
        s.await_line("end");
        said.push(script_output(&s.server.log()).join("\n"));
    }
    assert_eq!(said[1], said[0]);
}
