//! The left sides of core conditions: `method`, `uri`, `src_ip` and the others.

use engine::{KeyRule, Run, VariableRow};
use script::{Index, Key, Str, Value};

const fn operand(
    name: &'static str,
    get: fn(&mut Run, &Key, Index) -> Value,
    doc: &'static str,
) -> VariableRow {
    VariableRow {
        name,
        key: KeyRule::None,
        get,
        set: None,
        doc,
    }
}

pub(super) static VARIABLES: &[VariableRow] = &[
    operand(
        "@method",
        method,
        "The method; of a reply, that of its CSeq.",
    ),
    operand("@uri", uri, "The Request-URI; in a reply, its status."),
    operand(
        "@status",
        uri,
        "The status of a reply; in a request, its Request-URI.",
    ),
    operand("@from_uri", from_uri, "The URI of From."),
    operand("@to_uri", to_uri, "The URI of To."),
    operand("@src_ip", src_ip, "The address that the message came from."),
    operand("@dst_ip", dst_ip, "Our address that it came to."),
    operand("@src_port", src_port, "The port that it came from."),
    operand("@dst_port", dst_port, "Our port that it came to."),
    operand("@proto", proto, "The transport that it came by."),
    operand("@af", af, "The address family: 4 or 6."),
    operand(
        "@msg_len",
        msg_len,
        "The length of the message; in onsend_route, of what is sent.",
    ),
    operand("@snd_ip", snd_ip, "In onsend_route, our address."),
    operand("@snd_port", snd_port, "In onsend_route, our port."),
    operand("@snd_proto", snd_proto, "In onsend_route, the transport."),
    operand("@snd_af", snd_af, "In onsend_route, the address family."),
    operand("@to_ip", to_ip, "In onsend_route, the peer's address."),
    operand("@to_port", to_port, "In onsend_route, the peer's port."),
    crate::cfg::SEL,
];

fn text(bytes: &[u8]) -> Value {
    Value::Str(Str::new(bytes))
}

fn method(run: &mut Run, _: &Key, _: Index) -> Value {
    text(run.msg.message.method_bytes())
}

fn uri(run: &mut Run, _: &Key, _: Index) -> Value {
    match run.msg.message.is_request() {
        true => text(run.msg.uri()),
        false => text(run.reply_status().to_string().as_bytes()),
    }
}

fn from_uri(run: &mut Run, _: &Key, _: Index) -> Value {
    run.msg
        .message
        .from()
        .map_or(Value::Null, |from| text(from.uri))
}

fn to_uri(run: &mut Run, _: &Key, _: Index) -> Value {
    run.msg.message.to().map_or(Value::Null, |to| text(to.uri))
}

fn src_ip(run: &mut Run, _: &Key, _: Index) -> Value {
    text(run.msg.hop.remote.ip().to_string().as_bytes())
}

fn dst_ip(run: &mut Run, _: &Key, _: Index) -> Value {
    let socket = run.engine.sockets.get(run.msg.hop.socket);
    socket.map_or(Value::Null, |socket| {
        text(socket.address.ip().to_string().as_bytes())
    })
}

fn src_port(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(i64::from(run.msg.hop.remote.port()))
}

fn dst_port(run: &mut Run, _: &Key, _: Index) -> Value {
    let socket = run.engine.sockets.get(run.msg.hop.socket);
    socket.map_or(Value::Null, |socket| {
        Value::Int(i64::from(socket.address.port()))
    })
}

fn proto(run: &mut Run, _: &Key, _: Index) -> Value {
    text(run.msg.hop.transport.name().as_bytes())
}

/// The address family as the language's comparisons take it.
const fn family(address: std::net::SocketAddr) -> i64 {
    if address.is_ipv4() { 4 } else { 6 }
}

fn af(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(family(run.msg.hop.remote))
}

fn msg_len(run: &mut Run, _: &Key, _: Index) -> Value {
    let sending = run.sending.as_ref().map(|sending| sending.bytes.len());
    Value::Int(sending.unwrap_or(run.msg.message.bytes().len()) as i64)
}

fn snd_ip(run: &mut Run, _: &Key, _: Index) -> Value {
    let Some(sending) = &run.sending else {
        return Value::Null;
    };
    let socket = run.engine.sockets.get(sending.hop.socket);
    socket.map_or(Value::Null, |socket| {
        text(socket.address.ip().to_string().as_bytes())
    })
}

fn snd_port(run: &mut Run, _: &Key, _: Index) -> Value {
    let Some(sending) = &run.sending else {
        return Value::Null;
    };
    let socket = run.engine.sockets.get(sending.hop.socket);
    socket.map_or(Value::Null, |socket| {
        Value::Int(i64::from(socket.address.port()))
    })
}

fn snd_proto(run: &mut Run, _: &Key, _: Index) -> Value {
    run.sending.as_ref().map_or(Value::Null, |sending| {
        text(sending.hop.transport.name().as_bytes())
    })
}

fn snd_af(run: &mut Run, _: &Key, _: Index) -> Value {
    run.sending.as_ref().map_or(Value::Null, |sending| {
        Value::Int(family(sending.hop.remote))
    })
}

fn to_ip(run: &mut Run, _: &Key, _: Index) -> Value {
    let ip = run
        .sending
        .as_ref()
        .map(|sending| sending.hop.remote.ip().to_string());
    ip.map_or(Value::Null, |ip| text(ip.as_bytes()))
}

fn to_port(run: &mut Run, _: &Key, _: Index) -> Value {
    let port = run
        .sending
        .as_ref()
        .map(|sending| sending.hop.remote.port());
    port.map_or(Value::Null, |port| Value::Int(i64::from(port)))
}
