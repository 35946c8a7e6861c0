//! What waits to be written to one peer.

use std::collections::VecDeque;
use std::sync::Arc;

/// Messages and pongs in their order, with a limit in bytes.
#[derive(Debug, Default)]
pub(super) struct Output {
    items: VecDeque<Item>,
    /// How much of the first item has been written.
    offset: usize,
    /// Bytes not yet written.
    bytes: usize,
}

#[derive(Debug)]
enum Item {
    Message(Arc<[u8]>),
    Pong,
    /// The connection is to be closed here.
    End,
}

/// The answer to a double CRLF (RFC 5626 §4.4.1).
const PONG: &[u8] = b"\r\n";

impl Item {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Message(bytes) => bytes,
            Self::Pong => PONG,
            Self::End => &[],
        }
    }
}

impl Output {
    /// Whether `length` more bytes fit. Into an empty queue one message always does.
    pub(super) fn has_room(&self, length: usize, limit: usize) -> bool {
        self.items.is_empty() || self.bytes.saturating_add(length) <= limit
    }

    pub(super) fn push(&mut self, message: Arc<[u8]>) {
        self.bytes += message.len();
        self.items.push_back(Item::Message(message));
    }

    /// Queues a pong, unless so much waits that the peer cannot be reading.
    pub(super) fn push_pong(&mut self, limit: usize) -> bool {
        let room = self.has_room(PONG.len(), limit);
        if room {
            self.bytes += PONG.len();
            self.items.push_back(Item::Pong);
        }
        room
    }

    /// Marks the place at which the connection is to be closed.
    pub(super) fn push_end(&mut self) {
        self.items.push_back(Item::End);
    }

    /// Whether all that was to be written before the end has been.
    pub(super) fn is_at_end(&self) -> bool {
        matches!(self.items.front(), Some(Item::End))
    }

    /// The next bytes to write.
    pub(super) fn front(&self) -> Option<&[u8]> {
        self.items.front()?.bytes().get(self.offset..)
    }

    /// Notes that `written` bytes of the front are gone; whether they completed a message.
    pub(super) fn advance(&mut self, written: usize) -> bool {
        self.offset += written;
        self.bytes = self.bytes.saturating_sub(written);
        let complete = self
            .items
            .front()
            .is_some_and(|item| self.offset >= item.bytes().len());
        if !complete {
            return false;
        }
        self.offset = 0;
        matches!(self.items.pop_front(), Some(Item::Message(_)))
    }

    /// Bytes not yet written.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }

    /// Takes out the messages that were not written to their end.
    pub(super) fn take_messages(&mut self) -> impl Iterator<Item = Arc<[u8]>> + use<> {
        let items = std::mem::take(self).items;
        items.into_iter().filter_map(|item| match item {
            Item::Message(bytes) => Some(bytes),
            Item::Pong | Item::End => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_but_one_message_always_fits() {
        let mut output = Output::default();
        assert!(output.has_room(100, 10));
        output.push(vec![b'x'; 100].into());
        assert!(!output.has_room(1, 10));
        assert!(output.has_room(20, 120));
        assert!(!output.push_pong(100));
    }

    #[test]
    fn partial_writes_keep_their_place() {
        let mut output = Output::default();
        output.push((*b"abc").into());
        assert!(output.push_pong(100));
        assert!(!output.advance(1));
        assert_eq!(output.front(), Some(&b"bc"[..]));
        assert!(output.advance(2));
        assert_eq!(output.front(), Some(PONG));
        assert!(!output.advance(2));
        assert_eq!((output.front(), output.len()), (None, 0));
    }

    #[test]
    fn a_message_half_written_counts_as_unsent() {
        let mut output = Output::default();
        output.push((*b"abc").into());
        output.push((*b"def").into());
        output.advance(1);
        assert_eq!(output.take_messages().count(), 2);
        assert_eq!(output.len(), 0);
    }
}
