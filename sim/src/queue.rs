//! What will happen, in the order of its time; of two things at one moment the one that was put first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Things to come.
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    items: std::collections::HashMap<u64, T>,
    serial: u64,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            items: std::collections::HashMap::new(),
            serial: 0,
        }
    }

    /// Puts something at a time, in milliseconds.
    pub(crate) fn put(&mut self, at: u64, item: T) {
        self.serial += 1;
        self.heap.push(Reverse((at, self.serial)));
        self.items.insert(self.serial, item);
    }

    /// The next thing and its time.
    pub(crate) fn next(&mut self) -> Option<(u64, T)> {
        let Reverse((at, serial)) = self.heap.pop()?;
        self.items.remove(&serial).map(|item| (at, item))
    }
}
