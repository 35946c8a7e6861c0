//! SIP, SIPS and TEL URIs (RFC 3261 §19.1, RFC 3966), borrowed from the text that they came in.

mod compare;
mod rewrite;

use std::fmt;
use std::net::IpAddr;

use crate::block::{find, find_where, matches_blank_or, matches_none_of_word_or};
use crate::escape::escaped;
use crate::hop::Transport;
use crate::lex::{digits, peek};
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
        let colon = find(text, 0, text.len(), [b':']);
        let scheme_text = text.get(..colon).unwrap_or_default();
        if colon == text.len() || !is_scheme(scheme_text) {
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
            Scheme::Sip | Scheme::Sips => uri.read_sip(colon + 1)?,
            Scheme::Tel => uri.read_tel(colon + 1)?,
            Scheme::Other => uri.opaque = check(text, colon + 1, text.len(), UriError::Params)?,
        }
        Ok(uri)
    }

    fn read_sip(&mut self, at: usize) -> Result<(), UriError> {
        let (text, end) = (self.text, self.text.len());
        let host_at = match find(text, at, end, [b'@']) {
            sign if sign == end => at,
            sign => {
                self.read_userinfo(at, sign)?;
                sign + 1
            }
        };
        let params_at = self.read_hostport(host_at)?;
        let params_end = find(text, params_at, end, [b'?']);
        self.params = Params::new(check(text, params_at, params_end, UriError::Params)?);
        if params_end < end {
            self.headers = Some(check(text, params_end + 1, end, UriError::Params)?);
        }
        Ok(())
    }

    fn read_userinfo(&mut self, at: usize, end: usize) -> Result<(), UriError> {
        let user_end = find(self.text, at, end, [b':']);
        if user_end == at {
            return Err(UriError::User);
        }
        self.user = Some(check(self.text, at, user_end, UriError::User)?);
        if user_end < end {
            self.password = Some(check(self.text, user_end + 1, end, UriError::User)?);
        }
        Ok(())
    }

    /// Reads host and port; gives where they end: at the parameters, the headers, or the end.
    fn read_hostport(&mut self, at: usize) -> Result<usize, UriError> {
        let (text, end) = (self.text, self.text.len());
        let host_end = if peek(text, at) == b'[' {
            (find(text, at, end, [b']']) + 1).min(end)
        } else {
            // Underscores pass: they are common in practice.
            find_where(text, at, end, |block| {
                matches_none_of_word_or(block, *b"-._")
            })
        };
        self.host = text.get(at..host_end).unwrap_or_default();
        let is_host = match self.host {
            [] => false,
            [b'[', ..] => host_address(self.host).is_some_and(|address| address.is_ipv6()),
            _ => true,
        };
        if !is_host {
            return Err(UriError::Host);
        }
        let (stop, error) = match peek(text, host_end) {
            b':' => {
                let (port, stop) = digits(text, host_end + 1, end).ok_or(UriError::Port)?;
                self.port = Some(port.try_into().map_err(|_| UriError::Port)?);
                (stop, UriError::Port)
            }
            _ => (host_end, UriError::Host),
        };
        if stop < end && !matches!(peek(text, stop), b';' | b'?') {
            return Err(error);
        }
        Ok(stop)
    }

    fn read_tel(&mut self, at: usize) -> Result<(), UriError> {
        let (text, end) = (self.text, self.text.len());
        let digits_end = find(text, at, end, [b';']);
        if digits_end == at {
            return Err(UriError::User);
        }
        self.user = Some(check(text, at, digits_end, UriError::User)?);
        self.params = Params::new(check(text, digits_end, end, UriError::Params)?);
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
        self.port.unwrap_or_else(|| {
            let transport = self.wanted_transport().unwrap_or(Transport::Udp);
            transport.default_port()
        })
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
    if text == b"sip" {
        return true;
    }
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text
            .iter()
            .all(|&b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn scheme(text: &[u8]) -> Scheme {
    match text.len() {
        3 if text == b"sip" => Scheme::Sip,
        3 if text.eq_ignore_ascii_case(b"sip") => Scheme::Sip,
        3 if text.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
        4 if text.eq_ignore_ascii_case(b"sips") => Scheme::Sips,
        _ => Scheme::Other,
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

/// The part `at..end`. Refuses what would end or confuse the header around the URI; half an escape also.
fn check(text: &[u8], at: usize, end: usize, error: UriError) -> Result<&[u8], UriError> {
    let part = text.get(at..end).unwrap_or_default();
    let mut at = at;
    loop {
        at = find_where(text, at, end, |block| {
            matches_blank_or(block, *b"<>\"%\x7f")
        });
        if at >= end {
            return Ok(part);
        }
        let rest = text.get(at..end).unwrap_or_default();
        if peek(text, at) != b'%' || escaped(rest).is_none() {
            return Err(error);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests;
