//! One simulated run: calls through the proxy over a network that loses, repeats, delays and reorders.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use sip::Message;

use crate::agent::{Agent, Note, Wish};
use crate::check;
use crate::crash::Told;
use crate::disk::Disk;
use crate::proxy::{self, Proxy};
use crate::queue::Queue;
use crate::random::Random;
use crate::temper::Script;

/// How often the workers look at their timers: often while calls begin, seldom while they fade out.
const TICK_MS: u64 = 200;
const LATE_TICK_MS: u64 = 1_000;
/// What a tick finds due is started less than this much later.
const MOST_PAUSE_MS: u64 = 5;
/// New calls begin before this.
const CALLS_UNTIL_MS: u64 = 20_000;
/// How often, in runs with a crash, it comes right after a call's beginning or end was told.
const CRASH_PERCENT: u32 = 15;
/// By now every deadline has passed.
const END_MS: u64 = 480_000;

/// How bad the network is, in percent.
#[derive(Clone, Copy, Debug)]
struct Weather {
    loss: u32,
    duplication: u32,
    delay_max: u64,
}

impl Weather {
    /// Whether what was sent first arrives first, and everything does.
    const fn keeps_order(self) -> bool {
        self.loss == 0 && self.delay_max == 1
    }
}

/// A phone is known by its address and the call that it takes part in.
type Key = (SocketAddr, String);

enum Happening {
    Arrival {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    Wake(Key, Note),
    Call(u32),
    Check,
    Command,
    Tick,
    /// What the last tick found due is started.
    Due,
    /// What changed is saved.
    Save,
    Crash,
}

/// Everything that there is in one run.
pub(crate) struct World {
    random: Random,
    weather: Weather,
    proxy: Proxy,
    agents: BTreeMap<Key, Agent>,
    queue: Queue<Happening>,
    verbose: bool,
    trace: u64,
    messages: u64,
    seed: u64,
    /// The calls that an operator made the proxy forget.
    forgotten: BTreeSet<String>,
    /// In runs that end by a crash.
    crash: Option<(Disk, Told)>,
}

/// What one run came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// A fingerprint of everything that was sent, in order.
    pub(crate) trace: u64,
    /// Datagrams delivered.
    pub(crate) messages: u64,
    /// Calls made.
    pub(crate) calls: usize,
}

/// Runs one seed.
///
/// # Errors
/// What was not as it must be.
pub(crate) fn run(seed: u64, verbose: bool) -> Result<Summary, String> {
    begin(seed, verbose, None).play()
}

/// Runs one seed until the proxy crashes, and looks at the one that takes its place. The summary's calls are those
/// that it knows.
///
/// # Errors
/// What was not as it must be.
pub(crate) fn run_until_crash(seed: u64, verbose: bool) -> Result<Summary, String> {
    let mut world = begin(seed, verbose, Some(Disk::default()));
    let crash_at = world.random.between(500, 2 * CALLS_UNTIL_MS);
    world.queue.put(crash_at, Happening::Crash);
    world.queue.put(1, Happening::Save);
    world.play()
}

fn begin(seed: u64, verbose: bool, disk: Option<Disk>) -> World {
    let mut random = Random::new(seed);
    let weather = Weather {
        loss: *random.pick(&[0, 0, 2, 8, 15]),
        duplication: *random.pick(&[0, 3, 20]),
        delay_max: *random.pick(&[1, 5, 50, 900]),
    };
    let mut world = World {
        random,
        weather,
        proxy: Proxy::start(seed, 0, disk.as_ref()),
        agents: BTreeMap::new(),
        queue: Queue::new(),
        verbose,
        trace: 0xcbf2_9ce4_8422_2325,
        messages: 0,
        seed,
        forgotten: BTreeSet::new(),
        crash: disk.map(|disk| (disk, Told::default())),
    };
    if verbose {
        println!("seed {seed}: {weather:?}");
    }
    world.plan();
    world
}

impl World {
    fn plan(&mut self) {
        let calls = self.random.between(1, 12) as u32;
        for number in 0..calls {
            let at = self.random.between(0, CALLS_UNTIL_MS);
            self.queue.put(at, Happening::Call(number));
        }
        for _ in 0..4 {
            let at = self.random.between(0, 60_000);
            self.queue.put(at, Happening::Check);
        }
        for _ in 0..self.random.between(0, 5) {
            let at = self.random.between(0, 60_000);
            self.queue.put(at, Happening::Command);
        }
        self.queue.put(TICK_MS, Happening::Tick);
    }

    fn play(&mut self) -> Result<Summary, String> {
        while let Some((at, happening)) = self.queue.next() {
            if at > END_MS {
                break;
            }
            match happening {
                Happening::Call(number) => self.begin_call(number, at),
                Happening::Arrival { from, to, bytes } => self.arrive(from, to, bytes, at),
                Happening::Wake(key, note) => self.wake(&key, note, at),
                Happening::Check => check::profiles(&self.proxy)?,
                Happening::Save => {
                    self.proxy.save(at);
                    let next = at + self.random.between(1, 60);
                    self.queue.put(next, Happening::Save);
                }
                Happening::Crash => return self.crash(at),
                Happening::Command => self.command()?,
                Happening::Due => {
                    if self.proxy.start_due(at) {
                        self.queue.put(at + 1, Happening::Due);
                    }
                }
                Happening::Tick => {
                    self.proxy.tick(at);
                    // Messages may come first.
                    let pause = self.messages % MOST_PAUSE_MS;
                    self.queue.put(at + pause, Happening::Due);
                    let tick = if at < 3 * CALLS_UNTIL_MS {
                        TICK_MS
                    } else {
                        LATE_TICK_MS
                    };
                    self.queue.put(at + tick, Happening::Tick);
                }
            }
            self.collect(at);
        }
        if self.verbose {
            for line in self.proxy.log() {
                println!("log: {line}");
            }
        }
        let callers: Vec<&Agent> = self.agents.values().collect();
        check::quiet(&self.proxy, &callers)?;
        let calls = self
            .agents
            .values()
            .filter(|agent| agent.invite_sent)
            .count();
        Ok(Summary {
            trace: self.trace,
            messages: self.messages,
            calls,
        })
    }

    /// The proxy is gone: perhaps within a commit, whose end nobody hears of.
    fn crash(&mut self, at: u64) -> Result<Summary, String> {
        let Some((disk, mut told)) = self.crash.take() else {
            return Err("a crash without a disk".to_owned());
        };
        told.note_ended(&self.proxy)?;
        if self.random.percent(30) {
            disk.break_after_commit();
            self.proxy.save(at);
        }
        let calls = told.check(self.seed, at, &disk)?;
        Ok(Summary {
            trace: self.trace,
            messages: self.messages,
            calls,
        })
    }

    /// An operator does something.
    fn command(&mut self) -> Result<(), String> {
        let number = self.random.between(0, 12);
        let (call_id, tag) = (format!("call{number}"), format!("caller{number}"));
        let user = format!("sip:user{}", self.random.between(0, 3));
        let state = self.random.between(1, 6).to_string();
        let callee = match self.random.percent(50) {
            true => format!("callee10.0.0.2-{call_id}"),
            false => String::new(),
        };
        let commands: [(&str, &[&str]); 7] = [
            ("dlg.end_match", &["furi", "sw", &user]),
            ("dlg.end_match", &["callid", "eq", &call_id]),
            ("dlg.set_state", &[&call_id, &tag, &callee, &state]),
            ("dlg.set_state", &[&call_id, &tag, &callee, "5"]),
            ("dlg.terminate_dlg", &[&call_id, &tag, &callee]),
            (
                "dlg.bridge_dlg",
                &["sip:bridged@10.0.0.2:5060", "sip:other@10.0.0.4:5060"],
            ),
            ("dlg.list_ctx", &[]),
        ];
        let (name, args) = *self.random.pick(&commands);
        if self.verbose {
            println!("command {name} {args:?}");
        }
        // A call that is not there is a fault of the operator's; what may not happen shows in the end.
        let done = self.proxy.command(name, args);
        if name == "dlg.set_state" && done.is_ok() {
            if let Some((_, told)) = &mut self.crash {
                told.note_state_set(&call_id);
            }
            if args.last() == Some(&"5") {
                self.forgotten.insert(call_id);
            }
        }
        check::profiles(&self.proxy)
    }

    fn begin_call(&mut self, number: u32, at: u64) {
        let address = SocketAddr::from(([10, 0, 1, 1], 6000 + number as u16));
        let call_id = format!("call{number}");
        let script = Script::draw(&mut self.random, true);
        let user = format!("user{}", number % 3);
        let mut agent = Agent::new(address, &call_id, &user, true, script);
        agent.set_ordered(self.weather.keeps_order());
        agent.set_tag(format!("caller{number}"));
        let callee = *self.random.pick(&["bob", "bob", "fork", "serial"]);
        let target = format!("sip:{callee}@10.0.0.2:5060");
        let mut wishes = Vec::new();
        agent.call(&target, at, &mut wishes);
        let key = (address, call_id);
        self.agents.insert(key.clone(), agent);
        self.grant(&key, wishes, at);
    }

    fn arrive(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>, at: u64) {
        self.messages += 1;
        self.tell(at, "", from, to, &bytes);
        if to == proxy::address() {
            if let Some((_, told)) = &mut self.crash {
                told.note_arrival(&bytes);
            }
            let worker = self.random.between(0, 2) as usize;
            self.proxy.receive(worker, from, bytes, at);
            return;
        }
        let Ok(message) = Message::parse(bytes) else {
            return;
        };
        let call_id = String::from_utf8_lossy(message.call_id().unwrap_or_default()).into_owned();
        let key = (to, call_id);
        if !self.agents.contains_key(&key) {
            if !message.is_request() || message.method() != sip::Method::Invite {
                return;
            }
            let script = Script::draw(&mut self.random, false);
            let mut agent = Agent::new(to, &key.1, "callee", false, script);
            agent.set_ordered(self.weather.keeps_order());
            agent.set_tag(format!("callee{}-{}", to.ip(), key.1));
            self.agents.insert(key.clone(), agent);
        }
        let mut wishes = Vec::new();
        if let Some(agent) = self.agents.get_mut(&key) {
            if self.forgotten.contains(&key.1) {
                agent.set_forgotten();
            }
            agent.receive(&message, at, &mut wishes);
        }
        self.grant(&key, wishes, at);
    }

    fn wake(&mut self, key: &Key, note: Note, at: u64) {
        let mut wishes = Vec::new();
        if let Some(agent) = self.agents.get_mut(key) {
            agent.wake(note, at, &mut wishes);
        }
        self.grant(key, wishes, at);
    }

    fn grant(&mut self, key: &Key, wishes: Vec<Wish>, at: u64) {
        for wish in wishes {
            match wish {
                Wish::Send(bytes) => {
                    let arrives = self.post(key.0, proxy::address(), bytes, at);
                    if let (true, Some(agent)) = (arrives, self.agents.get_mut(key)) {
                        agent.was_heard = true;
                    }
                }
                Wish::Wake(when, note) => {
                    self.queue.put(when, Happening::Wake(key.clone(), note));
                }
            }
        }
    }

    fn collect(&mut self, at: u64) {
        for (to, bytes) in self.proxy.sent(at) {
            if let Some((_, told)) = &mut self.crash
                && told.note(&bytes)
                && self.random.percent(CRASH_PERCENT)
            {
                self.queue.put(at, Happening::Crash);
            }
            self.post(proxy::address(), to, bytes, at);
        }
    }

    /// Gives a datagram to the network. False if that loses it.
    fn post(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>, at: u64) -> bool {
        for byte in &bytes {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
        if self.random.percent(self.weather.loss) {
            self.tell(at, "lost", from, to, &bytes);
            return false;
        }
        let copies = if self.random.percent(self.weather.duplication) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let delay = self.random.between(1, self.weather.delay_max);
            let bytes = bytes.clone();
            self.queue
                .put(at + delay, Happening::Arrival { from, to, bytes });
        }
        true
    }

    fn tell(&self, at: u64, fate: &str, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        if !self.verbose {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().next().unwrap_or_default();
        let header = |name: &str| {
            text.lines()
                .find(|line| line.starts_with(name))
                .unwrap_or_default()
                .to_owned()
        };
        println!(
            "{at:>7} ms {fate:4} {from} -> {to}  {line}  [{} {}]",
            header("Call-ID"),
            header("CSeq")
        );
    }
}
