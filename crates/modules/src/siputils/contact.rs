//! Contacts that point to us while the real address travels inside them.

use std::sync::Arc;

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind};
use sip::{HeaderId, NameAddr, Tag, Uri};

use super::State;
use super::base64;
use crate::row::{IN_REQUESTS, IN_REQUESTS_AND_REPLIES, function, param};

const TEXT: ParameterKind = ParameterKind::Str;
const ENCODE: &[Parameter] = &[param("encoding_prefix", TEXT), param("hostpart", TEXT)];
const PARAM_ENCODE: &[Parameter] = &[param("pname", TEXT), param("saddr", TEXT)];
const PARAM: &[Parameter] = &[param("pname", TEXT)];
const BOTH: script::Routes = IN_REQUESTS_AND_REPLIES;
const HEADER_ROUTES: script::Routes = IN_REQUESTS_AND_REPLIES.or(script::Routes::FAILURE);

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "encode_contact",
        ENCODE,
        BOTH,
        encode_contact,
        "Hides the address of Contact in the user of a URI at this host.",
    ),
    function(
        "decode_contact",
        &[],
        IN_REQUESTS,
        decode_contact,
        "Takes such an address out of the Request-URI.",
    ),
    function(
        "decode_contact_header",
        &[],
        HEADER_ROUTES,
        decode_contact_header,
        "Takes such addresses out of Contact.",
    ),
    function(
        "contact_param_encode",
        PARAM_ENCODE,
        BOTH,
        param_encode,
        "Hides the URI of Contact in a parameter of another URI.",
    ),
    function(
        "contact_param_decode",
        PARAM,
        BOTH,
        param_decode,
        "Takes such URIs out of Contact.",
    ),
    function(
        "contact_param_decode_ruri",
        PARAM,
        IN_REQUESTS,
        param_decode_uri,
        "Takes such a URI out of the Request-URI.",
    ),
    function(
        "contact_param_decode_uri",
        PARAM,
        IN_REQUESTS,
        param_decode_uri,
        "The same as `contact_param_decode_ruri`.",
    ),
    function(
        "contact_param_rm",
        PARAM,
        BOTH,
        param_remove,
        "Removes a parameter from the URIs in Contact.",
    ),
];

/// Gives each URI in Contact what `change` makes of it. Fails when there is none, or one can't be changed.
fn change_contacts(
    run: &mut Run,
    change: impl Fn(&Uri<'_>) -> Option<Vec<u8>>,
) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let mut any = false;
    for value in message.values(HeaderId::Contact) {
        let Some(contact) = NameAddr::parse(value.text).filter(|contact| !contact.is_star()) else {
            return Outcome::Code(-1);
        };
        let changed = contact.parse_uri().ok().and_then(|uri| change(&uri));
        let span = message.span_of(contact.uri);
        let (Some(uri), Some(span)) = (changed, span) else {
            return Outcome::Code(-1);
        };
        let uri = if contact.bracketed {
            uri
        } else {
            [b"<", &uri[..], b">"].concat()
        };
        run.msg.edits.replace(Tag::Contact, span, &uri);
        any = true;
    }
    Outcome::Code(if any { 1 } else { -1 })
}

fn separator(run: &Run) -> u8 {
    run.state::<State>().contact_separator
}

/// `sip:user:password@host:port;transport=t` as `sip:prefix*user*password*host*port*t@us`.
fn encode(uri: &Uri<'_>, prefix: &[u8], host: &[u8], separator: u8) -> Vec<u8> {
    let port = uri.port.map(|port| port.to_string()).unwrap_or_default();
    let fields = [
        prefix,
        uri.user.unwrap_or_default(),
        uri.password.unwrap_or_default(),
        uri.host,
        port.as_bytes(),
        uri.transport().unwrap_or_default(),
    ];
    [b"sip:", &fields.join(&separator)[..], b"@", host].concat()
}

/// What `encode` hid; nothing if the URI is no such one.
fn decode(uri: &Uri<'_>, separator: u8) -> Option<Vec<u8>> {
    let fields: Vec<&[u8]> = uri.user?.split(|byte| *byte == separator).collect();
    let [_, user, password, host, port, transport] = fields[..] else {
        return None;
    };
    if host.is_empty() {
        return None;
    }
    let mut out = b"sip:".to_vec();
    let mut put = |before: &[u8], text: &[u8], after: &[u8]| {
        if !text.is_empty() {
            out.extend_from_slice(before);
            out.extend_from_slice(text);
            out.extend_from_slice(after);
        }
    };
    let with_password = if user.is_empty() { &[] } else { password };
    put(b"", user, b"");
    put(b":", with_password, b"");
    put(b"", if user.is_empty() { b"" } else { b"@" }, b"");
    put(b"", host, b"");
    put(b":", port, b"");
    put(b";transport=", transport, b"");
    Uri::parse(&out).is_ok().then_some(out)
}

fn encode_contact(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let separator = separator(run);
    let (prefix, host) = (args.str(0), args.str(1));
    change_contacts(run, |uri| Some(encode(uri, prefix, host, separator)))
}

fn change_request_uri(
    run: &mut Run,
    change: impl FnOnce(&Uri<'_>) -> Option<Vec<u8>>,
) -> Outcome<Pending> {
    let changed = Uri::parse(run.msg.uri()).ok().and_then(|uri| change(&uri));
    let Some(uri) = changed else {
        return Outcome::Code(-1);
    };
    run.msg.set_uri(uri);
    Outcome::Code(1)
}

fn decode_contact(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let separator = separator(run);
    change_request_uri(run, |uri| decode(uri, separator))
}

fn decode_contact_header(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let separator = separator(run);
    change_contacts(run, |uri| decode(uri, separator))
}

fn param_encode(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (name, server) = (args.str(0), args.str(1));
    change_contacts(run, |uri| {
        let hidden = base64::encode_url(uri.text);
        Some([&server[..], b";", &name[..], b"=", &hidden[..]].concat())
    })
}

fn hidden(uri: &Uri<'_>, name: &[u8]) -> Option<Vec<u8>> {
    let uri = base64::decode_url(uri.param(name)??)?;
    Uri::parse(&uri).is_ok().then_some(uri)
}

fn param_decode(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(0);
    change_contacts(run, |uri| {
        Some(hidden(uri, name).unwrap_or_else(|| uri.text.to_vec()))
    })
}

fn param_decode_uri(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(0);
    change_request_uri(run, |uri| hidden(uri, name))
}

fn param_remove(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(0);
    change_contacts(run, |uri| Some(uri.without_param(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_found_again() {
        for text in [
            "sip:bob:pw@10.0.0.1:5070;transport=tcp",
            "sip:bob@10.0.0.1",
            "sip:10.0.0.1:5070",
        ] {
            let uri = Uri::parse(text.as_bytes()).expect("a URI");
            let encoded = encode(&uri, b"nat", b"1.2.3.4", b'*');
            let shown = Uri::parse(&encoded).expect("a URI");
            assert_eq!(shown.host, b"1.2.3.4");
            assert_eq!(decode(&shown, b'*'), Some(text.as_bytes().to_vec()));
        }
        let other = Uri::parse(b"sip:a*b@c").expect("a URI");
        assert_eq!(decode(&other, b'*'), None);
    }
}
