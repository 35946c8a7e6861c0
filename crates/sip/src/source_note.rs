//! What a proxy notes in the Via of the previous hop about where the request came from (RFC 3261 §18.2.1,
//! RFC 3581 §4). Forwarded requests and local replies put the added parameters in different places.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use crate::lex::Span;
use crate::uri::host_address;
use crate::via::ViaSpans;

/// The changes to one Via element.
#[derive(Debug, Default)]
pub(crate) struct SourceNote {
    /// Parameters that are there already and get a value, in the order of their places.
    pub(crate) in_place: SmallVec<[(Span, Short); 2]>,
    /// Parameters to add, each with its `;`.
    pub(crate) added: Short,
}

/// A text on the stack, long enough for an IPv6 address and a port with their names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short {
    bytes: [u8; 88],
    len: u8,
}

impl Default for Short {
    fn default() -> Self {
        Self {
            bytes: [0; 88],
            len: 0,
        }
    }
}

impl Short {
    fn new(text: fmt::Arguments<'_>) -> Self {
        let mut short = Self::default();
        short.add(text);
        short
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        let fits = self.write_fmt(text);
        debug_assert!(fits.is_ok(), "no address and port are longer");
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = usize::from(self.len);
        let room = self
            .bytes
            .get_mut(start..start + text.len())
            .ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len() as u8;
        Ok(())
    }
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
            note.in_place.push((
                via.rport,
                Short::new(format_args!("rport={}", source.port())),
            ));
        } else if force_rport {
            note.added.add(format_args!(";rport={}", source.port()));
        }
        if asked || !is_address(via.host.of(bytes), source.ip()) {
            let address = source.ip().to_canonical();
            if via.received.is_none() {
                note.added.add(format_args!(";received={address}"));
            } else {
                note.in_place
                    .push((via.received, Short::new(format_args!("{address}"))));
            }
        }
        note.in_place.sort_by_key(|(span, _)| span.start);
        note
    }
}

/// Whether a Via host is this address. A name never is.
fn is_address(host: &[u8], address: IpAddr) -> bool {
    host_address(host).is_some_and(|host| host.to_canonical() == address.to_canonical())
}
