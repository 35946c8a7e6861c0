//! Module cfg_rpc: commands that read and change configuration variables.

use std::sync::Arc;

use engine::{Engine, Module, Setup};
use rpc::{Call, Fault, Kind, Struct};
use script::{Str, Value};

use crate::cfg::{self, GroupName, Store, shown};
use crate::command::{
    CommandParameter, CommandRow, add_commands, command, list_command, needs, takes,
};

/// Module cfg_rpc.
pub(crate) static MODULE: Module = Module {
    name: "cfg_rpc",
    requires: &[],
    functions: &[],
    variables: &[],
    parameters: &[],
    statistics: &[],
    init: Some(init),
    doc: "Commands that read and change configuration variables.",
};

fn init(setup: &mut Setup<'_>) -> Result<(), engine::InitError> {
    add_commands(setup, COMMANDS);
    Ok(())
}

const GROUP: CommandParameter = needs("group", Kind::Str);
const VARIABLE: CommandParameter = needs("variable", Kind::Str);
const SET_INT: &[CommandParameter] = &[GROUP, VARIABLE, needs("value", Kind::Int)];
const SET_STR: &[CommandParameter] = &[GROUP, VARIABLE, needs("value", Kind::Str)];
const SET_ANY: &[CommandParameter] = &[GROUP, VARIABLE, needs("value", Kind::Any)];

static COMMANDS: &[CommandRow] = &[
    list_command(
        "cfg.list",
        &[takes("group", Kind::Str)],
        list,
        "The names of the variables.",
    ),
    command(
        "cfg.get",
        &[GROUP, takes("variable", Kind::Str)],
        get,
        "The value of a variable, or of all in a group.",
    ),
    command(
        "cfg.help",
        &[GROUP, VARIABLE],
        help,
        "What a variable is for, and its type.",
    ),
    command(
        "cfg.seti",
        SET_INT,
        set_int,
        "Gives a variable a number at once.",
    ),
    command(
        "cfg.set_now_int",
        SET_INT,
        set_int,
        "Gives a variable a number at once.",
    ),
    command(
        "cfg.sets",
        SET_STR,
        set_str,
        "Gives a variable a text at once.",
    ),
    command(
        "cfg.set_now_string",
        SET_STR,
        set_str,
        "Gives a variable a text at once.",
    ),
    command(
        "cfg.set",
        SET_ANY,
        set_any,
        "Gives a variable a value at once.",
    ),
    command(
        "cfg.set_delayed_int",
        SET_INT,
        set_later_int,
        "Notes a number for the next commit.",
    ),
    command(
        "cfg.set_delayed_string",
        SET_STR,
        set_later_str,
        "Notes a text for the next commit.",
    ),
    command(
        "cfg.set_delayed",
        SET_ANY,
        set_later_any,
        "Notes a value for the next commit.",
    ),
    command("cfg.commit", &[], commit, "Carries the noted changes out."),
    command("cfg.rollback", &[], roll_back, "Forgets the noted changes."),
    command("cfg.diff", &[], diff, "The noted changes."),
    command(
        "cfg.add_group_inst",
        &[GROUP],
        add_instance,
        "Makes an instance, group[id].",
    ),
    command(
        "cfg.del_group_inst",
        &[GROUP],
        delete_instance,
        "Drops an instance, group[id].",
    ),
    command(
        "cfg.del",
        &[GROUP, VARIABLE],
        delete,
        "Takes the own value of an instance away.",
    ),
    command(
        "cfg.del_delayed",
        &[GROUP, VARIABLE],
        delete_later,
        "Notes that for the next commit.",
    ),
    command(
        "cfg.reset",
        &[GROUP, takes("variable", Kind::Str)],
        reset,
        "Puts the configuration's values back, of a group or a variable.",
    ),
];

fn store(engine: &Engine) -> Result<Arc<Store>, Fault> {
    engine
        .state::<Store>()
        .ok_or(Fault::new(500, "Not initialised"))
}

fn scan_group(call: &mut Call<'_>) -> Result<GroupName, Fault> {
    let text = call.str()?;
    GroupName::parse(&text).ok_or(Fault::new(
        400,
        "Wrong group syntax. Use \"group\", or \"group[id]\"",
    ))
}

/// The fault for a variable that can't be changed.
fn refused(fault: cfg::Fault) -> Fault {
    let text = match fault {
        cfg::Fault::Unknown | cfg::Fault::Type => "Failed to set the variable",
        cfg::Fault::Fixed => {
            "The variable can't be changed while Tandem runs: set it in the configuration"
        }
        cfg::Fault::Full => "Too many instances or changes",
    };
    Fault::new(400, text)
}

fn list(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let group = call.opt_str()?;
    for (group, name) in store(engine)?.names(group.as_deref()) {
        call.add(format!("{group}: {name}"));
    }
    Ok(())
}

fn get(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let group = scan_group(call)?;
    let failed = |_| Fault::new(400, "Failed to get the variable");
    match call.opt_str()? {
        Some(name) => call.add(shown(&store(engine)?.get(&group, &name).map_err(failed)?)),
        None => {
            let all = store(engine)?.get_all(&group).map_err(failed)?;
            let mut values = Struct::with_capacity(all.len());
            for (name, value) in all {
                values.add(name, shown(&value));
            }
            call.add(values);
        }
    }
    Ok(())
}

fn help(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name) = (call.str()?, call.str()?);
    let found = store(engine)?.help(&group, &name);
    let (text, is_int) =
        found.map_err(|_| Fault::new(400, "Failed to get the variable description"))?;
    call.add(text);
    call.add(format!(
        "(parameter type is {})",
        if is_int { "integer" } else { "string" }
    ));
    Ok(())
}

fn set_int(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name, value) = (scan_group(call)?, call.str()?, call.int()?);
    store(engine)?
        .set(&group, &name, Value::Int(value))
        .map_err(refused)
}

fn set_str(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name, value) = (scan_group(call)?, call.str()?, call.str()?);
    store(engine)?
        .set(&group, &name, Value::Str(Str::from(value)))
        .map_err(refused)
}

fn set_any(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name, value) = (scan_group(call)?, call.str()?, call.text()?);
    store(engine)?
        .set(&group, &name, Value::Str(Str::from(value)))
        .map_err(refused)
}

fn set_later_int(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name, value) = (scan_group(call)?, call.str()?, call.int()?);
    store(engine)?
        .set_later(&group, &name, Value::Int(value))
        .map_err(refused)
}

fn set_later_str(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name, value) = (scan_group(call)?, call.str()?, call.str()?);
    store(engine)?
        .set_later(&group, &name, Value::Str(Str::from(value)))
        .map_err(refused)
}

fn set_later_any(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name, value) = (scan_group(call)?, call.str()?, call.text()?);
    store(engine)?
        .set_later(&group, &name, Value::Str(Str::from(value)))
        .map_err(refused)
}

fn commit(engine: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    let done = store(engine)?.commit();
    done.map_err(|_| Fault::new(400, "Failed to commit the changes"))
}

fn roll_back(engine: &Arc<Engine>, _: &mut Call<'_>) -> Result<(), Fault> {
    store(engine)?.roll_back();
    Ok(())
}

fn diff(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for change in store(engine)?.waiting() {
        call.add(
            Struct::new()
                .with("group name", change.group)
                .with("variable name", change.name)
                .with("old value", shown(&change.old))
                .with("new value", shown(&change.new)),
        );
    }
    Ok(())
}

/// A group with the number of an instance.
fn scan_instance(call: &mut Call<'_>) -> Result<(String, i64), Fault> {
    let parsed = GroupName::parse(&call.str()?);
    let found = parsed.and_then(|group| Some((group.name, group.instance?)));
    found.ok_or(Fault::new(400, "Wrong group syntax. Use \"group[id]\""))
}

fn add_instance(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, id) = scan_instance(call)?;
    let added = store(engine)?.add_instance(&group, id);
    added.map_err(|_| Fault::new(400, "Failed to add the group instance"))
}

fn delete_instance(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, id) = scan_instance(call)?;
    let deleted = store(engine)?.delete_instance(&group, id);
    deleted.map_err(|_| Fault::new(400, "Failed to delete the group instance"))
}

fn scan_own_value(call: &mut Call<'_>) -> Result<(GroupName, String), Fault> {
    let (name, id) = scan_instance(call)?;
    let instance = Some(id);
    Ok((GroupName { name, instance }, call.str()?))
}

fn delete(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name) = scan_own_value(call)?;
    let deleted = store(engine)?.delete(&group, &name);
    deleted.map_err(|_| Fault::new(400, "Failed to delete the value"))
}

fn delete_later(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let (group, name) = scan_own_value(call)?;
    let deleted = store(engine)?.delete_later(&group, &name);
    deleted.map_err(|_| Fault::new(400, "Failed to delete the value"))
}

fn reset(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let group = scan_group(call)?;
    let name = call.opt_str()?;
    let done = store(engine)?.reset(&group, name.as_deref());
    done.map_err(|_| Fault::new(400, "Failed to reset the variable"))
}
