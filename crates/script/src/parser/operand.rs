//! Core operands (`uri`, `src_ip` …), what they may be compared with, and addresses as they are written.

use std::net::{IpAddr, Ipv4Addr};

use super::expression::binary_operator;
use super::{Parsed, Parser, keywords, word_of};
use crate::ast::{BinaryOp, Expr, ExprKind, Network, Operand, Protocol, Text};
use crate::diagnostic::Diagnostic;
use crate::lexer::{Token, TokenKind};
use crate::source::Span;

/// What an operand is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Method,
    Text,
    Uri,
    Address,
    Number,
    Protocol,
    Family,
}

/// Every operand: its spellings and its class.
const OPERANDS: &[(&str, Operand, Class)] = &[
    ("method", Operand::Method, Class::Method),
    ("uri", Operand::Uri, Class::Uri),
    ("from_uri", Operand::FromUri, Class::Uri),
    ("to_uri", Operand::ToUri, Class::Uri),
    ("status", Operand::Status, Class::Text),
    ("src_ip", Operand::SrcIp, Class::Address),
    ("dst_ip", Operand::DstIp, Class::Address),
    ("src_port", Operand::SrcPort, Class::Number),
    ("dst_port", Operand::DstPort, Class::Number),
    ("proto", Operand::Proto, Class::Protocol),
    ("af", Operand::Af, Class::Family),
    ("snd_ip", Operand::SndIp, Class::Address),
    ("snd_port", Operand::SndPort, Class::Number),
    ("snd_proto", Operand::SndProto, Class::Protocol),
    ("to_proto", Operand::SndProto, Class::Protocol),
    ("snd_af", Operand::SndAf, Class::Family),
    ("to_ip", Operand::ToIp, Class::Address),
    ("to_port", Operand::ToPort, Class::Number),
];

impl Class {
    fn allows(self, op: BinaryOp) -> bool {
        use BinaryOp::{
            Equal, Greater, GreaterEqual, Less, LessEqual, Match, NotEqual, StrEqual, StrNotEqual,
        };
        match self {
            Self::Method | Self::Text | Self::Uri => {
                matches!(op, Equal | NotEqual | Match | StrEqual | StrNotEqual)
            }
            Self::Address => matches!(op, Equal | NotEqual | Match),
            Self::Number | Self::Family => {
                matches!(
                    op,
                    Equal | NotEqual | Less | Greater | LessEqual | GreaterEqual
                )
            }
            Self::Protocol => matches!(op, Equal | NotEqual),
        }
    }

    const fn operators(self) -> &'static str {
        match self {
            Self::Method | Self::Text | Self::Uri | Self::Address => "`==`, `!=` or `=~`",
            Self::Number | Self::Family => "`==`, `!=`, `<`, `>`, `<=` or `>=`",
            Self::Protocol => "`==` or `!=`",
        }
    }
}

impl Parser<'_> {
    /// Whether a core operand or `myself` comes next.
    pub(super) fn at_operand(&self) -> bool {
        !self.sign_ahead(1, "(") && (self.at_word("myself") || self.operand_here().is_some())
    }

    fn operand_here(&self) -> Option<(Operand, Class, usize)> {
        let word = self.word()?;
        if word == "msg" && self.sign_ahead(1, ":") && word_of(self.ahead(2)) == Some("len") {
            return Some((Operand::MsgLen, Class::Number, 3));
        }
        let (_, operand, class) = OPERANDS.iter().find(|(name, ..)| *name == word)?;
        Some((*operand, *class, 1))
    }

    /// An operand with its comparison: `src_ip == 10.0.0.0/8`.
    pub(super) fn operand_test(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if self.accept_word("myself") {
            return self.myself_test(start);
        }
        let Some((operand, class, tokens)) = self.operand_here() else {
            return self.expected("an operand");
        };
        for _ in 0..tokens {
            self.advance();
        }
        let left = Expr {
            kind: ExprKind::Operand(operand),
            span: self.since(start),
        };
        let Some((op, _)) = binary_operator(self.kind()).filter(|(op, _)| class.allows(*op)) else {
            return self.expected(class.operators());
        };
        self.advance();
        let right = self.nested(|p| p.right_side(class, op))?;
        self.test(left, op, right)
    }

    fn test(&self, left: Expr, op: BinaryOp, right: Expr) -> Parsed<Expr> {
        let span = left.span.to(right.span, self.map);
        Ok(Expr {
            kind: ExprKind::Binary(op, Box::new(left), Box::new(right)),
            span,
        })
    }

    /// `myself == uri`, told as `uri == myself`.
    fn myself_test(&mut self, start: Span) -> Parsed<Expr> {
        let myself = Expr {
            kind: ExprKind::Myself,
            span: start,
        };
        let Some((op @ (BinaryOp::Equal | BinaryOp::NotEqual), _)) = binary_operator(self.kind())
        else {
            return self.expected("`==` or `!=`");
        };
        self.advance();
        match self.operand_here() {
            Some((operand, Class::Uri | Class::Address, _)) => {
                let span = self.span();
                self.advance();
                let operand = Expr {
                    kind: ExprKind::Operand(operand),
                    span,
                };
                let mut test = self.test(operand, op, myself)?;
                test.span = self.since(start);
                Ok(test)
            }
            _ => self.expected("`uri`, `from_uri`, `to_uri` or an address operand"),
        }
    }

    fn right_side(&mut self, class: Class, op: BinaryOp) -> Parsed<Expr> {
        let span = self.span();
        let plain = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
        let may_be_myself = matches!(class, Class::Uri | Class::Address) && plain;
        let kind = match self.word().map(str::to_owned) {
            Some(word) if word == "myself" && may_be_myself => ExprKind::Myself,
            Some(word) if class == Class::Method && !self.sign_ahead(1, "(") => {
                ExprKind::Str(word.as_bytes().into())
            }
            Some(word) if class == Class::Protocol => match Protocol::from_word(&word) {
                Some(protocol) => ExprKind::Protocol(protocol),
                None => return self.expected("`UDP`, `TCP`, `TLS`, `SCTP`, `WS` or `WSS`"),
            },
            Some(word) if class == Class::Family => match keywords::family(&word) {
                Some(family) => ExprKind::Family(family),
                None => return self.expected("`INET` or `INET6`"),
            },
            _ if class == Class::Address => return self.address_side(),
            _ => return self.value_side(class),
        };
        self.advance();
        Ok(Expr { kind, span })
    }

    fn value_side(&mut self, class: Class) -> Parsed<Expr> {
        let right = self.binary(10)?;
        if class == Class::Protocol && matches!(right.kind, ExprKind::Str(_)) {
            let warning = Diagnostic::warning(right.span, "a protocol never equals a string");
            self.report(warning.help("write it without quotes: `proto == UDP`"));
        }
        Ok(right)
    }

    fn address_side(&mut self) -> Parsed<Expr> {
        let span = self.span();
        if let Some(network) = self.network()? {
            return Ok(Expr {
                kind: ExprKind::Network(network),
                span: self.since(span),
            });
        }
        let is_name = self.word().is_some() && !self.sign_ahead(1, "(");
        if is_name && let Some(name) = self.host() {
            return Ok(Expr {
                kind: ExprKind::Str(name.bytes),
                span,
            });
        }
        self.binary(10)
    }

    /// `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `[::1]`, `2001:db8::/32`.
    fn network(&mut self) -> Parsed<Option<Network>> {
        let Some(address) = self.ip() else {
            return Ok(None);
        };
        let width = if address.is_ipv4() { 32 } else { 128 };
        if !self.accept_sign("/") {
            return Ok(Some(Network {
                address,
                prefix: width,
            }));
        }
        let span = self.span();
        if let Some(mask) = self.ip() {
            return match prefix_of(mask).filter(|_| mask.is_ipv4() == address.is_ipv4()) {
                Some(prefix) => Ok(Some(Network { address, prefix })),
                None => {
                    let error = Diagnostic::error(self.since(span), "this is no network mask");
                    self.fail(error)
                }
            };
        }
        let prefix = self.accept_int(false).and_then(|n| u8::try_from(n).ok());
        match prefix.filter(|prefix| *prefix <= width) {
            Some(prefix) => Ok(Some(Network { address, prefix })),
            None => {
                let fault = format!("a network's length is between 0 and {width}");
                self.fail(Diagnostic::error(span, fault))
            }
        }
    }

    /// An address, with or without brackets.
    fn ip(&mut self) -> Option<IpAddr> {
        if self.at_sign("[") {
            let TokenKind::Ip6(address) = self.ahead(1).kind else {
                return None;
            };
            if !self.sign_ahead(2, "]") {
                return None;
            }
            self.at += 2;
            self.advance();
            return Some(address.into());
        }
        if let TokenKind::Ip6(address) = *self.kind() {
            self.advance();
            return Some(address.into());
        }
        let part = |n| match self.ahead(n).kind {
            TokenKind::Int(value) => u8::try_from(value).ok(),
            _ => None,
        };
        if ![1, 3, 5].into_iter().all(|n| self.sign_ahead(n, ".")) {
            return None;
        }
        let address = Ipv4Addr::new(part(0)?, part(2)?, part(4)?, part(6)?);
        self.at += 6;
        self.advance();
        Some(address.into())
    }

    /// A host name, an address or a string. Brackets are dropped.
    pub(super) fn host(&mut self) -> Option<Text> {
        let start = self.span();
        if let Some(text) = self.accept_string() {
            return Some(text);
        }
        if self.at_sign("[") || matches!(self.kind(), TokenKind::Ip6(_)) {
            let address = self.ip()?.to_string();
            return Some(Text {
                bytes: address.as_bytes().into(),
                span: self.since(start),
            });
        }
        let length = self.host_length();
        if length == 0 {
            return None;
        }
        let mut bytes = Vec::new();
        for _ in 0..length {
            self.push_text(&mut bytes);
        }
        Some(Text {
            bytes: bytes.into(),
            span: self.since(start),
        })
    }

    /// How many tokens from here on are a host name or an IPv4 address: words, numbers, dots and dashes that
    /// touch each other.
    pub(super) fn host_length(&self) -> usize {
        let is_name = |token: &Token| matches!(token.kind, TokenKind::Word(_) | TokenKind::Int(_));
        if !is_name(self.ahead(0)) {
            return 0;
        }
        (1..).find(|n| !is_host_part(self.ahead(*n))).unwrap_or(0)
    }

    /// Takes one token as it is written.
    pub(super) fn push_text(&mut self, out: &mut Vec<u8>) {
        match self.kind() {
            TokenKind::Word(word) => out.extend_from_slice(word.as_bytes()),
            TokenKind::Sign(sign) => out.extend_from_slice(sign.as_bytes()),
            TokenKind::Ip6(address) => out.extend_from_slice(address.to_string().as_bytes()),
            _ => out.extend_from_slice(self.map.text(self.span())),
        }
        self.advance();
    }
}

fn is_host_part(token: &Token) -> bool {
    let part = matches!(
        token.kind,
        TokenKind::Word(_) | TokenKind::Int(_) | TokenKind::Sign("." | "-")
    );
    part && !token.spaced
}

/// The length of a mask: 8 for 255.0.0.0.
fn prefix_of(mask: IpAddr) -> Option<u8> {
    let (bits, width) = match mask {
        IpAddr::V4(mask) => (u128::from(u32::from(mask)) << 96, 32),
        IpAddr::V6(mask) => (u128::from(mask), 128),
    };
    let ones = bits.leading_ones();
    (bits.count_ones() == ones && ones <= width).then_some(ones as u8)
}
