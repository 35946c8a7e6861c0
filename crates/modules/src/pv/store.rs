//! Script variables of one worker: `$var()` and `$vz()`, which are never null, and `$vn()`, which may be.

use engine::{InitError, Interner, KeyRule, Run, Setup, VariableRow};
use script::{Index, Key, KeySpec, SetError, Value};

use super::value::key_number;
use crate::row::writes;

pub(super) const ROWS: &[VariableRow] = &[
    writes(
        "var",
        KeyRule::Resolve(slot),
        var,
        set_var,
        "A variable of the worker, 0 at first.",
    ),
    writes(
        "vz",
        KeyRule::Resolve(slot),
        var,
        set_var,
        "The same as `$var`.",
    ),
    writes(
        "vn",
        KeyRule::Resolve(slot),
        vn,
        set_vn,
        "A variable of the worker, null at first.",
    ),
];

fn slot(names: &Interner, inner: &str) -> Result<KeySpec, String> {
    if inner.is_empty() {
        return Err("a name is missing".to_owned());
    }
    Ok(KeySpec::Attr(names.intern(inner)))
}

fn var(run: &mut Run, key: &Key, _: Index) -> Value {
    let value = run.locals.vars.get(key_number(key));
    value.cloned().unwrap_or(Value::Int(0))
}

fn set_var(run: &mut Run, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let value = if value.is_null() {
        Value::Int(0)
    } else {
        value
    };
    put(&mut run.locals.vars, key_number(key), value, &Value::Int(0));
    Ok(())
}

fn vn(run: &mut Run, key: &Key, _: Index) -> Value {
    let value = run.locals.nullable.get(key_number(key));
    value.cloned().unwrap_or_default()
}

fn set_vn(run: &mut Run, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
    put(
        &mut run.locals.nullable,
        key_number(key),
        value,
        &Value::Null,
    );
    Ok(())
}

fn put(values: &mut Vec<Value>, at: usize, value: Value, unset: &Value) {
    if at >= values.len() {
        values.resize(at + 1, unset.clone());
    }
    values[at] = value;
}

/// Gives `$var`s their first values: `name=i:5`, `name=s:text`.
pub(super) fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    for given in setup.parameters.all("pv", "varset") {
        let (name, value) = super::initial_value("varset", &given)?;
        let at = setup.catalog.interner().intern(&name) as usize;
        put(setup.first_locals, at, value, &Value::Int(0));
    }
    Ok(())
}
