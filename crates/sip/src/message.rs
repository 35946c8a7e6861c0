//! A SIP message: the bytes as they came, and their index. Nothing here changes or copies them.

mod parts;

use std::sync::Arc;

use crate::error::{ParseError, Rejected};
use crate::index::{Index, Line, Start};
use crate::lex::{Span, number};
use crate::method::Method;
use crate::name::HeaderId;
use crate::uri::{Uri, UriError};
use crate::values::Values;

/// A message: owned bytes and their index.
#[derive(Clone, Debug, Default)]
pub struct Message {
    bytes: Vec<u8>,
    index: Index,
}

/// One header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name as a number.
    pub id: HeaderId,
    /// The name as written.
    pub name: &'a [u8],
    /// The value as written, folds included, without white space at both ends.
    pub value: &'a [u8],
    /// Where the value stands in the message.
    pub value_span: Span,
    /// Where the whole line stands, its line end included.
    pub span: Span,
}

/// CSeq (RFC 3261 §20.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2³¹.
    pub number: u32,
    /// The method.
    pub method: Method,
    /// The method as written.
    pub method_bytes: &'a [u8],
}

impl Message {
    /// Takes a message in. Line ends before it and bytes behind it are cut off (RFC 3261 §7.5, §18.3); an empty
    /// line that is missing at the end is added, so that every message has one.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Rejected> {
        let mut message = Self::unread(bytes);
        message.read()?;
        Ok(message)
    }

    /// As `parse`, to be shared. The index, some 600 bytes, is made where it stays instead of being moved there.
    pub fn shared(bytes: Vec<u8>) -> Result<Arc<Self>, Rejected> {
        let mut message = Arc::new(Self::unread(bytes));
        Arc::make_mut(&mut message).read()?;
        Ok(message)
    }

    /// Copies another message in, as `parse`, using the storage of this one. After an error this message is empty.
    pub fn refill(&mut self, bytes: &[u8]) -> Result<(), ParseError> {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        settle(&mut self.bytes, &mut self.index).inspect_err(|_| self.bytes.clear())
    }

    /// How many bytes there is room for: what `refill` takes without an allocation.
    pub const fn room(&self) -> usize {
        self.bytes.capacity()
    }

    /// The whole message.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it is a request.
    pub const fn is_request(&self) -> bool {
        matches!(self.index.parts.start, Start::Request { .. })
    }

    /// Whether the first line speaks of HTTP rather than SIP.
    pub fn is_http(&self) -> bool {
        self.version().starts_with(b"HTTP/")
    }

    /// The first line without its line end.
    pub fn first_line(&self) -> &[u8] {
        let line = self.index.parts.first_line.of(&self.bytes);
        let end = line
            .iter()
            .rposition(|b| !matches!(b, b'\r' | b'\n'))
            .map_or(0, |at| at + 1);
        line.get(..end).unwrap_or_default()
    }

    /// Where the first line stands, its line end included.
    pub const fn first_line_span(&self) -> Span {
        self.index.parts.first_line
    }

    /// The request's method; of a reply the one in CSeq.
    pub const fn method(&self) -> Method {
        match self.index.parts.start {
            Start::Request { method, .. } => method,
            _ => self.index.parts.cseq_method,
        }
    }

    /// `method` as written.
    pub fn method_bytes(&self) -> &[u8] {
        match self.index.parts.start {
            Start::Request { name, .. } => name.of(&self.bytes),
            _ => self.index.parts.cseq_method_span.of(&self.bytes),
        }
    }

    /// The protocol version as written: `SIP/2.0`.
    pub fn version(&self) -> &[u8] {
        match self.index.parts.start {
            Start::Request { version, .. } | Start::Status { version, .. } => {
                version.of(&self.bytes)
            }
            Start::None => &[],
        }
    }

    /// The Request-URI as written; empty in a reply.
    pub fn request_uri(&self) -> &[u8] {
        self.request_uri_span().of(&self.bytes)
    }

    /// Where the Request-URI stands; `Span::NONE` in a reply.
    pub const fn request_uri_span(&self) -> Span {
        match self.index.parts.start {
            Start::Request { uri, .. } => uri,
            _ => Span::NONE,
        }
    }

    /// The Request-URI, taken apart.
    pub fn parse_request_uri(&self) -> Result<Uri<'_>, UriError> {
        Uri::parse(self.request_uri())
    }

    /// The status code, 100 to 699; `None` in a request.
    pub const fn status(&self) -> Option<u16> {
        match self.index.parts.start {
            Start::Status { code, .. } => Some(code),
            _ => None,
        }
    }

    /// The reason phrase; empty in a request.
    pub fn reason(&self) -> &[u8] {
        match self.index.parts.start {
            Start::Status { reason, .. } => reason.of(&self.bytes),
            _ => &[],
        }
    }

    /// All header lines in their order.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = Header<'_>> + ExactSizeIterator {
        self.index.lines.iter().map(|line| self.show(line))
    }

    /// The header lines of that name. `HeaderId::Other` gives all those without a number.
    pub fn headers_of(&self, id: HeaderId) -> impl DoubleEndedIterator<Item = Header<'_>> {
        self.lines_of(id).map(|line| self.show(line))
    }

    /// The header lines of that name in any case; the compact form equals the long one.
    pub fn headers_by_name<'a>(
        &'a self,
        name: &'a [u8],
    ) -> impl DoubleEndedIterator<Item = Header<'a>> {
        let id = HeaderId::from_name(name);
        self.headers_of(id)
            .filter(move |header| id != HeaderId::Other || header.name.eq_ignore_ascii_case(name))
    }

    /// The first header line of that name.
    pub fn header(&self, id: HeaderId) -> Option<Header<'_>> {
        self.index
            .lines
            .get(self.index.first_of(id)?)
            .map(|line| self.show(line))
    }

    /// The first header line of that name in any case; the compact form equals the long one.
    pub fn header_by_name(&self, name: &[u8]) -> Option<Header<'_>> {
        match HeaderId::from_name(name) {
            HeaderId::Other => self
                .lines_of(HeaderId::Other)
                .map(|line| self.show(line))
                .find(|header| header.name.eq_ignore_ascii_case(name)),
            id => self.header(id),
        }
    }

    /// The value of the first header line of that name.
    pub fn value(&self, id: HeaderId) -> Option<&[u8]> {
        self.header(id).map(|header| header.value)
    }

    /// The elements of all header lines of that name, split at commas outside quotes and angle brackets.
    /// Meant for list headers only: Date, Authorization and their like hold commas that separate nothing.
    pub fn values(&self, id: HeaderId) -> Values<'_> {
        Values::new(&self.bytes, self.lines_from(id), Some(id))
    }

    /// The elements of one header line, as `values`.
    pub fn values_of<'a>(&'a self, header: &Header<'a>) -> Values<'a> {
        let line = self
            .index
            .lines
            .iter()
            .position(|line| line.start == header.span.start);
        let lines = line
            .and_then(|at| self.index.lines.get(at..=at))
            .unwrap_or_default();
        Values::new(&self.bytes, lines, None)
    }

    /// Max-Forwards, 0 to 255.
    pub const fn max_forwards(&self) -> Option<u32> {
        self.index.parts.max_forwards
    }

    /// Content-Length.
    pub const fn content_length(&self) -> Option<u32> {
        self.index.parts.content_length
    }

    /// Expires in seconds, if it is there and readable.
    pub fn expires(&self) -> Option<u32> {
        self.value(HeaderId::Expires).and_then(number)
    }

    /// The body, as long as Content-Length says; without one all that follows the empty line.
    pub fn body(&self) -> &[u8] {
        self.index.parts.body.of(&self.bytes)
    }

    /// Whether bytes came behind the body that Content-Length tells, which were cut off.
    pub const fn had_surplus(&self) -> bool {
        self.index.parts.surplus
    }

    /// Where the body stands.
    pub const fn body_span(&self) -> Span {
        self.index.parts.body
    }

    /// Where the header lines end: at the empty line, or at the end of a message that has none.
    pub const fn headers_end(&self) -> u16 {
        self.index.parts.headers_end
    }

    /// The first thing that is wrong with the headers which every message needs.
    pub const fn fault(&self) -> Option<ParseError> {
        self.index.parts.fault
    }

    /// The first of Via, From, To, Call-ID and CSeq that is not there (RFC 3261 §8.1.1).
    pub fn missing(&self) -> Option<HeaderId> {
        [
            HeaderId::Via,
            HeaderId::From,
            HeaderId::To,
            HeaderId::CallId,
            HeaderId::CSeq,
        ]
        .into_iter()
        .find(|&id| self.index.first_of(id).is_none())
    }

    /// Where a part that came out of this message stands in it; `None` for foreign or empty bytes.
    pub fn span_of(&self, part: &[u8]) -> Option<Span> {
        let offset = (part.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize)?;
        let end = offset.checked_add(part.len())?;
        let inside = !part.is_empty() && end <= self.bytes.len();
        inside.then(|| Span::new(offset, end))
    }

    fn unread(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            index: Index::default(),
        }
    }

    fn read(&mut self) -> Result<(), Rejected> {
        settle(&mut self.bytes, &mut self.index).map_err(|error| Rejected {
            bytes: std::mem::take(&mut self.bytes),
            error,
        })
    }

    pub(crate) const fn index_start(&self) -> Start {
        self.index.parts.start
    }

    fn lines_from(&self, id: HeaderId) -> &[Line] {
        let first = self.index.first_of(id).unwrap_or(self.index.lines.len());
        self.index.lines.get(first..).unwrap_or_default()
    }

    fn lines_of(&self, id: HeaderId) -> impl DoubleEndedIterator<Item = &Line> {
        self.lines_from(id).iter().filter(move |line| line.id == id)
    }

    fn show(&self, line: &Line) -> Header<'_> {
        Header {
            id: line.id,
            name: Span {
                start: line.start,
                end: line.name_end,
            }
            .of(&self.bytes),
            value: line.value.of(&self.bytes),
            value_span: line.value,
            span: Span {
                start: line.start,
                end: line.end,
            },
        }
    }
}

/// Indexes the bytes and makes them begin at the first line and end where the message does.
fn settle(bytes: &mut Vec<u8>, index: &mut Index) -> Result<(), ParseError> {
    index.parse(bytes)?;
    let lead = usize::from(index.parts.first_line.start);
    bytes.truncate(index.end());
    let unended = index.end() == usize::from(index.parts.headers_end);
    if lead == 0 && !unended {
        return Ok(());
    }
    bytes.drain(..lead);
    if unended {
        let line_ends: &[u8] = if bytes.ends_with(b"\n") {
            b"\r\n"
        } else {
            b"\r\n\r\n"
        };
        bytes.extend_from_slice(line_ends);
    }
    index.parse(bytes)
}
