//! Which addresses and names mean this proxy.

use sip::{Scheme, Transport, Uri};

use crate::engine::Engine;
use crate::run::Run;
use crate::settings::Alias;

impl Alias {
    fn covers(&self, host: &[u8], port: Option<u16>, transport: Option<Transport>) -> bool {
        self.host.as_bytes().eq_ignore_ascii_case(host) && self.fits(port, transport)
    }

    fn covers_subdomain(
        &self,
        host: &[u8],
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> bool {
        let domain = self.host.as_bytes();
        let (Some(at), true) = (host.len().checked_sub(domain.len()), !domain.is_empty()) else {
            return false;
        };
        host[at..].eq_ignore_ascii_case(domain)
            && (at == 0 || host[at - 1] == b'.')
            && self.fits(port, transport)
    }

    fn fits(&self, port: Option<u16>, transport: Option<Transport>) -> bool {
        // A bare name covers every port and transport.
        self.port
            .is_none_or(|own| port.is_none_or(|port| port == own))
            && self
                .transport
                .is_none_or(|own| transport.is_none_or(|given| given == own))
    }
}

impl Engine {
    /// Whether host, port and transport name this proxy; `None` means any.
    pub fn is_myself(&self, host: &[u8], port: Option<u16>, transport: Option<Transport>) -> bool {
        let bare = strip_brackets(host);
        self.sockets.is_ours(host, port, transport)
            || self
                .settings
                .aliases
                .iter()
                .any(|alias| alias.covers(bare, port, transport))
            || self
                .settings
                .alias_subdomains
                .iter()
                .any(|alias| alias.covers_subdomain(bare, port, transport))
    }

    /// Whether a URI's host and port are ours, in the way of `uri == myself`: a missing port is the
    /// scheme's default one, and the transport parameter does not count.
    pub fn is_my_uri(&self, uri: &[u8]) -> bool {
        let Ok(uri) = Uri::parse(uri) else {
            return false;
        };
        is_sip(&uri) && self.is_myself(uri.host, Some(uri.port_or_default()), None)
    }

    /// Whether a Route URI is ours: port and transport count, and a missing port is the default one.
    pub fn is_my_route(&self, uri: &Uri<'_>) -> bool {
        is_sip(uri)
            && self.is_myself(
                uri.host,
                Some(uri.port_or_default()),
                uri.wanted_transport(),
            )
    }
}

/// Whether a URI is `sip` or `sips`: the only ones that can be sent to.
pub(crate) const fn is_sip(uri: &Uri<'_>) -> bool {
    matches!(uri.scheme, Scheme::Sip | Scheme::Sips)
}

fn strip_brackets(host: &[u8]) -> &[u8] {
    host.strip_prefix(b"[")
        .and_then(|host| host.strip_suffix(b"]"))
        .unwrap_or(host)
}

/// `OPERAND == myself`.
pub(crate) fn operand_is_myself(run: &mut Run, operand: &str) -> bool {
    let engine = run.engine.clone();
    let message = &run.msg.message;
    match operand {
        "@uri" => engine.is_my_uri(run.msg.uri()),
        "@from_uri" => message
            .from()
            .is_some_and(|from| engine.is_my_uri(from.uri)),
        "@to_uri" => message.to().is_some_and(|to| engine.is_my_uri(to.uri)),
        "@src_ip" => is_my_address(&engine, run.msg.hop.remote.ip()),
        "@dst_ip" => true,
        _ => false,
    }
}

fn is_my_address(engine: &Engine, address: std::net::IpAddr) -> bool {
    engine.is_myself(address.to_string().as_bytes(), None, None)
}
