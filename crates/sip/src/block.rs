//! Bytes compared sixteen at a time: most of reading a message is looking for the few that end something.

use wide::u8x16;

/// How many bytes are compared at once.
pub(crate) const BLOCK: usize = 16;

/// Bit n is set if byte n of the block is one of the set.
#[inline]
pub(crate) fn matches<const N: usize>(block: &[u8; BLOCK], set: [u8; N]) -> u32 {
    let block = u8x16::new(*block);
    let found = set.iter().fold(u8x16::ZERO, |found, &byte| {
        found | block.simd_eq(u8x16::splat(byte))
    });
    found.to_bitmask()
}

/// The first offset in `at..end` whose byte is one of the set, or `end`; `at` if the range is empty.
#[inline]
pub(crate) fn find<const N: usize>(bytes: &[u8], at: usize, end: usize, set: [u8; N]) -> usize {
    let mut block = at;
    while block < end {
        let Some(part) = bytes.get(block..).and_then(|rest| rest.first_chunk()) else {
            return find_singly(bytes, block, end, &set);
        };
        match matches(part, set) {
            0 => block += BLOCK,
            // What lies behind the end was compared too.
            found => return (block + found.trailing_zeros() as usize).min(end),
        }
    }
    end.max(at)
}

/// As `find`, in the last bytes of a text.
fn find_singly(bytes: &[u8], at: usize, end: usize, set: &[u8]) -> usize {
    let rest = bytes.get(at..end).unwrap_or_default();
    rest.iter()
        .position(|byte| set.contains(byte))
        .map_or(end, |offset| at + offset)
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_byte_of_a_set_is_found_at_any_distance_from_both_ends() {
        let (a, b) = (b';', b'\n');
        for length in 0..70 {
            for place in 0..=length {
                let mut bytes = vec![b':'; length];
                if let Some(byte) = bytes.get_mut(place) {
                    *byte = if place % 2 == 0 { a } else { b };
                }
                for end in 0..=length {
                    for at in 0..=end {
                        let expected = if (at..end).contains(&place) {
                            place
                        } else {
                            end
                        };
                        assert_eq!(
                            find(&bytes, at, end, [a, b]),
                            expected,
                            "{place} in {at}..{end} of {length}"
                        );
                    }
                }
            }
        }
        assert_eq!(find(b"::::", 3, 2, [b':']), 3);
    }
}
