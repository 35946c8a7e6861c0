//! Module statistics: statistics that scripts move.

use engine::{
    Counter, FunctionRow, InitError, Module, ParameterRow, ParameterType, ParameterValue, Pending,
    Run, Setup, level,
};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};

use crate::row::{function, param, parameter};

/// Module statistics.
pub(crate) static MODULE: Module = Module {
    name: "statistics",
    requires: &[],
    functions: FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Statistics that scripts move.",
};

static PARAMETERS: &[ParameterRow] = &[parameter(
    "variable",
    ParameterType::Repeated,
    "A statistic in the group script; `name/no_reset` is never put to zero. May be given several times.",
)];

const NAME: Parameter = param("statistic", ParameterKind::Str);
/// Kamailio keeps this out of onsend_route.
const RESET_ROUTES: Routes = Routes(Routes::ANY.0 & !Routes::ONSEND.0);

static FUNCTIONS: &[FunctionRow] = &[
    function(
        "update_stat",
        &[NAME, param("change", ParameterKind::Str)],
        Routes::ANY,
        update,
        "Adds a number, with or without a sign, to a statistic.",
    ),
    function(
        "reset_stat",
        &[NAME],
        RESET_ROUTES,
        reset,
        "Puts a statistic to zero.",
    ),
];

/// The statistics that may not be put to zero.
struct Kept(Vec<String>);

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let mut kept = Vec::new();
    for value in setup.parameters.all("statistics", "variable") {
        let ParameterValue::Str(text) = value else {
            return Err("parameter variable is a string".into());
        };
        let (name, flag) = match text.split_once('/') {
            Some((name, flag)) => (name, Some(flag)),
            None => (text.as_str(), None),
        };
        let resettable = match flag {
            None => true,
            Some("no_reset") => false,
            Some(flag) => {
                return Err(InitError(format!(
                    "parameter variable: unknown flag {flag:?}"
                )));
            }
        };
        if name.is_empty() {
            return Err(InitError(format!(
                "parameter variable: {text:?} has no name"
            )));
        }
        setup
            .statistics
            .counter("script", name, resettable, "A statistic of the script.");
        if !resettable {
            kept.push(name.to_owned());
        }
    }
    setup.put_state(Kept(kept));
    Ok(())
}

/// The statistic that the first argument names.
fn counter(run: &Run, args: &Args<'_>) -> Option<Counter> {
    let name = args.str(0);
    let found = name
        .as_str()
        .and_then(|name| run.engine.statistics.existing_named(name));
    if found.is_none() {
        let text = format!(
            "{}: there is no statistic {name} that can be changed",
            args.function()
        );
        run.log(level::ERROR, "statistics", &text);
    }
    found
}

fn update(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let change = args
        .str(1)
        .as_str()
        .and_then(|text| text.trim().parse::<i64>().ok());
    let (Some(counter), Some(change)) = (counter(run, args), change) else {
        return Outcome::Code(-1);
    };
    counter.add(change);
    Outcome::Code(1)
}

fn reset(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(counter) = counter(run, args) else {
        return Outcome::Code(-1);
    };
    let kept = &run.state::<Kept>().0;
    if !kept
        .iter()
        .any(|name| name.as_bytes() == args.str(0).as_bytes())
    {
        counter.store(0);
    }
    Outcome::Code(1)
}
