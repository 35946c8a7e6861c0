//! Where Tandem is meant to differ from what Kamailio 5.6.3 shows: one row for each difference, with the reason.

/// In recordings whose name begins with `flow`, `kamailio` reads `tandem` instead.
pub struct Accepted {
    pub flow: &'static str,
    pub kamailio: &'static str,
    pub tandem: &'static str,
    pub reason: &'static str,
}

/// All accepted differences.
pub const ACCEPTED: &[Accepted] = &[
    Accepted {
        flow: "rejects",
        kamailio: "--- a failure route that is not there\ntaken",
        tandem: "--- a failure route that is not there\nrefused",
        reason: "missing routes are an error at load",
    },
    Accepted {
        flow: "rejects",
        kamailio: "--- a port out of range\ntaken",
        tandem: "--- a port out of range\nrefused",
        reason: "what is impossible is an error at load",
    },
    Accepted {
        flow: "",
        kamailio: "event start INVITE 200 state=3 callee=unknown",
        tandem: "event start INVITE 200 state=3 callee=known",
        reason: "event_route[dialog:start] runs after the callee's leg is recorded",
    },
    Accepted {
        flow: "lua_functions",
        kamailio: "match ne l => boolean:false",
        tandem: "match ne l => boolean:true",
        reason: "the last header is another than the first",
    },
    Accepted {
        flow: "listings_of_two_calls",
        kamailio: "\"from_tag\": \"alice-tag\",\n    \"to_tag\": \"alice-tag\"",
        tandem: "\"from_tag\": \"alice-tag\",\n    \"to_tag\": \"bob-tag\"",
        reason: "dlg.briefing prints the to-tag for T",
    },
    Accepted {
        flow: "listings_of_two_calls",
        kamailio: "\"from_tag\": \"dave-tag\",\n    \"to_tag\": \"dave-tag\"",
        tandem: "\"from_tag\": \"dave-tag\",\n    \"to_tag\": null",
        reason: "dlg.briefing prints the to-tag for T, and a call that rings has none",
    },
    Accepted {
        flow: "",
        kamailio: "\"start_ts\": 0,\n    \"init_ts\": \"<init_ts>\",\n    \"end_ts\": \"<end_ts>\",\n    \"duration\": \"<duration>\"",
        tandem: "\"start_ts\": 0,\n    \"init_ts\": \"<init_ts>\",\n    \"end_ts\": \"<end_ts>\",\n    \"duration\": 0",
        reason: "a call that was never answered lasted no time, and not since 1970",
    },
    Accepted {
        flow: "matching_lists",
        kamailio: "\"state\": 5,\n    \"start_ts\": \"<start_ts>\",\n    \"init_ts\": \"<init_ts>\",\n    \"end_ts\": \"<end_ts>\",\n    \"duration\": \"<duration>\",\n    \"timeout\": \"<timeout>\"",
        tandem: "\"state\": 5,\n    \"start_ts\": \"<start_ts>\",\n    \"init_ts\": \"<init_ts>\",\n    \"end_ts\": \"<end_ts>\",\n    \"duration\": \"<duration>\",\n    \"timeout\": 0",
        reason: "a call ended by dlg.set_state has no lifetime left",
    },
    Accepted {
        flow: "reinvite",
        kamailio: "alice@127.0.0.10:5060;moved=1\",\n      \"cseq\": \"11\",\n      \"route_set\": \"\",\n      \"socket\": \"udp:127.0.0.1:5060\"\n    },\n    \"callee\": {\n      \"tag\": \"bob-tag\",\n      \"contact\": \"sip:bob@127.0.0.20:5060;moved=1\"",
        tandem: "alice@127.0.0.10:5060\",\n      \"cseq\": \"11\",\n      \"route_set\": \"\",\n      \"socket\": \"udp:127.0.0.1:5060\"\n    },\n    \"callee\": {\n      \"tag\": \"bob-tag\",\n      \"contact\": \"sip:bob@127.0.0.20:5060;moved=1\"",
        reason: "the Contact of the 2xx to a re-INVITE is tracked, too",
    },
    Accepted {
        flow: "tcp_reinvite",
        kamailio: "alice@127.0.0.10:5060;transport=tcp;moved=1\",\n      \"cseq\": \"11\",\n      \"route_set\": \"\",\n      \"socket\": \"tcp:127.0.0.1:5060\"\n    },\n    \"callee\": {\n      \"tag\": \"bob-tag\",\n      \"contact\": \"sip:bob@127.0.0.20:5060;transport=tcp;moved=1\"",
        tandem: "alice@127.0.0.10:5060;transport=tcp\",\n      \"cseq\": \"11\",\n      \"route_set\": \"\",\n      \"socket\": \"tcp:127.0.0.1:5060\"\n    },\n    \"callee\": {\n      \"tag\": \"bob-tag\",\n      \"contact\": \"sip:bob@127.0.0.20:5060;transport=tcp;moved=1\"",
        reason: "the Contact of the 2xx to a re-INVITE is tracked, too",
    },
    Accepted {
        flow: "spiral",
        kamailio: "      {\n        \"caller\": \"alice\"\n      },\n      \"inbound\",\n      {\n        \"caller\": \"alice\"\n      },\n      \"inbound\"",
        tandem: "      {\n        \"caller\": \"alice\"\n      },\n      \"inbound\"",
        reason: "a profile is a set of calls: a call is in it once",
    },
    Accepted {
        flow: "contacts_come_and_go",
        kamailio: "<sip:work@127.0.0.20:5060>;q=0.9;expires=120, <sip:home@127.0.0.10:5060;a=1>;q=0.95;expires=60",
        tandem: "<sip:home@127.0.0.10:5060;a=1>;q=0.95;expires=60, <sip:work@127.0.0.20:5060>;q=0.9;expires=120",
        reason: "the contact with the highest q is the first also after its q was changed",
    },
    Accepted {
        flow: "contacts_come_and_go",
        kamailio: "<sip:fourth@127.0.0.31>;expires=300, <sip:third@127.0.0.30:5060>;expires=400",
        tandem: "<sip:third@127.0.0.30:5060>;expires=400, <sip:fourth@127.0.0.31>;expires=300",
        reason: "contacts of one header are kept in the order in which they were written",
    },
    Accepted {
        flow: "kamcmd",
        kamailio: "Methods: -1",
        tandem: "Methods: 4294967295",
        reason: "binrpc carries numbers beyond 31 bits as what they are",
    },
    Accepted {
        flow: "messages",
        kamailio: "Via: SIP/2.0/UDP far.test;branch=z9hG4bKfar, SIP/2.0/TCP farther.test:5080;branch=z9hG4bKfarther;received=127.0.0.10",
        tandem: "Via: SIP/2.0/UDP far.test;branch=z9hG4bKfar;received=127.0.0.10, SIP/2.0/TCP farther.test:5080;branch=z9hG4bKfarther",
        reason: "`received` belongs to the topmost Via (RFC 3261 §18.2.1)",
    },
    Accepted {
        flow: "messages",
        kamailio: "Content-Length: 5\nX-Case: C21\nContent-Type: text/plain\n",
        tandem: "Content-Type: text/plain\nContent-Length: 5\nX-Case: C21\n",
        reason: "a new Content-Type takes the place of the old one",
    },
    Accepted {
        flow: "messages",
        kamailio: "400 INVITE\nSIP/2.0 400 Bad Request URI\n",
        tandem: "416 INVITE\nSIP/2.0 416 Unsupported URI Scheme in R-URI\n",
        reason: "a URI of another scheme is not malformed (RFC 3261 §8.2.2.1)",
    },
    Accepted {
        flow: "messages",
        kamailio: "--- sink receives INVITE\nINVITE sip:alice@127.0.0.50:5060;p=1 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK<branch-1>.0\nVia: SIP/2.0/UDP 127.0.0.10:5060;branch=z9hG4bK-case-50\nFrom: \"Bob B\" <sip:bob@test.example;fp=1>;tag=f1\nTo: <sip:alice@test.example>\nCall-ID: case-50@tables\nCSeq: 7 INVITE\nContact: <sip:bob@127.0.0.10:5060>\nMax-Forwards: 70\nUser-Agent: tables-agent\nX-A: one\nX-A: two\nX-L: one, two\nContent-Type: application/sdp\nContent-Length: 84\nX-Case: C50\n\nv=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 9 RTP/AVP 0\n1\n--- states of a transaction\n",
        tandem: "-1\n--- states of a transaction\n",
        reason: "an answered request is not sent on: nobody would end what it starts",
    },
    Accepted {
        flow: "fragments",
        kamailio: "--- hop limit lowered\n1  70\n",
        tandem: "--- hop limit lowered\n1 70\n",
        reason: "a shorter number is not filled up with blanks",
    },
    Accepted {
        flow: "kamcmd",
        kamailio: "KA-Roundtrip: 0\n\t\t\tLast-Modified: 0\n",
        tandem: "KA-Roundtrip: 0\n\t\t\tLast-Modified: <Last-Modified>\n",
        reason: "a contact that a command added knows when that was",
    },
    Accepted {
        flow: "cseq_tracked",
        kamailio: "CSeq: 14 ACK\n",
        tandem: "CSeq: 15 ACK\n",
        reason: "the ACK to a negative reply has the number that its INVITE left with (RFC 3261 §17.1.1.3)",
    },
    Accepted {
        flow: "cseq_tracked",
        kamailio: "P-K-CSeq-Refresh: 15\n",
        tandem: "",
        reason: "no helper header leaves",
    },
    Accepted {
        flow: "replaced_in_all_ways",
        kamailio: "Record-Route: <sip:127.0.0.1;lr;ftag=alice-tag>\nFrom: \"No Body\" <sip",
        tandem: "Record-Route: <sip:127.0.0.1;lr;ftag=alice-tag>\nFrom: <sip",
        reason: "a name that was replaced alone is put back in replies, too",
    },
    Accepted {
        flow: "replaced_in_all_ways",
        kamailio: "SIP/2.0 486 Busy Here\nVia: SIP/2.0/UDP 127.0.0.10:5060;branch=z9hG4bK-alice-3\nFrom: \"No Body\" <sip",
        tandem: "SIP/2.0 486 Busy Here\nVia: SIP/2.0/UDP 127.0.0.10:5060;branch=z9hG4bK-alice-3\nFrom: <sip",
        reason: "a name that was replaced alone is put back in replies, too",
    },
    Accepted {
        flow: "replaced_in_all_ways",
        kamailio: "from 1\n--- tracked",
        tandem: "from -1\n--- tracked",
        reason: "what is no address replaces none",
    },
    Accepted {
        flow: "restored_by_hand",
        kamailio: "From: <sip:nobody@anonymous.invalid>;tag=alice-tag\nTo: <sip:+4930123456@trunk.example>;tag=bob-tag\nCall-ID: replaced@test\nCSeq: 13 INFO\nContent-Length: 0",
        tandem: "From: <sip:alice@test.example>;tag=alice-tag\nTo: <sip:callee@test.example>;tag=bob-tag\nCall-ID: replaced@test\nCSeq: 13 INFO\nContent-Length: 0",
        reason: "replies show the addresses of their request, whoever replaced them",
    },
    Accepted {
        flow: "replaced_in_all_ways",
        kamailio: ";vsf=HQYeSQQCGgZlQHRlc3QuZXhhbXBsZQ-->",
        tandem: ">",
        reason: "what is no address replaces none",
    },
    Accepted {
        flow: "replaced_in_all_ways",
        kamailio: "From: \"Alice A\" <nonsense>;tag=alice-tag",
        tandem: "From: \"Alice A\" <sip:alice@test.example>;tag=alice-tag",
        reason: "what is no address replaces none",
    },
];

/// What Tandem has to show where Kamailio shows `recording`.
pub fn apply(flow: &str, recording: &str) -> String {
    // The same flow in Lua differs in the same way, and perhaps in others.
    let native = flow.strip_prefix("lua_").unwrap_or(flow);
    let rows = ACCEPTED
        .iter()
        .filter(|row| flow.starts_with(row.flow) || native.starts_with(row.flow));
    rows.fold(recording.to_owned(), |text, row| {
        text.replace(row.kamailio, row.tandem)
    })
}

mod tests {
    use super::*;
    use crate::support::lab::test_file;

    /// A row that nothing needs any more is taken out.
    #[test]
    fn every_row_is_needed() {
        let goldens: Vec<(String, String)> = std::fs::read_dir(test_file("golden"))
            .expect("tests/golden is there")
            .flatten()
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into_owned(),
                    entry.path(),
                )
            })
            .map(|(name, path)| {
                (
                    name,
                    std::fs::read_to_string(path).expect("a recording is text"),
                )
            })
            .collect();
        for row in ACCEPTED {
            let used = goldens
                .iter()
                .any(|(name, text)| name.starts_with(row.flow) && text.contains(row.kamailio));
            assert!(
                used,
                "no recording shows {:?} (accepted because: {})",
                row.kamailio, row.reason
            );
        }
    }
}
