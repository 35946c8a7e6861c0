//! Work for calls from outside of the workers: management commands, timers of the control side.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::engine::Engine;
use crate::input::Input;

/// Most inputs that may wait to be picked up.
pub const MAILBOX_MAX: usize = 100_000;

/// Inputs on their way to whichever worker picks them up.
#[derive(Default)]
pub struct Mailbox {
    queue: Mutex<VecDeque<(u64, Input)>>,
    wake: Notify,
}

/// The mailbox is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxFull;

impl Engine {
    /// Hands work on a call to the workers.
    ///
    /// # Errors
    /// Too much waits already.
    pub fn post(&self, key: u64, input: Input) -> Result<(), MailboxFull> {
        let mut queue = self.mailbox.queue.lock();
        if queue.len() >= MAILBOX_MAX {
            return Err(MailboxFull);
        }
        queue.push_back((key, input));
        drop(queue);
        self.mailbox.wake.notify_one();
        Ok(())
    }

    /// Takes the next piece of posted work.
    pub fn next_posted(&self) -> Option<(u64, Input)> {
        self.mailbox.queue.lock().pop_front()
    }

    /// Waits until something was posted.
    pub async fn posted(&self) {
        self.mailbox.wake.notified().await;
    }
}
