//! The same values through the doors of the real Kamailio and through ours, byte by byte.

use std::io::{Read, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value as Json;
use tandem_rpc::binrpc::{Header, Limits, encode_request, respond};
use tandem_rpc::{Command, Name, Registry, Struct, Value, json};

use crate::house::{Directory, PATIENCE, exists, free_address};

/// A Kamailio of our own on loopback.
struct Kamailio {
    directory: Directory,
    child: Child,
}

impl Kamailio {
    /// `None`, and a note, if it is not installed.
    fn start() -> Option<Self> {
        let directory = Directory::new();
        let config = directory.path("kamailio.cfg");
        std::fs::write(&config, configuration(&directory)).unwrap();
        let child = std::process::Command::new("kamailio")
            .arg("-f")
            .arg(&config)
            .args(["-DD", "-E", "-Y"])
            .arg(directory.path(""))
            .arg("-P")
            .arg(directory.path("pid"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match child {
            Ok(child) => child,
            Err(error) => {
                eprintln!("SKIPPED: kamailio cannot be run ({error}); install its package");
                return None;
            }
        };
        let kamailio = Self { directory, child };
        kamailio.wait_for("ctl");
        kamailio.wait_for("json");
        Some(kamailio)
    }

    /// Another program cannot be handed our clock.
    fn wait_for(&self, name: &str) {
        let deadline = Instant::now() + 2 * PATIENCE;
        while !exists(&self.directory.path(name)) {
            assert!(Instant::now() < deadline, "kamailio opens no {name}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn json(&self, request: &str) -> Vec<u8> {
        let own = self.directory.path("client");
        let client = UnixDatagram::bind(&own).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let server = self.directory.path("json");
        client.send_to(request.as_bytes(), server).unwrap();
        let mut reply = vec![0; 64 * 1024];
        let len = client.recv(&mut reply).unwrap();
        std::fs::remove_file(own).unwrap();
        reply.truncate(len);
        reply
    }

    fn binrpc(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = UnixStream::connect(self.directory.path("ctl")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut reply = Vec::new();
        loop {
            let mut piece = [0; 4096];
            let len = stream.read(&mut piece).unwrap();
            assert!(len > 0, "kamailio closed the connection");
            reply.extend_from_slice(&piece[..len]);
            let header = Header::parse(&reply).unwrap();
            if header.is_some_and(|header| header.packet_len() <= reply.len()) {
                return reply;
            }
        }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

fn configuration(directory: &Directory) -> String {
    let path = |name: &str| directory.path(name).display().to_string();
    format!(
        "#!KAMAILIO\nlog_stderror=yes\nchildren=1\ndisable_tcp=yes\nalias=tandem.example\n\
         listen=udp:{0}\nlisten=udp:{1}\n\
         loadmodule \"jsonrpcs.so\"\nloadmodule \"kex.so\"\nloadmodule \"ctl.so\"\n\
         modparam(\"ctl\", \"binrpc\", \"unixs:{2}\")\n\
         modparam(\"jsonrpcs\", \"transport\", 4)\n\
         modparam(\"jsonrpcs\", \"dgram_socket\", \"{3}\")\n\
         request_route {{ exit; }}\n",
        free_address(),
        free_address(),
        path("ctl"),
        path("json"),
    )
}

/// Answers what Kamailio answered, as values.
fn replay(method: &'static str, list: bool, result: Json) -> Command {
    let command = Command::new(method, "", move |call| {
        match (&result, list) {
            (Json::Array(items), true) => items.iter().for_each(|item| call.add(value(item))),
            _ => call.add(value(&result)),
        }
        Ok(())
    });
    if list { command.list() } else { command }
}

/// An array of objects with one object each is Kamailio's array of named structs.
fn value(json: &Json) -> Value {
    match json {
        Json::Array(items) => match items.iter().map(named).collect() {
            Some(members) => Value::Named(members),
            None => Value::Array(items.iter().map(value).collect()),
        },
        Json::Object(members) => {
            let members = members.iter();
            let members: Vec<_> = members
                .map(|(name, member)| (Name::from(name.clone()), value(member)))
                .collect();
            Struct::from(members).into()
        }
        Json::Number(number) => Value::Int(number.as_i64().unwrap()),
        Json::String(text) => Value::from(text.as_str()),
        Json::Null | Json::Bool(_) => Value::Null,
    }
}

fn named(item: &Json) -> Option<(Name, Value)> {
    let members = item.as_object().filter(|members| members.len() == 1)?;
    let (name, member) = members.iter().next()?;
    member
        .is_object()
        .then(|| (Name::from(name.clone()), value(member)))
}

fn echo(call: &mut tandem_rpc::Call<'_>) -> Result<(), tandem_rpc::Fault> {
    while let Some(text) = call.opt_text()? {
        call.add(text);
    }
    Ok(())
}

#[test]
fn the_same_values_are_the_same_bytes() {
    let Some(kamailio) = Kamailio::start() else {
        return;
    };
    for (method, list) in [
        ("core.sockets_list", false),
        ("core.aliases_list", false),
        ("core.psx", true),
        ("core.modules", true),
        ("core.flags", false),
    ] {
        let request = format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":"x"}}"#);
        let expected = kamailio.json(&request);
        let document: Json = serde_json::from_slice(&expected).unwrap();
        let mut registry = Registry::new();
        let command = replay(method, list, document["result"].clone());
        registry.add(command).unwrap();
        let (_, _, ours) = json::execute(&registry, request.as_bytes(), true).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&ours),
            String::from_utf8_lossy(&expected)
        );

        let request = encode_request(method, &[], 0x1234_5678).unwrap();
        let ours = respond(&registry, &request, &Limits::default());
        assert_eq!(ours, kamailio.binrpc(&request), "{method}");
    }
}

#[test]
fn the_same_requests_are_answered_alike() {
    let Some(kamailio) = Kamailio::start() else {
        return;
    };
    let mut registry = Registry::new();
    let command = Command::new("core.echo", "Repeats its parameters.", echo);
    registry.add(command.list()).unwrap();
    for request in [
        r#"{"jsonrpc":"2.0","method":"core.echo","params":[1,"a\n\"","",5000000000],"id":1}"#,
        r#"{"jsonrpc":"2.0","method":"core.echo","params":{"a":"x"}}"#,
        r#"{"jsonrpc":"2.0","method":"core.echo","id":1.5}"#,
        r#"{"jsonrpc":"2.0","method":"no.such","id":"\""}"#,
        r#"{"jsonrpc":"2.0","method":"system.methodHelp","params":["no.such"],"id":-1}"#,
        r#"{"method":"core.echo","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        "[]",
        "5",
        r#"{"jsonrpc":"2.0","method":"core.echo"} junk"#,
    ] {
        let (_, _, ours) = json::execute(&registry, request.as_bytes(), true).unwrap();
        let expected = kamailio.json(request);
        assert_eq!(
            String::from_utf8_lossy(&ours),
            String::from_utf8_lossy(&expected)
        );
    }
    let text = |text: &str| Value::from(text);
    for (method, parameters) in [
        (
            "core.echo",
            vec![Value::from(1), text("a"), text(""), text("s:5")],
        ),
        ("core.echo", vec![]),
        ("no.such", vec![]),
        ("system.methodHelp", vec![]),
        ("system.methodHelp", vec![text("no.such")]),
        ("", vec![]),
    ] {
        let request = encode_request(method, &parameters, 7).unwrap();
        let ours = respond(&registry, &request, &Limits::default());
        assert_eq!(ours, kamailio.binrpc(&request), "{method} {parameters:?}");
    }
    compare_malformed(&kamailio, &registry);
}

fn compare_malformed(kamailio: &Kamailio, registry: &Registry) {
    for packet in [
        &[0xA1, 0x00, 0x00, 0x01][..],
        &[0xA1, 0x00, 0x02, 0x01, 0x10, 0xFF],
        &[0xA1, 0x00, 0x04, 0x01, 0x91, 0xFF, b'a', b'b'],
        &[0xA1, 0x10, 0x01, 0x01, 0x00],
        &[0xB1, 0x00, 0x01, 0x01, 0x00],
    ] {
        let ours = respond(registry, packet, &Limits::default());
        let expected = kamailio.binrpc(packet);
        let text = |reply: &[u8]| String::from_utf8_lossy(&reply[4..]).into_owned();
        assert_eq!(text(&ours), text(&expected), "{packet:x?}");
    }
}
