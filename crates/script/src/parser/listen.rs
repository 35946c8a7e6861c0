//! Addresses to listen on and names that are ours.

use super::{Parsed, Parser, keywords};
use crate::ast::{Alias, Endpoint, Listen, Protocol, Text};
use crate::diagnostic::Diagnostic;
use crate::lexer::TokenKind;
use crate::source::Span;
use crate::suggest::nearest;

/// What a `socket` block may say.
const ATTRIBUTES: &[&str] = &[
    "bind",
    "name",
    "advertise",
    "workers",
    "virtual",
    "agname",
    "vrf",
];

/// `[proto:]hosts[:port]`.
struct Bind {
    protocol: Option<Protocol>,
    hosts: Vec<Text>,
    port: Option<u16>,
}

impl Parser<'_> {
    /// `listen = udp:10.0.0.1:5060 advertise 1.2.3.4 name "x" virtual …`.
    pub(super) fn listen(&mut self) -> Parsed<()> {
        self.advance();
        self.expect_sign("=", "after `listen`")?;
        loop {
            let start = self.span();
            let mut listen = Self::bare_listen(self.bind()?);
            if self.accept_word("advertise") {
                listen.advertise = Some(self.endpoint()?);
            }
            if self.accept_word("name") {
                listen.name = Some(self.string("the socket's name in quotes")?);
            }
            listen.virtual_address = self.accept_word("virtual");
            listen.span = self.since(start);
            if self.at_word("advertise") {
                let error = Diagnostic::error(self.span(), "`advertise` stands before `name`");
                return self.fail(error);
            }
            self.config.listens.push(listen);
            if !self.at_another_address() {
                return Ok(());
            }
        }
    }

    fn bare_listen(bind: Bind) -> Listen {
        Listen {
            protocol: bind.protocol,
            hosts: bind.hosts,
            port: bind.port,
            advertise: None,
            name: None,
            virtual_address: false,
            workers: None,
            group: None,
            vrf: None,
            span: Span::NONE,
        }
    }

    /// Whether a list of addresses goes on. It does not where another statement begins.
    fn at_another_address(&self) -> bool {
        match self.kind() {
            TokenKind::Str { .. } | TokenKind::Int(_) | TokenKind::Ip6(_) => true,
            TokenKind::Sign(sign) => matches!(*sign, "[" | "(" | "*"),
            TokenKind::Word(word) if Protocol::from_word(word).is_some() => true,
            TokenKind::Word(word) => {
                let behind = self.host_length();
                !keywords::is_reserved(word)
                    && !self.at_block_header()
                    && !self.sign_ahead(behind, "=")
                    && !self.sign_ahead(behind, "[")
                    && !self.sign_ahead(behind, "(")
            }
            _ => false,
        }
    }

    fn bind(&mut self) -> Parsed<Bind> {
        let protocol = self.protocol()?;
        let hosts = if self.accept_sign("(") {
            let mut hosts = vec![self.address("an address")?];
            while self.accept_sign(",") {
                hosts.push(self.address("an address")?);
            }
            self.expect_sign(")", "after the addresses")?;
            hosts
        } else {
            vec![self.address("an address, a host name or an interface")?]
        };
        let port = self.colon_port()?;
        Ok(Bind {
            protocol,
            hosts,
            port,
        })
    }

    /// `udp:`, `*:` or nothing.
    fn protocol(&mut self) -> Parsed<Option<Protocol>> {
        if !self.sign_ahead(1, ":") {
            return Ok(None);
        }
        if self.accept_sign("*") {
            self.advance();
            return Ok(None);
        }
        let Some(word) = self.word().map(str::to_owned) else {
            return Ok(None);
        };
        if let Some(protocol) = Protocol::from_word(&word) {
            self.advance();
            self.advance();
            return Ok(Some(protocol));
        }
        // `name:5060` is a host with a port; anything else behind the colon makes this a wrong protocol.
        if matches!(self.ahead(2).kind, TokenKind::Int(_)) && !self.sign_ahead(3, ".")
            || self.sign_ahead(2, "*")
        {
            return Ok(None);
        }
        let close = nearest(&word, Protocol::ALL.iter().map(|protocol| protocol.name()));
        let error = Diagnostic::error(self.span(), format!("`{word}` is no protocol"));
        self.fail(error.suggest(close))
    }

    fn address(&mut self, what: &str) -> Parsed<Text> {
        match self.host() {
            Some(host) => Ok(host),
            None => self.expected(what),
        }
    }

    /// `:5060`, `:*` or nothing.
    fn colon_port(&mut self) -> Parsed<Option<u16>> {
        if !self.accept_sign(":") || self.accept_sign("*") {
            return Ok(None);
        }
        self.port().map(Some)
    }

    /// `[proto:]host[:port]`.
    fn endpoint(&mut self) -> Parsed<Endpoint> {
        let protocol = self.protocol()?;
        let host = self.address("an address or a host name")?;
        let port = self.colon_port()?;
        Ok(Endpoint {
            protocol,
            host,
            port,
        })
    }

    /// `alias = a.org:5060 "b.org" …`.
    pub(super) fn alias_list(&mut self) -> Parsed<()> {
        self.advance();
        self.expect_sign("=", "before the names")?;
        loop {
            let start = self.span();
            let endpoint = self.endpoint()?;
            let quoted = self.map.text(endpoint.host.span).first() == Some(&b'"');
            if quoted && endpoint.port.is_none() && endpoint.host.bytes.contains(&b':') {
                let warning = Diagnostic::warning(endpoint.host.span, "this never matches")
                    .help("the whole string is a host; write the port outside of the quotes");
                self.report(warning);
            }
            self.config.aliases.push(Alias {
                endpoint,
                span: self.since(start),
            });
            if self.at_sign(",") {
                let error = Diagnostic::error(self.span(), "names are separated by blanks");
                return self.fail(error);
            }
            if !self.at_another_address() {
                return Ok(());
            }
        }
    }

    /// `socket = { bind = udp:10.0.0.1:5060; name = "x"; … }`.
    pub(super) fn socket(&mut self) -> Parsed<()> {
        let start = self.span();
        self.advance();
        self.expect_sign("=", "after `socket`")?;
        self.expect_sign("{", "before the socket's attributes")?;
        let nothing = Bind {
            protocol: None,
            hosts: Vec::new(),
            port: None,
        };
        let mut socket = Self::bare_listen(nothing);
        let mut faulty = false;
        while !self.accept_sign("}") {
            if *self.kind() == TokenKind::End {
                return self.expected("`}` to close the socket");
            }
            if !self.accept_sign(";") && self.attribute(&mut socket).is_err() {
                faulty = true;
                while !matches!(self.kind(), TokenKind::Sign(";" | "}") | TokenKind::End) {
                    self.advance();
                }
            }
        }
        socket.span = self.since(start);
        if faulty {
            return Ok(());
        }
        if socket.hosts.is_empty() {
            let error = Diagnostic::error(socket.span, "this socket has no address");
            self.report(error.help("add `bind = udp:10.0.0.1:5060;`"));
            return Ok(());
        }
        self.config.listens.push(socket);
        Ok(())
    }

    fn attribute(&mut self, socket: &mut Listen) -> Parsed<()> {
        let Some(word) = self.word().map(str::to_owned) else {
            return self.expected("an attribute of the socket or `}`");
        };
        if !ATTRIBUTES.contains(&word.as_str()) {
            let error = Diagnostic::error(self.span(), format!("a socket has no `{word}`"));
            return self.fail(error.suggest(nearest(&word, ATTRIBUTES.iter().copied())));
        }
        self.advance();
        self.expect_sign("=", "after the attribute")?;
        match word.as_str() {
            "bind" => {
                let Bind {
                    protocol,
                    hosts,
                    port,
                } = self.bind()?;
                (socket.protocol, socket.hosts, socket.port) = (protocol, hosts, port);
            }
            "advertise" => socket.advertise = Some(self.endpoint()?),
            "name" => socket.name = Some(self.string("the socket's name in quotes")?),
            "agname" => socket.group = Some(self.string("the group's name in quotes")?),
            "vrf" => socket.vrf = Some(self.string("the routing domain in quotes")?),
            "workers" => match self.accept_int(false) {
                Some(workers) => socket.workers = Some(workers),
                None => return self.expected("a number"),
            },
            _ => match self.accept_int(false) {
                Some(value) => socket.virtual_address = value != 0,
                None => return self.expected("`yes` or `no`"),
            },
        }
        Ok(())
    }
}
