//! KSR.x: the ends of a route, and functions of modules by their names.

use mlua::MultiValue;

use super::Maker;
use super::function::Form;
use super::meaning::Meaning;
use crate::errors::Fatal;

pub(super) fn add(maker: &Maker<'_>) -> mlua::Result<()> {
    let x = maker.table("x")?;
    for (name, end) in [("exit", Fatal::Exit), ("drop", Fatal::Drop)] {
        let function = maker
            .lua
            .create_function(move |_, ()| -> mlua::Result<()> { Err(end.into()) })?;
        x.set(name, function)?;
    }
    // A function of a module as any other: only its name is an argument.
    let by_name = maker.lua.create_table()?;
    for module in maker.engine.catalog.loaded() {
        for row in module.functions {
            let name = row.signature.name;
            if module.name != "app_lua" && !by_name.contains_key(name)? {
                let meaning = Meaning::Row(module.name, name);
                let form = Form::of_row(maker.engine, module.name, name, meaning);
                by_name.set(name, maker.function(form)?)?;
            }
        }
    }
    let modf: mlua::Function = maker
        .lua
        .load(
            "local by_name, missing = ...\n\
             return function(name, ...)\n\
                 local f = by_name[name]\n\
                 if f == nil then return missing(name) end\n\
                 return f(...)\n\
             end",
        )
        .set_name("=prelude")
        .call((by_name, missing(maker)?))?;
    x.set("modf", modf)
}

/// What is called for a name that nothing has.
fn missing(maker: &Maker<'_>) -> mlua::Result<mlua::Function> {
    let log = maker.engine.log.clone();
    maker
        .lua
        .create_function(move |lua, arguments: MultiValue| {
            let name = arguments.front().map(mlua::Value::to_string);
            let name = name.transpose()?.unwrap_or_default();
            let place = super::function::place(lua);
            let text = format!("{place}: KSR.x.modf: no module has a function {name}");
            log.line(engine::level::ERROR, "app_lua", &text);
            Ok(-1)
        })
}
