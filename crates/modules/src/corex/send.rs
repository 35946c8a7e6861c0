//! Sending bytes as they are: the message as it came, or a text of the script's own.

use std::sync::Arc;

use engine::{Destination, FunctionRow, Operation, Pending, Resume, Run, level};
use script::{Args, Completion, Outcome, Parameter, ParameterKind, Routes};
use sip::{Hop, SocketId};
use transaction::Output;

use crate::row::{function, function_optional, param};

const TO: &[Parameter] = &[param("address", ParameterKind::Str)];
const DATA: &[Parameter] = &[
    param("uri", ParameterKind::Str),
    param("data", ParameterKind::Str),
];
const DATA_FROM: &[Parameter] = &[
    param("uri", ParameterKind::Str),
    param("socket", ParameterKind::Str),
    param("data", ParameterKind::Str),
];
/// Where Kamailio lets messages be sent so.
const REQUESTS: Routes = Routes(Routes::REQUEST.0 | Routes::FAILURE.0 | Routes::EVENT.0);

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function_optional(
        "send_udp",
        TO,
        0,
        REQUESTS,
        send_udp,
        "Sends the message as it came, by UDP, to host[:port] or the next hop.",
    ),
    function_optional(
        "send_tcp",
        TO,
        0,
        REQUESTS,
        send_tcp,
        "Sends the message as it came, by TCP, to host[:port] or the next hop.",
    ),
    function(
        "send_data",
        DATA,
        Routes::ANY,
        send_data,
        "Sends a text to a SIP URI.",
    ),
    function(
        "sendx",
        DATA_FROM,
        Routes::ANY,
        send_data_from,
        "Sends a text to a SIP URI from a socket.",
    ),
];

/// Bytes on their way.
#[derive(Debug)]
struct Raw {
    uri: Vec<u8>,
    socket: Option<SocketId>,
    bytes: Arc<[u8]>,
    asked: bool,
}

fn send_udp(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    send_message(run, args, "udp")
}

fn send_tcp(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    send_message(run, args, "tcp")
}

fn send_message(run: &mut Run, args: &Args<'_>, transport: &str) -> Outcome<Pending> {
    let uri = match args.opt_str(0).filter(|text| !text.is_empty()) {
        Some(host) => format!("sip:{host};transport={transport}").into_bytes(),
        None => with_transport(run.msg.next_hop(), transport),
    };
    let raw = Raw {
        uri,
        socket: None,
        bytes: run.msg.message.bytes().into(),
        asked: false,
    };
    raw.send(run)
}

/// A URI with this transport, whatever it had; one that can't be understood stays, and fails later.
fn with_transport(uri: &[u8], transport: &str) -> Vec<u8> {
    match sip::Uri::parse(uri) {
        Ok(parsed) => parsed.with_param(b"transport", Some(transport.as_bytes())),
        Err(_) => uri.to_vec(),
    }
}

fn send_data(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let raw = Raw {
        uri: args.str(0).as_bytes().to_vec(),
        socket: None,
        bytes: args.str(1).as_bytes().into(),
        asked: false,
    };
    raw.send(run)
}

fn send_data_from(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(1);
    let socket = text
        .as_str()
        .and_then(|text| run.engine.sockets.find_text(text));
    let Some(socket) = socket.map(|socket| socket.id) else {
        run.log(
            level::ERROR,
            "corex",
            &format!("sendx: there is no socket {text}"),
        );
        return Outcome::Code(-1);
    };
    let raw = Raw {
        uri: args.str(0).as_bytes().to_vec(),
        socket: Some(socket),
        bytes: args.str(2).as_bytes().into(),
        asked: false,
    };
    raw.send(run)
}

impl Raw {
    fn send(mut self, run: &mut Run) -> Outcome<Pending> {
        let found = run
            .engine
            .destination_of(&self.uri, &run.msg, &run.msg.target, run.now.time);
        match found {
            Destination::Known(hops) => match hops.first() {
                Some(hop) => self.send_by(run, *hop),
                None => self.fail(run),
            },
            Destination::Ask(query) if !self.asked => {
                self.asked = true;
                run.operation = Some(Operation::Resolve(query));
                Outcome::Wait(Pending::native(self))
            }
            Destination::Ask(_) | Destination::Failed(_) => self.fail(run),
        }
    }

    fn send_by(self, run: &mut Run, mut hop: Hop) -> Outcome<Pending> {
        if let Some(socket) = self.socket {
            let own = run.engine.sockets.get(socket);
            if own.is_none_or(|own| own.transport != hop.transport) {
                return self.fail(run);
            }
            hop.socket = socket;
        }
        run.out.push(Output::Send {
            hop,
            bytes: self.bytes,
        });
        Outcome::Code(1)
    }

    fn fail(&self, run: &Run) -> Outcome<Pending> {
        let uri = String::from_utf8_lossy(&self.uri);
        run.log(level::ERROR, "corex", &format!("cannot send to {uri}"));
        Outcome::Code(-1)
    }
}

impl Resume for Raw {
    fn resume(self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending> {
        match with {
            Completion::Failed(_) => self.fail(run),
            _ => self.send(run),
        }
    }
}
