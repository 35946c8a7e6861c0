//! The parameter of Record-Route that remembers how an address was replaced: what has to be done to the one to get
//! the other, so that it serves both directions.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// What fills the last group up: no parameter may contain `=`.
const FILL: u8 = b'-';

/// The difference of two addresses: the bits of the common length, and the rest of the longer one.
fn difference(one: &[u8], other: &[u8]) -> Vec<u8> {
    let length = one.len().max(other.len());
    let byte = |text: &[u8], at: usize| text.get(at).copied().unwrap_or(0);
    (0..length)
        .map(|at| byte(one, at) ^ byte(other, at))
        .collect()
}

/// Hides a text behind a password, and shows it again.
fn hide(text: &mut [u8], password: &[u8]) {
    for (byte, key) in text.iter_mut().zip(password.iter().cycle()) {
        *byte ^= key;
    }
}

/// The value of the parameter.
pub(super) fn encode(before: &[u8], after: &[u8], password: &[u8]) -> Vec<u8> {
    let mut text = difference(before, after);
    hide(&mut text, password);
    let mut out = Vec::with_capacity(text.len().div_ceil(3) * 4);
    for group in text.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            out.push(match digit <= group.len() {
                true => DIGITS[value as usize],
                false => FILL,
            });
        }
    }
    out
}

/// The other address, from the value of the parameter and one of the two. `None` when they do not fit each other.
pub(super) fn decode(value: &[u8], given: &[u8], password: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(value.len() / 4 * 3);
    for group in value.chunks(4) {
        let filled = group.iter().filter(|&&byte| byte == FILL).count();
        if group.len() != 4 || filled > 2 {
            return None;
        }
        let mut bits = 0;
        for &byte in group {
            let digit = match byte {
                FILL => 0,
                _ => DIGITS.iter().position(|&digit| digit == byte)? as u32,
            };
            bits = bits << 6 | digit;
        }
        let bytes = bits.to_be_bytes();
        text.extend_from_slice(&bytes[1..4 - filled]);
    }
    hide(&mut text, password);
    let mut other = difference(&text, given);
    while other.last() == Some(&0) {
        other.pop();
    }
    let is_text = !other.is_empty() && other.iter().all(u8::is_ascii_graphic);
    is_text.then_some(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn either_address_gives_the_other() {
        let (before, after) = (b"sip:alice@example.org", b"sip:anonymous@anonymous.invalid");
        for password in [&b""[..], b"secret"] {
            let value = encode(before, after, password);
            assert!(!value.contains(&b'='));
            assert_eq!(
                decode(&value, before, password).as_deref(),
                Some(&after[..])
            );
            assert_eq!(
                decode(&value, after, password).as_deref(),
                Some(&before[..])
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_no_address() {
        let value = encode(b"sip:alice@h", b"sip:bob@h", b"");
        assert_eq!(decode(b"abc", b"sip:a@h", b""), None);
        assert_eq!(decode(b"ab*c", b"sip:a@h", b""), None);
        assert_eq!(decode(&value, b"sip:alice@h", b"secret"), None);
    }

    proptest! {
        #[test]
        fn any_two_addresses(before in "[!-~]{1,60}", after in "[!-~]{1,60}", password in "[a-z]{0,9}") {
            let (before, after, password) = (before.as_bytes(), after.as_bytes(), password.as_bytes());
            let value = encode(before, after, password);
            prop_assert_eq!(decode(&value, before, password), Some(after.to_vec()));
            prop_assert_eq!(decode(&value, after, password), Some(before.to_vec()));
        }

        #[test]
        fn anything_is_taken_without_harm(value in "\\PC{0,40}", given in "\\PC{0,40}") {
            let _ = decode(value.as_bytes(), given.as_bytes(), b"x");
        }
    }
}
