//! A Lua function that is run as a route: in a coroutine, which is put aside while the route waits or runs another.

use std::rc::Rc;

use engine::{ForeignCall, Pending, Resume, Run, level};
use mlua::{IntoLuaMulti, MultiValue};
use script::{Completion, Host, Outcome};

use crate::errors::{Fatal, fatal};
use crate::module::State;
use crate::seat::{Parked, Seat, Suspended};
use crate::vm::Vm;
use crate::{errors, values};

/// The message is to be dropped when the route ends (`KSR.set_drop()`).
pub(crate) struct DropAtEnd;

/// Runs the function that a block stands for.
pub(crate) fn block(run: &mut Run, call: &ForeignCall) -> Outcome<Pending> {
    let arguments: Vec<&str> = call.argument.as_deref().into_iter().collect();
    function(run, &call.function, &arguments)
}

/// Runs a global function with these arguments.
pub(crate) fn function(run: &mut Run, name: &str, arguments: &[&str]) -> Outcome<Pending> {
    let state = run.state::<State>();
    let seat = Seat::of(&run.engine, &state);
    let vm = match seat.vm(&run.engine, &state) {
        Ok(vm) => vm,
        Err(error) => {
            errors::log(&run.engine.log, "loading the scripts", &error);
            return Outcome::Code(-1);
        }
    };
    let Some(function) = vm.function(name) else {
        run.log(
            level::ERROR,
            "app_lua",
            &format!("there is no function {name} in the scripts"),
        );
        return Outcome::Code(-1);
    };
    start(run, &seat, vm, function, name, arguments)
}

/// Runs any function with these arguments; errors are told of `name`.
pub(crate) fn start(
    run: &mut Run,
    seat: &Seat,
    vm: Rc<Vm>,
    function: mlua::Function,
    name: &str,
    arguments: &[&str],
) -> Outcome<Pending> {
    let strings: mlua::Result<MultiValue> =
        arguments.iter().map(|text| vm.lua().pack(*text)).collect();
    match strings.and_then(|strings| Ok((vm.thread(function)?, strings))) {
        Ok((thread, strings)) => {
            let function = name.into();
            go_on(
                run,
                seat,
                Parked {
                    vm,
                    thread,
                    function,
                },
                strings,
            )
        }
        Err(error) => {
            errors::log(&run.engine.log, name, &error);
            Outcome::Code(-1)
        }
    }
}

/// Lets a coroutine run until it ends or waits.
fn go_on(run: &mut Run, seat: &Seat, route: Parked, with: impl IntoLuaMulti) -> Outcome<Pending> {
    // Left over from a function that could not wait.
    drop(seat.current.take_wanted());
    seat.guard.begin();
    let result = seat
        .current
        .with(run, || route.thread.resume::<MultiValue>(with));
    let values = match result {
        Some(Ok(values)) => values,
        Some(Err(error)) => return failed(run, &route, &error),
        None => {
            run.log(
                level::BUG,
                "app_lua",
                "a script was started inside of another",
            );
            return Outcome::Code(-1);
        }
    };
    if !route.thread.is_resumable() {
        let code = values::code(values.front());
        route.vm.give_back(route.thread);
        return match run.slots.take::<DropAtEnd>() {
            Some(DropAtEnd) => Outcome::Stop { drop: true },
            None => Outcome::Code(code),
        };
    }
    match seat.current.take_wanted() {
        Some(wanted) => suspend(seat, route, wanted),
        None => {
            let text = format!(
                "{}: coroutine.yield() outside of a coroutine",
                route.function
            );
            run.log(level::ERROR, "app_lua", &text);
            Outcome::Code(-1)
        }
    }
}

/// Puts a route aside for what a function wants.
fn suspend(seat: &Seat, route: Parked, wanted: Outcome<Pending>) -> Outcome<Pending> {
    let park = |route, inner| {
        let ticket = seat.park(route);
        Pending::native(Suspended { ticket, inner })
    };
    match wanted {
        Outcome::Wait(inner) => Outcome::Wait(park(route, inner)),
        Outcome::Route {
            block,
            routes,
            then,
        } => Outcome::Route {
            block,
            routes,
            then: park(route, then),
        },
        other => other,
    }
}

fn failed(run: &Run, route: &Parked, error: &mlua::Error) -> Outcome<Pending> {
    match fatal(error) {
        Some(Fatal::Exit) => Outcome::Stop { drop: false },
        Some(Fatal::Drop) => Outcome::Stop { drop: true },
        Some(Fatal::TooLong(_) | Fatal::TooMuch(_) | Fatal::Panic) | None => {
            errors::log(&run.engine.log, &route.function, error);
            Outcome::Code(-1)
        }
    }
}

impl Resume for Suspended {
    fn resume(self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        let Self { ticket, inner } = *self;
        let outcome = run.resume(inner, with);
        let state = run.state::<State>();
        let seat = Seat::of(&run.engine, &state);
        let Some(route) = seat.unpark(ticket) else {
            run.log(level::BUG, "app_lua", "a route that waited is gone");
            return Outcome::Code(-1);
        };
        match outcome {
            Outcome::Code(code) => go_on(run, &seat, route, values::int(code)),
            // The function ended the script as `exit` does.
            stop @ Outcome::Stop { .. } => stop,
            more => suspend(&seat, route, more),
        }
    }
}
