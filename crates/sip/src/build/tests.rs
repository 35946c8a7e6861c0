use super::{Reply, Request, Source, ack_for_negative, cancel};
use crate::message::Message;

const INVITE: &str = "INVITE sip:a@h SIP/2.0\r\n\
    Max-Forwards: 33\r\n\
    f: <sip:x@y>;tag=ft\r\n\
    Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKo;rport;x=1\r\n\
    Via: SIP/2.0/TCP third\r\n\
    User-Agent: me\r\n\
    i: cid\r\n\
    Route: <sip:r;lr>\r\n\
    To: <sip:t@y>\r\n\
    Record-Route: <sip:rr>\r\n\
    X-Keep: 1\r\n\
    CSeq: 7 INVITE\r\n\
    Content-Length: 0\r\n\r\n";

fn message(text: &str) -> Message {
    Message::parse(text.as_bytes().to_vec()).expect("valid")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

fn via_of_reply(via: &str, source: &str, force_rport: bool) -> String {
    let request = message(&format!(
        "OPTIONS sip:a SIP/2.0\r\nv : SIP/2.0/UDP {via}\r\n\r\n"
    ));
    let address = source.parse().expect("an address");
    let reply = Reply {
        source: Some(Source {
            address,
            force_rport,
        }),
        ..Reply::new(404, b"Not Found")
    };
    let out = text(reply.to_vec(&request));
    out.lines()
        .nth(1)
        .unwrap_or_default()
        .trim_start_matches("v : SIP/2.0/UDP ")
        .to_owned()
}

#[test]
fn a_reply_keeps_the_order_of_the_request() {
    let invite = message(INVITE);
    let reply = Reply {
        to_tag: Some(b"tt"),
        headers: b"X: 1\r\n",
        server: Some(b"me"),
        ..Reply::new(183, b"Progress")
    };
    assert_eq!(
        text(reply.to_vec(&invite)),
        "SIP/2.0 183 Progress\r\n\
         f: <sip:x@y>;tag=ft\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKo;rport;x=1\r\n\
         Via: SIP/2.0/TCP third\r\n\
         i: cid\r\n\
         To: <sip:t@y>;tag=tt\r\n\
         Record-Route: <sip:rr>\r\n\
         CSeq: 7 INVITE\r\n\
         X: 1\r\n\
         Server: me\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let negative = Reply {
        body: Some((b"text/plain", b"no")),
        ..Reply::new(486, b"Busy")
    };
    let negative = text(negative.to_vec(&invite));
    assert!(!negative.contains("Record-Route") && negative.contains("To: <sip:t@y>\r\n"));
    assert!(negative.ends_with("Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nno"));
}

#[test]
fn a_given_to_tag_stays() {
    let request = message("BYE sip:a SIP/2.0\r\nTo: <sip:t>;tag=given\r\n\r\n");
    let reply = Reply {
        to_tag: Some(b"new"),
        ..Reply::new(200, b"OK")
    };
    assert!(text(reply.to_vec(&request)).contains("To: <sip:t>;tag=given\r\n"));
}

#[test]
fn the_source_is_noted_at_the_end_of_the_via() {
    let local = "127.0.0.1:27761";
    assert_eq!(
        via_of_reply("127.0.0.1:1;branch=b;rport;x=1", local, false),
        "127.0.0.1:1;branch=b;rport=27761;x=1;received=127.0.0.1"
    );
    assert_eq!(
        via_of_reply("127.0.0.1:1;branch=b", local, false),
        "127.0.0.1:1;branch=b"
    );
    assert_eq!(
        via_of_reply("127.0.0.1:1;branch=b;x=1", local, true),
        "127.0.0.1:1;branch=b;x=1;rport=27761"
    );
    assert_eq!(
        via_of_reply("foo:1;branch=b;x=1", local, true),
        "foo:1;branch=b;x=1;rport=27761;received=127.0.0.1"
    );
    assert_eq!(
        via_of_reply(
            "foo;received=9.9.9.9;rport=1, SIP/2.0/UDP two",
            local,
            false
        ),
        "foo;received=127.0.0.1;rport=27761, SIP/2.0/UDP two"
    );
}

#[test]
fn ack_repeats_the_invite_with_the_to_of_the_reply() {
    let reply =
        message("SIP/2.0 486 Busy\r\nt: \"Bob\" <sip:t@y>;tag=tt\r\nCSeq: 7 INVITE\r\n\r\n");
    let mut out = Vec::new();
    ack_for_negative(&message(INVITE), &reply, Some(b"x-k"), &mut out);
    assert_eq!(
        text(out),
        "ACK sip:a@h SIP/2.0\r\n\
         Max-Forwards: 33\r\n\
         f: <sip:x@y>;tag=ft\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKo;rport;x=1\r\n\
         i: cid\r\n\
         Route: <sip:r;lr>\r\n\
         t: \"Bob\" <sip:t@y>;tag=tt\r\n\
         X-Keep: 1\r\n\
         CSeq: 7 ACK\r\n\
         Content-Length: 0\r\n\r\n"
    );
}

#[test]
fn cancel_repeats_the_invite_with_its_own_to() {
    let mut out = Vec::new();
    cancel(&message(INVITE), Some(b"SIP;cause=200"), None, &mut out);
    let out = text(out);
    assert!(out.contains("To: <sip:t@y>\r\nCSeq: 7 CANCEL\r\n"), "{out}");
    assert!(
        out.ends_with("Content-Length: 0\r\nReason: SIP;cause=200\r\n\r\n"),
        "{out}"
    );
    assert!(!out.contains("X-Keep") && !out.contains("third"), "{out}");
}

#[test]
fn a_request_of_our_own() {
    let request = Request {
        method: b"BYE",
        uri: b"sip:bob@h",
        via: b"SIP/2.0/UDP p:1;branch=z9hG4bK1",
        to: b"<sip:b>;tag=t",
        from: b"<sip:a>;tag=f",
        cseq: 13,
        call_id: b"c",
        route: b"<sip:r;lr>",
        max_forwards: Some(70),
        user_agent: Some(b"me"),
        headers: b"X-Why: adm\r\n",
        body: b"",
    };
    assert_eq!(
        text(request.to_vec()),
        "BYE sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP p:1;branch=z9hG4bK1\r\nTo: <sip:b>;tag=t\r\n\
         From: <sip:a>;tag=f\r\nCSeq: 13 BYE\r\nCall-ID: c\r\nRoute: <sip:r;lr>\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\nUser-Agent: me\r\nX-Why: adm\r\n\r\n"
    );
}

#[test]
fn blanks_make_a_reply_as_long_as_wanted() {
    let invite = message(INVITE);
    let plain = Reply::new(503, b"Service Unavailable");
    let padded = Reply {
        multiple_of: 64,
        ..plain
    };
    let mut out = b"before".to_vec();
    padded.write(&invite, &mut out);
    let written = text(out.split_off(6));
    assert_eq!(written.len() % 64, 0);
    assert!(written.len() - plain.to_vec(&invite).len() < 64);
    let read = message(&written);
    assert_eq!(read.content_length(), Some(0));
    assert_eq!(
        written.replace("  ", "").replace(": 0", ":0"),
        text(plain.to_vec(&invite)).replace(": 0", ":0")
    );
}
