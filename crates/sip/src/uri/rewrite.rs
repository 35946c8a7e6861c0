//! Other URIs made of one: what the script's setters need. Each gives new bytes and leaves the rest as written.

use super::Uri;
use crate::lex::push_number;

/// The parts that a rewrite may exchange.
#[derive(Clone, Copy)]
struct Parts<'a> {
    user: Option<&'a [u8]>,
    password: Option<&'a [u8]>,
    host: &'a [u8],
    port: Option<u16>,
    params: &'a [u8],
}

impl Uri<'_> {
    /// With another user, which the password outlives; `None` takes both away.
    pub fn with_user(&self, user: Option<&[u8]>) -> Vec<u8> {
        let user = user.filter(|user| !user.is_empty());
        self.write(Parts {
            user,
            password: self.password.filter(|_| user.is_some()),
            ..self.parts()
        })
    }

    /// With another password; it needs a user to stand behind.
    pub fn with_password(&self, password: Option<&[u8]>) -> Vec<u8> {
        self.write(Parts {
            password: password.filter(|_| self.user.is_some()),
            ..self.parts()
        })
    }

    /// With another host; the port stays.
    pub fn with_host(&self, host: &[u8]) -> Vec<u8> {
        self.write(Parts {
            host,
            ..self.parts()
        })
    }

    /// With another port, or none.
    pub fn with_port(&self, port: Option<u16>) -> Vec<u8> {
        self.write(Parts {
            port,
            ..self.parts()
        })
    }

    /// With `host:port` (or `host`) in the place of both.
    pub fn with_hostport(&self, hostport: &[u8]) -> Vec<u8> {
        self.write(Parts {
            host: hostport,
            port: None,
            ..self.parts()
        })
    }

    /// Without the first `count` bytes of the user; a shorter user goes as a whole.
    pub fn strip_user(&self, count: usize) -> Vec<u8> {
        self.with_user(self.user.and_then(|user| user.get(count..)))
    }

    /// Without the last `count` bytes of the user; a shorter user goes as a whole.
    pub fn strip_user_tail(&self, count: usize) -> Vec<u8> {
        let kept = self
            .user
            .and_then(|user| user.get(..user.len().checked_sub(count)?));
        self.with_user(kept)
    }

    /// With something before the user, or as the user if there is none.
    pub fn prefix_user(&self, prefix: &[u8]) -> Vec<u8> {
        let user = [prefix, self.user.unwrap_or_default()].concat();
        self.with_user(Some(&user))
    }

    /// With this parameter in the place of those of its name, at the end of the parameters.
    pub fn with_param(&self, name: &[u8], value: Option<&[u8]>) -> Vec<u8> {
        let mut params = self.params_without(name);
        params.push(b';');
        params.extend_from_slice(name);
        if let Some(value) = value {
            params.push(b'=');
            params.extend_from_slice(value);
        }
        self.write(Parts {
            params: &params,
            ..self.parts()
        })
    }

    /// Without the parameters of this name.
    pub fn without_param(&self, name: &[u8]) -> Vec<u8> {
        self.write(Parts {
            params: &self.params_without(name),
            ..self.parts()
        })
    }

    /// Without any parameters.
    pub fn without_params(&self) -> Vec<u8> {
        self.write(Parts {
            params: &[],
            ..self.parts()
        })
    }

    const fn parts(&self) -> Parts<'_> {
        Parts {
            user: self.user,
            password: self.password,
            host: self.host,
            port: self.port,
            params: self.params.as_bytes(),
        }
    }

    fn params_without(&self, name: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.params.as_bytes().len() + 32);
        for param in self
            .params
            .iter()
            .filter(|param| !param.name.eq_ignore_ascii_case(name))
        {
            out.push(b';');
            out.extend_from_slice(param.name);
            if let Some(value) = param.value {
                out.push(b'=');
                out.extend_from_slice(value);
            }
        }
        out
    }

    fn write(&self, parts: Parts<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + parts.host.len() + 32);
        out.extend_from_slice(self.scheme_text);
        out.push(b':');
        out.extend_from_slice(self.opaque);
        if let Some(user) = parts.user {
            out.extend_from_slice(user);
            if let Some(password) = parts.password {
                out.push(b':');
                out.extend_from_slice(password);
            }
            if !parts.host.is_empty() {
                out.push(b'@');
            }
        }
        out.extend_from_slice(parts.host);
        if let Some(port) = parts.port {
            out.push(b':');
            push_number(&mut out, port.into());
        }
        out.extend_from_slice(parts.params);
        if let Some(headers) = self.headers {
            out.push(b'?');
            out.extend_from_slice(headers);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Uri;

    const TEXT: &[u8] = b"sip:bob;up=1:pw@example.com:5070;transport=udp;lr?h=1";

    fn uri() -> Uri<'static> {
        Uri::parse(TEXT).expect("valid")
    }

    fn is(bytes: Vec<u8>, expected: &str) {
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    #[test]
    fn rewrites_as_kamailio_does() {
        let uri = uri();
        is(
            uri.with_user(Some(b"new")),
            "sip:new:pw@example.com:5070;transport=udp;lr?h=1",
        );
        is(
            uri.with_user(None),
            "sip:example.com:5070;transport=udp;lr?h=1",
        );
        is(
            uri.with_host(b"h3"),
            "sip:bob;up=1:pw@h3:5070;transport=udp;lr?h=1",
        );
        is(
            uri.with_port(Some(88)),
            "sip:bob;up=1:pw@example.com:88;transport=udp;lr?h=1",
        );
        is(
            uri.with_port(None),
            "sip:bob;up=1:pw@example.com;transport=udp;lr?h=1",
        );
        is(
            uri.with_hostport(b"h2:77"),
            "sip:bob;up=1:pw@h2:77;transport=udp;lr?h=1",
        );
        is(
            uri.strip_user(1),
            "sip:ob;up=1:pw@example.com:5070;transport=udp;lr?h=1",
        );
        is(
            uri.strip_user(50),
            "sip:example.com:5070;transport=udp;lr?h=1",
        );
        is(
            uri.strip_user_tail(1),
            "sip:bob;up=:pw@example.com:5070;transport=udp;lr?h=1",
        );
        is(
            uri.prefix_user(b"00"),
            "sip:00bob;up=1:pw@example.com:5070;transport=udp;lr?h=1",
        );
    }

    #[test]
    fn parameters() {
        let uri = uri();
        is(
            uri.with_param(b"zz", Some(b"1")),
            "sip:bob;up=1:pw@example.com:5070;transport=udp;lr;zz=1?h=1",
        );
        is(
            uri.without_param(b"TRANSPORT"),
            "sip:bob;up=1:pw@example.com:5070;lr?h=1",
        );
        is(uri.without_params(), "sip:bob;up=1:pw@example.com:5070?h=1");
        let bare = Uri::parse(b"sip:h").expect("valid");
        is(bare.with_param(b"lr", None), "sip:h;lr");
        is(bare.prefix_user(b"a"), "sip:a@h");
        let tel = Uri::parse(b"tel:+1;x").expect("valid");
        is(tel.strip_user(1), "tel:1;x");
    }
}
