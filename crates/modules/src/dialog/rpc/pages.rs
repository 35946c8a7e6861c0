//! Walking through all calls, page by page: no lock is held between two pages, nor while one is shown.

use std::sync::Arc;

use dialog::{DialogId, DialogView};

use crate::dialog::state::State;

/// Where a walk through all calls is.
pub(super) struct Walk {
    state: Arc<State>,
    after: Option<DialogId>,
    is_over: bool,
    page: Vec<DialogView>,
}

impl Walk {
    pub(super) fn new(state: &Arc<State>) -> Self {
        Self {
            state: Arc::clone(state),
            after: None,
            is_over: false,
            page: Vec::new(),
        }
    }

    /// The next calls; empty at the end.
    pub(super) fn page(&mut self) -> &[DialogView] {
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
