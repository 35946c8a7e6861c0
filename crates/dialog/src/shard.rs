//! One part of the table: the records of its slots, found by number, by Call-ID and by deadline.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use hashbrown::HashTable;
use smallvec::SmallVec;
use timer::{Time, Wheel};

use crate::id::{DialogId, Numbering};
use crate::observe::Own;
use crate::paged::{Number, Paged};
use crate::record::Record;
use crate::settings::Settings;

/// Deadlines are exact to this.
const TICK_MS: u64 = 16;

#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Shard {
    pub(crate) records: Paged<Record>,
    by_call_id: HashTable<Named>,
    slots: Slots,
    pub(crate) wheel: Wheel<Number>,
    /// Observers of single calls.
    pub(crate) own: Own,
}

/// A Call-ID with its hash, which a peer cannot foresee.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallId<'a> {
    bytes: &'a [u8],
    hash: u32,
}

impl<'a> CallId<'a> {
    pub(crate) fn new(bytes: &'a [u8], hasher: &RandomState) -> Self {
        Self {
            bytes,
            hash: hasher.hash_one(bytes) as u32,
        }
    }
}

/// A record's place, and its Call-ID's hash: so the index grows without looking at the records.
#[derive(Debug)]
struct Named {
    hash: u32,
    place: Number,
}

impl Named {
    /// The hash over the index's 64 bits.
    fn spread(hash: u32) -> u64 {
        u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[derive(Debug, Default)]
struct Slot {
    next: u32,
    /// `h_id` and place among the records, by `h_id`: the order in which they were made.
    calls: SmallVec<[(u32, Number); 2]>,
}

/// Neighbouring slots, by their `h_entry`.
#[derive(Debug)]
struct Slots {
    first: u32,
    slots: Box<[Slot]>,
}

impl Slots {
    fn get(&self, h_entry: u32) -> Option<&Slot> {
        self.slots.get(h_entry.checked_sub(self.first)? as usize)
    }

    fn get_mut(&mut self, h_entry: u32) -> Option<&mut Slot> {
        self.slots
            .get_mut(h_entry.checked_sub(self.first)? as usize)
    }

    /// Those of a range that are there.
    fn range(&self, range: Range<u32>) -> &[Slot] {
        let index =
            |h_entry: u32| (h_entry.saturating_sub(self.first) as usize).min(self.slots.len());
        &self.slots[index(range.start)..index(range.end)]
    }
}

impl Shard {
    pub(crate) fn new(
        slots: Range<u32>,
        settings: &Settings,
        numbers: Numbering,
        now: Time,
    ) -> Self {
        let first = slots.start;
        let slots = slots.map(|h_entry| Slot {
            next: numbers.first(scramble(settings.seed, h_entry), settings.hash_size),
            calls: SmallVec::new(),
        });
        Self {
            records: Paged::default(),
            by_call_id: HashTable::new(),
            slots: Slots {
                first,
                slots: slots.collect(),
            },
            wheel: Wheel::new(now, TICK_MS),
            own: Own::default(),
        }
    }

    /// Where the record with this id is.
    pub(crate) fn place(&self, id: DialogId) -> Option<Number> {
        let calls = &self.slots.get(id.h_entry)?.calls;
        let found = calls.binary_search_by_key(&id.h_id, |call| call.0).ok()?;
        Some(calls[found].1)
    }

    pub(crate) fn get(&self, id: DialogId) -> Option<&Record> {
        self.records.get(self.place(id)?)
    }

    /// Takes the next free number of a slot.
    pub(crate) fn next_id(&mut self, h_entry: u32, numbers: Numbering) -> Option<DialogId> {
        let slot = self.slots.get_mut(h_entry)?;
        for _ in 0..=slot.calls.len() {
            let h_id = numbers.take(&mut slot.next);
            if slot
                .calls
                .binary_search_by_key(&h_id, |call| call.0)
                .is_err()
            {
                return Some(DialogId { h_entry, h_id });
            }
        }
        None
    }

    /// Hands out no number of a slot up to this one any more.
    pub(crate) fn number_taken(&mut self, id: DialogId, numbers: Numbering) {
        if let Some(slot) = self.slots.get_mut(id.h_entry) {
            numbers.skip(&mut slot.next, id.h_id);
        }
    }

    /// Adds a record whose id is free, and arms its deadline.
    pub(crate) fn insert(&mut self, record: Record, hasher: &RandomState, deadline: Time) {
        let id = record.id;
        let hash = CallId::new(record.call_id(), hasher).hash;
        let Some(slot) = self.slots.get_mut(id.h_entry) else {
            return;
        };
        let Err(position) = slot.calls.binary_search_by_key(&id.h_id, |call| call.0) else {
            return;
        };
        let place = self.records.insert(record);
        if let Some(record) = self.records.get_mut(place) {
            record.timer = Some(self.wheel.insert(deadline, place));
        }
        slot.calls.insert(position, (id.h_id, place));
        let named = Named { hash, place };
        self.by_call_id
            .insert_unique(Named::spread(hash), named, |named| {
                Named::spread(named.hash)
            });
    }

    pub(crate) fn remove(&mut self, id: DialogId, hasher: &RandomState) -> Option<Record> {
        let slot = self.slots.get_mut(id.h_entry)?;
        let found = slot
            .calls
            .binary_search_by_key(&id.h_id, |call| call.0)
            .ok()?;
        let (_, place) = slot.calls.remove(found);
        if slot.calls.spilled() && slot.calls.len() * 4 < slot.calls.capacity() {
            slot.calls.shrink_to_fit();
        }
        let record = self.records.remove(place)?;
        let hash = CallId::new(record.call_id(), hasher).hash;
        if let Ok(entry) = self
            .by_call_id
            .find_entry(Named::spread(hash), |n| n.place == place)
        {
            entry.remove();
        }
        if let Some(timer) = record.timer {
            self.wheel.cancel(timer);
        }
        Some(record)
    }

    /// All records with a Call-ID, in no order.
    pub(crate) fn with_call_id<'a>(
        &'a self,
        call_id: CallId<'a>,
    ) -> impl Iterator<Item = &'a Record> {
        self.by_call_id
            .iter_hash(Named::spread(call_id.hash))
            .filter(move |named| named.hash == call_id.hash)
            .filter_map(|named| self.records.get(named.place))
            .filter(move |record| record.call_id() == call_id.bytes)
    }

    /// The records of a range of slots in order, those of the first slot above `above`.
    pub(crate) fn in_slots(
        &self,
        range: Range<u32>,
        above: u32,
    ) -> impl Iterator<Item = &Record> + Clone {
        let (first, rest) = match self.slots.range(range) {
            [first, rest @ ..] => (&first.calls[..], rest),
            [] => (&[][..], &[][..]),
        };
        let start = first.partition_point(|call| call.0 <= above);
        first[start..]
            .iter()
            .chain(rest.iter().flat_map(|slot| &slot.calls))
            .filter_map(|call| self.records.get(call.1))
    }
}

/// Spreads a seed over the slots (the finaliser of SplitMix64).
fn scramble(seed: u64, h_entry: u32) -> u64 {
    let mut z = seed.wrapping_add(
        u64::from(h_entry)
            .wrapping_add(1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15),
    );
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
