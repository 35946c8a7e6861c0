//! What a call is told of a message: parts of it, as the tracker takes them.

use dialog::RequestKey;
use engine::Engine;
use sip::{HeaderId, Hop, Message, SocketId};
use smallvec::SmallVec;

/// Record-Route values, top to bottom.
pub(super) type RecordRoutes<'a> = SmallVec<[&'a [u8]; 4]>;

/// The URI of the one Contact; empty without one, with several, and for `*`.
pub(super) fn contact(message: &Message) -> &[u8] {
    let mut contacts = message.contacts();
    match (contacts.next(), contacts.next()) {
        (Some(only), None) if !only.is_star() => only.uri,
        _ => b"",
    }
}

/// All Record-Routes of a message.
pub(super) fn record_routes(message: &Message) -> RecordRoutes<'_> {
    message
        .values(HeaderId::RecordRoute)
        .map(|value| value.text)
        .collect()
}

/// Call-ID and tags; `None` for a message that lacks them.
pub(super) fn key(message: &Message) -> Option<RequestKey<'_>> {
    Some(RequestKey {
        call_id: sip::trim(message.call_id()?),
        from_tag: message.from_tag()?,
        to_tag: to_tag(message),
        cookie: None,
    })
}

/// The To tag; empty without one.
pub(super) fn to_tag(message: &Message) -> &[u8] {
    message.to_tag().unwrap_or_default()
}

/// `udp:192.0.2.1:5060`.
pub(super) fn socket_text(engine: &Engine, socket: SocketId) -> &[u8] {
    let socket = engine.sockets.get(socket);
    socket.map_or(b"", |socket| socket.text.as_bytes())
}

/// A URI for where a message came from.
pub(super) fn source_uri(hop: &Hop) -> Vec<u8> {
    let transport = match hop.transport {
        sip::Transport::Udp => String::new(),
        other => format!(";transport={other}"),
    };
    format!("sip:{}{transport}", hop.remote).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &str) -> Message {
        let text = format!("INVITE sip:b@h SIP/2.0\r\n{headers}\r\n");
        Message::parse(text.into_bytes()).expect("a message")
    }

    #[test]
    fn only_a_single_contact_counts() {
        assert_eq!(
            contact(&message("Contact: \"A\" <sip:a@1;ob>;q=1\r\n")),
            b"sip:a@1;ob"
        );
        assert_eq!(contact(&message("")), b"");
        assert_eq!(contact(&message("Contact: <sip:a@1>, <sip:a@2>\r\n")), b"");
        assert_eq!(contact(&message("Contact: *\r\n")), b"");
    }

    #[test]
    fn record_routes_of_all_lines_are_in_order() {
        let message =
            message("Record-Route: <sip:a;lr>, <sip:b;lr>\r\nRecord-Route: <sip:c;lr>\r\n");
        let routes = record_routes(&message);
        assert_eq!(
            routes.as_slice(),
            [b"<sip:a;lr>".as_slice(), b"<sip:b;lr>", b"<sip:c;lr>"]
        );
    }
}
