//! Headers that hold one address: From, To, identities, Refer-To, Diversion. Assignments to From and To are
//! changes of the outgoing message: the variables go on showing what was received.

use std::sync::Arc;

use engine::{KeyRule, Run, VariableRow};
use script::{Index, Key, SetError, Value};
use sip::{HeaderId, NameAddr, Tag, Uri};

use super::uri::{Part, part};
use super::value::{int, length, optional, refuse, text};
use crate::row::{reads, writes};

const NONE: KeyRule = KeyRule::None;

pub(super) const ROWS: &[VariableRow] = &[
    writes("fu", NONE, from_uri, set_from_uri, "The URI in From."),
    writes("from", NONE, from_uri, set_from_uri, "The URI in From."),
    writes("fU", NONE, from_user, set_from_user, "The user in From."),
    writes("fd", NONE, from_host, set_from_host, "The host in From."),
    writes(
        "fn",
        NONE,
        from_name,
        set_from_name,
        "The display name in From, with its quotes.",
    ),
    reads("ft", NONE, from_tag, "The tag in From."),
    reads("ful", NONE, from_length, "The length of the URI in From."),
    reads(
        "fUl",
        NONE,
        from_user_length,
        "The length of the user in From.",
    ),
    writes("tu", NONE, to_uri, set_to_uri, "The URI in To."),
    writes("to", NONE, to_uri, set_to_uri, "The URI in To."),
    writes("tU", NONE, to_user, set_to_user, "The user in To."),
    writes("td", NONE, to_host, set_to_host, "The host in To."),
    writes(
        "tn",
        NONE,
        to_name,
        set_to_name,
        "The display name in To, with its quotes.",
    ),
    reads("tt", NONE, to_tag, "The tag in To."),
    reads("tul", NONE, to_length, "The length of the URI in To."),
    reads("tUl", NONE, to_user_length, "The length of the user in To."),
    reads("tts", NONE, to_tag_state, "1 with a tag in To, 0 without."),
    reads("ai", NONE, asserted, "The URI in P-Asserted-Identity."),
    reads("pu", NONE, preferred, "The URI in P-Preferred-Identity."),
    reads(
        "pU",
        NONE,
        preferred_user,
        "The user in P-Preferred-Identity.",
    ),
    reads(
        "pd",
        NONE,
        preferred_host,
        "The host in P-Preferred-Identity.",
    ),
    reads(
        "pn",
        NONE,
        preferred_name,
        "The display name in P-Preferred-Identity.",
    ),
    reads(
        "pUl",
        NONE,
        preferred_user_length,
        "The length of the user in P-Preferred-Identity.",
    ),
    reads("re", NONE, remote_party, "The URI in Remote-Party-ID."),
    reads("rt", NONE, refer_to, "The URI in Refer-To."),
    reads("di", NONE, diversion, "The URI in the first Diversion."),
    reads(
        "dir",
        NONE,
        diversion_reason,
        "The reason in the first Diversion.",
    ),
    reads(
        "dip",
        NONE,
        diversion_privacy,
        "The privacy in the first Diversion.",
    ),
    reads(
        "dic",
        NONE,
        diversion_counter,
        "The counter in the first Diversion.",
    ),
];

#[derive(Clone, Copy)]
enum Side {
    From,
    To,
}

fn address(run: &Run, side: Side) -> Option<NameAddr<'_>> {
    match side {
        Side::From => run.msg.message.from(),
        Side::To => run.msg.message.to(),
    }
}

fn address_part(run: &Run, side: Side, which: Part) -> Value {
    match (address(run, side), which) {
        (None, _) => Value::Null,
        (Some(address), Part::Whole) => text(address.uri),
        (Some(address), Part::Length) => length(address.uri),
        (Some(address), which) => part(address.uri, which),
    }
}

macro_rules! getters {
    ($($name:ident $side:ident $part:ident;)*) => {$(
        fn $name(run: &mut Run, _: &Key, _: Index) -> Value {
            address_part(run, Side::$side, Part::$part)
        }
    )*};
}

getters! {
    from_uri From Whole;
    from_user From User;
    from_host From Host;
    from_length From Length;
    from_user_length From UserLength;
    to_uri To Whole;
    to_user To User;
    to_host To Host;
    to_length To Length;
    to_user_length To UserLength;
}

fn from_name(run: &mut Run, _: &Key, _: Index) -> Value {
    optional(run.msg.message.from().and_then(|from| from.display))
}

fn to_name(run: &mut Run, _: &Key, _: Index) -> Value {
    optional(run.msg.message.to().and_then(|to| to.display))
}

fn from_tag(run: &mut Run, _: &Key, _: Index) -> Value {
    optional(run.msg.message.from_tag().filter(|tag| !tag.is_empty()))
}

fn to_tag(run: &mut Run, _: &Key, _: Index) -> Value {
    optional(run.msg.message.to_tag().filter(|tag| !tag.is_empty()))
}

fn to_tag_state(run: &mut Run, _: &Key, _: Index) -> Value {
    let tag = run.msg.message.to_tag().unwrap_or_default();
    Value::from(!tag.is_empty())
}

/// Changes the URI; changes that were made to it before stay.
fn change_uri(
    run: &mut Run,
    side: Side,
    change: impl FnOnce(&Uri<'_>) -> Vec<u8>,
) -> Result<(), SetError> {
    let message = Arc::clone(&run.msg.message);
    let (address, tag) = match side {
        Side::From => (message.from(), Tag::From),
        Side::To => (message.to(), Tag::To),
    };
    let found = address.and_then(|address| Some((address.uri, message.span_of(address.uri)?)));
    let (received, span) = found.ok_or_else(|| refuse("the header can't be understood"))?;
    let now = run.msg.edits.replacement(span).unwrap_or(received);
    let uri = Uri::parse(now).map_err(|_| refuse("the URI in the header can't be understood"))?;
    let uri = change(&uri);
    run.msg.edits.replace(tag, span, &uri);
    Ok(())
}

/// Puts another display name in front; an empty one is removed.
fn change_name(run: &mut Run, side: Side, name: &[u8]) -> Result<(), SetError> {
    let message = Arc::clone(&run.msg.message);
    let (address, tag) = match side {
        Side::From => (message.from(), Tag::From),
        Side::To => (message.to(), Tag::To),
    };
    let address = address.ok_or_else(|| refuse("the header can't be understood"))?;
    if let Some(span) = address.display.and_then(|display| message.span_of(display)) {
        run.msg.edits.replace(tag, span, name);
        return Ok(());
    }
    if name.is_empty() {
        return Ok(());
    }
    let uri = message.span_of(address.uri);
    let uri = uri.ok_or_else(|| refuse("the header can't be understood"))?;
    let name = [name, b" "].concat();
    if address.bracketed {
        let whole = message
            .span_of(address.text)
            .map_or(uri.start, |span| span.start);
        run.msg.edits.insert_at(tag, whole, &name);
    } else {
        run.msg
            .edits
            .insert_at(tag, uri.start, &[&name[..], b"<"].concat());
        run.msg.edits.insert_at(tag, uri.end, b">");
    }
    Ok(())
}

fn set_uri(run: &mut Run, side: Side, value: &Value) -> Result<(), SetError> {
    let uri = value.to_str();
    if uri.is_empty() {
        return Err(refuse("the URI can't be removed"));
    }
    change_uri(run, side, |_| uri.to_vec())
}

fn set_user(run: &mut Run, side: Side, value: &Value) -> Result<(), SetError> {
    let user = value.to_str();
    change_uri(run, side, |uri| {
        uri.with_user((!user.is_empty()).then_some(&user[..]))
    })
}

fn set_host(run: &mut Run, side: Side, value: &Value) -> Result<(), SetError> {
    let host = value.to_str();
    if host.is_empty() {
        return Err(refuse("the host can't be removed"));
    }
    change_uri(run, side, |uri| uri.with_host(&host))
}

fn set_name(run: &mut Run, side: Side, value: &Value) -> Result<(), SetError> {
    change_name(run, side, &value.to_str())
}

macro_rules! setters {
    ($($name:ident $side:ident $set:ident;)*) => {$(
        fn $name(run: &mut Run, _: &Key, _: Index, value: Value) -> Result<(), SetError> {
            $set(run, Side::$side, &value)
        }
    )*};
}

setters! {
    set_from_uri From set_uri;
    set_from_user From set_user;
    set_from_host From set_host;
    set_from_name From set_name;
    set_to_uri To set_uri;
    set_to_user To set_user;
    set_to_host To set_host;
    set_to_name To set_name;
}

fn header_address(run: &Run, id: HeaderId) -> Option<NameAddr<'_>> {
    run.msg.message.value(id).and_then(NameAddr::parse)
}

fn header_uri(run: &Run, id: HeaderId) -> Value {
    optional(header_address(run, id).map(|address| address.uri))
}

fn asserted(run: &mut Run, _: &Key, _: Index) -> Value {
    header_uri(run, HeaderId::PAssertedIdentity)
}

fn preferred(run: &mut Run, _: &Key, _: Index) -> Value {
    header_uri(run, HeaderId::PPreferredIdentity)
}

fn preferred_part(run: &Run, which: Part) -> Value {
    match header_address(run, HeaderId::PPreferredIdentity) {
        Some(address) => part(address.uri, which),
        None => Value::Null,
    }
}

fn preferred_user(run: &mut Run, _: &Key, _: Index) -> Value {
    preferred_part(run, Part::User)
}

fn preferred_host(run: &mut Run, _: &Key, _: Index) -> Value {
    preferred_part(run, Part::Host)
}

fn preferred_user_length(run: &mut Run, _: &Key, _: Index) -> Value {
    preferred_part(run, Part::UserLength)
}

fn preferred_name(run: &mut Run, _: &Key, _: Index) -> Value {
    let address = header_address(run, HeaderId::PPreferredIdentity);
    optional(address.and_then(|address| address.display))
}

fn remote_party(run: &mut Run, _: &Key, _: Index) -> Value {
    header_uri(run, HeaderId::RemotePartyId)
}

fn refer_to(run: &mut Run, _: &Key, _: Index) -> Value {
    header_uri(run, HeaderId::ReferTo)
}

fn diversion(run: &mut Run, _: &Key, _: Index) -> Value {
    header_uri(run, HeaderId::Diversion)
}

fn diversion_param(run: &Run, name: &[u8]) -> Value {
    let address = header_address(run, HeaderId::Diversion);
    optional(address.and_then(|address| address.params.value(name)))
}

fn diversion_reason(run: &mut Run, _: &Key, _: Index) -> Value {
    diversion_param(run, b"reason")
}

fn diversion_privacy(run: &mut Run, _: &Key, _: Index) -> Value {
    diversion_param(run, b"privacy")
}

fn diversion_counter(run: &mut Run, _: &Key, _: Index) -> Value {
    match diversion_param(run, b"counter") {
        Value::Null => Value::Null,
        value => int(value.to_int().unwrap_or(0)),
    }
}
