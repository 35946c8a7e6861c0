//! Calls in a database: the configuration that both programs run, and one call that goes on wherever it is.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::agent::Transport;
use super::call::Leg;
use super::lab::test_file;
use super::peers;
use super::process::{Program, run};
use super::scene::{Scene, Who};

/// The module that a database needs.
pub fn driver(url: &str) -> &'static str {
    match url.split(':').next() {
        Some("mysql") => "db_mysql",
        Some("postgres") => "db_postgres",
        _ => "db_sqlite",
    }
}

/// The configuration that both programs run.
pub fn configuration(url: &str, more: &str) -> String {
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

pub const SQLITE: &str = "sqlite:///%DIR%/calls.db";

/// A scene on an empty database: its tables are made as people make them.
pub fn scene(program: Program, url: &str) -> Option<(Scene, String)> {
    scene_with(program, url, "")
}

/// The same with further lines in the configuration.
pub fn scene_with(program: Program, url: &str, more: &str) -> Option<(Scene, String)> {
    let text = configuration(url, more);
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
pub struct Call {
    pub alice: Who,
    pub bob: Who,
    pub caller: Leg,
    pub callee: Leg,
}

impl Call {
    pub fn begin(s: &mut Scene, call_id: &str) -> Self {
        let alice = s.agent("alice", 10, Transport::Udp);
        let bob = s.agent("bob", 20, Transport::Udp);
        Self::begin_between(s, call_id, (alice, bob))
    }

    pub fn begin_between(s: &mut Scene, call_id: &str, (alice, bob): (Who, Who)) -> Self {
        let target = s.uri(bob);
        Self::begin_to(s, call_id, &target, (alice, bob))
    }

    pub fn begin_to(s: &mut Scene, call_id: &str, target: &str, (alice, bob): (Who, Who)) -> Self {
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
    pub fn reinvite(&mut self, s: &mut Scene) {
        self.renew(s);
        s.await_line("within INVITE known state=4 count=1 after=of alice known_to=bob-tag");
    }

    /// A re-INVITE of the caller goes through.
    pub fn renew(&mut self, s: &mut Scene) {
        let invite = self.caller.request(s.at(self.alice), "INVITE");
        s.send(self.alice, &invite);
        s.expect(self.alice, "100 INVITE");
        let received = s.expect(self.bob, "INVITE");
        s.reply(self.bob, &received, 200, "OK", "unused");
        s.expect(self.alice, "200 INVITE");
        let ack = self.caller.ack(s.at(self.alice));
        s.send(self.alice, &ack);
        s.expect(self.bob, "ACK");
    }

    /// The callee hangs up; the server knows.
    pub fn end(&mut self, s: &mut Scene) {
        self.hang_up(s);
        s.await_line("event end BYE");
        s.until("the call is gone", "dlg.list", json!([]), |list| {
            list.as_array().is_some_and(Vec::is_empty)
        });
    }

    /// The callee hangs up.
    pub fn hang_up(&mut self, s: &mut Scene) {
        let bye = self.callee.request(s.at(self.bob), "BYE");
        s.send(self.bob, &bye);
        let received = s.expect(self.alice, "BYE");
        s.reply(self.alice, &received, 200, "OK", "unused");
        s.expect(self.bob, "200 BYE");
    }
}

/// What a database has to bring back of the one call.
pub fn kept(s: &mut Scene) -> Value {
    let mut list = s.ask("dlg.list", &json!([]));
    kept_of(&mut list[0])
}

/// The same of all calls that are not over, by their Call-IDs.
pub fn all_kept(s: &mut Scene) -> BTreeMap<String, Value> {
    let mut list = s.ask("dlg.list", &json!([]));
    let calls = list.as_array_mut().into_iter().flatten();
    let calls = calls.filter(|call| call["state"] != 5).map(|call| {
        let call_id = call["call-id"].as_str().unwrap_or_default().to_owned();
        (call_id, kept_of(call))
    });
    calls.collect()
}

fn kept_of(call: &mut Value) -> Value {
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

/// Whether Kamailio's driver for this database is installed; that it is not has been said.
pub fn kamailio_knows(url: &str) -> bool {
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
