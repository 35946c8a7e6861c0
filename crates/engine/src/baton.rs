//! One run at a time per call, in the order in which the inputs came, without handing messages over:
//! whoever reads an input runs it, unless another worker has the call; then it joins the call's inbox.
//! A worker keeps a call until what its runs want sent has left, so that nothing of a call overtakes.

use std::collections::VecDeque;

use hashbrown::HashTable;
use parking_lot::Mutex;

use crate::input::Input;

const SHARDS: usize = 64;

/// How many inputs may wait behind one run; more are refused, so that one stuck call cannot eat the memory.
pub const INBOX_MAX: usize = 256;

/// The calls that are being run right now.
pub struct Batons {
    shards: Box<[Mutex<HashTable<Running>>]>,
}

struct Running {
    key: u64,
    /// The worker that has the baton.
    worker: usize,
    /// A run waits for something: nothing else of the call may run before it has ended.
    is_waiting: bool,
    inbox: VecDeque<Input>,
}

/// What became of an input.
#[derive(Debug)]
pub enum Taken {
    /// The caller has the baton now, must run this input, and gives the baton back when all is sent.
    Mine(Input),
    /// The caller has the baton still, and must run this input.
    Still(Input),
    /// Whoever has the baton will take it.
    Queued,
    /// That call's inbox is full.
    Refused,
}

impl Running {
    const fn is_free_for(&self, worker: usize) -> bool {
        self.worker == worker && !self.is_waiting
    }
}

impl Default for Batons {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(HashTable::new())).collect(),
        }
    }
}

impl Batons {
    fn shard(&self, key: u64) -> &Mutex<HashTable<Running>> {
        &self.shards[(key >> 32) as usize % SHARDS]
    }

    /// Takes the call's baton for an input, or leaves the input with whoever has it.
    pub fn take(&self, key: u64, input: Input, worker: usize) -> Taken {
        let mut running = self.shard(key).lock();
        let Some(entry) = running.find_mut(key, |entry| entry.key == key) else {
            let entry = Running {
                key,
                worker,
                is_waiting: false,
                inbox: VecDeque::new(),
            };
            running.insert_unique(key, entry, |entry| entry.key);
            return Taken::Mine(input);
        };
        if entry.is_free_for(worker) {
            let Some(first) = entry.inbox.pop_front() else {
                return Taken::Still(input);
            };
            entry.inbox.push_back(input);
            return Taken::Still(first);
        }
        if entry.inbox.len() >= INBOX_MAX {
            return Taken::Refused;
        }
        entry.inbox.push_back(input);
        Taken::Queued
    }

    /// Says that a run of the call has begun to wait, or that it has ended.
    pub fn set_waiting(&self, key: u64, is_waiting: bool) {
        let mut running = self.shard(key).lock();
        if let Some(entry) = running.find_mut(key, |entry| entry.key == key) {
            entry.is_waiting = is_waiting;
        }
    }

    /// The next input of a call whose baton this worker has.
    pub fn next(&self, key: u64, worker: usize) -> Option<Input> {
        let mut running = self.shard(key).lock();
        let entry = running.find_mut(key, |entry| entry.key == key)?;
        let is_free = entry.is_free_for(worker);
        is_free.then(|| entry.inbox.pop_front()).flatten()
    }

    /// Gives the baton back, unless there is another input to be run first, or a run waits.
    pub fn give_back(&self, key: u64, worker: usize) -> Option<Input> {
        let mut running = self.shard(key).lock();
        let is_mine = |entry: &Running| entry.key == key && entry.is_free_for(worker);
        let mut entry = running.find_entry(key, is_mine).ok()?;
        let next = entry.get_mut().inbox.pop_front();
        if next.is_none() {
            entry.remove();
        }
        next
    }

    /// How many calls are being run, waiting ones included.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Whether no call is being run.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use transaction::TransactionId;

    use super::*;

    const CALL: u64 = 7;

    fn input(label: u32) -> Input {
        Input::Timer(TransactionId { index: 0, label })
    }

    fn label(input: Option<Input>) -> Option<u32> {
        match input {
            Some(Input::Timer(id)) => Some(id.label),
            _ => None,
        }
    }

    #[test]
    fn a_call_stays_with_its_worker_until_it_is_given_back() {
        let batons = Batons::default();
        assert!(matches!(batons.take(CALL, input(1), 0), Taken::Mine(_)));
        assert!(matches!(batons.take(CALL, input(2), 1), Taken::Queued));
        let Taken::Still(next) = batons.take(CALL, input(3), 0) else {
            panic!("worker 0 has the call");
        };
        assert_eq!(label(Some(next)), Some(2), "the order is that of arrival");
        assert_eq!(
            label(batons.give_back(CALL, 1)),
            None,
            "it is not worker 1's"
        );
        assert_eq!(label(batons.give_back(CALL, 0)), Some(3));
        assert_eq!(label(batons.next(CALL, 0)), None);
        assert_eq!(label(batons.give_back(CALL, 0)), None);
        assert!(batons.is_empty());
        assert!(matches!(batons.take(CALL, input(4), 1), Taken::Mine(_)));
    }

    #[test]
    fn nothing_of_a_call_runs_while_a_run_of_it_waits() {
        let batons = Batons::default();
        assert!(matches!(batons.take(CALL, input(1), 0), Taken::Mine(_)));
        batons.set_waiting(CALL, true);
        assert!(matches!(batons.take(CALL, input(2), 0), Taken::Queued));
        assert_eq!(label(batons.next(CALL, 0)), None);
        assert_eq!(label(batons.give_back(CALL, 0)), None);
        batons.set_waiting(CALL, false);
        assert_eq!(label(batons.give_back(CALL, 0)), Some(2));
        assert_eq!(label(batons.give_back(CALL, 0)), None);
        assert!(batons.is_empty());
    }

    #[test]
    fn an_inbox_has_a_limit() {
        let batons = Batons::default();
        assert!(matches!(batons.take(CALL, input(0), 0), Taken::Mine(_)));
        for _ in 0..INBOX_MAX {
            assert!(matches!(batons.take(CALL, input(1), 1), Taken::Queued));
        }
        assert!(matches!(batons.take(CALL, input(2), 1), Taken::Refused));
    }
}
