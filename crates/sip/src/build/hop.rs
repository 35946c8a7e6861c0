//! ACK to a negative final reply and CANCEL: the requests that repeat an INVITE's headers on one hop
//! (RFC 3261 §17.1.1.3, §9.1).

use super::{push_header, push_length};
use crate::message::{Header, Message};
use crate::name::HeaderId;

/// Appends the ACK for `reply`, a final one of 300 or more, to `invite` as it was sent.
///
/// Headers whose names begin with `copied` (in any case) are repeated also.
pub fn ack_for_negative(
    invite: &Message,
    reply: &Message,
    copied: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    push_headers(
        invite,
        b"ACK",
        reply.header(HeaderId::To).map(|to| (to, reply)),
        copied,
        out,
    );
    push_length(out, 0);
    out.extend_from_slice(b"\r\n");
}

/// Appends the CANCEL of `invite` as it was sent. `reason` is the value of a Reason header.
///
/// Headers whose names begin with `copied` (in any case) are repeated also.
pub fn cancel(invite: &Message, reason: Option<&[u8]>, copied: Option<&[u8]>, out: &mut Vec<u8>) {
    push_headers(invite, b"CANCEL", None, copied, out);
    push_length(out, 0);
    if let Some(reason) = reason {
        push_header(out, "Reason", reason);
    }
    out.extend_from_slice(b"\r\n");
}

/// The first line and the repeated headers in the order of the INVITE, as Kamailio keeps it.
fn push_headers(
    invite: &Message,
    method: &[u8],
    to: Option<(Header<'_>, &Message)>,
    copied: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    for part in [
        method,
        b" ",
        invite.request_uri(),
        b" ",
        invite.version(),
        b"\r\n",
    ] {
        out.extend_from_slice(part);
    }
    let mut via = invite.top_via();
    for header in invite.headers() {
        let line = header.span.of(invite.bytes());
        match header.id {
            HeaderId::Via => {
                if let Some(via) = via.take() {
                    push_header(out, "Via", via.as_bytes());
                }
            }
            HeaderId::To => match to {
                Some((to, reply)) => out.extend_from_slice(to.span.of(reply.bytes())),
                None => out.extend_from_slice(line),
            },
            HeaderId::CSeq => {
                out.extend_from_slice(b"CSeq: ");
                out.extend_from_slice(invite.cseq_number_bytes());
                out.push(b' ');
                out.extend_from_slice(method);
                out.extend_from_slice(b"\r\n");
            }
            HeaderId::From | HeaderId::CallId | HeaderId::MaxForwards | HeaderId::Route => {
                out.extend_from_slice(line);
            }
            HeaderId::ContentLength => {}
            _ if copied.is_some_and(|prefix| begins_with(header.name, prefix)) => {
                out.extend_from_slice(line);
            }
            _ => {}
        }
    }
}

fn begins_with(name: &[u8], prefix: &[u8]) -> bool {
    !prefix.is_empty()
        && name
            .get(..prefix.len())
            .is_some_and(|n| n.eq_ignore_ascii_case(prefix))
}
