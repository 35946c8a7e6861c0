//! `$sel(…)` and `@…`: configuration variables, and the parts of a message that pseudo-variables have too.

use engine::{InitError, Interner, KeyRule, Run, Setup, VariableRow};
use script::{Catalog as _, Index, Key, KeySpec, NameError, Value};

use super::store::{Place, Store};

/// The row of `$sel`.
pub(crate) const SEL: VariableRow = VariableRow {
    name: "sel",
    key: KeyRule::Resolve(resolve),
    get,
    set: None,
    doc: "A select: a configuration variable (cfg_get.group.name) or a part of the message.",
};

/// Kept before a select's name among all names of a configuration.
const MARK: &str = "@";

/// Selects and the pseudo-variables that mean the same.
const SAME_AS: &[(&str, &str)] = &[
    ("ruri", "ru"),
    ("ruri.user", "rU"),
    ("ruri.host", "rd"),
    ("ruri.port", "rp"),
    ("from.uri", "fu"),
    ("from.uri.user", "fU"),
    ("from.uri.host", "fd"),
    ("from.tag", "ft"),
    ("from.name", "fn"),
    ("to.uri", "tu"),
    ("to.uri.user", "tU"),
    ("to.uri.host", "td"),
    ("to.tag", "tt"),
    ("to.name", "tn"),
    ("contact", "ct"),
    ("call_id", "ci"),
    ("callid", "ci"),
    ("cseq.num", "cs"),
    ("content_type", "cT"),
    ("method", "rm"),
    ("dst_uri", "du"),
    ("src.ip", "si"),
    ("src.port", "sp"),
    ("dst.ip", "Ri"),
    ("dst.port", "Rp"),
    ("received.ip", "Ri"),
    ("received.port", "Rp"),
    ("sys.pid", "pp"),
];

/// Via headers, counted from 1 in selects and from 0 in pseudo-variables; their parts have the same names.
const VIAS: &[(&str, &str)] = &[
    ("via", "via0"),
    ("via[1]", "via0"),
    ("via[2]", "via1"),
    ("via[-1]", "viaZ"),
];

/// What each select of a configuration means, by the number that its name got at load.
pub(super) struct Selects(Vec<Option<Meaning>>);

enum Meaning {
    Variable(Place),
    SameAs(&'static VariableRow, Key),
}

fn resolve(names: &Interner, inner: &str) -> Result<KeySpec, String> {
    let known = inner.strip_prefix("cfg_get.").is_some_and(|rest| {
        rest.split_once('.')
            .is_some_and(|(group, name)| !group.is_empty() && !name.is_empty())
    });
    if known || same_as(inner).is_some() {
        return Ok(KeySpec::Attr(names.intern(&format!("{MARK}{inner}"))));
    }
    Err(format!(
        "Tandem has no select @{inner}; most parts of a message have a pseudo-variable"
    ))
}

/// The pseudo-variable that means the same as a select, and what stands in its parentheses.
fn same_as(select: &str) -> Option<(&'static str, Option<&str>)> {
    let plain = SAME_AS.iter().find(|(known, _)| *known == select);
    plain.map(|(_, variable)| (*variable, None)).or_else(|| {
        let (via, part) = select.split_once('.')?;
        let (_, variable) = VIAS.iter().find(|(known, _)| *known == via)?;
        Some((*variable, Some(part)))
    })
}

impl Selects {
    pub(super) fn new(setup: &Setup<'_>, store: &Store) -> Result<Self, InitError> {
        let count = setup.catalog.interner().len();
        let mut meanings = Vec::with_capacity(count);
        for number in 0..count {
            let name = setup.catalog.interner().name(number as u32);
            let meaning = match name.strip_prefix(MARK) {
                Some(select) => Some(meaning(setup, store, select)?),
                None => None,
            };
            meanings.push(meaning);
        }
        Ok(Self(meanings))
    }
}

fn meaning(setup: &Setup<'_>, store: &Store, select: &str) -> Result<Meaning, InitError> {
    let unknown = || InitError(format!("@{select}: there is no such variable"));
    if let Some((variable, part)) = same_as(select) {
        let found = setup.catalog.variable(variable, part);
        let found = found.map_err(|error| match error {
            NameError::Unknown => InitError(format!("@{select} needs module pv")),
            NameError::Inner(reason) => InitError(format!("@{select}: {reason}")),
        })?;
        let row = setup.catalog.variable_row(found.id);
        let key = match found.key {
            KeySpec::Attr(attribute) => Key::Attr(attribute),
            _ => Key::None,
        };
        return Ok(Meaning::SameAs(row, key));
    }
    let (group, name) = select
        .strip_prefix("cfg_get.")
        .and_then(|rest| rest.split_once('.'))
        .ok_or_else(unknown)?;
    store
        .place(group, name)
        .map(Meaning::Variable)
        .ok_or_else(unknown)
}

fn get(run: &mut Run, key: &Key, _: Index) -> Value {
    let Key::Attr(number) = key else {
        return Value::Null;
    };
    let selects = run.state::<Selects>();
    match selects.0.get(*number as usize) {
        Some(Some(Meaning::Variable(place))) => {
            let store = run.state::<Store>();
            store.value_at(*place, super::instance::selected(run, place.group()))
        }
        Some(Some(Meaning::SameAs(row, key))) => (row.get)(run, key, Index::None),
        _ => Value::Null,
    }
}
