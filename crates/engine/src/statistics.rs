//! Counters with Kamailio's names, `group:name`, and figures computed when they are asked for.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;

/// The most threads that count without getting into each other's way; further ones share their lanes.
const LANES_MAX: usize = 64;

/// A shared counter; cloning it shares it. Each thread adds in a lane of its own, so that workers do not write to
/// one cache line for every message; reading sums the lanes.
#[derive(Clone, Debug)]
pub struct Counter(Arc<[Lane]>);

/// A lane for each worker, of which there is one a core, and a few for the other threads.
fn lanes() -> usize {
    static LANES: OnceLock<usize> = OnceLock::new();
    *LANES.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        (cores + 4).next_power_of_two().min(LANES_MAX)
    })
}

impl Default for Counter {
    fn default() -> Self {
        Self((0..lanes()).map(|_| Lane::default()).collect())
    }
}

/// One thread's part, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Lane(AtomicI64);

/// The lane of the calling thread.
fn lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % lanes();
    }
    LANE.with(|lane| *lane)
}

impl Counter {
    /// Adds `n`, which may be negative.
    pub fn add(&self, n: i64) {
        self.0[lane()].0.fetch_add(n, Ordering::Relaxed);
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// The value now.
    pub fn value(&self) -> i64 {
        let lanes = self.0.iter();
        lanes.map(|lane| lane.0.load(Ordering::Relaxed)).sum()
    }

    /// Overwrites the value. What others add at the same moment may be lost.
    pub fn store(&self, value: i64) {
        for (number, lane) in self.0.iter().enumerate() {
            let part = if number == 0 { value } else { 0 };
            lane.0.store(part, Ordering::Relaxed);
        }
    }
}

enum Figure {
    Counter {
        counter: Counter,
        resettable: bool,
    },
    Computed {
        compute: Compute,
        reset: Option<Reset>,
    },
}

type Compute = Box<dyn Fn() -> i64 + Send + Sync>;
type Reset = Box<dyn Fn() + Send + Sync>;

impl Figure {
    fn value(&self) -> i64 {
        match self {
            Self::Counter { counter, .. } => counter.value(),
            Self::Computed { compute, .. } => compute(),
        }
    }

    fn counter(&self) -> Option<Counter> {
        match self {
            Self::Counter { counter, .. } => Some(counter.clone()),
            Self::Computed { .. } => None,
        }
    }
}

/// The figures of a group by name, each with its line of documentation.
type Group = BTreeMap<String, (Figure, String)>;

/// All statistics of one engine, ordered by group and name.
#[derive(Default)]
pub struct Statistics {
    groups: RwLock<BTreeMap<String, Group>>,
}

impl Statistics {
    /// The counter `group:name`, made if it is not there yet.
    pub fn counter(&self, group: &str, name: &str, resettable: bool, doc: &str) -> Counter {
        let mut groups = self.groups.write();
        let row = groups
            .entry(group.to_owned())
            .or_default()
            .entry(name.to_owned());
        let (figure, _) = row.or_insert_with(|| {
            let counter = Counter::default();
            (
                Figure::Counter {
                    counter,
                    resettable,
                },
                doc.to_owned(),
            )
        });
        match figure {
            Figure::Counter { counter, .. } => counter.clone(),
            Figure::Computed { .. } => Counter::default(),
        }
    }

    /// Adds a figure that is computed at each reading.
    pub fn computed(
        &self,
        group: &str,
        name: &str,
        doc: &str,
        compute: impl Fn() -> i64 + Send + Sync + 'static,
    ) {
        let figure = Figure::Computed {
            compute: Box::new(compute),
            reset: None,
        };
        self.insert(group, name, doc, figure);
    }

    /// The same for a figure that its owner can set to zero.
    pub fn computed_resettable(
        &self,
        group: &str,
        name: &str,
        doc: &str,
        compute: impl Fn() -> i64 + Send + Sync + 'static,
        reset: impl Fn() + Send + Sync + 'static,
    ) {
        let figure = Figure::Computed {
            compute: Box::new(compute),
            reset: Some(Box::new(reset)),
        };
        self.insert(group, name, doc, figure);
    }

    fn insert(&self, group: &str, name: &str, doc: &str, figure: Figure) {
        self.groups
            .write()
            .entry(group.to_owned())
            .or_default()
            .insert(name.to_owned(), (figure, doc.to_owned()));
    }

    /// The value of `group:name`.
    pub fn get(&self, group: &str, name: &str) -> Option<i64> {
        Some(self.groups.read().get(group)?.get(name)?.0.value())
    }

    /// The counter `group:name`, if it is there and not computed.
    pub fn existing(&self, group: &str, name: &str) -> Option<Counter> {
        self.groups.read().get(group)?.get(name)?.0.counter()
    }

    /// The first counter with this name in any group.
    pub fn existing_named(&self, name: &str) -> Option<Counter> {
        let groups = self.groups.read();
        let mut found = groups.values().filter_map(|group| group.get(name));
        found.find_map(|(figure, _)| figure.counter())
    }

    /// The value of the first statistic with this name in any group, as `$stat(name)` looks it up.
    pub fn find(&self, name: &str) -> Option<i64> {
        self.groups
            .read()
            .values()
            .find_map(|group| Some(group.get(name)?.0.value()))
    }

    /// The names of all groups, sorted.
    pub fn groups(&self) -> Vec<String> {
        self.groups.read().keys().cloned().collect()
    }

    /// All `(group, name, value)` for which `wanted(group, name)` holds, sorted.
    pub fn select(&self, wanted: impl Fn(&str, &str) -> bool) -> Vec<(String, String, i64)> {
        let groups = self.groups.read();
        let mut rows = Vec::new();
        for (group, figures) in groups.iter() {
            for (name, (figure, _)) in figures {
                if wanted(group, name) {
                    rows.push((group.clone(), name.clone(), figure.value()));
                }
            }
        }
        rows
    }

    /// Zeroes what may be zeroed among the selected; returns the selected with their old values.
    pub fn reset(&self, wanted: impl Fn(&str, &str) -> bool) -> Vec<(String, String, i64)> {
        let groups = self.groups.read();
        let mut rows = Vec::new();
        for (group, figures) in groups.iter() {
            for (name, (figure, _)) in figures.iter().filter(|(name, _)| wanted(group, name)) {
                rows.push((group.clone(), name.clone(), figure.value()));
                match figure {
                    Figure::Counter {
                        counter,
                        resettable: true,
                    } => counter.store(0),
                    Figure::Computed {
                        reset: Some(reset), ..
                    } => reset(),
                    _ => {}
                }
            }
        }
        rows
    }

    /// The line of documentation of `group:name`.
    pub fn doc(&self, group: &str, name: &str) -> Option<String> {
        Some(self.groups.read().get(group)?.get(name)?.1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_one_counter() {
        let counter = Counter::default();
        counter.store(5);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| (0..100).for_each(|_| counter.increment()));
            }
        });
        assert_eq!(counter.value(), 2_005);
        counter.store(7);
        assert_eq!(counter.value(), 7);
    }

    #[test]
    fn a_counter_is_shared_and_reset_only_where_allowed() {
        let all = Statistics::default();
        all.counter("dialog", "processed_dialogs", true, "").add(3);
        all.counter("dialog", "active_dialogs", false, "").add(2);
        all.computed("dialog", "twice", "", || 4);
        let reset = all.reset(|group, _| group == "dialog");
        assert_eq!(reset.len(), 3);
        assert_eq!(all.get("dialog", "processed_dialogs"), Some(0));
        assert_eq!(all.find("active_dialogs"), Some(2));
        assert_eq!(all.get("dialog", "twice"), Some(4));
    }
}
