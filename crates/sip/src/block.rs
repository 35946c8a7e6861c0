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

/// Bit n is set if byte n of the block is a blank, a control character or one of the set.
#[inline]
pub(crate) fn matches_blank_or<const N: usize>(block: &[u8; BLOCK], set: [u8; N]) -> u32 {
    let bytes = u8x16::new(*block);
    let blank = bytes.min(u8x16::splat(b' ')).simd_eq(bytes);
    blank.to_bitmask() | matches(block, set)
}

/// Bit n is set if byte n of the block is neither a letter, a digit nor one of the set.
#[inline]
pub(crate) fn matches_none_of_word_or<const N: usize>(block: &[u8; BLOCK], set: [u8; N]) -> u32 {
    let bytes = u8x16::new(*block);
    let within = |bytes: u8x16, first: u8, last: u8| {
        let offset = bytes - u8x16::splat(first);
        offset.min(u8x16::splat(last - first)).simd_eq(offset)
    };
    let letter = within(bytes | u8x16::splat(0x20), b'a', b'z');
    let word = letter | within(bytes, b'0', b'9');
    !(word.to_bitmask() | matches(block, set)) & 0xffff
}

/// The first offset in `at..end` whose byte is one of the set, or `end`; `at` if the range is empty.
#[inline]
pub(crate) fn find<const N: usize>(bytes: &[u8], at: usize, end: usize, set: [u8; N]) -> usize {
    find_where(bytes, at, end, |block| matches(block, set))
}

/// As `find`, with any test of a block that sets the bits of the bytes looked for.
#[inline]
pub(crate) fn find_where(
    bytes: &[u8],
    at: usize,
    end: usize,
    test: impl Fn(&[u8; BLOCK]) -> u32,
) -> usize {
    let mut block = at;
    while block < end {
        let found = match bytes.get(block..).and_then(|rest| rest.first_chunk()) {
            Some(part) => test(part),
            None => test_last(bytes, block, &test),
        };
        if found != 0 {
            // What lies behind the end was tested too.
            return (block + found.trailing_zeros() as usize).min(end);
        }
        block += BLOCK;
    }
    end.max(at)
}

/// Tests the last bytes of a text, fewer than a block: those before them are tested along with them.
#[inline(never)]
pub(crate) fn test_last(bytes: &[u8], at: usize, test: impl Fn(&[u8; BLOCK]) -> u32) -> u32 {
    match bytes.last_chunk() {
        Some(part) => test(part) >> (at + BLOCK).saturating_sub(bytes.len()),
        None => {
            let mut part = [0; BLOCK];
            part[..bytes.len()].copy_from_slice(bytes);
            test(&part) >> at
        }
    }
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
