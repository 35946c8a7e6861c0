//! BYEs of our own, and word of what became of them; ACKs of answers that came too late.

use std::sync::Arc;

use dialog::{DialogId, LegKey, LegOutcome, Reply, Side, Tracker};
use engine::{Done, Retry, Run};
use sip::Message;

use super::message;
use super::outgoing::{self, Content};
use super::state::State;

/// Sends a BYE after the work at hand.
pub(super) fn send(
    run: &mut Run,
    state: &State,
    id: DialogId,
    request: dialog::LocalRequest,
    content: &Content,
) {
    let mut lines = b"Max-Forwards: 70\r\n".to_vec();
    lines.extend_from_slice(&state.bye_headers);
    lines.extend_from_slice(&content.headers);
    if request.leg.side == Side::Callee {
        lines.extend_from_slice(&state.callee_headers);
    }
    let leg = request.leg.clone();
    let content = Content {
        headers: lines,
        body: content.body.clone(),
    };
    let mut local = outgoing::local(&run.engine, (&state.tracker, id), request, b"BYE", content);
    local.done = Some(Box::new(ByeDone {
        tracker: Arc::clone(&state.tracker),
        id,
        leg,
    }));
    run.send_local(local);
}

/// Acknowledges a 2xx that came when its call was over.
pub(super) fn acknowledge(
    run: &mut Run,
    state: &State,
    id: DialogId,
    request: dialog::LocalRequest,
) {
    let lines = Content::lines(b"Max-Forwards: 70\r\n".to_vec());
    let local = outgoing::local(&run.engine, (&state.tracker, id), request, b"ACK", lines);
    run.send_local(local);
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
            (_, Some(reply)) => {
                let reply = answer(status, &reply);
                self.tracker.leg_answered(self.id, &self.leg, &reply);
                return;
            }
            (408, None) => LegOutcome::TimedOut,
            (_, None) => LegOutcome::NotSent,
        };
        self.tracker.leg_done(self.id, &self.leg, outcome);
    }

    fn challenged(&mut self, run: &mut Run, reply: &Message) -> Option<Retry> {
        outgoing::retry(run, &self.tracker, self.id, &self.leg, reply)
    }
}

/// A reply to a BYE as observers see it.
fn answer(status: u16, reply: &Message) -> Reply<'_> {
    Reply {
        status,
        cseq: reply.cseq().map_or(0, |cseq| cseq.number),
        to_tag: message::to_tag(reply),
        contact: message::contact(reply),
        message: Some(reply),
        ..Reply::default()
    }
}
