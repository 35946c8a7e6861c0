//! Walking through all calls, page by page: no lock is held between two pages, nor while one is shown.

use std::sync::Arc;

use dialog::{DialogId, DialogView};

use crate::dialog::state::State;

/// Where a walk through all calls is.
pub(super) struct Walk {
    state: Arc<State>,
    after: Option<DialogId>,
    is_over: bool,
}

impl Walk {
    pub(super) fn new(state: &Arc<State>) -> Self {
        Self {
            state: Arc::clone(state),
            after: None,
            is_over: false,
        }
    }

    /// The next calls; empty at the end.
    pub(super) fn page(&mut self) -> Vec<DialogView> {
        if self.is_over {
            return Vec::new();
        }
        let now = self.state.last_tick();
        let page = self.state.tracker.page(self.after, rpc::Page::VALUES, now);
        self.after = page.last().map(DialogView::id);
        self.is_over = page.is_empty();
        page
    }
}
