//! Record-Route: a wish while the script runs, header lines when the request leaves and both its sockets are
//! known (RFC 3261 §16.6 item 4, RFC 5658).

use std::sync::Arc;

use engine::{BranchOut, RecordRoute, Run, Working};
use sip::{SocketId, Tag, Transport, Uri};

use super::State;
use super::direction::is_upstream;

/// Writes what `record_route()` and its relatives asked for.
pub(super) fn write(run: &mut Run, out: &mut BranchOut) {
    let Some(wish) = out.working.record_route.take() else {
        return;
    };
    let state = run.state::<State>();
    let tag = from_tag(run, &state, &out.working);
    let values = match &wish {
        RecordRoute::Own { params, user } => own(run, &state, out, params, user, &tag),
        RecordRoute::Preset(addresses) => addresses
            .iter()
            .map(|address| preset(&state, &out.working, address, &tag))
            .collect(),
        RecordRoute::Advertised(address) => advertised(&state, out, address, &tag),
    };
    let mut lines = Vec::with_capacity(values.len() * 96);
    for value in &values {
        lines.extend_from_slice(b"Record-Route: <");
        lines.extend_from_slice(value);
        lines.extend_from_slice(b">\r\n");
    }
    let message = Arc::clone(&out.working.message);
    out.working
        .edits
        .insert_first(Tag::RecordRoute, &message, &lines);
    out.own_record_routes += values.len();
}

/// `;ftag=…` with the tag of whoever began the dialog, whichever way this request goes.
fn from_tag(run: &Run, state: &State, working: &Working) -> Vec<u8> {
    if !state.append_from_tag {
        return Vec::new();
    }
    let message = &working.message;
    let tag = if is_upstream(run, message) {
        message.to_tag()
    } else {
        message.from_tag()
    };
    match tag {
        Some(tag) if !tag.is_empty() => [b";ftag=", tag].concat(),
        _ => Vec::new(),
    }
}

fn own(
    run: &Run,
    state: &State,
    out: &BranchOut,
    params: &[u8],
    user: &[u8],
    tag: &[u8],
) -> Vec<Vec<u8>> {
    let working = &out.working;
    let is_double =
        state.enable_double && (state.always_double || out.socket != working.hop.socket);
    let mut behind = Vec::with_capacity(64);
    if is_double {
        behind.extend_from_slice(b";r2=on");
    }
    behind.extend_from_slice(lr(state));
    behind.extend_from_slice(tag);
    behind.extend_from_slice(params);
    behind.extend_from_slice(&working.record_route_params);
    let scheme = scheme(state, working);
    let address = |socket| {
        let mut uri = scheme.to_vec();
        if !user.is_empty() {
            uri.extend_from_slice(user);
            uri.push(b'@');
        }
        uri.extend_from_slice(&shown_address(run, socket));
        uri.extend_from_slice(&behind);
        uri
    };
    let mut values = vec![address(out.socket)];
    if is_double {
        values.push(address(working.hop.socket));
    }
    values
}

fn lr(state: &State) -> &'static [u8] {
    if state.full_lr { b";lr=on" } else { b";lr" }
}

/// Host and port as a socket shows them; the port and the transport only where they are not the usual ones.
fn shown_address(run: &Run, socket: SocketId) -> Vec<u8> {
    let Some(socket) = run.engine.sockets.get(socket) else {
        return b"127.0.0.1".to_vec();
    };
    let mut text = socket.shown_host.to_string();
    if socket.shown_port != 5060 {
        text.push_str(&format!(":{}", socket.shown_port));
    }
    if socket.transport != Transport::Udp {
        text.push_str(";transport=");
        text.push_str(socket.transport.name());
    }
    text.into_bytes()
}

/// A request that asks for security all the way keeps it (RFC 3261 §16.6 item 4).
fn scheme(state: &State, working: &Working) -> &'static [u8] {
    let is_sips = |uri: &[u8]| {
        uri.get(..5)
            .is_some_and(|s| s.eq_ignore_ascii_case(b"sips:"))
    };
    let message = &working.message;
    let from_peer = || match message.record_routes().next() {
        Some(route) => is_sips(route.uri),
        None => message
            .contacts()
            .next()
            .is_some_and(|contact| is_sips(contact.uri)),
    };
    if !state.ignore_sips && (is_sips(working.uri()) || from_peer()) {
        b"sips:"
    } else {
        b"sip:"
    }
}

fn preset(state: &State, working: &Working, address: &[u8], tag: &[u8]) -> Vec<u8> {
    let params = &working.record_route_params;
    [scheme(state, working), address, tag, lr(state), params].concat()
}

/// The address is the same on both sides; only the protocols may differ.
fn advertised(state: &State, out: &BranchOut, address: &[u8], tag: &[u8]) -> Vec<Vec<u8>> {
    let working = &out.working;
    let is_double = state.enable_double && out.transport != working.hop.transport;
    let r2: &[u8] = if is_double { b";r2=on" } else { b"" };
    let value = |transport: Transport| {
        let transport = match transport {
            Transport::Udp => Vec::new(),
            other => format!(";transport={}", other.name()).into_bytes(),
        };
        let params = &working.record_route_params;
        [
            scheme(state, working),
            address,
            &transport,
            r2,
            tag,
            lr(state),
            params,
        ]
        .concat()
    };
    let mut values = vec![value(out.transport)];
    if is_double {
        values.push(value(working.hop.transport));
    }
    values
}

/// The user part that `add_username` shows.
pub(super) fn user(run: &mut Run, state: &State) -> Vec<u8> {
    if !state.add_user {
        return Vec::new();
    }
    if let Some(variable) = &state.user_avp {
        let value = variable.get(run);
        if !value.is_null() {
            return value.to_str().to_vec();
        }
    }
    let user = Uri::parse(run.msg.uri()).ok().and_then(|uri| uri.user);
    user.map(<[u8]>::to_vec).unwrap_or_default()
}
