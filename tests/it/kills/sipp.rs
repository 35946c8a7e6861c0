//! The same with SIPp: hundreds of calls of some seconds each go on through a server that is killed again and again.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{kills, with_server};
use crate::support::agent::Transport;
use crate::support::database::{SQLITE, scene_with};
use crate::support::process::{await_bound, await_read};
use crate::support::servers::Kind;
use crate::support::sipp::Sipp;
use crate::support::{Program, Scene, peers};

/// Calls a second; each lasts 4 to 8 s.
const RATE: &str = "60";
/// That many are up before the server is killed.
const ENOUGH: usize = 200;
/// The server is killed within this time after that.
const MOMENT_MS: u64 = 1_500;
/// How often the server is killed where nobody says.
const KILLS: u64 = 2;
/// More calls than there can be.
const CALLS: u32 = 1_000_000;
/// Nothing is told before it is saved, and nobody is refused, however slow the machine is.
const MORE: &str = "overload_wait=0\nmodparam(\"dialog\", \"db_hold_time\", 10000)\n";

/// What SIPp's callers know, by what they wrote down; the names are Call-IDs.
#[derive(Default)]
struct Belief {
    begun: BTreeSet<String>,
    /// The 200 was seen.
    up: BTreeSet<String>,
    /// The BYE is about to be sent.
    bye: BTreeSet<String>,
    /// The BYE was answered.
    over: BTreeSet<String>,
}

impl Belief {
    fn read(path: &Path) -> Self {
        let mut belief = Self::default();
        let text = fs::read_to_string(path).unwrap_or_default();
        // A line without its end is still being written.
        let whole = text.split_inclusive('\n').filter(|l| l.ends_with('\n'));
        for line in whole {
            let Some((step, call_id)) = line.trim().split_once(' ') else {
                continue;
            };
            let set = match step {
                "begun" => &mut belief.begun,
                "up" => &mut belief.up,
                "bye" => &mut belief.bye,
                "over" => &mut belief.over,
                _ => panic!("SIPp wrote {line:?}"),
            };
            set.insert(call_id.to_owned());
        }
        belief
    }

    /// How many are up beyond doubt.
    fn up(&self) -> usize {
        self.up.difference(&self.bye).count()
    }

    /// Whether nobody can know of a call: its INVITE or its BYE was sent and not answered.
    fn is_under_way(&self, call: &String) -> bool {
        let asked = self.begun.contains(call) && !self.up.contains(call);
        asked || self.bye.contains(call) && !self.over.contains(call)
    }

    /// Compares with the calls that are there: what is up has to be, what is over must not be. Of what was under way
    /// now, or at an earlier kill, nobody can know; gives what is unclear from now on.
    fn check(&self, there: &BTreeSet<String>, unclear: &BTreeSet<String>) -> BTreeSet<String> {
        let up = self.up.difference(&self.bye);
        let must: BTreeSet<_> = up.filter(|call| !unclear.contains(*call)).collect();
        let lost: Vec<_> = must.iter().filter(|c| !there.contains(**c)).collect();
        assert!(lost.is_empty(), "of {} are lost: {lost:?}", must.len());
        let is_unclear = |call: &String| unclear.contains(call) || self.is_under_way(call);
        let more = there.iter().filter(|c| !must.contains(c));
        let (half, ghosts): (Vec<_>, Vec<_>) = more.partition(|call| is_unclear(call));
        assert!(ghosts.is_empty(), "there, and over: {ghosts:?}");
        println!(", {} calls are up, {} may be", must.len(), half.len());
        let begun = self.begun.difference(there);
        begun.filter(|call| is_unclear(call)).cloned().collect()
    }
}

/// The callers, the callees, and what the callers wrote down.
struct Phones {
    caller: Sipp,
    callee: Sipp,
    log: PathBuf,
    /// Calls that were under way when the server was killed, and that it did not know when it was back.
    unclear: BTreeSet<String>,
}

impl Phones {
    fn start(program: &Path, s: &Scene) -> Self {
        let log = s.lab.directory().join("calls.log");
        let target = format!("callee@{}:5060", s.lab.host(20));
        let start = |name: &str, host: u8, more: &[&str]| {
            // Something unexpected is no reason to give up: it is left unanswered.
            let usual = ["-timeout", "3600s", "-default_behaviors", "all,-abortunexp"];
            let often = ["-max_invite_retrans", "20", "-max_non_invite_retrans", "20"];
            let more = [&usual[..], &often, more].concat();
            Sipp::start(program, &s.lab, name, host, Transport::Udp, CALLS, &more)
        };
        let callee = start("callee_patient", 20, &[]);
        await_bound((s.lab.host(20), 5060).into(), Transport::Udp);
        let path = log.to_string_lossy();
        let more = ["-key", "target", &target, "-r", RATE, "-l", "5000"];
        let logs = ["-trace_logs", "-log_file", &path];
        let caller = start("caller_tells", 10, &[&more[..], &logs].concat());
        Self {
            caller,
            callee,
            log,
            unclear: BTreeSet::new(),
        }
    }

    fn belief(&self) -> Belief {
        Belief::read(&self.log)
    }

    fn signal(&self, signal: Signal) {
        self.caller.signal(signal);
        self.callee.signal(signal);
    }
}

/// The Call-IDs of the calls that the server has; each call once.
fn calls_of(s: &mut Scene) -> BTreeSet<String> {
    let list = s.ask("dlg.list", &json!([]));
    let calls = list.as_array().cloned().unwrap_or_default();
    let ids: BTreeSet<_> = calls
        .iter()
        .filter_map(|call| call["call-id"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(ids.len(), calls.len(), "a call is there twice");
    let places = s.ask("dlg.profile_get_size", &json!(["inbound"]));
    assert_eq!(places, ids.len(), "places in a profile");
    ids
}

fn kill_and_compare(s: &mut Scene, text: &str, phones: &mut Phones, round: u64) {
    let end = Instant::now() + Duration::from_secs(60);
    while phones.belief().up() < ENOUGH {
        assert!(Instant::now() < end, "{}", s.server.log());
        thread::sleep(Duration::from_millis(20));
    }
    let moment = RandomState::new().hash_one(round) % MOMENT_MS;
    thread::sleep(Duration::from_millis(moment));
    s.server.process().signal(Signal::SIGKILL);
    s.server.process().wait(Duration::from_secs(5));
    // What was told is read and written down; then nobody does anything while we look.
    for host in [10, 20] {
        await_read((s.lab.host(host), 5060).into());
    }
    thread::sleep(Duration::from_millis(50));
    phones.signal(Signal::SIGSTOP);
    let belief = phones.belief();
    s.replace(Signal::SIGKILL, Program::Tandem, text);
    print!("round {round}, after {moment} ms");
    phones.unclear = belief.check(&calls_of(s), &phones.unclear);
    phones.signal(Signal::SIGCONT);
}

fn kill_under_sipp(url: &str) {
    let (Some(sipp), Some((mut s, text))) = (
        peers::require("sipp"),
        scene_with(Program::Tandem, url, MORE),
    ) else {
        return;
    };
    let mut phones = Phones::start(&sipp, &s);
    for round in 1..=kills(KILLS) {
        kill_and_compare(&mut s, &text, &mut phones, round);
    }
    // No further calls; those that are there go on to their ends.
    phones.caller.signal(Signal::SIGUSR1);
    if let Err(why) = phones.caller.finish() {
        s.fail(&why);
    }
    let empty = |list: &Value| list.as_array().is_some_and(Vec::is_empty);
    s.until("no call is left", "dlg.list", json!([]), empty);
    let belief = Belief::read(&phones.log);
    let open: Vec<_> = belief.up.difference(&belief.over).collect();
    assert!(open.is_empty(), "a BYE was not answered: {open:?}");
    s.replace(Signal::SIGKILL, Program::Tandem, &text);
    assert_eq!(calls_of(&mut s), BTreeSet::new(), "what the database kept");
}

#[test]
fn sipp_loses_no_call() {
    kill_under_sipp(SQLITE);
}

#[test]
fn sipp_loses_no_call_with_mysql() {
    with_server(Kind::MySql, kill_under_sipp);
}

#[test]
fn sipp_loses_no_call_with_postgres() {
    with_server(Kind::Postgres, kill_under_sipp);
}
