//! From listening addresses as written to the concrete sockets that they mean.
//! A wildcard becomes one socket for each address, so that every answer leaves from the address
//! that was asked and Via always names a real one.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use sip::Transport;

use super::interfaces::{Interface, System};
use super::spec::{Advertise, ListenError, ListenSpec};

/// A socket to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketSpec {
    /// UDP or TCP.
    pub transport: Transport,
    /// The address to bind to.
    pub address: SocketAddr,
    /// The host name that was written, if one was: it names this process too.
    pub host_name: Option<String>,
    /// What to show instead of the real address.
    pub advertise: Option<Advertise>,
    /// The name given to the socket.
    pub name: Option<String>,
    /// Whether the address may be absent (bound with IP_FREEBIND).
    pub is_virtual: bool,
}

impl SocketSpec {
    /// A UDP socket that shows its own address.
    pub const fn udp(address: SocketAddr) -> Self {
        Self {
            transport: Transport::Udp,
            address,
            host_name: None,
            advertise: None,
            name: None,
            is_virtual: false,
        }
    }
}

/// What the settings say about listening.
#[derive(Clone, Debug)]
pub struct ExpandOptions {
    /// The port of addresses without one (`port`, 5060).
    pub port: u16,
    /// Whether addresses without a transport mean TCP too (`disable_tcp`).
    pub tcp: bool,
    /// Whether interfaces and `*` include IPv6 addresses (`auto_bind_ipv6`).
    pub ipv6: bool,
    /// Whether they include link-local ones (`bind_ipv6_link_local`).
    pub link_local: bool,
    /// Whether TLS has been provided for; without it `tls:` is an error.
    pub tls: bool,
}

impl Default for ExpandOptions {
    fn default() -> Self {
        Self {
            port: 5060,
            tcp: true,
            ipv6: false,
            link_local: false,
            tls: false,
        }
    }
}

/// The most sockets that a process may have: a socket number has 16 bits.
const MAX_SOCKETS: usize = u16::MAX as usize;

/// Expands `specs` in their order; without any, all local addresses. A socket that two specs
/// mean is opened once, as the first says. Reports every error, not only the first.
pub fn expand(
    specs: &[ListenSpec],
    options: &ExpandOptions,
    system: &dyn System,
) -> Result<Vec<SocketSpec>, Vec<ListenError>> {
    let interfaces = system.interfaces().unwrap_or_default();
    let everything = [ListenSpec::new(None, "*", None)];
    let specs = if specs.is_empty() { &everything } else { specs };
    let mut expansion = Expansion {
        options,
        system,
        interfaces: &interfaces,
        sockets: Vec::new(),
        errors: Vec::new(),
    };
    for spec in specs {
        expansion.add(spec);
    }
    expansion.finish()
}

struct Expansion<'a> {
    options: &'a ExpandOptions,
    system: &'a dyn System,
    interfaces: &'a [Interface],
    sockets: Vec<SocketSpec>,
    errors: Vec<ListenError>,
}

impl Expansion<'_> {
    fn add(&mut self, spec: &ListenSpec) {
        if let Some(advertise) = &spec.advertise
            && self.lookup(&advertise.host).is_empty()
        {
            let host = advertise.host.clone();
            self.errors.push(ListenError::UnknownAdvertised(host));
            return;
        }
        match self.transports(spec) {
            Ok(transports) => {
                for host in &spec.hosts {
                    self.add_host(spec, host, transports);
                }
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn transports(&self, spec: &ListenSpec) -> Result<&'static [Transport], ListenError> {
        match spec.transport {
            None if self.options.tcp => Ok(&[Transport::Udp, Transport::Tcp]),
            None | Some(Transport::Udp) => Ok(&[Transport::Udp]),
            Some(Transport::Tcp) if self.options.tcp => Ok(&[Transport::Tcp]),
            Some(Transport::Tls) if self.options.tls => Ok(&[Transport::Tls]),
            Some(other) => Err(ListenError::Unsupported(other)),
        }
    }

    fn add_host(&mut self, spec: &ListenSpec, host: &str, transports: &[Transport]) {
        let (addresses, host_name) = self.addresses(host);
        if addresses.is_empty() {
            self.errors.push(ListenError::UnknownHost(host.to_owned()));
        }
        for mut address in addresses {
            for &transport in transports {
                let port = spec.port.unwrap_or(match transport {
                    Transport::Tls => transport.default_port(),
                    _ => self.options.port,
                });
                address.set_port(port);
                self.push(SocketSpec {
                    transport,
                    address,
                    host_name: host_name.clone(),
                    advertise: spec.advertise.clone(),
                    name: spec.name.clone(),
                    is_virtual: spec.is_virtual,
                });
            }
        }
    }

    fn push(&mut self, socket: SocketSpec) {
        let same = |other: &SocketSpec| {
            other.transport == socket.transport
                && other.address == socket.address
                && socket.address.port() != 0
        };
        if !self.sockets.iter().any(same) {
            self.sockets.push(socket);
        }
    }

    /// The addresses that `host` means, with port 0, and the host name if it is one.
    fn addresses(&self, host: &str) -> (Vec<SocketAddr>, Option<String>) {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return match address {
                IpAddr::V4(v4) if v4.is_unspecified() => (self.local(false, true), None),
                IpAddr::V6(v6) if v6.is_unspecified() => (self.local(true, false), None),
                _ => (vec![SocketAddr::new(address, 0)], None),
            };
        }
        if host == "*" {
            return (self.local(self.options.ipv6, true), None);
        }
        let of_interface: Vec<_> = self
            .interfaces
            .iter()
            .filter(|i| i.name == host && self.wanted(i.address, self.options.ipv6, true))
            .map(|i| i.address)
            .collect();
        if !of_interface.is_empty() {
            return (of_interface, None);
        }
        let found = self.lookup(host);
        let first = found.iter().find(|a| a.is_ipv4()).or(found.first());
        let first = first.map(|address| SocketAddr::new(*address, 0));
        (first.into_iter().collect(), Some(host.to_owned()))
    }

    fn local(&self, v6: bool, v4: bool) -> Vec<SocketAddr> {
        let wanted = |i: &&Interface| self.wanted(i.address, v6, v4);
        self.interfaces
            .iter()
            .filter(wanted)
            .map(|i| i.address)
            .collect()
    }

    fn wanted(&self, address: SocketAddr, v6: bool, v4: bool) -> bool {
        match address.ip() {
            IpAddr::V4(_) => v4,
            IpAddr::V6(ip) => v6 && (self.options.link_local || !is_link_local(ip)),
        }
    }

    fn lookup(&self, host: &str) -> Vec<IpAddr> {
        match host.parse() {
            Ok(address) => vec![address],
            Err(_) => self.system.resolve(host),
        }
    }

    fn finish(mut self) -> Result<Vec<SocketSpec>, Vec<ListenError>> {
        if self.sockets.len() > MAX_SOCKETS {
            self.errors.push(ListenError::TooMany(MAX_SOCKETS));
        }
        if self.sockets.is_empty() && self.errors.is_empty() {
            self.errors.push(ListenError::Nothing);
        }
        if self.errors.is_empty() {
            Ok(self.sockets)
        } else {
            Err(self.errors)
        }
    }
}

fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Lab;

    impl System for Lab {
        fn interfaces(&self) -> io::Result<Vec<Interface>> {
            let entry = |name: &str, address: &str| Interface {
                name: name.to_owned(),
                address: SocketAddr::new(address.parse().unwrap(), 0),
            };
            Ok(vec![
                entry("lo", "127.0.0.1"),
                entry("eth0", "10.0.0.1"),
                entry("eth0", "10.0.0.2"),
                entry("lo", "::1"),
                entry("eth0", "2001:db8::1"),
                entry("eth0", "fe80::1"),
            ])
        }

        fn resolve(&self, host: &str) -> Vec<IpAddr> {
            match host {
                "sip.example.com" => {
                    vec!["2001:db8::1".parse().unwrap(), "10.0.0.1".parse().unwrap()]
                }
                _ => Vec::new(),
            }
        }
    }

    fn texts(specs: &[&str], options: &ExpandOptions) -> Result<Vec<String>, Vec<ListenError>> {
        let specs: Vec<ListenSpec> = specs.iter().map(|s| s.parse().unwrap()).collect();
        expand(&specs, options, &Lab).map(|sockets| {
            let text = |s: &SocketSpec| format!("{}:{}", s.transport, s.address);
            sockets.iter().map(text).collect()
        })
    }

    #[test]
    fn expansion_of_each_form() {
        let plain = ExpandOptions::default();
        let v6 = ExpandOptions {
            ipv6: true,
            tcp: false,
            port: 5070,
            ..ExpandOptions::default()
        };
        let cases: [(&[&str], &ExpandOptions, &[&str]); 8] = [
            (
                &["10.0.0.1"],
                &plain,
                &["udp:10.0.0.1:5060", "tcp:10.0.0.1:5060"],
            ),
            (
                &["udp:eth0:5080"],
                &plain,
                &["udp:10.0.0.1:5080", "udp:10.0.0.2:5080"],
            ),
            (
                &["udp:[::]"],
                &plain,
                &["udp:[::1]:5060", "udp:[2001:db8::1]:5060"],
            ),
            (
                &["udp:0.0.0.0"],
                &plain,
                &[
                    "udp:127.0.0.1:5060",
                    "udp:10.0.0.1:5060",
                    "udp:10.0.0.2:5060",
                ],
            ),
            (&["tcp:sip.example.com"], &plain, &["tcp:10.0.0.1:5060"]),
            (
                &["udp:(lo, 10.0.0.9)"],
                &plain,
                &["udp:127.0.0.1:5060", "udp:10.0.0.9:5060"],
            ),
            (
                &["udp:lo", "udp:127.0.0.1"],
                &plain,
                &["udp:127.0.0.1:5060"],
            ),
            (
                &[],
                &v6,
                &[
                    "udp:127.0.0.1:5070",
                    "udp:10.0.0.1:5070",
                    "udp:10.0.0.2:5070",
                    "udp:[::1]:5070",
                    "udp:[2001:db8::1]:5070",
                ],
            ),
        ];
        for (specs, options, expected) in cases {
            assert_eq!(texts(specs, options).unwrap(), expected, "{specs:?}");
        }
    }

    #[test]
    fn every_error_is_reported() {
        let errors = texts(
            &["udp:nowhere", "sctp:lo", "udp:lo/nowhere.example"],
            &ExpandOptions::default(),
        );
        assert_eq!(
            errors.unwrap_err(),
            [
                ListenError::UnknownHost("nowhere".into()),
                ListenError::Unsupported(Transport::Sctp),
                ListenError::UnknownAdvertised("nowhere.example".into()),
            ]
        );
    }
}
