//! Two real phones, baresip without sound hardware: they register, call each other, hear each other, and hang up.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::lab::{Lab, test_file};
use crate::support::process::{Process, Server};
use crate::support::{Program, peers, rpc};

const PATIENCE: Duration = Duration::from_secs(15);
const CONTROL_PORT: u16 = 4444;

/// A running baresip and the connection that controls it.
struct Phone {
    _process: Process,
    control: TcpStream,
    heard: String,
    log: PathBuf,
}

impl Phone {
    fn start(program: &Path, modules: &Path, lab: &Lab, name: &str, host: u8) -> Self {
        let home = lab.directory().join(name);
        fs::create_dir_all(&home).expect("the temporary directory can be written");
        let address = lab.host(host);
        let (home_text, modules) = (home.display(), modules.display());
        let settings = format!(
            "sip_listen {address}:5060\nnet_interface {address}\n\
             audio_source aufile,{home_text}/tone.wav\naudio_player aufile,{home_text}/heard.wav\n\
             audio_alert aufile,{home_text}/alert.wav\nctrl_tcp_listen {address}:{CONTROL_PORT}\n\
             module_path {modules}\nmodule g711.so\nmodule aufile.so\n\
             module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
        );
        let account = format!(
            "<sip:{name}@{}>;regint=60;auth_pass=secret;audio_codecs=PCMU;answermode=auto\n",
            lab.server().ip()
        );
        for (file, text) in [
            ("config", settings.as_str()),
            ("accounts", &account),
            ("contacts", ""),
        ] {
            fs::write(home.join(file), text).expect("the temporary directory can be written");
        }
        fs::write(home.join("tone.wav"), tone()).expect("the temporary directory can be written");
        let log = home.join("log");
        let output = File::create(&log).expect("the temporary directory can be written");
        let mut command = Command::new(program);
        command
            .arg("-f")
            .arg(&home)
            .stdin(Stdio::null())
            .current_dir(&home);
        command
            .stderr(output.try_clone().expect("a file can be cloned"))
            .stdout(output);
        let process = Process::start(name, &mut command);
        let control = connect(address.into(), &log);
        Self {
            _process: process,
            control,
            heard: String::new(),
            log,
        }
    }

    /// Sends a command as ctrl_tcp wants it: JSON in a netstring.
    fn command(&mut self, name: &str, parameters: &str) {
        let text = json!({"command": name, "params": parameters, "token": name}).to_string();
        let framed = format!("{}:{text},", text.len());
        self.control
            .write_all(framed.as_bytes())
            .expect("the phone takes commands");
    }

    /// Waits for an event.
    fn expect(&mut self, event: &str) {
        let end = Instant::now() + PATIENCE;
        let wanted = format!("\"type\":\"{event}\"");
        let mut chunk = [0; 4096];
        while !self.heard.contains(&wanted) {
            if let Ok(n) = self.control.read(&mut chunk) {
                self.heard.push_str(&String::from_utf8_lossy(&chunk[..n]));
            }
            if Instant::now() > end {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                panic!("the phone never says {event}:\n{}\n{log}", self.heard);
            }
        }
    }
}

fn connect(address: IpAddr, log: &Path) -> TcpStream {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Ok(stream) = TcpStream::connect((address, CONTROL_PORT)) {
            let timeout = Some(Duration::from_millis(100));
            stream
                .set_read_timeout(timeout)
                .expect("a positive timeout");
            return stream;
        }
        if Instant::now() > end {
            panic!(
                "baresip does not start:\n{}",
                fs::read_to_string(log).unwrap_or_default()
            );
        }
        thread::sleep(Duration::from_millis(30));
    }
}

/// A minute of a square wave: a WAV file with 8,000 16-bit samples a second.
fn tone() -> Vec<u8> {
    let samples: Vec<u8> = (0..480_000_u32)
        .flat_map(|n| if n % 16 < 8 { 4000_i16 } else { -4000 }.to_le_bytes())
        .collect();
    let length = samples.len() as u32;
    let mut file = Vec::with_capacity(44 + samples.len());
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&8000_u32.to_le_bytes());
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend(samples);
    file
}

/// The directory of baresip's modules.
fn modules() -> Option<PathBuf> {
    let places = [
        "/usr/lib/baresip/modules",
        "/usr/lib/x86_64-linux-gnu/baresip/modules",
    ];
    places
        .iter()
        .map(PathBuf::from)
        .find(|p| p.join("ctrl_tcp.so").is_file())
}

fn ask(lab: &Lab, method: &str) -> Value {
    let answer = rpc::call(lab.directory(), method, &json!([])).unwrap_or_else(|e| panic!("{e}"));
    answer["result"].clone()
}

fn await_contacts(lab: &Lab, count: usize) {
    let end = Instant::now() + PATIENCE;
    while ask(lab, "ul.dump")
        .to_string()
        .matches("\"Address\"")
        .count()
        < count
    {
        assert!(
            Instant::now() < end,
            "the phones do not register: {}",
            ask(lab, "ul.dump")
        );
        thread::sleep(Duration::from_millis(50));
    }
}

fn talk(program: Program) {
    let Some(baresip) = peers::require("baresip") else {
        return;
    };
    let Some(modules) = modules() else {
        return peers::skip("TANDEM_TEST_PEERS", "baresip has no ctrl_tcp module");
    };
    let Some(path) = program.path() else { return };
    let lab = Lab::new(5060);
    let config =
        fs::read_to_string(test_file("configs/phones.cfg")).expect("the configuration is there");
    let server = match program {
        Program::Kamailio => Server::start(program, &path, &lab, &config),
        Program::Tandem => Server::start_builtin(&path, &lab),
    };
    let mut alice = Phone::start(&baresip, &modules, &lab, "alice", 10);
    let mut bob = Phone::start(&baresip, &modules, &lab, "bob", 20);
    await_contacts(&lab, 2);

    alice.command("dial", &format!("sip:bob@{}", lab.server().ip()));
    for phone in [&mut alice, &mut bob] {
        phone.expect("CALL_ESTABLISHED");
        phone.expect("CALL_RTPESTAB");
    }
    let calls = ask(&lab, "dlg.list");
    assert_eq!(
        calls.as_array().map(Vec::len),
        Some(1),
        "one call is up: {calls}\n{}",
        server.log()
    );
    assert_eq!(calls[0]["state"], 4);

    alice.command("hangup", "");
    alice.expect("CALL_CLOSED");
    bob.expect("CALL_CLOSED");
    let statistics = rpc::call(
        lab.directory(),
        "stats.get_statistics",
        &json!(["active_dialogs"]),
    );
    assert_eq!(
        statistics.map(|s| s["result"].clone()),
        Ok(json!(["dialog:active_dialogs = 0"]))
    );
}

#[test]
fn kamailio() {
    talk(Program::Kamailio);
}

/// Through the configuration that Tandem has built in.
#[test]
fn tandem() {
    talk(Program::Tandem);
}
