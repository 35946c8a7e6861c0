//! Module mi_fifo: the management interface of the 3.x days, which old tools and scripts still speak.

use engine::{InitError, Module, ParameterRow, ParameterType, Setup};
use rpc::{Fault, FifoConfig, MiCall, MiCommand, MiConfig, MiReply, Struct, Value, write_value};

use crate::ctl::{FIFO_GROUP, FIFO_MODE, FIFO_USER, access};
use crate::row::parameter;

/// Module mi_fifo.
pub(crate) static MODULE: Module = Module {
    name: "mi_fifo",
    requires: &[],
    functions: &[],
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "MI commands by FIFO, as kamctl had them before RPC.",
};

static PARAMETERS: &[ParameterRow] = &[
    parameter(
        "fifo_name",
        ParameterType::Str(Some("kamailio_fifo")),
        "The FIFO, in the runtime directory unless it begins with a slash.",
    ),
    FIFO_MODE,
    FIFO_USER,
    FIFO_GROUP,
    parameter(
        "reply_dir",
        ParameterType::Str(Some("/tmp/")),
        "Where the FIFOs for replies are.",
    ),
    parameter(
        "reply_indent",
        ParameterType::Str(Some("\t")),
        "What stands before a line of a reply for each level of the tree.",
    ),
];

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let parameters = setup.parameters;
    let name = parameters.text("mi_fifo", "fifo_name");
    let name = name.ok_or_else(|| InitError("parameter fifo_name is empty".to_owned()))?;
    let indent = parameters.str("mi_fifo", "reply_indent");
    let indent = indent.unwrap_or_default();
    if indent.contains(['\r', '\n']) {
        return Err(InitError(
            "parameter reply_indent: a line end would break replies".to_owned(),
        ));
    }
    let mut fifo = FifoConfig::new(setup.run_dir.join(name));
    fifo.access = access(setup, "mi_fifo", "fifo_mode", "fifo_user", "fifo_group")?;
    if let Some(dir) = parameters.text("mi_fifo", "reply_dir") {
        fifo.reply_dir = dir.into();
    }
    setup.doors.mi = Some(MiConfig { fifo, indent });
    setup.doors.mi_commands.extend(commands());
    Ok(())
}

/// What every program with MI has.
fn commands() -> [MiCommand; 11] {
    [
        MiCommand::new("which", "Lists the MI commands.", which),
        MiCommand::new("arg", "The arguments of the program.", |call| {
            values(call, "core.arg", "")
        })
        .needs("core.arg"),
        MiCommand::new("pwd", "The working directory.", |call| {
            values(call, "core.pwd", "WD")
        })
        .needs("core.pwd"),
        MiCommand::new("version", "The program's version.", |call| {
            values(call, "core.version", "Server")
        })
        .needs("core.version"),
        MiCommand::new("uptime", "When the program was started.", uptime).needs("core.uptime"),
        MiCommand::new("ps", "The program's threads.", ps).needs("core.psx"),
        MiCommand::new("kill", "Ends the program.", |call| {
            call.texts(0, 0)?;
            call.registry.call("core.kill", Vec::new())?;
            Ok(MiReply::ok())
        })
        .needs("core.kill"),
        MiCommand::new("debug", "Shows or sets the log level.", debug).needs("corex.debug"),
        MiCommand::new(
            "get_statistics",
            "Statistics: all, a group with its colon, or names.",
            statistics,
        )
        .needs("stats.get_statistics"),
        MiCommand::new("reset_statistics", "Sets statistics to zero.", |call| {
            reset(call, "stats.reset_statistics")
        })
        .needs("stats.reset_statistics"),
        MiCommand::new(
            "clear_statistics",
            "Shows statistics and sets them to zero.",
            |call| reset(call, "stats.clear_statistics"),
        )
        .needs("stats.clear_statistics"),
    ]
}

fn which(call: &MiCall<'_>) -> Result<MiReply, Fault> {
    call.texts(0, 0)?;
    let names = call.names.to_vec();
    Ok(MiReply::nodes(move |nodes| {
        for name in &names {
            nodes.leaf("", name.as_ref());
        }
    }))
}

/// The values of another door's command, each as a node with this name.
fn values(call: &MiCall<'_>, command: &str, name: &'static str) -> Result<MiReply, Fault> {
    call.texts(0, 0)?;
    let values = call.registry.call(command, Vec::new())?.into_values();
    Ok(MiReply::nodes(move |nodes| {
        for value in &values {
            write_value(nodes, name, value);
        }
    }))
}

fn uptime(call: &MiCall<'_>) -> Result<MiReply, Fault> {
    call.texts(0, 0)?;
    let shown = record(call, "core.uptime")?;
    Ok(MiReply::nodes(move |nodes| {
        for (name, member) in [("Now", "now"), ("Up since", "up_since")] {
            nodes.leaf(name, text(&shown, member));
        }
        nodes.leaf("Up time", format!("{} [sec]", text(&shown, "uptime")));
    }))
}

/// The one record that a command answers with.
fn record(call: &MiCall<'_>, command: &str) -> Result<Struct, Fault> {
    let mut values = call.registry.call(command, Vec::new())?.into_values();
    match values.pop() {
        Some(Value::Struct(members)) => Ok(members),
        _ => Err(Fault::new(500, "no record")),
    }
}

fn text(record: &Struct, member: &str) -> String {
    match record.get(member) {
        Some(Value::Int(number)) => number.to_string(),
        Some(value) => value.as_str().unwrap_or_default().to_owned(),
        None => String::new(),
    }
}

fn ps(call: &MiCall<'_>) -> Result<MiReply, Fault> {
    call.texts(0, 0)?;
    let threads = call.registry.call("core.psx", Vec::new())?.into_values();
    Ok(MiReply::nodes(move |nodes| {
        for thread in threads.iter().filter_map(Value::as_struct) {
            let [number, id, kind] = ["IDX", "PID", "DSC"].map(|member| text(thread, member));
            let attributes = [("ID", &*number), ("PID", &*id), ("Type", &*kind)];
            nodes.node("Process", "", &attributes);
        }
    }))
}

fn debug(call: &MiCall<'_>) -> Result<MiReply, Fault> {
    let level = call.texts(0, 1)?.first().map(|level| level.parse::<i64>());
    let level = level.transpose();
    let level = level.map_err(|_| Fault::new(400, "Bad parameter"))?;
    let now = match level {
        Some(level) => {
            let values = call.registry.call("corex.debug", vec![Value::Int(level)])?;
            values
                .into_values()
                .pop()
                .as_ref()
                .map(|shown| match shown {
                    Value::Struct(members) => text(members, "new"),
                    _ => String::new(),
                })
        }
        None => Some(text(&record(call, "corex.debug")?, "debug")),
    };
    let now = now.unwrap_or_default();
    Ok(MiReply::nodes(move |nodes| nodes.leaf("DEBUG", now)))
}

/// The statistics that were asked for.
fn found(call: &MiCall<'_>, command: &str) -> Result<Vec<Value>, Fault> {
    let names = call.texts(1, MAX_NAMES)?.into_iter().map(Value::from);
    Ok(call.registry.call(command, names.collect())?.into_values())
}

/// Names in one request for statistics.
const MAX_NAMES: usize = 256;

fn statistics(call: &MiCall<'_>) -> Result<MiReply, Fault> {
    let values = found(call, "stats.get_statistics")?;
    if values.is_empty() {
        return Err(Fault::new(404, "Statistics Not Found"));
    }
    Ok(MiReply::nodes(move |nodes| {
        for value in &values {
            write_value(nodes, "", value);
        }
    }))
}

fn reset(call: &MiCall<'_>, command: &str) -> Result<MiReply, Fault> {
    let known = found(call, "stats.get_statistics")?;
    if known.is_empty() {
        return Err(Fault::new(404, "Statistics Not Found"));
    }
    let values = found(call, command)?;
    Ok(MiReply::nodes(move |nodes| {
        for value in &values {
            write_value(nodes, "", value);
        }
    }))
}
