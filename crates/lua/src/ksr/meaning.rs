//! What a function of KSR does.

use engine::{Catalog, Pending, Run};
use script::{Outcome, Value};

use super::api::Entry;
use super::{core, headers, message, others, trees};

/// What a function does.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// The functions of this module and name.
    Row(&'static str, &'static str),
    /// Reads a variable: `{0}` and `{1}` in its name are arguments.
    Get(&'static str, Missing),
    /// Writes its last argument into a variable.
    Set(&'static str),
    /// Unsets a variable.
    Unset(&'static str),
    /// Whether a variable has no value.
    IsNull(&'static str),
    /// Whether the message has this method.
    IsMethod(&'static str),
    /// Writes its argument to the log, at this level.
    Log(i32),
    /// Something else that may have to wait.
    Do(fn(&mut Run, &[Value]) -> Outcome<Pending>),
    /// Something else that has a value.
    Ask(fn(&mut Run, &[Value]) -> Value),
}

/// What stands for a value that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// nil.
    Nil,
    /// An empty text.
    Empty,
    /// `<null>`.
    Word,
    /// 0.
    Zero,
    /// The last argument.
    Given,
}

/// One row of the tables of meanings: table, name, meaning.
pub(super) type Row = (&'static str, &'static str, Meaning);

/// What a function of Kamailio's list means here; none if there is no such thing.
pub(super) fn of(catalog: &Catalog, entry: &Entry) -> Option<Meaning> {
    let tables = [core::TABLE, headers::TABLE, message::TABLE, others::TABLE];
    let mut rows = tables.into_iter().flatten();
    let said = rows.find(|(module, name, _)| *module == entry.module && *name == entry.name);
    if let Some((_, _, meaning)) = said {
        return Some(*meaning);
    }
    if OTHERWISE.contains(&(entry.module, entry.name)) {
        return None;
    }
    row(catalog, entry).or_else(|| trees::meaning(entry))
}

/// What Kamailio's scripts call in another way than its native language, and ours as in that.
pub(super) const OTHERWISE: &[(&str, &str)] = &[
    // Its value is put into a variable, which is the second argument.
    ("corex", "file_read"),
    // It takes a name with its parameter, `Header.name`.
    ("textopsx", "remove_hf_value2"),
];

/// The module's function of the same name.
fn row(catalog: &Catalog, entry: &Entry) -> Option<Meaning> {
    let module = super::module_of(entry.module);
    let found = catalog.loaded().iter().find(|m| m.name == module)?;
    let mut names = found.functions.iter().map(|row| row.signature.name);
    let own = names.find(|name| *name == entry.name)?;
    Some(Meaning::Row(found.name, own))
}
