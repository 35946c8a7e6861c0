//! Which slots of the table belong to which of its parts.

use std::ops::Range;

/// Parts of the table.
pub(crate) const SHARDS: usize = 256;
/// Slots looked at under one lock.
const SLOTS_AT_A_TIME: u32 = 256;

/// How slots are dealt out to the shards: neighbours to the same one, so that whoever goes from slot to slot finds many
/// under one lock, and their records side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    hash_size: u32,
    /// How often the number of a slot is halved to get that of its shard.
    shift: u32,
}

impl Layout {
    /// For this many slots, which is a power of two.
    pub(crate) fn new(hash_size: u32) -> Self {
        let shift = hash_size.ilog2().saturating_sub(SHARDS.ilog2());
        Self { hash_size, shift }
    }

    /// The shard of a slot; any for one that is not there.
    pub(crate) fn shard_of(self, h_entry: u32) -> usize {
        (h_entry >> self.shift) as usize % SHARDS
    }

    /// The slots of a shard: none of the last ones where there are fewer slots than shards.
    pub(crate) fn slots_of(self, shard: u32) -> Range<u32> {
        let edge = |shard: u32| (shard << self.shift).min(self.hash_size);
        edge(shard)..edge(shard + 1)
    }

    /// All slots from one on, in pieces that one shard holds; short enough to keep its lock meanwhile.
    pub(crate) fn pieces_from(self, h_entry: u32) -> impl Iterator<Item = Range<u32>> {
        let length = (1 << self.shift).min(SLOTS_AT_A_TIME);
        let first = h_entry.min(self.hash_size);
        let starts = (first / length * length..self.hash_size).step_by(length as usize);
        starts.map(move |start| start.max(first)..start + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::core_hash;

    #[test]
    fn every_slot_has_one_shard_and_is_passed_once() {
        for bits in [0, 1, 7, 8, 9, 12, 18] {
            let layout = Layout::new(1 << bits);
            let mut slots = Vec::new();
            for shard in 0..SHARDS as u32 {
                for h_entry in layout.slots_of(shard) {
                    assert_eq!(layout.shard_of(h_entry), shard as usize);
                    slots.push(h_entry);
                }
            }
            assert!(slots.iter().copied().eq(0..1 << bits));
            for first in [0, 1, 255, 256, 257, (1 << bits) - 1, 1 << bits, u32::MAX] {
                let passed = layout.pieces_from(first).flat_map(|piece| {
                    let shard = layout.shard_of(piece.start);
                    piece.inspect(move |&h_entry| assert_eq!(layout.shard_of(h_entry), shard))
                });
                assert!(passed.eq(first.min(1 << bits)..1 << bits), "{bits} {first}");
            }
        }
    }

    #[test]
    fn calls_spread_evenly_over_the_shards() {
        let layout = Layout::new(4096);
        let names: [fn(u32) -> String; 3] = [
            |i| format!("{}-{}@192.0.2.7", i, 4242),
            |i| format!("call-{i}"),
            |i| format!("{:08x}{:08x}@example.com", i.wrapping_mul(0x9e37_79b9), i),
        ];
        for name in names {
            let mut calls = [0; SHARDS];
            for i in 0..256_000 {
                calls[layout.shard_of(core_hash(name(i).as_bytes()) % 4096)] += 1;
            }
            let most = calls.iter().max();
            assert!(
                most.is_some_and(|&most| most < 2000),
                "{:?} of a mean 1000",
                most
            );
        }
    }
}
