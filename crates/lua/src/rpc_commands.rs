//! The module's management commands.

use std::sync::Arc;

use engine::{EngineHandle, Setup};
use rpc::{Call, Command, Fault, Struct, Value};

use crate::ksr::{self, API, Entry};
use crate::module::State;

/// Adds them.
pub(crate) fn add(setup: &mut Setup<'_>, state: &Arc<State>) {
    let (of, engine) = (Arc::clone(state), setup.engine.clone());
    let doc =
        "Reads the scripts again, or the one of this number; they count from the next message on.";
    setup
        .commands
        .push(Command::new("app_lua.reload", doc, move |call| {
            reload(&of, &engine, call)
        }));
    let of = Arc::clone(state);
    let doc = "The scripts, with how often each was read.";
    setup
        .commands
        .push(Command::new("app_lua.list", doc, move |call| {
            list(&of, call)
        }));
    let engine = setup.engine.clone();
    let doc = "The functions that scripts may call, with their types.";
    setup
        .commands
        .push(Command::new("app_lua.api_list", doc, move |call| {
            api(&engine, call)
        }));
}

/// What KSR has, with the modules that are loaded.
fn api(engine: &EngineHandle, call: &mut Call<'_>) -> Result<(), Fault> {
    let engine = engine
        .get()
        .ok_or_else(|| Fault::new(500, "the process is ending"))?;
    let loaded = |entry: &&Entry| {
        let module = ksr::module_of(entry.module);
        let mut modules = engine.catalog.loaded().iter();
        modules.any(|known| known.name == module) && ksr::is_there(&engine, entry)
    };
    let functions: Vec<Value> = API.iter().filter(loaded).map(described).collect();
    call.add(
        Struct::new()
            .with("msize", functions.len() as i64)
            .with("methods", functions),
    );
    Ok(())
}

fn described(entry: &Entry) -> Value {
    let kinds = entry.numbers.iter();
    let kinds: Vec<&str> = kinds
        .map(|is_number| if *is_number { "int" } else { "str" })
        .collect();
    let parameters = if kinds.is_empty() {
        "none".to_owned()
    } else {
        kinds.join(", ")
    };
    let function = Struct::new()
        .with("ret", entry.returns.name())
        .with("module", entry.module)
        .with("name", entry.name)
        .with("params", parameters);
    Value::from(Struct::new().with("func", function))
}

fn reload(state: &State, engine: &EngineHandle, call: &mut Call<'_>) -> Result<(), Fault> {
    let which = call.opt_int()?;
    if !state.may_reload {
        return Err(Fault::new(500, "reload is disabled"));
    }
    let engine = engine
        .get()
        .ok_or_else(|| Fault::new(500, "the process is ending"))?;
    let scripts = state.scripts.current().scripts().len();
    let which = match which.map(usize::try_from) {
        Some(Ok(number)) if number < scripts => Some(number),
        Some(_) => return Err(Fault::new(500, "Reload Failed")),
        None => None,
    };
    state
        .scripts
        .reload(&engine, state, which)
        .map_err(|text| Fault::new(500, text))
}

fn list(state: &State, call: &mut Call<'_>) -> Result<(), Fault> {
    for (at, script) in state.scripts.current().scripts().iter().enumerate() {
        call.add(
            Struct::new()
                .with("id", at as i64)
                .with("name", Value::from(script.path.as_str())),
        );
    }
    Ok(())
}
