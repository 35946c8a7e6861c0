//! What is about to leave (`onsend_route`) and how the message at hand came: `$snd()`, `$sndto()`, `$rcv()`.

use std::net::SocketAddr;

use engine::{Interner, KeyRule, Run, VariableRow};
use script::{Index, Key, KeySpec, Str, Value};
use sip::{Hop, Transport};

use super::socket::family_of;
use super::value::{attribute, attribute_name, int, length, text};
use crate::row::reads;

pub(super) const ROWS: &[VariableRow] = &[
    reads(
        "snd",
        KeyRule::Resolve(send_key),
        send,
        "In onsend_route: our side of what is being sent.",
    ),
    reads(
        "sndfrom",
        KeyRule::Resolve(send_key),
        send,
        "The same as `$snd`.",
    ),
    reads(
        "sndto",
        KeyRule::Resolve(send_key),
        send_to,
        "In onsend_route: the peer's side of what is being sent.",
    ),
    reads(
        "rcv",
        KeyRule::Resolve(receive_key),
        receive,
        "In an event route for a received message: how it came.",
    ),
];

const SEND: &[&str] = &["ip", "af", "port", "proto", "sproto", "buf", "len"];
const RECEIVE: &[&str] = &[
    "buf", "len", "proto", "srcip", "srcport", "rcvip", "rcvport", "sproto", "af",
];

fn send_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(SEND, inner)
}

fn receive_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(RECEIVE, inner)
}

fn address_of_socket(run: &Run, hop: Hop) -> Option<SocketAddr> {
    run.engine
        .sockets
        .get(hop.socket)
        .map(|socket| socket.address)
}

fn ip(address: SocketAddr) -> Value {
    Value::Str(Str::from(address.ip().to_string()))
}

fn transport_name(transport: Transport) -> Value {
    Value::Str(Str::from_static(transport.name().as_bytes()))
}

fn send(run: &mut Run, key: &Key, _: Index) -> Value {
    let Some(sending) = &run.sending else {
        return Value::Null;
    };
    let address = address_of_socket(run, sending.hop);
    outgoing(key, address, sending.hop.transport, &sending.bytes)
}

fn send_to(run: &mut Run, key: &Key, _: Index) -> Value {
    let Some(sending) = &run.sending else {
        return Value::Null;
    };
    let hop = sending.hop;
    outgoing(key, Some(hop.remote), hop.transport, &sending.bytes)
}

fn outgoing(key: &Key, address: Option<SocketAddr>, transport: Transport, bytes: &[u8]) -> Value {
    match (attribute_name(SEND, key), address) {
        ("ip", Some(address)) => ip(address),
        ("port", Some(address)) => int(address.port()),
        ("af", Some(address)) => family_of(address),
        ("proto", _) => Value::Int(transport as i64),
        ("sproto", _) => transport_name(transport),
        ("buf", _) => text(bytes),
        ("len", _) => length(bytes),
        _ => Value::Null,
    }
}

fn receive(run: &mut Run, key: &Key, _: Index) -> Value {
    if run.msg.faked || !run.routes.intersects(script::Routes::EVENT) {
        return Value::Null;
    }
    let hop = run.msg.hop;
    let own = address_of_socket(run, hop);
    let bytes = run.msg.message.bytes();
    match (attribute_name(RECEIVE, key), own) {
        ("buf", _) => text(bytes),
        ("len", _) => length(bytes),
        ("proto", _) => Value::Int(hop.transport as i64),
        ("sproto", _) => transport_name(hop.transport),
        ("srcip", _) => ip(hop.remote),
        ("srcport", _) => int(hop.remote.port()),
        ("af", _) => family_of(hop.remote),
        ("rcvip", Some(address)) => ip(address),
        ("rcvport", Some(address)) => int(address.port()),
        _ => Value::Null,
    }
}
