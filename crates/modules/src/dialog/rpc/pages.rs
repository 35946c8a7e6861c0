//! Walking through all calls, page by page: no lock is held between two pages, nor while one is shown.

use std::sync::Arc;

use dialog::{DialogId, DialogView, Tracker};

use crate::dialog::state::State;

/// Where a walk through all calls is.
pub(in crate::dialog) struct Walk {
    state: Arc<State>,
    after: Option<DialogId>,
    is_over: bool,
    page: Vec<DialogView>,
}

impl Walk {
    pub(in crate::dialog) fn new(state: &Arc<State>) -> Self {
        Self {
            state: Arc::clone(state),
            after: None,
            is_over: false,
            page: Vec::new(),
        }
    }

    /// Where the calls are.
    pub(super) fn tracker(&self) -> Arc<Tracker> {
        Arc::clone(&self.state.tracker)
    }

    /// The next calls; empty at the end.
    pub(in crate::dialog) fn page(&mut self) -> &[DialogView] {
        if self.is_over {
            return &[];
        }
        let now = self.state.last_tick();
        let tracker = &self.state.tracker;
        tracker.page_into(self.after, rpc::Page::VALUES, now, &mut self.page);
        self.after = self.page.last().map(DialogView::id);
        self.is_over = self.page.is_empty();
        &self.page
    }
}
