//! Flags as numbers: of the message, of the branch, of the script.

use engine::{Interner, KeyRule, Run, VariableRow};
use script::{Index, Key, KeySpec, SetError, Str, Value};

use super::value::{int, key_number, refuse};
use crate::row::writes;

const NONE: KeyRule = KeyRule::None;
const BIT: KeyRule = KeyRule::Resolve(bit_key);

pub(super) const ROWS: &[VariableRow] = &[
    writes(
        "mf",
        NONE,
        message,
        set_message,
        "The flags of the message.",
    ),
    writes(
        "mF",
        NONE,
        message_hex,
        set_message,
        "The flags of the message in hexadecimal.",
    ),
    writes("bf", NONE, branch, set_branch, "The flags of the branch."),
    writes(
        "bF",
        NONE,
        branch_hex,
        set_branch,
        "The flags of the branch in hexadecimal.",
    ),
    writes("sf", NONE, script, set_script, "The flags of the script."),
    writes(
        "sF",
        NONE,
        script_hex,
        set_script,
        "The flags of the script in hexadecimal.",
    ),
    writes(
        "Mf",
        BIT,
        message_bit,
        set_message_bit,
        "One flag of the message, 0 or 1.",
    ),
    writes(
        "Bf",
        BIT,
        branch_bit,
        set_branch_bit,
        "One flag of the branch, 0 or 1.",
    ),
    writes(
        "Sf",
        BIT,
        script_bit,
        set_script_bit,
        "One flag of the script, 0 or 1.",
    ),
];

fn bit_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    match inner.trim().parse() {
        Ok(bit @ 0..=31) => Ok(KeySpec::Attr(bit)),
        _ => Err("a flag is a number from 0 to 31".to_owned()),
    }
}

fn flags_of(value: &Value) -> Result<u32, SetError> {
    let number = value.to_int().ok_or_else(|| refuse("flags are a number"))?;
    // Negative numbers are the upper half of 32 bits.
    Ok(number as u32)
}

fn with_bit(flags: u32, key: &Key, value: &Value) -> u32 {
    let bit = 1u32 << (key_number(key) & 31);
    match value.to_int() {
        Some(number) if number != 0 => flags | bit,
        _ => flags & !bit,
    }
}

macro_rules! flags {
    ($($get:ident $hex:ident $set:ident $get_bit:ident $set_bit:ident: $($field:ident).+;)*) => {$(
        fn $get(run: &mut Run, _: &Key, _: Index) -> Value {
            int(run.$($field).+)
        }

        fn $hex(run: &mut Run, _: &Key, _: Index) -> Value {
            Value::Str(Str::from(format!("{:08x}", run.$($field).+)))
        }

        fn $set(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
            run.$($field).+ = flags_of(&value)?;
            Ok(())
        }

        fn $get_bit(run: &mut Run, key: &Key, _: Index) -> Value {
            int((run.$($field).+ >> (key_number(key) & 31)) & 1)
        }

        fn $set_bit(run: &mut Run, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
            run.$($field).+ = with_bit(run.$($field).+, key, &value);
            Ok(())
        }
    )*};
}

flags! {
    message message_hex set_message message_bit set_message_bit: msg.flags;
    branch branch_hex set_branch branch_bit set_branch_bit: msg.target.flags;
    script script_hex set_script script_bit set_script_bit: script_flags;
}
