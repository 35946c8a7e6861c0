//! What a proxy notes in the Via of the previous hop about where the request came from (RFC 3261 §18.2.1,
//! RFC 3581 §4). Forwarded requests and local replies put the added parameters in different places.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use crate::lex::Span;
use crate::uri::host_address;
use crate::via::ViaSpans;

/// The changes to one Via element.
#[derive(Debug, Default)]
pub(crate) struct SourceNote {
    /// Parameters that are there already and get a value, in the order of their places.
    pub(crate) in_place: SmallVec<[(Span, String); 2]>,
    /// Parameters to add, each with its `;`.
    pub(crate) added: String,
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
            note.in_place
                .push((via.rport, format!("rport={}", source.port())));
        } else if force_rport {
            note.add(format_args!(";rport={}", source.port()));
        }
        if asked || !is_address(via.host.of(bytes), source.ip()) {
            let address = source.ip().to_canonical();
            if via.received.is_none() {
                note.add(format_args!(";received={address}"));
            } else {
                note.in_place.push((via.received, address.to_string()));
            }
        }
        note.in_place.sort_by_key(|(span, _)| span.start);
        note
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = self.added.write_fmt(text);
    }
}

/// Whether a Via host is this address. A name never is.
fn is_address(host: &[u8], address: IpAddr) -> bool {
    host_address(host).is_some_and(|host| host.to_canonical() == address.to_canonical())
}
