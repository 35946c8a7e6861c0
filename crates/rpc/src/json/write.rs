//! Writing values as JSON, compact or indented with tabs as Kamailio's clients are used to.

use std::io::Write;

use crate::{Name, Value};

/// Appends `value` to `out`. `depth` is the number of containers around it; it matters only for
/// `pretty`. Text that is not UTF-8 is repaired: JSON has no other.
pub fn write_value(out: &mut Vec<u8>, value: &Value, pretty: bool, depth: usize) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Int(number) => write_int(out, *number),
        Value::Double(number) => write_double(out, *number),
        Value::Str(text) | Value::Bytes(text) => write_text(out, text),
        Value::Struct(members) => write_members(out, members.members(), pretty, depth),
        Value::Array(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                write_separator(out, position, pretty);
                write_value(out, item, pretty, depth + 1);
            }
            out.push(b']');
        }
        Value::Named(members) => {
            out.push(b'[');
            for (position, member) in members.iter().enumerate() {
                write_separator(out, position, pretty);
                write_members(out, std::slice::from_ref(member), pretty, depth + 1);
            }
            out.push(b']');
        }
    }
}

/// Appends a text; what is not UTF-8 is repaired.
pub(super) fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
        return;
    }
    match std::str::from_utf8(text) {
        Ok(_) => write_string(out, text),
        Err(_) => write_string(out, String::from_utf8_lossy(text).as_bytes()),
    }
}

/// Appends what stands before the array element at `position`.
pub(crate) fn write_separator(out: &mut Vec<u8>, position: usize, pretty: bool) {
    match (position, pretty) {
        (0, _) => {}
        (_, true) => out.extend_from_slice(b", "),
        (_, false) => out.push(b','),
    }
}

/// Appends what stands before a member, its name, which needs no escape, and the colon. Listings are made of these: room
/// is made once for all of it.
pub(super) fn write_known_name(
    out: &mut Vec<u8>,
    name: &str,
    is_first: bool,
    pretty: bool,
    depth: usize,
) {
    let start = out.len();
    let comma = usize::from(!is_first);
    let before = comma + if pretty { 1 + depth } else { 0 };
    let after = if pretty { 4 } else { 3 };
    // What is not written over below are the tabs before the name and behind the colon.
    out.resize(start + before + name.len() + after, b'\t');
    let (head, rest) = out[start..].split_at_mut(before);
    if comma == 1 {
        head[0] = b',';
    }
    if pretty {
        head[comma] = b'\n';
    }
    rest[0] = b'"';
    rest[1..=name.len()].copy_from_slice(name.as_bytes());
    rest[name.len() + 1] = b'"';
    rest[name.len() + 2] = b':';
}

/// Appends a member's name and the colon.
pub(super) fn write_name(out: &mut Vec<u8>, name: &str, pretty: bool, depth: usize) {
    if pretty {
        indent(out, depth);
    }
    write_string(out, name.as_bytes());
    out.extend_from_slice(if pretty { b":\t" } else { b":" });
}

fn write_members(out: &mut Vec<u8>, members: &[(Name, Value)], pretty: bool, depth: usize) {
    out.push(b'{');
    for (position, (name, value)) in members.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        if pretty {
            out.push(b'\n');
        }
        write_name(out, name, pretty, depth + 1);
        write_value(out, value, pretty, depth + 1);
    }
    if pretty {
        out.push(b'\n');
        indent(out, depth);
    }
    out.push(b'}');
}

pub(super) fn indent(out: &mut Vec<u8>, depth: usize) {
    out.resize(out.len() + depth, b'\t');
}

/// `text` has to be UTF-8.
fn write_string(out: &mut Vec<u8>, mut text: &[u8]) {
    out.push(b'"');
    while let Some(position) = text.iter().position(|byte| is_special(*byte)) {
        let (plain, rest) = text.split_at(position);
        out.extend_from_slice(plain);
        if let Some((special, rest)) = rest.split_first() {
            write_special(out, *special);
            text = rest;
        }
    }
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Whether a text can stand between quotes as it is: printable ASCII without quote and backslash. Eight bytes at a
/// time, for listings are made of such texts.
fn is_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk::<8>() {
        let (words, _) = text.as_chunks::<8>();
        return words.iter().all(|word| are_plain(*word)) && are_plain(*last);
    }
    text.iter()
        .all(|&byte| !is_special(byte) && byte.is_ascii())
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

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn write_special(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        0x08 => b'b',
        0x0C => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0..0x20 => return print(out, format_args!("\\u{byte:04x}")),
        _ => byte,
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Listings are mostly numbers: this is several times faster than formatting them.
pub(super) fn write_int(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number.unsigned_abs();
    while rest >= 10 {
        start -= 2;
        digits[start..start + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if rest > 0 || start == digits.len() {
        start -= 1;
        digits[start] = b'0' + rest as u8;
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[start..]);
}

/// The numbers below a hundred, two digits each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < pairs.len() {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Six decimals, none for whole numbers, an exponent for the very large and the very small.
fn write_double(out: &mut Vec<u8>, number: f64) {
    let size = number.abs();
    if !number.is_finite() {
        out.extend_from_slice(b"null");
    } else if number.fract() == 0.0 && size < 1e60 {
        print(out, format_args!("{number:.0}"));
    } else if !(1e-6..=1e9).contains(&size) {
        print(out, format_args!("{number:e}"));
    } else {
        print(out, format_args!("{number:.6}"));
    }
}

fn print(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok(), "a vector takes everything");
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
        let printable: Vec<u8> = (0x20..0x7f).filter(|&b| !is_special(b)).collect();
        assert!(is_plain(&printable));
    }

    #[test]
    fn numbers_are_written_as_the_library_does() {
        let powers = (0..19).map(|exponent| 10_i64.pow(exponent));
        let around = powers.flat_map(|power| [power - 1, power, power + 1, -power, 7 * power / 3]);
        for number in around.chain([i64::MIN, i64::MAX, 1_800_000_000]) {
            let mut out = Vec::new();
            write_int(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
