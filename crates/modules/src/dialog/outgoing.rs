//! Requests of our own within calls: from what the tracker knows to what the engine sends.

use std::sync::Arc;

use dialog::{DialogId, LegKey, Side, Tracker};
use engine::{Done, Engine, LocalRequest, Retry, Run, level};
use sip::Message;

use super::state::State;

/// Header lines and a body for such a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// Header lines, each with its line end.
    pub(super) headers: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Content {
    /// Header lines alone.
    pub(super) fn lines(headers: Vec<u8>) -> Self {
        Self {
            headers,
            ..Self::default()
        }
    }

    /// Takes header lines and a body as a script or an operator wrote them; `None` if they would break
    /// the message.
    pub(super) fn parse(headers: &[u8], body: Option<(&[u8], &[u8])>) -> Option<Self> {
        let text = std::str::from_utf8(headers).ok()?;
        let mut lines = Vec::with_capacity(headers.len() + 48);
        for (name, value) in crate::core::rpc::uac::header_lines(text)? {
            lines.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let mut content = Self::lines(lines);
        if let Some((kind, body)) = body {
            if !is_one_line(kind) {
                return None;
            }
            content.headers.extend_from_slice(b"Content-Type: ");
            content.headers.extend_from_slice(kind);
            content.headers.extend_from_slice(b"\r\n");
            content.body = body.to_vec();
        }
        Some(content)
    }
}

/// Whether a text can be a header's value.
pub(super) fn is_one_line(text: &[u8]) -> bool {
    !text.trim_ascii().is_empty() && !text.iter().any(|&byte| byte < 0x20 || byte == 0x7f)
}

/// The request of a call, to be sent from the socket that faces its party, with the addresses that the party knows.
pub(super) fn local(
    engine: &Engine,
    call: (&Tracker, DialogId),
    mut request: dialog::LocalRequest,
    method: &[u8],
    content: Content,
) -> LocalRequest {
    show_as_known(call, &mut request);
    let socket = std::str::from_utf8(&request.socket).ok();
    let socket = socket.and_then(|text| engine.sockets.find_text(text));
    let has_max_forwards = names_max_forwards(&content.headers);
    LocalRequest {
        method: method.to_vec(),
        uri: request.request_uri,
        to: request.to,
        from: request.from,
        call_id: request.call_id,
        cseq: request.cseq,
        route: request.routes.join(&b","[..]),
        headers: content.headers,
        body: content.body,
        next_hop: Some(request.next_hop),
        socket: socket.map(|socket| socket.id),
        has_max_forwards,
        done: None,
    }
}

/// A callee for whom module uac replaced an address knows no other, and is not to learn it from us.
fn show_as_known((tracker, id): (&Tracker, DialogId), request: &mut dialog::LocalRequest) {
    if request.leg.side == Side::Caller {
        return;
    }
    let parties = [&mut request.from, &mut request.to];
    for (name, party) in crate::uac::SHOWN_TO_CALLEE.into_iter().zip(parties) {
        let known = tracker.variable(id, name.as_bytes());
        let end = party.iter().position(|&byte| byte == b'>');
        if let (Some(uri), Some(end)) = (known, end) {
            *party = [b"<", &uri[..], &party[end..]].concat();
        }
    }
}

/// Whether a recorded socket is one that this node listens on.
pub(super) fn is_own(engine: &Engine, socket: &[u8]) -> bool {
    let socket = std::str::from_utf8(socket).ok();
    socket
        .and_then(|text| engine.sockets.find_text(text))
        .is_some()
}

fn names_max_forwards(headers: &[u8]) -> bool {
    let mut lines = headers.split(|&byte| byte == b'\n');
    lines.any(|line| {
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"Max-Forwards")
    })
}

/// The same request once more with credentials and the next CSeq of its leg; `None` when the module uac is not
/// there, or knows nobody in the realm that asks.
pub(super) fn retry(
    run: &Run,
    tracker: &Tracker,
    id: DialogId,
    leg: &LegKey,
    reply: &Message,
) -> Option<Retry> {
    let credentials = crate::uac::answers(run, reply)?;
    let used = run.tx.as_ref()?.request().cseq()?.number;
    let next = tracker.next_cseq(id, leg);
    let cseq = next.unwrap_or_else(|| used.saturating_add(1));
    Some(Retry { credentials, cseq })
}

/// Writes into the log what became of a request that nothing else follows from.
#[derive(Debug)]
pub(super) struct Reported {
    pub(super) id: DialogId,
    pub(super) leg: LegKey,
    pub(super) method: Vec<u8>,
}

impl Done for Reported {
    fn done(self: Box<Self>, run: &mut Run, status: u16, _: Option<Arc<Message>>) {
        let level = if status < 300 {
            level::DEBUG
        } else {
            level::NOTICE
        };
        if run.engine.log.enabled(level) {
            let (id, side) = (self.id, name(self.leg.side));
            let method = self.method.escape_ascii();
            run.log(
                level,
                "dialog",
                &format!("call {id}: {method} to the {side}: {status}"),
            );
        }
    }

    fn challenged(&mut self, run: &mut Run, reply: &Message) -> Option<Retry> {
        let state = run.state::<State>();
        retry(run, &state.tracker, self.id, &self.leg, reply)
    }
}

/// A party as people name it.
pub(super) const fn name(side: Side) -> &'static str {
    match side {
        Side::Caller => "caller",
        Side::Callee => "callee",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_cannot_break_the_message() {
        let content = |headers: &str| Content::parse(headers.as_bytes(), None).map(|c| c.headers);
        assert_eq!(
            content("X-A: 1\r\nX-B : 2"),
            Some(b"X-A: 1\r\nX-B: 2\r\n".to_vec())
        );
        assert_eq!(content(""), Some(Vec::new()));
        assert_eq!(content("nonsense"), None);
        assert_eq!(content("X-A: 1\r\n\r\nBYE sip:x SIP/2.0\r\n"), None);
        let typed = |kind: &[u8]| Content::parse(b"", Some((kind, b"x"))).map(|c| c.headers);
        assert_eq!(
            typed(b"text/plain"),
            Some(b"Content-Type: text/plain\r\n".to_vec())
        );
        assert_eq!(typed(b"a\r\nb"), None);
    }

    #[test]
    fn max_forwards_is_seen_in_any_case() {
        assert!(names_max_forwards(b"X: 1\r\nmax-forwards: 3\r\n"));
        assert!(!names_max_forwards(b"X: Max-Forwards\r\n"));
    }
}
