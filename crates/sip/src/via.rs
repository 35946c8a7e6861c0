//! Via (RFC 3261 §20.42): where a request passed, and where its reply goes.

use crate::lex::{Span, TOKEN, digits, is, number, peek, port, skip, skip_lws};
use crate::params::{Param, Params, Step, step};

/// One element of a Via header, as offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct ViaSpans {
    /// The whole element, without the comma.
    pub(crate) text: Span,
    pub(crate) version: Span,
    pub(crate) transport: Span,
    /// With brackets if it is an IPv6 reference.
    pub(crate) host: Span,
    /// As written; absent without one.
    pub(crate) port: Span,
    /// From the first `;` to the end of the element.
    pub(crate) params: Span,
    pub(crate) branch: Span,
    /// The value; absent without the parameter.
    pub(crate) received: Span,
    /// The whole parameter, `rport` or `rport=5060`; absent without it.
    pub(crate) rport: Span,
    pub(crate) rport_value: Span,
    /// The connection that a request came in by, as this proxy writes it into its own Via.
    pub(crate) connection: Span,
}

impl ViaSpans {
    /// Where host and port end, and parameters may be inserted.
    pub(crate) fn sent_by_end(&self) -> u16 {
        if self.port.is_none() {
            self.host.end
        } else {
            self.port.end
        }
    }

    /// Reads the first element of a Via value that spans `at..end`; also gives the offset where it ended.
    pub(crate) fn read(bytes: &[u8], at: usize, end: usize) -> Option<(Self, usize)> {
        let mut via = Self::default();
        let stop = via.fill(bytes, at, end)?;
        Some((via, stop))
    }

    /// As `read`, into empty spans, which stay empty if there is no well-formed element. Nothing is copied: what was
    /// just written in small pieces is slow to read in large ones.
    pub(crate) fn fill(&mut self, bytes: &[u8], at: usize, end: usize) -> Option<usize> {
        let filled = self.try_fill(bytes, at, end);
        if filled.is_none() {
            *self = Self::default();
        }
        filled
    }

    #[inline]
    fn try_fill(&mut self, bytes: &[u8], at: usize, end: usize) -> Option<usize> {
        let start = skip_lws(bytes, at, end);
        let (version, at) = read_protocol(bytes, start, end)?;
        let transport_end = token_end(bytes, at, end);
        let host_start = skip_lws(bytes, transport_end, end);
        if transport_end == at || host_start == transport_end {
            return None;
        }
        let host_end = host_end(bytes, host_start, end)?;
        self.version = version;
        self.transport = Span::new(at, transport_end);
        self.host = Span::new(host_start, host_end);
        let at = self.read_port(bytes, host_end, end)?;
        let stop = self.read_params(bytes, at, end)?;
        self.text = Span::new(start, stop);
        Some(stop)
    }

    fn read_port(&mut self, bytes: &[u8], at: usize, end: usize) -> Option<usize> {
        let colon = skip_lws(bytes, at, end);
        if colon >= end || peek(bytes, colon) != b':' {
            return Some(at);
        }
        let start = skip_lws(bytes, colon + 1, end);
        let (number, stop) = digits(bytes, start, end)?;
        self.port = Span::new(start, stop);
        (number <= u16::MAX.into()).then_some(stop)
    }

    fn read_params(&mut self, bytes: &[u8], at: usize, end: usize) -> Option<usize> {
        let first = skip_lws(bytes, at, end);
        let (mut next, mut stop) = (at, at);
        loop {
            match step(bytes, next, end) {
                Step::Param {
                    name,
                    value,
                    next: after,
                } => {
                    stop = if value.is_none() { name.end } else { value.end }.into();
                    next = after;
                    self.note(bytes, name, value);
                }
                Step::End(at) if at >= end || peek(bytes, at) == b',' => break,
                _ => return None,
            }
        }
        if stop > at {
            self.params = Span::new(first, stop);
        }
        Some(stop)
    }

    /// Remembers a parameter if it is one of those that a proxy needs.
    #[inline]
    fn note(&mut self, bytes: &[u8], name: Span, value: Span) {
        let mut small = [0; 8];
        let text = name.of(bytes);
        let text = match text {
            // Nearly everybody writes small letters.
            b"branch" | b"rport" | b"received" | b"i" => text,
            _ => lower(text, &mut small),
        };
        match text {
            b"branch" => self.branch = value,
            b"received" => self.received = value,
            b"i" => self.connection = value,
            b"rport" => {
                let end = if value.is_none() { name.end } else { value.end };
                self.rport = Span {
                    start: name.start,
                    end,
                };
                self.rport_value = value;
            }
            _ => {}
        }
    }
}

/// The text in small letters, or nothing if there is no room for it.
fn lower<'a>(text: &[u8], room: &'a mut [u8; 8]) -> &'a [u8] {
    let room = room.get_mut(..text.len()).unwrap_or_default();
    for (small, byte) in room.iter_mut().zip(text) {
        *small = byte.to_ascii_lowercase();
    }
    room
}

/// Reads `SIP/2.0/`; gives the version and where the transport begins.
#[inline]
fn read_protocol(bytes: &[u8], start: usize, end: usize) -> Option<(Span, usize)> {
    if bytes.get(start..end)?.starts_with(b"SIP/2.0/") && is(peek(bytes, start + 8), TOKEN) {
        return Some((Span::new(start + 4, start + 7), start + 8));
    }
    let name_end = token_end(bytes, start, end);
    if !bytes.get(start..name_end)?.eq_ignore_ascii_case(b"SIP") {
        return None;
    }
    let version = after_slash(bytes, name_end, end)?;
    let version_end = token_end(bytes, version, end);
    let transport = after_slash(bytes, version_end, end)?;
    Some((Span::new(version, version_end), transport))
}

fn after_slash(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    let at = skip_lws(bytes, at, end);
    (at < end && peek(bytes, at) == b'/').then(|| skip_lws(bytes, at + 1, end))
}

#[inline]
fn token_end(bytes: &[u8], at: usize, end: usize) -> usize {
    skip(bytes, at, end, TOKEN)
}

#[inline]
fn host_end(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    if peek(bytes, start) == b'[' {
        let close = bytes.get(start..end)?.iter().position(|&b| b == b']')?;
        return (close > 1).then_some(start + close + 1);
    }
    let stop = token_end(bytes, start, end);
    (stop > start).then_some(stop)
}

/// One element of a Via header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    bytes: &'a [u8],
    spans: ViaSpans,
}

impl<'a> Via<'a> {
    pub(crate) const fn new(bytes: &'a [u8], spans: ViaSpans) -> Self {
        Self { bytes, spans }
    }

    /// Reads the first element of a Via value.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        // Offset 0 means "absent", which no part of an element is: it begins with the protocol's name.
        if value.len() > usize::from(u16::MAX) {
            return None;
        }
        let (spans, _) = ViaSpans::read(value, 0, value.len())?;
        Some(Self {
            bytes: value,
            spans,
        })
    }

    /// The element as written.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.spans.text.of(self.bytes)
    }

    /// The protocol version: `2.0`.
    pub fn version(&self) -> &'a [u8] {
        self.spans.version.of(self.bytes)
    }

    /// The transport as written: `UDP`.
    pub fn transport(&self) -> &'a [u8] {
        self.spans.transport.of(self.bytes)
    }

    /// The host of sent-by, with the brackets of an IPv6 reference.
    pub fn host(&self) -> &'a [u8] {
        self.spans.host.of(self.bytes)
    }

    /// The port of sent-by, if one is written.
    pub fn port(&self) -> Option<u16> {
        self.spans.port.get(self.bytes).and_then(port)
    }

    /// Host and port as written.
    pub fn sent_by(&self) -> &'a [u8] {
        Span {
            start: self.spans.host.start,
            end: self.spans.sent_by_end(),
        }
        .of(self.bytes)
    }

    /// The branch.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.spans.branch.get(self.bytes)
    }

    /// The address that the next hop saw.
    pub fn received(&self) -> Option<&'a [u8]> {
        self.spans.received.get(self.bytes)
    }

    /// RFC 3581: `None` without the parameter, `Some(None)` while it has no (readable) value.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.spans.rport.get(self.bytes)?;
        Some(self.spans.rport_value.get(self.bytes).and_then(port))
    }

    /// The CSeq number that the request came with, when it left with a higher one: a parameter of our own, `cs`.
    pub fn raised_from(&self) -> Option<u32> {
        number(self.param(b"cs").flatten()?)
    }

    /// The value of `i`, in which this proxy notes the connection that a request came in by.
    pub fn connection(&self) -> Option<&'a [u8]> {
        self.spans.connection.get(self.bytes)
    }

    /// All parameters.
    pub fn params(&self) -> Params<'a> {
        Params::new(self.spans.params.of(self.bytes))
    }

    /// One parameter, by its name in any case.
    pub fn param(&self, name: &[u8]) -> Option<Option<&'a [u8]>> {
        self.params().get(name)
    }

    /// The parameters in their order.
    pub fn iter_params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        self.params().iter()
    }
}

#[cfg(test)]
mod tests {
    use super::Via;

    #[test]
    fn parts() {
        let via = Via::parse(b"SIP/2.0/UDP h.example:5070;rport;Branch=z9hG4bKx;received=1.2.3.4")
            .expect("valid");
        assert_eq!(via.transport(), b"UDP");
        assert_eq!((via.host(), via.port()), (&b"h.example"[..], Some(5070)));
        assert_eq!(via.sent_by(), b"h.example:5070");
        assert_eq!(via.branch(), Some(&b"z9hG4bKx"[..]));
        assert_eq!(via.received(), Some(&b"1.2.3.4"[..]));
        assert_eq!(via.rport(), Some(None));
    }

    #[test]
    fn blanks_folds_and_ipv6() {
        let via =
            Via::parse(b" SIP  / 2.0\r\n / TCP   [2001:db8::9] : 99  ;\r\n branch  =  z9  , x")
                .expect("valid");
        assert_eq!((via.host(), via.port()), (&b"[2001:db8::9]"[..], Some(99)));
        assert_eq!(via.branch(), Some(&b"z9"[..]));
        assert!(via.as_bytes().ends_with(b"z9"));
    }

    #[test]
    fn refuses_what_has_no_shape() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0 h",
            "HTTP/2.0/TCP h",
            "SIP/2.0/UDP h;;",
            "SIP/2.0/UDP h:x",
            "SIP/2.0/UDP h:99999",
            "SIP/2.0/UDP [::1",
            "SIP/2.0/UDP h;branch=\"x",
            "SIP/2.0/UDP h g",
        ] {
            assert!(Via::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
