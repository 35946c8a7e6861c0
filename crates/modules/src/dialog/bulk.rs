//! Work on very many calls at once, cut into pieces so that no worker is held for long.

use dialog::DialogId;
use engine::{Input, Pending, Resume, Run, level};
use script::{Completion, Outcome};

use super::ending::End;
use super::outgoing::Content;
use super::state::{State, moment};

/// Lifetimes set in one go.
const TIMEOUTS: usize = 1000;
/// Calls ended in one go.
const ENDS: usize = 200;

/// Sets the lifetime of many calls.
pub(super) struct SetTimeouts {
    pub(super) calls: Vec<DialogId>,
    /// Seconds.
    pub(super) lifetime: u32,
}

impl SetTimeouts {
    /// Does a piece of it now, and leaves the rest for later.
    pub(super) fn start(mut self, run: &mut Run) {
        let state = run.state::<State>();
        let piece = self.calls.len().saturating_sub(TIMEOUTS);
        for id in self.calls.drain(piece..) {
            // Calls that ring have no deadline to move yet, and no more do those that are over.
            if state
                .tracker
                .state(id)
                .is_some_and(|s| s != dialog::State::Unconfirmed)
            {
                state
                    .tracker
                    .set_timeout(id, self.lifetime, moment(run.now));
            }
        }
        if !self.calls.is_empty() {
            go_on(run, Box::new(self));
        }
    }
}

impl Resume for SetTimeouts {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        self.start(run);
        Outcome::Code(1)
    }
}

/// Ends many calls, each in its turn.
pub(super) struct EndMany {
    pub(super) calls: Vec<DialogId>,
}

impl Resume for EndMany {
    fn resume(mut self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        let state = run.state::<State>();
        let piece = self.calls.len().saturating_sub(ENDS);
        for id in self.calls.drain(piece..) {
            if let Some(call) = state.tracker.snapshot(id, moment(run.now)) {
                let key = run.engine.call_key(call.call_id());
                run.follow_ups.push((key, End::job(id, Content::default())));
            }
        }
        if !self.calls.is_empty() {
            go_on(run, self);
        }
        Outcome::Code(1)
    }
}

/// The rest belongs to no call: whichever worker is free takes it, behind what waits already.
fn go_on(run: &Run, rest: Box<dyn Resume>) {
    if run
        .engine
        .post(fastrand::u64(..), Input::Job(rest))
        .is_err()
    {
        let text = "too much work is waiting: not all calls were reached";
        run.log(level::ERROR, "dialog", text);
    }
}
