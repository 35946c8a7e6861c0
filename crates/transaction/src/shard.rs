//! One part of the table: the transactions of some calls, their two indexes, and their timers.
//!
//! Every record has exactly one armed timer as long as it exists, also while it is checked out, so
//! that none can be forgotten.

use std::sync::Arc;

use hashbrown::HashTable;
use sip::{Message, Method};
use slab::Slab;
use timer::{Time, TimerId, Wheel};

use crate::key::{Identity, Keys, chain_key};
use crate::statistics::Statistics;
use crate::table::{Due, Listed, Refused};
use crate::transaction::{Transaction, TransactionId};

/// How soon a record is looked at again that was due, or is checked out.
const AGAIN_MS: u64 = 1_000;
/// How often a record may be found checked out before it counts as lost: about ten minutes.
const LOST_AFTER: u16 = 600;
/// The most transactions with one Call-ID and CSeq number.
const CROWD: usize = 128;

/// A table with this many times the room that it needs is made smaller,
const SPARSE: usize = 8;
/// but never for fewer transactions.
const KEPT: usize = 16;

pub(crate) struct Shard<U, B> {
    pub(crate) entries: Slab<Entry<U, B>>,
    by_chain: HashTable<u32>,
    by_label: HashTable<u32>,
    wheel: Wheel<u32>,
    next_label: u32,
    pub(crate) statistics: Statistics,
    due: Vec<u32>,
}

/// A transaction as the table sees it.
pub(crate) struct Entry<U, B> {
    pub(crate) id: TransactionId,
    pub(crate) keys: Keys,
    pub(crate) cseq: u32,
    pub(crate) method: Method,
    pub(crate) identity: Identity,
    pub(crate) request: Arc<Message>,
    pub(crate) is_local: bool,
    pub(crate) last_status: u16,
    is_waiting: bool,
    /// `None` while it is checked out.
    record: Option<Box<Transaction<U, B>>>,
    timer: TimerId,
    armed: Time,
    found_out: u16,
}

/// What the table needs to know of a new transaction.
pub(crate) struct Draft {
    pub(crate) keys: Keys,
    pub(crate) cseq: u32,
    pub(crate) method: Method,
    pub(crate) request: Arc<Message>,
    /// `None` for a request made here.
    pub(crate) identity: Option<Identity>,
}

impl<U, B> Entry<U, B> {
    pub(crate) fn listed(&self) -> Listed {
        Listed {
            id: self.id,
            request: Arc::clone(&self.request),
            is_local: self.is_local,
            branches: self
                .record
                .as_ref()
                .map_or(0, |record| record.branches.len()),
        }
    }
}

impl<U, B> Shard<U, B> {
    pub(crate) fn new(now: Time, tick_ms: u64, first_label: u32) -> Self {
        Self {
            entries: Slab::new(),
            by_chain: HashTable::new(),
            by_label: HashTable::new(),
            wheel: Wheel::new(now, tick_ms),
            next_label: first_label,
            statistics: Statistics::default(),
            due: Vec::new(),
        }
    }

    /// Makes room for a transaction, which counts as checked out.
    pub(crate) fn reserve(
        &mut self,
        draft: Draft,
        index: u32,
        now: Time,
    ) -> Result<(TransactionId, Identity), Refused> {
        if self.chain(draft.keys.chain).take(CROWD).count() == CROWD {
            self.statistics.crowded += 1;
            return Err(Refused::Crowded);
        }
        let Ok(slot) = u32::try_from(self.entries.vacant_key()) else {
            return Err(Refused::Crowded);
        };
        let id = TransactionId {
            index,
            label: self.free_label(),
        };
        let identity = draft.identity.unwrap_or_else(|| Identity::local(id.label));
        let armed = now.plus_millis(AGAIN_MS);
        self.statistics.created += 1;
        self.statistics.created_local += u64::from(draft.identity.is_none());
        let Draft {
            keys,
            cseq,
            method,
            request,
            ..
        } = draft;
        self.entries.insert(Entry {
            id,
            keys,
            cseq,
            method,
            identity,
            request,
            is_local: draft.identity.is_none(),
            last_status: 0,
            is_waiting: false,
            record: None,
            timer: self.wheel.insert(armed, slot),
            armed,
            found_out: 0,
        });
        let entries = &self.entries;
        self.by_chain
            .insert_unique(keys.chain, slot, |&other| chain_hash(entries, other));
        self.by_label
            .insert_unique(label_hash(id.label), slot, |&other| {
                slot_hash(entries, other)
            });
        Ok((id, identity))
    }

    /// All transactions with the chain's Call-ID and CSeq number, and perhaps a few others.
    pub(crate) fn chain(&self, chain: u64) -> impl Iterator<Item = &Entry<U, B>> {
        self.by_chain
            .iter_hash(chain)
            .filter_map(|&slot| self.entries.get(slot as usize))
            .filter(move |entry| entry.keys.chain == chain)
    }

    pub(crate) fn call_of(&self, id: TransactionId) -> Option<u64> {
        let slot = self.slot(id)?;
        Some(self.entries.get(slot as usize)?.keys.call)
    }

    pub(crate) fn check_out(&mut self, id: TransactionId) -> Option<Box<Transaction<U, B>>> {
        let slot = self.slot(id)?;
        self.entries.get_mut(slot as usize)?.record.take()
    }

    /// Takes a record back. A finished one is removed and returned.
    pub(crate) fn check_in(
        &mut self,
        mut record: Box<Transaction<U, B>>,
    ) -> Option<Box<Transaction<U, B>>> {
        self.statistics.traffic += record.take_tally();
        let Some(slot) = self.slot(record.id) else {
            return Some(record);
        };
        if record.is_finished() {
            self.remove(slot);
            return Some(record);
        }
        let entry = self.entries.get_mut(slot as usize)?;
        let deadline = record.next_deadline();
        if deadline != entry.armed {
            self.wheel.cancel(entry.timer);
            entry.timer = self.wheel.insert(deadline, slot);
            entry.armed = deadline;
        }
        let is_waiting = record.is_waiting();
        if is_waiting {
            record.settle();
        }
        self.statistics.waiting += u64::from(is_waiting && !entry.is_waiting);
        self.statistics.waiting -= u64::from(!is_waiting && entry.is_waiting);
        entry.is_waiting = is_waiting;
        entry.last_status = record.server.last_status;
        entry.found_out = 0;
        entry.record = Some(record);
        None
    }

    /// Reports the transactions whose deadline has come. Each is reported again, a second later,
    /// unless it is checked out and in until then.
    pub(crate) fn advance(&mut self, now: Time, due: &mut Vec<Due>) {
        let mut slots = std::mem::take(&mut self.due);
        self.wheel.advance(now, &mut slots);
        for slot in slots.drain(..) {
            let Some(entry) = self.entries.get_mut(slot as usize) else {
                continue;
            };
            if entry.record.is_some() {
                due.push(Due {
                    id: entry.id,
                    call_key: entry.keys.call,
                });
            } else {
                entry.found_out += 1;
            }
            if entry.found_out > LOST_AFTER {
                self.statistics.lost += 1;
                self.remove(slot);
            } else {
                entry.armed = now.plus_millis(AGAIN_MS);
                entry.timer = self.wheel.insert(entry.armed, slot);
            }
        }
        self.due = slots;
        if self.by_chain.capacity() / SPARSE > self.entries.len().max(KEPT) {
            self.shrink();
        }
    }

    /// Gives back the room that a burst of transactions took: in large and nearly empty tables everything is cold.
    fn shrink(&mut self) {
        let room = 2 * self.entries.len().max(KEPT);
        let entries = &self.entries;
        self.by_chain
            .shrink_to(room, |&slot| chain_hash(entries, slot));
        self.by_label
            .shrink_to(room, |&slot| slot_hash(entries, slot));
        self.entries.shrink_to_fit();
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.wheel.next_deadline()
    }

    pub(crate) fn snapshot(&self) -> Statistics {
        Statistics {
            current: self.entries.len() as u64,
            ..self.statistics
        }
    }

    /// Finds a transaction by Call-ID key, CSeq number and method.
    pub(crate) fn find(&self, call: u64, cseq: u32, method: Method) -> Option<&Entry<U, B>> {
        self.chain(chain_key(call, cseq))
            .find(|entry| entry.keys.call == call && entry.cseq == cseq && entry.method == method)
    }

    fn slot(&self, id: TransactionId) -> Option<u32> {
        let is_it = |&slot: &u32| self.entries.get(slot as usize).is_some_and(|e| e.id == id);
        self.by_label.find(label_hash(id.label), is_it).copied()
    }

    fn remove(&mut self, slot: u32) {
        let Some(entry) = self.entries.try_remove(slot as usize) else {
            return;
        };
        self.wheel.cancel(entry.timer);
        if let Ok(found) = self
            .by_chain
            .find_entry(entry.keys.chain, |&other| other == slot)
        {
            found.remove();
        }
        let hash = label_hash(entry.id.label);
        if let Ok(found) = self.by_label.find_entry(hash, |&other| other == slot) {
            found.remove();
        }
        self.statistics.freed += 1;
        self.statistics.waiting -= u64::from(entry.is_waiting);
    }

    /// The next number that no living transaction has.
    fn free_label(&mut self) -> u32 {
        loop {
            let label = self.next_label;
            self.next_label = label.wrapping_add(1);
            let is_it = |&slot: &u32| {
                self.entries
                    .get(slot as usize)
                    .is_some_and(|entry| entry.id.label == label)
            };
            if self.by_label.find(label_hash(label), is_it).is_none() {
                return label;
            }
        }
    }
}

fn chain_hash<U, B>(entries: &Slab<Entry<U, B>>, slot: u32) -> u64 {
    entries
        .get(slot as usize)
        .map_or(0, |entry| entry.keys.chain)
}

fn slot_hash<U, B>(entries: &Slab<Entry<U, B>>, slot: u32) -> u64 {
    entries
        .get(slot as usize)
        .map_or(0, |entry| label_hash(entry.id.label))
}

const fn label_hash(label: u32) -> u64 {
    (label as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:b@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
        From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\nCall-ID: 1@a\r\nCSeq: 1 INVITE\r\n\r\n";

    #[test]
    fn a_table_is_made_smaller_after_a_burst() {
        let request = Message::parse(INVITE.into()).expect("a message");
        let request = Arc::new(request);
        let mut shard = Shard::<(), ()>::new(Time::ZERO, 16, 0);
        let drafts = (0..5000).map(|call| Draft {
            keys: Keys::new(call, &request).expect("a Call-ID and a CSeq"),
            cseq: 1,
            method: Method::Invite,
            request: Arc::clone(&request),
            identity: None,
        });
        let made = drafts.map(|draft| shard.reserve(draft, 0, Time::ZERO).expect("room").0);
        let ids: Vec<_> = made.collect();
        let room = |shard: &Shard<(), ()>| shard.by_chain.capacity().max(shard.by_label.capacity());
        let burst = room(&shard);
        for id in &ids[10..] {
            let slot = shard.slot(*id).expect("it is there");
            shard.remove(slot);
        }
        shard.advance(Time::from_millis(16), &mut Vec::new());
        assert!(burst >= 5000 && room(&shard) < 100, "{}", room(&shard));
        for (id, call) in ids[..10].iter().zip(0..) {
            let found = shard.find(call, 1, Method::Invite);
            assert_eq!(found.map(|entry| entry.id), Some(*id));
            assert!(shard.slot(*id).is_some());
        }
        assert_eq!(shard.snapshot().current, 10);
    }
}
