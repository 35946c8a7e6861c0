//! Pauses, and routes that may not be there.

use std::time::Duration;

use engine::{FunctionRow, Operation, Pending, Resume, Run};
use script::{Args, BlockKind, Completion, Outcome, Parameter, ParameterKind, Routes};

use crate::row::{function, param};

const TIME: &[Parameter] = &[param("time", ParameterKind::Int)];
const ROUTE: &[Parameter] = &[param("route", ParameterKind::Str)];

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function(
        "sleep",
        TIME,
        Routes::ANY,
        sleep,
        "Lets seconds pass; other messages go on meanwhile.",
    ),
    function(
        "usleep",
        TIME,
        Routes::ANY,
        usleep,
        "Lets microseconds pass; other messages go on meanwhile.",
    ),
    function(
        "route_if_exists",
        ROUTE,
        Routes::ANY,
        route_if_exists,
        "Runs a route and returns its code; false if there is none of that name.",
    ),
    function(
        "check_route_exists",
        ROUTE,
        Routes::ANY,
        check_route,
        "True if there is a route of that name.",
    ),
];

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(600);

fn sleep(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    pause(
        run,
        Duration::from_secs(u64::try_from(args.int(0)).unwrap_or(0)),
    )
}

fn usleep(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    pause(
        run,
        Duration::from_micros(u64::try_from(args.int(0)).unwrap_or(0)),
    )
}

fn pause(run: &mut Run, time: Duration) -> Outcome<Pending> {
    if time.is_zero() {
        return Outcome::Code(1);
    }
    run.operation = Some(Operation::Sleep(time.min(PAUSE_MAX)));
    Outcome::Wait(Pending::native(Paused))
}

struct Paused;

impl Resume for Paused {
    fn resume(self: Box<Self>, _: &mut Run, _: Completion) -> Outcome<Pending> {
        Outcome::Code(1)
    }
}

fn route_if_exists(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let block = args
        .str(0)
        .as_str()
        .and_then(|name| run.find_block(BlockKind::Request, name));
    match block {
        Some(block) => Outcome::Route {
            block,
            routes: run.routes,
            then: Pending::native(Routed),
        },
        None => Outcome::Code(-1),
    }
}

struct Routed;

impl Resume for Routed {
    fn resume(self: Box<Self>, _: &mut Run, with: Completion) -> Outcome<Pending> {
        match with {
            Completion::Route(end) if end.exited => Outcome::Stop { drop: end.dropped },
            Completion::Route(end) => Outcome::Code(end.code),
            _ => Outcome::Code(-1),
        }
    }
}

fn check_route(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(0).as_str();
    let found = name.and_then(|name| run.find_block(BlockKind::Request, name));
    Outcome::Code(if found.is_some() { 1 } else { -1 })
}
