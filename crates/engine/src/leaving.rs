//! `onsend_route`: a message that is about to leave is shown to the script, which may drop it.

use std::sync::Arc;

use script::{BlockId, Completion, Outcome, RouteEnd, Routes};
use sip::{Hop, StreamUse};

use crate::events::Saved;
use crate::pending::Pending;
use crate::run::{Run, Sending};
use crate::working::Working;

/// A message that is shown to `onsend_route`.
#[derive(Debug)]
pub(crate) struct Leaving {
    saved: Saved,
}

/// What a block is started with.
pub(crate) struct Start {
    block: BlockId,
    leaving: Leaving,
}

fn onsend(run: &Run) -> Option<BlockId> {
    let block = run.script.blocks.onsend;
    block.filter(|block| run.engine.foreign.is_there(*block))
}

impl Leaving {
    /// Shows a request to `onsend_route`, if the configuration has one.
    pub(crate) fn request(run: &mut Run, hop: Hop, bytes: &Arc<[u8]>) -> Option<Start> {
        let block = onsend(run)?;
        let working = run.msg.clone();
        Some(Self::start(run, block, working, hop, bytes))
    }

    /// Shows a reply that is passed on, if the configuration has `onsend_route` and wants it for replies;
    /// `working` makes what the route works on.
    pub(crate) fn reply(
        run: &mut Run,
        hop: Hop,
        bytes: &Arc<[u8]>,
        working: impl FnOnce(&Run) -> Working,
    ) -> Option<Start> {
        let wanted = run.engine.settings.onsend_for_replies;
        let block = onsend(run).filter(|_| wanted)?;
        let working = working(run);
        Some(Self::start(run, block, working, hop, bytes))
    }

    fn start(
        run: &mut Run,
        block: BlockId,
        working: Working,
        hop: Hop,
        bytes: &Arc<[u8]>,
    ) -> Start {
        let saved = Saved::swap_message(run, working, Routes::ONSEND);
        let bytes = Arc::clone(bytes);
        run.sending = Some(Sending { hop, bytes });
        let leaving = Self { saved };
        Start { block, leaving }
    }

    /// The route has ended: how the stream is to be used, or `None` if the message is not to leave.
    pub(crate) fn end(self, run: &mut Run, with: &Completion) -> Option<StreamUse> {
        let working = self.saved.restore(run);
        run.sending = None;
        let dropped = matches!(with, Completion::Route(RouteEnd { dropped: true, .. }));
        (!dropped).then_some(working.stream.forward)
    }
}

impl Start {
    /// Starts the block, to come back to what `then` makes.
    pub(crate) fn run(self, then: impl FnOnce(Leaving) -> Pending) -> Outcome<Pending> {
        Outcome::Route {
            block: self.block,
            routes: Routes::ONSEND,
            then: then(self.leaving),
        }
    }
}
