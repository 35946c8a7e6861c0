//! Profiles: named sets of calls. A count is the size of a set, so it cannot drift.
//!
//! A membership is a call and, in a profile with values, a value. Being set twice with the same value
//! is one membership (Kamailio counts it twice); with two values it is two. The sets follow the
//! records: both change under the lock of the call's shard.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use parking_lot::Mutex;

use crate::id::DialogId;
use crate::members::{Members, Place};
use crate::paged::Number;
use crate::settings::ProfileSettings;

/// Parts of a profile with values, so that no part ever takes long to grow.
const BUCKETS: usize = 256;

/// Names one profile: its place in [`Settings::profiles`](crate::Settings::profiles).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProfileId(pub(crate) u16);

/// A call in a profile, as its record knows it beside the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) profile: ProfileId,
    /// Where the call stands in the set.
    pub(crate) place: Place,
}

impl Membership {
    /// The key of the record's item.
    pub(crate) fn key(self) -> [u8; 6] {
        let [low, high] = self.profile.0.to_le_bytes();
        let [a, b, c, d] = self.place.map_or(0, Number::bits).to_le_bytes();
        [low, high, a, b, c, d]
    }

    pub(crate) fn from_key(key: &[u8]) -> Option<Self> {
        let (profile, place) = key.split_first_chunk()?;
        Some(Self {
            profile: ProfileId(u16::from_le_bytes(*profile)),
            place: Number::from_bits(u32::from_le_bytes(place.try_into().ok()?)),
        })
    }
}

/// Why a membership was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileError {
    /// There is no such call any more, or it is over.
    NoCall,
    /// The profile has values and none was given.
    NoValue,
    /// The set has as many members as the limit allows.
    Full,
    /// The call carries as much as it may (`max_items_bytes`).
    TooLarge,
    /// The id of another node's call is empty, or has more than 63 bytes.
    BadUid,
}

impl std::fmt::Display for ProfileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoCall => "no such call, or it is over",
            Self::NoValue => "this profile needs a value",
            Self::Full => "the limit of this profile is reached",
            Self::TooLarge => "the call carries too many variables and profile values",
            Self::BadUid => "the id of a remote item has 1 to 63 bytes",
        })
    }
}

impl std::error::Error for ProfileError {}

#[derive(Debug)]
pub(crate) struct Profiles {
    pub(crate) declared: Arc<[ProfileSettings]>,
    sets: Box<[Buckets]>,
    values: RandomState,
}

type Buckets = Box<[Mutex<HashTable<Set>>]>;

/// The calls that share one value.
#[derive(Debug)]
pub(crate) struct Set {
    value: Box<[u8]>,
    members: Members,
    /// Calls of other nodes, and when they go (0 for never).
    remote: Option<Box<Remote>>,
}

pub(crate) type Remote = BTreeMap<Box<[u8]>, u32>;

impl Profiles {
    pub(crate) fn new(declared: &[ProfileSettings]) -> Self {
        Self {
            declared: declared.into(),
            sets: declared
                .iter()
                .map(|profile| buckets(profile.with_value))
                .collect(),
            values: RandomState::new(),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<ProfileId> {
        let place = self
            .declared
            .iter()
            .position(|profile| profile.name == name)?;
        u16::try_from(place).ok().map(ProfileId)
    }

    /// What is stored as the value: nothing in profiles without values.
    pub(crate) fn stored<'v>(
        &self,
        id: ProfileId,
        value: Option<&'v [u8]>,
    ) -> Result<&'v [u8], ProfileError> {
        match value {
            _ if !self.with_value(id) => Ok(b""),
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(ProfileError::NoValue),
        }
    }

    pub(crate) fn with_value(&self, id: ProfileId) -> bool {
        self.declared
            .get(usize::from(id.0))
            .is_some_and(|profile| profile.with_value)
    }

    /// Adds a call that is not in the set, unless that has `limit` members already. Where it stands then is needed to
    /// [`remove`](Self::remove) it.
    pub(crate) fn add(
        &self,
        id: ProfileId,
        value: &[u8],
        call: DialogId,
        limit: usize,
    ) -> Option<Place> {
        let hash = self.values.hash_one(value);
        let mut sets = self.bucket(id, hash)?.lock();
        if let Some(set) = sets.find_mut(hash, |set| *set.value == *value) {
            return (set.len() < limit).then(|| set.members.insert(call));
        }
        if limit == 0 {
            return None;
        }
        let mut set = Set::new(value);
        let place = set.members.insert(call);
        sets.insert_unique(hash, set, |set| self.values.hash_one(&*set.value));
        Some(place)
    }

    /// Works on the set of a value, which is made if it is not there.
    pub(crate) fn with_set<R>(
        &self,
        id: ProfileId,
        value: &[u8],
        work: impl FnOnce(&mut Set) -> R,
    ) -> Option<R> {
        let hash = self.values.hash_one(value);
        let mut sets = self.bucket(id, hash)?.lock();
        if sets.find(hash, |set| *set.value == *value).is_none() {
            sets.insert_unique(hash, Set::new(value), |set| {
                self.values.hash_one(&*set.value)
            });
        }
        sets.find_mut(hash, |set| *set.value == *value).map(work)
    }

    /// Works on the set of a value, if there is one; an empty set goes.
    pub(crate) fn in_set<R>(
        &self,
        id: ProfileId,
        value: &[u8],
        work: impl FnOnce(&mut Set) -> R,
    ) -> Option<R> {
        let hash = self.values.hash_one(value);
        let mut sets = self.bucket(id, hash)?.lock();
        let mut entry = sets.find_entry(hash, |set| *set.value == *value).ok()?;
        let result = work(entry.get_mut());
        if entry.get().len() == 0 {
            entry.remove();
        }
        Some(result)
    }

    /// All values and the sizes of their sets.
    pub(crate) fn values(&self, id: ProfileId) -> Vec<(Vec<u8>, usize)> {
        let mut values = Vec::new();
        self.visit(id, None, |set| values.push((set.value.to_vec(), set.len())));
        values
    }

    pub(crate) fn remove(&self, membership: Membership, value: &[u8], call: DialogId) {
        let Membership { profile, place } = membership;
        self.in_set(profile, value, |set| set.members.remove(call, place));
    }

    /// The size of one value's set, or of all together.
    pub(crate) fn size(&self, id: ProfileId, value: Option<&[u8]>) -> usize {
        let mut size = 0;
        self.visit(id, value, |set| size += set.len());
        size
    }

    /// The members of one value's set, or of all; a call with two values is there twice.
    pub(crate) fn members(&self, id: ProfileId, value: Option<&[u8]>) -> Vec<DialogId> {
        let mut members = Vec::new();
        self.visit(id, value, |set| members.extend(set.members.iter()));
        members.sort_unstable();
        members
    }

    fn visit(&self, id: ProfileId, value: Option<&[u8]>, mut seen: impl FnMut(&Set)) {
        let value = if self.with_value(id) {
            value
        } else {
            Some(b"".as_slice())
        };
        if let Some(value) = value {
            let hash = self.values.hash_one(value);
            let Some(bucket) = self.bucket(id, hash) else {
                return;
            };
            if let Some(set) = bucket.lock().find(hash, |set| *set.value == *value) {
                seen(set);
            }
            return;
        }
        for bucket in self.sets.get(usize::from(id.0)).into_iter().flatten() {
            bucket.lock().iter().for_each(&mut seen);
        }
    }

    fn bucket(&self, id: ProfileId, hash: u64) -> Option<&Mutex<HashTable<Set>>> {
        let buckets = self.sets.get(usize::from(id.0))?;
        buckets.get(hash as usize % buckets.len().max(1))
    }
}

fn buckets(with_value: bool) -> Buckets {
    let count = if with_value { BUCKETS } else { 1 };
    (0..count).map(|_| Mutex::default()).collect()
}

impl Set {
    fn new(value: &[u8]) -> Self {
        Self {
            value: value.into(),
            members: Members::default(),
            remote: None,
        }
    }

    /// Calls of this node and of others.
    fn len(&self) -> usize {
        self.members.len() + self.remote.as_ref().map_or(0, |remote| remote.len())
    }

    pub(crate) fn remote_mut(&mut self) -> &mut Remote {
        self.remote.get_or_insert_with(Box::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles() -> (Profiles, ProfileId, ProfileId) {
        let declare = |name: &str, with_value| ProfileSettings {
            name: name.into(),
            with_value,
        };
        let profiles = Profiles::new(&[declare("caller", true), declare("inbound", false)]);
        let find = |name| profiles.find(name).expect("declared");
        let (caller, inbound) = (find("caller"), find("inbound"));
        (profiles, caller, inbound)
    }

    fn call(h_id: u32) -> DialogId {
        DialogId { h_entry: 1, h_id }
    }

    #[test]
    fn sizes_are_those_of_sets() {
        let (profiles, caller, _) = profiles();
        let add = |value: &[u8], h_id| {
            let place = profiles.add(caller, value, call(h_id), usize::MAX);
            let profile = caller;
            place.map(|place| Membership { profile, place })
        };
        let memberships: Vec<_> = (1..=100).filter_map(|h_id| add(b"alice", h_id)).collect();
        add(b"bob", 1);
        assert_eq!(profiles.size(caller, Some(b"alice")), 100);
        assert_eq!(profiles.size(caller, None), 101);
        assert_eq!(profiles.members(caller, None)[..2], [call(1), call(1)]);
        for (membership, h_id) in memberships.into_iter().zip(1..) {
            assert_eq!(Membership::from_key(&membership.key()), Some(membership));
            profiles.remove(membership, b"alice", call(h_id));
            profiles.remove(membership, b"alice", call(h_id));
        }
        assert_eq!(profiles.size(caller, Some(b"alice")), 0);
        assert_eq!(profiles.members(caller, None), [call(1)]);
    }

    #[test]
    fn a_limit_is_taken_at_once() {
        let (profiles, caller, inbound) = profiles();
        let fits = |profile, value: &[u8], h_id, limit| {
            let place = profiles.add(profile, value, call(h_id), limit);
            place.is_some()
        };
        assert!(!fits(caller, b"x", 1, 0));
        assert!(fits(caller, b"x", 1, 1));
        assert!(!fits(caller, b"x", 2, 1));
        assert!(fits(inbound, b"", 2, 1));
        assert_eq!(profiles.size(inbound, Some(b"ignored")), 1);
    }
}
