use std::net::SocketAddr;

use super::{Edits, Framing, Tag};
use crate::message::Message;
use crate::name::HeaderId;

const INVITE: &str = "INVITE sip:a@b SIP/2.0\r\n\
    Via: SIP/2.0/UDP 10.0.0.1:5061;branch=z9hG4bKx;rport\r\n\
    Route: <sip:r1;lr>, <sip:r2;lr> ,<sip:r3;lr>\r\n\
    Route: <sip:r4;lr>\r\n\
    Content-Length: 4\r\n\
    \r\n\
    body";

fn message() -> Message {
    Message::parse(INVITE.as_bytes().to_vec()).expect("valid")
}

fn written(edits: &Edits, message: &Message) -> String {
    String::from_utf8(edits.applied(message, Framing::Datagram)).expect("text")
}

#[test]
fn nothing_changed_is_identity() {
    let message = message();
    assert_eq!(written(&Edits::new(), &message), INVITE);
    assert_eq!(
        Edits::new().applied(&message, Framing::Stream),
        INVITE.as_bytes()
    );
}

#[test]
fn lines_stand_in_the_order_of_a_forwarded_request() {
    let message = message();
    let mut edits = Edits::new();
    edits.append_last(Tag::Script, &message, b"Last: 1\r\n");
    edits.insert_via(&message, |line| line.extend_from_slice(b"Via: own\r\n"));
    edits.insert_first(Tag::Script, &message, b"First: 1\r\n");
    edits.insert_first(Tag::RecordRoute, &message, b"Record-Route: <sip:me>\r\n");
    edits.set_request_uri(&message, b"sip:old");
    edits.set_request_uri(&message, b"sip:new");
    let via = message.header(HeaderId::Via).expect("a Via");
    edits.insert_after(Tag::Script, &via, b"After-Via: 1\r\n");
    let text = written(&edits, &message);
    assert!(text.starts_with(
        "INVITE sip:new SIP/2.0\r\nFirst: 1\r\nRecord-Route: <sip:me>\r\nVia: own\r\nVia: SIP/2.0/UDP"
    ));
    assert!(text.contains("rport\r\nAfter-Via: 1\r\nRoute"));
    assert!(text.ends_with("Content-Length: 4\r\nLast: 1\r\n\r\nbody"));
    assert_eq!(edits.withdraw(Tag::RecordRoute), 1);
    assert!(!written(&edits, &message).contains("Record-Route"));
    assert_eq!(
        edits.replacement(message.request_uri_span()),
        Some(&b"sip:new"[..])
    );
}

#[test]
fn elements_of_lists_go_with_their_commas() {
    let message = message();
    let expected = [
        (
            0b0001,
            "Route: <sip:r2;lr> ,<sip:r3;lr>\r\nRoute: <sip:r4;lr>\r\n",
        ),
        (
            0b0010,
            "Route: <sip:r1;lr>, <sip:r3;lr>\r\nRoute: <sip:r4;lr>\r\n",
        ),
        (
            0b0100,
            "Route: <sip:r1;lr>, <sip:r2;lr>\r\nRoute: <sip:r4;lr>\r\n",
        ),
        (0b0101, "Route: <sip:r2;lr>\r\nRoute: <sip:r4;lr>\r\n"),
        (0b0110, "Route: <sip:r1;lr>\r\nRoute: <sip:r4;lr>\r\n"),
        (0b0111, "Route: <sip:r4;lr>\r\n"),
        (0b1000, "Route: <sip:r1;lr>, <sip:r2;lr> ,<sip:r3;lr>\r\n"),
        (0b1111, ""),
    ];
    for (mask, routes) in expected {
        let mut edits = Edits::new();
        for (at, value) in message.values(HeaderId::Route).enumerate() {
            if mask & 1 << at != 0 {
                edits.remove_value(Tag::Route, &value);
            }
        }
        let text = written(&edits, &message);
        assert!(
            text.contains(&format!("rport\r\n{routes}Content-Length")),
            "{mask:b}: {text}"
        );
    }
}

#[test]
fn a_change_inside_a_deleted_line_is_gone() {
    let message = message();
    let mut edits = Edits::new();
    let length = message.header(HeaderId::ContentLength).expect("there");
    edits.set_value(Tag::Script, &length, b"99");
    edits.insert_before(Tag::Script, &length, b"Before: 1\r\n");
    edits.insert_at(Tag::Script, length.value_span.start, b"x");
    edits.remove_header(Tag::Script, &length);
    assert!(written(&edits, &message).ends_with("r4;lr>\r\nBefore: 1\r\n\r\nbody"));
    let stream = edits.applied(&message, Framing::Stream);
    assert!(stream.ends_with(b"Before: 1\r\nContent-Length: 4\r\n\r\nbody"));
}

#[test]
fn content_length_follows_the_body() {
    let message = message();
    let mut edits = Edits::new();
    edits.set_typed_body(&message, b"text/plain", b"0123456789");
    let text = written(&edits, &message);
    assert!(
        text.ends_with("Content-Length: 10\r\nContent-Type: text/plain\r\n\r\n0123456789"),
        "{text}"
    );
    let bare = Message::parse(b"BYE sip:a SIP/2.0\r\n\r\n".to_vec()).expect("valid");
    assert_eq!(
        Edits::new().applied(&bare, Framing::Stream),
        b"BYE sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn layers_are_applied_over_each_other() {
    let message = message();
    let (mut base, mut branch) = (Edits::new(), Edits::new());
    base.set_request_uri(&message, b"sip:base");
    base.insert_first(Tag::Script, &message, b"A: 1\r\n");
    branch.set_request_uri(&message, b"sip:branch");
    branch.insert_first(Tag::Script, &message, b"B: 1\r\n");
    let mut out = Vec::new();
    base.apply(&[&branch], &message, Framing::Datagram, &mut out);
    assert!(out.starts_with(b"INVITE sip:branch SIP/2.0\r\nA: 1\r\nB: 1\r\nVia"));
}

#[test]
fn the_source_is_noted_as_kamailio_notes_it() {
    let source: SocketAddr = "10.0.0.1:5070".parse().expect("an address");
    let via = |via: &str, source: SocketAddr, force: bool| {
        let text = format!("ACK sip:a SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\n\r\n");
        let message = Message::parse(text.into_bytes()).expect("valid");
        let mut edits = Edits::new();
        edits.note_source(&message, source, force);
        let out = written(&edits, &message);
        out.lines()
            .nth(1)
            .unwrap_or_default()
            .trim_start_matches("Via: SIP/2.0/UDP ")
            .to_owned()
    };
    assert_eq!(
        via("10.0.0.1:5061;branch=b", source, false),
        "10.0.0.1:5061;branch=b"
    );
    assert_eq!(
        via("10.0.0.1;branch=b", source, true),
        "10.0.0.1;rport=5070;branch=b"
    );
    assert_eq!(
        via("10.0.0.1;branch=b;rport;x", source, false),
        "10.0.0.1;received=10.0.0.1;branch=b;rport=5070;x"
    );
    assert_eq!(
        via("host:5;branch=b", source, false),
        "host:5;received=10.0.0.1;branch=b"
    );
    assert_eq!(
        via("host;branch=b", source, true),
        "host;rport=5070;received=10.0.0.1;branch=b"
    );
    assert_eq!(
        via("h;received=1.1.1.1", source, false),
        "h;received=10.0.0.1"
    );
    let six: SocketAddr = "[2001:db8::1]:9".parse().expect("an address");
    assert_eq!(
        via("[2001:DB8::1];branch=b", six, false),
        "[2001:DB8::1];branch=b"
    );
    assert_eq!(
        via("h;branch=b", six, false),
        "h;received=2001:db8::1;branch=b"
    );
}

#[test]
fn a_full_list_refuses_and_counts() {
    let message = message();
    let mut edits = Edits::new();
    for _ in 0..=Edits::MAX_EDITS {
        edits.append_last(Tag::Script, &message, b"");
    }
    assert_eq!((edits.len(), edits.refused()), (Edits::MAX_EDITS, 1));
}
