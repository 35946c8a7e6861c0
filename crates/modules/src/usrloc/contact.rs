//! One registered contact, and how a later registration finds it again.

use std::sync::Arc;

use sip::{ConnectionId, SocketId};

/// A contact of an address of record. It is never changed: an update puts another in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    /// The URI, as registered.
    pub(crate) address: Box<[u8]>,
    /// When it ends, seconds since 1970; 0 never.
    pub(crate) expires: u64,
    /// Preference in thousandths, -1 unknown.
    pub(crate) q: i32,
    /// Call-ID of the registration.
    pub(crate) call_id: Box<[u8]>,
    /// CSeq of the registration.
    pub(crate) cseq: u32,
    /// The client's User-Agent.
    pub(crate) user_agent: Box<[u8]>,
    /// Where the client really is, as a URI.
    pub(crate) received: Option<Box<[u8]>>,
    /// The Path header's values, as registered (RFC 3327).
    pub(crate) path: Option<Box<[u8]>>,
    /// Flags of the registration: 1 kept in memory only.
    pub(crate) flags: u32,
    /// Branch flags for requests to it.
    pub(crate) branch_flags: u32,
    /// The socket that the registration came by.
    pub(crate) socket: Option<SocketId>,
    /// Methods that it takes, as bits.
    pub(crate) methods: u32,
    /// Its own name.
    pub(crate) ruid: Box<[u8]>,
    /// `+sip.instance`, angle brackets included (RFC 5626 §4.1).
    pub(crate) instance: Option<Box<[u8]>>,
    /// `reg-id` (RFC 5626 §4.2), 0 for none.
    pub(crate) reg_id: u32,
    /// The stream that the registration came by.
    pub(crate) connection: Option<ConnectionId>,
    /// When it was last registered, seconds since 1970.
    pub(crate) modified: u64,
}

/// Methods of a contact that said nothing about them.
pub(crate) const ALL_METHODS: u32 = u32::MAX;

impl Contact {
    /// Whether it still counts at this time.
    pub(crate) const fn is_valid(&self, now: u64) -> bool {
        self.expires == 0 || self.expires > now
    }

    /// Seconds until it ends; 0 when it has ended or never does.
    pub(crate) const fn remaining(&self, now: u64) -> u64 {
        self.expires.saturating_sub(now)
    }
}

/// What makes two registrations mean the same contact (`matching_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matching {
    /// The same address.
    Address,
    /// The same address and Call-ID.
    AddressAndCallId,
    /// The same address and Path.
    AddressAndPath,
    /// The same Call-ID.
    CallId,
}

impl Matching {
    /// By the number that the parameter has.
    pub(crate) const fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::Address,
            1 => Self::AddressAndCallId,
            2 => Self::AddressAndPath,
            3 => Self::CallId,
            _ => return None,
        })
    }

    /// Where the contact that `new` is about stands. An instance identifies a client whatever address it
    /// has now (RFC 5626 §6).
    pub(crate) fn find(self, contacts: &[Arc<Contact>], new: &Contact) -> Option<usize> {
        let by_instance = contacts.iter().position(|old| {
            new.instance.is_some() && old.instance == new.instance && old.reg_id == new.reg_id
        });
        by_instance.or_else(|| contacts.iter().position(|old| self.is_same(old, new)))
    }

    fn is_same(self, old: &Contact, new: &Contact) -> bool {
        let address = old.address == new.address;
        match self {
            Self::Address => address,
            Self::AddressAndCallId => address && old.call_id == new.call_id,
            Self::AddressAndPath => address && old.path == new.path,
            Self::CallId => old.call_id == new.call_id,
        }
    }
}

/// How a registration stands to the contact that it is about (RFC 3261 §10.3 step 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// It is newer.
    Newer,
    /// It was seen already.
    Repeated,
    /// It is older.
    Older,
}

impl Sequence {
    /// Compares them; equal numbers within `delay` seconds are a repetition.
    pub(crate) fn of(old: &Contact, new: &Contact, delay: u64) -> Self {
        if old.call_id != new.call_id || new.cseq > old.cseq {
            Self::Newer
        } else if new.cseq == old.cseq && new.modified <= old.modified.saturating_add(delay) {
            Self::Repeated
        } else {
            Self::Older
        }
    }
}

/// The order in which contacts of one address of record are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The most preferred first, among equals the oldest.
    Preference,
    /// The latest first.
    Latest,
}

impl Order {
    /// Puts a contact where it belongs.
    pub(crate) fn insert(self, contacts: &mut Vec<Arc<Contact>>, new: Arc<Contact>) {
        let at = match self {
            Self::Latest => 0,
            Self::Preference => contacts
                .iter()
                .position(|old| old.q < new.q)
                .unwrap_or(contacts.len()),
        };
        contacts.insert(at, new);
    }

    /// Exchanges the contact at `at` for its new form.
    pub(crate) fn replace(self, contacts: &mut Vec<Arc<Contact>>, at: usize, new: Arc<Contact>) {
        let old = contacts.remove(at);
        if self == Self::Preference && old.q == new.q {
            contacts.insert(at, new);
        } else {
            self.insert(contacts, new);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A contact with this address and preference.
    pub(crate) fn contact(address: &str, q: i32) -> Contact {
        Contact {
            address: address.as_bytes().into(),
            expires: 100,
            q,
            call_id: b"c".as_slice().into(),
            cseq: 1,
            user_agent: Box::default(),
            received: None,
            path: None,
            flags: 0,
            branch_flags: 0,
            socket: None,
            methods: ALL_METHODS,
            ruid: address.as_bytes().into(),
            instance: None,
            reg_id: 0,
            connection: None,
            modified: 10,
        }
    }

    fn order(contacts: &[Arc<Contact>]) -> Vec<&str> {
        let addresses = contacts.iter().map(|contact| &*contact.address);
        addresses
            .map(|address| std::str::from_utf8(address).unwrap_or_default())
            .collect()
    }

    #[test]
    fn preference_puts_the_best_first_and_keeps_the_age_of_equals() {
        let mut list = Vec::new();
        for (name, q) in [("a", 500), ("b", 700), ("c", -1), ("d", 500)] {
            Order::Preference.insert(&mut list, Arc::new(contact(name, q)));
        }
        assert_eq!(order(&list), ["b", "a", "d", "c"]);
        Order::Preference.replace(&mut list, 1, Arc::new(contact("a", 500)));
        assert_eq!(order(&list), ["b", "a", "d", "c"]);
        Order::Preference.replace(&mut list, 3, Arc::new(contact("c", 1000)));
        assert_eq!(order(&list), ["c", "b", "a", "d"]);
        Order::Latest.replace(&mut list, 3, Arc::new(contact("d", 1)));
        assert_eq!(order(&list), ["d", "c", "b", "a"]);
    }

    #[test]
    fn a_registration_finds_its_contact() {
        let mut old = contact("a", 1);
        old.instance = Some(b"<i>".as_slice().into());
        let list = [Arc::new(contact("z", 1)), Arc::new(old.clone())];
        let mut new = contact("b", 1);
        assert_eq!(Matching::Address.find(&list, &new), None);
        new.instance.clone_from(&old.instance);
        assert_eq!(Matching::Address.find(&list, &new), Some(1));
        let mut new = contact("a", 1);
        new.call_id = b"other".as_slice().into();
        assert_eq!(Matching::Address.find(&list, &new), Some(1));
        assert_eq!(Matching::AddressAndCallId.find(&list, &new), None);
    }

    #[test]
    fn sequence_numbers_tell_old_from_new() {
        let old = contact("a", 1);
        let mut new = contact("a", 1);
        assert_eq!(Sequence::of(&old, &new, 20), Sequence::Repeated);
        new.modified = 31;
        assert_eq!(Sequence::of(&old, &new, 20), Sequence::Older);
        new.cseq = 2;
        assert_eq!(Sequence::of(&old, &new, 20), Sequence::Newer);
        new.cseq = 0;
        assert_eq!(Sequence::of(&old, &new, 20), Sequence::Older);
        new.call_id = b"other".as_slice().into();
        assert_eq!(Sequence::of(&old, &new, 20), Sequence::Newer);
    }
}
