//! Opens the sockets of the table, once for every worker.
//! All sockets are opened before privileges are dropped; the workers only adopt them.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, setsockopt, socket,
    sockopt,
};
use sip::{SocketId, Transport};

use super::sockets::Sockets;
use super::spec::SocketText;
use crate::udp::{Steering, attach_steering};

/// How to open sockets.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// How many workers share each address.
    pub workers: usize,
    /// Receive buffer of a UDP socket to ask for, in bytes; the kernel may grant less.
    pub receive_buffer: usize,
    /// Type of service of outgoing packets (`tos`); `None` leaves the kernel's.
    pub tos: Option<u8>,
    /// How the kernel spreads datagrams over the workers.
    pub steering: Steering,
    /// Connections that may wait for being accepted (`tcp_listen_backlog`).
    pub backlog: i32,
    /// Bind to addresses that the machine does not have (`ip_free_bind`).
    pub free_bind: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            workers: 1,
            receive_buffer: 4 << 20,
            tos: Some(0x10),
            steering: Steering::Flow,
            backlog: 1024,
            free_bind: false,
        }
    }
}

/// The sockets of one worker, not yet joined to its runtime.
#[derive(Debug, Default)]
pub struct WorkerListeners {
    /// Its UDP sockets.
    pub udp: Vec<(SocketId, UdpSocket)>,
    /// Its listening stream sockets, with what is spoken on them.
    pub streams: Vec<(SocketId, Transport, TcpListener)>,
}

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process (a second instance, perhaps) has it.
    #[error("address in use: {0}")]
    InUse(String),
    /// The machine has no such address.
    #[error("not an address of this machine: {0}")]
    NotLocal(String),
    /// The port needs a privilege.
    #[error("not allowed to open {0} (ports below 1024 need root or CAP_NET_BIND_SERVICE)")]
    Forbidden(String),
    /// Something else.
    #[error("cannot open {socket}: {source}")]
    Io {
        /// The socket's text.
        socket: String,
        /// The system's error.
        source: io::Error,
    },
}

impl OpenError {
    fn new(socket: &dyn std::fmt::Display, source: io::Error) -> Self {
        let socket = socket.to_string();
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse(socket),
            io::ErrorKind::AddrNotAvailable => Self::NotLocal(socket),
            io::ErrorKind::PermissionDenied => Self::Forbidden(socket),
            _ => Self::Io { socket, source },
        }
    }
}

/// Opens every socket of the table for each worker. A port of 0 becomes the port that the kernel
/// chose, in the table too. Since SO_REUSEPORT would let a second instance share our addresses
/// unnoticed, each address is first bound exclusively.
pub fn open(
    sockets: &mut Sockets,
    options: &OpenOptions,
) -> Result<Vec<WorkerListeners>, OpenError> {
    let workers = options.workers.max(1);
    let mut opened: Vec<WorkerListeners> = Vec::new();
    opened.resize_with(workers, WorkerListeners::default);
    let ids: Vec<_> = sockets.iter().map(|s| (s.id, s.transport)).collect();
    for (id, transport) in ids {
        let Some(socket) = sockets.get(id) else {
            continue;
        };
        let wanted = socket.address;
        let options = &OpenOptions {
            free_bind: options.free_bind || socket.is_virtual,
            ..options.clone()
        };
        let fail = |error| OpenError::new(&SocketText(transport, wanted), error);
        let address = probe(transport, wanted, options).map_err(fail)?;
        sockets.set_port(id, address.port());
        for worker in &mut opened {
            if transport == Transport::Udp {
                let bound = udp_socket(address, options).map_err(fail)?;
                worker.udp.push((id, bound));
            } else {
                let bound = tcp_listener(address, options).map_err(fail)?;
                worker.streams.push((id, transport, bound));
            }
        }
        if transport == Transport::Udp
            && let Some((_, first)) = opened.first().and_then(|w| w.udp.last())
        {
            attach_steering(first, options.steering, workers).map_err(fail)?;
        }
    }
    Ok(opened)
}

/// Binds exclusively and lets go again; the address with its port if that was 0.
fn probe(
    transport: Transport,
    address: SocketAddr,
    options: &OpenOptions,
) -> io::Result<SocketAddr> {
    if transport == Transport::Udp {
        let fd = new_socket(SockType::Datagram, address, options.free_bind)?;
        bind_to(&fd, address)?;
        UdpSocket::from(fd).local_addr()
    } else {
        let fd = new_socket(SockType::Stream, address, options.free_bind)?;
        // Connections of an earlier run in TIME_WAIT are no obstacle; a listener is.
        setsockopt(&fd, sockopt::ReuseAddr, &true)?;
        bind_to(&fd, address)?;
        TcpListener::from(fd).local_addr()
    }
}

fn udp_socket(address: SocketAddr, options: &OpenOptions) -> io::Result<UdpSocket> {
    let fd = new_socket(SockType::Datagram, address, options.free_bind)?;
    setsockopt(&fd, sockopt::ReusePort, &true)?;
    // The first passes the system's limit but needs a privilege; the second always works.
    if setsockopt(&fd, sockopt::RcvBufForce, &options.receive_buffer).is_err() {
        setsockopt(&fd, sockopt::RcvBuf, &options.receive_buffer)?;
    }
    setsockopt(&fd, sockopt::RxqOvfl, &1)?;
    set_tos(&fd, address, options.tos)?;
    bind_to(&fd, address)?;
    Ok(UdpSocket::from(fd))
}

/// A listening stream socket that shares its address with those of other workers.
fn tcp_listener(address: SocketAddr, options: &OpenOptions) -> io::Result<TcpListener> {
    let fd = new_socket(SockType::Stream, address, options.free_bind)?;
    setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    setsockopt(&fd, sockopt::ReusePort, &true)?;
    set_tos(&fd, address, options.tos)?;
    bind_to(&fd, address)?;
    let backlog = Backlog::new(options.backlog).unwrap_or(Backlog::MAXCONN);
    listen(&fd, backlog)?;
    Ok(TcpListener::from(fd))
}

/// A non-blocking socket of the address's family, not yet bound; IPv6 without mapped IPv4.
fn new_socket(kind: SockType, address: SocketAddr, free_bind: bool) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(family, kind, flags, None)?;
    if address.is_ipv6() {
        setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
    }
    if free_bind {
        setsockopt(&fd, sockopt::IpFreebind, &true)?;
    }
    Ok(fd)
}

fn bind_to(fd: &OwnedFd, address: SocketAddr) -> Result<(), Errno> {
    bind(fd.as_raw_fd(), &SockaddrStorage::from(address))
}

fn set_tos(fd: &impl AsFd, address: SocketAddr, tos: Option<u8>) -> Result<(), Errno> {
    match tos {
        None => Ok(()),
        Some(tos) if address.is_ipv4() => setsockopt(fd, sockopt::Ipv4Tos, &i32::from(tos)),
        Some(tos) => setsockopt(fd, sockopt::Ipv6TClass, &i32::from(tos)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ExpandOptions, ListenSpec, LocalSystem, expand};
    use super::*;

    fn table(text: &str) -> Sockets {
        let spec: ListenSpec = text.parse().unwrap();
        Sockets::new(&expand(&[spec], &ExpandOptions::default(), &LocalSystem).unwrap())
    }

    #[test]
    fn each_worker_gets_every_socket_on_one_port() {
        let mut sockets = table("127.0.0.1:0");
        let options = OpenOptions {
            workers: 3,
            steering: Steering::Random,
            ..OpenOptions::default()
        };
        let opened = open(&mut sockets, &options).unwrap();
        assert_eq!(opened.len(), 3);
        for worker in &opened {
            let udp = sockets.get(SocketId(0)).unwrap().address;
            let tcp = sockets.get(SocketId(1)).unwrap().address;
            assert_ne!(udp.port(), 0);
            assert_eq!(worker.udp[0].1.local_addr().unwrap(), udp);
            assert_eq!(worker.streams[0].2.local_addr().unwrap(), tcp);
        }
        let socket = sockets.get(SocketId(0)).unwrap();
        assert_eq!(socket.shown_port, socket.address.port());
        assert!(socket.text.ends_with(&socket.address.port().to_string()));
    }

    #[test]
    fn a_second_instance_is_told() {
        for transport in ["udp", "tcp"] {
            let mut first = table(&format!("{transport}:127.0.0.1:0"));
            let _held = open(&mut first, &OpenOptions::default()).unwrap();
            let text = first.get(SocketId(0)).unwrap().text.clone();
            let error = open(&mut table(&text), &OpenOptions::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("address in use: {text}"));
        }
    }

    #[test]
    fn a_virtual_address_may_be_absent() {
        let mut spec: ListenSpec = "udp:192.0.2.1:0".parse().unwrap();
        spec.is_virtual = true;
        let specs = expand(&[spec], &ExpandOptions::default(), &LocalSystem).unwrap();
        assert!(open(&mut Sockets::new(&specs), &OpenOptions::default()).is_ok());
    }

    #[test]
    fn a_foreign_address_is_told() {
        let error = open(&mut table("udp:192.0.2.1:0"), &OpenOptions::default()).unwrap_err();
        assert!(matches!(error, OpenError::NotLocal(_)), "{error}");
    }
}
