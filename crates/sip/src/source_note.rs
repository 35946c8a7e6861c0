//! What a proxy notes in the Via of the previous hop about where the request came from (RFC 3261 §18.2.1,
//! RFC 3581 §4). Forwarded requests and local replies put the added parameters in different places.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

use crate::lex::{Span, push_number};
use crate::uri::host_address;
use crate::via::ViaSpans;

/// The changes to one Via element.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SourceNote {
    /// Parameters that are there already and get a value, in the order of their places.
    in_place: [Option<(Span, Parameter)>; 2],
    /// Parameters to add.
    added: [Option<Parameter>; 2],
}

/// A parameter and its value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameter {
    Rport(u16),
    Received(IpAddr),
}

impl SourceNote {
    /// As Kamailio does, `received` is also written when the address is equal but the client asked for `rport`.
    pub(crate) fn new(via: &ViaSpans, bytes: &[u8], source: SocketAddr, force_rport: bool) -> Self {
        let mut note = Self::default();
        if via.text.is_none() {
            return note;
        }
        let asked = !via.rport.is_none();
        if asked {
            note.in_place[0] = Some((via.rport, Parameter::Rport(source.port())));
        } else if force_rport {
            note.added[0] = Some(Parameter::Rport(source.port()));
        }
        if asked || !is_address(via.host.of(bytes), source.ip()) {
            let received = Parameter::Received(source.ip().to_canonical());
            if via.received.is_none() {
                note.added[1] = Some(received);
            } else {
                note.in_place[1] = Some((via.received, received));
                if via.received.start < via.rport.start {
                    note.in_place.swap(0, 1);
                }
            }
        }
        note
    }

    /// The spans to replace and what with, in the order of their places.
    pub(crate) fn in_place(&self) -> impl Iterator<Item = (Span, Parameter)> {
        self.in_place.into_iter().flatten()
    }

    /// Whether there are parameters to add.
    pub(crate) fn adds(&self) -> bool {
        self.added.iter().any(Option::is_some)
    }

    /// Appends the parameters to add, each with its `;`.
    pub(crate) fn push_added(&self, out: &mut Vec<u8>) {
        for parameter in self.added.into_iter().flatten() {
            match parameter {
                Parameter::Rport(_) => out.push(b';'),
                Parameter::Received(_) => out.extend_from_slice(b";received="),
            }
            parameter.push(out);
        }
    }
}

impl Parameter {
    /// Appends what stands in the place of `rport`, the whole parameter, or of the value of `received`.
    pub(crate) fn push(self, out: &mut Vec<u8>) {
        match self {
            Self::Rport(port) => {
                out.extend_from_slice(b"rport=");
                push_number(out, port.into());
            }
            Self::Received(address) => push_address(out, address),
        }
    }
}

/// Appends an address, of IPv6 without brackets.
fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        // By hand, because the general way takes five hundred instructions, twice for each request.
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                push_number(out, octet.into());
            }
        }
        IpAddr::V6(address) => {
            let written = write!(out, "{address}");
            debug_assert!(written.is_ok(), "nothing keeps a vector from growing");
        }
    }
}

/// Whether a Via host is this address. A name never is.
fn is_address(host: &[u8], address: IpAddr) -> bool {
    host_address(host).is_some_and(|host| host.to_canonical() == address.to_canonical())
}
