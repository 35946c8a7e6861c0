//! The hash by which Kamailio spreads names over its tables: scripts that share work by it must get the same
//! numbers from both.

/// Adds what a text contributes: its bytes in fours, each four mixed with a shifted copy of itself.
fn add(sum: u32, text: &[u8]) -> u32 {
    let mut fours = text.chunks_exact(4);
    let mix = |four: u32| four ^ (four >> 3);
    let whole = fours.by_ref().fold(sum, |sum, four| {
        let four = four
            .iter()
            .fold(0u32, |value, byte| (value << 8) | u32::from(*byte));
        sum.wrapping_add(mix(four))
    });
    let rest = fours
        .remainder()
        .iter()
        .fold(0u32, |value, byte| (value << 8) | u32::from(*byte));
    whole.wrapping_add(mix(rest))
}

/// The hash of two texts, below 2 to the power of `bits`; below 2 if that is not positive.
pub(super) fn core_hash(first: &[u8], second: &[u8], bits: i64) -> u32 {
    let size = match bits {
        1..=31 => 1u32 << bits,
        32.. => 0,
        _ => 2,
    };
    let mut sum = add(0, first);
    if !second.is_empty() {
        sum = add(sum, second);
    }
    let folded = sum
        .wrapping_add(sum >> 11)
        .wrapping_add(sum >> 13)
        .wrapping_add(sum >> 23);
    folded & size.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_kamailios() {
        assert_eq!(core_hash(b"abc", b"", 0), 0);
        assert_eq!(core_hash(b"abc", b"def", 0), 1);
        assert_eq!(core_hash(b"hello world", b"", 8), 121);
        assert_eq!(core_hash(b"hello world", b"x", 16), 47_600);
        assert_eq!(core_hash(b"a", b"", 16), 109);
        assert_eq!(core_hash(b"abcd", b"", 0), 0);
    }
}
