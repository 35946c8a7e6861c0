//! `uri.…` and `urialias.…`: the parts of a URI.

use super::param;
use super::{Failed, Row, Syntax, text};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::new("uri.scheme", Syntax::None, |value, _| {
        part(&value, |uri| uri.scheme.into())
    }),
    Row::new("uri.user", Syntax::None, |value, _| {
        part(&value, |uri| uri.user.into())
    }),
    Row::new("uri.passwd", Syntax::None, |value, _| {
        part(&value, |uri| uri.password.into())
    }),
    Row::new("uri.host", Syntax::None, |value, _| {
        part(&value, |uri| uri.host.into())
    }),
    Row::new("uri.domain", Syntax::None, |value, _| {
        part(&value, |uri| uri.host.into())
    }),
    Row::new("uri.port", Syntax::None, |value, _| {
        part(&value, |uri| uri.port.into())
    }),
    Row::new("uri.params", Syntax::None, |value, _| {
        part(&value, |uri| uri.params.into())
    }),
    Row::new("uri.headers", Syntax::None, |value, _| {
        part(&value, |uri| uri.headers.into())
    }),
    Row::new("uri.param", Syntax::List(1, 1), |value, given| {
        let name = text(given, 0);
        part(&value, |uri| uri.param(&name).into())
    }),
    Row::new("uri.transport", Syntax::None, |value, _| {
        part(&value, |uri| uri.param(b"transport").into())
    }),
    Row::new("uri.ttl", Syntax::None, |value, _| {
        part(&value, |uri| uri.param(b"ttl").into())
    }),
    Row::new("uri.uparam", Syntax::None, |value, _| {
        part(&value, |uri| uri.param(b"user").into())
    }),
    Row::new("uri.maddr", Syntax::None, |value, _| {
        part(&value, |uri| uri.param(b"maddr").into())
    }),
    Row::new("uri.method", Syntax::None, |value, _| {
        part(&value, |uri| uri.param(b"method").into())
    }),
    Row::new("uri.lr", Syntax::None, |value, _| {
        part(&value, |uri| uri.param(b"lr").into())
    }),
    Row::new("uri.r2", Syntax::None, |value, _| {
        part(&value, |uri| uri.param(b"r2").into())
    }),
    Row::new("uri.saor", Syntax::None, |value, _| {
        part(&value, |uri| uri.rebuilt(true, false).into())
    }),
    Row::new("uri.suri", Syntax::None, |value, _| {
        part(&value, |uri| uri.rebuilt(true, true).into())
    }),
    Row::new("uri.duri", Syntax::None, |value, _| {
        part(&value, |uri| uri.rebuilt(false, true).into())
    }),
    Row::new("uri.tosocket", Syntax::None, |value, _| {
        part(&value, |uri| uri.socket().into())
    }),
    Row::new("uri.rmparam", Syntax::List(1, 1), |value, given| {
        let name = text(given, 0);
        part(&value, |uri| uri.without(&name).into())
    }),
    Row::new("urialias.encode", Syntax::None, |value, _| {
        part(&value, |uri| uri.alias().into())
    }),
    Row::new("urialias.decode", Syntax::None, decode_alias),
];

/// The parts of a URI as written; what is absent is empty.
pub(super) struct Uri<'t> {
    scheme: &'t [u8],
    pub(super) user: &'t [u8],
    password: &'t [u8],
    pub(super) host: &'t [u8],
    port: &'t [u8],
    params: &'t [u8],
    headers: &'t [u8],
}

fn part(value: &Value, pick: impl FnOnce(&Uri<'_>) -> Value) -> Result<Value, Failed> {
    value.with_bytes(|text| {
        Uri::parse(text)
            .map(|uri| pick(&uri))
            .ok_or(Failed("it is not a URI"))
    })
}

impl<'t> Uri<'t> {
    pub(super) fn parse(text: &'t [u8]) -> Option<Self> {
        let (scheme, rest) = split_at(text, b':')?;
        let known = [b"sip".as_slice(), b"sips", b"tel", b"tels", b"urn"];
        if !known.iter().any(|known| known.eq_ignore_ascii_case(scheme)) || rest.is_empty() {
            return None;
        }
        let mut uri = Self {
            scheme,
            user: b"",
            password: b"",
            host: b"",
            port: b"",
            params: b"",
            headers: b"",
        };
        if !scheme[..1].eq_ignore_ascii_case(b"s") {
            let (number, params) = split_at(rest, b';').unwrap_or((rest, b""));
            uri.user = number;
            uri.params = params;
            return Some(uri);
        }
        let rest = uri.take_user(rest);
        uri.take_host(rest).then_some(uri)
    }

    fn take_user(&mut self, rest: &'t [u8]) -> &'t [u8] {
        let Some((userinfo, rest)) = split_at(rest, b'@') else {
            return rest;
        };
        (self.user, self.password) = split_at(userinfo, b':').unwrap_or((userinfo, b""));
        rest
    }

    fn take_host(&mut self, rest: &'t [u8]) -> bool {
        let end_of_host = match rest.first() {
            Some(b'[') => memchr::memchr(b']', rest).map(|at| at + 1),
            _ => Some(
                rest.iter()
                    .position(|byte| b":;?".contains(byte))
                    .unwrap_or(rest.len()),
            ),
        };
        let Some(end) = end_of_host.filter(|end| *end > 0) else {
            return false;
        };
        self.host = &rest[..end];
        let mut rest = &rest[end..];
        if let [b':', behind @ ..] = rest {
            let digits = behind
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            self.port = &behind[..digits];
            rest = &behind[digits..];
        }
        if let [b';', behind @ ..] = rest {
            let end = memchr::memchr(b'?', behind).unwrap_or(behind.len());
            self.params = &behind[..end];
            rest = &behind[end..];
        }
        match rest {
            [b'?', headers @ ..] => self.headers = headers,
            [] => {}
            _ => return false,
        }
        true
    }

    fn param(&self, name: &[u8]) -> &'t [u8] {
        let list = param::parse(self.params, b';');
        let found = list
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(b"", |(_, value)| value)
    }

    fn rebuilt(&self, user: bool, address: bool) -> Vec<u8> {
        let mut out = [self.scheme, b":"].concat();
        if user && !self.user.is_empty() {
            out.extend_from_slice(self.user);
            out.push(b'@');
        }
        out.extend_from_slice(self.host);
        if address && !self.port.is_empty() {
            out.push(b':');
            out.extend_from_slice(self.port);
        }
        let transport = self.param(b"transport");
        if address && !transport.is_empty() {
            out.extend_from_slice(b";transport=");
            out.extend_from_slice(transport);
        }
        out
    }

    fn transport(&self) -> Vec<u8> {
        let transport = self.param(b"transport").to_ascii_lowercase();
        match transport.is_empty() {
            true if self.scheme.eq_ignore_ascii_case(b"sips") => b"tls".to_vec(),
            true => b"udp".to_vec(),
            false => transport,
        }
    }

    fn socket(&self) -> Vec<u8> {
        let transport = self.transport();
        let port = match self.port {
            [] if transport == b"tls" => b"5061",
            [] => b"5060",
            port => port,
        };
        [transport.as_slice(), self.host, port].join(b":".as_slice())
    }

    fn alias(&self) -> Vec<u8> {
        const KNOWN: [&[u8]; 6] = [b"udp", b"tcp", b"tls", b"sctp", b"ws", b"wss"];
        let transport = self.transport();
        let number = KNOWN
            .iter()
            .position(|known| *known == transport)
            .map_or(0, |at| at + 1);
        let port = match self.port {
            [] if number == 3 => b"5061",
            [] => b"5060",
            port => port,
        };
        [self.host, port, number.to_string().as_bytes()].join(b"~".as_slice())
    }

    fn without(&self, name: &[u8]) -> Vec<u8> {
        let mut out = [self.scheme, b":"].concat();
        if !self.user.is_empty() {
            out.extend_from_slice(self.user);
            if !self.password.is_empty() {
                out.push(b':');
                out.extend_from_slice(self.password);
            }
            if !self.host.is_empty() {
                out.push(b'@');
            }
        }
        out.extend_from_slice(self.host);
        if !self.port.is_empty() {
            out.push(b':');
            out.extend_from_slice(self.port);
        }
        for item in self
            .params
            .split(|byte| *byte == b';')
            .filter(|item| !item.is_empty())
        {
            let known = item.split(|byte| *byte == b'=').next().unwrap_or(item);
            if !known.eq_ignore_ascii_case(name) {
                out.push(b';');
                out.extend_from_slice(item);
            }
        }
        if !self.headers.is_empty() {
            out.push(b'?');
            out.extend_from_slice(self.headers);
        }
        out
    }
}

fn decode_alias(value: Value, _: &[Value]) -> Result<Value, Failed> {
    value.with_bytes(|text| {
        let mut fields = text.split(|byte| *byte == b'~');
        let (Some(host), Some(port), Some(number), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(Failed("it is not an alias"));
        };
        let transport: &[u8] = match number {
            b"0" | b"1" => b"",
            b"2" => b";transport=tcp",
            b"3" => b";transport=tls",
            b"4" => b";transport=sctp",
            b"5" => b";transport=ws",
            b"6" => b";transport=wss",
            _ => return Err(Failed("it is not an alias")),
        };
        Ok([b"sip:", host, b":", port, transport].concat().into())
    })
}

fn split_at(text: &[u8], by: u8) -> Option<(&[u8], &[u8])> {
    memchr::memchr(by, text).map(|at| (&text[..at], &text[at + 1..]))
}
