//! Bytes and ways of messages that leave: our Via, the changes, where replies go.

use std::net::SocketAddr;

use sip::{Edits, Framing, HeaderId, Hop, SocketId, Tag, Transport};

use crate::engine::Engine;
use crate::hooks::BranchOut;
use crate::working::Working;

/// Where replies to a received request go (RFC 3261 §18.2.2, RFC 3581): back on a stream; over UDP to the
/// source address, at the source port if the client or the script wants that, else at the port in Via.
pub fn reply_hop(working: &Working) -> Hop {
    let hop = working.hop;
    if hop.transport.is_reliable() {
        return hop;
    }
    let via = working.message.top_via();
    let symmetric = working.force_rport || via.as_ref().is_some_and(|via| via.rport().is_some());
    let port = match &via {
        Some(_) if symmetric => hop.remote.port(),
        Some(via) => via.port().unwrap_or(hop.transport.default_port()),
        None => hop.remote.port(),
    };
    Hop {
        remote: SocketAddr::new(hop.remote.ip(), port),
        ..hop
    }
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
    pub fn via_sent_by(&self, socket: SocketId) -> String {
        let Some(socket) = self.sockets.get(socket) else {
            return "127.0.0.1".to_owned();
        };
        let host = self
            .settings
            .advertised_address
            .as_deref()
            .unwrap_or(&socket.shown_host);
        match self.settings.advertised_port {
            Some(port) => format!("{host}:{port}"),
            None if socket.shown_port == 5060 => host.to_owned(),
            None => format!("{host}:{}", socket.shown_port),
        }
    }

    /// The same, unless the script wants something else shown.
    fn push_sent_by(&self, line: &mut Vec<u8>, out: &BranchOut) {
        let (host, port) = (&out.working.advertised_host, out.working.advertised_port);
        let socket = self.sockets.get(out.socket);
        let (Some(socket), true) = (socket, host.is_some() || port.is_some()) else {
            line.extend_from_slice(self.via_sent_by(out.socket).as_bytes());
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
        line.extend_from_slice(host.as_deref().unwrap_or(usual.as_bytes()));
        line.extend_from_slice(format!(":{port}").as_bytes());
    }

    /// Our Via line for a request that leaves by this socket.
    pub fn via_line(&self, branch: &[u8], out: &BranchOut) -> Vec<u8> {
        let mut line = Vec::with_capacity(128);
        line.extend_from_slice(b"Via: SIP/2.0/");
        line.extend_from_slice(out.transport.via_name().as_bytes());
        line.push(b' ');
        self.push_sent_by(&mut line, out);
        line.extend_from_slice(b";branch=");
        line.extend_from_slice(branch);
        if let Some(connection) = out.working.hop.connection.filter(|_| !out.working.faked) {
            line.extend_from_slice(format!(";i={:x}", connection.0).as_bytes());
        }
        if out.working.local_rport || self.settings.local_rport {
            line.extend_from_slice(b";rport");
        }
        line.extend_from_slice(&out.working.via_params);
        line.extend_from_slice(b"\r\n");
        line
    }

    /// The bytes of a request that leaves on a branch.
    pub fn request_bytes(&self, out: &BranchOut, branch: &[u8]) -> Vec<u8> {
        let working = &out.working;
        let message = &working.message;
        let mut edits = Edits::new();
        if let Some(uri) = &working.target.uri {
            edits.set_request_uri(message, uri);
        }
        if !working.faked {
            edits.note_source(message, working.hop.remote, working.force_rport);
        }
        if let Some(path) = &working.target.path {
            let line = [b"Route: ".as_slice(), path, b"\r\n"].concat();
            edits.insert_first(Tag::Path, message, &line);
        }
        edits.insert_via(message, &self.via_line(branch, out));
        let mut bytes = Vec::with_capacity(message.bytes().len() + 512);
        working
            .edits
            .apply(&[&edits], message, framing(out.transport), &mut bytes);
        bytes
    }

    /// The bytes of a reply that goes one hop back: without our Via, with the script's changes.
    pub fn reply_bytes(&self, working: &Working, transport: Transport) -> Vec<u8> {
        let message = &working.message;
        let mut edits = Edits::new();
        if let Some(top) = message.values(HeaderId::Via).next() {
            edits.remove_value(Tag::Via, &top);
        }
        let mut bytes = Vec::with_capacity(message.bytes().len());
        working
            .edits
            .apply(&[&edits], message, framing(transport), &mut bytes);
        bytes
    }
}
