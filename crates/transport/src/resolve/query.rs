//! What is asked of the resolver: the parts of a URI that say where to send (RFC 3263 §4).

use std::net::IpAddr;

use sip::Transport;

/// A question: host, and port and transport if the URI names them. Owned, because it may outlive
/// the message; a host that is an address takes no allocation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    host: Host,
    port: Option<u16>,
    transport: Option<Transport>,
    secure: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Host {
    Address(IpAddr),
    /// Lower case, no final dot.
    Name(Box<str>),
}

impl Query {
    /// `host` is a name or an address, IPv6 with or without brackets; `secure` is for `sips`.
    /// `None` if it cannot be a host: names are labels of 1 to 63 letters, digits, hyphens and
    /// underscores, 253 characters in all.
    pub fn new(
        host: &[u8],
        port: Option<u16>,
        transport: Option<Transport>,
        secure: bool,
    ) -> Option<Self> {
        Some(Self {
            host: Host::new(host)?,
            port,
            transport,
            secure,
        })
    }

    /// The host if it is an address.
    pub fn address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Address(address) => Some(address),
            Host::Name(_) => None,
        }
    }

    /// The host if it is a name, in lower case.
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Address(_) => None,
            Host::Name(name) => Some(name),
        }
    }

    /// The port, if the URI names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether it is for a `sips` URI.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The transport that the URI asks for. `sips` means TLS below whatever is named (RFC 3261
    /// §26.2.2).
    pub(super) fn named_transport(&self) -> Option<Transport> {
        match (self.secure, self.transport) {
            (true, Some(Transport::Ws | Transport::Wss)) => Some(Transport::Wss),
            (true, Some(_)) => Some(Transport::Tls),
            (_, transport) => transport,
        }
    }

    /// The transport where nothing but the URI is known.
    pub(super) fn plain_transport(&self) -> Transport {
        self.named_transport().unwrap_or(if self.secure {
            Transport::Tls
        } else {
            Transport::Udp
        })
    }

    /// The port that goes with it.
    pub(super) fn plain_port(&self) -> u16 {
        self.port
            .unwrap_or_else(|| self.plain_transport().default_port())
    }
}

impl Host {
    fn new(host: &[u8]) -> Option<Self> {
        let bare = match host {
            [b'[', inside @ .., b']'] => inside,
            _ => host,
        };
        let text = std::str::from_utf8(bare).ok()?;
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_name = bare.len() == host.len()
            && name.len() <= 253
            && name.as_bytes().split(|b| *b == b'.').all(is_label);
        is_name.then(|| Self::Name(name.to_ascii_lowercase().into()))
    }
}

fn is_label(label: &[u8]) -> bool {
    let is_good = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=63).contains(&label.len()) && label.iter().all(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(host: &str) -> Option<Query> {
        Query::new(host.as_bytes(), None, None, false)
    }

    #[test]
    fn names_compare_without_case_and_final_dot() {
        assert_eq!(query("SIP.Example.COM."), query("sip.example.com"));
        assert_eq!(query("[2001:DB8::1]"), query("2001:db8:0::1"));
        assert_eq!(query("a").unwrap().name(), Some("a"));
        assert_eq!(
            query("10.0.0.1").unwrap().address(),
            "10.0.0.1".parse().ok()
        );
    }

    #[test]
    fn what_cannot_be_a_host() {
        let (long, label) = ("a.".repeat(127), "a".repeat(64));
        let longer = format!("{long}a");
        for host in [
            "", ".", "a..b", "a b", "a/b", "\u{fc}", "[a]", "[", &label, &longer,
        ] {
            assert_eq!(query(host), None, "{host}");
        }
        for host in [
            "a",
            "a.b.",
            "_sip._udp.example.com",
            "xn--4ca",
            &long[..253],
        ] {
            assert!(query(host).is_some(), "{host}");
        }
    }
}
