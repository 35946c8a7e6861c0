//! Sending requests on.

use engine::{FunctionRow, Pending, RelayOptions, Run, level, relay};
use script::{Args, Outcome, Parameter, ParameterKind};
use sip::{Method, Transport};

use super::{IN_REQUEST, WHERE_RELAYED};
use crate::row::{function, function_optional, param};

const HOST_PORT: &[Parameter] = &[
    param("host", ParameterKind::Str),
    param("port", ParameterKind::Str),
];
const PROXY_FLAGS: &[Parameter] = &[
    param("proxy", ParameterKind::Str),
    param("flags", ParameterKind::Str),
];

pub(super) const T_RELAY: FunctionRow = function_optional(
    "t_relay",
    HOST_PORT,
    0,
    WHERE_RELAYED,
    t_relay,
    "Sends the request to its destinations, with a transaction.",
);
pub(super) const T_RELAY_TO: FunctionRow = function_optional(
    "t_relay_to",
    PROXY_FLAGS,
    0,
    WHERE_RELAYED,
    t_relay_to,
    "The same by way of proto:host:port; flags: 1 no 100, 2 no error reply, 4 no other address.",
);
pub(super) const T_RELAY_TO_UDP: FunctionRow = function_optional(
    "t_relay_to_udp",
    HOST_PORT,
    0,
    WHERE_RELAYED,
    |run, args| relay_over(run, args, Transport::Udp),
    "The same over UDP.",
);
pub(super) const T_RELAY_TO_TCP: FunctionRow = function_optional(
    "t_relay_to_tcp",
    HOST_PORT,
    0,
    WHERE_RELAYED,
    |run, args| relay_over(run, args, Transport::Tcp),
    "The same over TCP.",
);
pub(super) const T_RELAY_TO_TLS: FunctionRow = function_optional(
    "t_relay_to_tls",
    HOST_PORT,
    0,
    WHERE_RELAYED,
    |run, args| relay_over(run, args, Transport::Tls),
    "The same over TLS.",
);
pub(super) const T_FORWARD_NONACK: FunctionRow = function(
    "t_forward_nonack",
    HOST_PORT,
    IN_REQUEST,
    forward_nonack,
    "Sends a request that is no ACK to an address, with a transaction.",
);
pub(super) const T_FORWARD_NONACK_URI: FunctionRow = function(
    "t_forward_nonack_uri",
    &[],
    IN_REQUEST,
    forward_nonack,
    "Sends a request that is no ACK to its destinations, with a transaction.",
);
pub(super) const T_FORWARD_NONACK_UDP: FunctionRow = function(
    "t_forward_nonack_udp",
    HOST_PORT,
    IN_REQUEST,
    |run, args| forward_nonack_over(run, args, Transport::Udp),
    "The same over UDP.",
);
pub(super) const T_FORWARD_NONACK_TCP: FunctionRow = function(
    "t_forward_nonack_tcp",
    HOST_PORT,
    IN_REQUEST,
    |run, args| forward_nonack_over(run, args, Transport::Tcp),
    "The same over TCP.",
);
pub(super) const T_FORWARD_NONACK_TLS: FunctionRow = function(
    "t_forward_nonack_tls",
    HOST_PORT,
    IN_REQUEST,
    |run, args| forward_nonack_over(run, args, Transport::Tls),
    "The same over TLS.",
);
pub(super) const T_FORWARD_NONACK_TO: FunctionRow = function(
    "t_forward_nonack_to",
    HOST_PORT,
    IN_REQUEST,
    forward_nonack,
    "Sends a request that is no ACK to an address, with a transaction.",
);
pub(super) const T_RELAY_CANCEL: FunctionRow = function(
    "t_relay_cancel",
    &[],
    IN_REQUEST,
    t_relay_cancel,
    "Cancels the INVITE that a CANCEL means: 0 done, 1 no such INVITE.",
);
pub(super) const T_REPLICATE: FunctionRow = function_optional(
    "t_replicate",
    HOST_PORT,
    0,
    IN_REQUEST,
    t_replicate,
    "Sends a copy on whose replies nobody hears of: to a URI, an address, or the destinations.",
);
pub(super) const T_REPLICATE_UDP: FunctionRow = function(
    "t_replicate_udp",
    HOST_PORT,
    IN_REQUEST,
    |run, args| replicate_over(run, args, Transport::Udp),
    "The same over UDP.",
);
pub(super) const T_REPLICATE_TCP: FunctionRow = function(
    "t_replicate_tcp",
    HOST_PORT,
    IN_REQUEST,
    |run, args| replicate_over(run, args, Transport::Tcp),
    "The same over TCP.",
);
pub(super) const T_REPLICATE_TLS: FunctionRow = function(
    "t_replicate_tls",
    HOST_PORT,
    IN_REQUEST,
    |run, args| replicate_over(run, args, Transport::Tls),
    "The same over TLS.",
);
pub(super) const T_REPLICATE_TO: FunctionRow = function(
    "t_replicate_to",
    HOST_PORT,
    IN_REQUEST,
    t_replicate,
    "Sends a copy to an address.",
);

/// The URI of an address given as host and port.
fn address(args: &Args<'_>, transport: Option<Transport>) -> Option<Vec<u8>> {
    let host = args.opt_str(0).filter(|host| !host.is_empty())?;
    let mut uri = format!("sip:{host}");
    if let Some(port) = args.opt_str(1).filter(|port| !port.is_empty()) {
        uri.push_str(&format!(":{port}"));
    }
    if let Some(transport) = transport {
        uri.push_str(&format!(";transport={}", transport.name()));
    }
    Some(uri.into_bytes())
}

fn t_relay(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let to = address(args, None);
    relay(
        run,
        RelayOptions {
            to,
            ..RelayOptions::default()
        },
    )
}

fn relay_over(run: &mut Run, args: &mut Args<'_>, transport: Transport) -> Outcome<Pending> {
    let (to, transport) = (address(args, None), Some(transport));
    relay(
        run,
        RelayOptions {
            to,
            transport,
            ..RelayOptions::default()
        },
    )
}

fn forward_nonack(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if run.msg.message.method() == Method::Ack {
        return Outcome::Code(-1);
    }
    t_relay(run, args)
}

fn forward_nonack_over(run: &mut Run, args: &mut Args<'_>, over: Transport) -> Outcome<Pending> {
    if run.msg.message.method() == Method::Ack {
        return Outcome::Code(-1);
    }
    relay_over(run, args, over)
}

/// `proto:host:port`, `host:port` or `host` as a URI.
fn proxy(text: &str) -> Vec<u8> {
    let (transport, rest) = match text.split_once(':') {
        Some((name, rest)) => match Transport::from_name(name.as_bytes()) {
            Some(transport) => (Some(transport), rest),
            None => (None, text),
        },
        None => (None, text),
    };
    let transport = transport
        .map(|name| format!(";transport={}", name.name()))
        .unwrap_or_default();
    format!("sip:{rest}{transport}").into_bytes()
}

/// One argument is flags if it is a number, else the proxy.
fn t_relay_to(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let first = args.opt_str(0).map(ToString::to_string).unwrap_or_default();
    let (to, flags) = match (args.opt_str(1), script::parse_int(first.as_bytes())) {
        (Some(flags), _) => (Some(proxy(&first)), script::parse_int(flags).unwrap_or(0)),
        (None, Some(flags)) => (None, flags),
        (None, None) => ((!first.is_empty()).then(|| proxy(&first)), 0),
    };
    let options = RelayOptions {
        to,
        no_100: flags & 1 != 0,
        no_error_reply: flags & 2 != 0,
        no_failover: flags & 4 != 0,
        ..RelayOptions::default()
    };
    relay(run, options)
}

fn t_relay_cancel(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    if run.msg.message.method() != Method::Cancel {
        run.log(
            level::WARNING,
            "tm",
            "t_relay_cancel: the request is no CANCEL",
        );
        return Outcome::Code(-1);
    }
    if run.invite.is_none() {
        return Outcome::Code(1);
    }
    match relay(run, RelayOptions::default()) {
        Outcome::Code(code) if code > 0 => Outcome::Code(0),
        other => other,
    }
}

fn t_replicate(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let to = match (args.opt_str(0), args.opt_str(1)) {
        (Some(uri), None) if !uri.is_empty() => Some(uri.to_vec()),
        _ => address(args, None),
    };
    replicate(run, to, None)
}

fn replicate_over(run: &mut Run, args: &mut Args<'_>, transport: Transport) -> Outcome<Pending> {
    let to = address(args, None);
    replicate(run, to, Some(transport))
}

fn replicate(run: &mut Run, to: Option<Vec<u8>>, transport: Option<Transport>) -> Outcome<Pending> {
    if matches!(run.msg.message.method(), Method::Ack | Method::Cancel) {
        return Outcome::Code(-1);
    }
    let options = RelayOptions {
        to,
        transport,
        replicate: true,
        ..RelayOptions::default()
    };
    relay(run, options)
}

#[cfg(test)]
mod tests {
    use super::proxy;

    #[test]
    fn a_proxy_is_a_uri() {
        for (text, uri) in [
            ("10.0.0.1", "sip:10.0.0.1"),
            ("10.0.0.1:5070", "sip:10.0.0.1:5070"),
            ("tcp:10.0.0.1:5070", "sip:10.0.0.1:5070;transport=tcp"),
            ("udp:host", "sip:host;transport=udp"),
        ] {
            assert_eq!(proxy(text), uri.as_bytes(), "{text}");
        }
    }
}
