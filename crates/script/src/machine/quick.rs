//! The quick forms of operations: variables that lie in `Host::slots`, mostly numbers. Nothing here complains, waits
//! or moves the machine. What is done with numbers is
//! part of the loop over operations; what copies texts stays apart, because it needs many registers.

use crate::value::Value;

/// How a slot compares with a number, as a set for `Test::orderings`; none if there is no number in it.
#[inline(always)]
pub(super) fn ordering(slots: &[Value], slot: u32, number: i32) -> Option<u8> {
    match slots.get(slot as usize) {
        Some(Value::Int(value)) => {
            let number = i64::from(number);
            // One of three bits, found without a jump.
            Some(
                u8::from(*value < number)
                    | u8::from(*value == number) << 1
                    | u8::from(*value > number) << 2,
            )
        }
        _ => None,
    }
}

/// Assigns a number; false if there is no such slot.
#[inline(always)]
pub(super) fn put_int(slots: &mut [Value], slot: u32, number: i64) -> bool {
    match slots.get_mut(slot as usize) {
        // Apart, because a number that replaces a number leaves nothing to be dropped.
        Some(Value::Int(place)) => *place = number,
        Some(place) => *place = Value::Int(number),
        None => return false,
    }
    true
}

/// Assigns a constant that is not null.
#[inline(never)]
pub(super) fn put(slots: &mut [Value], slot: u32, constants: &[Value], constant: u32) -> bool {
    let (Some(place), Some(text)) = (
        slots.get_mut(slot as usize),
        constants.get(constant as usize),
    ) else {
        return false;
    };
    *place = text.clone();
    true
}

/// Assigns one slot to another, unless it is null.
#[inline(always)]
pub(super) fn copy(slots: &mut [Value], target: u32, source: u32) -> bool {
    match slots.get(source as usize) {
        Some(Value::Int(number)) => {
            let number = *number;
            put_int(slots, target, number)
        }
        Some(Value::Str(_)) => copy_text(slots, target, source),
        _ => false,
    }
}

#[inline(never)]
fn copy_text(slots: &mut [Value], target: u32, source: u32) -> bool {
    let text = slots.get(source as usize).cloned();
    match (text, slots.get_mut(target as usize)) {
        (Some(text), Some(place)) => {
            *place = text;
            true
        }
        _ => false,
    }
}

/// Assigns the sum of a number in a slot and another.
#[inline(always)]
pub(super) fn add(slots: &mut [Value], target: u32, source: u32, number: i32) -> bool {
    match slots.get(source as usize) {
        Some(Value::Int(value)) => {
            let sum = value.wrapping_add(i64::from(number));
            put_int(slots, target, sum)
        }
        _ => false,
    }
}
