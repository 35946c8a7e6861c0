//! The two requests that a branch makes by itself, from the INVITE as it was sent.

use std::sync::Arc;

use sip::{Message, build};

use crate::cancel::Reason;

/// The ACK to a negative final reply (RFC 3261 §17.1.1.3).
pub(crate) fn ack(sent: &[u8], reply: &Message, copied: Option<&[u8]>) -> Option<Arc<[u8]>> {
    let invite = Message::parse(sent.to_vec()).ok()?;
    let mut out = Vec::with_capacity(sent.len());
    build::ack_for_negative(&invite, reply, copied, &mut out);
    Some(out.into())
}

/// The CANCEL (RFC 3261 §9.1), with its Reason (RFC 3326).
pub(crate) fn cancel(sent: &[u8], reason: Reason<'_>, copied: Option<&[u8]>) -> Option<Arc<[u8]>> {
    let invite = Message::parse(sent.to_vec()).ok()?;
    let of_status;
    let reason = match reason {
        Reason::None => None,
        Reason::Received(value) => Some(value),
        Reason::Status(200..300) => Some(&b"SIP;cause=200;text=\"Call completed elsewhere\""[..]),
        Reason::Status(status) => {
            of_status = format!("SIP;cause={status}");
            Some(of_status.as_bytes())
        }
    };
    let mut out = Vec::with_capacity(sent.len());
    build::cancel(&invite, reason, copied, &mut out);
    Some(out.into())
}
