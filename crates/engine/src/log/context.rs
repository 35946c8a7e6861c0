//! What stands before every log line while a message is being worked on (`log_prefix`). A worker's lines come from
//! anywhere in its call stack, so the prefix is kept with its thread.

use std::cell::RefCell;
use std::sync::Arc;

/// The message that a thread works on, as its log lines show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The printed `log_prefix`.
    pub prefix: String,
    /// The message's Call-ID.
    pub call_id: String,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Context>>> = const { RefCell::new(None) };
}

/// Lines of this thread are about this message from now on.
pub(crate) fn enter(context: Arc<Context>) {
    CURRENT.set(Some(context));
}

/// Lines of this thread are about no message any more.
pub(crate) fn leave() {
    CURRENT.set(None);
}

/// The message that this thread works on.
pub(super) fn current() -> Option<Arc<Context>> {
    CURRENT.with_borrow(Clone::clone)
}
