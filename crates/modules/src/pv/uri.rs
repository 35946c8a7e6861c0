//! The Request-URI, the one as received, and the next hop: `$ru`, `$ou`, `$du`, `$nh()` and their parts.

use engine::{KeyRule, Run, VariableRow};
use script::{Index, Key, KeySpec, SetError, Value};
use sip::{Scheme, Uri};

use super::value::{attribute, attribute_name, in_request, int, length, optional, refuse, text};
use crate::row::{reads, writes};

const NONE: KeyRule = KeyRule::None;

pub(super) const ROWS: &[VariableRow] = &[
    writes("ru", NONE, ru, set_ru, "The Request-URI."),
    writes("ruri", NONE, ru, set_ru, "The Request-URI."),
    writes(
        "rU",
        NONE,
        ru_user,
        set_user,
        "The user of the Request-URI.",
    ),
    writes(
        "rd",
        NONE,
        ru_host,
        set_host,
        "The host of the Request-URI.",
    ),
    writes(
        "rp",
        NONE,
        ru_port,
        set_port,
        "The port of the Request-URI.",
    ),
    reads(
        "rP",
        NONE,
        ru_transport,
        "The transport parameter of the Request-URI.",
    ),
    reads("rz", NONE, ru_scheme, "The scheme of the Request-URI."),
    reads("rul", NONE, ru_length, "The length of the Request-URI."),
    reads(
        "rUl",
        NONE,
        ru_user_length,
        "The length of the Request-URI's user.",
    ),
    reads("ou", NONE, ou, "The Request-URI as received."),
    reads("ouri", NONE, ou, "The Request-URI as received."),
    reads("oU", NONE, ou_user, "The user of the received Request-URI."),
    reads("od", NONE, ou_host, "The host of the received Request-URI."),
    reads("op", NONE, ou_port, "The port of the received Request-URI."),
    reads(
        "oP",
        NONE,
        ou_transport,
        "The transport parameter of the received Request-URI.",
    ),
    reads(
        "oul",
        NONE,
        ou_length,
        "The length of the received Request-URI.",
    ),
    reads(
        "oUl",
        NONE,
        ou_user_length,
        "The length of the received Request-URI's user.",
    ),
    writes(
        "du",
        NONE,
        du,
        set_du,
        "The next hop, when it is not the Request-URI.",
    ),
    writes(
        "duri",
        NONE,
        du,
        set_du,
        "The next hop, when it is not the Request-URI.",
    ),
    reads("dd", NONE, du_host, "The host of the next hop."),
    reads("dp", NONE, du_port, "The port of the next hop."),
    reads(
        "dP",
        NONE,
        du_transport,
        "The transport parameter of the next hop.",
    ),
    reads(
        "nh",
        KeyRule::Resolve(next_hop_key),
        next_hop,
        "A part of `$du` if set, else of `$ru`.",
    ),
];

/// A part of a URI.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Whole,
    User,
    Host,
    Port,
    Transport,
    Scheme,
    Length,
    UserLength,
}

/// The part of a URI, nothing if it can't be understood.
pub(super) fn part(uri: &[u8], part: Part) -> Value {
    let Ok(uri) = Uri::parse(uri) else {
        return Value::Null;
    };
    let not_empty = |bytes: &[u8]| match bytes {
        [] => Value::Null,
        bytes => text(bytes),
    };
    match part {
        Part::Whole => text(uri.text),
        Part::User => optional(uri.user),
        Part::Host => not_empty(uri.host),
        Part::Port => int(uri.port_or_default()),
        Part::Transport => text(uri.transport().unwrap_or(b"UDP")),
        Part::Scheme => text(uri.scheme_text),
        Part::Length => length(uri.text),
        Part::UserLength => length(uri.user.unwrap_or_default()),
    }
}

fn current(run: &Run, which: Part) -> Value {
    if in_request(run) {
        part(run.msg.uri(), which)
    } else {
        Value::Null
    }
}

fn received(run: &Run, which: Part) -> Value {
    if in_request(run) {
        part(run.msg.message.request_uri(), which)
    } else {
        Value::Null
    }
}

fn hop(run: &Run, which: Part) -> Value {
    match &run.msg.target.next_hop {
        Some(uri) => part(uri, which),
        None => Value::Null,
    }
}

/// The scheme; with `phone2tel`, `user=phone` makes a `sip` URI a `tel` one.
fn ru_scheme(run: &mut Run, _: &Key, _: Index) -> Value {
    let is_phone = |uri: &Uri<'_>| {
        let user = uri.param(b"user").flatten();
        user.is_some_and(|user| user.eq_ignore_ascii_case(b"phone"))
    };
    if run.engine.settings.phone2tel
        && let Ok(uri) = Uri::parse(run.msg.uri())
        && is_phone(&uri)
    {
        return match uri.scheme {
            Scheme::Sip => text(b"tel"),
            Scheme::Sips => text(b"tels"),
            _ => text(uri.scheme_text),
        };
    }
    current(run, Part::Scheme)
}

macro_rules! getters {
    ($($name:ident $of:ident $part:ident;)*) => {$(
        fn $name(run: &mut Run, _: &Key, _: Index) -> Value {
            $of(run, Part::$part)
        }
    )*};
}

getters! {
    ru current Whole;
    ru_user current User;
    ru_host current Host;
    ru_port current Port;
    ru_transport current Transport;
    ru_length current Length;
    ru_user_length current UserLength;
    ou received Whole;
    ou_user received User;
    ou_host received Host;
    ou_port received Port;
    ou_transport received Transport;
    ou_length received Length;
    ou_user_length received UserLength;
    du_host hop Host;
    du_port hop Port;
    du_transport hop Transport;
}

fn du(run: &mut Run, _: &Key, _: Index) -> Value {
    optional(run.msg.target.next_hop.as_deref())
}

fn set_ru(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
    if value.is_null() {
        return Err(refuse("the Request-URI can't be removed"));
    }
    run.msg.set_uri(value.to_str().to_vec());
    Ok(())
}

fn rewrite(run: &mut Run, change: impl FnOnce(&Uri<'_>) -> Vec<u8>) -> Result<(), SetError> {
    let changed = Uri::parse(run.msg.uri()).ok().map(|uri| change(&uri));
    let uri = changed.ok_or_else(|| refuse("the Request-URI can't be understood"))?;
    run.msg.set_uri(uri);
    Ok(())
}

fn set_user(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let user = value.to_str();
    rewrite(run, |uri| {
        uri.with_user((!user.is_empty()).then_some(&user[..]))
    })
}

fn set_host(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let host = value.to_str();
    if host.is_empty() {
        return Err(refuse("the host of the Request-URI can't be removed"));
    }
    rewrite(run, |uri| uri.with_host(&host))
}

fn set_port(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let port = match value {
        Value::Null => None,
        value => match value.to_int().and_then(|port| u16::try_from(port).ok()) {
            Some(port) => Some(port),
            None if value.to_str().is_empty() => None,
            None => return Err(refuse("a port is a number from 0 to 65535")),
        },
    };
    rewrite(run, |uri| uri.with_port(port))
}

fn set_du(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let uri = value.to_str();
    run.msg.target.next_hop = (!uri.is_empty()).then(|| uri.to_vec());
    Ok(())
}

const NEXT_HOP: &[&str] = &["u", "U", "d", "p", "P"];

fn next_hop_key(_: &engine::Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(NEXT_HOP, inner)
}

fn next_hop(run: &mut Run, key: &Key, _: Index) -> Value {
    if !in_request(run) {
        return Value::Null;
    }
    let which = match attribute_name(NEXT_HOP, key) {
        "u" => Part::Whole,
        "U" => Part::User,
        "d" => Part::Host,
        "p" => Part::Port,
        _ => Part::Transport,
    };
    part(run.msg.next_hop(), which)
}
