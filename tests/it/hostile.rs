//! Torn, oversized, binary and lying messages: whatever comes in, the next good request is answered.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use crate::support::agent::{PATIENCE, Transport};
use crate::support::call::standalone;
use crate::support::lab::test_file;
use crate::support::scene::Who;
use crate::support::{Program, Scene};

const GOOD: &str = "OPTIONS sip:%IP% SIP/2.0\r\nVia: SIP/2.0/UDP %NET%.10:5060;branch=z9hG4bK-h\r\n\
    From: <sip:a@test.example>;tag=1\r\nTo: <sip:b@test.example>\r\nCall-ID: hostile@test\r\n\
    CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

/// Small broken messages, each with what is wrong with it.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let change = |from: &str, to: &str| GOOD.replace(from, to).into_bytes();
    let many = |header: &str, n: usize| {
        GOOD.replace("Max-Forwards: 70\r\n", &header.repeat(n))
            .into_bytes()
    };
    vec![
        ("nothing", Vec::new()),
        ("zeroes", vec![0; 4]),
        ("a keep-alive", b"\r\n\r\n".to_vec()),
        ("binary", (0..=255).cycle().take(1000).collect()),
        ("a first line only", b"OPTIONS sip:x SIP/2.0\r\n".to_vec()),
        (
            "an endless first line",
            [b"OPTIONS ", "x".repeat(60_000).as_bytes()].concat(),
        ),
        ("no headers", b"OPTIONS sip:x SIP/2.0\r\n\r\n".to_vec()),
        (
            "no Via",
            change("Via: SIP/2.0/UDP %NET%.10:5060;branch=z9hG4bK-h\r\n", ""),
        ),
        (
            "no From",
            change("From: <sip:a@test.example>;tag=1\r\n", ""),
        ),
        ("no Call-ID", change("Call-ID: hostile@test\r\n", "")),
        ("no CSeq", change("CSeq: 1 OPTIONS\r\n", "")),
        ("an empty CSeq", change("CSeq: 1 OPTIONS", "CSeq:")),
        (
            "a huge CSeq",
            change("CSeq: 1", "CSeq: 99999999999999999999"),
        ),
        (
            "a negative length",
            change("Content-Length: 0", "Content-Length: -1"),
        ),
        (
            "a length beyond the end",
            change("Content-Length: 0", "Content-Length: 999999999"),
        ),
        (
            "a length beyond any number",
            change(
                "Content-Length: 0",
                "Content-Length: 99999999999999999999999",
            ),
        ),
        (
            "an unclosed bracket",
            change("<sip:b@test.example>", "<sip:b@test.example"),
        ),
        (
            "an unclosed quote",
            change("<sip:a@test.example>", "\"a <sip:a@test.example>"),
        ),
        ("nested quotes", change("<sip:a@", &"\"\\".repeat(500))),
        (
            "a NUL in a header",
            change("Call-ID: hostile", "Call-ID: hos\0tile"),
        ),
        (
            "an impossible port",
            change("%NET%.10:5060", "%NET%.10:99999"),
        ),
        (
            "an impossible Via host",
            change("%NET%.10:5060", "[::::::]:5060"),
        ),
        (
            "an empty Via",
            change("SIP/2.0/UDP %NET%.10:5060;branch=z9hG4bK-h", ""),
        ),
        ("bare line feeds", change("\r\n", "\n")),
        (
            "another version",
            change("SIP/2.0\r\nVia", "SIP/7.0\r\nVia"),
        ),
        (
            "a reply to nothing",
            change("OPTIONS sip:%IP% SIP/2.0", "SIP/2.0 200 OK"),
        ),
        (
            "a reply with an odd code",
            change("OPTIONS sip:%IP% SIP/2.0", "SIP/2.0 999 What"),
        ),
        (
            "a reply with no code",
            change("OPTIONS sip:%IP% SIP/2.0", "SIP/2.0 OK"),
        ),
        (
            "a thousand Vias",
            many("Via: SIP/2.0/UDP far.test;branch=z9hG4bKfar\r\n", 1000),
        ),
        ("a thousand Routes", many("Route: <sip:%IP%;lr>\r\n", 1000)),
        ("a thousand unknown headers", many("X-Many: 1\r\n", 4000)),
        (
            "a list of ten thousand",
            change(
                "Max-Forwards: 70",
                &format!("Supported: {}x", "a,".repeat(10_000)),
            ),
        ),
        (
            "a deep URI",
            change("sip:b@test", &format!("sip:{}@test", "b%40".repeat(4000))),
        ),
        (
            "a header without a name",
            change("Max-Forwards: 70", ": 70"),
        ),
        (
            "a header without a colon",
            change("Max-Forwards: 70", "Max-Forwards 70"),
        ),
        ("folding at the start", change("\r\nVia", "\r\n Via")),
    ]
}

/// After each message a good one is answered, over the same transport.
fn still_answers(s: &mut Scene, client: Who, what: &str, n: usize) {
    let target = s.server_uri("alive");
    let request = standalone(s.at(client), "OPTIONS", &target, &format!("alive-{n}@test"));
    s.at(client).send(&request);
    loop {
        match s.at(client).receive(PATIENCE) {
            Some(message) if message.header("Call-ID") == request.header("Call-ID") => return,
            Some(_) => {}
            None => s.fail(&format!("after {what} the server is silent")),
        }
    }
}

fn datagrams(program: Program) {
    let Some(mut s) = Scene::start_plain(program) else {
        return;
    };
    let client = s.agent("client", 10, Transport::Udp);
    for (n, (what, bytes)) in broken().into_iter().enumerate() {
        send(&mut s, client, &bytes);
        still_answers(&mut s, client, what, n);
    }
    // Every length of a good message, cut off.
    for length in (1..GOOD.len()).step_by(3) {
        send(&mut s, client, &GOOD.as_bytes()[..length]);
    }
    still_answers(&mut s, client, "torn messages", 1000);
    assert!(
        s.server.process().ended().is_none(),
        "the server is still there"
    );
}

/// The torture messages of RFC 4475 and RFC 5118, as they stand in `tests/corpus`.
fn torture(program: Program) {
    let Some(mut s) = Scene::start_plain(program) else {
        return;
    };
    let client = s.agent("client", 10, Transport::Udp);
    for (n, folder) in ["rfc4475", "rfc5118"].iter().enumerate() {
        let Ok(files) = fs::read_dir(test_file("corpus").join(folder)) else {
            continue;
        };
        for (m, file) in files.flatten().enumerate() {
            let Ok(bytes) = fs::read(file.path()) else {
                continue;
            };
            s.at(client).send_bytes(&bytes);
            still_answers(
                &mut s,
                client,
                &file.file_name().to_string_lossy(),
                n * 1000 + m,
            );
        }
    }
}

fn streams(program: Program) {
    let Some(mut s) = Scene::start_plain(program) else {
        return;
    };
    let client = s.agent("client", 10, Transport::Tcp);
    for (n, (what, bytes)) in broken().into_iter().enumerate() {
        still_answers(&mut s, client, what, n);
        let text = s.lab.fill(&String::from_utf8_lossy(&bytes));
        let mut stream = TcpStream::connect(s.lab.server()).expect("the server takes connections");
        // The server may close while it is still being told nonsense.
        let _ = stream.write_all(text.as_bytes());
    }
    // A message in the smallest pieces, while others are served.
    let text = s.lab.fill(GOOD);
    let mut slow = TcpStream::connect(s.lab.server()).expect("the server takes connections");
    slow.set_nodelay(true)
        .expect("a stream can be told not to wait");
    for byte in text.bytes() {
        slow.write_all(&[byte])
            .expect("the server waits for the rest");
    }
    still_answers(&mut s, client, "a message in pieces", 2000);
    slow.set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a positive timeout");
    let mut answer = [0; 12];
    std::io::Read::read_exact(&mut slow, &mut answer).expect("the message in pieces is answered");
    assert_eq!(&answer[..8], b"SIP/2.0 ");
}

fn send(s: &mut Scene, client: Who, bytes: &[u8]) {
    let fill =
        |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map(|text| s.lab.fill(&text).into_bytes());
    let filled = fill(bytes).unwrap_or_else(|_| bytes.to_vec());
    s.at(client).send_bytes(&filled);
}

macro_rules! hostile {
    ($($name:ident),*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn kamailio() {
                super::$name(Program::Kamailio);
            }

            #[test]
            fn tandem() {
                super::$name(Program::Tandem);
            }
        })*
    };
}

hostile!(datagrams, torture, streams);
