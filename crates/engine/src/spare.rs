//! Messages that nobody holds any more, to be filled again: their memory is still near the processor.

use std::sync::Arc;

use sip::{Message, ParseError};

/// How many are kept: as many as one batch brings.
const MESSAGES_MAX: usize = 64;
/// Room for more bytes is given back.
const BYTES_MAX: usize = 4096;

/// Messages of one worker.
#[derive(Debug, Default)]
pub(crate) struct Spare(Vec<Arc<Message>>);

impl Spare {
    /// A message of these bytes.
    ///
    /// # Errors
    /// When they are none.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Arc<Message>, ParseError> {
        let mut message = self.0.pop().unwrap_or_default();
        let read = Arc::make_mut(&mut message).refill(bytes);
        match read {
            Ok(()) => Ok(message),
            Err(error) => {
                self.keep(message);
                Err(error)
            }
        }
    }

    /// Takes a message back, unless somebody else holds it.
    pub(crate) fn keep(&mut self, mut message: Arc<Message>) {
        let is_free = Arc::get_mut(&mut message).is_some_and(|free| free.room() <= BYTES_MAX);
        if is_free && self.0.len() < MESSAGES_MAX {
            self.0.push(message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"OPTIONS sip:h SIP/2.0\r\nCall-ID: a\r\n\r\n";

    #[test]
    fn only_what_nobody_holds_is_filled_again() {
        let mut spare = Spare::default();
        let first = spare.read(TEXT).expect("a message");
        let held = Arc::clone(&first);
        spare.keep(first);
        let second = spare.read(b"SIP/2.0 200 OK\r\n\r\n").expect("a message");
        assert_eq!(held.bytes(), TEXT);
        let place = Arc::as_ptr(&second);
        spare.keep(second);
        assert!(spare.read(b"\0").is_err());
        let third = spare.read(TEXT).expect("a message");
        assert_eq!((Arc::as_ptr(&third), third.bytes()), (place, TEXT));
    }

    #[test]
    fn the_room_of_long_messages_is_given_back() {
        let mut spare = Spare::default();
        let long = [TEXT, &[b' '; 8192]].concat();
        spare.keep(spare_of(&long));
        assert!(spare.0.is_empty());
    }

    fn spare_of(bytes: &[u8]) -> Arc<Message> {
        Spare::default().read(bytes).expect("a message")
    }
}
