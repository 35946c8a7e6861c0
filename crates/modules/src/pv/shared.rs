//! What all workers share: the variables `$shv()`, and the statistics that `$stat()` reads.

use engine::{InitError, Interner, KeyRule, Run, Setup, VariableRow};
use parking_lot::RwLock;
use script::{Index, Key, KeySpec, SetError, Value};

use super::State;
use super::value::{key_name, key_number};
use crate::row::{reads, writes};

pub(super) const ROWS: &[VariableRow] = &[
    writes(
        "shv",
        KeyRule::Resolve(slot),
        get,
        set,
        "A variable that all workers share, 0 at first.",
    ),
    reads(
        "shvinc",
        KeyRule::Resolve(slot),
        increment,
        "Adds one to a shared variable and yields it.",
    ),
    reads(
        "stat",
        KeyRule::Format,
        statistic,
        "The value of a statistic, by its name in any group.",
    ),
];

/// The shared variables by the number of their names; only those that have a value.
#[derive(Debug, Default)]
pub(super) struct Shared(RwLock<Vec<Option<Value>>>);

impl Shared {
    /// With the first values that `shvset` gives.
    pub(super) fn new(setup: &Setup<'_>) -> Result<Self, InitError> {
        let shared = Self::default();
        for given in setup.parameters.all("pv", "shvset") {
            let (name, value) = super::initial_value("shvset", &given)?;
            let at = setup.catalog.interner().intern(&name) as usize;
            shared.set(at, value);
        }
        Ok(shared)
    }

    pub(super) fn get(&self, at: usize) -> Option<Value> {
        self.0.read().get(at).cloned().flatten()
    }

    pub(super) fn set(&self, at: usize, value: Value) {
        let mut values = self.0.write();
        if at >= values.len() {
            values.resize(at + 1, None);
        }
        values[at] = Some(value);
    }

    /// All that have a value, with the numbers of their names.
    pub(super) fn all(&self) -> Vec<(u32, Value)> {
        let values = self.0.read();
        let known = values.iter().enumerate();
        known
            .filter_map(|(at, value)| Some((at as u32, value.clone()?)))
            .collect()
    }

    fn increment(&self, at: usize) -> i64 {
        let mut values = self.0.write();
        if at >= values.len() {
            values.resize(at + 1, None);
        }
        let before = values[at].as_ref().and_then(Value::to_int).unwrap_or(0);
        let after = before.wrapping_add(1);
        values[at] = Some(Value::Int(after));
        after
    }
}

fn slot(names: &Interner, inner: &str) -> Result<KeySpec, String> {
    if inner.is_empty() {
        return Err("a name is missing".to_owned());
    }
    Ok(KeySpec::Attr(names.intern(inner)))
}

fn get(run: &mut Run, key: &Key, _: Index) -> Value {
    let state = run.state::<State>();
    state.shared.get(key_number(key)).unwrap_or(Value::Int(0))
}

fn set(run: &mut Run, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let value = if value.is_null() {
        Value::Int(0)
    } else {
        value
    };
    run.state::<State>().shared.set(key_number(key), value);
    Ok(())
}

fn increment(run: &mut Run, key: &Key, _: Index) -> Value {
    Value::Int(run.state::<State>().shared.increment(key_number(key)))
}

fn statistic(run: &mut Run, key: &Key, _: Index) -> Value {
    let name = std::str::from_utf8(key_name(key)).ok();
    let found = name.and_then(|name| run.engine.statistics.find(name));
    found.map_or(Value::Null, Value::Int)
}
