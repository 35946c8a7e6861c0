//! What the machine knows of itself: its interfaces, and the addresses behind host names.

use std::io;
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, ToSocketAddrs, UdpSocket,
};

use nix::net::if_::InterfaceFlags;

/// One address of one network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// The interface's name, such as `eth0`.
    pub name: String,
    /// The address; the port is 0. Link-local ones carry the interface's number.
    pub address: SocketAddr,
}

/// The questions that expanding a listening address asks of the machine.
pub trait System {
    /// Every address of every interface that is up.
    fn interfaces(&self) -> io::Result<Vec<Interface>>;
    /// The addresses of a host name, best first; empty if there are none. May block.
    fn resolve(&self, host: &str) -> Vec<IpAddr>;
}

/// The machine that the process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalSystem;

impl System for LocalSystem {
    fn interfaces(&self) -> io::Result<Vec<Interface>> {
        let addresses = nix::ifaddrs::getifaddrs()?;
        Ok(addresses
            .filter(|entry| entry.flags.contains(InterfaceFlags::IFF_UP))
            .filter_map(|entry| {
                let storage = entry.address?;
                let v4 = storage
                    .as_sockaddr_in()
                    .map(|v4| SocketAddrV4::from(*v4).into());
                let v6 = || {
                    storage
                        .as_sockaddr_in6()
                        .map(|v6| SocketAddrV6::from(*v6).into())
                };
                let address = v4.or_else(v6)?;
                Some(Interface {
                    name: entry.interface_name,
                    address,
                })
            })
            .collect())
    }

    fn resolve(&self, host: &str) -> Vec<IpAddr> {
        let found = (host, 0).to_socket_addrs();
        found.map_or_else(|_| Vec::new(), |list| list.map(|a| a.ip()).collect())
    }
}

/// The address that the kernel would send from to reach `remote`; for `mhomed=1`. No packet is
/// sent.
pub fn source_address(remote: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let probe = UdpSocket::bind((any, 0))?;
    probe.connect(remote)?;
    Ok(probe.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_found() {
        let all = LocalSystem.interfaces().unwrap();
        assert!(all.iter().any(|i| i.address.ip() == Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn loopback_is_reached_from_loopback() {
        let source = source_address("127.0.0.1:9".parse().unwrap()).unwrap();
        assert_eq!(source, IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
}
