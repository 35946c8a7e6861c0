//! Word from whoever saves changes to the workers that wait with what tells of them.

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::engine::Engine;

/// Workers there may be.
const WORKERS_MAX: usize = 256;

/// Names something that a worker has put aside until a change is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The worker.
    pub worker: usize,
    /// What it put aside.
    pub number: u64,
}

/// One list for each worker; none where nothing is saved before it is told.
#[derive(Default)]
pub(crate) struct Releases(Box<[Lane]>);

#[derive(Default)]
struct Lane {
    numbers: Mutex<Vec<u64>>,
    wake: Notify,
}

impl Releases {
    pub(crate) fn new(wanted: bool) -> Self {
        let lanes = if wanted { WORKERS_MAX } else { 0 };
        Self((0..lanes).map(|_| Lane::default()).collect())
    }
}

impl Engine {
    /// What these tickets stand for may leave; any thread may say so.
    pub fn release(&self, tickets: &[Ticket]) {
        for of_worker in tickets.chunk_by(|a, b| a.worker == b.worker) {
            let worker = of_worker.first().map_or(0, |ticket| ticket.worker);
            if let Some(lane) = self.releases.0.get(worker) {
                let numbers = of_worker.iter().map(|ticket| ticket.number);
                lane.numbers.lock().extend(numbers);
                lane.wake.notify_one();
            }
        }
    }

    /// Takes what was released for a worker, in place of what `numbers` holds.
    pub fn take_released(&self, worker: usize, numbers: &mut Vec<u64>) {
        numbers.clear();
        if let Some(lane) = self.releases.0.get(worker) {
            std::mem::swap(&mut *lane.numbers.lock(), numbers);
        }
    }

    /// Waits until something is released for a worker; for ever where nothing ever is.
    pub async fn released(&self, worker: usize) {
        match self.releases.0.get(worker) {
            Some(lane) => lane.wake.notified().await,
            None => std::future::pending().await,
        }
    }
}
