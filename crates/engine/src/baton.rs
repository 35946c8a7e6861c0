//! One run at a time per call, in the order in which the inputs came, without handing messages over:
//! whoever reads an input runs it, unless the call is being run; then it joins that run's inbox.

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
    inbox: VecDeque<Input>,
}

/// What became of an input.
#[derive(Debug)]
pub enum Taken {
    /// The caller has the baton now and must run this input, then call `next` until it says `None`.
    Mine(Input),
    /// The run in progress will take it.
    Queued,
    /// That call's inbox is full.
    Refused,
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
    pub fn take(&self, key: u64, input: Input) -> Taken {
        let mut running = self.shard(key).lock();
        if let Some(entry) = running.find_mut(key, |entry| entry.key == key) {
            if entry.inbox.len() >= INBOX_MAX {
                return Taken::Refused;
            }
            entry.inbox.push_back(input);
            return Taken::Queued;
        }
        running.insert_unique(
            key,
            Running {
                key,
                inbox: VecDeque::new(),
            },
            |entry| entry.key,
        );
        Taken::Mine(input)
    }

    /// The next input of this call; `None` gives the baton back.
    pub fn next(&self, key: u64) -> Option<Input> {
        let mut running = self.shard(key).lock();
        let mut entry = running.find_entry(key, |entry| entry.key == key).ok()?;
        match entry.get_mut().inbox.pop_front() {
            Some(input) => Some(input),
            None => {
                entry.remove();
                None
            }
        }
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
