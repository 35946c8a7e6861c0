//! What happens to databases while calls go on: a full disk, a lost permission, a lock, a network that stands still, a
//! server that another one takes the place of. Calls go on, and in the end all is saved, nothing lost or doubled.

mod disks;
mod failover;
mod locks;
mod rows;
mod slow;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::agent::Transport;
use crate::support::database::{Call, all_kept};
use crate::support::scene::Who;
use crate::support::sql::Client;
use crate::support::{Program, Scene};

/// Longer than any limit of ours.
const LIMIT: Duration = Duration::from_secs(60);
/// Calls that may be made until a full disk is noticed.
const CALLS_MAX: usize = 60;

/// A server with calls that go on whatever happens to its database.
struct Outage {
    s: Scene,
    text: String,
    client: Client,
    people: (Who, Who),
    up: BTreeMap<String, Call>,
}

impl Outage {
    fn new((mut s, text): (Scene, String), client: Client) -> Self {
        let alice = s.agent("alice", 10, Transport::Udp);
        let bob = s.agent("bob", 20, Transport::Udp);
        let up = BTreeMap::new();
        let people = (alice, bob);
        Self {
            s,
            text,
            client,
            people,
            up,
        }
    }

    fn begin(&mut self, name: &str) {
        let call_id = format!("{name}@test");
        let call = Call::begin_between(&mut self.s, &call_id, self.people);
        self.up.insert(call_id, call);
    }

    fn renew(&mut self, name: &str) {
        let call = self.up.get_mut(&format!("{name}@test"));
        call.expect("it is up").renew(&mut self.s);
    }

    fn end(&mut self, name: &str) {
        let call = self.up.remove(&format!("{name}@test"));
        call.expect("it is up").hang_up(&mut self.s);
    }

    /// A figure of a statistic.
    fn figure(&mut self, group: &str, name: &str) -> i64 {
        let answer = self.s.ask("stats.fetchn", &json!([format!("{group}:")]));
        answer[format!("{group}.{name}")].as_i64().unwrap_or(-1)
    }

    /// Waits for a figure of `dialog_db`.
    fn await_figure(&mut self, name: &str, value: i64) {
        let end = Instant::now() + LIMIT;
        while self.figure("dialog_db", name) != value {
            if Instant::now() > end {
                self.s.fail(&format!("dialog_db.{name} is never {value}"));
            }
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until so many commits have failed.
    fn await_failures(&mut self, count: i64) {
        let end = Instant::now() + LIMIT;
        while self.figure("dialog_db", "failed") < count {
            assert!(Instant::now() < end, "{}", self.s.server.log());
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until a question has this answer.
    fn await_count(&self, sql: &str, count: usize) {
        let end = Instant::now() + LIMIT;
        while self.client.count(sql) != count {
            assert!(Instant::now() < end, "never {count}: {sql}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Two calls that the database knows.
    fn before(&mut self) {
        self.begin("stays");
        self.begin("ends");
        self.await_figure("waiting", 0);
    }

    /// Calls begin, change and end, and the database does not hear of it.
    fn meanwhile(&mut self) {
        self.renew("stays");
        self.end("ends");
        self.begin("begins");
        self.begin("brief");
        self.end("brief");
        self.await_figure("away", 1);
        self.renew("begins");
        assert!(self.figure("dialog_db", "waiting") > 0);
    }

    /// Calls that begin until the database does not save any more.
    fn until_away(&mut self) {
        for number in 0..CALLS_MAX {
            if self.figure("dialog_db", "away") == 1 {
                return;
            }
            self.begin(&format!("more-{number}"));
        }
        self.s.fail("the database takes everything");
    }

    /// All is saved: a server that is killed knows the same when it is back, and the rows are those of the calls that
    /// are up.
    fn after(&mut self) {
        self.await_figure("away", 0);
        self.await_figure("waiting", 0);
        self.compare();
        for (_, mut call) in std::mem::take(&mut self.up) {
            call.hang_up(&mut self.s);
        }
        let empty = |list: &Value| list.as_array().is_some_and(Vec::is_empty);
        self.s
            .until("no call is left", "dlg.list", json!([]), empty);
        self.await_figure("waiting", 0);
        assert_eq!(self.rows(), (0, 0));
    }

    fn compare(&mut self) {
        let before = all_kept(&mut self.s);
        assert!(before.keys().eq(self.up.keys()), "{before:?}");
        assert_eq!(self.rows(), (self.up.len(), 2 * self.up.len()));
        self.s.replace(Signal::SIGKILL, Program::Tandem, &self.text);
        assert_eq!(all_kept(&mut self.s), before);
    }

    /// How many there are of calls and of variables.
    fn rows(&self) -> (usize, usize) {
        let count = |table| self.client.count(&format!("SELECT COUNT(*) FROM {table}"));
        (count("dialog"), count("dialog_vars"))
    }
}
