//! A hierarchical timer wheel: constant time to insert and to cancel, 16 bytes a timer beside its value.
//!
//! Six levels of 64 slots; a slot of level `n` spans 64^n ticks. A timer waits in the coarsest level
//! in which its tick still differs from the current one, and moves down when that slot's time comes.

use std::num::NonZeroU32;

use crate::Time;

const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
const LEVELS: usize = 6;
/// End of a list.
const NIL: u32 = u32::MAX;
/// `prev` values from here on name the slot whose first entry this is.
const HEADS: u32 = NIL - (LEVELS * SLOTS) as u32;

/// Names one inserted timer. An id that has fired or was cancelled matches nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId {
    index: u32,
    generation: NonZeroU32,
}

#[derive(Debug)]
struct Entry<T> {
    next: u32,
    prev: u32,
    /// The low half of the tick: every pending tick is less than 2^32 ticks ahead.
    tick: u32,
    generation: NonZeroU32,
    /// `None` while the entry waits in the free list.
    value: Option<T>,
}

/// Timers that carry a `T`. None fires early, nor later than the first advance that is a tick past
/// its deadline.
///
/// A deadline farther than 2^32 - 1 ticks ahead (795 days at 16 ms) is shortened to that.
#[derive(Debug)]
pub struct Wheel<T> {
    tick_ms: u64,
    /// The tick up to which everything has fired.
    now: u64,
    heads: [[u32; SLOTS]; LEVELS],
    /// One bit for each slot that is not empty.
    occupied: [u64; LEVELS],
    entries: Vec<Entry<T>>,
    free: u32,
    len: usize,
}

impl<T> Wheel<T> {
    /// An empty wheel that starts at `now`, with ticks of `tick_ms` milliseconds (0 counts as 1).
    pub fn new(now: Time, tick_ms: u64) -> Self {
        let tick_ms = tick_ms.max(1);
        Self {
            tick_ms,
            now: now.as_millis() / tick_ms,
            heads: [[NIL; SLOTS]; LEVELS],
            occupied: [0; LEVELS],
            entries: Vec::new(),
            free: NIL,
            len: 0,
        }
    }

    /// Arms a timer. A deadline that has passed fires with the next tick.
    pub fn insert(&mut self, deadline: Time, value: T) -> TimerId {
        let last = self.now.saturating_add(u64::from(u32::MAX));
        let tick = deadline
            .as_millis()
            .div_ceil(self.tick_ms)
            .clamp(self.now + 1, last);
        let index = self.allocate(tick as u32, value);
        self.link(index, tick);
        self.len += 1;
        TimerId {
            index,
            generation: self.entries[index as usize].generation,
        }
    }

    /// Disarms a timer and gives back its value; `None` if it fired or was cancelled before.
    pub fn cancel(&mut self, id: TimerId) -> Option<T> {
        let entry = self.entries.get(id.index as usize)?;
        if entry.generation != id.generation || entry.value.is_none() {
            return None;
        }
        self.unlink(id.index);
        self.release(id.index)
    }

    /// Moves to `now` and appends the values of all timers that are due, earliest tick first.
    pub fn advance(&mut self, now: Time, due: &mut Vec<T>) {
        let target = now.as_millis() / self.tick_ms;
        while let Some((level, slot, tick)) = self.next_slot() {
            if tick > target {
                break;
            }
            self.now = tick;
            self.empty_slot(level, slot, due);
        }
        self.now = self.now.max(target);
    }

    /// A moment before which nothing fires; advancing to it fires timers or brings the next ones nearer.
    pub fn next_deadline(&self) -> Option<Time> {
        let (_, _, tick) = self.next_slot()?;
        Some(Time::from_millis(tick.saturating_mul(self.tick_ms)))
    }

    /// How many timers are armed.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no timer is armed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first slot whose time comes, and its tick. A finer level always comes before a coarser one.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let level = self.occupied.iter().position(|&bits| bits != 0)?;
        let shift = level as u32 * SLOT_BITS;
        let current = self.now >> shift;
        let ahead = self.occupied[level]
            .rotate_right((current % SLOTS as u64) as u32)
            .trailing_zeros();
        let position = current + u64::from(ahead);
        Some((level, (position % SLOTS as u64) as usize, position << shift))
    }

    fn empty_slot(&mut self, level: usize, slot: usize, due: &mut Vec<T>) {
        let mut index = std::mem::replace(&mut self.heads[level][slot], NIL);
        self.occupied[level] &= !(1 << slot);
        while index != NIL {
            let entry = &self.entries[index as usize];
            let next = entry.next;
            let tick = self.now + u64::from(entry.tick.wrapping_sub(self.now as u32));
            if tick == self.now {
                due.extend(self.release(index));
            } else {
                self.link(index, tick);
            }
            index = next;
        }
    }

    fn link(&mut self, index: u32, tick: u64) {
        let (level, slot) = self.place(tick);
        let head = std::mem::replace(&mut self.heads[level][slot], index);
        self.occupied[level] |= 1 << slot;
        let entry = &mut self.entries[index as usize];
        entry.next = head;
        entry.prev = HEADS + (level * SLOTS + slot) as u32;
        if head != NIL {
            self.entries[head as usize].prev = index;
        }
    }

    fn unlink(&mut self, index: u32) {
        let Entry { next, prev, .. } = self.entries[index as usize];
        if next != NIL {
            self.entries[next as usize].prev = prev;
        }
        if prev < HEADS {
            self.entries[prev as usize].next = next;
            return;
        }
        let (level, slot) = (
            (prev - HEADS) as usize / SLOTS,
            (prev - HEADS) as usize % SLOTS,
        );
        self.heads[level][slot] = next;
        if next == NIL {
            self.occupied[level] &= !(1 << slot);
        }
    }

    fn place(&self, tick: u64) -> (usize, usize) {
        let differing = u64::BITS - (self.now ^ tick).leading_zeros();
        let level = (differing.saturating_sub(1) / SLOT_BITS).min(LEVELS as u32 - 1);
        (
            level as usize,
            ((tick >> (level * SLOT_BITS)) % SLOTS as u64) as usize,
        )
    }

    fn allocate(&mut self, tick: u32, value: T) -> u32 {
        if let Some(entry) = self.entries.get_mut(self.free as usize) {
            let index = std::mem::replace(&mut self.free, entry.next);
            entry.tick = tick;
            entry.value = Some(value);
            return index;
        }
        let index = self.entries.len() as u32;
        assert!(
            index < HEADS,
            "four thousand million timers do not fit in memory"
        );
        let generation = NonZeroU32::MIN;
        self.entries.push(Entry {
            next: NIL,
            prev: NIL,
            tick,
            generation,
            value: Some(value),
        });
        index
    }

    fn release(&mut self, index: u32) -> Option<T> {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        entry.next = std::mem::replace(&mut self.free, index);
        self.len -= 1;
        entry.value.take()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn fired(wheel: &mut Wheel<u32>, now_ms: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.advance(Time::from_millis(now_ms), &mut due);
        due
    }

    #[test]
    fn fires_within_one_tick_and_never_early() {
        let mut wheel = Wheel::new(Time::from_millis(1_000_007), 16);
        wheel.insert(Time::from_millis(1_000_500), 1);
        assert!(fired(&mut wheel, 1_000_499).is_empty());
        assert_eq!(fired(&mut wheel, 1_000_516), [1]);
        assert!(wheel.is_empty());
    }

    #[test]
    fn a_passed_deadline_fires_with_the_next_tick() {
        let mut wheel = Wheel::new(Time::from_millis(160), 16);
        wheel.insert(Time::ZERO, 7);
        assert!(fired(&mut wheel, 160).is_empty());
        assert_eq!(fired(&mut wheel, 176), [7]);
    }

    #[test]
    fn an_old_id_matches_nothing() {
        let mut wheel = Wheel::new(Time::ZERO, 1);
        let first = wheel.insert(Time::from_millis(5), 1);
        assert_eq!(wheel.cancel(first), Some(1));
        let second = wheel.insert(Time::from_millis(5), 2);
        assert_eq!(first.index, second.index);
        assert_eq!(wheel.cancel(first), None);
        assert_eq!(fired(&mut wheel, 5), [2]);
        assert_eq!(wheel.cancel(second), None);
    }

    #[test]
    fn the_farthest_deadline_is_limited() {
        let mut wheel = Wheel::new(Time::from_millis(3), 1);
        wheel.insert(Time::NEVER, 1);
        assert!(fired(&mut wheel, 2 + u64::from(u32::MAX)).is_empty());
        assert_eq!(fired(&mut wheel, 3 + u64::from(u32::MAX)), [1]);
    }

    #[test]
    fn a_timer_is_small() {
        assert_eq!(size_of::<Entry<u32>>(), 24);
        assert_eq!(size_of::<Option<TimerId>>(), 8);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Cancel(prop::sample::Index),
        Advance(u64),
        AdvanceToNext,
    }

    fn step() -> impl Strategy<Value = Step> {
        let delay = prop_oneof![0..70u64, 0..5_000u64, 0..400_000u64, 0..20_000_000_000u64];
        prop_oneof![
            4 => delay.clone().prop_map(Step::Insert),
            2 => any::<prop::sample::Index>().prop_map(Step::Cancel),
            2 => delay.prop_map(Step::Advance),
            1 => Just(Step::AdvanceToNext),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn behaves_like_an_ordered_map(
            start in prop_oneof![0..100_000u64, ((1u64 << 36) - 500)..(1 << 36)],
            tick_ms in prop_oneof![Just(1u64), Just(16)],
            steps in prop::collection::vec(step(), 1..120),
        ) {
            let mut now = start;
            let mut wheel = Wheel::new(Time::from_millis(now), tick_ms);
            let mut model: BTreeMap<(u64, u32), TimerId> = BTreeMap::new();
            for (number, step) in (0u32..).zip(steps) {
                match step {
                    Step::Insert(delay) => {
                        let delay = delay.min(u64::from(u32::MAX) - 1);
                        let tick = (now + delay).div_ceil(tick_ms).max(now / tick_ms + 1);
                        let id = wheel.insert(Time::from_millis(now + delay), number);
                        model.insert((tick, number), id);
                    }
                    Step::Cancel(which) if !model.is_empty() => {
                        let (&key, &id) = model.iter().nth(which.index(model.len())).unwrap();
                        model.remove(&key);
                        prop_assert_eq!(wheel.cancel(id), Some(key.1));
                        prop_assert_eq!(wheel.cancel(id), None);
                    }
                    Step::Cancel(_) => {}
                    Step::Advance(delay) => now += delay,
                    Step::AdvanceToNext => {
                        if let Some(next) = wheel.next_deadline() {
                            prop_assert!(next.as_millis() / tick_ms <= model.keys().next().unwrap().0);
                            now = now.max(next.as_millis());
                        }
                    }
                }
                let mut due = fired(&mut wheel, now);
                let later = model.split_off(&(now / tick_ms + 1, 0));
                let ticks: Vec<u64> = due
                    .iter()
                    .filter_map(|n| model.keys().find(|key| key.1 == *n).map(|key| key.0))
                    .collect();
                prop_assert!(ticks.is_sorted(), "earliest first: {:?}", ticks);
                due.sort_unstable();
                let mut expected: Vec<u32> = model.keys().map(|key| key.1).collect();
                expected.sort_unstable();
                prop_assert_eq!(due, expected);
                model = later;
                prop_assert_eq!(wheel.len(), model.len());
            }
        }
    }
}
