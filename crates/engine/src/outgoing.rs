//! Bytes and ways of messages that leave: our Via, the changes, where replies go.

use std::net::SocketAddr;
use std::sync::Arc;

use sip::{Framing, HeaderId, Hop, Message, SocketId, Tag, Transport};

use crate::engine::Engine;
use crate::hooks::BranchOut;
use crate::run::Run;
use crate::working::{Target, Working};

/// Where replies to a received request go (RFC 3261 §18.2.2, RFC 3581): back on the stream, and when that is
/// gone, to the port in Via; over UDP to the source address, at the source port if the client or the script
/// wants that, else at the port in Via. With `to_via` the address is the one in Via too, where that is one.
pub fn reply_hop(working: &Working, to_via: bool) -> Hop {
    let hop = Hop {
        stream: working.stream.reply,
        ..working.hop
    };
    reply_way(&working.message, hop, working.force_rport, to_via)
}

/// The same for a request that came by `hop`.
pub(crate) fn reply_way(request: &Message, hop: Hop, force_rport: bool, to_via: bool) -> Hop {
    let via = request.top_via();
    let symmetric = !hop.transport.is_reliable()
        && (force_rport || via.as_ref().is_some_and(|via| via.rport().is_some()));
    let port = match &via {
        Some(_) if symmetric => hop.remote.port(),
        Some(via) => via.port().unwrap_or(hop.transport.default_port()),
        None => hop.remote.port(),
    };
    let shown = via.filter(|_| to_via && !hop.transport.is_reliable());
    let shown = shown.and_then(|via| sip::host_address(via.host()));
    let address = shown.unwrap_or_else(|| hop.remote.ip());
    Hop {
        remote: SocketAddr::new(address, port),
        ..hop
    }
}

/// What our Via says of a request that leaves.
struct Shown<'a> {
    working: &'a Working,
    socket: SocketId,
    transport: Transport,
    /// Instead of the socket's, as a hook wants it.
    host: Option<&'a Vec<u8>>,
    /// The same of the port.
    port: Option<u16>,
    /// What hooks add, each with its semicolon.
    params: &'a [u8],
}

/// The framing that a transport needs.
pub const fn framing(transport: Transport) -> Framing {
    if transport.is_reliable() {
        Framing::Stream
    } else {
        Framing::Datagram
    }
}

impl Engine {
    /// The host and port that a socket shows in Via; the usual port is left out, as Kamailio does.
    pub fn via_sent_by(&self, socket: SocketId) -> &str {
        let at = usize::from(socket.0);
        self.sent_by.get(at).map_or("127.0.0.1", |name| name)
    }

    /// The same, unless the script or a hook wants something else shown.
    fn push_sent_by(&self, line: &mut Vec<u8>, shown: &Shown<'_>) {
        let working = shown.working;
        let host = shown.host.or(working.advertised_host.as_ref());
        let port = shown.port.or(working.advertised_port);
        let socket = self.sockets.get(shown.socket);
        let (Some(socket), true) = (socket, host.is_some() || port.is_some()) else {
            line.extend_from_slice(self.via_sent_by(shown.socket).as_bytes());
            return;
        };
        let usual = self
            .settings
            .advertised_address
            .as_deref()
            .unwrap_or(&socket.shown_host);
        let port = port
            .or(self.settings.advertised_port)
            .unwrap_or(socket.shown_port);
        line.extend_from_slice(host.map_or(usual.as_bytes(), |host| host));
        line.extend_from_slice(format!(":{port}").as_bytes());
    }

    /// Appends our Via line for a request.
    fn push_via_line(&self, line: &mut Vec<u8>, branch: &[u8], shown: &Shown<'_>) {
        let working = shown.working;
        line.extend_from_slice(b"Via: SIP/2.0/");
        line.extend_from_slice(shown.transport.via_name().as_bytes());
        line.push(b' ');
        self.push_sent_by(line, shown);
        line.extend_from_slice(b";branch=");
        line.extend_from_slice(branch);
        if let Some(connection) = working.hop.connection.filter(|_| !working.faked) {
            line.extend_from_slice(format!(";i={:x}", connection.0).as_bytes());
        }
        if working.local_rport || self.settings.local_rport {
            line.extend_from_slice(b";rport");
        }
        line.extend_from_slice(&working.via_params);
        line.extend_from_slice(shown.params);
        line.extend_from_slice(b"\r\n");
    }

    /// Appends the bytes of a request that leaves on a branch.
    fn write_request(&self, out: &mut BranchOut<'_>, branch: &[u8], bytes: &mut Vec<u8>) {
        let (working, target) = (out.working, out.target);
        let message = &working.message;
        let shown = Shown {
            working,
            socket: out.socket,
            transport: out.transport,
            host: out.advertised_host.as_ref(),
            port: out.advertised_port,
            params: &out.via_params,
        };
        let edits = &mut out.edits;
        if let Some(uri) = &target.uri {
            edits.set_request_uri(message, uri);
        }
        if !working.faked {
            edits.note_source(message, working.hop.remote, working.force_rport);
        }
        if let Some(path) = &target.path {
            let line = [b"Route: ".as_slice(), path, b"\r\n"].concat();
            edits.insert_first(Tag::Path, message, &line);
        }
        edits.insert_via(message, |line| self.push_via_line(line, branch, &shown));
        working
            .edits
            .apply(&[edits], message, framing(out.transport), bytes);
    }
}

impl Run {
    /// Writes a request for a branch: what the hooks add, our Via, the changes. Returns the bytes and how many
    /// Record-Route headers of our own are in them.
    pub fn write_request(
        &self,
        working: &Working,
        target: &Target,
        hop: &Hop,
        branch: &[u8],
    ) -> (Arc<[u8]>, usize) {
        let mut out = BranchOut {
            working,
            target,
            socket: hop.socket,
            transport: hop.transport,
            edits: self.engine.take_edits(),
            via_params: Vec::new(),
            advertised_host: None,
            advertised_port: None,
            own_record_routes: 0,
        };
        for hook in &self.engine.hooks.branch_out {
            hook(self, &mut out);
        }
        let bytes = self
            .engine
            .bytes(|bytes| self.engine.write_request(&mut out, branch, bytes));
        self.engine.keep_edits(out.edits);
        (bytes, out.own_record_routes)
    }

    /// The bytes of a reply that goes one hop back: without our Via, with the script's changes.
    pub fn reply_bytes(&self, working: &Working, transport: Transport) -> Arc<[u8]> {
        let message = &working.message;
        let mut edits = self.engine.take_edits();
        if let Some(top) = message.values(HeaderId::Via).next() {
            edits.remove_value(Tag::Via, &top);
        }
        let bytes = self.engine.bytes(|bytes| {
            working
                .edits
                .apply(&[&edits], message, framing(transport), bytes);
        });
        self.engine.keep_edits(edits);
        bytes
    }
}
