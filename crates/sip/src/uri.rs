//! SIP, SIPS and TEL URIs (RFC 3261 §19.1, RFC 3966), borrowed from the text that they came in.

mod compare;
mod rewrite;

use std::fmt;
use std::net::IpAddr;

use crate::escape::escaped;
use crate::hop::Transport;
use crate::lex::port;
use crate::params::{Param, Params};

pub use compare::same_host;

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip`
    Sip,
    /// `sips`
    Sips,
    /// `tel`
    Tel,
    /// Anything else; the text is in `Uri::scheme_text`.
    Other,
}

/// Why a text is no URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// No scheme and colon at the beginning.
    Scheme,
    /// No host, or a character that no host has.
    Host,
    /// A port that is no number up to 65535.
    Port,
    /// A user part with a blank, bracket, quote or control character.
    User,
    /// Parameters or headers with a blank, bracket, quote or control character.
    Params,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "no scheme",
            Self::Host => "bad host",
            Self::Port => "bad port",
            Self::User => "bad user part",
            Self::Params => "bad parameters",
        })
    }
}

impl std::error::Error for UriError {}

/// A URI, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// The whole as written.
    pub text: &'a [u8],
    /// The scheme.
    pub scheme: Scheme,
    /// The scheme as written, without the colon.
    pub scheme_text: &'a [u8],
    /// The user, parameters of the user included; of a `tel` the number. Still escaped.
    pub user: Option<&'a [u8]>,
    /// The password.
    pub password: Option<&'a [u8]>,
    /// The host, with the brackets of an IPv6 reference; empty for `tel` and other schemes.
    pub host: &'a [u8],
    /// The port, if one is written.
    pub port: Option<u16>,
    /// The parameters.
    pub params: Params<'a>,
    /// What follows `?`.
    pub headers: Option<&'a [u8]>,
    /// Of schemes other than `sip`, `sips` and `tel`: what follows the colon.
    pub opaque: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Takes a URI apart. Other schemes than `sip`, `sips` and `tel` are kept whole in `opaque`.
    pub fn parse(text: &'a [u8]) -> Result<Self, UriError> {
        let colon = text
            .iter()
            .position(|&b| b == b':')
            .ok_or(UriError::Scheme)?;
        let (scheme_text, rest) = (&text[..colon], &text[colon + 1..]);
        if !is_scheme(scheme_text) {
            return Err(UriError::Scheme);
        }
        let mut uri = Self {
            text,
            scheme: scheme(scheme_text),
            scheme_text,
            user: None,
            password: None,
            host: &[],
            port: None,
            params: Params::default(),
            headers: None,
            opaque: &[],
        };
        match uri.scheme {
            Scheme::Sip | Scheme::Sips => uri.read_sip(rest)?,
            Scheme::Tel => uri.read_tel(rest)?,
            Scheme::Other => uri.opaque = check(rest, UriError::Params)?,
        }
        Ok(uri)
    }

    fn read_sip(&mut self, rest: &'a [u8]) -> Result<(), UriError> {
        let rest = match rest.iter().position(|&b| b == b'@') {
            Some(at) => {
                self.read_userinfo(&rest[..at])?;
                &rest[at + 1..]
            }
            None => rest,
        };
        let (before, headers) = split(rest, b'?');
        self.headers = headers
            .map(|text| check(text, UriError::Params))
            .transpose()?;
        let host_end = before
            .iter()
            .position(|&b| b == b';')
            .unwrap_or(before.len());
        let (hostport, params) = before.split_at(host_end);
        self.params = Params::new(check(params, UriError::Params)?);
        self.read_hostport(hostport)
    }

    fn read_userinfo(&mut self, userinfo: &'a [u8]) -> Result<(), UriError> {
        let (user, password) = split(userinfo, b':');
        if user.is_empty() {
            return Err(UriError::User);
        }
        self.user = Some(check(user, UriError::User)?);
        self.password = password
            .map(|text| check(text, UriError::User))
            .transpose()?;
        Ok(())
    }

    fn read_hostport(&mut self, text: &'a [u8]) -> Result<(), UriError> {
        let host_end = if text.first() == Some(&b'[') {
            text.iter().position(|&b| b == b']').ok_or(UriError::Host)? + 1
        } else {
            text.iter().position(|&b| b == b':').unwrap_or(text.len())
        };
        let (host, rest) = text.split_at(host_end);
        if !is_host(host) {
            return Err(UriError::Host);
        }
        self.host = host;
        self.port = match rest.split_first() {
            None => None,
            Some((b':', digits)) => Some(port(digits).ok_or(UriError::Port)?),
            Some(_) => return Err(UriError::Host),
        };
        Ok(())
    }

    fn read_tel(&mut self, rest: &'a [u8]) -> Result<(), UriError> {
        let end = rest.iter().position(|&b| b == b';').unwrap_or(rest.len());
        let (digits, params) = rest.split_at(end);
        if digits.is_empty() {
            return Err(UriError::User);
        }
        self.user = Some(check(digits, UriError::User)?);
        self.params = Params::new(check(params, UriError::Params)?);
        Ok(())
    }

    /// The value of `transport` as written.
    pub fn transport(&self) -> Option<&'a [u8]> {
        self.params.value(b"transport")
    }

    /// The transport that the URI asks for: its parameter, else TLS for `sips`, else none in particular.
    pub fn wanted_transport(&self) -> Option<Transport> {
        match self.transport() {
            Some(name) => match (Transport::from_name(name), self.scheme) {
                (Some(Transport::Tcp), Scheme::Sips) => Some(Transport::Tls),
                (Some(Transport::Ws), Scheme::Sips) => Some(Transport::Wss),
                (transport, _) => transport,
            },
            None if self.scheme == Scheme::Sips => Some(Transport::Tls),
            None => None,
        }
    }

    /// One parameter by its name in any case: its value, or `Some(None)` if it has none.
    pub fn param(&self, name: &[u8]) -> Option<Option<&'a [u8]>> {
        self.params.get(name)
    }

    /// The parameters in their order.
    pub fn iter_params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        self.params.iter()
    }

    /// Whether the router behind it routes loosely (RFC 3261 §19.1.1, `lr`).
    pub fn is_loose(&self) -> bool {
        self.param(b"lr").is_some()
    }

    /// The user without the parameters that telephone numbers put behind a `;`.
    pub fn user_name(&self) -> Option<&'a [u8]> {
        self.user.map(|user| split(user, b';').0)
    }

    /// The host without brackets.
    pub fn bare_host(&self) -> &'a [u8] {
        match self.host {
            [b'[', inner @ .., b']'] => inner,
            host => host,
        }
    }

    /// The port, or the one that the scheme and transport mean (RFC 3261 §19.1.2).
    pub fn port_or_default(&self) -> u16 {
        let transport = self.wanted_transport().unwrap_or(Transport::Udp);
        self.port.unwrap_or_else(|| transport.default_port())
    }

    /// The headers of `?a=b&c=d`, still escaped.
    pub fn iter_headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let text = self.headers.unwrap_or_default();
        text.split(|&b| b == b'&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value) = split(part, b'=');
                (name, value.unwrap_or_default())
            })
    }

    /// User and host as `user@host`, or the host alone: what a registrar keeps bindings under (RFC 3261 §10.3).
    pub fn aor(&self) -> Vec<u8> {
        match self.user {
            Some(user) => [user, b"@", self.host].concat(),
            None => self.host.to_vec(),
        }
    }
}

/// The text before the first `at` and, if there is one, after it.
pub(crate) fn split(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&b| b == at) {
        Some(position) => (&text[..position], Some(&text[position + 1..])),
        None => (text, None),
    }
}

fn is_scheme(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text
            .iter()
            .all(|&b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn scheme(text: &[u8]) -> Scheme {
    match text.len() {
        3 if text.eq_ignore_ascii_case(b"sip") => Scheme::Sip,
        3 if text.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
        4 if text.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
        _ => Scheme::Other,
    }
}

/// A host name, an IPv4 address or a bracketed IPv6 address. Underscores pass: they are common in practice.
fn is_host(host: &[u8]) -> bool {
    match host {
        [] => false,
        [b'[', ..] => host_address(host).is_some_and(|address| address.is_ipv6()),
        _ => host
            .iter()
            .all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')),
    }
}

/// The address that a host is, with or without the brackets of an IPv6 reference; `None` for a name.
///
/// Three colons before an IPv4 tail are read as two: the grammar of RFC 3261 makes some write them (RFC 5118 §4.10).
pub fn host_address(host: &[u8]) -> Option<IpAddr> {
    let bare = host
        .strip_prefix(b"[")
        .and_then(|host| host.strip_suffix(b"]"))
        .unwrap_or(host);
    let text = std::str::from_utf8(bare).ok()?;
    match text.split_once(":::") {
        Some((head, tail)) if tail.contains('.') && !tail.contains(':') => {
            format!("{head}::{tail}").parse().ok()
        }
        _ => text.parse().ok(),
    }
}

/// Refuses what would end or confuse the header around the URI; half an escape also.
fn check(text: &[u8], error: UriError) -> Result<&[u8], UriError> {
    let bad = |(at, &byte): (usize, &u8)| match byte {
        0..=b' ' | 0x7f | b'<' | b'>' | b'"' => true,
        b'%' => escaped(&text[at..]).is_none(),
        _ => false,
    };
    if text.iter().enumerate().any(bad) {
        Err(error)
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
