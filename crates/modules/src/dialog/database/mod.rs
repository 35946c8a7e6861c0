//! Calls in a database: read at start, saved as they change.

mod functions;
mod layout;
mod read;
mod rows;
mod saver;
mod start;
mod statistics;
mod variables;
mod xdata;

use std::sync::Arc;
use std::time::Duration;

use engine::{Engine, Run, Ticket, level};
use store::{Committer, Key, Layout, Queries, Queue, Url};

use super::state::moment;
use saver::Saver;

pub(super) use functions::{dlg_db_load_callid, dlg_db_load_extra};
pub(crate) use layout::{usual_layouts, usual_tables};
pub(crate) use rows::change as rows_of;
pub(super) use start::start;

/// How long the end of the process waits for what is not saved.
const END_WAIT: Duration = Duration::from_secs(20);

/// When calls are saved (`db_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Before the message leaves that tells of the change.
    Realtime,
    /// Every `db_update_period` seconds.
    Delayed,
    /// At a graceful end.
    Shutdown,
}

/// What becomes of new calls when more waits to be saved than may (`db_fail_policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// They are taken; all calls are saved when the database is back.
    Continue,
    /// They are refused with 503.
    Refuse,
}

type Changes = Arc<Queue<dialog::DialogId, Ticket>>;

/// The database of calls.
pub(super) struct Database {
    mode: Mode,
    policy: Policy,
    /// How long messages wait for a change to be saved, ms.
    hold_ms: u64,
    url: Url,
    layouts: [Layout; 2],
    fetch: usize,
    changes: Changes,
    saver: Arc<Saver>,
    committer: Option<Committer<Saver>>,
    /// Reads calls for scripts.
    queries: Option<Queries>,
}

fn of(run: &Run) -> Option<Arc<Database>> {
    run.engine.shared().state::<Database>()
}

/// Whether what a run wants sent waits for a change of its call, and until when.
fn hold(run: &Run, ticket: Ticket) -> Option<timer::Time> {
    let database = run.engine.state::<Database>()?;
    database.changes.hold(run.key, ticket).ok()?;
    Some(run.now.time.plus_millis(database.hold_ms))
}

/// A call that cannot be saved is not begun, where the configuration wants that.
fn refuse_unsaved(run: &mut Run) {
    let message = &run.msg.message;
    if message.method() != sip::Method::Invite || message.to_tag().is_some() {
        return;
    }
    let full = run
        .engine
        .state::<Database>()
        .is_some_and(|d| d.changes.is_full());
    if full {
        let headers = &mut run.msg.reply_headers;
        headers.extend_from_slice(b"Retry-After: 10\r\n");
        run.answer_stateless(503, b"Service Unavailable");
        run.finished = true;
    }
}

/// Saves changes of calls now, where that is done by hand.
pub(crate) fn step(engine: &Engine) {
    let database = engine.state::<Database>();
    if let Some(committer) = database.as_ref().and_then(|d| d.committer.as_ref()) {
        committer.step();
    }
}

/// Saves what is left when the workers have ended.
fn end(engine: &Arc<Engine>) {
    let Some(database) = engine.state::<Database>() else {
        return;
    };
    if database.mode == Mode::Shutdown {
        database.mark_all(engine);
    }
    let left = match &database.committer {
        Some(committer) => committer.finish(END_WAIT),
        None => 0,
    };
    if left > 0 {
        let text = format!("{left} calls are not saved: {} does not save", database.url);
        engine.log.line(level::ALERT, "dialog", &text);
    }
}

impl Database {
    /// Marks all calls as changed.
    fn mark_all(&self, engine: &Engine) {
        for id in self.saver.tracker.answered() {
            self.saver.mark(engine, id);
        }
    }
}

fn key(id: dialog::DialogId) -> Key {
    Key(id.h_entry, id.h_id)
}

/// The engine's time as the tracker takes it.
fn at_start(setup: &engine::Setup<'_>) -> dialog::Now {
    moment(setup.now)
}
