//! The types of callbacks, with the names and the numbers of the dialog module's developer API.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// A set of callback types: what an observer wants to hear of.
///
/// The bits are those of Kamailio's `DLGCB_*`.
///
/// ```
/// use tandem_dialog::Callbacks;
///
/// let ends = Callbacks::FAILED | Callbacks::TERMINATED | Callbacks::EXPIRED;
/// assert!(ends.contains(Callbacks::EXPIRED));
/// assert_eq!(ends.bits(), 1 << 2 | 1 << 6 | 1 << 7);
/// let names: Vec<_> = ends.names().collect();
/// assert_eq!(names, ["FAILED", "TERMINATED", "EXPIRED"]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Callbacks(u16);

/// Every type by name, by bit.
const NAMES: [(Callbacks, &str); 15] = [
    (Callbacks::LOADED, "LOADED"),
    (Callbacks::CREATED, "CREATED"),
    (Callbacks::FAILED, "FAILED"),
    (Callbacks::CONFIRMED_NA, "CONFIRMED_NA"),
    (Callbacks::CONFIRMED, "CONFIRMED"),
    (Callbacks::REQ_WITHIN, "REQ_WITHIN"),
    (Callbacks::TERMINATED, "TERMINATED"),
    (Callbacks::EXPIRED, "EXPIRED"),
    (Callbacks::EARLY, "EARLY"),
    (Callbacks::RESPONSE_FWDED, "RESPONSE_FWDED"),
    (Callbacks::RESPONSE_WITHIN, "RESPONSE_WITHIN"),
    (Callbacks::RPC_CONTEXT, "RPC_CONTEXT"),
    (Callbacks::DESTROY, "DESTROY"),
    (Callbacks::SPIRALED, "SPIRALED"),
    (Callbacks::TERMINATED_CONFIRMED, "TERMINATED_CONFIRMED"),
];

impl Callbacks {
    /// No type.
    pub const NONE: Self = Self(0);
    /// A call was read from storage ([`Tracker::loaded`](crate::Tracker::loaded)).
    pub const LOADED: Self = Self(1 << 0);
    /// An INVITE began a call.
    pub const CREATED: Self = Self(1 << 1);
    /// The call ended without an answer.
    pub const FAILED: Self = Self(1 << 2);
    /// The call was answered; the ACK is awaited.
    pub const CONFIRMED_NA: Self = Self(1 << 3);
    /// The ACK of the answer came.
    pub const CONFIRMED: Self = Self(1 << 4);
    /// Another request within the call passed.
    pub const REQ_WITHIN: Self = Self(1 << 5);
    /// An answered call ended by BYE: one that passed, or the program's own.
    pub const TERMINATED: Self = Self(1 << 6);
    /// The lifetime of an answered call was over, and no BYE was sent.
    pub const EXPIRED: Self = Self(1 << 7);
    /// A provisional reply was relayed: each one.
    pub const EARLY: Self = Self(1 << 8);
    /// A reply below 300 to the INVITE is about to be forwarded; its state is still the one before.
    pub const RESPONSE_FWDED: Self = Self(1 << 9);
    /// A reply below 300 to a request within the call is about to be forwarded.
    pub const RESPONSE_WITHIN: Self = Self(1 << 10);
    /// Somebody lists the call with what is attached to it ([`Tracker::attached`](crate::Tracker::attached)).
    pub const RPC_CONTEXT: Self = Self(1 << 12);
    /// The name of [`RPC_CONTEXT`](Self::RPC_CONTEXT) in the manual of 3.2.
    pub const MI_CONTEXT: Self = Self::RPC_CONTEXT;
    /// The call's record is gone.
    pub const DESTROY: Self = Self(1 << 13);
    /// The INVITE of the call passed again.
    pub const SPIRALED: Self = Self(1 << 14);
    /// A BYE was answered: one that passed, or the program's own.
    pub const TERMINATED_CONFIRMED: Self = Self(1 << 15);
    /// All types.
    pub const ALL: Self = Self(0xf7ff);

    /// The set as a number.
    pub const fn bits(self) -> u16 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Whether all types of `other` are in the set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any type of `other` is in the set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no type is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The types' names, without `DLGCB_`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .filter(move |(kind, _)| self.contains(*kind))
            .map(|(_, name)| *name)
    }
}

impl BitOr for Callbacks {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Callbacks {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_types_are_there_once() {
        let mut all = Callbacks::NONE;
        for (kind, _) in NAMES {
            assert!(!all.intersects(kind));
            all |= kind;
        }
        assert_eq!(all, Callbacks::ALL);
        assert_eq!(all.names().count(), 15);
    }
}
