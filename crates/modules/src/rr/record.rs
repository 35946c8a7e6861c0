//! Record-Route: a wish while the script runs, header lines when the request leaves and both its sockets are
//! known (RFC 3261 §16.6 item 4, RFC 5658).

use engine::{BranchOut, RecordRoute, Run, Working};
use sip::{SocketId, Tag, Transport, Uri};
use smallvec::SmallVec;

use super::State;
use super::direction::is_upstream;

/// Writes what `record_route()` and its relatives asked for.
pub(super) fn write(run: &Run, out: &mut BranchOut<'_>) {
    let Some(wish) = &out.working.record_route else {
        return;
    };
    let state = run.state::<State>();
    let mut lines = Lines::default();
    match wish {
        RecordRoute::Own { params, user } => own(run, &state, out, params, user, &mut lines),
        RecordRoute::Preset(addresses) => {
            for address in addresses {
                preset(run, &state, out, address, &mut lines);
            }
        }
        RecordRoute::Advertised(address) => advertised(run, &state, out, address, &mut lines),
    }
    out.edits
        .insert_first(Tag::RecordRoute, &out.working.message, &lines.text);
    out.own_record_routes += lines.count;
}

/// The header lines while they are written; one or two fit without an allocation.
#[derive(Default)]
struct Lines {
    text: SmallVec<[u8; 512]>,
    count: usize,
}

impl Lines {
    /// Adds a line of these parts.
    fn push<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) {
        self.text.extend_from_slice(b"Record-Route: <");
        for part in parts {
            self.text.extend_from_slice(part);
        }
        self.text.extend_from_slice(b">\r\n");
        self.count += 1;
    }
}

/// `;ftag=…` with the tag of whoever began the dialog, whichever way this request goes: name and value.
fn from_tag<'a>(run: &Run, state: &State, working: &'a Working) -> [&'a [u8]; 2] {
    let message = &working.message;
    let tag = match state.append_from_tag {
        false => None,
        true if is_upstream(run, message) => message.to_tag(),
        true => message.from_tag(),
    };
    match tag {
        Some(tag) if !tag.is_empty() => [b";ftag=", tag],
        _ => [b"", b""],
    }
}

fn own(
    run: &Run,
    state: &State,
    out: &BranchOut<'_>,
    params: &[u8],
    user: &[u8],
    lines: &mut Lines,
) {
    let working = out.working;
    let is_double =
        state.enable_double && (state.always_double || out.socket != working.hop.socket);
    let [tag_name, tag] = from_tag(run, state, working);
    let at: &[u8] = if user.is_empty() { b"" } else { b"@" };
    let r2: &[u8] = if is_double { b";r2=on" } else { b"" };
    let scheme = scheme(state, out);
    let sides = [out.socket, working.hop.socket];
    for socket in sides.into_iter().take(1 + usize::from(is_double)) {
        lines.push([
            scheme,
            user,
            at,
            &shown_address(run, state, socket),
            r2,
            lr(state),
            tag_name,
            tag,
            params,
            &working.record_route_params,
        ]);
    }
}

fn lr(state: &State) -> &'static [u8] {
    if state.full_lr { b";lr=on" } else { b";lr" }
}

/// Host and port as a socket shows them; the port and the transport only where they are not the usual ones, the
/// name only where that is wanted.
fn shown_address(run: &Run, state: &State, socket: SocketId) -> SmallVec<[u8; 64]> {
    let Some(socket) = run.engine.sockets.get(socket) else {
        return SmallVec::from_slice(b"127.0.0.1");
    };
    let mut text = SmallVec::from_slice(socket.shown_host.as_bytes());
    if socket.shown_port != 5060 {
        text.extend_from_slice(format!(":{}", socket.shown_port).as_bytes());
    }
    if socket.transport != Transport::Udp {
        text.extend_from_slice(b";transport=");
        text.extend_from_slice(socket.transport.name().as_bytes());
    }
    if state.socket_names
        && let Some(name) = &socket.name
    {
        text.extend_from_slice(b";sn=");
        text.extend_from_slice(name.as_bytes());
    }
    text
}

/// A request that asks for security all the way keeps it (RFC 3261 §16.6 item 4).
fn scheme(state: &State, out: &BranchOut<'_>) -> &'static [u8] {
    let is_sips = |uri: &[u8]| {
        uri.get(..5)
            .is_some_and(|s| s.eq_ignore_ascii_case(b"sips:"))
    };
    let message = &out.working.message;
    let from_peer = || match message.record_routes().next() {
        Some(route) => is_sips(route.uri),
        None => message
            .contacts()
            .next()
            .is_some_and(|contact| is_sips(contact.uri)),
    };
    if !state.ignore_sips && (is_sips(out.target.uri_of(message)) || from_peer()) {
        b"sips:"
    } else {
        b"sip:"
    }
}

fn preset(run: &Run, state: &State, out: &BranchOut<'_>, address: &[u8], lines: &mut Lines) {
    let [tag_name, tag] = from_tag(run, state, out.working);
    let params = &out.working.record_route_params;
    lines.push([
        scheme(state, out),
        address,
        tag_name,
        tag,
        lr(state),
        params,
    ]);
}

/// The address is the same on both sides; only the protocols may differ.
fn advertised(run: &Run, state: &State, out: &BranchOut<'_>, address: &[u8], lines: &mut Lines) {
    let working = out.working;
    let is_double = state.enable_double && out.transport != working.hop.transport;
    let r2: &[u8] = if is_double { b";r2=on" } else { b"" };
    let [tag_name, tag] = from_tag(run, state, working);
    let sides = [out.transport, working.hop.transport];
    for transport in sides.into_iter().take(1 + usize::from(is_double)) {
        let (param, name): (&[u8], &str) = match transport {
            Transport::Udp => (b"", ""),
            other => (b";transport=", other.name()),
        };
        lines.push([
            scheme(state, out),
            address,
            param,
            name.as_bytes(),
            r2,
            tag_name,
            tag,
            lr(state),
            &working.record_route_params,
        ]);
    }
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
