//! Work that a door starts and does not want to wait for: bounded, and finished at the stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use tokio::sync::watch;
use tokio::task::JoinSet;

/// Whether the doors are closing.
#[derive(Debug, Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(super) fn new(stop: watch::Receiver<bool>) -> Self {
        Self(stop)
    }

    /// Waits until the doors close.
    pub(super) async fn requested(&mut self) {
        // An error means that whoever could close the doors is gone.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// The side tasks of one door.
pub(super) struct SideTasks {
    tasks: JoinSet<()>,
    max: usize,
}

impl SideTasks {
    pub(super) fn new(max: usize) -> Self {
        Self {
            tasks: JoinSet::new(),
            max,
        }
    }

    /// Does the work now as far as it goes without waiting; the rest goes aside. So requests are
    /// done in their order, and one that has to wait does not hold up the others.
    pub(super) async fn run(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        let mut work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(work);
        let first = std::future::poll_fn(|context| {
            // The runtime confines a panic to its task; this part runs in the door's own.
            let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
            Poll::Ready(polled.unwrap_or(Poll::Ready(())))
        });
        if first.await.is_pending() {
            self.spawn(work).await;
        }
    }

    /// Starts a task; waits for another to end if there are too many.
    pub(super) async fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        while self.is_full() {
            self.tasks.join_next().await;
        }
        self.tasks.spawn(work);
    }

    /// Whether a new task would have to wait for another to end.
    pub(super) fn is_full(&mut self) -> bool {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.len() >= self.max
    }

    /// Waits for all tasks.
    pub(super) async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
