//! Digest credentials: `$au` and its kin, from Proxy-Authorization, else from Authorization.

use engine::{KeyRule, Run, VariableRow};
use script::{Index, Key, Value};
use sip::{Credentials, HeaderId};

use super::uri::{Part, part};
use super::value::{optional, text};
use crate::row::reads;

const NONE: KeyRule = KeyRule::None;

pub(super) const ROWS: &[VariableRow] = &[
    reads(
        "au",
        NONE,
        user,
        "The user in the credentials, without domain.",
    ),
    reads("aU", NONE, username, "The username in the credentials."),
    reads(
        "ad",
        NONE,
        domain,
        "The domain of the username in the credentials.",
    ),
    reads("ar", NONE, realm, "The realm in the credentials."),
    reads("aa", NONE, algorithm, "The algorithm in the credentials."),
    reads("adu", NONE, uri, "The URI in the credentials."),
    reads("adn", NONE, nonce, "The nonce in the credentials."),
    reads(
        "adc",
        NONE,
        cnonce,
        "The client's nonce in the credentials.",
    ),
    reads("adr", NONE, response, "The response in the credentials."),
    reads("ado", NONE, opaque, "The opaque value in the credentials."),
    reads("Au", NONE, account, "Who is to pay: user@domain of From."),
    reads("AU", NONE, account_user, "Who is to pay: the user in From."),
];

fn credentials(run: &Run) -> Option<Credentials<'_>> {
    let message = &run.msg.message;
    let value = message
        .value(HeaderId::ProxyAuthorization)
        .or_else(|| message.value(HeaderId::Authorization))?;
    Credentials::parse(value).filter(Credentials::is_digest)
}

fn field(run: &Run, name: &[u8]) -> Value {
    let value = credentials(run).and_then(|credentials| credentials.field(name));
    optional(value.as_deref().filter(|value| !value.is_empty()))
}

macro_rules! fields {
    ($($name:ident $field:literal;)*) => {$(
        fn $name(run: &mut Run, _: &Key, _: Index) -> Value {
            field(run, $field)
        }
    )*};
}

fields! {
    username b"username";
    realm b"realm";
    algorithm b"algorithm";
    uri b"uri";
    nonce b"nonce";
    cnonce b"cnonce";
    response b"response";
    opaque b"opaque";
}

fn split_username(run: &Run) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let username = credentials(run)?.username()?;
    let mut parts = username.splitn(2, |byte| *byte == b'@');
    let user = parts.next()?.to_vec();
    Some((user, parts.next().map(<[u8]>::to_vec)))
}

fn user(run: &mut Run, _: &Key, _: Index) -> Value {
    split_username(run).map_or(Value::Null, |(user, _)| Value::from(user))
}

fn domain(run: &mut Run, _: &Key, _: Index) -> Value {
    split_username(run)
        .and_then(|(_, domain)| domain)
        .map_or(Value::Null, Value::from)
}

fn account(run: &mut Run, _: &Key, _: Index) -> Value {
    let from = run.msg.message.from();
    let uri = from.and_then(|from| from.parse_uri().ok());
    uri.map_or(Value::Null, |uri| text(&uri.aor()))
}

fn account_user(run: &mut Run, _: &Key, _: Index) -> Value {
    let from = run.msg.message.from();
    from.map_or(Value::Null, |from| part(from.uri, Part::User))
}
