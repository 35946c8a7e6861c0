//! Results that a script keeps by name, as long as its message is worked on.

use std::collections::BTreeMap;

use engine::Run;
use script::{Index, Key, Str, Value};

/// Results that one message keeps at most; the oldest name goes for another.
const RESULTS_MAX: usize = 64;

/// The results of one message.
#[derive(Default)]
pub(super) struct Results {
    /// The newest last.
    kept: Vec<(Vec<u8>, store::Outcome)>,
    affected: BTreeMap<String, u64>,
}

impl Results {
    pub(super) fn keep(&mut self, name: Vec<u8>, outcome: store::Outcome) {
        self.forget(&name);
        if self.kept.len() >= RESULTS_MAX {
            self.kept.remove(0);
        }
        self.kept.push((name, outcome));
    }

    /// False if there was none of this name.
    pub(super) fn forget(&mut self, name: &[u8]) -> bool {
        let before = self.kept.len();
        self.kept.retain(|(known, _)| known != name);
        self.kept.len() < before
    }

    pub(super) fn note_affected(&mut self, connection: &str, rows: u64) {
        self.affected.insert(connection.to_owned(), rows);
    }

    fn get(&self, name: &[u8]) -> Option<&store::Outcome> {
        self.kept
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, outcome)| outcome)
    }
}

/// A field as scripts see it.
pub(super) fn value(field: &store::Value) -> Value {
    match field {
        store::Value::Null => Value::Null,
        store::Value::Int(number) => Value::Int(*number),
        store::Value::Double(number) => Value::Str(Str::from(number.to_string())),
        store::Value::Text(text) => Value::Str(Str::new(text)),
    }
}

fn name_of(key: &Key) -> &[u8] {
    match key {
        Key::Name(name) => name,
        _ => b"",
    }
}

/// `$dbr(name=>what)`.
pub(super) fn field(run: &mut Run, key: &Key, _: Index) -> Value {
    let text = String::from_utf8_lossy(name_of(key)).into_owned();
    let Some((name, what)) = text.split_once("=>") else {
        return Value::Null;
    };
    let results = run.slots.get::<Results>();
    let outcome = results.and_then(|results| results.get(name.trim().as_bytes()));
    match (outcome, what.trim()) {
        // A result that is not there has no rows.
        (None, "rows" | "cols") => Value::Int(0),
        (None, _) => Value::Null,
        (Some(outcome), what) => part(outcome, what).unwrap_or(Value::Null),
    }
}

fn part(outcome: &store::Outcome, what: &str) -> Option<Value> {
    let count = |count: usize| Some(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)));
    match what {
        "rows" => return count(outcome.rows.len()),
        "cols" => return count(outcome.columns.len()),
        _ => {}
    }
    let number = |text: &str| text.trim().parse::<usize>().ok();
    if let Some(column) = what.strip_prefix("colname") {
        let column = number(column.trim().strip_prefix('[')?.strip_suffix(']')?)?;
        let name = outcome.columns.get(column)?;
        return Some(Value::Str(Str::new(name.as_bytes())));
    }
    let (row, column) = what.strip_prefix('[')?.strip_suffix(']')?.split_once(',')?;
    let field = outcome.rows.get(number(row)?)?.get(number(column)?)?;
    Some(value(field))
}

/// `$sqlrows(connection)`.
pub(super) fn affected(run: &mut Run, key: &Key, _: Index) -> Value {
    let name = String::from_utf8_lossy(name_of(key)).into_owned();
    let results = run.slots.get::<Results>();
    let rows = results.and_then(|results| results.affected.get(name.trim()));
    rows.map_or(Value::Null, |rows| {
        Value::Int(i64::try_from(*rows).unwrap_or(i64::MAX))
    })
}
