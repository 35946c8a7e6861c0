//! What a run waits behind until another run, a command or a driver lets it go on.

use std::sync::Arc;

use tokio::sync::Notify;

/// A gate for one waiting run. It remembers being opened before anybody waits.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Notify>);

impl Gate {
    /// Lets the run go on; any thread may.
    pub fn open(&self) {
        self.0.notify_one();
    }

    /// Waits until it is opened.
    pub async fn opened(&self) {
        self.0.notified().await;
    }
}

/// Two gates are equal if opening one opens the other.
impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Gate {}
