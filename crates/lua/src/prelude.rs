//! A new Lua machine, before any script: the standard libraries without what could harm the process, and errors that
//! cannot be caught.

use mlua::{Function, Lua, LuaOptions, StdLib, Value};

use crate::errors::fatal;

const SOURCE: &str = include_str!("prelude.lua");

/// A machine, and what makes a waiting function of one that says nil when it has to wait.
pub(crate) fn machine() -> mlua::Result<(Lua, Function)> {
    let lua = Lua::new_with(StdLib::ALL_SAFE, LuaOptions::default())?;
    // Compiled code would not look at the clock.
    lua.load("jit.off()").exec()?;
    add_debug(&lua)?;
    let is_fatal = lua.create_function(|_, value: Value| {
        Ok(matches!(&value, Value::Error(error) if fatal(error).is_some()))
    })?;
    let wait = lua.create_table()?;
    let prelude = lua.load(SOURCE).set_name("=prelude");
    let waiting = prelude.call((wait, is_fatal))?;
    Ok((lua, waiting))
}

/// The part of library `debug` that scripts use to report errors; the rest could break the machine.
fn add_debug(lua: &Lua) -> mlua::Result<()> {
    let debug = lua.create_table()?;
    let traceback = lua.create_function(|lua, (message, level): (Value, Option<usize>)| {
        let text = match &message {
            Value::Nil => None,
            Value::String(text) => Some(text.to_string_lossy()),
            Value::Error(error) => Some(error.to_string()),
            Value::Integer(_) | Value::Number(_) => Some(message.to_string()?),
            _ => return Ok(message),
        };
        let trace = lua.traceback(text.as_deref(), level.unwrap_or(1))?;
        Ok(Value::String(trace))
    })?;
    debug.set("traceback", traceback)?;
    let getinfo = lua.create_function(|lua, (level, _): (usize, Option<String>)| {
        let found = lua.inspect_stack(level, |frame| {
            let info = lua.create_table()?;
            let source = frame.source();
            info.set("short_src", source.short_src.as_deref())?;
            info.set("source", source.source.as_deref())?;
            info.set("what", source.what)?;
            info.set("linedefined", source.line_defined)?;
            info.set("currentline", frame.current_line())?;
            info.set("name", frame.names().name.as_deref())?;
            mlua::Result::Ok(info)
        });
        found.transpose()
    })?;
    debug.set("getinfo", getinfo)?;
    lua.globals().set("debug", debug)
}
