//! Module `xlog`: log lines written by the configuration. A line is printed only when its level is enabled.

mod colour;

use std::sync::atomic::{AtomicI64, Ordering};

use engine::{
    FunctionRow, InitError, LogLine, Module, ParameterRow, ParameterType, ParameterValue, Pending,
    Run, Setup, level,
};
use script::{Args, Format, Outcome, Parameter, ParameterKind, Routes, log_facility, log_level};

use crate::row::{checked, function, param, parameter};

/// Log lines.
pub(crate) static MODULE: Module = Module {
    name: "xlog",
    requires: &[],
    functions: FUNCTIONS,
    variables: colour::ROWS,
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Writes log lines with variables in them.",
};

const LAZY: ParameterKind = ParameterKind::Lazy;
const FORMAT: &[Parameter] = &[param("format", LAZY)];
const LEVEL: &[Parameter] = &[param("level", ParameterKind::Level), param("format", LAZY)];
const FACILITY: &[Parameter] = &[
    param("facility", ParameterKind::Facility),
    param("level", ParameterKind::Level),
    param("format", LAZY),
];
const ROUTES: Routes = Routes::ANY;

static FUNCTIONS: &[FunctionRow] = &[
    function(
        "xlog",
        FORMAT,
        ROUTES,
        xlog,
        "Writes a line at the level of errors.",
    ),
    function("xlog", LEVEL, ROUTES, xlog, "The same at a level."),
    function(
        "xlog",
        FACILITY,
        ROUTES,
        xlog,
        "The same in a facility of the system log.",
    ),
    function(
        "xlogl",
        FORMAT,
        ROUTES,
        xlogl,
        "The same with the line of the configuration.",
    ),
    function("xlogl", LEVEL, ROUTES, xlogl, "The same at a level."),
    function(
        "xlogl",
        FACILITY,
        ROUTES,
        xlogl,
        "The same in a facility of the system log.",
    ),
    function(
        "xlogm",
        LEVEL,
        ROUTES,
        xlogm,
        "The same unless `methods_filter` has the method.",
    ),
    function(
        "xdbg",
        FORMAT,
        ROUTES,
        xdbg,
        "Writes a line for developers.",
    ),
    function(
        "xdbgl",
        FORMAT,
        ROUTES,
        xdbgl,
        "The same with the line of the configuration.",
    ),
    function("xinfo", FORMAT, ROUTES, xinfo, "Writes an information."),
    function("xnotice", FORMAT, ROUTES, xnotice, "Writes a notice."),
    function("xwarn", FORMAT, ROUTES, xwarn, "Writes a warning."),
    function("xerr", FORMAT, ROUTES, xerr, "Writes an error."),
    function("xcrit", FORMAT, ROUTES, xcrit, "Writes a critical line."),
    function("xalert", FORMAT, ROUTES, xalert, "Writes an alert."),
    function(
        "xbug",
        FORMAT,
        ROUTES,
        xbug,
        "Writes a line about a mistake in the program.",
    ),
];

static PARAMETERS: &[ParameterRow] = &[
    parameter(
        "buf_size",
        ParameterType::Int(4096),
        "The longest line, bytes; a longer one is cut.",
    ),
    parameter(
        "force_color",
        ParameterType::Int(0),
        "1 lets `$C(…)` print colours although the log is not on a terminal.",
    ),
    parameter(
        "long_format",
        ParameterType::Int(0),
        "1 shows file and line of the configuration in front.",
    ),
    parameter(
        "prefix",
        ParameterType::Str(Some("<script>: ")),
        "Stands before each line.",
    ),
    parameter(
        "prefix_mode",
        ParameterType::Int(0),
        "1 takes `prefix` as a format.",
    ),
    checked(
        "log_facility",
        ParameterType::Str(None),
        facility,
        "The facility of these lines in the system log; else the core's.",
    ),
    checked(
        "log_colors",
        ParameterType::Repeated,
        level_colour,
        "The colour of a level in a coloured log, `L_INFO=gx`: text and background as in `$C(…)`.",
    ),
    parameter(
        "methods_filter",
        ParameterType::Int(-1),
        "Methods that `xlogm()` says nothing about, as a mask.",
    ),
];

struct State {
    prefix: Prefix,
    facility: Option<u8>,
    force_color: bool,
    line_max: usize,
    long_format: bool,
    methods_filter: AtomicI64,
}

enum Prefix {
    Text(String),
    Format(Format),
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let text = setup.parameters.str("xlog", "prefix").unwrap_or_default();
    let prefix = match setup.parameters.int("xlog", "prefix_mode") {
        0 => Prefix::Text(text),
        _ => Prefix::Format(setup.format("xlog", "prefix")?.unwrap_or_default()),
    };
    let line_max = usize::try_from(setup.parameters.int("xlog", "buf_size")).unwrap_or(4096);
    for value in setup.parameters.all("xlog", "log_colors") {
        let (level, sequence) = parse_level_colour(&value).map_err(InitError)?;
        setup.log.colors().set(level, sequence);
    }
    let facility = setup.parameters.str("xlog", "log_facility");
    setup.put_state(State {
        prefix,
        facility: facility.as_deref().and_then(log_facility),
        force_color: setup.parameters.int("xlog", "force_color") != 0,
        line_max: line_max.clamp(64, 1 << 20),
        long_format: setup.parameters.int("xlog", "long_format") != 0,
        methods_filter: AtomicI64::new(setup.parameters.int("xlog", "methods_filter")),
    });
    Ok(())
}

/// The check of a parameter that names a facility of the system log.
pub(crate) fn facility(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(name) if log_facility(name).is_some() => Ok(()),
        _ => Err("a log facility is LOG_DAEMON, LOG_LOCAL0 and the like".to_owned()),
    }
}

fn level_colour(value: &ParameterValue) -> Result<(), String> {
    parse_level_colour(value).map(drop)
}

/// `L_INFO=gx`: a level and the sequence that switches to its colour.
fn parse_level_colour(value: &ParameterValue) -> Result<(i32, String), String> {
    let ParameterValue::Str(text) = value else {
        return Err("expected a text like L_INFO=gx".to_owned());
    };
    let (level, colours) = text.split_once('=').ok_or("expected LEVEL=COLOURS")?;
    let level = log_level(level.trim().as_bytes()).ok_or("no level of the log")?;
    Ok((level, colour::sequence(colours.trim())?))
}

fn xlog(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    leveled(run, args, false)
}

fn xlogl(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    leveled(run, args, true)
}

/// `[[facility,] level,] format`.
fn leveled(run: &mut Run, args: &mut Args<'_>, with_line: bool) -> Outcome<Pending> {
    let format = args.len() - 1;
    let wanted = match format.checked_sub(1) {
        None => Some(level::ERROR),
        Some(at) => argument_level(run, args, at),
    };
    match wanted {
        Some(wanted) => write(run, args, wanted, format, with_line),
        None => run.log(
            level::ERROR,
            "xlog",
            "the log level is none of L_ALERT to L_DBG",
        ),
    }
    Outcome::Code(1)
}

fn argument_level(run: &mut Run, args: &Args<'_>, at: usize) -> Option<i32> {
    let mut text = Vec::with_capacity(8);
    args.lazy(at)?.print(run, &mut text);
    log_level(&text)
}

fn xlogm(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let filter = run.state::<State>().methods_filter.load(Ordering::Relaxed);
    let method = i64::from(run.msg.message.method().mask());
    if filter & method == 0 {
        return leveled(run, args, false);
    }
    Outcome::Code(1)
}

macro_rules! fixed {
    ($($name:ident $level:ident $with_line:literal;)*) => {$(
        fn $name(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
            write(run, args, level::$level, 0, $with_line);
            Outcome::Code(1)
        }
    )*};
}

fixed! {
    xdbg DEBUG false;
    xdbgl DEBUG true;
    xinfo INFO false;
    xnotice NOTICE false;
    xwarn WARNING false;
    xerr ERROR false;
    xcrit CRITICAL false;
    xalert ALERT false;
    xbug BUG false;
}

/// Prints the format and writes it, if anybody will see it.
fn write(run: &mut Run, args: &Args<'_>, wanted: i32, format: usize, with_line: bool) {
    if !run.engine.log.enabled(wanted) {
        return;
    }
    let Some(text) = args.lazy(format) else {
        return;
    };
    let state = run.state::<State>();
    let mut mark = Vec::with_capacity(32);
    match &state.prefix {
        Prefix::Text(text) => mark.extend_from_slice(text.as_bytes()),
        Prefix::Format(format) => format.print(run, &mut mark),
    }
    let place = args.place();
    if state.long_format {
        mark.extend_from_slice(format!("[{}:{}]: ", place.file, place.line).as_bytes());
    }
    let mut line = Vec::with_capacity(160);
    if with_line {
        line.extend_from_slice(format!("{}:", place.line).as_bytes());
    }
    text.print(run, &mut line);
    line.truncate(state.line_max);
    let own = (format == 2).then(|| args.int(0));
    let own = own.and_then(|number| u8::try_from(number).ok());
    run.engine.log.write(LogLine {
        level: wanted.max(level::ALERT),
        facility: own.or(state.facility),
        part: "xlog".into(),
        mark: String::from_utf8_lossy(&mark).into_owned().into(),
        text: String::from_utf8_lossy(&line).into_owned(),
    });
}
