//! A connection as the rest of its worker sees it: a queue of bytes to write, and a way to wake
//! the task that writes them.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use sip::Hop;

use super::output::Output;
use super::{CloseReason, SendError, StreamSettings};
use crate::counters::StreamCounters;

/// One connection, or one that is being opened.
#[derive(Debug)]
pub(super) struct Connection {
    /// The way to the peer; `connection` is always set.
    pub(super) hop: Hop,
    /// Whether we opened it.
    pub(super) outgoing: bool,
    output: RefCell<Output>,
    waker: RefCell<Option<Waker>>,
    close: Cell<Option<CloseReason>>,
    /// It ends with a message that waits already.
    is_ending: Cell<bool>,
    /// The task is running: what it is given now it will see without being woken.
    is_running: Cell<bool>,
    /// The peer doesn't take what waits for it, or isn't there yet.
    is_blocked: Cell<bool>,
}

impl Connection {
    pub(super) fn new(hop: Hop, outgoing: bool) -> Self {
        Self {
            hop,
            outgoing,
            output: RefCell::default(),
            waker: RefCell::default(),
            close: Cell::new(None),
            is_ending: Cell::new(false),
            is_running: Cell::new(false),
            is_blocked: Cell::new(true),
        }
    }

    /// Queues a message, if the limits of this connection and of all together allow it. The connection's own counts
    /// for a peer that is not reading; a burst to one that is may be longer than that, as the task writes it next.
    /// With `ends`, the connection closes when the message has left.
    pub(super) fn send(
        &self,
        message: Arc<[u8]>,
        ends: bool,
        settings: &StreamSettings,
        counters: &StreamCounters,
    ) -> Result<(), SendError> {
        if let Some(reason) = self.close.get() {
            return Err(SendError::Closed(reason));
        }
        if self.is_ending.get() {
            return Err(SendError::Closed(CloseReason::Requested));
        }
        let length = message.len();
        let mut output = self.output.borrow_mut();
        let has_room = !self.is_blocked.get() || output.has_room(length, settings.connection_queue);
        let queued = has_room
            && counters
                .queued_bytes
                .add_within(length as u64, settings.total_queue);
        if !queued {
            counters.queue_full.increment();
            return Err(SendError::QueueFull);
        }
        output.push(message);
        if ends {
            output.push_end();
            self.is_ending.set(true);
        }
        drop(output);
        self.wake();
        Ok(())
    }

    /// Queues the answer to a keep-alive.
    pub(super) fn send_pong(&self, settings: &StreamSettings, counters: &StreamCounters) {
        let mut output = self.output.borrow_mut();
        let before = output.len();
        output.push_pong(settings.connection_queue);
        counters.queued_bytes.add((output.len() - before) as u64);
    }

    /// Asks the task to close the connection.
    pub(super) fn close(&self, reason: CloseReason) {
        if self.close.get().is_none() {
            self.close.set(Some(reason));
        }
        self.wake();
    }

    /// Waits until the connection shall be closed; for the time in which no driver runs yet.
    pub(super) async fn closed(&self) -> CloseReason {
        poll_fn(|cx| {
            self.enter(cx.waker());
            self.leave();
            self.close.get().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Why the connection shall be closed, if it shall.
    pub(super) fn close_reason(&self) -> Option<CloseReason> {
        self.close.get()
    }

    /// Whether it takes nothing more: it ends with a message that waits already.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.get()
    }

    pub(super) fn output(&self) -> &RefCell<Output> {
        &self.output
    }

    /// Marks the task as running and remembers how to wake it.
    pub(super) fn enter(&self, waker: &Waker) {
        self.is_running.set(true);
        let mut slot = self.waker.borrow_mut();
        match slot.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *slot = Some(waker.clone()),
        }
    }

    /// Says whether the peer takes what waits for it.
    pub(super) fn set_blocked(&self, is_blocked: bool) {
        self.is_blocked.set(is_blocked);
    }

    /// Marks the task as waiting.
    pub(super) fn leave(&self) {
        self.is_running.set(false);
    }

    fn wake(&self) {
        if !self.is_running.get()
            && let Some(waker) = self.waker.borrow().as_ref()
        {
            waker.wake_by_ref();
        }
    }
}
