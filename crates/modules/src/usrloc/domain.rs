//! One table of locations: addresses of record and their contacts, in shards behind short locks.
//! Nothing but the closures of this crate's own modules runs under a lock, and nobody holds two.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use engine::Counter;
use hashbrown::HashTable;
use parking_lot::Mutex;

use super::contact::Contact;

/// Shards of a table.
pub(crate) const SHARDS: usize = 64;

/// Most addresses of record in one shard.
const RECORDS_MAX: usize = 1 << 17;

/// Most contacts of one address of record, whatever the registrar allows.
pub(crate) const CONTACTS_MAX: usize = 256;

/// Most addresses of record that one tick looks at in one shard.
const EXPIRED_AT_ONCE: usize = 256;

/// The contacts of one address of record, best first.
pub(crate) type Contacts = Vec<Arc<Contact>>;

/// A table of locations.
pub(crate) struct Domain {
    name: Box<str>,
    hasher: foldhash::quality::RandomState,
    shards: Box<[Mutex<Shard>]>,
    keep: u64,
    expired: Counter,
    refused: Counter,
}

/// The table can't take another address of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// An address of record and its contacts, copied from the table.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The address of record.
    pub(crate) aor: Arc<[u8]>,
    /// Its place among all, stable while the program runs.
    pub(crate) hash: u64,
    /// Its contacts.
    pub(crate) contacts: Contacts,
}

#[derive(Default)]
struct Shard {
    records: HashTable<Record>,
    deadlines: BTreeSet<(u64, Arc<[u8]>)>,
    contacts: usize,
}

struct Record {
    aor: Arc<[u8]>,
    contacts: Contacts,
    /// When the first contact ends; 0 never.
    deadline: u64,
}

impl Domain {
    /// An empty table. Contacts stay `keep` seconds longer than they are valid.
    pub(crate) fn new(name: &str, keep: u64, expired: Counter, refused: Counter) -> Self {
        Self {
            name: name.into(),
            hasher: foldhash::quality::RandomState::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            keep,
            expired,
            refused,
        }
    }

    /// Changes the contacts of an address of record in one step. An empty list forgets it.
    pub(crate) fn update<R>(
        &self,
        aor: &[u8],
        change: impl FnOnce(&mut Contacts) -> R,
    ) -> Result<R, Full> {
        let hash = self.hash(aor);
        let mut shard = self.shard(hash).lock();
        let result = shard.update(hash, aor, &self.hasher, change);
        if result.is_err() {
            self.refused.increment();
        }
        result
    }

    /// Removes the contacts that `unwanted` names; how many they were.
    pub(crate) fn remove(&self, aor: &[u8], unwanted: impl Fn(&Contact) -> bool) -> usize {
        let remove = |contacts: &mut Contacts| {
            let before = contacts.len();
            contacts.retain(|contact| !unwanted(contact));
            before - contacts.len()
        };
        // Removing needs no room.
        self.update(aor, remove).unwrap_or(0)
    }

    /// Removes the contact with this name, whosever it is; how many they were.
    pub(crate) fn remove_ruid(&self, ruid: &[u8]) -> usize {
        let is_named = |contact: &Contact| *contact.ruid == *ruid;
        let mut all = (0..SHARDS).flat_map(|shard| self.snapshot(shard));
        let owner = all.find(|record| record.contacts.iter().any(|contact| is_named(contact)));
        owner.map_or(0, |owner| self.remove(&owner.aor, is_named))
    }

    /// Takes out what has ended, for the shards of one worker.
    pub(crate) fn expire(&self, shard: usize, now: u64, out: &mut Vec<(Arc<[u8]>, Arc<Contact>)>) {
        let Some(shard) = self.shards.get(shard) else {
            return;
        };
        let before = out.len();
        let mut shard = shard.lock();
        for _ in 0..EXPIRED_AT_ONCE {
            let Some(aor) = shard.due(now, self.keep) else {
                break;
            };
            let hash = self.hash(&aor);
            let keep = self.keep;
            // The address of record is there, so that there is room for it.
            let _ = shard.update(hash, &aor, &self.hasher, |contacts| {
                contacts.retain(|contact| {
                    let stays = contact.expires == 0 || contact.expires + keep > now;
                    if !stays {
                        out.push((Arc::clone(&aor), Arc::clone(contact)));
                    }
                    stays
                });
            });
        }
        self.expired.add((out.len() - before) as i64);
    }

    /// The name given in the configuration.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The contacts of an address of record; empty when it is unknown.
    pub(crate) fn contacts(&self, aor: &[u8]) -> Contacts {
        let hash = self.hash(aor);
        let shard = self.shard(hash).lock();
        let record = shard.records.find(hash, |record| *record.aor == *aor);
        record.map_or_else(Contacts::new, |record| record.contacts.clone())
    }

    /// The contact with this name, of the address of record at this place.
    pub(crate) fn by_ruid(&self, hash: u64, ruid: &[u8]) -> Option<Arc<Contact>> {
        let shard = self.shard(hash).lock();
        let is_named = |contact: &&Arc<Contact>| *contact.ruid == *ruid;
        let has = |record: &Record| record.contacts.iter().any(|contact| is_named(&contact));
        let record = shard.records.find(hash, has)?;
        record.contacts.iter().find(is_named).cloned()
    }

    /// A copy of one shard.
    pub(crate) fn snapshot(&self, shard: usize) -> Vec<Snapshot> {
        let Some(shard) = self.shards.get(shard) else {
            return Vec::new();
        };
        let shard = shard.lock();
        let copy = |record: &Record| Snapshot {
            aor: Arc::clone(&record.aor),
            hash: self.hash(&record.aor),
            contacts: record.contacts.clone(),
        };
        shard.records.iter().map(copy).collect()
    }

    /// How many addresses of record there are.
    pub(crate) fn users(&self) -> usize {
        self.sum(|shard| shard.records.len())
    }

    /// How many contacts there are.
    pub(crate) fn contact_count(&self) -> usize {
        self.sum(|shard| shard.contacts)
    }

    /// The number of addresses of record in the fullest shard.
    pub(crate) fn fullest(&self) -> usize {
        let sizes = self.shards.iter().map(|shard| shard.lock().records.len());
        sizes.max().unwrap_or(0)
    }

    /// The place of an address of record.
    pub(crate) fn hash(&self, aor: &[u8]) -> u64 {
        self.hasher.hash_one(aor)
    }

    fn sum(&self, of: impl Fn(&Shard) -> usize) -> usize {
        self.shards.iter().map(|shard| of(&shard.lock())).sum()
    }

    fn shard(&self, hash: u64) -> &Mutex<Shard> {
        // The upper bits: the table inside uses the lower ones.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }
}

impl Shard {
    fn update<R>(
        &mut self,
        hash: u64,
        aor: &[u8],
        hasher: &foldhash::quality::RandomState,
        change: impl FnOnce(&mut Contacts) -> R,
    ) -> Result<R, Full> {
        let full = self.records.len() >= RECORDS_MAX;
        let known = self.records.find_entry(hash, |record| *record.aor == *aor);
        let mut record = match known {
            Ok(entry) => entry.remove().0,
            Err(_) if full => return Err(Full),
            Err(_) => Record {
                aor: aor.into(),
                contacts: Contacts::new(),
                deadline: 0,
            },
        };
        self.contacts -= record.contacts.len();
        if record.deadline != 0 {
            self.deadlines
                .remove(&(record.deadline, Arc::clone(&record.aor)));
        }
        let result = change(&mut record.contacts);
        if record.contacts.is_empty() {
            return Ok(result);
        }
        self.contacts += record.contacts.len();
        let ends = record.contacts.iter().map(|contact| contact.expires);
        record.deadline = ends.filter(|at| *at != 0).min().unwrap_or(0);
        if record.deadline != 0 {
            self.deadlines
                .insert((record.deadline, Arc::clone(&record.aor)));
        }
        self.records
            .insert_unique(hash, record, |record| hasher.hash_one(&*record.aor));
        Ok(result)
    }

    fn due(&self, now: u64, keep: u64) -> Option<Arc<[u8]>> {
        let (deadline, aor) = self.deadlines.first()?;
        (deadline.saturating_add(keep) <= now).then(|| Arc::clone(aor))
    }
}

#[cfg(test)]
mod tests {
    use super::super::contact::tests::contact;
    use super::*;

    fn domain() -> Domain {
        Domain::new("location", 0, Counter::default(), Counter::default())
    }

    fn expire_all(domain: &Domain, now: u64) -> usize {
        let mut out = Vec::new();
        for shard in 0..SHARDS {
            domain.expire(shard, now, &mut out);
        }
        out.len()
    }

    #[test]
    fn contacts_come_and_go_and_leave_nothing_behind() {
        let domain = domain();
        for (name, ends) in [("a", 100), ("b", 50), ("c", 0)] {
            let new = Contact {
                expires: ends,
                ..contact(name, 0)
            };
            assert!(domain.update(b"u", |list| list.push(Arc::new(new))).is_ok());
        }
        assert_eq!((domain.users(), domain.contact_count()), (1, 3));
        assert_eq!(expire_all(&domain, 49), 0);
        assert_eq!(expire_all(&domain, 50), 1);
        assert_eq!(expire_all(&domain, 500), 1);
        assert_eq!(domain.contacts(b"u").len(), 1);
        let hash = domain.hash(b"u");
        assert!(domain.by_ruid(hash, b"c").is_some());
        assert!(domain.by_ruid(hash, b"a").is_none());
        assert_eq!(domain.remove(b"u", |_| true), 1);
        assert_eq!(domain.remove(b"u", |_| true), 0);
        assert_eq!((domain.users(), domain.contact_count()), (0, 0));
        assert!(domain.shards.iter().all(|s| s.lock().deadlines.is_empty()));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn the_counts_are_the_sizes(steps in proptest::collection::vec((0u8..6, 0u8..4, 0u64..40), 1..60)) {
            let domain = domain();
            for (now, (user, action, ends)) in steps.into_iter().enumerate() {
                let aor = [user];
                match action {
                    0 => { domain.remove(&aor, |_| true); }
                    1 => { expire_all(&domain, now as u64); }
                    _ => {
                        let new = Contact { expires: ends, ..contact("x", 0) };
                        let added = domain.update(&aor, |list| list.push(Arc::new(new)));
                        proptest::prop_assert!(added.is_ok());
                    }
                }
                let all: Vec<_> = (0..SHARDS).flat_map(|at| domain.snapshot(at)).collect();
                proptest::prop_assert_eq!(all.len(), domain.users());
                let contacts: usize = all.iter().map(|one| one.contacts.len()).sum();
                proptest::prop_assert_eq!(contacts, domain.contact_count());
                proptest::prop_assert!(all.iter().all(|one| !one.contacts.is_empty()));
            }
        }
    }
}
