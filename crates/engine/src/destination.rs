//! From a URI to the addresses to send to (RFC 3263), and the socket to send from.

use std::net::{IpAddr, SocketAddr};

use sip::{Hop, SocketId, StreamUse, Transport, Uri};
use smallvec::SmallVec;
use timer::Time;
use transport::resolve::Query;

use crate::engine::Engine;
use crate::errors;
use crate::myself::is_sip;
use crate::working::{Target, Working};

/// The ways to one destination: most have one.
pub type Hops = SmallVec<[Hop; 1]>;

/// What is known about a destination.
#[derive(Debug)]
pub enum Destination {
    /// The ways to it, best first; never empty.
    Known(Hops),
    /// The resolver has to be asked first.
    Ask(Query),
    /// It can't be reached, with this internal error.
    Failed(i32),
}

impl Engine {
    /// Where this URI leads, for a request that came as `working` says and goes to `target`.
    pub fn destination_of(
        &self,
        uri: &[u8],
        working: &Working,
        target: &Target,
        now: Time,
    ) -> Destination {
        let Ok(uri) = Uri::parse(strip_name(uri)) else {
            return Destination::Failed(errors::BAD_URI);
        };
        if !is_sip(&uri) {
            return Destination::Failed(errors::BAD_URI);
        }
        let host = uri.param(b"maddr").flatten().unwrap_or(uri.host);
        let transport = uri.wanted_transport();
        let sips = uri.scheme == sip::Scheme::Sips;
        let Some(query) = Query::new(host, uri.port, transport, sips) else {
            return Destination::Failed(errors::BAD_URI);
        };
        match self.resolver.cached(&query, now) {
            Some(Ok(found)) => {
                let found = found.iter().map(|c| (c.transport, c.address));
                self.reachable(found, working, target)
            }
            Some(Err(_)) => Destination::Failed(errors::UNRESOLVABLE),
            None => Destination::Ask(query),
        }
    }

    fn reachable(
        &self,
        found: impl Iterator<Item = (Transport, SocketAddr)>,
        working: &Working,
        target: &Target,
    ) -> Destination {
        let (mut any, mut any_socket) = (false, false);
        let preferred = target.socket.unwrap_or(working.hop.socket);
        let stream = working.stream.forward;
        let hops: Hops = found
            .inspect(|_| any = true)
            .filter_map(|(transport, remote)| self.hop_to(transport, remote, preferred))
            .inspect(|_| any_socket = true)
            .map(|hop| Hop { stream, ..hop })
            .filter(|hop| !stream.no_connect || self.is_open(hop))
            .collect();
        match (hops.is_empty(), any_socket, any) {
            (false, ..) => Destination::Known(hops),
            (true, true, _) => Destination::Failed(errors::SEND),
            (true, false, true) => Destination::Failed(errors::NO_SOCKET),
            (true, false, false) => Destination::Failed(errors::UNRESOLVABLE),
        }
    }

    /// Whether a message can go that way without a stream being opened.
    fn is_open(&self, hop: &Hop) -> bool {
        !hop.transport.is_reliable() || self.streams.find(hop.transport, hop.remote).is_some()
    }

    /// The way to an address: by the preferred socket, else by any that fits.
    pub fn hop_to(
        &self,
        transport: Transport,
        remote: SocketAddr,
        preferred: SocketId,
    ) -> Option<Hop> {
        let socket = self
            .sockets
            .for_remote(transport, remote, Some(preferred))?;
        Some(Hop {
            transport,
            socket: socket.id,
            remote,
            connection: None,
            stream: StreamUse::default(),
        })
    }

    /// The socket that a request received by `socket` would leave by towards an address.
    pub fn socket_towards(
        &self,
        transport: Transport,
        address: IpAddr,
        socket: SocketId,
    ) -> Option<SocketId> {
        let remote = SocketAddr::new(address, 0);
        self.sockets
            .for_remote(transport, remote, Some(socket))
            .map(|socket| socket.id)
    }
}

/// The URI within `<…>`, or the text as it is.
fn strip_name(text: &[u8]) -> &[u8] {
    let Some(begin) = text.iter().position(|byte| *byte == b'<') else {
        return text;
    };
    let rest = &text[begin + 1..];
    rest.iter()
        .position(|byte| *byte == b'>')
        .map_or(rest, |end| &rest[..end])
}
