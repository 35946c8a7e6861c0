//! Methods as bits, as contacts carry them.

use sip::{HeaderId, Message, Method};

use crate::usrloc::ALL_METHODS;

/// The bit of a method.
pub(super) const fn bit(method: Method) -> u32 {
    match method {
        Method::Invite => 1,
        Method::Cancel => 2,
        Method::Ack => 4,
        Method::Bye => 8,
        Method::Info => 16,
        Method::Register => 32,
        Method::Subscribe => 64,
        Method::Notify => 128,
        Method::Message => 256,
        Method::Options => 512,
        Method::Prack => 1024,
        Method::Update => 2048,
        Method::Refer => 4096,
        Method::Publish => 8192,
        Method::Kdmq | Method::Extension => 16384,
    }
}

/// The methods of a list: `INVITE, BYE`.
pub(super) fn of_list(list: &[u8]) -> u32 {
    let names = list.split(|byte| *byte == b',').map(sip::trim);
    names
        .filter(|name| !name.is_empty())
        .fold(0, |bits, name| bits | bit(Method::from_bytes(name)))
}

/// The methods that a registration allows; all when it says nothing.
pub(super) fn of_message(message: &Message) -> u32 {
    let mut allow = message.values(HeaderId::Allow).peekable();
    if allow.peek().is_none() {
        return ALL_METHODS;
    }
    allow.fold(0, |bits, name| bits | bit(Method::from_bytes(name.text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_bits() {
        assert_eq!(of_list(b"INVITE, ACK ,BYE"), 13);
        assert_eq!(of_list(b"INVITE,FOO"), 16385);
        assert_eq!(of_list(b""), 0);
    }
}
