//! Tandem as a program: its switches, its exit codes, its end.

use std::fs;
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::agent::{PATIENCE, Transport};
use crate::support::call::standalone;
use crate::support::lab::{Lab, test_file};
use crate::support::{Program, Scene, peers, process};

const LIMIT: Duration = Duration::from_secs(10);

fn tandem(args: &[&str]) -> Option<(bool, String)> {
    let path = peers::tandem()?;
    Some(process::run(Command::new(path).args(args), LIMIT))
}

fn scene() -> Option<Scene> {
    Scene::start_plain(Program::Tandem)
}

#[test]
fn prints_version_and_help() {
    for flag in ["-v", "-V", "--version", "-h", "--help", "-I"] {
        let Some((success, output)) = tandem(&[flag]) else {
            return;
        };
        assert!(success, "{flag} fails:\n{output}");
        assert!(
            output.to_lowercase().contains("tandem"),
            "{flag} does not say who answers:\n{output}"
        );
    }
}

/// The configuration that is built in passes its own check.
#[test]
fn prints_a_configuration_that_it_takes() {
    let Some((success, output)) = tandem(&["--print-default-config"]) else {
        return;
    };
    assert!(
        success && output.contains("request_route"),
        "no configuration:\n{output}"
    );
    let lab = Lab::new(5060);
    let path = lab.directory().join("default.cfg");
    fs::write(&path, output).expect("the temporary directory can be written");
    let (success, output) =
        tandem(&["-c", "-f", &path.to_string_lossy()]).expect("it was there a moment ago");
    assert!(success, "the built-in configuration is refused:\n{output}");
}

/// All errors of a file are reported in one run, each with its line, and a near miss is suggested.
#[test]
fn reports_every_error_of_a_file() {
    let lab = Lab::new(5060);
    let base = fs::read_to_string(test_file("tables/rejects.cfg")).expect("the table is there");
    let text = format!(
        "{base}modparam(\"tm\", \"fr_timerr\", 5)\nrequest_route {{\n\tsl_send_replyy(\"200\", \"OK\");\n\t\
         route(NOWHERE);\n\txlog(\"L_NOTICE\", \"$nosuch(x)\\n\");\n}}\n"
    );
    let path = lab.write("server.cfg", &text);
    let Some((success, output)) = tandem(&["-c", "-f", &path.to_string_lossy()]) else {
        return;
    };
    assert!(!success, "a broken file is taken");
    let line = |what: &str| {
        lab.fill(&text)
            .lines()
            .position(|l| l.contains(what))
            .expect("it is there")
            + 1
    };
    for what in ["fr_timerr", "sl_send_replyy", "NOWHERE", "$nosuch"] {
        let place = format!("server.cfg:{}", line(what));
        assert!(
            output.contains(&place),
            "{what} is not reported at {place}:\n{output}"
        );
    }
    assert!(
        output.contains("fr_timer`")
            || output.contains("fr_timer\"")
            || output.contains("fr_timer'"),
        "{output}"
    );
}

#[test]
fn takes_switches_that_have_no_meaning_here() {
    let lab = Lab::new(5060);
    let path = lab.write(
        "server.cfg",
        &fs::read_to_string(test_file("configs/phones.cfg")).expect("it is there"),
    );
    let path = path.to_string_lossy();
    let args = [
        "-c", "-f", &path, "-m", "64", "-M", "8", "-n", "4", "-N", "2", "-e", "-A", "WITH_X", "-A",
        "V=1",
    ];
    let Some((success, output)) = tandem(&args) else {
        return;
    };
    assert!(success, "{output}");
}

/// A port in use is one clear line and exit code 1.
#[test]
fn says_that_a_port_is_taken() {
    let Some(path) = Program::Tandem.path() else {
        return;
    };
    let lab = Lab::new(5060);
    let _taken = UdpSocket::bind(lab.server()).expect("the lab's addresses are free");
    let config = lab.write(
        "server.cfg",
        &fs::read_to_string(test_file("configs/phones.cfg")).expect("it is there"),
    );
    let mut command = Program::Tandem.command(&path, &lab);
    let output = command
        .arg("-f")
        .arg(config)
        .stdout(Stdio::piped())
        .output()
        .expect("Tandem starts");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains(&lab.server().to_string()),
        "the address is not named:\n{text}"
    );
}

/// SIGTERM ends it within five seconds, with calls up and phones waiting.
#[test]
fn ends_when_told_to() {
    let Some(mut s) = scene() else { return };
    let alice = s.agent("alice", 10, Transport::Udp);
    let bob = s.agent("bob", 20, Transport::Udp);
    let target = s.uri(bob);
    let invite = standalone(s.at(alice), "INVITE", &target, "pending@test");
    s.send(alice, &invite);
    s.expect(alice, "100 INVITE");
    s.expect(bob, "INVITE");
    let start = Instant::now();
    s.server.process().signal(Signal::SIGTERM);
    let status = s.server.process().wait(Duration::from_secs(5));
    assert!(
        status.success(),
        "{status} after {:?}:\n{}",
        start.elapsed(),
        s.server.log()
    );
}

/// A terminal that goes away does not end it.
#[test]
fn survives_a_hangup() {
    let Some(mut s) = scene() else { return };
    let alice = s.agent("alice", 10, Transport::Udp);
    s.server.process().signal(Signal::SIGHUP);
    let target = s.server_uri("nobody");
    let request = standalone(s.at(alice), "OPTIONS", &target, "after-hangup@test");
    s.send(alice, &request);
    assert!(
        s.at(alice).receive(PATIENCE).is_some(),
        "no answer after SIGHUP"
    );
    assert!(s.server.process().ended().is_none());
}

/// `/dev/full` takes no byte: logging fails, routing goes on.
#[test]
fn survives_a_full_disk() {
    let Some(path) = Program::Tandem.path() else {
        return;
    };
    let lab = Lab::new(5060);
    let template = fs::read_to_string(test_file("configs/phones.cfg")).expect("it is there");
    let config = lab.write("server.cfg", &template);
    let mut command = Program::Tandem.command(&path, &lab);
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let mut server = process::Process::start("Tandem", command.arg("-f").arg(config).stderr(full));
    process::await_bound(lab.server(), Transport::Udp);
    let client = UdpSocket::bind((lab.host(10), 5060)).expect("the lab's addresses are free");
    client
        .set_read_timeout(Some(PATIENCE))
        .expect("a positive timeout");
    let request = lab.fill(
        "OPTIONS sip:x@%IP% SIP/2.0\r\nVia: SIP/2.0/UDP %NET%.10:5060;branch=z9hG4bK-f\r\n\
         From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: full@test\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
    );
    client
        .send_to(request.as_bytes(), lab.server())
        .expect("loopback takes a datagram");
    assert!(
        client.recv(&mut [0; 2000]).is_ok(),
        "no answer with a full disk"
    );
    assert!(server.ended().is_none());
}
