//! The address of record that a URI means: the user, with the domain if the tables have one.

use sip::{Scheme, Uri};

use super::refusal::Refusal;
use super::settings::State;

/// Longest address of record, bytes.
const AOR_MAX: usize = 256;

impl State {
    /// The address of record of a URI.
    pub(super) fn aor(&self, uri: &[u8]) -> Result<Vec<u8>, Refusal> {
        let uri = Uri::parse(uri).map_err(|_| Refusal::Aor)?;
        if uri.scheme == Scheme::Other {
            return Err(Refusal::Aor);
        }
        let mut aor = sip::unescape(uri.user.unwrap_or_default()).into_owned();
        if self.usrloc.use_domain && !uri.host.is_empty() {
            let domain = without_prefix(uri.host, &self.realm_prefix);
            aor.push(b'@');
            aor.extend_from_slice(&domain.to_ascii_lowercase());
        }
        if !self.usrloc.case_sensitive {
            aor.make_ascii_lowercase();
        }
        if aor.len() > AOR_MAX {
            return Err(Refusal::AorLength);
        }
        Ok(aor)
    }
}

fn without_prefix<'a>(host: &'a [u8], prefix: &[u8]) -> &'a [u8] {
    match host.split_at_checked(prefix.len()) {
        Some((head, rest)) if head.eq_ignore_ascii_case(prefix) && !rest.is_empty() => rest,
        _ => host,
    }
}
