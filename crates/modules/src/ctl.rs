//! Module ctl: the doors of kamcmd.

use std::path::Path;

use engine::{InitError, Module, ParameterRow, ParameterType, ParameterValue, Setup};
use rpc::{Access, Address, BinrpcConfig, FifoConfig};

use crate::row::parameter;

/// Module ctl.
pub(crate) static MODULE: Module = Module {
    name: "ctl",
    requires: &[],
    functions: &[],
    variables: &[],
    parameters: PARAMETERS,
    statistics: &[],
    init: Some(init),
    doc: "Sockets for kamcmd.",
};

static PARAMETERS: &[ParameterRow] = &[
    parameter(
        "binrpc",
        ParameterType::Repeated,
        "A socket: unix:, unixs: or unixd: and a path, udp: or tcp: with host and port; may be given several times.",
    ),
    parameter(
        "fifo",
        ParameterType::Repeated,
        "A FIFO for commands in lines, a path or fifo: and a path; answers go to the FIFO of /tmp that they name. May be given several times.",
    ),
    parameter(
        "mode",
        ParameterType::Int(0o600),
        "Permission bits of unix sockets and FIFOs.",
    ),
    parameter(
        "user",
        ParameterType::Repeated,
        "Owner of unix sockets and FIFOs, by name or number.",
    ),
    parameter(
        "group",
        ParameterType::Repeated,
        "Group of unix sockets and FIFOs, by name or number.",
    ),
    parameter(
        "autoconversion",
        ParameterType::Int(0),
        "1: numbers and texts among a command's parameters are taken for each other.",
    ),
    parameter(
        "binrpc_max_body_size",
        ParameterType::Int(120),
        "The longest reply (KB, at least 4). 120 is what kamcmd takes; Kamailio begins with 32.",
    ),
    parameter(
        "binrpc_struct_max_body_size",
        ParameterType::Int(8),
        "The longest structure (KB); of no meaning here: only the whole reply has a limit.",
    ),
    parameter(
        "binrpc_buffer_size",
        ParameterType::Int(1024),
        "Size of send buffers; of no meaning here: they grow as needed.",
    ),
];

/// The name of the socket when none is configured.
const DEFAULT_SOCKET: &str = "unixs:kamailio_ctl";
/// The shortest limit for a reply that counts (KB).
const REPLY_KB_MIN: i64 = 4;

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let given = setup.parameters.all("ctl", "binrpc");
    let texts = match given.is_empty() {
        true => vec![DEFAULT_SOCKET.to_owned()],
        false => given.iter().map(owner_text).collect(),
    };
    let listen = texts.iter().map(|text| address(text, &setup.run_dir));
    let mut config = BinrpcConfig::new(listen.collect::<Result<_, _>>()?);
    config.access = access(setup, "ctl", "mode", "user", "group")?;
    let size = setup
        .parameters
        .int("ctl", "binrpc_max_body_size")
        .max(REPLY_KB_MIN);
    config.limits.reply_bytes_max = usize::try_from(size)
        .unwrap_or(usize::MAX)
        .saturating_mul(1024);
    config.limits.autoconversion = setup.parameters.int("ctl", "autoconversion") != 0;
    for path in setup.parameters.all("ctl", "fifo").iter().map(owner_text) {
        let path = path.strip_prefix("fifo:").unwrap_or(&path);
        let mut fifo = FifoConfig::new(setup.run_dir.join(path));
        fifo.access = config.access.clone();
        setup.doors.ctl_fifos.push(fifo);
    }
    setup.doors.binrpc = Some(config);
    Ok(())
}

fn address(text: &str, run_dir: &Path) -> Result<Address, InitError> {
    Address::parse(text, run_dir)
        .map_err(|error| InitError(format!("parameter binrpc: {text}: {error}")))
}

fn owner_text(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Str(text) => text.clone(),
        ParameterValue::Int(number) => number.to_string(),
    }
}

/// A FIFO's mode, in every module that has one; `access` reads it.
pub(crate) const FIFO_MODE: ParameterRow = parameter(
    "fifo_mode",
    ParameterType::Int(0o660),
    "Permission bits of the FIFO.",
);
/// Its owner.
pub(crate) const FIFO_USER: ParameterRow = parameter(
    "fifo_user",
    ParameterType::Repeated,
    "Owner of the FIFO, by name or number.",
);
/// Its group.
pub(crate) const FIFO_GROUP: ParameterRow = parameter(
    "fifo_group",
    ParameterType::Repeated,
    "Group of the FIFO, by name or number.",
);

/// Mode and owner of a door's file, from a module's parameters.
pub(crate) fn access(
    setup: &Setup<'_>,
    module: &str,
    mode: &str,
    user: &str,
    group: &str,
) -> Result<Access, InitError> {
    let bits = setup.parameters.int(module, mode);
    let bits = u32::try_from(bits).ok().filter(|bits| *bits <= 0o7777);
    let bits = bits.ok_or_else(|| InitError(format!("parameter {mode}: not a file mode")))?;
    let owner = |name: &str| {
        let values = setup.parameters.all(module, name);
        values
            .last()
            .map(owner_text)
            .filter(|text| !text.is_empty())
    };
    let mut access = Access::mode(bits);
    access.user = owner(user);
    access.group = owner(group);
    Ok(access)
}
