//! The checks one by one. Nothing here knows of a script or sends anything.

use sip::{Credentials, HeaderId, Message, Method, NameAddr, Params, Scheme, Uri};

/// Why a message is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    /// What to name in Unsupported.
    pub(super) unsupported: Option<Vec<u8>>,
}

type Check = fn(&Message, i64, &[&[u8]]) -> Result<(), Refusal>;

/// Each check with its bit, in the order in which they are made. The bits 8 and 16 mean nothing.
const CHECKS: &[(i64, Check)] = &[
    (1, version),
    (2, scheme),
    (4, required_headers),
    (16384, via),
    (32, cseq_method),
    (64, cseq_value),
    (128, content_length),
    (256, expires),
    (512, proxy_require),
    (1024, uris),
    (2048, digest),
    (4096, tags),
    (8192, authorization),
];

/// Makes the checks of the mask `wanted`; `uris` are the URIs that bit 1024 is about.
pub(super) fn check(
    message: &Message,
    wanted: i64,
    uris: i64,
    supported: &[&[u8]],
) -> Result<(), Refusal> {
    let mut chosen = CHECKS.iter().filter(|(bit, _)| wanted & bit != 0);
    chosen.try_for_each(|(_, check)| check(message, uris, supported))
}

const fn refuse(code: u16, reason: &'static str) -> Result<(), Refusal> {
    Err(Refusal {
        code,
        reason,
        unsupported: None,
    })
}

fn version(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    if message.version().eq_ignore_ascii_case(b"SIP/2.0") {
        Ok(())
    } else {
        refuse(505, "Version Not Supported (R-URI)")
    }
}

fn scheme(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    if !message.is_request() {
        return Ok(());
    }
    match message.parse_request_uri() {
        Err(_) => refuse(400, "Bad Request URI"),
        Ok(uri) if uri.scheme == Scheme::Other && !uri.scheme_text.eq_ignore_ascii_case(b"urn") => {
            refuse(416, "Unsupported URI Scheme in R-URI")
        }
        Ok(_) => Ok(()),
    }
}

fn required_headers(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    match message.missing() {
        Some(_) => refuse(400, "Missing Required Header in Request"),
        None => Ok(()),
    }
}

fn via(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    match message.top_via() {
        Some(_) => Ok(()),
        None => refuse(400, "Bad Via Header"),
    }
}

fn cseq_method(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    if !message.is_request() {
        return Ok(());
    }
    match message.cseq() {
        None => refuse(400, "Missing method in CSeq header"),
        Some(cseq) if cseq.method_bytes != message.method_bytes() => {
            refuse(400, "CSeq method does not match request method")
        }
        Some(_) => Ok(()),
    }
}

fn cseq_value(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    match message.cseq() {
        Some(_) => Ok(()),
        None => refuse(400, "CSeq number is illegal"),
    }
}

fn content_length(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    let Some(value) = message.value(HeaderId::ContentLength) else {
        return Ok(());
    };
    let declared = sip::number(value).is_some_and(|length| length as usize == message.body().len());
    if declared && !message.had_surplus() {
        Ok(())
    } else {
        refuse(400, "Content-Length mis-match")
    }
}

fn expires(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    let value = message.value(HeaderId::Expires);
    if value.is_none_or(|value| sip::number(value).is_some()) {
        Ok(())
    } else {
        refuse(400, "Expires value is illegal")
    }
}

fn proxy_require(message: &Message, _: i64, supported: &[&[u8]]) -> Result<(), Refusal> {
    let unsupported = sip::unsupported(message, supported);
    // RFC 3261 §20.29: neither ACK nor CANCEL is refused because of it.
    let exempt = matches!(message.method(), Method::Ack | Method::Cancel);
    if unsupported.is_none() || exempt {
        return Ok(());
    }
    Err(Refusal {
        code: 420,
        reason: "Bad Proxy Require Extension",
        unsupported,
    })
}

fn is_uri(text: &[u8]) -> bool {
    Uri::parse(text).is_ok()
}

fn uris(message: &Message, wanted: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    if wanted & 1 != 0 && message.is_request() && !is_uri(message.request_uri()) {
        return refuse(400, "Bad Request URI");
    }
    if wanted & 2 != 0 && !message.from().is_some_and(|from| is_uri(from.uri)) {
        return refuse(400, "Invalid From Header");
    }
    if wanted & 4 != 0 && !message.to().is_some_and(|to| is_uri(to.uri)) {
        return refuse(400, "Invalid To Header");
    }
    if wanted & 8 != 0 {
        return contacts(message);
    }
    Ok(())
}

fn contacts(message: &Message) -> Result<(), Refusal> {
    for value in message.values(HeaderId::Contact) {
        match NameAddr::parse(value.text) {
            None => return refuse(400, "Bad Contact Header"),
            Some(contact) if !contact.is_star() && !is_uri(contact.uri) => {
                return refuse(400, "Bad Contact URI");
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The values of the headers that carry credentials.
fn credentials(message: &Message) -> impl Iterator<Item = &[u8]> {
    let ids = [HeaderId::Authorization, HeaderId::ProxyAuthorization];
    ids.into_iter()
        .flat_map(|id| message.headers_of(id))
        .map(|header| header.value)
}

fn is_other_scheme(value: &[u8]) -> bool {
    let scheme = value.split(u8::is_ascii_whitespace).next();
    !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Digest"))
}

fn digest(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    for value in credentials(message).filter(|value| !is_other_scheme(value)) {
        let Some(credentials) = Credentials::parse(value) else {
            return refuse(400, "Bad Auth Header");
        };
        let needed: [&[u8]; 5] = [b"username", b"realm", b"nonce", b"uri", b"response"];
        if needed.iter().any(|name| credentials.raw(name).is_none()) {
            return refuse(400, "Bad Auth Credentials");
        }
    }
    Ok(())
}

fn authorization(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    for value in credentials(message).filter(|value| !is_other_scheme(value)) {
        let Some(credentials) = Credentials::parse(value) else {
            return refuse(400, "Bad Auth Header");
        };
        let is_empty = |field: &[u8]| {
            credentials
                .field(field)
                .is_none_or(|value| value.is_empty())
        };
        if is_empty(b"username") {
            return refuse(400, "Auth Empty User");
        }
        if is_empty(b"nonce") {
            return refuse(400, "Auth Empty Nonce");
        }
        if is_empty(b"response") {
            return refuse(400, "Auth Empty Response");
        }
    }
    Ok(())
}

fn tags(message: &Message, _: i64, _: &[&[u8]]) -> Result<(), Refusal> {
    let several = |params: Params<'_>| {
        let tags = params
            .iter()
            .filter(|param| param.name.eq_ignore_ascii_case(b"tag"));
        tags.count() > 1
    };
    if message.from().is_some_and(|from| several(from.params)) {
        return refuse(400, "Many From Tag Params");
    }
    if message.to().is_some_and(|to| several(to.params)) {
        return refuse(400, "Many To Tag Params");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(change: &str, with: &str, wanted: i64) -> Option<&'static str> {
        let text = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
            From: <sip:f@f>;tag=1\r\nTo: <sip:t@t>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
            X: y\r\nContent-Length: 0\r\n\r\n"
            .replace(change, with);
        let message = Message::parse(text.into_bytes()).expect("a message");
        let refused = check(&message, wanted, 15, &[b"known"]).err();
        refused.map(|refusal| refusal.reason)
    }

    #[test]
    fn refusals() {
        const ALL: i64 = 32767;
        for (change, with, expected) in [
            ("X: y", "X: z", None),
            ("sip:a@b", "tel:+1", None),
            ("sip:a@b", "urn:service:sos", None),
            (
                "sip:a@b",
                "http://x",
                Some("Unsupported URI Scheme in R-URI"),
            ),
            ("sip:a@b", "sip:@x", Some("Bad Request URI")),
            (
                "1 INVITE",
                "1 BYE",
                Some("CSeq method does not match request method"),
            ),
            ("X: y", "Expires: 4294967295", None),
            ("X: y", "Expires: abc", Some("Expires value is illegal")),
            (
                "X: y",
                "Proxy-Require: known, foo",
                Some("Bad Proxy Require Extension"),
            ),
            ("X: y", "Contact: *", None),
            (
                "X: y",
                "Contact: <sip:a@b>, <sip:>",
                Some("Bad Contact URI"),
            ),
            ("<sip:f@f>", "<sip:>", Some("Invalid From Header")),
            ("<sip:t@t>", "<sip:>", Some("Invalid To Header")),
            (";tag=1", ";tag=1;tag=2", Some("Many From Tag Params")),
            (
                "<sip:t@t>",
                "<sip:t@t>;tag=1;tag=2",
                Some("Many To Tag Params"),
            ),
            (
                "X: y",
                "Authorization: Digest username=\"a\"",
                Some("Bad Auth Credentials"),
            ),
            ("X: y", "Authorization: Basic abc", None),
            (
                "0\r\n\r\n",
                "0\r\n\r\nmore",
                Some("Content-Length mis-match"),
            ),
        ] {
            assert_eq!(reason(change, with, ALL), expected, "{with}");
            assert_eq!(reason(change, with, 0), None, "{with}");
        }
    }

    #[test]
    fn acks_and_cancels_pass_proxy_require() {
        let text = b"CANCEL sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:f@f>;tag=1\r\n\
            To: <sip:t@t>\r\nCall-ID: c\r\nCSeq: 1 CANCEL\r\nProxy-Require: foo\r\n\r\n";
        let message = Message::parse(text.to_vec()).expect("a message");
        assert_eq!(check(&message, 512, 0, &[]), Ok(()));
    }
}
