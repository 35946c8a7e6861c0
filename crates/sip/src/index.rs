//! The index of a message: where its lines are, and the parts that every message needs. One pass, no copies.

mod feeds;
mod start;

use smallvec::SmallVec;

use crate::address::AddressSpans;
use crate::block::find;
use crate::error::{Fault, ParseError};
use crate::lex::{Span, TOKEN, digits, is_lws, number, peek, skip, skip_lws, trim_range};
use crate::method::Method;
use crate::name::HeaderId;
use crate::via::ViaSpans;

use feeds::LineFeeds;
pub(crate) use start::Start;
use start::{read_method, read_start};

/// One header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) start: u16,
    pub(crate) name_end: u16,
    pub(crate) value: Span,
    /// Behind the line end.
    pub(crate) end: u16,
    pub(crate) id: HeaderId,
}

/// In `Index::first`: there is no such header. No message has as many lines.
const ABSENT: u16 = u16::MAX;

/// Room for as many lines is within the index; a message with more of them costs an allocation.
const USUAL_LINES: usize = 24;

/// Where everything is in one message.
#[derive(Clone, Debug)]
pub struct Index {
    pub(crate) lines: SmallVec<[Line; USUAL_LINES]>,
    /// For each header name the position in `lines` of its first line, or `ABSENT`.
    first: [u16; HeaderId::COUNT],
    pub(crate) parts: Parts,
}

/// What every message needs, decoded by the one pass.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) start: Start,
    /// The first line with its line end.
    pub(crate) first_line: Span,
    /// Where the empty line begins, or the end of the bytes.
    pub(crate) headers_end: u16,
    pub(crate) body: Span,
    /// Bytes came behind the body.
    pub(crate) surplus: bool,
    pub(crate) via: ViaSpans,
    pub(crate) from: AddressSpans,
    pub(crate) to: AddressSpans,
    pub(crate) call_id: Span,
    pub(crate) cseq_number: Span,
    pub(crate) cseq_method_span: Span,
    pub(crate) cseq_method: Method,
    pub(crate) cseq: u32,
    pub(crate) max_forwards: Option<u32>,
    pub(crate) content_length: Option<u32>,
    pub(crate) fault: Option<ParseError>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            lines: SmallVec::new(),
            first: [ABSENT; HeaderId::COUNT],
            parts: Parts::default(),
        }
    }
}

impl Index {
    /// The longest message: offsets are 16 bits wide.
    pub const MAX_BYTES: usize = u16::MAX as usize;
    /// The most header lines of one message.
    pub const MAX_LINES: usize = 1024;

    /// Indexes a message. After an error the index is empty.
    ///
    /// Only what makes the whole meaningless is an error: no first line, an impossible status code, too many bytes
    /// or lines. Malformed headers are recorded (`Message::fault`), so that a request can still be answered.
    pub fn parse(&mut self, bytes: &[u8]) -> Result<(), ParseError> {
        self.clear();
        let parsed = self.read(bytes);
        if parsed.is_err() {
            self.clear();
        }
        parsed
    }

    /// Where the message ends: bytes behind it do not belong to it (RFC 3261 §18.3).
    pub const fn end(&self) -> usize {
        self.parts.body.end as usize
    }

    /// The position in `lines` of the first line of that name.
    #[inline]
    pub(crate) fn first_of(&self, id: HeaderId) -> Option<usize> {
        let first = self.first[id as usize];
        (first != ABSENT).then(|| first.into())
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.first = [ABSENT; HeaderId::COUNT];
        self.parts = Parts::default();
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), ParseError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(ParseError {
                offset: Self::MAX_BYTES,
                fault: Fault::TooLong,
            });
        }
        let start = leading_line_ends(bytes);
        if start == bytes.len() {
            return Err(ParseError {
                offset: 0,
                fault: Fault::Empty,
            });
        }
        let mut feeds = LineFeeds::new(bytes);
        let end = std::iter::from_fn(|| feeds.next(bytes))
            .find(|&at| at > start)
            .map_or(bytes.len(), |at| at + 1);
        self.parts.first_line = Span::new(start, end);
        self.parts.start = read_start(bytes, start, end)?;
        let body = self.read_lines(bytes, end, &mut feeds)?;
        self.read_body(bytes, body);
        Ok(())
    }

    /// Reads all header lines; gives the offset of the body.
    fn read_lines(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        feeds: &mut LineFeeds,
    ) -> Result<usize, ParseError> {
        // The empty line is one more.
        for nth in 0..Self::MAX_LINES + 1 {
            let blank = match bytes.get(at) {
                None => 0,
                Some(b'\n') => 1,
                Some(b'\r') if peek(bytes, at + 1) == b'\n' => 2,
                Some(_) => {
                    let end = folded_end(bytes, || feeds.next(bytes));
                    self.read_line(bytes, nth, at, end);
                    at = end;
                    continue;
                }
            };
            self.parts.headers_end = at as u16;
            return Ok(at + blank);
        }
        Err(ParseError {
            offset: at,
            fault: Fault::TooManyHeaders,
        })
    }

    /// Reads the header line `start..end`, the nth from 0.
    #[inline]
    fn read_line(&mut self, bytes: &[u8], nth: usize, start: usize, end: usize) {
        let (id, name_end, content) = match known_name(bytes, start) {
            Some((id, length)) => (id, start + length, start + length + 1),
            None => self.parts.read_any_name(bytes, start, end),
        };
        let value = read_value(bytes, content, end);
        let first = &mut self.first[id as usize];
        let repeated = *first != ABSENT;
        if !repeated {
            *first = nth as u16;
        }
        self.lines.push(Line {
            start: start as u16,
            name_end: name_end as u16,
            value,
            end: end as u16,
            id,
        });
        if id <= HeaderId::ContentLength {
            self.parts.decode(bytes, id, value, repeated);
        }
    }

    fn read_body(&mut self, bytes: &[u8], start: usize) {
        let start = start.min(bytes.len());
        let available = bytes.len() - start;
        let declared = self
            .parts
            .content_length
            .map_or(available, |length| length as usize);
        if declared > available {
            self.parts.blame(start, Fault::Truncated);
        }
        self.parts.surplus = declared < available;
        self.parts.body = Span::new(start, start + declared.min(available));
    }
}

impl Parts {
    /// What the header line `start..end` is called if its name has no number or is written unusually, where the name
    /// ends, and where the value begins.
    #[inline(never)]
    fn read_any_name(
        &mut self,
        bytes: &[u8],
        start: usize,
        end: usize,
    ) -> (HeaderId, usize, usize) {
        match read_name(bytes, start, end) {
            Some((name_end, content)) => (
                HeaderId::from_name(&bytes[start..name_end]),
                name_end,
                content,
            ),
            None => {
                self.blame(start, Fault::HeaderLine);
                (HeaderId::Other, start, start)
            }
        }
    }

    /// Decodes a header that every message needs. Of all but Content-Length only the first one counts.
    ///
    /// Not part of the loop over the lines: that needs its registers itself.
    #[inline(never)]
    fn decode(&mut self, bytes: &[u8], id: HeaderId, value: Span, repeated: bool) {
        let (start, end) = (value.start.into(), value.end.into());
        let fault = match id {
            HeaderId::ContentLength => self.read_content_length(bytes, value, repeated),
            _ if repeated => None,
            HeaderId::Via => self
                .via
                .fill(bytes, start, end)
                .is_none()
                .then_some(Fault::Via),
            HeaderId::From => fill_address(&mut self.from, bytes, start, end, Fault::From),
            HeaderId::To => fill_address(&mut self.to, bytes, start, end, Fault::To),
            HeaderId::CallId if start == end => Some(Fault::CallId),
            HeaderId::CallId => {
                self.call_id = value;
                None
            }
            HeaderId::CSeq => self.read_cseq(bytes, start, end),
            HeaderId::MaxForwards => {
                self.max_forwards = number(value.of(bytes)).filter(|&hops| hops <= 255);
                self.max_forwards.is_none().then_some(Fault::MaxForwards)
            }
            _ => None,
        };
        if let Some(fault) = fault {
            self.blame(start, fault);
        }
    }

    fn read_content_length(&mut self, bytes: &[u8], value: Span, repeated: bool) -> Option<Fault> {
        let length = number(value.of(bytes));
        let differs = repeated && length != self.content_length;
        if !repeated {
            self.content_length = length;
        }
        (length.is_none() || differs).then_some(Fault::ContentLength)
    }

    fn read_cseq(&mut self, bytes: &[u8], start: usize, end: usize) -> Option<Fault> {
        let parts = digits(bytes, start, end).filter(|&(number, _)| number < 1 << 31);
        let Some((number, digits_end)) = parts else {
            return Some(Fault::CSeq);
        };
        let method = Span::new(skip_lws(bytes, digits_end, end), end);
        let separated = usize::from(method.start) > digits_end;
        let Some(known) = read_method(method.of(bytes)).filter(|_| separated) else {
            return Some(Fault::CSeq);
        };
        self.cseq = number;
        self.cseq_number = Span::new(start, digits_end);
        self.cseq_method_span = method;
        self.cseq_method = known;
        None
    }

    /// Records the first thing that is wrong.
    fn blame(&mut self, offset: usize, fault: Fault) {
        self.fault.get_or_insert(ParseError { offset, fault });
    }
}

/// Reads From or To: they hold one address, and nothing may follow it but a stray separator.
fn fill_address(
    address: &mut AddressSpans,
    bytes: &[u8],
    start: usize,
    end: usize,
    fault: Fault,
) -> Option<Fault> {
    let rest = address
        .fill(bytes, start, end)
        .and_then(|stop| bytes.get(stop..end));
    if rest.is_some_and(|rest| rest.iter().all(|&b| is_lws(b) || b == b';')) {
        return None;
    }
    *address = AddressSpans::default();
    Some(fault)
}

/// The name of the header line at `start` and its length, if it has a number and the colon follows at once.
#[inline]
fn known_name(bytes: &[u8], start: usize) -> Option<(HeaderId, usize)> {
    HeaderId::before_colon(bytes.get(start..)?.first_chunk()?)
}

/// Where the name of the header line `start..end` ends, and where its value begins: behind the colon.
#[inline]
pub(crate) fn read_name(bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let name_end = skip(bytes, start, end, TOKEN);
    let mut colon = name_end;
    while colon < end && matches!(peek(bytes, colon), b' ' | b'\t') {
        colon += 1;
    }
    (name_end > start && colon < end && peek(bytes, colon) == b':').then_some((name_end, colon + 1))
}

/// The value in `content..end` without white space at both ends. An empty one stands before the line end, not behind it.
#[inline]
fn read_value(bytes: &[u8], content: usize, end: usize) -> Span {
    // As nearly everybody writes it: one blank, the value, the line end.
    if let Some([b' ', first, .., last, b'\r', b'\n']) = bytes.get(content..end)
        && *first > b' '
        && *last > b' '
    {
        return Span::new(content + 1, end - 2);
    }
    match trim_range(bytes, content, end) {
        (at, stop) if at == stop => Span::new(content, content),
        (at, stop) => Span::new(at, stop),
    }
}

fn leading_line_ends(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|b| !matches!(b, b'\r' | b'\n'))
        .unwrap_or(bytes.len())
}

/// One past the line end of the header line at `start`, its folded lines included (RFC 3261 §7.3.1).
pub(crate) fn line_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    folded_end(bytes, || {
        let feed = find(bytes, at, bytes.len(), [b'\n']);
        at = feed + 1;
        (feed < bytes.len()).then_some(feed)
    })
}

/// One past the first of the line feeds that does not merely fold the line.
#[inline]
fn folded_end(bytes: &[u8], mut next_feed: impl FnMut() -> Option<usize>) -> usize {
    while let Some(at) = next_feed() {
        if !matches!(peek(bytes, at + 1), b' ' | b'\t') {
            return at + 1;
        }
    }
    bytes.len()
}
