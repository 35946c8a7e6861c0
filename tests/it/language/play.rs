//! Runs the cases of a table through one server and records, for each, what it logs, answers and sends on.

use std::fmt::Write;
use std::time::Duration;

use super::case::Case;
use crate::support::agent::Transport;
use crate::support::call;
use crate::support::message::Message;
use crate::support::scene::Who;
use crate::support::{Program, Scene};

const BODY: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n";

/// What is set before each case, as the tables say.
const PREPARATION: &str = r#"
	$var(i0) = 0; $var(i1) = 1; $var(i5) = 5; $var(im) = -1;
	$var(s) = "abc"; $var(e) = ""; $var(n5) = "5";
	$avp(i) = 7; $avp(z) = 0; $avp(es) = "";
	$var(list) = "a,b,c"; $var(hex) = "616263"; $var(b64) = "YWJj"; $var(mixed) = "-12abc34";
	$var(esc) = "it's \"x\""; $var(user) = "a b@c"; $var(pad) = "  x y  ";
	$var(quoted) = "\"q\""; $var(bracketed) = "<b>";
	$var(uri) = "sip:u:pw@h.test:5062;transport=tcp;x=1?H=v"; $var(plain) = "sip:h.test";
	$var(params) = "a=1;b=\"x y\";c"; $var(named) = "\"A B\" <sip:a@b>;p=1";
	$var(tobody) = "\"T\" <sip:t@h.test;u=1>;tag=9;z=8"; $var(ftime) = "86400";
"#;

/// Runs each case in a server of its own; `None` if there is no such program.
pub fn apart(program: Program, cases: &[Case]) -> Option<String> {
    cases
        .iter()
        .map(|case| all(program, std::slice::from_ref(case)))
        .collect()
}

/// Runs all cases in one server; `None` if there is no such program.
pub fn all(program: Program, cases: &[Case]) -> Option<String> {
    let mut scene = Scene::start_text(program, &configuration(cases))?;
    let client = scene.agent("client", 10, Transport::Udp);
    let sink = scene.agent("sink", 50, Transport::Udp);
    for (index, case) in cases.iter().enumerate() {
        scene.chapter(&case.name);
        play(&mut scene, client, sink, index, case);
        synchronize(&mut scene, client, index);
        let acknowledged = case.answer.as_ref().is_some_and(|(code, _)| *code >= 300);
        let patience = if acknowledged {
            ACK_PATIENCE
        } else {
            LEFTOVERS
        };
        settle(&mut scene, client, sink, [grace(program, case), patience]);
        scene.record_lines_until(&marker(index));
        scene.record_script_lines();
    }
    Some(scene.finish())
}

/// The configuration that finds a case by the header `X-Case`.
fn configuration(cases: &[Case]) -> String {
    let mut text = super::table("prelude.cfg");
    for (index, case) in cases.iter().enumerate() {
        text.push_str(&definitions(&named(&case.routes, index)));
    }
    text.push_str("\nrequest_route {\n\tif ($hdr(X-Case) == $null) {\n\t\tt_check_trans();\n");
    text.push_str("\t\tif (is_method(\"OPTIONS\")) {\n\t\t\txlog(\"L_NOTICE\", \"$rU\\n\");\n");
    text.push_str("\t\t\tsl_send_reply(\"200\", \"Synchronized\");\n\t\t}\n\t\texit;\n\t}\n");
    text.push_str(PREPARATION);
    for index in 0..cases.len() {
        let _ = writeln!(
            text,
            "\tif ($hdr(X-Case) == \"C{index}\") {{ route(C{index}); exit; }}"
        );
    }
    text.push_str("}\n");
    for (index, case) in cases.iter().enumerate() {
        let script = named(&case.script, index);
        let _ = writeln!(
            text,
            "\nroute[C{index}] {{\n{script}}}\n{}",
            blocks(&named(&case.routes, index))
        );
    }
    text
}

/// What of a case's `routes:` has to stand before everything else: lines outside of any block.
fn definitions(text: &str) -> String {
    text.lines()
        .filter(|line| is_definition(line))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The blocks of a case's `routes:`.
fn blocks(text: &str) -> String {
    text.lines()
        .filter(|line| !is_definition(line))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn is_definition(line: &str) -> bool {
    ["#!", "custom.", "flags "]
        .iter()
        .any(|start| line.starts_with(start))
}

/// Gives the route names of a case, written `@NAME`, their place in the whole.
fn named(text: &str, index: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let is_name = rest[at + 1..].starts_with(|c: char| c.is_ascii_uppercase())
            && (rest[..at].ends_with('(')
                || rest[..at].ends_with('"')
                || rest[..at].ends_with('[')
                || rest[..at].ends_with(':'));
        out.push_str(&rest[..at]);
        out.push_str(&if is_name {
            format!("C{index}_")
        } else {
            "@".to_owned()
        });
        rest = &rest[at + 1..];
    }
    out + rest
}

fn play(scene: &mut Scene, client: Who, sink: Who, index: usize, case: &Case) {
    let request = scene.lab.fill(&request(index, case));
    scene.at(client).send_text(&request);
    let Some((code, phrase)) = &case.answer else {
        return;
    };
    let received = scene.expect(sink, &case.method);
    let mut reply = call::reply(scene.at(sink), &received, *code, phrase, "sink-tag");
    reply.headers.push(("X-Sink".to_owned(), "1".to_owned()));
    scene.at(sink).send(&reply);
}

fn request(index: usize, case: &Case) -> String {
    let Case {
        method,
        uri,
        to_tag,
        ..
    } = case;
    let standard = [
        format!("Via: SIP/2.0/UDP %NET%.10:5060;branch=z9hG4bK-case-{index}"),
        "From: \"Bob B\" <sip:bob@test.example;fp=1>;tag=f1".to_owned(),
        format!("To: <sip:alice@test.example>{to_tag}"),
        format!("Call-ID: case-{index}@tables"),
        format!("CSeq: 7 {method}"),
        "Contact: <sip:bob@%NET%.10:5060>".to_owned(),
        "Max-Forwards: 70".to_owned(),
        "User-Agent: tables-agent".to_owned(),
        "X-A: one".to_owned(),
        "X-A: two".to_owned(),
        "X-L: one, two".to_owned(),
        "Content-Type: application/sdp".to_owned(),
        format!("Content-Length: {}", BODY.len()),
    ];
    let mut text = format!("{method} {uri} SIP/2.0\r\n");
    for line in &standard {
        let name = line.split(':').next().unwrap_or_default();
        // A Via or a case's own version of a header has to come where the standard one stood.
        if name == "Via" {
            text += &case
                .headers
                .iter()
                .filter(|h| h.starts_with("Via:"))
                .map(|h| format!("{h}\r\n"))
                .collect::<String>();
        }
        if !case.without.iter().any(|w| w == name) {
            text += &format!("{line}\r\n");
        }
    }
    for line in case.headers.iter().filter(|h| !h.starts_with("Via:")) {
        text += &format!("{line}\r\n");
    }
    format!("{text}X-Case: C{index}\r\n\r\n{BODY}")
}

/// What the script writes when a case is done. What the case itself wrote stands before it.
fn marker(index: usize) -> String {
    format!("sync-{index}")
}

/// Sends a request whose answer shows that the case is done, and records what came before that answer. It belongs to
/// the case's call, so that it waits for its turn behind the case.
fn synchronize(scene: &mut Scene, client: Who, index: usize) {
    let server = scene.server_uri(&marker(index));
    let call_id = format!("case-{index}@tables");
    let request = call::standalone(scene.at(client), "OPTIONS", &server, &call_id);
    scene.at(client).send(&request);
    loop {
        let Some(message) = scene.at(client).receive(crate::support::agent::PATIENCE) else {
            scene.fail("the server answers no more");
        };
        if message.start.ends_with("Synchronized") {
            break;
        }
        acknowledge(scene, client, &message);
        scene.record_message(client, &message);
    }
}

/// How long what belongs to a case may come after the answer that shows its end. Kamailio has one worker here, so only
/// the network can let the sink's answer be overtaken; Tandem's workers may overtake each other between calls.
fn grace(program: Program, case: &Case) -> Duration {
    match (program, &case.answer) {
        (Program::Kamailio, None) => Duration::from_millis(1),
        (Program::Kamailio, Some(_)) | (Program::Tandem, None) => Duration::from_millis(8),
        (Program::Tandem, Some(_)) => Duration::from_millis(40),
    }
}

/// How long the ACK to a negative reply of the sink may be on its way: where none comes, this much time is lost.
const ACK_PATIENCE: Duration = Duration::from_millis(250);
/// How long anything else may still come for the sink.
const LEFTOVERS: Duration = Duration::from_millis(1);

/// Records what still comes for the client and the sink, which are waited for as long as this. What the client gets
/// leaves with the sink's ACK, so that is waited for first.
fn settle(scene: &mut Scene, client: Who, sink: Who, [grace, patience]: [Duration; 2]) {
    let mut for_sink = Vec::new();
    let mut collect = |scene: &mut Scene, mut patience| {
        while let Some(message) = scene.at(sink).receive(patience) {
            if message.method() == "ACK" {
                patience = LEFTOVERS;
            } else {
                for_sink.push(message);
            }
        }
    };
    collect(scene, patience);
    while let Some(message) = scene.at(client).receive(grace) {
        acknowledge(scene, client, &message);
        scene.record_message(client, &message);
    }
    collect(scene, LEFTOVERS);
    for message in &for_sink {
        scene.record_message(sink, message);
    }
}

/// A final negative reply to INVITE would be repeated otherwise.
fn acknowledge(scene: &mut Scene, client: Who, reply: &Message) {
    if reply.method() != "INVITE" || reply.status().is_none_or(|code| code < 300) {
        return;
    }
    let headers = vec![
        ("Via", reply.header("Via").to_owned()),
        ("From", reply.header("From").to_owned()),
        ("To", reply.header("To").to_owned()),
        ("Call-ID", reply.header("Call-ID").to_owned()),
        ("CSeq", format!("{} ACK", reply.cseq())),
        ("Content-Length", "0".to_owned()),
    ];
    let uri = scene.lab.fill("sip:alice@%NET%.50:5060;p=1");
    scene
        .at(client)
        .send(&call::request("ACK", &uri, headers, ""));
}
