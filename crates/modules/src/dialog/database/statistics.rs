//! The group `dialog_db`: what waits to be saved, and what was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::Setup;
use store::Waits;

use super::Database;

/// Adds the statistics.
pub(super) fn add(setup: &Setup<'_>, database: &Arc<Database>) {
    let wait = |name, doc, read: fn(Waits) -> i64| {
        let changes = Arc::clone(&database.changes);
        let value = move || read(changes.waits());
        setup.statistics.computed("dialog_db", name, doc, value);
    };
    wait("waiting", "Calls with changes that are not saved.", |w| {
        count(w.groups as u64)
    });
    wait(
        "waiting_ms",
        "How long the oldest of these changes waits.",
        |w| i64::try_from(w.oldest.as_millis()).unwrap_or(i64::MAX),
    );
    wait(
        "held",
        "Runs whose messages wait for a change to be saved.",
        |w| count(w.held as u64),
    );
    wait("away", "1 while the database does not save.", |w| {
        i64::from(w.is_away)
    });
    let Some(committer) = &database.committer else {
        return;
    };
    let figure = |name, doc, read: fn(&store::Figures) -> &AtomicU64| {
        let figures = Arc::clone(committer.figures());
        let value = move || count(read(&figures).load(Ordering::Relaxed));
        setup.statistics.computed("dialog_db", name, doc, value);
    };
    figure("commits", "Transactions committed.", |f| &f.commits);
    figure("saved", "Calls saved in them.", |f| &f.saved);
    figure("failed", "Commits that failed.", |f| &f.failed);
    figure(
        "rejected",
        "Calls whose rows the database did not take.",
        |f| &f.rejected,
    );
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
