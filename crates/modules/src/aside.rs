//! Work that blocks, done in a thread of its own while the run waits, so that no worker stands still.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engine::{Gate, Operation, Pending, Resume, Run};
use parking_lot::Mutex;
use script::{Completion, Outcome};

/// How many threads may work at once.
const THREADS_MAX: usize = 64;

/// How many threads work now.
#[derive(Debug, Default)]
pub(crate) struct Aside(Arc<AtomicUsize>);

/// A place among them.
struct Seat(Arc<AtomicUsize>);

impl Aside {
    fn seat(&self) -> Option<Seat> {
        let more = |count| (count < THREADS_MAX).then_some(count + 1);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()
            .map(|_| Seat(Arc::clone(&self.0)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the work brought, once it is done.
type Slot<T> = Arc<Mutex<Option<T>>>;

/// Does the work; the run goes on with what it brought, or with nothing when it takes longer than `limit`.
///
/// # Errors
/// There are too many threads already, or none can be made.
pub(crate) fn work<T: Send + 'static>(
    run: &mut Run,
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
    then: fn(&mut Run, Option<T>) -> Outcome<Pending>,
) -> io::Result<Outcome<Pending>> {
    let seat = run.state::<Aside>().seat();
    let seat = seat.ok_or_else(|| io::Error::other("too many wait for such work already"))?;
    let (gate, slot) = (Gate::default(), Slot::default());
    let (opened, kept) = (gate.clone(), Arc::clone(&slot));
    let thread = std::thread::Builder::new().name("aside".to_owned());
    thread.spawn(move || {
        let result = work();
        drop(seat);
        *kept.lock() = Some(result);
        opened.open();
    })?;
    run.operation = Some(Operation::Gate(gate, limit));
    Ok(Outcome::Wait(Pending::native(Waiting { slot, then })))
}

struct Waiting<T> {
    slot: Slot<T>,
    then: fn(&mut Run, Option<T>) -> Outcome<Pending>,
}

impl<T> fmt::Debug for Waiting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

impl<T: Send> Resume for Waiting<T> {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        let result = self.slot.lock().take();
        (self.then)(run, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_so_many_work_at_once() {
        let aside = Aside::default();
        let mut seats: Vec<_> = (0..THREADS_MAX).map(|_| aside.seat()).collect();
        assert!(seats.iter().all(Option::is_some));
        assert!(aside.seat().is_none());
        seats.pop();
        assert!(aside.seat().is_some());
    }
}
