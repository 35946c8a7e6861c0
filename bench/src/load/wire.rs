//! A reader of what comes back, apart from the SIP code under test: a mistake there must not hide here. One pass, no
//! allocation, and strict: what a proxy of these calls would never write is an error.

use std::fmt;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// The most Via, and the most Record-Route, lines of a message.
const LINES_MAX: usize = 8;

/// What a message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// Its method and Request-URI.
    Request(&'a [u8], &'a [u8]),
    /// Its status.
    Reply(u16),
}

/// Some header lines of one name, whole, with their line ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines<'a> {
    lines: [&'a [u8]; LINES_MAX],
    count: usize,
}

impl<'a> Lines<'a> {
    /// The lines, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + '_ {
        self.lines[..self.count].iter().copied()
    }

    fn push(&mut self, line: &'a [u8]) -> Result<(), Wrong> {
        *self
            .lines
            .get_mut(self.count)
            .ok_or(Wrong("too many lines"))? = line;
        self.count += 1;
        Ok(())
    }
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong(pub &'static str);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One message, in pieces.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// Its first line.
    pub start: Start<'a>,
    /// Via lines.
    pub vias: Lines<'a>,
    /// Record-Route lines.
    pub record_routes: Lines<'a>,
    /// The From line.
    pub from: &'a [u8],
    /// The To line.
    pub to: &'a [u8],
    /// The Call-ID line.
    pub call_id: &'a [u8],
    /// The CSeq line.
    pub cseq: &'a [u8],
    /// The method in CSeq.
    pub cseq_method: &'a [u8],
    /// The URI in the first Contact.
    pub contact: Option<&'a [u8]>,
    /// Whether there is a Route.
    pub has_route: bool,
    /// Whether there is a Retry-After with a number.
    pub has_retry_after: bool,
}

impl<'a> Read<'a> {
    /// Reads a whole datagram, or a message of which the length is known to be right.
    ///
    /// # Errors
    /// It is not what a proxy of these calls writes.
    pub fn message(bytes: &'a [u8]) -> Result<Self, Wrong> {
        let mut at = 0;
        let first = line(bytes, &mut at)?;
        let mut read = Self {
            start: start(trimmed(first))?,
            vias: Lines::default(),
            record_routes: Lines::default(),
            from: b"",
            to: b"",
            call_id: b"",
            cseq: b"",
            cseq_method: b"",
            contact: None,
            has_route: false,
            has_retry_after: false,
        };
        let mut length = None;
        loop {
            let line = line(bytes, &mut at)?;
            if line.len() == 2 {
                break;
            }
            if let Some(found) = read.take(line)? {
                length = Some(found);
            }
        }
        let rest = bytes.len() - at;
        if length.unwrap_or(rest) != rest {
            return Err(Wrong("Content-Length is not what follows"));
        }
        let needed = [read.from, read.to, read.call_id, read.cseq_method];
        if needed.iter().any(|line| line.is_empty()) || read.vias.count == 0 {
            return Err(Wrong("a header is missing"));
        }
        Ok(read)
    }

    /// Takes one header line; the number in it if it is Content-Length.
    fn take(&mut self, line: &'a [u8]) -> Result<Option<usize>, Wrong> {
        let colon = memchr::memchr(b':', line).ok_or(Wrong("a line without a colon"))?;
        let (name, value) = (&line[..colon], trimmed(&line[colon + 1..]));
        let is = |long: &[u8], short: &[u8]| {
            name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)
        };
        match name.first().map_or(0, u8::to_ascii_lowercase) {
            b'v' if is(b"Via", b"v") => self.vias.push(line)?,
            b'f' if is(b"From", b"f") => self.from = line,
            b't' if is(b"To", b"t") => self.to = line,
            b'c' if is(b"Call-ID", b"i") => self.call_id = line,
            b'i' if is(b"Call-ID", b"i") => self.call_id = line,
            b'c' if is(b"CSeq", b"CSeq") => {
                self.cseq = line;
                self.cseq_method = after_last_space(value);
            }
            b'c' if is(b"Contact", b"m") && self.contact.is_none() => {
                self.contact = Some(uri_in(value));
            }
            b'c' if is(b"Content-Length", b"l") => return number(value).map(Some),
            b'l' if is(b"Content-Length", b"l") => return number(value).map(Some),
            b'r' if is(b"Record-Route", b"Record-Route") => self.record_routes.push(line)?,
            b'r' if is(b"Route", b"Route") => self.has_route = true,
            b'r' if is(b"Retry-After", b"Retry-After") => {
                self.has_retry_after = value.first().is_some_and(u8::is_ascii_digit);
            }
            _ => {}
        }
        Ok(None)
    }

    /// The tag in the To line.
    pub fn to_tag(&self) -> Option<&'a [u8]> {
        let rest = after(&TAG, self.to)?;
        let end = rest.iter().position(|byte| b";\r \t".contains(byte))?;
        Some(&rest[..end])
    }

    /// The route set that a caller takes from it: the values of Record-Route from the last to the first.
    pub fn each_route_reversed(&self, mut take: impl FnMut(&'a [u8])) {
        for line in self.record_routes.iter().rev() {
            let colon = memchr::memchr(b':', line).map_or(0, |colon| colon + 1);
            let mut rest = trimmed(&line[colon..]);
            // A comma within angle brackets separates nothing.
            while let Some(at) = memchr::memrchr(b'<', rest) {
                take(trimmed(&rest[at..]));
                rest = &rest[..at];
                while let [before @ .., b',' | b' ' | b'\t'] = rest {
                    rest = before;
                }
            }
        }
    }
}

/// Parameters that are looked for in each message: what a search needs is prepared once.
pub static TAG: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b";tag="));
/// The branch of a Via (RFC 3261 §8.1.1.7).
pub static BRANCH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b";branch=z9hG4bK"));

/// What follows a text in a line.
pub fn after<'a>(what: &Finder<'_>, line: &'a [u8]) -> Option<&'a [u8]> {
    Some(&line[what.find(line)? + what.needle().len()..])
}

/// The length of the first message in a stream's bytes; `None` when it is not all there yet.
///
/// # Errors
/// It has no Content-Length.
pub fn frame(bytes: &[u8]) -> Result<Option<usize>, Wrong> {
    let Some(end) = memchr::memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = &bytes[..end + 2];
    let mut at = 0;
    while at < head.len() {
        let line = line(head, &mut at)?;
        let is_length =
            |name: &[u8]| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name);
        if let Some(name) = [&b"Content-Length:"[..], b"l:"]
            .into_iter()
            .find(|name| is_length(name))
        {
            let whole = end + 4 + number(trimmed(&line[name.len()..]))?;
            return Ok((whole <= bytes.len()).then_some(whole));
        }
    }
    Err(Wrong("no Content-Length on a stream"))
}

/// The next line, with its end.
fn line<'a>(bytes: &'a [u8], at: &mut usize) -> Result<&'a [u8], Wrong> {
    let rest = &bytes[*at..];
    let end = memchr::memchr(b'\n', rest).ok_or(Wrong("it ends within a line"))? + 1;
    let line = &rest[..end];
    *at += end;
    match line {
        [.., b'\r', b'\n'] if !line.starts_with(b" ") => Ok(line),
        _ => Err(Wrong("a line that is folded or ends with a bare LF")),
    }
}

fn start(line: &[u8]) -> Result<Start<'_>, Wrong> {
    if let Some(rest) = line.strip_prefix(b"SIP/2.0 ") {
        let status = rest.get(..3).ok_or(Wrong("no status"))?;
        return Ok(Start::Reply(number(status)? as u16));
    }
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(method), Some(uri), Some(b"SIP/2.0"), None) => Ok(Start::Request(method, uri)),
        _ => Err(Wrong("no first line of SIP")),
    }
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

fn after_last_space(value: &[u8]) -> &[u8] {
    memchr::memrchr(b' ', value).map_or(value, |at| &value[at + 1..])
}

fn uri_in(value: &[u8]) -> &[u8] {
    match (memchr::memchr(b'<', value), memchr::memchr(b'>', value)) {
        (Some(from), Some(to)) if from < to => &value[from + 1..to],
        _ => value,
    }
}

fn number(digits: &[u8]) -> Result<usize, Wrong> {
    let text = std::str::from_utf8(digits).map_err(|_| Wrong("no number"))?;
    text.parse().map_err(|_| Wrong("no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5;branch=z9hG4bKa\r\n\
        Record-Route: <sip:1.1.1.1;lr;a=b,c>, <sip:2.2.2.2;lr>\r\nRecord-Route: <sip:3.3.3.3;lr>\r\n\
        From: <sip:a@b>;tag=f1\r\nTo: <sip:c@d>;tag=e1\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:c@127.0.0.1:9>\r\nl: 2\r\n\r\nhi";

    #[test]
    fn the_route_set_is_reversed_value_by_value() {
        let read = Read::message(OK).unwrap();
        let mut routes = Vec::new();
        read.each_route_reversed(|route| routes.push(route));
        assert_eq!(
            routes,
            [
                &b"<sip:3.3.3.3;lr>"[..],
                b"<sip:2.2.2.2;lr>",
                b"<sip:1.1.1.1;lr;a=b,c>"
            ]
        );
        assert_eq!(read.to_tag(), Some(&b"e1"[..]));
        assert_eq!(read.contact, Some(&b"sip:c@127.0.0.1:9"[..]));
        assert_eq!(
            (read.start, read.cseq_method),
            (Start::Reply(200), &b"INVITE"[..])
        );
    }

    #[test]
    fn a_message_is_framed_and_a_wrong_length_refused() {
        assert_eq!(frame(OK), Ok(Some(OK.len())));
        assert_eq!(frame(&OK[..OK.len() - 1]), Ok(None));
        assert_eq!(frame(&OK[..40]), Ok(None));
        assert!(Read::message(&OK[..OK.len() - 1]).is_err());
    }
}
