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
use crate::udp::{Steering, allow_fragments, attach_steering};

/// How to open sockets.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// How many workers share each address.
    pub workers: usize,
    /// Receive buffer of a UDP socket to ask for, in bytes; the kernel may grant less.
    pub receive_buffer: usize,
    /// Send buffer of a UDP socket, in bytes; 0 for the kernel's.
    pub send_buffer: usize,
    /// Type of service of outgoing packets (`tos`); `None` leaves the kernel's.
    pub tos: Option<u8>,
    /// How the kernel spreads datagrams over the workers.
    pub steering: Steering,
    /// Connections that may wait for being accepted (`tcp_listen_backlog`).
    pub backlog: i32,
    /// Bind to addresses that the machine does not have (`ip_free_bind`).
    pub free_bind: bool,
    /// Let routers cut datagrams that are too long for them (not `pmtu_discovery`).
    pub fragment: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            workers: 1,
            receive_buffer: 16 << 20,
            send_buffer: 0,
            tos: Some(0x10),
            steering: Steering::Flow,
            backlog: 1024,
            free_bind: false,
            fragment: true,
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
        let port = if transport == Transport::Udp {
            let shared = udp_sockets(wanted, options, workers).map_err(fail)?;
            let port = shared.first().map(UdpSocket::local_addr);
            for (worker, bound) in opened.iter_mut().zip(shared) {
                worker.udp.push((id, bound));
            }
            port.transpose()
                .map_err(fail)?
                .map(|address| address.port())
        } else {
            let address = probe_stream(wanted, options).map_err(fail)?;
            for worker in &mut opened {
                let bound = tcp_listener(address, options).map_err(fail)?;
                worker.streams.push((id, transport, bound));
            }
            Some(address.port())
        };
        sockets.set_port(id, port.unwrap_or_default());
    }
    Ok(opened)
}

/// Binds exclusively and lets go again; the address with its port if that was 0. Nobody can connect meanwhile:
/// it does not listen.
fn probe_stream(address: SocketAddr, options: &OpenOptions) -> io::Result<SocketAddr> {
    let fd = new_socket(SockType::Stream, address, options.free_bind)?;
    // Connections of an earlier run in TIME_WAIT are no obstacle; a listener is.
    setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    bind_to(&fd, address)?;
    TcpListener::from(fd).local_addr()
}

/// A socket for each worker, all of one address. The first is bound alone and shares its address only then, so that
/// a datagram that comes in between waits in it instead of being lost with a socket that only probed.
fn udp_sockets(
    address: SocketAddr,
    options: &OpenOptions,
    workers: usize,
) -> io::Result<Vec<UdpSocket>> {
    let first = udp_socket(address, options)?;
    bind_to(&first, address)?;
    setsockopt(&first, sockopt::ReusePort, &true)?;
    let first = UdpSocket::from(first);
    let address = first.local_addr()?;
    let mut shared = vec![first];
    for _ in 1..workers {
        let next = udp_socket(address, options)?;
        setsockopt(&next, sockopt::ReusePort, &true)?;
        bind_to(&next, address)?;
        shared.push(UdpSocket::from(next));
    }
    if let Some(first) = shared.first() {
        attach_steering(first, options.steering, workers)?;
    }
    Ok(shared)
}

/// A UDP socket as the options want it, not yet bound.
fn udp_socket(address: SocketAddr, options: &OpenOptions) -> io::Result<OwnedFd> {
    let fd = new_socket(SockType::Datagram, address, options.free_bind)?;
    // The first passes the system's limit but needs a privilege; the second always works.
    if setsockopt(&fd, sockopt::RcvBufForce, &options.receive_buffer).is_err() {
        setsockopt(&fd, sockopt::RcvBuf, &options.receive_buffer)?;
    }
    setsockopt(&fd, sockopt::RxqOvfl, &1)?;
    if options.send_buffer > 0
        && setsockopt(&fd, sockopt::SndBufForce, &options.send_buffer).is_err()
    {
        setsockopt(&fd, sockopt::SndBuf, &options.send_buffer)?;
    }
    // How long datagrams wait in the socket tells whether too many come.
    setsockopt(&fd, sockopt::ReceiveTimestampns, &true)?;
    set_tos(&fd, address, options.tos)?;
    if options.fragment && address.is_ipv4() {
        allow_fragments(&fd)?;
    }
    Ok(fd)
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
    fn a_datagram_that_comes_while_sockets_are_opened_is_kept() {
        // Somebody sends as soon as the address is bound, and that is before `open` has returned.
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..50 {
            let address = UdpSocket::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap();
            sender.connect(address).unwrap();
            let options = OpenOptions {
                workers: 4,
                ..OpenOptions::default()
            };
            std::thread::scope(|scope| {
                let opening = scope.spawn(|| {
                    let mut sockets = table(&format!("udp:{address}"));
                    open(&mut sockets, &options).unwrap()
                });
                // Refused until somebody has bound it; what was taken must arrive.
                let taken = loop {
                    let sent = sender.send(b"x").is_ok();
                    // The refusal of one datagram shows when the next is sent.
                    if sent && sender.send(b"y").is_ok() {
                        break true;
                    }
                    if opening.is_finished() {
                        break sender.send(b"y").is_ok();
                    }
                };
                assert!(taken);
                let opened = opening.join().unwrap();
                let arrived = opened.iter().any(|worker| {
                    let mut buffer = [0; 4];
                    std::iter::from_fn(|| worker.udp[0].1.recv(&mut buffer).ok()).count() > 0
                });
                assert!(arrived);
            });
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
