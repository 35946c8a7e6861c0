//! Where a door is: `unixs:/path`, `unixd:/path`, `udp:host:port`, `tcp:host:port`, or a bare path.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

/// The port of UDP and TCP doors that name none.
pub const DEFAULT_PORT: u16 = 2049;

/// Where a door is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A unix stream socket.
    Stream(PathBuf),
    /// A unix datagram socket.
    Datagram(PathBuf),
    /// A UDP socket.
    Udp(SocketAddr),
    /// A TCP socket.
    Tcp(SocketAddr),
}

impl Address {
    /// Reads an address as the ctl module writes it. Relative paths begin in `runtime_dir`; host names
    /// are looked up, which may block; `*` is every address.
    pub fn parse(text: &str, runtime_dir: &Path) -> io::Result<Self> {
        let (scheme, rest) = text.split_once(':').unwrap_or(("unixs", text));
        match scheme {
            "unix" | "unixs" => unix_path(rest, runtime_dir).map(Self::Stream),
            "unixd" => unix_path(rest, runtime_dir).map(Self::Datagram),
            "udp" => lookup(rest).map(Self::Udp),
            "tcp" => lookup(rest).map(Self::Tcp),
            _ if text.contains('/') => unix_path(text, runtime_dir).map(Self::Stream),
            _ => Err(invalid(format!("{text}: unknown protocol {scheme}"))),
        }
    }

    /// What `ctl.who` and `ctl.listen` call the transport.
    pub fn transport(&self) -> &'static str {
        match self {
            Self::Stream(_) => "unix_stream",
            Self::Datagram(_) => "unix_dgram",
            Self::Udp(_) => "udp",
            Self::Tcp(_) => "tcp",
        }
    }

    /// The path or host, and the port or nothing.
    pub(crate) fn columns(&self) -> [String; 2] {
        match self {
            Self::Stream(path) | Self::Datagram(path) => {
                [path.display().to_string(), String::new()]
            }
            Self::Udp(address) | Self::Tcp(address) => {
                [address.ip().to_string(), address.port().to_string()]
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(path) => write!(f, "unixs:{}", path.display()),
            Self::Datagram(path) => write!(f, "unixd:{}", path.display()),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

fn unix_path(text: &str, runtime_dir: &Path) -> io::Result<PathBuf> {
    if text.is_empty() {
        return Err(invalid("a socket without a path".to_owned()));
    }
    Ok(runtime_dir.join(text))
}

fn lookup(text: &str) -> io::Result<SocketAddr> {
    let (host, port) = split_port(text)?;
    let host = match host.trim_start_matches('[').trim_end_matches(']') {
        "*" => "0.0.0.0",
        host => host,
    };
    (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| invalid(format!("{host} has no address")))
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`, or a bare IPv6 address.
fn split_port(text: &str) -> io::Result<(&str, u16)> {
    let is_bare_v6 = !text.starts_with('[') && text.matches(':').count() > 1;
    match text.rsplit_once(':') {
        Some((host, port)) if !is_bare_v6 && !port.ends_with(']') => {
            let port = port
                .parse()
                .map_err(|_| invalid(format!("{text}: bad port")))?;
            Ok((host, port))
        }
        _ => Ok((text, DEFAULT_PORT)),
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> String {
        match Address::parse(text, Path::new("/run/x")) {
            Ok(address) => address.to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn reads_every_form() {
        for (text, expected) in [
            ("unix:/tmp/a", "unixs:/tmp/a"),
            ("unixs:kamailio_ctl", "unixs:/run/x/kamailio_ctl"),
            ("/tmp/a:b", "unixs:/tmp/a:b"),
            ("kamailio_ctl", "unixs:/run/x/kamailio_ctl"),
            ("unixd:/tmp/d", "unixd:/tmp/d"),
            ("udp:127.0.0.1", "udp:127.0.0.1:2049"),
            ("tcp:127.0.0.1:7", "tcp:127.0.0.1:7"),
            ("tcp:*:7", "tcp:0.0.0.0:7"),
            ("udp:[::1]:7", "udp:[::1]:7"),
            ("udp:::1", "udp:[::1]:2049"),
            ("tcp:127.0.0.1:x", "error: 127.0.0.1:x: bad port"),
            ("sctp:x", "error: sctp:x: unknown protocol sctp"),
            ("unixs:", "error: a socket without a path"),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
