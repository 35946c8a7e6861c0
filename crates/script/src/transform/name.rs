//! `nameaddr.…` and `tobody.…`: the value of a From or To header, `"Alice" <sip:a@b>;tag=1`.

use super::param;
use super::string::trimmed;
use super::uri::Uri;
use super::{Failed, Row, Syntax};
use crate::value::Value;

pub(super) const ROWS: &[Row] = &[
    Row::new("nameaddr.name", Syntax::None, |value, _| {
        part(&value, false, |it| it.name.into())
    }),
    Row::new("nameaddr.uri", Syntax::None, |value, _| {
        part(&value, false, |it| it.uri.into())
    }),
    Row::new("nameaddr.len", Syntax::None, |value, _| {
        part(&value, false, |it| Value::Int(it.length))
    }),
    Row::new("tobody.uri", Syntax::None, |value, _| {
        part(&value, true, |it| it.uri.into())
    }),
    Row::new("tobody.display", Syntax::None, |value, _| {
        part(&value, true, |it| trimmed(it.name, true, true).into())
    }),
    Row::new("tobody.params", Syntax::None, |value, _| {
        part(&value, true, |it| it.params.into())
    }),
    Row::new("tobody.tag", Syntax::None, |value, _| {
        part(&value, true, |it| it.tag().into())
    }),
    Row::new("tobody.user", Syntax::None, |value, _| {
        part(&value, true, |it| {
            Uri::parse(it.uri)
                .map_or(b"".as_slice(), |uri| uri.user)
                .into()
        })
    }),
    Row::new("tobody.host", Syntax::None, |value, _| {
        part(&value, true, |it| {
            Uri::parse(it.uri)
                .map_or(b"".as_slice(), |uri| uri.host)
                .into()
        })
    }),
];

struct NameAddress<'t> {
    /// As written, with quotes and the blank before `<`.
    name: &'t [u8],
    uri: &'t [u8],
    params: &'t [u8],
    /// Of the name and the address.
    length: i64,
}

fn part(
    value: &Value,
    header: bool,
    pick: impl FnOnce(&NameAddress<'_>) -> Value,
) -> Result<Value, Failed> {
    value.with_bytes(|text| {
        NameAddress::parse(text, header)
            .map(|it| pick(&it))
            .ok_or(Failed("it is not an address"))
    })
}

impl<'t> NameAddress<'t> {
    /// Without brackets parameters belong to the URI, except in a `header`'s value (RFC 3261 §20).
    fn parse(text: &'t [u8], header: bool) -> Option<Self> {
        let text = trimmed(text, true, true);
        if text.is_empty() {
            return None;
        }
        let Some(open) = open_bracket(text) else {
            let end = match memchr::memchr(b';', text) {
                Some(at) if header => at,
                _ => text.len(),
            };
            let params = text.get(end + 1..).unwrap_or(&[]);
            return Some(Self {
                name: b"",
                uri: &text[..end],
                params,
                length: end as i64,
            });
        };
        let close = open + memchr::memchr(b'>', &text[open..])?;
        let behind = trimmed(&text[close + 1..], true, false);
        Some(Self {
            name: &text[..open],
            uri: &text[open + 1..close],
            params: behind.strip_prefix(b";").unwrap_or(behind),
            length: close as i64 + 1,
        })
    }

    fn tag(&self) -> &'t [u8] {
        let list = param::parse(self.params, b';');
        let tag = list
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(b"tag"));
        tag.map_or(b"", |(_, value)| value)
    }
}

/// The first `<` that is not in quotes.
fn open_bracket(text: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}
