//! Which values the parameters of module `tm` may have.

use engine::ParameterValue;

/// The longest timer, ms: a day.
const LONGEST_MS: i64 = 86_400_000;

fn number(value: &ParameterValue) -> i64 {
    match value {
        ParameterValue::Int(number) => *number,
        ParameterValue::Str(_) => i64::MIN,
    }
}

fn within(value: &ParameterValue, least: i64, most: i64) -> Result<(), String> {
    if (least..=most).contains(&number(value)) {
        Ok(())
    } else {
        Err(format!("the value must be {least} to {most}"))
    }
}

pub(super) fn timer(value: &ParameterValue) -> Result<(), String> {
    within(value, 1, LONGEST_MS)
}

pub(super) fn flag(value: &ParameterValue) -> Result<(), String> {
    within(value, 0, 1)
}

pub(super) fn up_to_2(value: &ParameterValue) -> Result<(), String> {
    within(value, 0, 2)
}

pub(super) fn up_to_3(value: &ParameterValue) -> Result<(), String> {
    within(value, 0, 3)
}

pub(super) fn priority(value: &ParameterValue) -> Result<(), String> {
    within(value, -10_000, 10_000)
}

pub(super) fn final_status(value: &ParameterValue) -> Result<(), String> {
    within(value, 400, 699)
}

pub(super) fn only_0(value: &ParameterValue) -> Result<(), String> {
    match number(value) {
        0 => Ok(()),
        _ => Err("only 0 is supported".to_owned()),
    }
}

pub(super) fn only_1(value: &ParameterValue) -> Result<(), String> {
    match number(value) {
        1 => Ok(()),
        _ => Err("only 1 is supported".to_owned()),
    }
}

pub(super) fn any(_: &ParameterValue) -> Result<(), String> {
    Ok(())
}

pub(super) fn phrase(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) if text.contains(['\r', '\n']) => {
            Err("a reason phrase is one line".to_owned())
        }
        _ => Ok(()),
    }
}

fn unless_empty(value: &ParameterValue, fault: &str) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) if text.is_empty() => Ok(()),
        _ => Err(fault.to_owned()),
    }
}

pub(super) fn no_xavp(value: &ParameterValue) -> Result<(), String> {
    unless_empty(value, "attributes of contacts are not copied into an xavp")
}

pub(super) fn no_failover_codes(value: &ParameterValue) -> Result<(), String> {
    unless_empty(value, "replies do not cause another address to be tried")
}
