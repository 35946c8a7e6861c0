//! The Contact of a redirection: where the request would have gone.

use crate::working::{Target, Working};

/// What stands in the Contact of a redirection beside the URIs (`rich_redirect`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RichRedirect {
    /// The branch flags, as a parameter.
    pub flags: bool,
    /// The path, as a Route header in the URI.
    pub path: bool,
}

impl RichRedirect {
    /// The bits of the module parameters: 1 flags, 2 path.
    pub const fn from_bits(bits: i64) -> Self {
        Self {
            flags: bits & 1 != 0,
            path: bits & 2 != 0,
        }
    }
}

/// The Contact line of a redirection: the new Request-URI, if there is one, and the added destinations.
pub(crate) fn contacts(working: &Working, rich: RichRedirect) -> Vec<u8> {
    let own = working.target.uri.is_some() && !working.uri_consumed;
    let own = own.then_some(&working.target);
    let mut line = Vec::new();
    for target in own.into_iter().chain(&working.branches) {
        let Some(uri) = &target.uri else { continue };
        let before: &[u8] = if line.is_empty() {
            b"Contact: <"
        } else {
            b", <"
        };
        line.extend_from_slice(before);
        line.extend_from_slice(uri);
        push_rest(&mut line, uri, target, rich);
    }
    if !line.is_empty() {
        line.extend_from_slice(b"\r\n");
    }
    line
}

/// What follows a URI: its Route header, the preference, the flags.
fn push_rest(line: &mut Vec<u8>, uri: &[u8], target: &Target, rich: RichRedirect) {
    if rich.path
        && let Some(path) = &target.path
    {
        let before = if uri.contains(&b'?') { b'&' } else { b'?' };
        line.push(before);
        line.extend_from_slice(b"Route=");
        push_escaped(line, path);
    }
    line.push(b'>');
    if let Ok(q) = u16::try_from(target.q) {
        let q = f32::from(q) / 1000.0;
        line.extend_from_slice(format!(";q={q}").as_bytes());
    }
    if rich.flags && target.flags != 0 {
        line.extend_from_slice(format!(";flags={}", target.flags).as_bytes());
    }
}

/// A header's value as it may stand in a URI (RFC 3261 §25.1, hvalue).
fn push_escaped(line: &mut Vec<u8>, value: &[u8]) {
    for &byte in value {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&byte) {
            line.push(byte);
        } else {
            line.extend_from_slice(format!("%{byte:02x}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_show_what_is_wanted() {
        let mut working = crate::events::stand_in();
        working.set_uri(b"sip:b@1.2.3.4".to_vec());
        working.target.q = 300;
        working.target.flags = 32;
        working.target.path = Some(b"<sip:p1@5.5.5.5;lr>".to_vec());
        let shown = |bits| {
            let line = contacts(&working, RichRedirect::from_bits(bits));
            String::from_utf8_lossy(&line).into_owned()
        };
        assert_eq!(shown(0), "Contact: <sip:b@1.2.3.4>;q=0.3\r\n");
        assert_eq!(shown(1), "Contact: <sip:b@1.2.3.4>;q=0.3;flags=32\r\n");
        assert_eq!(
            shown(3),
            "Contact: <sip:b@1.2.3.4?Route=%3csip:p1%405.5.5.5%3blr%3e>;q=0.3;flags=32\r\n"
        );
    }
}
