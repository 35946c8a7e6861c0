//! GRUUs (RFC 5627): names that lead to one instance of a client. The public one carries the instance, the
//! temporary one the contact's own name and the place of its address of record.

use std::sync::Arc;

use sip::Uri;

use super::settings::State;
use crate::usrloc::{Contact, Domain};

/// What a URI says about the instance that is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gruu<'a> {
    /// The one with this `+sip.instance`, without its brackets.
    Public(&'a [u8]),
    /// The contact with this name, of the address of record at this place.
    Temporary(u64, &'a [u8]),
}

impl<'a> Gruu<'a> {
    /// Reads a URI; `None` when it is no GRUU.
    pub(super) fn of(uri: &Uri<'a>) -> Option<Self> {
        match uri.param(b"gr")? {
            Some(instance) if !instance.is_empty() => Some(Self::Public(instance)),
            _ => {
                let user = uri.user?;
                let dash = user.iter().rposition(|byte| *byte == b'-')?;
                let place = std::str::from_utf8(user.get(dash + 1..)?).ok()?;
                let place = u64::from_str_radix(place, 16).ok()?;
                Some(Self::Temporary(place, user.get(..dash)?))
            }
        }
    }

    /// Whether a public GRUU means this contact.
    pub(super) fn names(&self, contact: &Contact) -> bool {
        let Self::Public(wanted) = self else {
            return false;
        };
        let instance = contact.instance.as_deref().unwrap_or_default();
        let bare = instance.strip_prefix(b"<").unwrap_or(instance);
        bare.strip_suffix(b">").unwrap_or(bare) == &*sip::unescape(wanted)
    }
}

impl State {
    /// The contact that a temporary GRUU means.
    pub(super) fn by_gruu(&self, domain: &Domain, gruu: &Gruu<'_>) -> Option<Arc<Contact>> {
        match gruu {
            Gruu::Public(_) => None,
            Gruu::Temporary(place, ruid) => domain.by_ruid(*place, ruid),
        }
    }

    /// `;pub-gruu="…";temp-gruu="…"` of a contact with an instance.
    pub(super) fn push_gruus(&self, out: &mut Vec<u8>, owner: &Owner<'_>, contact: &Contact) {
        let Some(instance) = contact.instance.as_deref() else {
            return;
        };
        let bare = instance.strip_prefix(b"<").unwrap_or(instance);
        let bare = bare.strip_suffix(b">").unwrap_or(bare);
        out.extend_from_slice(b";pub-gruu=\"sip:");
        out.extend_from_slice(&sip::escape_user(owner.user()));
        out.push(b'@');
        out.extend_from_slice(owner.domain());
        out.extend_from_slice(b";gr=");
        out.extend_from_slice(&sip::escape_param(bare));
        out.extend_from_slice(b"\";temp-gruu=\"sip:");
        out.extend_from_slice(&contact.ruid);
        out.extend_from_slice(format!("-{:x}@", owner.place).as_bytes());
        out.extend_from_slice(owner.host);
        out.extend_from_slice(b";gr\"");
    }
}

/// Whose contacts are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    /// The address of record.
    pub(super) aor: &'a [u8],
    /// Its place in the table.
    pub(super) place: u64,
    /// The host of the URI that was registered.
    pub(super) host: &'a [u8],
}

impl<'a> Owner<'a> {
    fn user(&self) -> &'a [u8] {
        self.split().map_or(self.aor, |(user, _)| user)
    }

    fn domain(&self) -> &'a [u8] {
        self.split().map_or(self.host, |(_, domain)| domain)
    }

    fn split(&self) -> Option<(&'a [u8], &'a [u8])> {
        let at = self.aor.iter().rposition(|byte| *byte == b'@')?;
        Some((self.aor.get(..at)?, self.aor.get(at + 1..)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_name_instances() {
        let of = |text: &'static str| Gruu::of(&Uri::parse(text.as_bytes()).expect("valid"));
        assert_eq!(
            of("sip:a@b;gr=urn:uuid:1"),
            Some(Gruu::Public(b"urn:uuid:1"))
        );
        let temporary = Gruu::Temporary(0xff, b"uloc-1-2");
        assert_eq!(of("sip:uloc-1-2-ff@b;gr"), Some(temporary));
        assert_eq!(of("sip:a@b"), None);
        assert_eq!(of("sip:a-zz@b;gr"), None);
    }
}
