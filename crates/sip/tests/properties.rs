//! What must hold for any bytes: no panic, spans in range, identity, framing independent of the split, round trips.

use std::path::PathBuf;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index as At, select};
use tandem_sip::build::{Reply, Source, ack_for_negative, cancel};
use tandem_sip::frame::{Frame, scan};
use tandem_sip::{
    Credentials, Edits, Framing, HeaderId, Index, Message, NameAddr, Params, Tag, Uri, Via, check,
    escape_param, escape_user, quote, split_values, unescape, unquote,
};

fn corpus() -> &'static [Vec<u8>] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files = Vec::new();
        for folder in ["rfc4475", "rfc5118"] {
            let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../tests/corpus", folder]
                .iter()
                .collect();
            for entry in std::fs::read_dir(path).expect("the folder") {
                files.push(std::fs::read(entry.expect("an entry").path()).expect("a file"));
            }
        }
        files.sort();
        files
    })
}

/// A message of the corpora with some bytes overwritten, taken out or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let structure = select(b"\r\n \t\0\"\\<>@:;,=?%[]/.*5\xff".to_vec());
    let change = (any::<At>(), structure, 0u8..4);
    (select(corpus()), vec(change, 0..12)).prop_map(|(mut bytes, changes)| {
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len().max(1));
            match kind {
                0 => bytes.insert(at.min(bytes.len()), byte),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.truncate(at.max(1)),
                _ => bytes
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|old| *old = byte),
            }
        }
        bytes
    })
}

/// Calls everything that decodes a part of a message.
fn read_all(message: &Message) {
    let source = Source {
        address: "[2001:db8::1]:5060".parse().expect("an address"),
        force_rport: true,
    };
    let _ = check(message);
    let _ = (
        message.method(),
        message.reason(),
        message.first_line(),
        message.expires(),
    );
    let _ = message.parse_request_uri().map(|uri| {
        let _ = (
            uri.aor(),
            uri.with_param(b"x", None),
            uri.strip_user(1),
            uri.is_equivalent(&uri),
        );
    });
    for header in message.headers() {
        assert_eq!(header.value_span.of(message.bytes()), header.value);
        assert!(header.span.contains(header.value_span) || header.value.is_empty());
        assert!(message.header_by_name(header.name).is_some());
        let _ = Credentials::parse(header.value).map(|c| (c.username(), c.qop(), c.is_stale()));
        for value in message.values_of(&header) {
            assert_eq!(value.span.of(message.bytes()), value.text);
        }
    }
    for address in message
        .contacts()
        .chain(message.routes())
        .chain(message.record_routes())
    {
        let _ = (
            address.q(),
            address.expires(),
            address.display_name(),
            address.parse_uri(),
        );
        assert!(message.span_of(address.text).is_some());
    }
    for via in message.vias() {
        let _ = (
            via.port(),
            via.rport(),
            via.received(),
            via.iter_params().count(),
        );
    }
    let mut out = Reply {
        to_tag: Some(b"t"),
        source: Some(source),
        ..Reply::new(183, b"x")
    }
    .to_vec(message);
    ack_for_negative(message, message, Some(b"x"), &mut out);
    cancel(message, Some(b"SIP"), None, &mut out);
}

fn frames(bytes: &[u8], cuts: &[usize]) -> Vec<(usize, Frame)> {
    let (mut found, mut at) = (Vec::new(), 0);
    for &end in cuts.iter().chain([&bytes.len()]) {
        loop {
            let frame = scan(&bytes[at..end.max(at)], true);
            match frame {
                Frame::Partial => break,
                Frame::Bad(_) => {
                    found.push((at, frame));
                    return found;
                }
                Frame::KeepAlive { len, .. } | Frame::Message { len } => {
                    found.push((at, frame));
                    at += len;
                }
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..600)) {
        let mut index = Index::default();
        let _ = index.parse(&bytes);
        prop_assert!(index.end() <= bytes.len());
        let _ = (Via::parse(&bytes), NameAddr::parse(&bytes), Uri::parse(&bytes));
        let _ = (Credentials::parse(&bytes), Params::new(&bytes).iter().count());
        let _ = (scan(&bytes, true), unquote(&bytes), unescape(&bytes), split_values(&bytes).count());
        if let Ok(message) = Message::parse(bytes) {
            read_all(&message);
        }
    }

    #[test]
    fn damaged_messages_are_read_without_a_panic(bytes in mutated()) {
        if let Ok(message) = Message::parse(bytes) {
            read_all(&message);
        }
    }

    #[test]
    fn no_change_is_identity(bytes in mutated()) {
        if let Ok(message) = Message::parse(bytes) {
            let out = Edits::new().applied(&message, Framing::Datagram);
            prop_assert_eq!(&out, message.bytes());
            let again = Message::parse(out).expect("what was read once is read again");
            prop_assert_eq!(again.headers().len(), message.headers().len());
        }
    }

    #[test]
    fn storage_used_again_gives_the_same_index(first in mutated(), second in mutated()) {
        let mut kept = Message::default();
        let _ = kept.refill(&first);
        let again = kept.refill(&second);
        match Message::parse(second) {
            Ok(fresh) => {
                prop_assert!(again.is_ok());
                prop_assert_eq!(kept.bytes(), fresh.bytes());
                prop_assert!(kept.headers().eq(fresh.headers()));
                prop_assert_eq!(kept.top_via(), fresh.top_via());
                prop_assert_eq!(kept.fault(), fresh.fault());
                prop_assert_eq!(kept.cseq(), fresh.cseq());
            }
            Err(rejected) => prop_assert_eq!(again, Err(rejected.error)),
        }
    }

    #[test]
    fn edited_messages_stay_messages(bytes in mutated(), picks in vec((any::<At>(), 0u8..6), 0..8)) {
        let Ok(message) = Message::parse(bytes) else { return Ok(()) };
        let mut edits = Edits::new();
        let count = message.headers().len();
        for (at, kind) in picks {
            let header = (count > 0).then(|| message.headers().nth(at.index(count))).flatten();
            match (kind, header) {
                (0, Some(header)) => edits.remove_header(Tag::Script, &header),
                (1, Some(header)) => edits.set_value(Tag::Script, &header, b"v"),
                (2, Some(header)) => {
                    let elements = message.values_of(&header).count().max(1);
                    let value = message.values_of(&header).nth(at.index(elements));
                    if let Some(value) = value {
                        edits.remove_value(Tag::Route, &value);
                    }
                }
                (3, Some(header)) => edits.insert_after(Tag::Script, &header, b"X: 1\r\n"),
                (4, _) => edits.set_body(&message, b"0123456789"),
                _ => edits.append_last(Tag::Script, &message, b"Y: 1\r\n"),
            }
        }
        let out = edits.applied(&message, Framing::Stream);
        prop_assert_eq!(scan(&out, false), Frame::Message { len: out.len() });
        prop_assert!(Message::parse(out).is_ok());
    }

    #[test]
    fn frames_do_not_depend_on_the_pieces(
        parts in vec(prop_oneof![mutated(), Just(b"\r\n\r\n".to_vec()), Just(b"\r\n".to_vec())], 1..5),
        cuts in vec(any::<At>(), 0..10),
    ) {
        let bytes = parts.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|at| at.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(frames(&bytes, &cuts), frames(&bytes, &[]));
    }

    #[test]
    fn a_frame_is_one_whole_message(bytes in mutated()) {
        let Frame::Message { len } = scan(&bytes, true) else { return Ok(()) };
        if let Ok(message) = Message::parse(bytes[..len].to_vec()) {
            prop_assert_eq!(message.bytes(), &bytes[..len]);
            prop_assert_eq!(message.body().len(), message.content_length().unwrap_or(0) as usize);
        }
    }

    #[test]
    fn uris_go_there_and_back(
        user in proptest::option::of("[a-z0-9+;=]{1,8}"),
        host in "[a-z]{1,6}(\\.[a-z]{2,3})?|\\[2001:db8::[0-9a-f]{1,4}\\]|192\\.0\\.2\\.[1-9]",
        port in proptest::option::of(any::<u16>()),
        params in "(;[a-z]{1,4}(=[a-z0-9]{1,4})?){0,3}",
        headers in proptest::option::of("[a-z]{1,3}=[a-z]{0,3}"),
    ) {
        let mut text = String::from("sip:");
        if let Some(user) = &user {
            text += &format!("{user}@");
        }
        text += &host;
        if let Some(port) = port {
            text += &format!(":{port}");
        }
        text += &params;
        if let Some(headers) = &headers {
            text += &format!("?{headers}");
        }
        let uri = Uri::parse(text.as_bytes()).expect("valid");
        prop_assert_eq!(uri.user, user.as_deref().map(str::as_bytes));
        prop_assert_eq!(uri.host, host.as_bytes());
        prop_assert_eq!(uri.port, port);
        prop_assert_eq!(uri.with_port(uri.port), text.as_bytes());
        prop_assert_eq!(uri.with_user(uri.user), text.as_bytes());
        prop_assert!(uri.is_equivalent(&uri));
        let other = uri.with_param(b"new", Some(b"1"));
        let other = Uri::parse(&other).expect("valid");
        prop_assert_eq!(other.param(b"new"), Some(Some(&b"1"[..])));
        prop_assert_eq!(other.host, uri.host);
    }

    #[test]
    fn escapes_and_quotes_go_there_and_back(text in vec(any::<u8>(), 0..40)) {
        let (user, param) = (escape_user(&text), escape_param(&text));
        prop_assert_eq!(&*unescape(&user), &text[..]);
        prop_assert_eq!(&*unescape(&param), &text[..]);
        let quoted = quote(&text);
        prop_assert_eq!(&*unquote(&quoted), &text[..]);
    }
}

#[test]
fn every_header_of_the_corpora_is_found_by_its_name() {
    for bytes in corpus() {
        let Ok(message) = Message::parse(bytes.clone()) else {
            continue;
        };
        for header in message
            .headers()
            .filter(|header| header.id != HeaderId::Other)
        {
            assert!(message.headers_of(header.id).any(|other| other == header));
        }
    }
}
