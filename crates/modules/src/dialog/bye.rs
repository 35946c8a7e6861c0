//! BYEs of our own, and word of what became of them; ACKs of answers that came too late.

use std::sync::Arc;

use dialog::{DialogId, LegKey, LegOutcome, Side, Tracker};
use engine::{Done, LocalRequest, Run};
use sip::Message;

use super::state::State;

/// Sends a BYE after the work at hand. `headers` are further lines, each with its line end.
pub(super) fn send(
    run: &mut Run,
    state: &State,
    id: DialogId,
    request: dialog::LocalRequest,
    headers: &[u8],
) {
    let mut lines = b"Max-Forwards: 70\r\n".to_vec();
    lines.extend_from_slice(&state.bye_headers);
    lines.extend_from_slice(headers);
    if request.leg.side == Side::Callee {
        lines.extend_from_slice(&state.callee_headers);
    }
    let leg = request.leg.clone();
    let mut local = local_request(run, request, b"BYE", lines);
    local.done = Some(Box::new(ByeDone {
        tracker: Arc::clone(&state.tracker),
        id,
        leg,
    }));
    run.send_local(local);
}

/// Acknowledges a 2xx that came when its call was over.
pub(super) fn acknowledge(run: &mut Run, request: dialog::LocalRequest) {
    let lines = b"Max-Forwards: 70\r\n".to_vec();
    let local = local_request(run, request, b"ACK", lines);
    run.send_local(local);
}

fn local_request(
    run: &Run,
    request: dialog::LocalRequest,
    method: &[u8],
    headers: Vec<u8>,
) -> LocalRequest {
    let socket = std::str::from_utf8(&request.socket).ok();
    let socket = socket.and_then(|text| run.engine.sockets.find_text(text));
    LocalRequest {
        method: method.to_vec(),
        uri: request.request_uri,
        to: request.to,
        from: request.from,
        call_id: request.call_id,
        cseq: request.cseq,
        route: request.routes.join(&b","[..]),
        headers,
        next_hop: Some(request.next_hop),
        socket: socket.map(|socket| socket.id),
        has_max_forwards: true,
        ..LocalRequest::default()
    }
}

/// Tells the tracker how a BYE ended.
#[derive(Debug)]
struct ByeDone {
    tracker: Arc<Tracker>,
    id: DialogId,
    leg: LegKey,
}

impl Done for ByeDone {
    fn done(self: Box<Self>, _: &mut Run, status: u16, reply: Option<Arc<Message>>) {
        let outcome = match (status, reply) {
            (_, Some(_)) => LegOutcome::Answered(status),
            (477 | 478, None) => LegOutcome::NotSent,
            (_, None) => LegOutcome::TimedOut,
        };
        self.tracker.leg_done(self.id, &self.leg, outcome);
    }
}
