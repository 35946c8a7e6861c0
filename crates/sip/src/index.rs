//! The index of a message: where its lines are, and the parts that every message needs. One pass, no copies.

mod feeds;
mod start;

use memchr::memchr_iter;

use crate::address::AddressSpans;
use crate::error::{Fault, ParseError};
use crate::lex::{Span, TOKEN, is_lws, is_token_text, number, peek, skip, skip_lws, trim_range};
use crate::name::HeaderId;
use crate::via::ViaSpans;

use feeds::LineFeeds;
pub(crate) use start::Start;
use start::read_start;

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

/// Where everything is in one message. Its storage is reused from one `parse` to the next.
#[derive(Clone, Debug)]
pub struct Index {
    pub(crate) start: Start,
    /// The first line with its line end.
    pub(crate) first_line: Span,
    pub(crate) lines: Vec<Line>,
    /// For each header name the position in `lines` of its first line, or `ABSENT`.
    first: [u16; HeaderId::COUNT],
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
    pub(crate) cseq_method: Span,
    pub(crate) cseq: u32,
    pub(crate) max_forwards: Option<u32>,
    pub(crate) content_length: Option<u32>,
    pub(crate) fault: Option<ParseError>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            start: Start::None,
            first_line: Span::NONE,
            lines: Vec::new(),
            first: [ABSENT; HeaderId::COUNT],
            headers_end: 0,
            body: Span::NONE,
            surplus: false,
            via: ViaSpans::default(),
            from: AddressSpans::default(),
            to: AddressSpans::default(),
            call_id: Span::NONE,
            cseq_number: Span::NONE,
            cseq_method: Span::NONE,
            cseq: 0,
            max_forwards: None,
            content_length: None,
            fault: None,
        }
    }
}

impl Index {
    /// The longest message: offsets are 16 bits wide.
    pub const MAX_BYTES: usize = u16::MAX as usize;
    /// The most header lines of one message.
    pub const MAX_LINES: usize = 1024;
    /// Room for as many is made at once.
    const USUAL_LINES: usize = 32;

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
        self.body.end as usize
    }

    /// The position in `lines` of the first line of that name.
    #[inline]
    pub(crate) fn first_of(&self, id: HeaderId) -> Option<usize> {
        let first = self.first[id as usize];
        (first != ABSENT).then(|| first.into())
    }

    fn clear(&mut self) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        *self = Self {
            lines,
            ..Self::default()
        };
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
        self.first_line = Span::new(start, end);
        self.start = read_start(bytes, start, end)?;
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
        self.lines.reserve(Self::USUAL_LINES);
        loop {
            let blank = match peek(bytes, at) {
                b'\n' => 1,
                b'\r' if peek(bytes, at + 1) == b'\n' => 2,
                _ => 0,
            };
            if blank > 0 || at >= bytes.len() {
                self.headers_end = at as u16;
                return Ok(at + blank);
            }
            if self.lines.len() == Self::MAX_LINES {
                return Err(ParseError {
                    offset: at,
                    fault: Fault::TooManyHeaders,
                });
            }
            let end = folded_end(bytes, || feeds.next(bytes));
            self.read_line(bytes, at, end);
            at = end;
        }
    }

    /// Reads the header line `start..end`.
    #[inline]
    fn read_line(&mut self, bytes: &[u8], start: usize, end: usize) {
        let (id, name_end, content) = match known_name(bytes, start) {
            Some((id, length)) => (id, start + length, start + length + 1),
            None => match read_name(bytes, start, end) {
                Some((name_end, content)) => (
                    HeaderId::from_name(&bytes[start..name_end]),
                    name_end,
                    content,
                ),
                None => {
                    self.blame(start, Fault::HeaderLine);
                    (HeaderId::Other, start, start)
                }
            },
        };
        let value = read_value(bytes, content, end);
        let line = Line {
            start: start as u16,
            name_end: name_end as u16,
            value,
            end: end as u16,
            id,
        };
        self.note(bytes, line);
    }

    #[inline]
    fn note(&mut self, bytes: &[u8], line: Line) {
        let first = &mut self.first[line.id as usize];
        let repeated = *first != ABSENT;
        if !repeated {
            *first = self.lines.len() as u16;
        }
        self.lines.push(line);
        let (start, end) = (line.value.start.into(), line.value.end.into());
        match line.id {
            HeaderId::ContentLength => self.read_content_length(bytes, line, repeated),
            _ if repeated => {}
            HeaderId::Via => match ViaSpans::read(bytes, start, end) {
                Some((via, _)) => self.via = via,
                None => self.blame(start, Fault::Via),
            },
            HeaderId::From => match read_address(bytes, start, end) {
                Some(from) => self.from = from,
                None => self.blame(start, Fault::From),
            },
            HeaderId::To => match read_address(bytes, start, end) {
                Some(to) => self.to = to,
                None => self.blame(start, Fault::To),
            },
            HeaderId::CallId if start == end => self.blame(start, Fault::CallId),
            HeaderId::CallId => self.call_id = line.value,
            HeaderId::CSeq => self.read_cseq(bytes, start, end),
            HeaderId::MaxForwards => match number(line.value.of(bytes)) {
                Some(hops) if hops <= 255 => self.max_forwards = Some(hops),
                _ => self.blame(start, Fault::MaxForwards),
            },
            _ => {}
        }
    }

    fn read_content_length(&mut self, bytes: &[u8], line: Line, repeated: bool) {
        let length = number(line.value.of(bytes));
        if length.is_none() || (repeated && length != self.content_length) {
            self.blame(line.value.start.into(), Fault::ContentLength);
        }
        if !repeated {
            self.content_length = length;
        }
    }

    fn read_cseq(&mut self, bytes: &[u8], start: usize, end: usize) {
        let mut digits_end = start;
        while digits_end < end && peek(bytes, digits_end).is_ascii_digit() {
            digits_end += 1;
        }
        let digits = Span::new(start, digits_end);
        let method = Span::new(skip_lws(bytes, digits_end, end), end);
        let separated = usize::from(method.start) > digits_end;
        match number(digits.of(bytes)) {
            Some(n) if n < 1 << 31 && separated && is_token_text(method.of(bytes)) => {
                (self.cseq, self.cseq_number, self.cseq_method) = (n, digits, method);
            }
            _ => self.blame(start, Fault::CSeq),
        }
    }

    fn read_body(&mut self, bytes: &[u8], start: usize) {
        let start = start.min(bytes.len());
        let available = bytes.len() - start;
        let declared = self
            .content_length
            .map_or(available, |length| length as usize);
        if declared > available {
            self.blame(start, Fault::Truncated);
        }
        self.surplus = declared < available;
        self.body = Span::new(start, start + declared.min(available));
    }

    /// Records the first thing that is wrong.
    fn blame(&mut self, offset: usize, fault: Fault) {
        self.fault.get_or_insert(ParseError { offset, fault });
    }
}

#[inline]
fn read_address(bytes: &[u8], start: usize, end: usize) -> Option<AddressSpans> {
    let (address, stop) = AddressSpans::read(bytes, start, end)?;
    // From and To hold one address each: nothing may follow but a stray separator.
    let rest = bytes.get(stop..end)?;
    rest.iter()
        .all(|&b| is_lws(b) || b == b';')
        .then_some(address)
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
    let start = if peek(bytes, content) == b' ' {
        content + 1
    } else {
        content
    };
    if let Some([first, .., last, b'\r', b'\n']) = bytes.get(start..end)
        && !is_lws(*first)
        && !is_lws(*last)
    {
        return Span::new(start, end - 2);
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
    let mut feeds = memchr_iter(b'\n', &bytes[start..]);
    folded_end(bytes, || feeds.next().map(|at| start + at))
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
