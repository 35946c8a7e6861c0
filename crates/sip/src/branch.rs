//! The branch that this proxy puts into its own Via: transaction index, message hash and branch number, in the
//! text form that Kamailio uses, so that each of the two reads what the other wrote.

use crate::block::find;

/// The magic cookie of RFC 3261 §8.1.1.7.
pub const COOKIE: &[u8] = b"z9hG4bK";

/// The parts of a branch value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch<'a> {
    /// The slot of the transaction in its table.
    pub index: u32,
    /// 32 characters: the hash of the message, or the transaction's label padded with `0`.
    pub key: &'a [u8],
    /// The number of the branch within its transaction.
    pub number: u32,
}

impl<'a> Branch<'a> {
    /// Reads a branch value; `None` if this proxy cannot have written it.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let text = value.strip_prefix(COOKIE)?;
        let dot = find(text, 0, text.len(), [b'.']);
        let index = parse_reversed_hex(text.get(..dot)?)?;
        let (key, number) = text.get(dot + 1..)?.split_at_checked(32)?;
        let number = parse_reversed_hex(number.strip_prefix(b".")?)?;
        let is_whole = find(key, 0, key.len(), [b'.']) == key.len();
        is_whole.then_some(Self { index, key, number })
    }

    /// Appends the branch value.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(COOKIE);
        push_reversed_hex(out, self.index);
        out.push(b'.');
        out.extend_from_slice(self.key);
        out.push(b'.');
        push_reversed_hex(out, self.number);
    }
}

/// The key of a request that this proxy originates: its label in reversed hex, padded with `0` to 32 characters.
pub fn label_key(label: u32) -> [u8; 32] {
    let mut key = [b'0'; 32];
    let mut text = Vec::with_capacity(8);
    push_reversed_hex(&mut text, label);
    for (to, from) in key.iter_mut().zip(text) {
        *to = from;
    }
    key
}

/// Appends a number in hex, lowest digit first, without zeros behind the highest.
pub fn push_reversed_hex(out: &mut Vec<u8>, mut number: u32) {
    loop {
        let digit = (number & 15) as u8;
        out.push(if digit < 10 {
            b'0' + digit
        } else {
            b'a' + digit - 10
        });
        number >>= 4;
        if number == 0 {
            break;
        }
    }
}

/// Reads what `push_reversed_hex` wrote: one to eight lower-case digits; zeros at the end are allowed.
pub fn parse_reversed_hex(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 8 {
        return None;
    }
    text.iter().rev().try_fold(0u32, |sum, &digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(sum << 4 | u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_kamailio_writes() {
        let text = b"z9hG4bKd546.dc2c6cf16286769d4052bedb20b4b530.0";
        let branch = Branch::parse(text).expect("a branch");
        assert_eq!((branch.index, branch.number), (0x645d, 0));
        let mut out = Vec::new();
        branch.write(&mut out);
        assert_eq!(out, text);
    }

    #[test]
    fn refuses_foreign_branches() {
        for bad in [
            "",
            "z9hG4bK",
            "z9hG4bKd546.dc2c.0",
            "z9hG4bKd546.dc2c6cf16286769d4052bedb20b4b530",
            "z9hG4bKd546.dc2c6cf16286769d4052bedb20b4b530.0.1",
            "z9hG4bKg.dc2c6cf16286769d4052bedb20b4b530.0",
            "z9hG4bK123456789.dc2c6cf16286769d4052bedb20b4b530.0",
        ] {
            assert_eq!(Branch::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn numbers_there_and_back() {
        for number in [0, 1, 15, 16, 0x645d, u32::MAX] {
            let mut text = Vec::new();
            push_reversed_hex(&mut text, number);
            assert_eq!(parse_reversed_hex(&text), Some(number));
        }
        assert_eq!(&label_key(0x12ab)[..6], b"ba2100");
    }
}
