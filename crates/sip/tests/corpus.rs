//! What a proxy does with the messages of RFC 4475 and RFC 5118.

use std::path::PathBuf;

use tandem_sip as sip;
use tandem_sip::{Edits, Fault, Framing, HeaderId, Message, check, host_address};

/// The verdict on one file: `Ok`, a status code, or `Rejected` by the parser.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Pass,
    Refuse(u16),
    Reject,
}
use Outcome::{Pass, Refuse, Reject};

fn read(folder: &str, name: &str) -> Vec<u8> {
    let path: PathBuf = [
        env!("CARGO_MANIFEST_DIR"),
        "../../tests/corpus",
        folder,
        name,
    ]
    .iter()
    .collect();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn message(folder: &str, name: &str) -> Message {
    Message::parse(read(folder, name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn outcome(bytes: Vec<u8>) -> Outcome {
    match Message::parse(bytes) {
        Err(_) => Reject,
        Ok(message) => match check(&message) {
            Ok(()) => Pass,
            Err(verdict) => Refuse(verdict.code),
        },
    }
}

/// File, section of RFC 4475, outcome.
const RFC4475: &[(&str, &str, Outcome)] = &[
    ("TC_WSINV.dat", "3.1.1.1", Pass),
    ("TC_INTMETH.dat", "3.1.1.2", Pass),
    ("TC_ESC01_V.dat", "3.1.1.3", Pass),
    ("TC_ESCNULL_V.dat", "3.1.1.4", Pass),
    ("TC_ESC02_V.dat", "3.1.1.5", Pass),
    ("TC_LWSDISP_V.dat", "3.1.1.6", Pass),
    ("TC_LONGREQ_V.dat", "3.1.1.7", Pass),
    ("TC_DBLREQ.dat", "3.1.1.8", Pass),
    ("TC_SEMIURI_V.dat", "3.1.1.9", Pass),
    ("TC_TRANSPORTS_V.dat", "3.1.1.10", Pass),
    ("TC_MPART01.dat", "3.1.1.11", Pass),
    ("TC_UNREASON_V.dat", "3.1.1.12", Pass),
    ("TC_NOREASON_V.dat", "3.1.1.13", Pass),
    ("TC_BADINV01_I.dat", "3.1.2.1", Refuse(400)),
    ("TC_CLERR_I.dat", "3.1.2.2", Refuse(400)),
    ("TC_NCL_I.dat", "3.1.2.3", Refuse(400)),
    ("TC_SCALAR02_V.dat", "3.1.2.4", Refuse(400)),
    ("TC_SCALARLG_V.dat", "3.1.2.5", Refuse(400)),
    ("TC_QUOTBAL_I.dat", "3.1.2.6", Refuse(400)),
    ("TC_LTGTRURI_I.dat", "3.1.2.7", Refuse(400)),
    ("TC_LWSRURI_I.dat", "3.1.2.8", Refuse(400)),
    // The RFC allows to repair the next three; refusing them is simpler and as good.
    ("TC_LWSSTART_V.dat", "3.1.2.9", Refuse(400)),
    ("TC_TRWS_I.dat", "3.1.2.10", Refuse(400)),
    ("TC_ESCRURI_V.dat", "3.1.2.11", Refuse(400)),
    // A proxy reads neither Date nor the registrar's Contact, and these names and blanks mislead nobody.
    ("TC_BADDATE_V.dat", "3.1.2.12", Pass),
    ("TC_REGBADCT_I.dat", "3.1.2.13", Pass),
    ("TC_BADASPEC_I.dat", "3.1.2.14", Pass),
    ("TC_BADDN_I.dat", "3.1.2.15", Pass),
    ("TC_BADVERS_V.dat", "3.1.2.16", Refuse(505)),
    ("TC_MISMATCH01_V.dat", "3.1.2.17", Refuse(400)),
    ("TC_MISMATCH02_V.dat", "3.1.2.18", Refuse(400)),
    ("TC_BIGCODE_V.dat", "3.1.2.19", Reject),
    ("TC_BADBRANCH_V.dat", "3.2.1", Pass),
    ("TC_INSUF_I.dat", "3.3.1", Refuse(400)),
    ("TC_UNKSCM_V.dat", "3.3.2", Refuse(416)),
    ("TC_NOVELSC_V.dat", "3.3.3", Refuse(416)),
    ("TC_UNKSM2_V.dat", "3.3.4", Pass),
    ("TC_BEXT01_V.dat", "3.3.5", Refuse(420)),
    ("TC_INVUT_V.dat", "3.3.6", Pass),
    ("TC_REGAUT01_V.dat", "3.3.7", Pass),
    ("TC_MULTI01_I.dat", "3.3.8", Refuse(400)),
    ("TC_MCL01_I.dat", "3.3.9", Refuse(400)),
    ("TC_BCAST_V.dat", "3.3.10", Refuse(400)),
    // Max-Forwards 0 is the script's business.
    ("TC_ZEROMF_V.dat", "3.3.11", Pass),
    ("TC_CPARAM01_V.dat", "3.3.12", Pass),
    ("TC_CPARAM02_V.dat", "3.3.13", Pass),
    ("TC_REGESCRT_V.dat", "3.3.14", Pass),
    ("TC_SDP01_V.dat", "3.3.15", Pass),
    ("TC_INV2543_I.dat", "3.4.1", Pass),
];

const RFC5118: &[(&str, &str, Outcome)] = &[
    ("ipv6-good.dat", "4.1", Pass),
    ("ipv6-bad.dat", "4.2", Refuse(400)),
    ("port-ambiguous.dat", "4.3", Pass),
    ("port-unambiguous.dat", "4.4", Pass),
    ("via-received-param-with-delim.dat", "4.5", Pass),
    ("via-received-param-no-delim.dat", "4.5", Pass),
    ("ipv6-in-sdp.dat", "4.6", Pass),
    ("mult-ip-in-header.dat", "4.7", Pass),
    ("mult-ip-in-sdp.dat", "4.8", Pass),
    ("ipv4-mapped-ipv6.dat", "4.9", Pass),
    ("ipv6-bug-abnf-3-colons.dat", "4.10", Pass),
    ("ipv6-correct-abnf-2-colons.dat", "4.10", Pass),
];

#[test]
fn each_message_has_its_outcome() {
    for (folder, table) in [("rfc4475", RFC4475), ("rfc5118", RFC5118)] {
        for (name, section, expected) in table {
            assert_eq!(
                &outcome(read(folder, name)),
                expected,
                "{folder} §{section} {name}"
            );
        }
    }
}

#[test]
fn every_file_has_its_row() {
    for (folder, table) in [("rfc4475", RFC4475), ("rfc5118", RFC5118)] {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../tests/corpus", folder]
            .iter()
            .collect();
        for entry in std::fs::read_dir(path).expect("the folder") {
            let name = entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a plain name");
            assert!(
                table.iter().any(|row| row.0 == name),
                "{folder}/{name} has no row"
            );
        }
    }
}

#[test]
fn unchanged_messages_leave_as_they_came() {
    for (folder, table) in [("rfc4475", RFC4475), ("rfc5118", RFC5118)] {
        for (name, _, _) in table {
            let bytes = read(folder, name);
            let Ok(message) = Message::parse(bytes.clone()) else {
                continue;
            };
            let out = Edits::new().applied(&message, Framing::Datagram);
            assert_eq!(out, message.bytes(), "{name}");
            assert!(bytes.starts_with(&out) || out.starts_with(&bytes), "{name}");
        }
    }
}

#[test]
fn the_tortuous_invite_is_read_right() {
    let invite = message("rfc4475", "TC_WSINV.dat");
    assert_eq!(invite.to_tag(), Some(&b"1918181833n"[..]));
    assert_eq!(invite.from_tag(), Some(&b"98asjd8"[..]));
    let from = invite.from().expect("a From");
    assert_eq!(&*from.display_name(), b"J Rosenberg \\\"");
    assert_eq!(
        (invite.max_forwards(), invite.content_length()),
        (Some(68), Some(150))
    );
    let cseq = invite.cseq().expect("a CSeq");
    assert_eq!((cseq.number, cseq.method), (9, sip::Method::Invite));
    let vias: Vec<_> = invite
        .vias()
        .map(|via| (via.host(), via.branch()))
        .collect();
    assert_eq!(
        vias,
        [
            (&b"192.0.2.2"[..], Some(&b"390skdjuw"[..])),
            (b"spindle.example.com", Some(b"z9hG4bK9ikj8")),
            (b"192.168.255.111", Some(b"z9hG4bK30239")),
        ]
    );
    let contact = invite.contacts().next().expect("a Contact");
    assert_eq!(
        (contact.q(), contact.params.value(b"newparam")),
        (Some(330), Some(&b"newvalue"[..]))
    );
    assert_eq!(invite.routes().count(), 1);
    assert_eq!(invite.value(HeaderId::Subject), Some(&b""[..]));
    assert_eq!(
        invite.header_by_name(b"NewFangledHeader").map(|h| h.name),
        Some(&b"NewFangledHeader"[..])
    );
}

#[test]
fn odd_but_valid_parts_are_read_right() {
    let strange = message("rfc4475", "TC_INTMETH.dat");
    assert_eq!(strange.method(), sip::Method::Extension);
    assert_eq!(
        strange.method_bytes(),
        b"!interesting-Method0123456789_*+`.%indeed'~"
    );
    assert_eq!(
        strange.parse_request_uri().map(|uri| uri.host),
        Ok(&b"example.com"[..])
    );
    assert_eq!(strange.from_tag(), Some(&b"_token~1'+`*%!-."[..]));

    let long = message("rfc4475", "TC_LONGREQ_V.dat");
    assert_eq!(long.vias().count(), 34);

    let double = message("rfc4475", "TC_DBLREQ.dat");
    assert!(double.bytes().ends_with(b"Content-Length: 0\r\n\r\n"));

    let not_contact = message("rfc4475", "TC_ESC02_V.dat");
    assert_eq!(not_contact.contacts().count(), 2);

    let user = message("rfc4475", "TC_SEMIURI_V.dat");
    let uri = user.parse_request_uri().expect("valid");
    assert_eq!(
        (uri.user, uri.host),
        (Some(&b"user;par=u%40example.net"[..]), &b"example.com"[..])
    );

    let accept = user.values(HeaderId::Accept).count();
    assert_eq!(accept, 6);

    let inside = message("rfc4475", "TC_CPARAM02_V.dat");
    let contact = inside.contacts().next().expect("a Contact");
    assert!(contact.params.is_empty());
    assert!(
        contact
            .parse_uri()
            .is_ok_and(|uri| uri.param(b"unknownparam").is_some())
    );

    let reason = message("rfc4475", "TC_NOREASON_V.dat");
    assert_eq!((reason.status(), reason.reason()), (Some(100), &b""[..]));
}

#[test]
fn addresses_of_rfc_5118_are_read_right() {
    let parse = |name| message("rfc5118", name);
    let port = |name| parse(name).parse_request_uri().map(|uri| uri.port);
    assert_eq!(port("port-ambiguous.dat"), Ok(None));
    assert_eq!(port("port-unambiguous.dat"), Ok(Some(5070)));
    let with = parse("via-received-param-with-delim.dat");
    let without = parse("via-received-param-no-delim.dat");
    let received = |message: &Message| {
        message
            .top_via()
            .and_then(|via| via.received())
            .and_then(host_address)
    };
    assert!(received(&with).is_some());
    assert_eq!(received(&with), received(&without));
    let host = |name| {
        parse(name)
            .parse_request_uri()
            .ok()
            .and_then(|uri| host_address(uri.host))
    };
    assert!(host("ipv6-bug-abnf-3-colons.dat").is_some());
    assert_eq!(
        host("ipv6-bug-abnf-3-colons.dat"),
        host("ipv6-correct-abnf-2-colons.dat")
    );
}

#[test]
fn an_empty_call_id_is_none() {
    let bytes = b"BYE sip:h SIP/2.0\r\nCall-ID: \r\nCall-ID: second\r\n\r\n".to_vec();
    let message = Message::parse(bytes).expect("a message");
    assert_eq!(message.call_id(), None);
    assert_eq!(
        message.fault().map(|error| error.fault),
        Some(Fault::CallId)
    );
}
