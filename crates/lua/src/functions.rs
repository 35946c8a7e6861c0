//! The functions by which routes of the native language call Lua.

use std::rc::Rc;

use engine::{Pending, Run, level};
use mlua::Function;
use script::{Args, Outcome};

use crate::module::State;
use crate::seat::Seat;
use crate::vm::Vm;
use crate::{errors, route};

/// `lua_run("function", …)`.
pub(crate) fn run(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(name) = args.str(0).as_str() else {
        run.log(level::ERROR, "app_lua", "lua_run: the name is not UTF-8");
        return Outcome::Code(-1);
    };
    let texts: Vec<String> = (1..args.len()).map(|at| args.str(at).to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    route::function(run, name, &texts)
}

/// `lua_runstring("code")`.
pub(crate) fn run_string(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let code = args.str(0);
    chunk(run, args.function(), code, "=(string)")
}

/// `lua_dofile("path")`.
pub(crate) fn run_file(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let path = args.str(0).to_string();
    match std::fs::read(&path) {
        Ok(code) => chunk(run, "lua_dofile", &code, &format!("@{path}")),
        Err(error) => {
            let text = format!("lua_dofile: cannot read {path}: {error}");
            run.log(level::ERROR, "app_lua", &text);
            Outcome::Code(-1)
        }
    }
}

fn chunk(run: &mut Run, function: &str, code: &[u8], name: &str) -> Outcome<Pending> {
    let state = run.state::<State>();
    let seat = Seat::of(&run.engine, &state);
    let loaded: mlua::Result<(Rc<Vm>, Function)> = seat.vm(&run.engine, &state).and_then(|vm| {
        let chunk = vm.lua().load(code).set_name(name).into_function()?;
        Ok((vm, chunk))
    });
    match loaded {
        Ok((vm, chunk)) => route::start(run, &seat, vm, chunk, function, &[]),
        Err(error) => {
            errors::log(&run.engine.log, function, &error);
            Outcome::Code(-1)
        }
    }
}
