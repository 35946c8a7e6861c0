//! Commands: `pv.shvGet`, `pv.shvSet`.

use std::sync::Arc;

use engine::{Engine, Setup};
use rpc::{Call, Fault, Kind, Struct, Value as Shown};
use script::{Str, Value};

use super::State;
use crate::command::{CommandRow, add_commands, command, needs, takes};

static COMMANDS: &[CommandRow] = &[
    command(
        "pv.shvGet",
        &[takes("name", Kind::Str)],
        get,
        "Shows one shared variable, or all of them.",
    ),
    command(
        "pv.shvSet",
        &[
            needs("name", Kind::Str),
            needs("type", Kind::Str),
            needs("value", Kind::Any),
        ],
        set,
        "Gives a shared variable a value of type int or str.",
    ),
];

pub(super) fn add(setup: &mut Setup<'_>) {
    add_commands(setup, COMMANDS);
}

fn state(engine: &Engine) -> Result<Arc<State>, Fault> {
    let state = engine.state::<State>();
    state.ok_or_else(|| Fault::new(500, "Module pv is not loaded"))
}

fn shown(name: String, value: &Value) -> Struct {
    let row = Struct::new().with("name", name);
    match value {
        Value::Int(number) => row.with("type", "int").with("value", *number),
        other => row
            .with("type", "string")
            .with("value", Shown::Str(other.to_str().to_vec())),
    }
}

fn get(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let state = state(engine)?;
    let names = engine.catalog.interner();
    let known = state.shared.all();
    let Some(wanted) = call.opt_text()? else {
        let rows = known
            .iter()
            .map(|(at, value)| ("shv".into(), Shown::Struct(shown(names.name(*at), value))));
        call.add(Struct::new().with("items", Shown::Named(rows.collect())));
        return Ok(());
    };
    let found = known.iter().find(|(at, _)| names.name(*at) == wanted);
    let (_, value) = found.ok_or_else(|| Fault::new(404, "Variable not found"))?;
    call.add(shown(wanted, value));
    Ok(())
}

fn set(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let state = state(engine)?;
    let (name, kind) = (call.text()?, call.text()?);
    let value = match kind.as_str() {
        "int" => Value::Int(call.int()?),
        "str" | "string" => Value::Str(Str::from(call.text()?)),
        _ => return Err(Fault::new(500, "The type is int or str")),
    };
    let at = engine.catalog.interner().intern(&name) as usize;
    state.shared.set(at, value);
    call.add("Ok. Variable set to new value.");
    Ok(())
}
