//! The table of the process's sockets: what each is called, and which one to send from.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use sip::{SocketId, Transport};

use super::expand::SocketSpec;
use super::spec::{ListenSpec, SocketText};

/// One listening socket.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Its position in the table.
    pub id: SocketId,
    /// Its protocol.
    pub transport: Transport,
    /// The address it is bound to.
    pub address: SocketAddr,
    /// The name given to it in the configuration (`$Rn`).
    pub name: Option<Box<str>>,
    /// `udp:127.0.0.1:5060`, IPv6 in brackets (`$Ru`).
    pub text: Box<str>,
    /// The host as it stands in URIs: the address, IPv6 in brackets (`$Ri` has none).
    pub host: Box<str>,
    /// The host to show in Via and Record-Route: the advertised one or `host`.
    pub shown_host: Box<str>,
    /// The port to show there.
    pub shown_port: u16,
    /// Whether it advertises an address that is not its own.
    pub is_advertised: bool,
    /// Whether its address may be absent from the machine.
    pub is_virtual: bool,
    host_name: Option<Box<str>>,
}

impl Socket {
    fn new(id: SocketId, spec: &SocketSpec) -> Self {
        let host = uri_host(&spec.address.ip().to_string());
        let advertised = spec.advertise.as_ref();
        Self {
            id,
            transport: spec.transport,
            address: spec.address,
            name: spec.name.as_deref().map(Into::into),
            text: SocketText(spec.transport, spec.address).to_string().into(),
            shown_host: advertised.map_or_else(|| host.clone(), |a| uri_host(&a.host)),
            shown_port: advertised
                .and_then(|a| a.port)
                .unwrap_or_else(|| spec.address.port()),
            is_advertised: advertised.is_some(),
            is_virtual: spec.is_virtual,
            host,
            host_name: spec.host_name.as_deref().map(Into::into),
        }
    }

    /// Whether `host` (IPv6 with or without brackets, any case) and `port` name this socket, by
    /// its own address, the host name it was given, or the advertised address. `None` is any port.
    pub fn is_named(&self, host: &[u8], port: Option<u16>) -> bool {
        let fits = |own: u16| port.is_none_or(|p| p == own);
        let bare = strip_brackets(host);
        let same = |text: &str| strip_brackets(text.as_bytes()).eq_ignore_ascii_case(bare);
        (fits(self.address.port())
            && (same(&self.host)
                || self.host_name.as_deref().is_some_and(same)
                || parse_v6(bare).is_some_and(|ip| ip == self.address.ip())))
            || (self.is_advertised && fits(self.shown_port) && same(&self.shown_host))
    }
}

/// All sockets of the process, in the order of the configuration. Immutable once opened.
#[derive(Clone, Debug, Default)]
pub struct Sockets {
    list: Vec<Socket>,
}

impl Sockets {
    /// Numbers the sockets in their order. At most 65 535, which `expand` guarantees.
    pub fn new(specs: &[SocketSpec]) -> Self {
        let list = (0..u16::MAX).zip(specs);
        Self {
            list: list
                .map(|(i, spec)| Socket::new(SocketId(i), spec))
                .collect(),
        }
    }

    /// Records the port that the kernel chose for a socket with port 0.
    pub(crate) fn set_port(&mut self, id: SocketId, port: u16) {
        if let Some(socket) = self.list.get_mut(usize::from(id.0)) {
            if socket.shown_port == socket.address.port() {
                socket.shown_port = port;
            }
            socket.address.set_port(port);
            socket.text = SocketText(socket.transport, socket.address)
                .to_string()
                .into();
        }
    }

    /// The socket with this number.
    pub fn get(&self, id: SocketId) -> Option<&Socket> {
        self.list.get(usize::from(id.0))
    }

    /// All of them, in the order of the configuration.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Socket> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The socket with this transport and address.
    pub fn find(&self, transport: Transport, address: SocketAddr) -> Option<&Socket> {
        self.iter()
            .find(|s| s.transport == transport && s.address == address)
    }

    /// The socket with this name.
    pub fn find_name(&self, name: &str) -> Option<&Socket> {
        self.iter().find(|s| s.name.as_deref() == Some(name))
    }

    /// The socket that `[proto:]host[:port]` names, as in `$fs` and `force_send_socket`. Without
    /// a protocol, UDP; without a port, the protocol's default port.
    pub fn find_text(&self, text: &str) -> Option<&Socket> {
        let spec: ListenSpec = text.parse().ok()?;
        let transport = spec.transport.unwrap_or(Transport::Udp);
        let port = spec.port.unwrap_or_else(|| transport.default_port());
        let host = spec.hosts.first()?.as_bytes();
        self.iter()
            .find(|s| s.transport == transport && s.is_named(host, Some(port)))
    }

    /// Whether host, port and transport name one of our sockets. `None` is any.
    pub fn is_ours(&self, host: &[u8], port: Option<u16>, transport: Option<Transport>) -> bool {
        self.iter()
            .any(|s| transport.is_none_or(|t| t == s.transport) && s.is_named(host, port))
    }

    /// Whether a socket of this transport and address family exists, so that a peer of that
    /// family can be reached.
    pub fn can_reach(&self, transport: Transport, remote: IpAddr) -> bool {
        self.iter()
            .any(|s| s.transport == transport && s.address.is_ipv4() == remote.is_ipv4())
    }

    /// The socket to reach `remote` from: `preferred` if its transport and family fit, else the
    /// first that fits, one on loopback for a peer on loopback and one elsewhere for the others
    /// where there is such a choice.
    pub fn for_remote(
        &self,
        transport: Transport,
        remote: SocketAddr,
        preferred: Option<SocketId>,
    ) -> Option<&Socket> {
        let fits = |s: &Socket| s.transport == transport && s.address.is_ipv4() == remote.is_ipv4();
        if let Some(socket) = preferred.and_then(|id| self.get(id))
            && fits(socket)
        {
            return Some(socket);
        }
        let loopback = remote.ip().is_loopback();
        self.iter()
            .filter(|s| fits(s))
            .find(|s| s.address.ip().is_loopback() == loopback)
            .or_else(|| self.iter().find(|s| fits(s)))
    }

    /// The first socket of this transport bound to `address`, whatever its port; for `mhomed`.
    pub fn on_address(&self, transport: Transport, address: IpAddr) -> Option<&Socket> {
        self.iter()
            .find(|s| s.transport == transport && s.address.ip() == address)
    }

    /// One line for each socket, for the greeting at start.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        for socket in self.iter() {
            out.push_str(&socket.text);
            if socket.is_advertised {
                let (host, port) = (&socket.shown_host, socket.shown_port);
                // Writing to a String cannot fail.
                let _ = write!(out, " advertise {host}:{port}");
            }
            if let Some(name) = &socket.name {
                let _ = write!(out, " name \"{name}\"");
            }
            out.push('\n');
        }
        out
    }
}

fn uri_host(host: &str) -> Box<str> {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]").into()
    } else {
        host.into()
    }
}

fn strip_brackets(host: &[u8]) -> &[u8] {
    match host {
        [b'[', inside @ .., b']'] => inside,
        _ => host,
    }
}

/// IPv6 addresses have many spellings; those of IPv4 and host names compare as text.
fn parse_v6(text: &[u8]) -> Option<IpAddr> {
    if !text.contains(&b':') {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{ExpandOptions, LocalSystem, expand};
    use super::*;

    fn sockets(specs: &[&str]) -> Sockets {
        let specs: Vec<ListenSpec> = specs.iter().map(|s| s.parse().unwrap()).collect();
        Sockets::new(&expand(&specs, &ExpandOptions::default(), &LocalSystem).unwrap())
    }

    fn text(socket: Option<&Socket>) -> &str {
        socket.map_or("none", |s| &s.text)
    }

    #[test]
    fn names_of_a_socket() {
        let table = sockets(&["udp:10.0.0.1:5080/192.0.2.1:5070", "tcp:[2001:db8::1]"]);
        let ours = |host: &str, port, transport| table.is_ours(host.as_bytes(), port, transport);
        assert!(ours("10.0.0.1", Some(5080), None));
        assert!(ours("10.0.0.1", None, Some(Transport::Udp)));
        assert!(!ours("10.0.0.1", Some(5080), Some(Transport::Tcp)));
        assert!(!ours("10.0.0.1", Some(5070), None));
        assert!(ours("192.0.2.1", Some(5070), None));
        assert!(!ours("192.0.2.1", Some(5080), None));
        assert!(ours("[2001:DB8:0::1]", Some(5060), None));
        assert!(ours("2001:db8::1", None, None));
        assert_eq!(&*table.get(SocketId(0)).unwrap().shown_host, "192.0.2.1");
        assert_eq!(
            &*table.get(SocketId(1)).unwrap().shown_host,
            "[2001:db8::1]"
        );
        assert_eq!(
            text(table.find_text("udp:192.0.2.1:5070")),
            "udp:10.0.0.1:5080"
        );
        assert_eq!(
            text(table.find_text("tcp:[2001:db8::1]")),
            "tcp:[2001:db8::1]:5060"
        );
        assert_eq!(text(table.find_text("10.0.0.1")), "none");
    }

    #[test]
    fn host_names_are_ours_too() {
        let table = sockets(&["udp:localhost:5080"]);
        assert!(table.is_ours(b"LOCALHOST", Some(5080), None));
        assert!(table.is_ours(b"127.0.0.1", Some(5080), None));
    }

    #[test]
    fn the_socket_to_send_from() {
        let table = sockets(&[
            "udp:127.0.0.1",
            "udp:10.0.0.1",
            "tcp:10.0.0.1",
            "udp:10.0.0.2",
        ]);
        let choose = |remote: &str, transport, preferred| {
            text(table.for_remote(transport, remote.parse().unwrap(), preferred)).to_owned()
        };
        use Transport::{Tcp, Udp};
        assert_eq!(choose("192.0.2.1:5060", Udp, None), "udp:10.0.0.1:5060");
        assert_eq!(choose("127.0.0.1:5060", Udp, None), "udp:127.0.0.1:5060");
        assert_eq!(
            choose("192.0.2.1:5060", Udp, Some(SocketId(3))),
            "udp:10.0.0.2:5060"
        );
        assert_eq!(
            choose("192.0.2.1:5060", Tcp, Some(SocketId(3))),
            "tcp:10.0.0.1:5060"
        );
        assert_eq!(choose("127.0.0.1:5060", Tcp, None), "tcp:10.0.0.1:5060");
        assert_eq!(choose("[::1]:5060", Udp, None), "none");
    }
}
