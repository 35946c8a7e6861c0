//! Where messages end in a byte stream: by Content-Length (RFC 3261 §18.3). No I/O, no state.
//!
//! The answer depends only on the bytes from the beginning of the stream's rest, so that it does not matter in
//! which pieces they came.

use crate::block::find;
use crate::index::{Index, line_end, read_name};
use crate::lex::{number, trim};
use crate::name::HeaderId;

/// What the stream begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// More bytes are needed.
    Partial,
    /// Line ends between messages (RFC 3261 §7.5, RFC 5626 §3.5.1).
    KeepAlive {
        /// How many bytes to drop.
        len: usize,
        /// It is the double CRLF that asks for a CRLF back.
        wants_pong: bool,
    },
    /// A whole message.
    Message {
        /// Its bytes.
        len: usize,
    },
    /// Nothing that follows can be trusted: close the stream.
    Bad(FrameError),
}

/// Why a stream cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// A message of more than 65,535 bytes.
    TooLong,
    /// A message without Content-Length, where one is required.
    NoContentLength,
    /// Content-Length is no number, or there are two that differ.
    BadContentLength,
}

impl FrameError {
    /// A text for a log line or a reason phrase.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLong => "message too long",
            Self::NoContentLength => "Content-Length is missing",
            Self::BadContentLength => "bad Content-Length",
        }
    }
}

/// Looks at the unread bytes of a stream. `length_optional` takes a missing Content-Length for 0.
pub fn scan(bytes: &[u8], length_optional: bool) -> Frame {
    match bytes {
        [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return Frame::Partial,
        [b'\r', b'\n', b'\r', b'\n', ..] => {
            return Frame::KeepAlive {
                len: 4,
                wants_pong: true,
            };
        }
        [b'\r', b'\n', ..] => {
            return Frame::KeepAlive {
                len: 2,
                wants_pong: false,
            };
        }
        [b'\r' | b'\n', ..] => {
            return Frame::KeepAlive {
                len: 1,
                wants_pong: false,
            };
        }
        _ => {}
    }
    let within = &bytes[..bytes.len().min(Index::MAX_BYTES)];
    let Some((body, length)) = headers(within) else {
        return if bytes.len() > within.len() {
            Frame::Bad(FrameError::TooLong)
        } else {
            Frame::Partial
        };
    };
    let length = match length {
        Err(error) => return Frame::Bad(error),
        Ok(Some(length)) => length,
        Ok(None) if length_optional => 0,
        Ok(None) => return Frame::Bad(FrameError::NoContentLength),
    };
    match body.saturating_add(length) {
        len if len > Index::MAX_BYTES => Frame::Bad(FrameError::TooLong),
        len if len > bytes.len() => Frame::Partial,
        len => Frame::Message { len },
    }
}

/// One past the empty line, and what Content-Length says before it; `None` while there is no empty line.
///
/// Nothing is judged before the empty line is there: a line may yet be continued.
fn headers(bytes: &[u8]) -> Option<(usize, Result<Option<usize>, FrameError>)> {
    let mut at = find(bytes, 0, bytes.len(), [b'\n']) + 1;
    let mut length = Ok(None);
    loop {
        match bytes.get(at..)? {
            [] | [b'\r'] => return None,
            [b'\n', ..] => return Some((at + 1, length)),
            [b'\r', b'\n', ..] => return Some((at + 2, length)),
            _ => {}
        }
        let end = line_end(bytes, at);
        if let Ok(known) = length {
            length = read_length(&bytes[at..end], known);
        }
        at = end;
    }
}

/// Reads Content-Length if that is what the line is; `known` is what an earlier line said. Names are read as the
/// index reads them: were there a difference, a body could be taken for the next message.
fn read_length(line: &[u8], known: Option<usize>) -> Result<Option<usize>, FrameError> {
    let Some((name_end, value)) = read_name(line, 0, line.len()) else {
        return Ok(known);
    };
    if HeaderId::from_name(&line[..name_end]) != HeaderId::ContentLength {
        return Ok(known);
    }
    let length = number(trim(&line[value..])).ok_or(FrameError::BadContentLength)? as usize;
    match known {
        Some(other) if other != length => Err(FrameError::BadContentLength),
        _ => Ok(Some(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let message = b"OPTIONS sip:a SIP/2.0\r\nl : 3\r\n\r\nabcINVITE";
        assert_eq!(
            scan(message, false),
            Frame::Message {
                len: message.len() - 6
            }
        );
        for cut in 0..message.len() - 6 {
            assert_eq!(scan(&message[..cut], false), Frame::Partial, "{cut}");
        }
        assert_eq!(
            scan(b"A b SIP/2.0\nl:0\n\nx", false),
            Frame::Message { len: 17 }
        );
        assert_eq!(
            scan(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true),
            Frame::Message { len: 27 }
        );
    }

    #[test]
    fn keep_alives() {
        let ping = Frame::KeepAlive {
            len: 4,
            wants_pong: true,
        };
        assert_eq!(scan(b"\r\n\r\n\r\n", false), ping);
        assert_eq!(scan(b"\r\n", false), Frame::Partial);
        assert_eq!(
            scan(b"\r\nA", false),
            Frame::KeepAlive {
                len: 2,
                wants_pong: false
            }
        );
    }

    #[test]
    fn what_cannot_be_split_is_bad() {
        let bad = |text: &[u8]| match scan(text, false) {
            Frame::Bad(error) => Some(error),
            _ => None,
        };
        assert_eq!(bad(b"A\r\nX: y\r\n\r\n"), Some(FrameError::NoContentLength));
        assert_eq!(
            bad(b"A\r\nl: -1\r\n\r\n"),
            Some(FrameError::BadContentLength)
        );
        assert_eq!(
            scan(b"A\r\nl:\r\n 1\r\n\r\nx", false),
            Frame::Message { len: 14 }
        );
        assert_eq!(
            bad(b"A\r\nl: 1\r\n 0\r\n\r\n"),
            Some(FrameError::BadContentLength)
        );
        assert_eq!(
            bad(b"A\r\nl: 1\r\nContent-Length: 2\r\n\r\n"),
            Some(FrameError::BadContentLength)
        );
        assert_eq!(bad(b"A\r\nl: 65535\r\n\r\n"), Some(FrameError::TooLong));
        assert_eq!(bad(&[b'A'; 65_536]), Some(FrameError::TooLong));
    }
}
