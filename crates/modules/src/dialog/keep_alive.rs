//! Keep-alives: OPTIONS to the parties of calls that ask for them.

use std::sync::Arc;

use dialog::{DialogId, KeepAlive, Side};
use engine::{Done, Pending, Resume, Run, level};
use script::{Completion, Outcome};
use sip::Message;

use super::outgoing::{self, Content};
use super::state::{State, moment};

/// Asks the parties of a call, in its turn.
pub(super) struct Ask(pub(super) DialogId);

impl Resume for Ask {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        let state = run.state::<State>();
        for request in state.tracker.keep_alive(self.0, moment(run.now)) {
            let side = request.leg.side;
            if state.is_own_only && !outgoing::is_own(&run.engine, &request.socket) {
                continue;
            }
            let content = match side {
                Side::Caller => Content::default(),
                Side::Callee => Content::lines(state.callee_headers.clone()),
            };
            let mut local = outgoing::local(
                &run.engine,
                (&state.tracker, self.0),
                request,
                b"OPTIONS",
                content,
            );
            local.done = Some(Box::new(Answer { id: self.0, side }));
            run.send_local(local);
        }
        Outcome::Code(1)
    }
}

/// What a party said.
#[derive(Debug)]
struct Answer {
    id: DialogId,
    side: Side,
}

impl Done for Answer {
    fn done(self: Box<Self>, run: &mut Run, status: u16, reply: Option<Arc<Message>>) {
        // Without a reply nobody was there to be asked, whatever stands for it.
        let is_alive = reply.is_some() && !matches!(status, 408 | 481);
        let state = run.state::<State>();
        let now = moment(run.now);
        let verdict = state.tracker.kept_alive(self.id, self.side, is_alive, now);
        let (level, what) = match verdict {
            KeepAlive::Alive => return,
            KeepAlive::Missed => (level::INFO, "missed a keep-alive"),
            KeepAlive::Recovered => (level::NOTICE, "is there again: the call goes on"),
            KeepAlive::Lost => (level::NOTICE, "is gone: the call ends in 10 seconds"),
        };
        if run.engine.log.enabled(level) {
            let (id, side) = (self.id, outgoing::name(self.side));
            run.log(
                level,
                "dialog",
                &format!("call {id}: the {side} {what} ({status})"),
            );
        }
    }
}
