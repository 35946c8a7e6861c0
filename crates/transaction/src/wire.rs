//! The two requests that a branch makes by itself: ACK to a negative reply, and CANCEL.

use std::sync::Arc;

use sip::{HeaderId, Message};

use crate::cancel::Reason;

/// RFC 3261 §17.1.1.3.
pub(crate) fn ack(sent: &[u8], reply: &Message) -> Option<Arc<[u8]>> {
    hop_by_hop(sent, b"ACK", reply.value(HeaderId::To), Reason::None)
}

/// RFC 3261 §9.1.
pub(crate) fn cancel(sent: &[u8], reason: Reason<'_>) -> Option<Arc<[u8]>> {
    hop_by_hop(sent, b"CANCEL", None, reason)
}

fn hop_by_hop(
    sent: &[u8],
    method: &[u8],
    to: Option<&[u8]>,
    reason: Reason<'_>,
) -> Option<Arc<[u8]>> {
    let invite = Message::parse(sent.to_vec()).ok()?;
    let mut out = Vec::new();
    let mut line = |parts: &[&[u8]]| {
        parts.iter().for_each(|part| out.extend_from_slice(part));
        out.extend_from_slice(b"\r\n");
    };
    line(&[method, b" ", invite.request_uri(), b" SIP/2.0"]);
    line(&[b"Via: ", invite.top_via()?.as_bytes()]);
    line(&[b"From: ", invite.value(HeaderId::From)?]);
    line(&[b"To: ", to.or(invite.value(HeaderId::To))?]);
    line(&[b"Call-ID: ", invite.call_id()?]);
    line(&[b"CSeq: ", invite.cseq_number_bytes(), b" ", method]);
    if let Some(hops) = invite.value(HeaderId::MaxForwards) {
        line(&[b"Max-Forwards: ", hops]);
    }
    for route in invite.headers_of(HeaderId::Route) {
        line(&[b"Route: ", route.value]);
    }
    line(&[b"Content-Length: 0"]);
    match reason {
        Reason::None => {}
        Reason::Status(200..300) => {
            line(&[b"Reason: SIP;cause=200;text=\"Call completed elsewhere\""]);
        }
        Reason::Status(status) => line(&[b"Reason: SIP;cause=", status.to_string().as_bytes()]),
        Reason::Received(value) => line(&[b"Reason: ", value]),
    }
    line(&[]);
    Some(out.into())
}
