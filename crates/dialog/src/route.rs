//! Route sets as text, and the few questions that are asked of a URI: has it `lr`, has it an alias.

use std::ops::Range;

/// Joins Record-Route values as they are recorded: by commas, without spaces.
pub(crate) fn join<'a>(routes: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut text = Vec::new();
    for route in routes {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(route.trim_ascii());
    }
    text
}

/// The callee's route set: the Record-Routes of its reply bottom-up, without the last `skip` ones,
/// which lead back to the caller (RFC 3261 §12.1.2 as seen from the proxy).
pub(crate) fn callee_route_set(record_routes: &[&[u8]], skip: usize) -> Vec<u8> {
    let kept = record_routes.len().saturating_sub(skip);
    join(record_routes[..kept].iter().rev().copied())
}

/// Splits a recorded route set at the commas that are not within quotes or angle brackets.
pub(crate) fn split(route_set: &[u8]) -> Vec<&[u8]> {
    let mut routes = Vec::new();
    let (mut start, mut bracketed) = (0, false);
    for (i, b) in unquoted(route_set) {
        match b {
            b'<' => bracketed = true,
            b'>' => bracketed = false,
            b',' if !bracketed => {
                routes.push(route_set[start..i].trim_ascii());
                start = i + 1;
            }
            _ => {}
        }
    }
    routes.push(route_set[start..].trim_ascii());
    routes.retain(|route| !route.is_empty());
    routes
}

/// The URI of a route value, without its brackets.
pub(crate) fn uri_of(route: &[u8]) -> &[u8] {
    let Some((open, _)) = unquoted(route).find(|&(_, b)| b == b'<') else {
        return route;
    };
    let rest = &route[open + 1..];
    let close = rest.iter().position(|&b| b == b'>').unwrap_or(rest.len());
    &rest[..close]
}

/// The bytes that are not within a quoted display name, with their places.
fn unquoted(text: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let (mut quoted, mut escaped) = (false, false);
    text.iter().copied().enumerate().filter(move |&(_, b)| {
        if escaped {
            escaped = false;
            return false;
        }
        escaped = quoted && b == b'\\';
        quoted ^= b == b'"';
        !quoted
    })
}

/// Whether the next hop is a loose router (RFC 3261 §19.1.1).
pub(crate) fn is_loose(uri: &[u8]) -> bool {
    parameter(uri, b"lr").is_some()
}

/// A target's URI, and where to send to, with the alias parameter of RFC 5923-like NAT traversal
/// (`;alias=ip~port~protocol`) taken out of the one and followed by the other.
pub(crate) fn without_alias(contact: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let Some((whole, value)) = parameter(contact, b"alias") else {
        return (contact.to_vec(), contact.to_vec());
    };
    let Some(next_hop) = alias_uri(&contact[value]) else {
        return (contact.to_vec(), contact.to_vec());
    };
    (
        ([&contact[..whole.start], &contact[whole.end..]]).concat(),
        next_hop,
    )
}

fn alias_uri(value: &[u8]) -> Option<Vec<u8>> {
    let mut parts = value.split(|&b| b == b'~');
    let (ip, port, protocol) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if parts.next().is_some() || ip.is_empty() || !digits(port) {
        return None;
    }
    let transport: &[u8] = match protocol {
        b"1" => b"udp",
        b"2" => b"tcp",
        b"3" => b"tls",
        b"4" => b"sctp",
        b"5" => b"ws",
        b"6" => b"wss",
        _ => return None,
    };
    Some([b"sip:", ip, b":", port, b";transport=", transport].concat())
}

/// A URI parameter: where it stands with its semicolon, and where its value does.
fn parameter(uri: &[u8], name: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    let end = uri.iter().position(|&b| b == b'?').unwrap_or(uri.len());
    let host = uri[..end]
        .iter()
        .rposition(|&b| b == b'@')
        .map_or(0, |at| at + 1);
    let mut at = host + uri[host..end].iter().position(|&b| b == b';')?;
    while at < end {
        let from = at + 1;
        let to = uri[from..end]
            .iter()
            .position(|&b| b == b';')
            .map_or(end, |i| from + i);
        let equals = uri[from..to].iter().position(|&b| b == b'=');
        let name_end = equals.map_or(to, |i| from + i);
        if uri[from..name_end].eq_ignore_ascii_case(name) {
            return Some((at..to, (name_end + usize::from(equals.is_some()))..to));
        }
        at = to;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callee_routes_are_reversed_and_end_before_us() {
        let replied: [&[u8]; 4] = [
            b"<sip:d2;lr>",
            b"<sip:d1;lr>",
            b"<sip:us;lr>",
            b"<sip:u1;lr>",
        ];
        assert_eq!(callee_route_set(&replied, 2), b"<sip:d1;lr>,<sip:d2;lr>");
        assert_eq!(callee_route_set(&replied, 9), b"");
    }

    #[test]
    fn splitting_respects_quotes_and_brackets() {
        let text = br#""a,\"b" <sip:x,y@h;lr>, <sip:z;lr> ,sip:plain"#;
        let routes = split(text);
        assert_eq!(
            routes,
            [
                br#""a,\"b" <sip:x,y@h;lr>"#.as_slice(),
                b"<sip:z;lr>",
                b"sip:plain"
            ]
        );
        assert_eq!(uri_of(routes[0]), b"sip:x,y@h;lr");
        assert_eq!(uri_of(routes[2]), b"sip:plain");
        assert!(split(b"").is_empty());
    }

    #[test]
    fn loose_routers_say_so() {
        for uri in ["sip:h;lr", "sip:h;LR=on;x", "sip:a;b@h;ftag=1;lr"] {
            assert!(is_loose(uri.as_bytes()), "{uri}");
        }
        for uri in [
            "sip:h",
            "sip:h;lrx",
            "sip:x;lr@h",
            "sip:h?x=;lr",
            "sip:h;x=lr",
        ] {
            assert!(!is_loose(uri.as_bytes()), "{uri}");
        }
    }

    #[test]
    fn aliases_become_next_hops() {
        let (uri, hop) = without_alias(b"sip:bob@10.0.0.1:5;alias=192.0.2.7~4711~2;ob");
        assert_eq!(uri, b"sip:bob@10.0.0.1:5;ob");
        assert_eq!(hop, b"sip:192.0.2.7:4711;transport=tcp");
        for odd in [
            "sip:b@h;alias=1~2",
            "sip:b@h;alias=1~x~1",
            "sip:b@h;alias=1~2~9",
            "sip:b@h",
        ] {
            let (uri, hop) = without_alias(odd.as_bytes());
            assert_eq!(
                (uri.as_slice(), hop.as_slice()),
                (odd.as_bytes(), odd.as_bytes())
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn what_was_joined_is_split_again(routes in proptest::collection::vec("<sip:[a-z,;=]{1,9}>", 0..5)) {
            let bytes: Vec<&[u8]> = routes.iter().map(String::as_bytes).collect();
            let joined = join(bytes.iter().copied());
            proptest::prop_assert_eq!(split(&joined), bytes);
        }

        #[test]
        fn no_text_is_too_odd(text in "[<>\",;@?~=a-z\\\\ ]{0,40}") {
            for route in split(text.as_bytes()) {
                let _ = is_loose(uri_of(route));
            }
            let _ = without_alias(text.as_bytes());
        }
    }
}
