//! What names a call: the slot that its Call-ID hashes to, a number within the slot, and the cookie
//! that carries both through Record-Route. The numbers equal Kamailio's, so databases and tools agree.

use std::fmt;

use smallvec::SmallVec;

/// Names one call: Kamailio's `h_entry` and `h_id`. An `h_id` of 0 names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId {
    /// The slot: [`core_hash`] of the Call-ID, masked to the table's size.
    pub h_entry: u32,
    /// The number within the slot, from 1.
    pub h_id: u32,
}

impl fmt::Display for DialogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.h_entry, self.h_id)
    }
}

/// Kamailio's core hash over one byte string, before it is masked to a table size.
///
/// ```
/// assert_eq!(tandem_dialog::core_hash(b"1-12345@127.0.0.1") & 4095, 1327);
/// ```
pub fn core_hash(bytes: &[u8]) -> u32 {
    let mix = |value: u32| value ^ (value >> 3);
    let mut groups = bytes.chunks_exact(4);
    let mut hash = 0u32;
    for group in &mut groups {
        hash = hash.wrapping_add(mix(big_endian(group)));
    }
    hash = hash.wrapping_add(mix(big_endian(groups.remainder())));
    hash.wrapping_add(hash >> 11)
        .wrapping_add(hash >> 13)
        .wrapping_add(hash >> 23)
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, &b| value << 8 | u32::from(b))
}

/// The value of the Record-Route parameter: both numbers in hexadecimal, least significant digit
/// first, joined by a dot.
///
/// ```
/// use tandem_dialog::{Cookie, DialogId};
///
/// let id = DialogId { h_entry: 2793, h_id: 6350 };
/// assert_eq!(Cookie::new(id).as_bytes(), b"9ea.ec81");
/// assert_eq!(Cookie::decode(b"9ea.ec81"), Some(id));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie(SmallVec<[u8; 24]>);

impl Cookie {
    /// The cookie of a call.
    pub fn new(id: DialogId) -> Self {
        let mut text = SmallVec::new();
        push_reversed(&mut text, id.h_entry);
        text.push(b'.');
        push_reversed(&mut text, id.h_id);
        Self(text)
    }

    /// The parameter's value, at most 17 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads a parameter's value. `None` if it is no cookie; an empty half counts as 0.
    pub fn decode(value: &[u8]) -> Option<DialogId> {
        let dot = value.iter().position(|&b| b == b'.')?;
        Some(DialogId {
            h_entry: read_reversed(&value[..dot])?,
            h_id: read_reversed(&value[dot + 1..])?,
        })
    }
}

impl fmt::Display for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|&b| write!(f, "{}", char::from(b)))
    }
}

fn push_reversed(text: &mut SmallVec<[u8; 24]>, mut value: u32) {
    loop {
        text.push(b"0123456789abcdef"[(value & 0xf) as usize]);
        value >>= 4;
        if value == 0 {
            return;
        }
    }
}

fn read_reversed(digits: &[u8]) -> Option<u32> {
    if digits.len() > 8 {
        return None;
    }
    digits.iter().rev().try_fold(0, |value, &b| {
        Some(value << 4 | char::from(b).to_digit(16)?)
    })
}

/// How `h_id`s are handed out within a slot (`h_id_start`, `h_id_step`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbering {
    pub(crate) start: u32,
    /// 1 or more.
    pub(crate) step: u32,
}

impl Numbering {
    /// A slot's first counter, from a random number.
    pub(crate) fn first(self, random: u64, hash_size: u32) -> u32 {
        let spread = (random % (3 * u64::from(hash_size))) as u32;
        if self.step <= 1 {
            return spread;
        }
        let steps = self.step.wrapping_mul(spread.wrapping_add(1));
        self.start.wrapping_add(steps)
    }

    /// Takes the next number from a slot's counter. Never 0.
    pub(crate) fn take(self, next: &mut u32) -> u32 {
        if self.step <= 1 {
            *next = next.wrapping_add(1).max(1);
            return *next;
        }
        if *next == 0 || next.checked_add(self.step).is_none() {
            *next = self.start.wrapping_add(self.step);
        }
        let taken = (*next).max(1);
        *next = next.wrapping_add(self.step);
        taken
    }

    /// Moves a slot's counter past a number that is in use.
    pub(crate) fn skip(self, next: &mut u32, used: u32) {
        if self.step <= 1 {
            *next = (*next).max(used);
        } else if used.wrapping_sub(self.start).is_multiple_of(self.step) {
            *next = (*next).max(used.saturating_add(self.step));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &[(&str, u32, [u32; 4], &str)] = &[
        ("a", 0x6d, [109, 109, 109, 109], "d6.bb31"),
        ("abc", 0x006d_5f42, [3906, 834, 322, 24386], "24f.bb31"),
        ("abcd", 0x6d5f_4418, [1048, 24, 24, 17432], "814.bb31"),
        (
            "12345678@127.0.0.1",
            0xdef5_a63c,
            [1596, 572, 60, 42556],
            "c36.bb31",
        ),
        (
            "1-12345@127.0.0.1",
            0xd9bd_b52f,
            [1327, 303, 303, 46383],
            "f25.bb31",
        ),
        (
            "abcdrssfrs122444@192.168.1.1",
            0x3a69_b06c,
            [108, 108, 108, 45164],
            "c6.bb31",
        ),
        (
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com",
            0x4660_a080,
            [128, 128, 128, 41088],
            "08.bb31",
        ),
        (
            "a84b4c76e66710@pc33.atlanta.com",
            0x81a4_246e,
            [1134, 110, 110, 9326],
            "e64.bb31",
        ),
        ("zzzzé", 0x7548_626d, [621, 621, 109, 25197], "d62.bb31"),
        ("", 0, [0, 0, 0, 0], "0.bb31"),
    ];

    #[test]
    fn hash_and_cookie_equal_kamailios() {
        for (call_id, hash, slots, cookie) in VECTORS {
            assert_eq!(core_hash(call_id.as_bytes()), *hash, "{call_id}");
            for (size, slot) in [4096, 1024, 512, 65536].into_iter().zip(slots) {
                assert_eq!(hash & (size - 1), *slot, "{call_id} in {size}");
            }
            let id = DialogId {
                h_entry: slots[0],
                h_id: 5051,
            };
            assert_eq!(Cookie::new(id).to_string(), *cookie);
            assert_eq!(Cookie::decode(cookie.as_bytes()), Some(id));
        }
        assert_eq!(core_hash(b"call-1@test") & 4095, 2793);
        assert_eq!(core_hash(b"cb@t") & 4095, 905);
    }

    #[test]
    fn foreign_cookies_are_absent() {
        for text in [
            "",
            "9ea",
            "9ea.xyz",
            "9 a.1",
            "123456789.1",
            "1.123456789",
            "-1.1",
        ] {
            assert_eq!(Cookie::decode(text.as_bytes()), None, "{text}");
        }
        let empty = Cookie::decode(b".").expect("two empty halves");
        assert_eq!((empty.h_entry, empty.h_id), (0, 0));
        let upper = Cookie::decode(b"9EA.EC81").expect("upper case");
        assert_eq!((upper.h_entry, upper.h_id), (2793, 6350));
    }

    #[test]
    fn numbers_by_one_skip_zero() {
        let by_one = Numbering { start: 77, step: 1 };
        assert!(by_one.first(u64::MAX, 4096) < 3 * 4096);
        let mut next = u32::MAX - 1;
        assert_eq!(by_one.take(&mut next), u32::MAX);
        assert_eq!(by_one.take(&mut next), 1);
    }

    #[test]
    fn numbers_by_step_keep_their_remainder() {
        let by_ten = Numbering { start: 3, step: 10 };
        let mut next = by_ten.first(41, 16);
        assert_eq!(next, 3 + 10 * 42);
        assert_eq!(by_ten.take(&mut next), 423);
        assert_eq!(by_ten.take(&mut next), 433);
        next = u32::MAX - 5;
        assert_eq!(by_ten.take(&mut next), 13);
    }

    proptest::proptest! {
        #[test]
        fn every_cookie_reads_back(h_entry: u32, h_id: u32) {
            let id = DialogId { h_entry, h_id };
            proptest::prop_assert_eq!(Cookie::decode(Cookie::new(id).as_bytes()), Some(id));
        }

        #[test]
        fn decoding_never_panics(bytes: Vec<u8>) {
            let _ = Cookie::decode(&bytes);
        }
    }
}
