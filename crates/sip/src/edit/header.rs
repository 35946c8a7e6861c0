//! What the parts of a proxy want to change: lines, the first line, the body, the previous hop's Via.

use std::net::SocketAddr;

use super::{Edits, Rank, Tag};
use crate::lex::{Span, push_number};
use crate::message::{Header, Message};
use crate::name::HeaderId;
use crate::source_note::SourceNote;
use crate::values::Value;

impl Edits {
    /// Gives a request another Request-URI.
    pub fn set_request_uri(&mut self, message: &Message, uri: &[u8]) {
        let span = message.request_uri_span();
        if !span.is_none() {
            self.replace(Tag::FirstLine, span, uri);
        }
    }

    /// Gives the message another first line; `line` comes without line end.
    pub fn set_first_line(&mut self, message: &Message, line: &[u8]) {
        let span = message.first_line_span();
        self.push_with(Tag::FirstLine, span, Rank::Replace, |out| {
            push_all(out, &[line, b"\r\n"]);
        });
    }

    /// Gives a reply another status code and reason phrase.
    pub fn set_status(&mut self, message: &Message, code: u16, reason: &[u8]) {
        let span = message.first_line_span();
        self.push_with(Tag::FirstLine, span, Rank::Replace, |out| {
            push_all(out, &[message.version(), b" "]);
            push_number(out, code.into());
            push_all(out, &[b" ", reason, b"\r\n"]);
        });
    }

    /// Puts whole lines before the first header: those put first stand first.
    pub fn insert_first(&mut self, tag: Tag, message: &Message, lines: &[u8]) {
        self.insert(tag, message.first_line_span().end, Rank::First, lines);
    }

    /// Puts whole lines behind the last header: those put first stand first.
    pub fn append_last(&mut self, tag: Tag, message: &Message, lines: &[u8]) {
        self.insert(tag, message.headers_end(), Rank::End, lines);
    }

    /// Puts whole lines before a header line.
    pub fn insert_before(&mut self, tag: Tag, header: &Header<'_>, lines: &[u8]) {
        self.insert(tag, header.span.start, Rank::Before, lines);
    }

    /// Puts whole lines behind a header line.
    pub fn insert_after(&mut self, tag: Tag, header: &Header<'_>, lines: &[u8]) {
        self.insert(tag, header.span.end, Rank::After, lines);
    }

    /// Puts the proxy's own Via right above the topmost one; `write` appends it, a whole line.
    pub fn insert_via(&mut self, message: &Message, write: impl FnOnce(&mut Vec<u8>)) {
        let at = message
            .header(HeaderId::Via)
            .map_or(message.first_line_span().end, |header| header.span.start);
        self.push_with(Tag::Via, Span::empty_at(at), Rank::Via, write);
    }

    /// Takes a header line out.
    pub fn remove_header(&mut self, tag: Tag, header: &Header<'_>) {
        self.delete(tag, header.span);
    }

    /// Takes all header lines of that name out; tells how many.
    pub fn remove_headers(&mut self, tag: Tag, message: &Message, id: HeaderId) -> usize {
        message
            .headers_of(id)
            .map(|header| self.delete(tag, header.span))
            .count()
    }

    /// Takes one element out of a list header: its line with it if none is left.
    pub fn remove_value(&mut self, tag: Tag, value: &Value<'_>) {
        self.push_element(tag, value.span, value.line_value);
    }

    /// Gives a header line another value.
    pub fn set_value(&mut self, tag: Tag, header: &Header<'_>, value: &[u8]) {
        self.write_value(tag, header, |out| out.extend_from_slice(value));
    }

    /// Gives a header line a number as its value.
    pub fn set_number(&mut self, tag: Tag, header: &Header<'_>, value: u32) {
        self.write_value(tag, header, |out| push_number(out, value));
    }

    fn write_value(&mut self, tag: Tag, header: &Header<'_>, write: impl FnOnce(&mut Vec<u8>)) {
        // A blank before what is no header would join it to the line above.
        let is_unset = header.value_span.is_empty() && !header.name.is_empty();
        self.push_with(tag, header.value_span, Rank::Replace, |out| {
            if is_unset {
                out.push(b' ');
            }
            write(out);
        });
    }

    /// Gives the message another body. Content-Length follows when the changes are applied.
    pub fn set_body(&mut self, message: &Message, body: &[u8]) {
        self.replace(Tag::Body, message.body_span(), body);
    }

    /// As `set_body`, with a Content-Type that replaces the present one.
    pub fn set_typed_body(&mut self, message: &Message, content_type: &[u8], body: &[u8]) {
        match message.header(HeaderId::ContentType) {
            Some(header) => self.set_value(Tag::Body, &header, content_type),
            None => {
                let span = Span::empty_at(message.headers_end());
                self.push_with(Tag::Body, span, Rank::End, |out| {
                    push_all(out, &[b"Content-Type: ", content_type, b"\r\n"]);
                });
            }
        }
        self.set_body(message, body);
    }

    /// Notes where a request came from in the Via of the previous hop (RFC 3261 §18.2.1, RFC 3581 §4).
    ///
    /// `received` and a `rport` of our own stand right behind the host and port; the client's `rport` gets its value
    /// where it stands.
    pub fn note_source(&mut self, message: &Message, source: SocketAddr, force_rport: bool) {
        let via = message.top_via_spans();
        let note = SourceNote::new(via, message.bytes(), source, force_rport);
        for (span, parameter) in note.in_place() {
            self.push_with(Tag::Received, span, Rank::Replace, |out| {
                parameter.push(out);
            });
        }
        if note.adds() {
            let span = Span::empty_at(via.sent_by_end());
            self.push_with(Tag::Received, span, Rank::Within, |out| {
                note.push_added(out);
            });
        }
    }
}

fn push_all(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

impl Span {
    /// The span of nothing at an offset.
    pub const fn empty_at(offset: u16) -> Self {
        Self {
            start: offset,
            end: offset,
        }
    }
}
