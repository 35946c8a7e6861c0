//! `$T_req($pv)` and its relatives: a variable read from another message of the transaction.

use engine::{Interner, Run, Saved, Setup, Working};
use script::{Index, Key, KeySpec, Value, Variable};

/// Distinguishes the names of inner variables from others in the interner.
const MARK: &str = "T:";

/// The inner variables of the configuration, by the numbers that they got at load.
pub(super) struct State {
    variables: Vec<Option<Variable>>,
}

impl State {
    /// Parses what the configuration holds in the parentheses of `$T_…(…)`.
    pub(super) fn new(setup: &Setup<'_>) -> Result<Self, engine::InitError> {
        let interner = setup.catalog.interner();
        let parse = |number: usize| {
            let name = interner.name(number as u32);
            let Some(text) = name.strip_prefix(MARK) else {
                return Ok(None);
            };
            Variable::parse(text.as_bytes(), setup.catalog)
                .map(Some)
                .map_err(|error| engine::InitError(format!("{text}: {error}")))
        };
        Ok(Self {
            variables: (0..interner.len()).map(parse).collect::<Result<_, _>>()?,
        })
    }
}

/// Takes a variable in parentheses in.
pub(super) fn resolve(interner: &Interner, inner: &str) -> Result<KeySpec, String> {
    if !inner.starts_with('$') {
        return Err(format!("expected a variable, like $ru, not \"{inner}\""));
    }
    Ok(KeySpec::Attr(interner.intern(&format!("{MARK}{inner}"))))
}

/// Reads the inner variable from another message.
pub(super) fn read(run: &mut Run, key: &Key, _: Index, working: Working) -> Value {
    let Key::Attr(number) = key else {
        return Value::Null;
    };
    let state = run.state::<State>();
    let known = state
        .variables
        .get(*number as usize)
        .and_then(Option::as_ref);
    let routes = run.routes;
    let saved = Saved::swap_message(run, working, routes);
    let value = match known {
        Some(variable) => variable.get(run),
        None => late(run, *number)
            .map(|variable| variable.get(run))
            .unwrap_or_default(),
    };
    drop(saved.restore(run));
    value
}

/// A variable in a text that was parsed after the module was initialised.
fn late(run: &Run, number: u32) -> Option<Variable> {
    let name = run.engine.catalog.interner().name(number);
    Variable::parse(name.strip_prefix(MARK)?.as_bytes(), &run.engine.catalog).ok()
}
