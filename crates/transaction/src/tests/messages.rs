//! The messages of the tests: one caller, one call.

use std::sync::Arc;

use sip::{Hop, Message, SocketId, Transport};

use crate::transaction::Requester;

pub(super) const CALLER_PORT: u16 = 5_999;
pub(super) const BRANCH_PORT: u16 = 6_000;

pub(super) fn hop(port: u16, transport: Transport) -> Hop {
    let remote = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    Hop {
        transport,
        socket: SocketId(0),
        remote,
        connection: None,
        stream: sip::StreamUse::default(),
    }
}

pub(super) fn requester(transport: Transport) -> Requester {
    let hop = hop(CALLER_PORT, transport);
    Requester {
        source: hop,
        reply_to: hop,
    }
}

pub(super) fn parse(text: String) -> Arc<Message> {
    Arc::new(Message::parse(text.into_bytes()).expect("a well-formed message"))
}

/// What may differ between the requests of a test.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) cseq: u32,
    pub(super) branch: &'a str,
    pub(super) sent_by: &'a str,
    pub(super) to_tag: &'a str,
}

pub(super) const INVITE: Request<'_> = Request {
    method: "INVITE",
    cseq: 1,
    branch: "z9hG4bKcaller",
    sent_by: "10.0.0.1:5999",
    to_tag: "",
};

impl Request<'_> {
    pub(super) fn message(self) -> Arc<Message> {
        parse(self.text(""))
    }

    /// The request, with a Via of ours on top if one is given.
    pub(super) fn text(self, own_via: &str) -> String {
        let Self {
            method,
            cseq,
            branch,
            sent_by,
            to_tag,
        } = self;
        let cseq_method = if method == "ACK" { "ACK" } else { method };
        format!(
            "{method} sip:bob@example.com SIP/2.0\r\n{own_via}\
             Via: SIP/2.0/UDP {sent_by};branch={branch}\r\n\
             Max-Forwards: 70\r\nX-Trace: 7\r\nFrom: <sip:alice@example.com>;tag=a\r\n\
             To: <sip:bob@example.com>{to_tag}\r\nCall-ID: call-1\r\n\
             CSeq: {cseq} {cseq_method}\r\nRoute: <sip:edge.example.com;lr>\r\n\
             Content-Length: 0\r\n\r\n"
        )
    }
}

/// A Via of ours.
pub(super) fn own_via(branch_value: &[u8]) -> String {
    let value = String::from_utf8_lossy(branch_value);
    format!("Via: SIP/2.0/UDP 10.0.0.9:5060;branch={value}\r\n")
}

/// A reply as it comes back to us.
pub(super) fn reply(own_branch: &[u8], status: u16, cseq: &str, to_tag: &str) -> Arc<Message> {
    let via = own_via(own_branch);
    parse(format!(
        "SIP/2.0 {status} Text\r\n{via}Via: SIP/2.0/UDP 10.0.0.1:5999;branch=z9hG4bKcaller\r\n\
         From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>;tag={to_tag}\r\n\
         Call-ID: call-1\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
    ))
}
