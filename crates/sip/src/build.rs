//! Messages that the proxy writes itself: replies, ACK and CANCEL of one hop, and requests of its own.

mod hop;
mod reply;
mod request;

pub use hop::{ack_for_negative, cancel};
pub use reply::{Reply, Source};
pub use request::Request;

use crate::lex::push_number;

/// Appends `Name: value` and a line end.
pub fn push_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends the Content-Length line.
fn push_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(b"Content-Length: ");
    push_number(out, u32::try_from(length).unwrap_or(u32::MAX));
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
