//! A listening address as it is written in a configuration or on the command line.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::str::FromStr;

use sip::Transport;

/// One `listen` line: which sockets to open, and how they show themselves to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenSpec {
    /// The transport; without one, UDP and TCP.
    pub transport: Option<Transport>,
    /// Addresses, host names or interface names, `*` for all addresses. IPv6 with or without
    /// brackets. Each of them becomes a socket.
    pub hosts: Vec<String>,
    /// The port; without one, the default port.
    pub port: Option<u16>,
    /// What to show in Via and Record-Route instead of the real address.
    pub advertise: Option<Advertise>,
    /// A name by which a script can choose the socket.
    pub name: Option<String>,
    /// The address may be absent now and appear later (a floating address).
    pub is_virtual: bool,
}

/// An address to show instead of the real one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertise {
    /// Host name or address; IPv6 without brackets.
    pub host: String,
    /// The port; without one, the socket's own.
    pub port: Option<u16>,
}

/// Why a listening address cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The text has no such form.
    #[error("bad listening address \"{text}\": {reason}")]
    Syntax {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Neither an address, nor an interface, nor a name that can be resolved.
    #[error("cannot listen on \"{0}\": no such interface, and the name has no address")]
    UnknownHost(String),
    /// The advertised name has no address.
    #[error("cannot advertise \"{0}\": the name has no address")]
    UnknownAdvertised(String),
    /// A transport that is not there.
    #[error("cannot listen on {0}: this transport is not supported")]
    Unsupported(Transport),
    /// More sockets than a socket number can name.
    #[error("too many listening addresses (the limit is {0})")]
    TooMany(usize),
    /// Nothing to listen on.
    #[error("no address to listen on")]
    Nothing,
}

impl ListenSpec {
    /// One host on one port; UDP and TCP if `transport` is `None`.
    pub fn new(transport: Option<Transport>, host: impl Into<String>, port: Option<u16>) -> Self {
        Self {
            transport,
            hosts: vec![host.into()],
            port,
            ..Self::default()
        }
    }

    /// Adds an advertised address.
    pub fn advertised(mut self, host: impl Into<String>, port: Option<u16>) -> Self {
        self.advertise = Some(Advertise {
            host: host.into(),
            port,
        });
        self
    }
}

/// The command line's form, `[proto:]addr[:port][/advertised[:port]]`, where `addr` may be a
/// list, `(a, b)`.
impl FromStr for ListenSpec {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        parse(text.trim()).map_err(|reason| ListenError::Syntax {
            text: text.to_owned(),
            reason,
        })
    }
}

/// An advertised address, `host[:port]`.
impl FromStr for Advertise {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        parse_advertise(text.trim()).map_err(|reason| ListenError::Syntax {
            text: text.to_owned(),
            reason,
        })
    }
}

fn parse(text: &str) -> Result<ListenSpec, &'static str> {
    let (transport, rest) = split_transport(text);
    let (rest, advertise) = match rest.rsplit_once('/') {
        Some((rest, advertise)) => (rest, Some(parse_advertise(advertise)?)),
        None => (rest, None),
    };
    let (hosts, port) = if let Some(list) = rest.strip_prefix('(') {
        let (list, after) = list
            .split_once(')')
            .ok_or("the list has no closing parenthesis")?;
        let hosts = list
            .split(',')
            .map(|item| item.trim().to_owned())
            .collect::<Vec<_>>();
        (hosts, parse_port_suffix(after)?)
    } else {
        let (host, port) = split_host_port(rest)?;
        (vec![host.to_owned()], port)
    };
    if hosts.iter().any(String::is_empty) {
        return Err("an address is missing");
    }
    Ok(ListenSpec {
        transport,
        hosts,
        port,
        advertise,
        ..ListenSpec::default()
    })
}

/// Takes a leading `proto:` off. A host that is called like a protocol stays a host.
fn split_transport(text: &str) -> (Option<Transport>, &str) {
    let Some((name, rest)) = text.split_once(':') else {
        return (None, text);
    };
    if let Some(transport) = Transport::from_name(name.as_bytes())
        && !is_port(rest)
    {
        return (Some(transport), rest);
    }
    match name {
        "*" if !is_port(rest) => (None, rest),
        _ => (None, text),
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn parse_advertise(text: &str) -> Result<Advertise, &'static str> {
    let text = match split_transport(text) {
        (Some(_), rest) => rest,
        (None, _) => text,
    };
    let (host, port) = split_host_port(text)?;
    if host.is_empty() || host == "*" {
        return Err("an advertised address needs a host");
    }
    Ok(Advertise {
        host: host.to_owned(),
        port,
    })
}

/// Splits `host[:port]`; brackets around IPv6 are taken off.
fn split_host_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    if let Some(inside) = text.strip_prefix('[') {
        let (host, after) = inside.split_once(']').ok_or("the bracket is not closed")?;
        host.parse::<Ipv6Addr>()
            .map_err(|_| "not an IPv6 address in the brackets")?;
        return Ok((host, parse_port_suffix(after)?));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    match text.find(':') {
        Some(colon) => Ok((&text[..colon], parse_port_suffix(&text[colon..])?)),
        None => Ok((text, None)),
    }
}

/// Reads `:port`, `:*` or nothing.
fn parse_port_suffix(text: &str) -> Result<Option<u16>, &'static str> {
    match text.trim() {
        "" | ":*" => Ok(None),
        text => text
            .strip_prefix(':')
            .ok_or("something follows the address")?
            .parse()
            .map(Some)
            .map_err(|_| "the port is not a number from 0 to 65535"),
    }
}

/// A socket's address as Kamailio writes it: `udp:127.0.0.1:5060`, IPv6 in brackets.
pub(crate) struct SocketText(pub(crate) Transport, pub(crate) SocketAddr);

impl fmt::Display for SocketText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(
        transport: Option<Transport>,
        hosts: &[&str],
        port: Option<u16>,
        advertise: Option<(&str, Option<u16>)>,
    ) -> ListenSpec {
        ListenSpec {
            transport,
            hosts: hosts.iter().map(|h| (*h).to_owned()).collect(),
            port,
            advertise: advertise.map(|(host, port)| Advertise {
                host: host.to_owned(),
                port,
            }),
            ..ListenSpec::default()
        }
    }

    #[test]
    fn command_line_forms() {
        use Transport::{Sctp, Tcp, Udp};
        let cases = [
            ("localhost", spec(None, &["localhost"], None, None)),
            (
                "udp:127.0.0.1:5080",
                spec(Some(Udp), &["127.0.0.1"], Some(5080), None),
            ),
            (
                "TCP:[::1]:5080",
                spec(Some(Tcp), &["::1"], Some(5080), None),
            ),
            ("udp:::1", spec(Some(Udp), &["::1"], None, None)),
            ("::1", spec(None, &["::1"], None, None)),
            ("eth0:5062", spec(None, &["eth0"], Some(5062), None)),
            (
                "udp:127.0.0.1:5080/1.2.3.4:5060",
                spec(
                    Some(Udp),
                    &["127.0.0.1"],
                    Some(5080),
                    Some(("1.2.3.4", Some(5060))),
                ),
            ),
            (
                "tcp:10.0.0.1/sip.example.com",
                spec(
                    Some(Tcp),
                    &["10.0.0.1"],
                    None,
                    Some(("sip.example.com", None)),
                ),
            ),
            ("udp:10.0.0.1/[2001:db8::1]:5070", {
                spec(
                    Some(Udp),
                    &["10.0.0.1"],
                    None,
                    Some(("2001:db8::1", Some(5070))),
                )
            }),
            ("sctp:(eth0)", spec(Some(Sctp), &["eth0"], None, None)),
            (
                "(eth0, eth1, 127.0.0.1):5065",
                spec(None, &["eth0", "eth1", "127.0.0.1"], Some(5065), None),
            ),
            ("*", spec(None, &["*"], None, None)),
            ("*:5070", spec(None, &["*"], Some(5070), None)),
            ("*:127.0.0.1:*", spec(None, &["127.0.0.1"], None, None)),
            ("udp:*:5060", spec(Some(Udp), &["*"], Some(5060), None)),
            ("udp:5060", spec(None, &["udp"], Some(5060), None)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<ListenSpec>(), Ok(expected), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_text_is_read_or_refused(text in r"(udp:|tcp:|\*:|\()?[a-z0-9:.\[\]()/,* ]{0,20}") {
            if let Ok(spec) = text.parse::<ListenSpec>() {
                prop_assert!(spec.hosts.iter().all(|h| !h.is_empty()));
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "", "udp:", "[::1", "[zz]", "(a", "(a,)", "h:70000", "h:x", "h/", "[::1]x",
        ] {
            let error = text.parse::<ListenSpec>();
            assert!(
                matches!(error, Err(ListenError::Syntax { .. })),
                "{text}: {error:?}"
            );
        }
    }
}
