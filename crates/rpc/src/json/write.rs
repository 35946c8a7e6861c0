//! Writing values as JSON, compact or indented with tabs as Kamailio's clients are used to.

use std::io::Write;

use super::put::{PIECE, is_plain, put_int};
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

fn indent(out: &mut Vec<u8>, depth: usize) {
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

fn write_int(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0; PIECE];
    let end = put_int(&mut digits, 0, number);
    out.extend_from_slice(&digits[..end]);
}

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
