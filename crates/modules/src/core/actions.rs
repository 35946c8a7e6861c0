//! Core actions about sending and the way of a message.

use engine::{FunctionRow, LogLine, Pending, RelayOptions, Run, forward_stateless, level};
use script::{Args, Outcome, Parameter, ParameterKind};

use crate::row::{action, param};

const TO: &[Parameter] = &[
    param("host", ParameterKind::Str),
    param("port", ParameterKind::Str),
];

pub(super) const FORWARD: FunctionRow = action(
    "forward",
    TO,
    0,
    forward,
    "Sends the request on without a transaction.",
);
pub(super) const FORWARD_UDP: FunctionRow =
    action("forward_udp", TO, 0, forward_udp, "The same, over UDP.");
pub(super) const FORWARD_TCP: FunctionRow =
    action("forward_tcp", TO, 0, forward_tcp, "The same, over TCP.");
pub(super) const LOG: FunctionRow = action(
    "log",
    &[
        param("level", ParameterKind::Static),
        param("text", ParameterKind::Static),
    ],
    1,
    log,
    "Writes a fixed text to the log.",
);
pub(super) const ERROR: FunctionRow = action(
    "error",
    &[
        param("subject", ParameterKind::Static),
        param("text", ParameterKind::Static),
    ],
    2,
    error,
    "Writes two fixed texts to the log as an error.",
);
pub(super) const FORCE_RPORT: FunctionRow = action(
    "force_rport",
    &[],
    0,
    force_rport,
    "Answers to the source port.",
);
pub(super) const ADD_LOCAL_RPORT: FunctionRow = action(
    "add_local_rport",
    &[],
    0,
    add_local_rport,
    "Asks for rport in our own Via.",
);
pub(super) const FORCE_SEND_SOCKET: FunctionRow = action(
    "force_send_socket",
    &[param("socket", ParameterKind::Str)],
    1,
    force_send_socket,
    "Sends the request from this socket.",
);
pub(super) const SET_ADVERTISED_ADDRESS: FunctionRow = action(
    "set_advertised_address",
    &[param("host", ParameterKind::Str)],
    1,
    set_advertised_address,
    "Shows this host in our Via instead of the socket's.",
);
pub(super) const SET_ADVERTISED_PORT: FunctionRow = action(
    "set_advertised_port",
    &[param("port", ParameterKind::Str)],
    1,
    set_advertised_port,
    "Shows this port in our Via instead of the socket's.",
);
pub(super) const UDP_MTU_TRY_PROTO: FunctionRow = action(
    "udp_mtu_try_proto",
    &[param("transport", ParameterKind::Str)],
    1,
    udp_mtu_try_proto,
    "Sends the request by this transport when it is longer than udp_mtu.",
);
pub(super) const REMOVE_BRANCH: FunctionRow = action(
    "remove_branch",
    &[param("number", ParameterKind::Int)],
    0,
    remove_branch,
    "Takes an added destination out again.",
);
pub(super) const CLEAR_BRANCHES: FunctionRow = action(
    "clear_branches",
    &[],
    0,
    clear_branches,
    "Takes all added destinations out again.",
);

fn forward(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    forward_by(run, args, "")
}

fn forward_udp(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    forward_by(run, args, ";transport=udp")
}

fn forward_tcp(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    forward_by(run, args, ";transport=tcp")
}

fn forward_by(run: &mut Run, args: &mut Args<'_>, transport: &str) -> Outcome<Pending> {
    if !run.msg.message.is_request() {
        return Outcome::Code(-1);
    }
    let port = args
        .opt_str(1)
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let to = args
        .opt_str(0)
        .map(|host| format!("sip:{host}{port}{transport}").into_bytes());
    let options = RelayOptions {
        to,
        ..RelayOptions::default()
    };
    forward_stateless(run, options)
}

fn log(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (level, text) = match args.opt_str(1) {
        Some(text) => (
            args.str(0)
                .as_str()
                .and_then(|n| n.parse().ok())
                .unwrap_or(4),
            text,
        ),
        None => (4, args.str(0)),
    };
    if run.engine.log.enabled(level) {
        run.engine.log.write(LogLine {
            level: level.max(level::ALERT),
            facility: None,
            part: "core".into(),
            mark: "<script>: ".into(),
            text: String::from_utf8_lossy(text).into_owned(),
        });
    }
    Outcome::Code(1)
}

fn error(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = format!("{}: {}", args.str(0), args.str(1));
    run.log(level::ERROR, "script", &text);
    Outcome::Code(1)
}

fn force_rport(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.force_rport = true;
    Outcome::Code(1)
}

fn add_local_rport(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.local_rport = true;
    Outcome::Code(1)
}

fn force_send_socket(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(0);
    let socket = text
        .as_str()
        .and_then(|text| run.engine.sockets.find_text(text))
        .map(|s| s.id);
    match socket {
        Some(socket) => {
            run.msg.target.socket = Some(socket);
            Outcome::Code(1)
        }
        None => {
            let text = format!("force_send_socket: {text} is none of our sockets");
            run.log(level::WARNING, "core", &text);
            Outcome::Code(-1)
        }
    }
}

fn set_advertised_address(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.advertised_host = Some(args.str(0).as_bytes().to_vec());
    Outcome::Code(1)
}

fn set_advertised_port(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.advertised_port = args.str(0).as_str().and_then(|port| port.parse().ok());
    Outcome::Code(if run.msg.advertised_port.is_some() {
        1
    } else {
        -1
    })
}

fn udp_mtu_try_proto(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.long_request_transport = sip::Transport::from_name(args.str(0).as_bytes());
    Outcome::Code(if run.msg.long_request_transport.is_some() {
        1
    } else {
        -1
    })
}

fn remove_branch(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let at = usize::try_from(args.opt_int(0).unwrap_or(0)).unwrap_or(usize::MAX);
    if at >= run.msg.branches.len() {
        return Outcome::Code(-1);
    }
    run.msg.branches.remove(at);
    Outcome::Code(1)
}

fn clear_branches(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.branches.clear();
    Outcome::Code(1)
}
