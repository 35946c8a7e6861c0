//! The unread bytes of one connection, and where its messages end.

use std::ops::Range;

use sip::frame::{self, Frame};

/// Room for a small message; most connections never need more.
const SMALL: usize = 4096;
/// The longest message, and the keep-alives that may stand before it.
const LARGE: usize = 65_536 + 64;

/// Bytes as they come, and the position of the next frame.
#[derive(Debug)]
pub(super) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

/// What the unread bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A message, at this place in the buffer.
    Message(Range<usize>),
    /// A keep-alive that has been dropped; whether it asks for an answer.
    KeepAlive(bool),
    /// Nothing whole.
    Partial,
    /// Nothing that can be split.
    Bad(&'static str),
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    /// Room to read into; never empty after all whole messages have been taken.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            // A connection that had one large message does not keep its memory.
            if self.bytes.len() != SMALL {
                self.bytes = vec![0; SMALL];
            }
        } else if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() {
            let larger = (self.bytes.len() * 4).min(LARGE);
            self.bytes.resize(larger, 0);
        }
        &mut self.bytes[self.end..]
    }

    /// Notes that `count` bytes were read into the room.
    pub(super) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// Takes the next frame out.
    pub(super) fn next(&mut self, length_optional: bool) -> Next {
        let unread = &self.bytes[self.start..self.end];
        if unread.first() == Some(&0) {
            let zeros = unread.iter().take_while(|b| **b == 0).count();
            self.start += zeros;
            return Next::KeepAlive(false);
        }
        match frame::scan(unread, length_optional) {
            Frame::Partial if unread.len() >= LARGE => Next::Bad("message too long"),
            Frame::Partial => Next::Partial,
            Frame::KeepAlive { len, wants_pong } => {
                self.start += len;
                Next::KeepAlive(wants_pong)
            }
            Frame::Message { len } => {
                let message = self.start..self.start + len;
                self.start += len;
                Next::Message(message)
            }
            Frame::Bad(error) => Next::Bad(error.reason()),
        }
    }

    /// The bytes of a message that `next` has found, until `room` is asked for.
    pub(super) fn message(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Whether a message has begun. Line ends alone are none: a lone CRLF is an answer to a
    /// keep-alive, and nothing need ever follow it.
    pub(super) fn has_begun_message(&self) -> bool {
        let unread = &self.bytes[self.start..self.end];
        unread.iter().any(|b| !matches!(b, b'\r' | b'\n'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(body: usize) -> Vec<u8> {
        let head = format!("OPTIONS sip:a SIP/2.0\r\nContent-Length: {body}\r\n\r\n");
        [head.as_bytes(), &vec![b'b'; body]].concat()
    }

    /// Feeds `pieces`; the messages and the number of pongs asked for.
    fn feed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, usize) {
        let (mut input, mut messages, mut pongs) = (Input::new(), Vec::new(), 0);
        for mut piece in pieces {
            while !piece.is_empty() {
                let room = input.room();
                let count = room.len().min(piece.len());
                room[..count].copy_from_slice(&piece[..count]);
                input.filled(count);
                piece = &piece[count..];
                loop {
                    match input.next(false) {
                        Next::Message(range) => messages.push(input.message(range).to_vec()),
                        Next::KeepAlive(wants_pong) => pongs += usize::from(wants_pong),
                        Next::Partial => break,
                        Next::Bad(reason) => panic!("{reason}"),
                    }
                }
            }
        }
        (messages, pongs)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_tearing_gives_the_same_messages(
            bodies in prop::collection::vec(0_usize..9000, 1..5),
            sizes in prop::collection::vec(1_usize..3000, 1..40),
        ) {
            let expected: Vec<_> = bodies.iter().map(|n| message(*n)).collect();
            let mut stream = Vec::new();
            for one in &expected {
                stream.extend_from_slice(b"\0\0\r\n\r\n");
                stream.extend_from_slice(one);
            }
            let mut rest = &stream[..];
            let mut sizes = sizes.iter().cycle();
            let pieces = std::iter::from_fn(|| {
                let size = (*sizes.next()?).min(rest.len());
                let (piece, after) = rest.split_at(size);
                rest = after;
                (size > 0).then_some(piece)
            });
            let (messages, pongs) = feed(pieces);
            prop_assert_eq!(pongs, expected.len());
            prop_assert_eq!(messages, expected);
        }
    }

    #[test]
    fn the_longest_message_passes_and_a_longer_one_does_not() {
        let head = message(0).len() + 4;
        let longest = message(65_535 - head);
        assert_eq!(
            feed([&longest[..]].into_iter()).0,
            std::slice::from_ref(&longest)
        );
        let mut input = Input::new();
        let endless = b"OPTIONS sip:a SIP/2.0\r\nX: y".to_vec();
        let mut fill = &endless[..];
        let verdict = loop {
            let room = input.room();
            let count = room.len().min(fill.len());
            room[..count].copy_from_slice(&fill[..count]);
            input.filled(count);
            fill = &[b'y'; 1000];
            match input.next(false) {
                Next::Partial => {}
                other => break other,
            }
        };
        assert_eq!(verdict, Next::Bad("message too long"));
    }

    #[test]
    fn line_ends_alone_are_no_message() {
        let mut input = Input::new();
        input.room()[..2].copy_from_slice(b"\r\n");
        input.filled(2);
        assert_eq!(input.next(false), Next::Partial);
        assert!(!input.has_begun_message());
    }
}
