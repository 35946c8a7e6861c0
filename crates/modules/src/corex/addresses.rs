//! Where a message goes out, and where it is taken to have come from.

use std::net::SocketAddr;

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes, Str};
use sip::{SocketId, Transport};

use crate::row::{function, param};

const ADDRESS: &[Parameter] = &[param("address", ParameterKind::Str)];
const NAME: &[Parameter] = &[param("name", ParameterKind::Str)];
const ANY: Routes = Routes::ANY;

pub(super) const FUNCTIONS: &[FunctionRow] = &[
    function(
        "set_send_socket",
        ADDRESS,
        ANY,
        send_socket,
        "Sends from this socket, [proto:]host[:port]; one that is not there is logged.",
    ),
    function(
        "set_send_socket_name",
        NAME,
        ANY,
        send_socket_name,
        "Sends from the socket of this name.",
    ),
    function(
        "set_recv_socket",
        ADDRESS,
        ANY,
        receive_socket,
        "Takes the message as received by this socket.",
    ),
    function(
        "set_recv_socket_name",
        NAME,
        ANY,
        receive_socket_name,
        "Takes the message as received by the socket of this name.",
    ),
    function(
        "set_source_address",
        ADDRESS,
        ANY,
        source_address,
        "Takes the message as sent from this address, proto:ip:port; its transport stays.",
    ),
    function(
        "is_socket_name",
        NAME,
        ANY,
        is_socket_name,
        "True if there is a socket of this name.",
    ),
];

/// A socket by its address or name, with a warning if there is none.
fn find(run: &Run, text: &Str, by_name: bool) -> Option<SocketId> {
    let found = text.as_str().and_then(|text| match by_name {
        true => run.engine.sockets.find_name(text),
        false => run.engine.sockets.find_text(text),
    });
    if found.is_none() {
        let text = format!("there is no socket {text}");
        run.log(level::WARNING, "corex", &text);
    }
    found.map(|socket| socket.id)
}

/// As in Kamailio, a socket that is not there leaves the message as it is, and is no failure.
fn set_send(run: &mut Run, text: &Str, by_name: bool) -> Outcome<Pending> {
    if let Some(socket) = find(run, text, by_name) {
        run.msg.target.socket = Some(socket);
    }
    Outcome::Code(1)
}

fn set_receive(run: &mut Run, text: &Str, by_name: bool) -> Outcome<Pending> {
    if let Some(socket) = find(run, text, by_name) {
        let transport = run
            .engine
            .sockets
            .get(socket)
            .map(|socket| socket.transport);
        run.msg.hop.socket = socket;
        run.msg.hop.transport = transport.unwrap_or(run.msg.hop.transport);
    }
    Outcome::Code(1)
}

fn send_socket(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_send(run, args.str(0), false)
}

fn send_socket_name(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_send(run, args.str(0), true)
}

fn receive_socket(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_receive(run, args.str(0), false)
}

fn receive_socket_name(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_receive(run, args.str(0), true)
}

fn source_address(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some((_, remote)) = args.str(0).as_str().and_then(endpoint) else {
        let text = format!("set_source_address: {} is no proto:ip:port", args.str(0));
        run.log(level::ERROR, "corex", &text);
        return Outcome::Code(-1);
    };
    run.msg.hop.remote = remote;
    Outcome::Code(1)
}

/// Reads `proto:ip[:port]`; the protocol may be missing (UDP), the port too (that of the protocol).
fn endpoint(text: &str) -> Option<(Transport, SocketAddr)> {
    let named = text.split_once(':').and_then(|(name, rest)| {
        let transport = Transport::from_name(name.as_bytes())?;
        Some((transport, rest))
    });
    let (transport, rest) = named.unwrap_or((Transport::Udp, text));
    if let Ok(address) = rest.parse() {
        return Some((transport, address));
    }
    let bare = rest.trim_start_matches('[').trim_end_matches(']');
    Some((
        transport,
        SocketAddr::new(bare.parse().ok()?, transport.default_port()),
    ))
}

fn is_socket_name(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(0).as_str();
    let found = name.and_then(|name| run.engine.sockets.find_name(name));
    Outcome::Code(if found.is_some() { 1 } else { -1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_defaults() {
        let read = |text| endpoint(text).map(|(t, a)| format!("{t}:{a}"));
        assert_eq!(
            read("tcp:1.2.3.4:5555").as_deref(),
            Some("tcp:1.2.3.4:5555")
        );
        assert_eq!(read("1.2.3.4").as_deref(), Some("udp:1.2.3.4:5060"));
        assert_eq!(read("tls:[::1]").as_deref(), Some("tls:[::1]:5061"));
        assert_eq!(read("udp:[::1]:7").as_deref(), Some("udp:[::1]:7"));
        assert_eq!(read("bad"), None);
    }
}
