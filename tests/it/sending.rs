//! How messages leave: streams with aliases, streams that end with a message, and what `onsend_route` sees.
//! What is observed is recorded as a list; Kamailio's is kept in `golden/`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::agent::{PATIENCE, Transport};
use crate::support::call::{Leg, follow, standalone};
use crate::support::message::Message;
use crate::support::scene::Who;
use crate::support::{Program, Scene, golden};

/// A stream to or from the server, used by hand.
struct Stream {
    stream: TcpStream,
    buffer: String,
}

impl Stream {
    fn new(stream: TcpStream) -> Self {
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a positive timeout");
        Self {
            stream,
            buffer: String::new(),
        }
    }

    fn connect(server: SocketAddr) -> Self {
        let end = Instant::now() + PATIENCE;
        loop {
            match TcpStream::connect(server) {
                Ok(stream) => return Self::new(stream),
                Err(error) => assert!(Instant::now() < end, "{server}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn accept(listener: &TcpListener) -> Self {
        Self::new(listener.accept().expect("the server connects").0)
    }

    fn send(&mut self, text: &str) {
        self.stream
            .write_all(text.as_bytes())
            .expect("the server keeps the connection");
    }

    /// The next message, none of which has a body; or `the end`.
    fn next(&mut self) -> String {
        let mut chunk = [0; 4096];
        loop {
            if let Some(end) = self.buffer.find("\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                return std::mem::replace(&mut self.buffer, rest);
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return "the end".to_owned(),
                Ok(n) => self.buffer.push_str(&String::from_utf8_lossy(&chunk[..n])),
                Err(error) => return format!("nothing: {:?}", error.kind()),
            }
        }
    }

    /// The start line and Call-ID of the next message; or `the end`.
    fn next_kind(&mut self) -> String {
        kind(&self.next())
    }
}

fn kind(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    match Message::parse(message) {
        Some(parsed) => format!("{} of {}", parsed.kind(), parsed.header("Call-ID")),
        None => first.to_owned(),
    }
}

/// A request of a client whose Via names this host and port, with parameters.
fn request(uri: &str, sent_by: &str, call_id: &str) -> String {
    format!(
        "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/TCP {sent_by};branch=z9hG4bK-{call_id}\r\n\
         From: <sip:a@test>;tag=1\r\nTo: <sip:b@test>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

fn reply(request: &str, status: &str) -> String {
    let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines = request.split("\r\n");
    let lines: Vec<_> = lines
        .filter(|line| kept.iter().any(|name| line.starts_with(name)))
        .collect();
    format!(
        "SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n",
        lines.join("\r\n")
    )
}

const STREAMS: &str = r#"#!KAMAILIO
debug=0
log_stderror=yes
auto_aliases=no
children=1
tcp_children=1
tcp_accept_aliases=yes
listen=udp:%IP%:5060
listen=tcp:%IP%:5060
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
request_route {
	if ($rU == "plain") sl_send_reply("200", "OK");
	if ($rU == "alias") {
		if (force_tcp_alias()) sl_send_reply("200", "OK");
		exit;
	}
	if ($rU == "alias-port") {
		if (force_tcp_alias(7099)) sl_send_reply("200", "OK");
		exit;
	}
	if ($rU == "on") forward();
	if ($rU == "only-open") {
		set_forward_no_connect();
		if (!t_relay()) xlog("L_ERR", "only-open $rc\n");
	}
	if ($rU == "ends") {
		set_forward_close();
		forward();
	}
	if ($rU == "relayed-ends") {
		set_forward_close();
		t_relay();
	}
	if ($rU == "answer-ends") {
		set_reply_close();
		sl_send_reply("200", "OK");
	}
	if ($rU == "provisional-ends") {
		set_reply_close();
		t_relay();
	}
	if ($rU == "late") t_relay();
	if ($rU == "late-only-open") {
		set_reply_no_connect();
		t_relay();
	}
}
"#;

/// A request over UDP from the agent, for this user at a TCP address.
fn ask(s: &mut Scene, from: Who, user: &str, address: SocketAddr, call_id: &str) {
    let uri = format!("sip:{user}@{address};transport=tcp");
    let message = standalone(s.at(from), "OPTIONS", &uri, call_id);
    s.at(from).send(&message);
}

/// Who gets a message first: the client on its stream, or the listener.
fn who_gets(client: &mut Stream, listener: &TcpListener) -> &'static str {
    let end = Instant::now() + PATIENCE;
    let short = Some(Duration::from_millis(20));
    listener.set_nonblocking(true).expect("a listener");
    client.stream.set_read_timeout(short).expect("a timeout");
    while Instant::now() < end {
        if listener.accept().is_ok() {
            return "a new stream";
        }
        if client.next_kind().starts_with("OPTIONS") {
            return "the client's stream";
        }
    }
    "nobody"
}

fn aliases(s: &mut Scene, udp: Who) {
    s.note("aliases");
    for (at, (user, host, param)) in [
        ("plain", "127.0.0.1", ""),
        ("alias", "127.0.0.1", ""),
        ("alias", "10.9.9.9", ""),
        ("alias-port", "127.0.0.1", ""),
        ("plain", "127.0.0.1", ";alias"),
    ]
    .into_iter()
    .enumerate()
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let port = address.port();
        let mut client = Stream::connect(s.lab.server());
        let target = format!("sip:{user}@{}:{port}", s.lab.host(1));
        let sent_by = match user {
            "alias-port" => format!("{host}:7"),
            _ => format!("{host}:{port}{param}"),
        };
        client.send(&request(&target, &sent_by, &format!("claim-{at}")));
        let answer = client.next_kind();
        ask(s, udp, "on", address, &format!("on-{at}"));
        let whose = who_gets(&mut client, &listener);
        s.record(&format!("{user} {host}{param}: {answer}, then {whose}"));
    }
}

fn claims(s: &mut Scene, udp: Who) {
    s.note("the last to claim a port has it");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let mut clients = [0, 1].map(|_| Stream::connect(s.lab.server()));
    for (at, client) in clients.iter_mut().enumerate() {
        let target = s.server_uri("alias");
        client.send(&request(
            &target,
            &address.to_string(),
            &format!("both-{at}"),
        ));
        s.record(&client.next_kind());
    }
    ask(s, udp, "on", address, "whose");
    s.record(&clients[1].next_kind());
}

fn ends(s: &mut Scene, udp: Who) {
    let listener = TcpListener::bind((s.lab.host(30), 0)).expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    s.note("only over open streams");
    ask(s, udp, "only-open", address, "only-open");
    let refused = s.at(udp).receive(PATIENCE).expect("an answer");
    s.record(&refused.kind());

    s.note("streams that end with a request");
    for user in ["ends", "relayed-ends"] {
        ask(s, udp, user, address, user);
        let mut stream = Stream::accept(&listener);
        let got = stream.next_kind();
        s.record(&format!("{user}: {got}, {}", stream.next_kind()));
    }

    s.note("streams that end with an answer");
    let mut client = Stream::connect(s.lab.server());
    client.send(&request(
        &s.server_uri("answer-ends"),
        "127.0.0.1:7020",
        "ends",
    ));
    let got = client.next_kind();
    s.record(&format!("at once: {got}, {}", client.next_kind()));
    let mut client = Stream::connect(s.lab.server());
    let target = s.uri(udp).replace("udp@", "provisional-ends@");
    client.send(&request(&target, "127.0.0.1:7021", "provisional"));
    let received = s.at(udp).receive(PATIENCE).expect("the request");
    let ringing = reply(&received.to_string(), "180 Ringing");
    s.at(udp).send_text(&ringing);
    let got = client.next_kind();
    s.record(&format!("provisional: {got}, {}", client.next_kind()));
}

fn late_answers(s: &mut Scene, udp: Who) {
    s.note("answers when the stream is gone");
    let at_via = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let sent_by = at_via.local_addr().expect("it is bound").to_string();
    for user in ["late-only-open", "late"] {
        let mut client = Stream::connect(s.lab.server());
        let target = s.uri(udp).replace("udp@", &format!("{user}@"));
        client.send(&request(&target, &sent_by, user));
        let received = s.at(udp).receive(PATIENCE).expect("the request");
        let shut = client.stream.shutdown(Shutdown::Write);
        shut.expect("the server keeps the connection");
        assert_eq!(client.next(), "the end");
        let answer = reply(&received.to_string(), "200 OK");
        s.at(udp).send_text(&answer);
    }
    // The first answer would have come before it.
    s.record(&Stream::accept(&at_via).next_kind());
}

fn streams(program: Program) {
    let Some(mut s) = Scene::start_text(program, STREAMS) else {
        return;
    };
    let udp = s.agent("udp", 10, Transport::Udp);
    aliases(&mut s, udp);
    claims(&mut s, udp);
    ends(&mut s, udp);
    late_answers(&mut s, udp);
    golden::check(program, "streams", &s.finish());
}

#[test]
fn streams_of_kamailio() {
    streams(Program::Kamailio);
}

#[test]
fn streams_of_tandem() {
    streams(Program::Tandem);
}

const ONSEND: &str = r#"#!KAMAILIO
debug=0
log_stderror=yes
auto_aliases=no
children=1
server_header="Server: test"
onsend_route_reply=yes
listen=udp:%IP%:5060
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "xlog.so"
request_route {
	if ($rU == "mark") {
		xlog("L_ERR", "mark\n");
		exit;
	}
	if ($rU == "answered") sl_send_reply("200", "OK");
	if ($rU == "made") {
		t_newtran();
		t_reply("200", "OK");
	}
	if ($rU == "forwarded") {
		$var(code) = forward();
		xlog("L_ERR", "forward $var(code)\n");
	}
	if ($rU == "relayed") {
		t_relay();
		if (!is_method("ACK")) xlog("L_ERR", "relay $rc\n");
	}
}
onsend_route {
	xlog("L_ERR", "onsend $mts $rm $rs from $si to $sndto(ip) flags=$mf\n");
	if (is_present_hf("Drop") && $hdr(Drop) == $mts) drop;
	if (is_present_hf("Drop") && $hdr(Drop) == $rs) drop;
}
"#;

fn onsend(program: Program) {
    let Some(mut s) = Scene::start_text(program, ONSEND) else {
        return;
    };
    let alice = s.agent("alice", 10, Transport::Udp);
    let bob = s.agent("bob", 20, Transport::Udp);
    let target = |s: &Scene, user: &str| s.uri(bob).replace("bob@", &format!("{user}@"));
    let send = |s: &mut Scene, user: &str, drop: &str| {
        s.chapter(&format!("{user} {drop}"));
        let uri = target(s, user);
        let mut message = standalone(s.at(alice), "OPTIONS", &uri, &format!("{user}{drop}@test"));
        if !drop.is_empty() {
            message
                .headers
                .insert(1, ("Drop".to_owned(), drop.to_owned()));
        }
        s.send(alice, &message);
    };
    for user in ["answered", "made"] {
        send(&mut s, user, "");
        s.expect(alice, "200 OPTIONS");
    }
    for user in ["forwarded", "relayed"] {
        send(&mut s, user, "");
        let received = s.expect(bob, "OPTIONS");
        s.reply(bob, &received, 200, "OK", "b");
        s.expect(alice, "200 OPTIONS");
    }
    send(&mut s, "forwarded", "rq");
    send(&mut s, "relayed", "rq");
    s.expect(alice, "477 OPTIONS");
    s.chapter("a call");
    let uri = target(&s, "relayed");
    let caller = Leg::caller(s.at(alice), "call@test", &uri);
    let invite = caller.invite(s.at(alice));
    s.send(alice, &invite);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    s.reply(bob, &received, 486, "Busy", "b");
    s.expect(bob, "ACK");
    let refused = s.expect(alice, "486 INVITE");
    let ack = follow(&invite, "ACK", refused.header("To"));
    s.send(alice, &ack);
    let mark = s.server_uri("mark");
    let mark = standalone(s.at(alice), "OPTIONS", &mark, "mark@test");
    s.at(alice).send(&mark);
    s.note("what the script wrote");
    s.record_lines_until("mark");
    golden::check(program, "onsend", &s.finish());
}

#[test]
fn onsend_of_kamailio() {
    onsend(Program::Kamailio);
}

#[test]
fn onsend_of_tandem() {
    onsend(Program::Tandem);
}
