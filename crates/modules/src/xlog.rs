//! Module `xlog`: log lines written by the configuration. A line is printed only when its level is enabled.

use std::sync::atomic::{AtomicI64, Ordering};

use engine::{
    FunctionRow, InitError, Module, ParameterRow, ParameterType, Pending, Run, Setup, level,
};
use script::{Args, Format, Outcome, Parameter, ParameterKind, Routes, log_level};

use crate::row::{function, param, parameter};

/// Log lines.
pub(crate) static MODULE: Module = Module {
    name: "xlog",
    requires: &[],
    functions: FUNCTIONS,
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Writes log lines with variables in them.",
};

const LAZY: ParameterKind = ParameterKind::Lazy;
const FORMAT: &[Parameter] = &[param("format", LAZY)];
const LEVEL: &[Parameter] = &[param("level", ParameterKind::Level), param("format", LAZY)];
const FACILITY: &[Parameter] = &[
    param("facility", LAZY),
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
        "The same; all lines share the core's facility.",
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
        "The same; all lines share the core's facility.",
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
        "Accepted; colours follow the command line's -e.",
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
    parameter(
        "log_facility",
        ParameterType::Str(None),
        "Accepted; lines go where the core's lines go.",
    ),
    parameter(
        "log_colors",
        ParameterType::Repeated,
        "Accepted; the colours of levels are fixed.",
    ),
    parameter(
        "methods_filter",
        ParameterType::Int(-1),
        "Methods that `xlogm()` says nothing about, as a mask.",
    ),
];

struct State {
    prefix: Prefix,
    log_prefix: Option<Format>,
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
    setup.put_state(State {
        prefix,
        log_prefix: log_prefix(setup)?,
        line_max: line_max.clamp(64, 1 << 20),
        long_format: setup.parameters.int("xlog", "long_format") != 0,
        methods_filter: AtomicI64::new(setup.parameters.int("xlog", "methods_filter")),
    });
    Ok(())
}

/// The core setting `log_prefix`: a format that stands before everything that a script logs.
fn log_prefix(setup: &Setup<'_>) -> Result<Option<Format>, InitError> {
    let settings = script::Settings::new(setup.config);
    let text = settings.str("log_prefix");
    if text.is_empty() {
        return Ok(None);
    }
    Format::parse(text.as_bytes(), setup.catalog)
        .map(Some)
        .map_err(|error| InitError(format!("log_prefix \"{text}\": {error}")))
}

fn xlog(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    leveled(run, args, false)
}

fn xlogl(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    leveled(run, args, true)
}

/// `[[facility,] level,] format`; all lines share the core's facility.
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
    let Some(format) = args.lazy(format) else {
        return;
    };
    let state = run.state::<State>();
    let mut line = Vec::with_capacity(160);
    if let Some(prefix) = &state.log_prefix {
        prefix.print(run, &mut line);
    }
    match &state.prefix {
        Prefix::Text(text) => line.extend_from_slice(text.as_bytes()),
        Prefix::Format(format) => format.print(run, &mut line),
    }
    let place = args.place();
    if state.long_format {
        line.extend_from_slice(format!("[{}:{}]: ", place.file, place.line).as_bytes());
    }
    if with_line {
        line.extend_from_slice(format!("{}:", place.line).as_bytes());
    }
    format.print(run, &mut line);
    line.truncate(state.line_max);
    let line = String::from_utf8_lossy(&line).into_owned();
    run.engine.log.write(wanted.max(level::ALERT), line);
}
