//! Module counters: counters of the configuration's own, and commands that show all counters.

use std::sync::Arc;

use engine::{
    Counter, Engine, FunctionRow, InitError, Module, ParameterRow, ParameterType, ParameterValue,
    Pending, Run, Setup, level,
};
use foldhash::HashMap;
use rpc::{Call, Fault, Kind, Struct};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use crate::command::{CommandParameter, CommandRow, add_commands, command, list_command, needs};
use crate::row::{function, param, parameter};

/// Module counters.
pub(crate) static MODULE: Module = Module {
    name: "counters",
    requires: &[],
    functions: FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Counters that scripts move, and commands that show counters.",
};

static PARAMETERS: &[ParameterRow] = &[
    parameter(
        "script_counter",
        ParameterType::Repeated,
        "A counter for scripts: `name` or `group.name`, then words that describe it; may be given several times.",
    ),
    parameter(
        "script_cnt_grp_name",
        ParameterType::Str(Some("script")),
        "The group of counters that name none.",
    ),
];

const COUNTER: Parameter = param("counter", ParameterKind::Str);
/// Kamailio keeps these out of branch routes.
const ROUTES: Routes = Routes(Routes::ANY.0 & !Routes::BRANCH.0);

static FUNCTIONS: &[FunctionRow] = &[
    function(
        "cnt_inc",
        &[COUNTER],
        ROUTES,
        increment,
        "Adds one to a counter.",
    ),
    function(
        "cnt_add",
        &[COUNTER, param("number", ParameterKind::Int)],
        ROUTES,
        add,
        "Adds a number to a counter.",
    ),
    function(
        "cnt_reset",
        &[COUNTER],
        ROUTES,
        reset,
        "Puts a counter to zero.",
    ),
];

/// The counters that the configuration declares, by the names that scripts call them.
struct State(HashMap<Vec<u8>, Counter>);

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let default = setup.parameters.text("counters", "script_cnt_grp_name");
    let default = default.unwrap_or_else(|| "script".to_owned());
    let mut counters = HashMap::default();
    for value in setup.parameters.all("counters", "script_counter") {
        let ParameterValue::Str(text) = value else {
            return Err("parameter script_counter is a string".into());
        };
        let (group, name, doc) = declaration(&text, &default)
            .ok_or_else(|| InitError(format!("parameter script_counter: {text:?} has no name")))?;
        let counter = setup.statistics.counter(group, name, true, doc);
        counters.insert(format!("{group}.{name}").into_bytes(), counter.clone());
        if group == default {
            counters.insert(name.as_bytes().to_vec(), counter);
        }
    }
    setup.put_state(State(counters));
    add_commands(setup, COMMANDS);
    Ok(())
}

/// Group, name and description of `[group.]name [description]`.
fn declaration<'a>(text: &'a str, default: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let text = text.trim();
    let (name, doc) = text.split_once([' ', '\t', ':']).unwrap_or((text, ""));
    let (group, name) = name.split_once('.').unwrap_or((default, name));
    (!group.is_empty() && !name.is_empty()).then_some((group, name, doc.trim()))
}

/// Lets `act` have the counter that the first argument names.
fn with_counter(run: &Run, args: &Args<'_>, act: impl FnOnce(&Counter)) -> Outcome<Pending> {
    let name = args.str(0);
    match run.state::<State>().0.get(name.as_bytes()) {
        Some(counter) => {
            act(counter);
            Outcome::Code(1)
        }
        None => {
            let text = format!("{}: there is no counter {name}", args.function());
            run.log(level::ERROR, "counters", &text);
            Outcome::Code(-1)
        }
    }
}

fn increment(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_counter(run, args, Counter::increment)
}

fn add(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let number = args.int(1);
    with_counter(run, args, |counter| counter.add(number))
}

fn reset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_counter(run, args, |counter| counter.store(0))
}

const GROUP: &[CommandParameter] = &[needs("group", Kind::Str)];
const NAME: &[CommandParameter] = &[needs("group", Kind::Str), needs("name", Kind::Str)];

static COMMANDS: &[CommandRow] = &[
    command("cnt.get", NAME, get, "The value of a counter."),
    command("cnt.get_raw", NAME, get, "The value of a counter."),
    list_command("cnt.grps_list", &[], groups, "The groups of counters."),
    list_command("cnt.list_groups", &[], groups, "The groups of counters."),
    list_command("cnt.var_list", GROUP, names, "The counters of a group."),
    list_command("cnt.list_vars", GROUP, names, "The counters of a group."),
    command(
        "cnt.grp_get_all",
        GROUP,
        values,
        "The counters of a group with their values.",
    ),
    command(
        "cnt.get_vars",
        GROUP,
        values,
        "The counters of a group with their values.",
    ),
    command(
        "cnt.reset",
        NAME,
        reset_by_command,
        "Puts a counter to zero.",
    ),
    command("cnt.help", NAME, help, "What a counter counts."),
];

fn scan_name(call: &mut Call<'_>) -> Result<(String, String), Fault> {
    Ok((call.str()?, call.text()?))
}

fn no_counter(group: &str, name: &str) -> Fault {
    Fault::new(400, format!("non-existent counter {group}.{name}\n"))
}

fn get(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name) = scan_name(call)?;
    let value = engine.statistics.get(&group, &name);
    call.add(value.ok_or_else(|| no_counter(&group, &name))?);
    Ok(())
}

fn groups(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for group in engine.statistics.groups() {
        call.add(group);
    }
    Ok(())
}

fn names(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let wanted = call.str()?;
    for (_, name, _) in engine.statistics.select(|group, _| group == wanted) {
        call.add(name);
    }
    Ok(())
}

fn values(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let wanted = call.str()?;
    let mut values = Struct::new();
    for (_, name, value) in engine.statistics.select(|group, _| group == wanted) {
        values.add(name, value);
    }
    call.add(values);
    Ok(())
}

fn reset_by_command(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name) = scan_name(call)?;
    let found = engine
        .statistics
        .reset(|own, known| own == group && known == name);
    match found.is_empty() {
        true => Err(no_counter(&group, &name)),
        false => Ok(()),
    }
}

fn help(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name) = scan_name(call)?;
    let doc = engine.statistics.doc(&group, &name);
    call.add(doc.ok_or_else(|| no_counter(&group, &name))?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_may_name_a_group_and_describe() {
        let all = [
            ("g.x some words", Some(("g", "x", "some words"))),
            ("x", Some(("script", "x", ""))),
            ("g.", None),
            ("", None),
        ];
        for (text, expected) in all {
            assert_eq!(declaration(text, "script"), expected, "{text}");
        }
    }
}
