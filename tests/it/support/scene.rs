//! One server, its agents, and the recording of everything that an observer could see of a flow.

use std::net::UdpSocket;
use std::time::{Duration, Instant};
use std::{fs, thread};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::agent::{Agent, PATIENCE, Transport};
use super::call;
use super::lab::{Lab, test_file};
use super::message::Message;
use super::normal::Normalizer;
use super::process::{Program, Server};
use super::rpc;

/// A running flow. Agents are named by the index that [`Scene::agent`] returned.
pub struct Scene {
    pub lab: Lab,
    pub server: Server,
    /// What agents speak unless a flow says otherwise.
    pub transport: Transport,
    agents: Vec<Agent>,
    normal: Normalizer,
    record: String,
    logged: usize,
}

/// An agent of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who(usize);

impl Scene {
    /// Starts a server on `tests/configs/NAME` with further `%KEY%` replacements; `None` if there is no such program.
    pub fn start(program: Program, config: &str, values: &[(&str, &str)]) -> Option<Self> {
        let mut template = fs::read_to_string(test_file("configs").join(config))
            .expect("the configuration is there");
        for (key, value) in values {
            template = template.replace(&format!("%{key}%"), value);
        }
        Self::start_text(program, &template)
    }

    /// Starts a server on `dialog.cfg` with nothing added: calls of an hour, T1 of half a second.
    pub fn start_plain(program: Program) -> Option<Self> {
        let values = [
            ("MATCH_MODE", "1"),
            ("LIFETIME", "3600"),
            ("SEND_BYE", "0"),
            ("T1", "500"),
            ("MORE", ""),
        ];
        Self::start(program, "dialog.cfg", &values)
    }

    /// Starts a server on a configuration given as text.
    pub fn start_text(program: Program, template: &str) -> Option<Self> {
        Self::start_with(program, template, |_| {})
    }

    /// The same, after something was prepared in its directory.
    pub fn start_with(
        program: Program,
        template: &str,
        prepare: impl FnOnce(&Lab),
    ) -> Option<Self> {
        let path = program.path()?;
        let lab = Lab::new(port(template));
        prepare(&lab);
        let server = Server::start(program, &path, &lab, template);
        let normal = Normalizer::new(lab.prefix());
        let scene = Self {
            lab,
            server,
            transport: Transport::Udp,
            agents: Vec::new(),
            normal,
            record: String::new(),
            logged: 0,
        };
        Some(scene)
    }

    /// Ends the server with a signal, and starts a program in its place: same addresses, same directory.
    pub fn replace(&mut self, signal: Signal, program: Program, template: &str) {
        let Some(path) = program.path() else { return };
        let process = self.server.process();
        process.signal(signal);
        process.wait(Duration::from_secs(10));
        self.server = Server::start(program, &path, &self.lab, template);
        self.logged = 0;
    }

    /// Adds an endpoint at `127.x.y.host:5060`.
    pub fn agent(&mut self, name: &str, host: u8, transport: Transport) -> Who {
        let address = (self.lab.host(host), 5060).into();
        self.agents
            .push(Agent::new(name, address, transport, self.lab.server()));
        Who(self.agents.len() - 1)
    }

    /// The agent itself.
    pub fn at(&mut self, who: Who) -> &mut Agent {
        &mut self.agents[who.0]
    }

    /// The URI of an agent.
    pub fn uri(&self, who: Who) -> String {
        self.agents[who.0].uri()
    }

    /// A URI at the server.
    pub fn server_uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.lab.server())
    }

    /// Sends, and notes in the recording that it was sent.
    pub fn send(&mut self, from: Who, message: &Message) {
        self.note(&format!(
            "{} sends {}",
            self.agents[from.0].name,
            message.kind()
        ));
        self.agents[from.0].send(message);
    }

    /// Replies to a request.
    pub fn reply(&mut self, from: Who, to: &Message, code: u16, phrase: &str, tag: &str) {
        let reply = call::reply(&self.agents[from.0], to, code, phrase, tag);
        self.send(from, &reply);
    }

    /// The next message for an agent, which has to be of this kind (`INVITE`, `180 INVITE`); it is recorded whole.
    pub fn expect(&mut self, who: Who, kind: &str) -> Message {
        let message = self.agents[who.0].receive(PATIENCE);
        self.accept(who, kind, message)
    }

    /// The next message for an agent, which leaves no trace in the recording.
    pub fn receive_unrecorded(&mut self, who: Who) -> Message {
        match self.agents[who.0].receive(PATIENCE) {
            Some(message) => message,
            None => self.fail(&format!("{} waits in vain", self.agents[who.0].name)),
        }
    }

    /// Like [`Scene::expect`], but a retransmission counts.
    pub fn expect_again(&mut self, who: Who, kind: &str) -> Message {
        let message = self.agents[who.0].receive_any(PATIENCE);
        self.accept(who, kind, message)
    }

    fn accept(&mut self, who: Who, kind: &str, message: Option<Message>) -> Message {
        let Some(message) = message else {
            self.fail(&format!(
                "{} waits for {kind} in vain",
                self.agents[who.0].name
            ));
        };
        self.record_message(who, &message);
        if message.kind() != kind {
            let name = &self.agents[who.0].name;
            self.fail(&format!(
                "{name} waits for {kind} and receives {}",
                message.kind()
            ));
        }
        message
    }

    /// Checks that nothing new arrives for an agent within `limit`.
    pub fn silence(&mut self, who: Who, limit: Duration) {
        if let Some(message) = self.agents[who.0].receive(limit) {
            self.fail(&format!(
                "{} receives what nobody asked for:\n{message}",
                self.agents[who.0].name
            ));
        }
    }

    /// Calls a management command and records the normalised answer.
    pub fn rpc(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, &params);
        let shown = if params == json!([]) {
            String::new()
        } else {
            format!(" {params}")
        };
        let text = self.normal.json(&answer);
        let shown = self.normal.text(&shown);
        self.note(&format!("{method}{shown}"));
        self.record.push_str(&text);
        self.record.push('\n');
        answer
    }

    /// Records a line of JSON, normalised.
    pub fn record_json(&mut self, line: &str) {
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(why) => self.fail(&format!("{why}: {line}")),
        };
        let text = self.normal.json(&value);
        self.record.push_str(&text);
        self.record.push('\n');
    }

    /// Calls a management command without recording it; returns `result`, or `error`.
    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let mut answer = match rpc::call(self.lab.directory(), method, params) {
            Ok(answer) => answer,
            Err(why) => self.fail(&why),
        };
        let part = if answer.get("error").is_some() {
            "error"
        } else {
            "result"
        };
        answer[part].take()
    }

    /// Records the dialog table and the statistics.
    pub fn dialogs(&mut self) -> Vec<Value> {
        let list = self.rpc("dlg.list", json!([]));
        self.rpc("stats.get_statistics", json!(["dialog:"]));
        list.as_array().cloned().unwrap_or_default()
    }

    /// Asks until the answer suits, or fails.
    pub fn until(
        &mut self,
        what: &str,
        method: &str,
        params: Value,
        suits: impl Fn(&Value) -> bool,
    ) {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask(method, &params);
            if suits(&answer) {
                return self.note(what);
            }
            if Instant::now() > end {
                self.fail(&format!("{what}: not so, {method} still says {answer}"));
            }
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Records, under a heading, the lines that the script wrote since the last call. A log may lag behind: a request
    /// that the script answers with a line of its own (as `configs/dialog.cfg` does) shows where to stop.
    pub fn script_lines(&mut self) {
        self.note("script log");
        let marker = format!("mark-{}", self.logged);
        let request = format!(
            "OPTIONS sip:{marker}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-{marker}\r\n\
             From: <sip:mark@test.example>;tag=1\r\nTo: <sip:mark@test.example>\r\nCall-ID: {marker}\r\n\
             CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            server = self.lab.server(),
            here = self.lab.host(250),
        );
        let socket =
            UdpSocket::bind((self.lab.host(250), 0)).expect("the lab's addresses are free");
        socket
            .send_to(request.as_bytes(), self.lab.server())
            .expect("loopback takes a datagram");
        self.record_lines_until(&marker);
    }

    /// Records the lines that the script wrote since the last call.
    pub fn record_script_lines(&mut self) {
        let lines = script_output(&self.server.log());
        let new = &lines[self.logged.min(lines.len())..];
        self.record_lines(new);
        self.logged = lines.len();
    }

    fn record_lines(&mut self, lines: &[String]) {
        for line in lines {
            let line = self.normal.text(line);
            self.record.push_str(&line);
            self.record.push('\n');
        }
    }

    /// Waits for the line `marker`, and records what the script wrote before it since the last call.
    pub fn record_lines_until(&mut self, marker: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let lines = script_output(&self.server.log());
            let new = &lines[self.logged.min(lines.len())..];
            if let Some(at) = new.iter().position(|line| line == marker) {
                self.record_lines(&new[..at]);
                self.logged += at + 1;
                return;
            }
            if Instant::now() > end {
                self.fail(&format!("the script never writes {marker:?}"));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Records a message whole.
    pub fn record_message(&mut self, who: Who, message: &Message) {
        let heading = format!("{} receives {}", self.agents[who.0].name, message.kind());
        self.note(&heading);
        self.record(&message.to_string());
    }

    /// Waits for a line of the script that contains `text`.
    pub fn await_line(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !script_output(&self.server.log())[self.logged..]
            .iter()
            .any(|l| l.contains(text))
        {
            if Instant::now() > end {
                self.fail(&format!("the script never writes {text:?}"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Adds a heading to the recording.
    pub fn note(&mut self, text: &str) {
        self.record.push_str("--- ");
        self.record.push_str(text);
        self.record.push('\n');
    }

    /// Begins a part of the recording that has nothing to do with what came before.
    pub fn chapter(&mut self, title: &str) {
        self.normal.reset();
        self.note(title);
    }

    /// Throws away what was recorded so far.
    pub fn forget(&mut self) {
        self.record.clear();
    }

    /// Records what a management client printed.
    pub fn record_fields(&mut self, text: &str) {
        let text = self.normal.fields(text);
        self.record(&text);
    }

    /// Adds text to the recording as it is, normalised.
    pub fn record(&mut self, text: &str) {
        let text = self.normal.text(text);
        self.record.push_str(text.trim_end());
        self.record.push('\n');
    }

    /// Ends the flow: nothing may be left over for anybody. Returns the recording.
    pub fn finish(mut self) -> String {
        for index in 0..self.agents.len() {
            self.silence(Who(index), Duration::from_millis(20));
        }
        self.record
    }

    /// Fails the test with all that is known.
    pub fn fail(&self, why: &str) -> ! {
        panic!(
            "{why}\n=== so far\n{}\n=== server log\n{}",
            self.record,
            self.server.log()
        );
    }
}

/// What xlog wrote, line by line, without process, level and prefix.
pub fn script_output(log: &str) -> Vec<String> {
    log.lines()
        .filter_map(|line| line.split_once("<script>: "))
        .map(|(_, text)| text.to_owned())
        .collect()
}

/// The port of a configuration's first UDP socket.
fn port(template: &str) -> u16 {
    let digits = template
        .split_once("listen=udp:%IP%:")
        .map_or("", |(_, rest)| rest);
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().unwrap_or(5060)
}
