//! Pieces of JSON put into a buffer that has room for them. Listings are made of very many: each piece is copied whole,
//! as its length is known when the program is compiled, and the next one is written over what was too much of it.

/// Room for a piece with its excess, at least.
pub(super) const PIECE: usize = 24;

/// Copies a piece to a place.
#[inline(always)]
pub(super) fn put<const N: usize>(room: &mut [u8], at: usize, piece: &[u8; N]) {
    room[at..at + N].copy_from_slice(piece);
}

/// Ends a line and indents the next one by `depth` tabs, behind a comma if one is wanted. Gives the place behind it;
/// takes room for [`PIECE`] and `depth`.
#[inline(always)]
pub(super) fn put_line(room: &mut [u8], at: usize, comma: bool, depth: usize) -> usize {
    const LINE: usize = 8;
    let piece: &[u8; LINE] = match comma {
        true => b",\n\t\t\t\t\t\t",
        false => b"\n\t\t\t\t\t\t\t",
    };
    put(room, at, piece);
    let end = at + usize::from(comma) + 1 + depth;
    if end > at + LINE {
        room[at + LINE..end].fill(b'\t');
    }
    end
}

/// Writes a number. Gives the place behind it; takes room for [`PIECE`].
#[inline(always)]
pub(super) fn put_int(room: &mut [u8], at: usize, number: i64) -> usize {
    match number {
        0..10 => {
            room[at] = b'0' + number as u8;
            at + 1
        }
        _ => put_long_int(room, at, number),
    }
}

fn put_long_int(room: &mut [u8], mut at: usize, number: i64) -> usize {
    let size = number.unsigned_abs();
    if number < 0 {
        room[at] = b'-';
        at += 1;
    }
    if size < GROUP {
        return put_first(room, at, size);
    }
    let (first, second) = (size / GROUP, size % GROUP);
    if first < GROUP {
        at = put_first(room, at, first);
    } else {
        at = put_first(room, at, first / GROUP);
        at = put_group(room, at, first % GROUP);
    }
    put_group(room, at, second)
}

/// Digits are made eight at a time; numbers below this have so many.
const GROUP: u64 = 100_000_000;
const ASCII_ZEROS: u64 = 0x3030_3030_3030_3030;

/// A number below [`GROUP`] without the zeros before it.
fn put_first(room: &mut [u8], at: usize, number: u64) -> usize {
    let digits = eight_digits(number);
    // The last one stays when all are zero.
    let zeros = (digits | (1 << 56)).trailing_zeros() / 8;
    let shown = (digits | ASCII_ZEROS) >> (8 * zeros);
    put(room, at, &shown.to_le_bytes());
    at + 8 - zeros as usize
}

fn put_group(room: &mut [u8], at: usize, number: u64) -> usize {
    put(
        room,
        at,
        &(eight_digits(number) | ASCII_ZEROS).to_le_bytes(),
    );
    at + 8
}

/// The digits of a number below [`GROUP`], a byte each, the first one lowest. Halves, pairs and digits are divided side
/// by side, by multiplying with a reciprocal that is exact for numbers so small.
const fn eight_digits(number: u64) -> u64 {
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((halves * 5243) >> 19) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((halves - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - tens * 10) << 8)
}

/// Whether a text can stand between quotes as it is: printable ASCII without quote and backslash.
pub(super) fn is_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<8>() {
        let (words, _) = text.as_chunks::<8>();
        return words.iter().all(|word| are_plain(*word)) && are_plain(*last);
    }
    text.iter()
        .all(|&byte| (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\')
}

fn are_plain(word: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_ne_bytes(word);
    // Of a byte above 0x7f the highest bit is set already; of the others a borrow sets it.
    let below = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (word | below | quote | backslash) & HIGH == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_no_escape_is_plain() {
        for special in [0, 0x1f, b'"', b'\\', 0x80, 0xff] {
            for length in 0..40 {
                for at in 0..length {
                    let mut text = vec![b'x'; length];
                    assert!(is_plain(&text));
                    text[at] = special;
                    assert!(!is_plain(&text), "{special:#x} at {at} of {length}");
                }
            }
        }
        let printable = (0x20..0x7f).filter(|byte| !b"\"\\".contains(byte));
        let printable: Vec<u8> = printable.collect();
        assert!(is_plain(&printable));
    }

    #[test]
    fn numbers_are_written_as_the_library_does() {
        let powers = (0..19).map(|exponent| 10_i64.pow(exponent));
        let around = powers.flat_map(|power| [power - 1, power, power + 1, -power, 7 * power / 3]);
        let halves = (0..10_000).flat_map(|half| [half, half * 10_000, half * 100_010_001]);
        let others = [i64::MIN, i64::MAX, 1_800_000_000];
        for number in around.chain(halves).chain(others) {
            let mut room = [b'x'; PIECE];
            let end = put_int(&mut room, 0, number);
            assert_eq!(
                std::str::from_utf8(&room[..end]).unwrap(),
                number.to_string()
            );
        }
    }

    #[test]
    fn lines_are_indented_however_deep_they_are() {
        for depth in 0..70 {
            for (comma, before) in [(false, "\n"), (true, ",\n")] {
                let mut room = vec![b'x'; depth + PIECE];
                let end = put_line(&mut room, 0, comma, depth);
                let line = format!("{before}{}", "\t".repeat(depth));
                assert_eq!(std::str::from_utf8(&room[..end]).unwrap(), line);
            }
        }
    }
}
