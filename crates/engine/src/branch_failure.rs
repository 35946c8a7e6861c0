//! `event_route[tm:branch-failure:…]`: runs for each branch that ends with a negative reply, or without one,
//! before the best reply is chosen, and may add branches.

use std::sync::Arc;

use script::{Outcome, Routes};

use crate::events::Saved;
use crate::judge::{decide, ended};
use crate::pending::Pending;
use crate::run::Run;
use crate::stage::Stage;
use crate::working::Working;

/// What goes on when the event route of a branch has ended.
#[derive(Debug)]
pub struct BranchFailure {
    saved: Saved,
    branch: usize,
    status: u16,
    /// Branches that ended at the same time and are still to be judged.
    rest: Vec<usize>,
}

/// Starts the route of the branch at hand, if one is armed and the transaction is still open.
pub(crate) fn start(run: &mut Run, status: u16, rest: Vec<usize>) -> Option<Outcome<Pending>> {
    let branch = run.branch?;
    let tx = run
        .tx
        .as_deref()
        .filter(|tx| status >= 300 && !tx.is_answered())?;
    let record = tx
        .branch(branch)
        .filter(|record| record.verdict().is_none())?;
    let block = record.data.armed.on_branch_failure?;
    let mut working = Working::clone(&tx.data.working);
    working.branches.clear();
    working.uri_consumed = true;
    run.reply = record.reply().map(Arc::clone);
    run.branch_status = status;
    let saved = Saved::swap_message(run, working, Routes::EVENT);
    let failure = BranchFailure {
        saved,
        branch,
        status,
        rest,
    };
    Some(Outcome::Route {
        block,
        routes: Routes::EVENT,
        then: Pending::Stage(Stage::BranchFailureEnd(Box::new(failure))),
    })
}

impl BranchFailure {
    /// The route has ended: the branch is judged, then those that ended with it.
    pub(crate) fn end(self, run: &mut Run) -> Outcome<Pending> {
        let Self {
            saved,
            branch,
            status,
            rest,
        } = self;
        drop(saved.restore(run));
        run.reply = None;
        run.branch = Some(branch);
        run.branch_status = 0;
        match decide(run, status) {
            Outcome::Code(_) => ended(run, rest, status),
            other => other,
        }
    }
}
