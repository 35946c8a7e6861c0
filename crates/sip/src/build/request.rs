//! Requests that the proxy originates: BYE, OPTIONS, REFER, INVITE, NOTIFY and their like.

use super::{push_header, push_length};
use crate::lex::push_number;

/// A request to be written. Header values come as they shall stand on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The Request-URI.
    pub uri: &'a [u8],
    /// The value of Via: `SIP/2.0/UDP host:port;branch=…`.
    pub via: &'a [u8],
    /// The value of To, tag included.
    pub to: &'a [u8],
    /// The value of From, tag included.
    pub from: &'a [u8],
    /// The number in CSeq.
    pub cseq: u32,
    /// Call-ID.
    pub call_id: &'a [u8],
    /// The route set, joined with commas; empty for none.
    pub route: &'a [u8],
    /// Max-Forwards; `None` if it stands among `headers`.
    pub max_forwards: Option<u32>,
    /// User-Agent.
    pub user_agent: Option<&'a [u8]>,
    /// Further header lines, each with its line end.
    pub headers: &'a [u8],
    /// The body; its Content-Type stands among `headers`.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// Appends the request, its headers in the order in which Kamailio writes those of its own requests.
    pub fn write(&self, out: &mut Vec<u8>) {
        for part in [self.method, b" ", self.uri, b" SIP/2.0\r\n"] {
            out.extend_from_slice(part);
        }
        push_header(out, "Via", self.via);
        push_header(out, "To", self.to);
        push_header(out, "From", self.from);
        out.extend_from_slice(b"CSeq: ");
        push_number(out, self.cseq);
        for part in [b" ", self.method, b"\r\n"] {
            out.extend_from_slice(part);
        }
        push_header(out, "Call-ID", self.call_id);
        if !self.route.is_empty() {
            push_header(out, "Route", self.route);
        }
        if let Some(hops) = self.max_forwards {
            out.extend_from_slice(b"Max-Forwards: ");
            push_number(out, hops);
            out.extend_from_slice(b"\r\n");
        }
        push_length(out, self.body.len());
        if let Some(agent) = self.user_agent {
            push_header(out, "User-Agent", agent);
        }
        out.extend_from_slice(self.headers);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.body);
    }

    /// The request as a buffer of its own.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + self.headers.len() + self.body.len());
        self.write(&mut out);
        out
    }
}
