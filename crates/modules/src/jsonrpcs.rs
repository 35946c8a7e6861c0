//! Module jsonrpcs: the doors of kamctl and kamcli, and commands run from scripts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::{
    Engine, FunctionRow, InitError, Interner, KeyRule, Module, ParameterRow, ParameterType,
    ParameterValue, Pending, Run, Setup, VariableRow, level,
};
use rpc::{Address, Call, Fault, FifoConfig, JsonSocketConfig, Kind};
use script::{Args, Index, Key, KeySpec, Outcome, ParameterKind, Routes, Str, Value};

use crate::command::{CommandRow, add_commands, list_command, takes};
use crate::ctl::{FIFO_GROUP, FIFO_MODE, FIFO_USER, access};
use crate::row::{function, param, parameter, reads};

/// Module jsonrpcs.
pub(crate) static MODULE: Module = Module {
    name: "jsonrpcs",
    requires: &[],
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "JSON-RPC by FIFO and socket, and commands run from scripts.",
};

/// Bits of parameter `transport`.
const HTTP: i64 = 1;
const FIFO: i64 = 2;
const DATAGRAM: i64 = 4;
const STREAM: i64 = 8;

static PARAMETERS: &[ParameterRow] = &[
    ParameterRow {
        name: "transport",
        kind: ParameterType::Int(FIFO | DATAGRAM),
        check: Some(known_transports),
        doc: "Which doors: 2 FIFO, 4 datagrams, 8 streams, or their sum; 0 FIFO and datagrams. 1, HTTP, is refused: it needs module xhttp.",
    },
    parameter(
        "pretty_format",
        ParameterType::Int(1),
        "1: answers are indented.",
    ),
    parameter(
        "fifo_name",
        ParameterType::Str(Some("kamailio_rpc.fifo")),
        "The FIFO, in the runtime directory unless it begins with a slash; empty for none.",
    ),
    FIFO_MODE,
    FIFO_USER,
    FIFO_GROUP,
    parameter(
        "fifo_reply_dir",
        ParameterType::Str(Some("/tmp/")),
        "Where the FIFOs for answers are.",
    ),
    parameter(
        "dgram_socket",
        ParameterType::Str(Some("kamailio_rpc.sock")),
        "The datagram socket: a path as for the FIFO, or udp:host:port; empty for none.",
    ),
    parameter(
        "dgram_workers",
        ParameterType::Int(1),
        "Processes for datagrams; of no meaning here: commands do not wait for each other.",
    ),
    parameter(
        "dgram_timeout",
        ParameterType::Int(2000),
        "How long the sender may take to make room for the answer (ms).",
    ),
    parameter(
        "dgram_mode",
        ParameterType::Int(0o660),
        "Permission bits of the datagram socket.",
    ),
    parameter(
        "dgram_user",
        ParameterType::Repeated,
        "Owner of the datagram socket, by name or number.",
    ),
    parameter(
        "dgram_group",
        ParameterType::Repeated,
        "Group of the datagram socket, by name or number.",
    ),
    parameter(
        "tcp_socket",
        ParameterType::Str(None),
        "The stream socket: host:port, or unix: and a path.",
    ),
];

fn known_transports(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(bits) if bits & HTTP != 0 => {
            Err("transport 1, HTTP, needs module xhttp, which Tandem does not have yet".to_owned())
        }
        ParameterValue::Int(bits) if (0..=FIFO | DATAGRAM | STREAM).contains(bits) => Ok(()),
        _ => Err("transport is a sum of 2, 4 and 8, or 0".to_owned()),
    }
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let wanted = match setup.parameters.int("jsonrpcs", "transport") {
        0 => FIFO | DATAGRAM,
        bits => bits,
    };
    let pretty = setup.parameters.int("jsonrpcs", "pretty_format") != 0;
    setup.doors.json_pretty = pretty;
    if wanted & FIFO != 0 {
        setup.doors.fifo = fifo(setup)?;
    }
    if wanted & DATAGRAM != 0 {
        setup.doors.datagram = datagram(setup)?;
        let patience = setup.parameters.int("jsonrpcs", "dgram_timeout");
        setup.doors.datagram_timeout = Duration::from_millis(u64::try_from(patience).unwrap_or(0));
    }
    if wanted & STREAM != 0 {
        setup.doors.stream = Some(stream(setup)?);
    }
    setup.put_state(Pretty(pretty));
    add_commands(setup, COMMANDS);
    Ok(())
}

fn fifo(setup: &Setup<'_>) -> Result<Option<FifoConfig>, InitError> {
    let Some(name) = setup.parameters.text("jsonrpcs", "fifo_name") else {
        return Ok(None);
    };
    let mut config = FifoConfig::new(setup.run_dir.join(name));
    config.access = access(setup, "jsonrpcs", "fifo_mode", "fifo_user", "fifo_group")?;
    if let Some(dir) = setup.parameters.text("jsonrpcs", "fifo_reply_dir") {
        config.reply_dir = dir.into();
    }
    Ok(Some(config))
}

fn datagram(setup: &Setup<'_>) -> Result<Option<JsonSocketConfig>, InitError> {
    let Some(name) = setup.parameters.text("jsonrpcs", "dgram_socket") else {
        return Ok(None);
    };
    let address = match name.starts_with("udp:") {
        true => parse("dgram_socket", &name, &setup.run_dir)?,
        false => Address::Datagram(setup.run_dir.join(name)),
    };
    let mut config = JsonSocketConfig::new(address);
    config.access = access(setup, "jsonrpcs", "dgram_mode", "dgram_user", "dgram_group")?;
    Ok(Some(config))
}

fn stream(setup: &Setup<'_>) -> Result<JsonSocketConfig, InitError> {
    let name = setup.parameters.text("jsonrpcs", "tcp_socket");
    let name =
        name.ok_or_else(|| InitError("transport 8 needs parameter tcp_socket".to_owned()))?;
    let has_scheme = ["tcp:", "unix:", "unixs:"]
        .iter()
        .any(|scheme| name.starts_with(scheme));
    let name = match has_scheme || name.starts_with('/') {
        true => name,
        false => format!("tcp:{name}"),
    };
    Ok(JsonSocketConfig::new(parse(
        "tcp_socket",
        &name,
        &setup.run_dir,
    )?))
}

fn parse(parameter: &str, text: &str, run_dir: &Path) -> Result<Address, InitError> {
    Address::parse(text, run_dir)
        .map_err(|error| InitError(format!("parameter {parameter}: {text}: {error}")))
}

static COMMANDS: &[CommandRow] = &[list_command(
    "jsonrpc.echo",
    &[takes("value", Kind::Any)],
    echo,
    "Answers its parameters.",
)];

fn echo(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    while let Some(value) = call.opt_value() {
        call.add(value);
    }
    Ok(())
}

/// Whether answers are indented.
struct Pretty(bool);

static FUNCTIONS: &[FunctionRow] = &[function(
    "jsonrpc_exec",
    &[param("request", ParameterKind::Str)],
    Routes::ANY,
    exec,
    "Runs the command in a JSON-RPC document; the answer is in $jsonrpl.",
)];

static VARIABLES: &[VariableRow] = &[reads(
    "jsonrpl",
    KeyRule::Resolve(part),
    answer_part,
    "The answer of jsonrpc_exec(): code, text or body.",
)];

/// The answer of the last `jsonrpc_exec()` for this message.
#[derive(Default)]
struct Answer {
    code: i64,
    text: Str,
    body: Str,
}

fn exec(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let pretty = run.state::<Pretty>().0;
    let registry = run.engine.registry().cloned();
    let answer = registry.and_then(|registry| rpc::json::execute(&registry, args.str(0), pretty));
    let Some((code, text, body)) = answer else {
        run.log(
            level::ERROR,
            "jsonrpcs",
            "jsonrpc_exec: the parameter is no JSON document",
        );
        run.slots.put(Answer {
            code: 500,
            ..Answer::default()
        });
        return Outcome::Code(-1);
    };
    run.slots.put(Answer {
        code: i64::from(code),
        text: text.as_ref().into(),
        body: body.into(),
    });
    Outcome::Code(1)
}

const PARTS: [&str; 3] = ["code", "text", "body"];

fn part(_: &Interner, name: &str) -> Result<KeySpec, String> {
    match PARTS.iter().position(|part| *part == name) {
        Some(at) => Ok(KeySpec::Attr(at as u32)),
        None => Err(format!("$jsonrpl has code, text and body, not {name}")),
    }
}

fn answer_part(run: &mut Run, key: &Key, _: Index) -> Value {
    let (Some(answer), Key::Attr(part)) = (run.slots.get::<Answer>(), key) else {
        return Value::Null;
    };
    match part {
        0 => Value::Int(answer.code),
        1 => Value::Str(answer.text.clone()),
        _ => Value::Str(answer.body.clone()),
    }
}
