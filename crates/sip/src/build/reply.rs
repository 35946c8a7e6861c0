//! Replies to a request that the proxy answers itself (RFC 3261 §8.2.6).

use std::net::SocketAddr;

use super::{push_header, push_length};
use crate::lex::{Span, push_number};
use crate::message::{Header, Message};
use crate::name::HeaderId;
use crate::source_note::SourceNote;

/// Where a request came from, to be noted in the topmost Via of its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The peer's address and port.
    pub address: SocketAddr,
    /// Note the port although the client did not ask for it.
    pub force_rport: bool,
}

/// A reply to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Reply<'a> {
    /// Status code, 100 to 699.
    pub code: u16,
    /// Reason phrase.
    pub reason: &'a [u8],
    /// The tag to put into To if it has none.
    pub to_tag: Option<&'a [u8]>,
    /// Noted in the topmost Via.
    pub source: Option<Source>,
    /// Further header lines, each with its line end; Contact among them goes last.
    pub headers: &'a [u8],
    /// The value of Server.
    pub server: Option<&'a [u8]>,
    /// Content-Type and body.
    pub body: Option<(&'a [u8], &'a [u8])>,
    /// Blanks before the value of Content-Length make the reply a multiple of this many bytes long; 0 leaves it as it
    /// is. Replies of one length to one peer can then leave together.
    pub multiple_of: usize,
}

impl<'a> Reply<'a> {
    /// A reply with nothing but code and reason.
    pub fn new(code: u16, reason: &'a [u8]) -> Self {
        Self {
            code,
            reason,
            ..Self::default()
        }
    }

    /// Appends the reply to `request`.
    ///
    /// Vias, From, To, Call-ID and CSeq come in the order of the request; Record-Route too when 180 ≤ code < 300.
    pub fn write(&self, request: &Message, out: &mut Vec<u8>) {
        let start = out.len();
        out.reserve(request.bytes().len() + self.headers.len() + 128);
        out.extend_from_slice(b"SIP/2.0 ");
        push_number(out, self.code.into());
        out.push(b' ');
        out.extend_from_slice(self.reason);
        out.extend_from_slice(b"\r\n");
        let mut first_via = true;
        for header in request.headers() {
            match header.id {
                HeaderId::Via if std::mem::take(&mut first_via) => {
                    self.push_top_via(request, &header, out);
                }
                HeaderId::To => self.push_to(request, &header, out),
                HeaderId::Via | HeaderId::From | HeaderId::CallId | HeaderId::CSeq => {
                    out.extend_from_slice(header.span.of(request.bytes()));
                }
                HeaderId::RecordRoute if (180..300).contains(&self.code) => {
                    out.extend_from_slice(header.span.of(request.bytes()));
                }
                _ => {}
            }
        }
        self.push_rest(start, out);
    }

    /// The reply as a buffer of its own.
    pub fn to_vec(&self, request: &Message) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(request, &mut out);
        out
    }

    fn push_rest(&self, start: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.headers);
        if let Some(server) = self.server {
            push_header(out, "Server", server);
        }
        let (content_type, body) = self.body.unwrap_or_default();
        if self.body.is_some() {
            push_header(out, "Content-Type", content_type);
        }
        let value_at = out.len() + "Content-Length: ".len();
        push_length(out, body.len());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
        if self.multiple_of > 1 {
            let length = out.len() - start;
            let blanks = length.next_multiple_of(self.multiple_of) - length;
            out.splice(value_at..value_at, std::iter::repeat_n(b' ', blanks));
        }
    }

    fn push_top_via(&self, request: &Message, header: &Header<'_>, out: &mut Vec<u8>) {
        let bytes = request.bytes();
        let via = request.top_via_spans();
        let (Some(source), false) = (self.source, via.text.is_none()) else {
            out.extend_from_slice(header.span.of(bytes));
            return;
        };
        let note = SourceNote::new(via, bytes, source.address, source.force_rport);
        let mut at = header.span.start;
        for (span, parameter) in note.in_place() {
            out.extend_from_slice(
                Span {
                    start: at,
                    end: span.start,
                }
                .of(bytes),
            );
            parameter.push(out);
            at = span.end;
        }
        out.extend_from_slice(
            Span {
                start: at,
                end: via.text.end,
            }
            .of(bytes),
        );
        note.push_added(out);
        out.extend_from_slice(
            Span {
                start: via.text.end,
                end: header.span.end,
            }
            .of(bytes),
        );
    }

    fn push_to(&self, request: &Message, header: &Header<'_>, out: &mut Vec<u8>) {
        let bytes = request.bytes();
        let end = header.value_span.end;
        match (self.to_tag, request.to_tag()) {
            (Some(tag), None) => {
                out.extend_from_slice(
                    Span {
                        start: header.span.start,
                        end,
                    }
                    .of(bytes),
                );
                out.extend_from_slice(b";tag=");
                out.extend_from_slice(tag);
                out.extend_from_slice(
                    Span {
                        start: end,
                        end: header.span.end,
                    }
                    .of(bytes),
                );
            }
            _ => out.extend_from_slice(header.span.of(bytes)),
        }
    }
}
