//! What waits to be saved: names of things that changed, and those who wait until that is saved.
//!
//! Only names are kept: what is written is the state at the time of writing, so that a thing that changes often
//! takes one place. A group is what its changes are waited for together: all things of one call, say.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashMapExt};
use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;

/// How long it is known what was saved, and how much of it at most: a server that takes another one's place may not have
/// seen that yet.
const RECENT: Duration = Duration::from_secs(60);
const RECENT_MAX: usize = 100_000;

/// Changes of things `I`, and those who wait for them, `W`.
#[derive(Debug)]
pub struct Queue<I, W> {
    state: Mutex<State<I, W>>,
    wake: Condvar,
    groups_max: usize,
}

#[derive(Debug)]
struct State<I, W> {
    pending: HashMap<u64, Entry<I, W>>,
    order: VecDeque<u64>,
    /// What is being saved right now.
    flying: HashMap<u64, Entry<I, W>>,
    /// What was saved lately, the oldest first.
    recent: VecDeque<Recent<I>>,
    /// The one who saves waits for something to do.
    is_idle: bool,
    /// The database does not save: nobody is made to wait.
    is_away: bool,
    /// A change found no place.
    overflowed: bool,
    is_closed: bool,
    held: usize,
}

#[derive(Debug)]
struct Entry<I, W> {
    /// Things, and whether an attempt to save them has failed.
    ids: SmallVec<[(I, bool); 1]>,
    waiters: SmallVec<[W; 1]>,
    since: Instant,
}

#[derive(Debug)]
struct Recent<I> {
    since: Instant,
    group: u64,
    id: I,
}

/// What waits, for those who watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Groups with changes that are not saved.
    pub groups: usize,
    /// How long the first of them waits.
    pub oldest: Duration,
    /// How many are made to wait until changes are saved.
    pub held: usize,
    /// The database does not save at present.
    pub is_away: bool,
}

impl<I: Copy + Eq, W> Queue<I, W> {
    /// An empty one for at most so many groups.
    pub fn new(groups_max: usize) -> Self {
        Self {
            state: Mutex::new(State {
                pending: HashMap::new(),
                order: VecDeque::new(),
                flying: HashMap::new(),
                recent: VecDeque::new(),
                is_idle: false,
                is_away: false,
                overflowed: false,
                is_closed: false,
                held: 0,
            }),
            wake: Condvar::new(),
            groups_max: groups_max.max(1),
        }
    }

    /// Notes that a thing changed. False if there is no place: all things are looked at again when there is.
    pub fn mark(&self, group: u64, id: I) -> bool {
        let mut state = self.state.lock();
        let is_new = !state.pending.contains_key(&group);
        if is_new && state.pending.len() + state.flying.len() >= self.groups_max {
            state.overflowed = true;
            return false;
        }
        state.add(group, id, false);
        if std::mem::take(&mut state.is_idle) {
            self.wake.notify_all();
        }
        true
    }

    /// Lets somebody wait until the changes of a group are saved.
    ///
    /// # Errors
    /// There is nothing to wait for, or the database is away: gives the waiter back.
    pub fn hold(&self, group: u64, waiter: W) -> Result<(), W> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.is_away {
            return Err(waiter);
        }
        let entry = match state.pending.get_mut(&group) {
            Some(entry) => entry,
            None => match state.flying.get_mut(&group) {
                Some(entry) => entry,
                None => return Err(waiter),
            },
        };
        entry.waiters.push(waiter);
        state.held += 1;
        Ok(())
    }

    /// What waits.
    pub fn waits(&self) -> Waits {
        let state = self.state.lock();
        let first = state
            .order
            .front()
            .and_then(|group| state.pending.get(group));
        let oldest = state
            .flying
            .values()
            .chain(first)
            .map(|entry| entry.since.elapsed());
        Waits {
            groups: state.pending.len() + state.flying.len(),
            oldest: oldest.max().unwrap_or_default(),
            held: state.held,
            is_away: state.is_away,
        }
    }

    /// Whether there is no place for another group.
    pub fn is_full(&self) -> bool {
        let state = self.state.lock();
        state.pending.len() + state.flying.len() >= self.groups_max
    }

    /// Takes things to be saved, at most those of so many groups; first those that changed first.
    pub fn take(&self, groups: usize, things: &mut Vec<(I, bool)>) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        things.clear();
        while state.flying.len() < groups {
            let Some(group) = state.order.pop_front() else {
                break;
            };
            let Some(entry) = state.pending.remove(&group) else {
                continue;
            };
            things.extend_from_slice(&entry.ids);
            state.flying.insert(group, entry);
        }
    }

    /// What was taken is saved: gives those who waited for it.
    pub fn saved(&self, waiters: &mut Vec<W>) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.is_away = false;
        let since = Instant::now();
        for (group, entry) in state.flying.drain() {
            state.held -= entry.waiters.len();
            waiters.extend(entry.waiters);
            let ids = entry.ids.into_iter();
            let ids = ids.map(|(id, _)| Recent { since, group, id });
            state.recent.extend(ids);
        }
        while state.recent.len() > RECENT_MAX
            || state
                .recent
                .front()
                .is_some_and(|recent| since - recent.since > RECENT)
        {
            state.recent.pop_front();
        }
    }

    /// Somebody else answers now, who may not have what was saved last: that is taken once more.
    pub fn repeat(&self) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        for Recent { group, id, .. } in std::mem::take(&mut state.recent) {
            state.add(group, id, true);
        }
    }

    /// What was taken could not be saved, and is taken again: nobody has to wait any more. Gives those who did.
    pub fn failed(&self, waiters: &mut Vec<W>) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.is_away = true;
        state.held = 0;
        let flying: Vec<_> = state.flying.drain().collect();
        for (group, entry) in flying {
            waiters.extend(entry.waiters);
            for (id, _) in entry.ids {
                state.add(group, id, true);
            }
            if let Some(pending) = state.pending.get_mut(&group) {
                pending.since = pending.since.min(entry.since);
            }
        }
        for entry in state.pending.values_mut() {
            waiters.extend(entry.waiters.drain(..));
        }
    }

    /// Whether changes were lost for want of a place since this was last asked.
    pub fn take_overflow(&self) -> bool {
        std::mem::take(&mut self.state.lock().overflowed)
    }

    /// Waits until there is something to save. False when it is closed, and nothing is left.
    pub fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while state.order.is_empty() {
            if state.is_closed {
                return false;
            }
            state.is_idle = true;
            self.wake.wait(&mut state);
        }
        state.is_idle = false;
        true
    }

    /// Waits for more; not longer than this, nor when it is closed, nor when there are so many groups.
    pub fn linger(&self, time: Duration, enough: usize) {
        let mut state = self.state.lock();
        if state.order.len() < enough && !state.is_closed {
            self.wake.wait_for(&mut state, time);
        }
    }

    /// Nothing more will come: who saves ends when all is saved.
    pub fn close(&self) {
        self.state.lock().is_closed = true;
        self.wake.notify_all();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.state.lock().is_closed
    }
}

impl<I: Copy + Eq, W> State<I, W> {
    fn add(&mut self, group: u64, id: I, again: bool) {
        let order = &mut self.order;
        let entry = self.pending.entry(group).or_insert_with(|| {
            order.push_back(group);
            Entry {
                ids: SmallVec::new(),
                waiters: SmallVec::new(),
                since: Instant::now(),
            }
        });
        match entry.ids.iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => *known |= again,
            None => entry.ids.push((id, again)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(queue: &Queue<u32, char>, groups: usize) -> Vec<(u32, bool)> {
        let mut things = Vec::new();
        queue.take(groups, &mut things);
        things
    }

    fn saved(queue: &Queue<u32, char>) -> Vec<char> {
        let mut waiters = Vec::new();
        queue.saved(&mut waiters);
        waiters.sort_unstable();
        waiters
    }

    #[test]
    fn a_thing_takes_one_place() {
        let queue = Queue::new(10);
        for id in [1, 1, 2, 1] {
            assert!(queue.mark(u64::from(id), id));
        }
        assert_eq!(queue.hold(1, 'a'), Ok(()));
        assert_eq!(queue.hold(3, 'x'), Err('x'), "nothing of it is unsaved");
        assert_eq!(taken(&queue, 1), [(1, false)]);
        assert_eq!(queue.hold(1, 'b'), Ok(()), "it is being saved");
        queue.mark(1, 1);
        assert_eq!(queue.hold(1, 'c'), Ok(()), "for the newer change");
        assert_eq!(saved(&queue), ['a', 'b']);
        assert_eq!(queue.waits().held, 1);
        assert_eq!(taken(&queue, 9), [(2, false), (1, false)]);
        assert_eq!(saved(&queue), ['c']);
        assert_eq!(queue.waits(), Waits::default());
    }

    #[test]
    fn nobody_waits_for_a_database_that_is_away() {
        let queue = Queue::new(10);
        queue.mark(1, 1);
        queue.hold(1, 'a').unwrap();
        assert_eq!(taken(&queue, 9), [(1, false)]);
        queue.mark(2, 2);
        queue.hold(2, 'b').unwrap();
        queue.mark(1, 1);
        let mut waiters = Vec::new();
        queue.failed(&mut waiters);
        waiters.sort_unstable();
        assert_eq!(waiters, ['a', 'b']);
        assert_eq!(queue.hold(1, 'c'), Err('c'));
        assert_eq!(queue.waits().groups, 2);
        let mut things = taken(&queue, 9);
        things.sort_unstable();
        assert_eq!(things, [(1, true), (2, false)]);
        assert!(saved(&queue).is_empty());
        assert!(!queue.waits().is_away);
    }

    #[test]
    fn there_is_a_limit() {
        let queue: Queue<u32, char> = Queue::new(2);
        assert!(queue.mark(1, 1) && queue.mark(2, 2) && queue.mark(1, 5));
        assert!(queue.is_full() && !queue.mark(3, 3));
        assert!(queue.take_overflow() && !queue.take_overflow());
        assert_eq!(taken(&queue, 9).len(), 3);
        assert!(queue.is_full(), "what is being saved counts");
        saved(&queue);
        assert!(queue.mark(3, 3));
    }
}
