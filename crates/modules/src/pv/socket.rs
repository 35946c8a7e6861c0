//! Where the message came from and by which of our sockets; the socket that it shall leave by.

use std::net::SocketAddr;

use engine::{KeyRule, Run, VariableRow};
use script::{Index, Key, SetError, Str, Value};
use transport::listen::Socket;

use super::value::{int, refuse, text};
use crate::row::{reads, writes};

const NONE: KeyRule = KeyRule::None;

pub(super) const ROWS: &[VariableRow] = &[
    reads(
        "si",
        NONE,
        source_ip,
        "The address that the message came from.",
    ),
    reads(
        "siz",
        NONE,
        source_host,
        "The same, an IPv6 address in brackets.",
    ),
    reads("sp", NONE, source_port, "The port that it came from."),
    reads("su", NONE, source_uri, "Its source as a URI."),
    reads(
        "sut",
        NONE,
        source_uri_transport,
        "Its source as a URI with transport.",
    ),
    reads(
        "sas",
        NONE,
        source_socket,
        "Its source as `proto:address:port`.",
    ),
    reads("Ri", NONE, received_ip, "Our address that it came to."),
    reads("Rp", NONE, received_port, "Our port that it came to."),
    reads(
        "Rn",
        NONE,
        received_name,
        "The name of our socket that it came to.",
    ),
    reads(
        "Ru",
        NONE,
        received_uri,
        "Our socket that it came to, as a URI.",
    ),
    reads(
        "Rut",
        NONE,
        received_uri_transport,
        "The same with transport.",
    ),
    reads(
        "Ras",
        NONE,
        received_socket,
        "The same as `proto:address:port`.",
    ),
    reads(
        "RAi",
        NONE,
        advertised_ip,
        "The address that this socket advertises.",
    ),
    reads(
        "RAp",
        NONE,
        advertised_port,
        "The port that this socket advertises.",
    ),
    reads(
        "RAu",
        NONE,
        advertised_uri,
        "What this socket advertises, as a URI.",
    ),
    reads(
        "RAut",
        NONE,
        advertised_uri_transport,
        "The same with transport.",
    ),
    reads(
        "RAs",
        NONE,
        advertised_socket,
        "The same as `proto:address:port`.",
    ),
    reads(
        "pr",
        NONE,
        transport_name,
        "The transport that the message came by.",
    ),
    reads(
        "proto",
        NONE,
        transport_name,
        "The transport that the message came by.",
    ),
    reads(
        "prid",
        NONE,
        transport_number,
        "That transport as a number.",
    ),
    reads(
        "af",
        NONE,
        family,
        "The address family that it came by, as a number.",
    ),
    reads(
        "conid",
        NONE,
        connection,
        "The stream connection that it came by, as a number.",
    ),
    writes(
        "fs",
        NONE,
        forced_socket,
        set_forced_socket,
        "The socket to send from, as `proto:address:port`.",
    ),
    writes(
        "fsn",
        NONE,
        forced_name,
        set_forced_name,
        "The name of the socket to send from.",
    ),
    reads(
        "fsp",
        NONE,
        forced_port,
        "The port of the socket to send from; 0 while none is forced.",
    ),
];

/// A host as it stands in URIs.
fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

fn line(text: String) -> Value {
    Value::Str(Str::from(text))
}

fn source_ip(run: &mut Run, _: &Key, _: Index) -> Value {
    line(run.msg.hop.remote.ip().to_string())
}

fn source_host(run: &mut Run, _: &Key, _: Index) -> Value {
    line(host(run.msg.hop.remote))
}

fn source_port(run: &mut Run, _: &Key, _: Index) -> Value {
    int(run.msg.hop.remote.port())
}

fn source_uri(run: &mut Run, _: &Key, _: Index) -> Value {
    line(format!("sip:{}", run.msg.hop.remote))
}

fn source_uri_transport(run: &mut Run, _: &Key, _: Index) -> Value {
    let hop = run.msg.hop;
    line(format!("sip:{};transport={}", hop.remote, hop.transport))
}

fn source_socket(run: &mut Run, _: &Key, _: Index) -> Value {
    let hop = run.msg.hop;
    line(format!("{}:{}", hop.transport, hop.remote))
}

fn of_receiver(run: &Run, get: impl FnOnce(&Socket) -> Value) -> Value {
    run.engine
        .sockets
        .get(run.msg.hop.socket)
        .map_or(Value::Null, get)
}

fn of_forced(run: &Run, get: impl FnOnce(&Socket) -> Value) -> Value {
    let socket = run.msg.target.socket;
    socket
        .and_then(|id| run.engine.sockets.get(id))
        .map_or(Value::Null, get)
}

fn received_ip(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| line(socket.address.ip().to_string()))
}

fn received_port(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| int(socket.address.port()))
}

fn received_name(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, socket_name)
}

fn socket_name(socket: &Socket) -> Value {
    let name = socket.name.as_deref();
    name.map_or(Value::Null, |name| text(name.as_bytes()))
}

fn received_uri(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| line(format!("sip:{}", socket.address)))
}

fn received_uri_transport(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| {
        line(format!(
            "sip:{};transport={}",
            socket.address, socket.transport
        ))
    })
}

fn received_socket(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| text(socket.text.as_bytes()))
}

fn advertised_ip(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| {
        let bare = socket.shown_host.trim_matches(['[', ']']);
        text(bare.as_bytes())
    })
}

fn advertised_port(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| int(socket.shown_port))
}

fn advertised_uri(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| {
        line(format!("sip:{}:{}", socket.shown_host, socket.shown_port))
    })
}

fn advertised_uri_transport(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| {
        let (host, port) = (&socket.shown_host, socket.shown_port);
        line(format!("sip:{host}:{port};transport={}", socket.transport))
    })
}

fn advertised_socket(run: &mut Run, _: &Key, _: Index) -> Value {
    of_receiver(run, |socket| {
        let (host, port) = (&socket.shown_host, socket.shown_port);
        line(format!("{}:{host}:{port}", socket.transport))
    })
}

fn transport_name(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Str(Str::from_static(run.msg.hop.transport.name().as_bytes()))
}

fn transport_number(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(run.msg.hop.transport as i64)
}

fn family(run: &mut Run, _: &Key, _: Index) -> Value {
    family_of(run.msg.hop.remote)
}

/// The number of an address family, as the operating system has it.
pub(super) fn family_of(address: SocketAddr) -> Value {
    Value::Int(if address.is_ipv4() { 2 } else { 10 })
}

fn connection(run: &mut Run, _: &Key, _: Index) -> Value {
    let connection = run.msg.hop.connection;
    connection.map_or(Value::Null, |connection| Value::Int(connection.0 as i64))
}

fn forced_socket(run: &mut Run, _: &Key, _: Index) -> Value {
    of_forced(run, |socket| text(socket.text.as_bytes()))
}

fn forced_name(run: &mut Run, _: &Key, _: Index) -> Value {
    of_forced(run, socket_name)
}

fn forced_port(run: &mut Run, _: &Key, _: Index) -> Value {
    match of_forced(run, |socket| int(socket.address.port())) {
        Value::Null => Value::Int(0),
        port => port,
    }
}

fn set_forced_socket(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let wanted = value.to_str();
    if wanted.is_empty() {
        run.msg.target.socket = None;
        return Ok(());
    }
    let socket = wanted
        .as_str()
        .and_then(|wanted| run.engine.sockets.find_text(wanted));
    let id = socket.map(|socket| socket.id);
    run.msg.target.socket = Some(id.ok_or_else(|| no_socket(&wanted))?);
    Ok(())
}

fn set_forced_name(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let wanted = value.to_str();
    if wanted.is_empty() {
        run.msg.target.socket = None;
        return Ok(());
    }
    let socket = wanted
        .as_str()
        .and_then(|wanted| run.engine.sockets.find_name(wanted));
    let id = socket.map(|socket| socket.id);
    run.msg.target.socket = Some(id.ok_or_else(|| no_socket(&wanted))?);
    Ok(())
}

fn no_socket(wanted: &Str) -> SetError {
    refuse(&format!("{wanted} is none of our sockets"))
}
