//! What a proxy must refuse (RFC 3261 §16.3; RFC 4475 and RFC 5118 give the examples). Where they leave the choice,
//! whatever does not endanger the next hop passes.

use std::net::IpAddr;

use crate::index::Start;
use crate::message::Message;
use crate::method::Method;
use crate::name::HeaderId;
use crate::uri::{Scheme, Uri, host_address};

/// Why a message is refused. A request is answered with it; a reply is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Status code.
    pub code: u16,
    /// Reason phrase.
    pub reason: &'static str,
}

const fn refuse(code: u16, reason: &'static str) -> Result<(), Verdict> {
    Err(Verdict { code, reason })
}

/// As `check_with`, for a proxy that supports no extension.
pub fn check(message: &Message) -> Result<(), Verdict> {
    check_with(message, &[])
}

/// Refuses a message that a proxy must not handle. `supported` are the option tags allowed in Proxy-Require.
///
/// Max-Forwards 0 passes: what to answer then depends on the method and the script.
pub fn check_with(message: &Message, supported: &[&[u8]]) -> Result<(), Verdict> {
    if message.is_http() {
        return Ok(());
    }
    if !message.version().eq_ignore_ascii_case(b"SIP/2.0") {
        return refuse(505, "Version Not Supported");
    }
    if let Some(fault) = message.fault() {
        return refuse(400, fault.reason());
    }
    if message.missing().is_some() {
        return refuse(400, "Missing Required Header in Request");
    }
    check_repeated(message)?;
    if message.is_request() {
        check_request(message, supported)
    } else {
        check_reply(message)
    }
}

/// The option tags in Proxy-Require that are not among `supported`, joined for Unsupported; `None` if all are.
pub fn unsupported(message: &Message, supported: &[&[u8]]) -> Option<Vec<u8>> {
    let known = |tag: &[u8]| {
        supported
            .iter()
            .any(|known| known.eq_ignore_ascii_case(tag))
    };
    let tags: Vec<&[u8]> = message
        .values(HeaderId::ProxyRequire)
        .map(|value| value.text)
        .filter(|tag| !known(tag))
        .collect();
    (!tags.is_empty()).then(|| tags.join(&b", "[..]))
}

fn check_repeated(message: &Message) -> Result<(), Verdict> {
    let single = [
        (HeaderId::From, "Multiple From Headers"),
        (HeaderId::To, "Multiple To Headers"),
        (HeaderId::CallId, "Multiple Call-ID Headers"),
        (HeaderId::CSeq, "Multiple CSeq Headers"),
        (HeaderId::MaxForwards, "Multiple Max-Forwards Headers"),
    ];
    for (id, reason) in single {
        if message.headers_of(id).nth(1).is_some() {
            return refuse(400, reason);
        }
    }
    Ok(())
}

fn check_request(message: &Message, supported: &[&[u8]]) -> Result<(), Verdict> {
    if !first_line_is_exact(message) {
        return refuse(400, "Bad First Line");
    }
    let cseq_method = message.cseq().map(|cseq| cseq.method_bytes);
    if cseq_method != Some(message.method_bytes()) {
        return refuse(400, "CSeq method does not match request method");
    }
    match Uri::parse(message.request_uri()) {
        Err(_) => return refuse(400, "Bad Request URI"),
        Ok(uri) if uri.scheme == Scheme::Other => {
            return refuse(416, "Unsupported URI Scheme in R-URI");
        }
        // They would tell the next hop to build another request (RFC 3261 §19.1.1).
        Ok(uri) if uri.headers.is_some() => return refuse(400, "Headers in Request URI"),
        Ok(_) => {}
    }
    let exempt = matches!(message.method(), Method::Ack | Method::Cancel);
    if !exempt && unsupported(message, supported).is_some() {
        return refuse(420, "Bad Extension");
    }
    Ok(())
}

/// A reply that would go on to everybody goes to nobody.
fn check_reply(message: &Message) -> Result<(), Verdict> {
    let next = message.vias().nth(1).and_then(|via| {
        let received = via.received().and_then(host_address);
        received.or_else(|| host_address(via.host()))
    });
    match next {
        Some(IpAddr::V4(to)) if to.is_broadcast() => refuse(400, "Broadcast Address in Via"),
        Some(to) if to.is_multicast() => refuse(400, "Multicast Address in Via"),
        _ => Ok(()),
    }
}

/// Single blanks between the three parts of the request line and none elsewhere (RFC 3261 §7.1).
fn first_line_is_exact(message: &Message) -> bool {
    let Start::Request {
        name, uri, version, ..
    } = message.index_start()
    else {
        return false;
    };
    let end = message.bytes().get(usize::from(version.end));
    uri.start == name.end + 1
        && version.start == uri.end + 1
        && matches!(end, Some(b'\r' | b'\n'))
        && !message
            .request_uri()
            .iter()
            .any(|byte| matches!(byte, b' ' | b'\t'))
}
