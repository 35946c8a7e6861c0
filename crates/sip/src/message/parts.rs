//! The headers that have a structure, read from the index or decoded when asked for.

use super::{CSeq, Message};
use crate::address::{AddressSpans, NameAddr};
use crate::name::HeaderId;
use crate::via::{Via, ViaSpans};

impl Message {
    /// The Vias from the top; ends before a malformed one.
    pub fn vias(&self) -> impl Iterator<Item = Via<'_>> {
        self.values(HeaderId::Via).map_while(|value| {
            let (spans, _) =
                ViaSpans::read(&self.bytes, value.span.start.into(), value.span.end.into())?;
            Some(Via::new(&self.bytes, spans))
        })
    }

    /// The topmost Via, if it is well-formed.
    pub fn top_via(&self) -> Option<Via<'_>> {
        self.index.parts.via.text.get(&self.bytes)?;
        Some(Via::new(&self.bytes, self.index.parts.via))
    }

    pub(crate) const fn top_via_spans(&self) -> &ViaSpans {
        &self.index.parts.via
    }

    /// From, if it is well-formed.
    pub fn from(&self) -> Option<NameAddr<'_>> {
        self.address(&self.index.parts.from)
    }

    /// To, if it is well-formed.
    pub fn to(&self) -> Option<NameAddr<'_>> {
        self.address(&self.index.parts.to)
    }

    /// The tag in From; empty if it is written so.
    pub fn from_tag(&self) -> Option<&[u8]> {
        self.index.parts.from.tag.get(&self.bytes)
    }

    /// The tag in To; empty if it is written so.
    pub fn to_tag(&self) -> Option<&[u8]> {
        self.index.parts.to.tag.get(&self.bytes)
    }

    /// Call-ID.
    pub fn call_id(&self) -> Option<&[u8]> {
        self.index.parts.call_id.get(&self.bytes)
    }

    /// CSeq, if it is well-formed.
    pub fn cseq(&self) -> Option<CSeq<'_>> {
        let method_bytes = self.index.parts.cseq_method_span.get(&self.bytes)?;
        Some(CSeq {
            number: self.index.parts.cseq,
            method: self.index.parts.cseq_method,
            method_bytes,
        })
    }

    /// The number in CSeq as written; empty if CSeq is missing or malformed.
    pub fn cseq_number_bytes(&self) -> &[u8] {
        self.index.parts.cseq_number.of(&self.bytes)
    }

    /// The addresses in Contact from the top; ends before a malformed one. `*` is one of them (`is_star`).
    pub fn contacts(&self) -> impl Iterator<Item = NameAddr<'_>> {
        self.addresses(HeaderId::Contact)
    }

    /// The addresses in Route from the top; ends before a malformed one.
    pub fn routes(&self) -> impl Iterator<Item = NameAddr<'_>> {
        self.addresses(HeaderId::Route)
    }

    /// The addresses in Record-Route from the top; ends before a malformed one.
    pub fn record_routes(&self) -> impl Iterator<Item = NameAddr<'_>> {
        self.addresses(HeaderId::RecordRoute)
    }

    /// The addresses in a list header (P-Asserted-Identity, Path, …) from the top; ends before a malformed one.
    pub fn addresses(&self, id: HeaderId) -> impl Iterator<Item = NameAddr<'_>> {
        self.values(id)
            .map_while(|value| NameAddr::parse(value.text))
    }

    fn address(&self, spans: &AddressSpans) -> Option<NameAddr<'_>> {
        spans.text.get(&self.bytes)?;
        Some(NameAddr::new(&self.bytes, spans))
    }
}
