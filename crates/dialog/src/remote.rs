//! Members of profiles that are calls of other nodes: known by an id that somebody told us, until a time
//! that somebody told us.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::input::Now;
use crate::profile::{ProfileError, ProfileId, Profiles};
use crate::tracker::Tracker;

/// Longest id of such a member.
const UID_MAX: usize = 63;
/// Members taken out in one go, so that no tick takes long.
const EXPIRED_MAX: usize = 10_000;

/// When members go: time, profile, value, id.
type Queue = BTreeSet<(u32, u16, Box<[u8]>, Box<[u8]>)>;

#[derive(Debug, Default)]
pub(crate) struct RemoteMembers {
    count: AtomicU32,
    queue: Mutex<Queue>,
}

impl Tracker {
    /// Counts a call of another node in a profile until `expires` (Unix time, 0 for ever). The same id
    /// again moves the time.
    pub fn add_remote(
        &self,
        profile: ProfileId,
        value: Option<&[u8]>,
        uid: &[u8],
        expires: u32,
    ) -> Result<(), ProfileError> {
        if !(1..=UID_MAX).contains(&uid.len()) {
            return Err(ProfileError::BadUid);
        }
        let value = self.profiles.stored(profile, value)?;
        if self.remote.count.load(Relaxed) >= self.settings.max_remote {
            return Err(ProfileError::Full);
        }
        let before = self.profiles.add_remote(profile, value, uid, expires);
        let mut queue = self.remote.queue.lock();
        match before {
            None => {
                self.remote.count.fetch_add(1, Relaxed);
            }
            Some(0) => {}
            Some(time) => {
                queue.remove(&(time, profile.0, value.into(), uid.into()));
            }
        }
        if expires != 0 {
            queue.insert((expires, profile.0, value.into(), uid.into()));
        }
        Ok(())
    }

    /// Takes a call of another node out of a profile. False if it was not there.
    pub fn remove_remote(
        &self,
        profile: ProfileId,
        value: Option<&[u8]>,
        uid: &[u8],
    ) -> Result<bool, ProfileError> {
        let value = self.profiles.stored(profile, value)?;
        let Some(expires) = self.profiles.remove_remote(profile, value, uid, None) else {
            return Ok(false);
        };
        self.remote.count.fetch_sub(1, Relaxed);
        if expires != 0 {
            let key = (expires, profile.0, value.into(), uid.into());
            self.remote.queue.lock().remove(&key);
        }
        Ok(true)
    }

    /// Takes out those whose time is over, and says how many they were. To be called about once a second.
    pub fn expire_remote(&self, now: Now) -> usize {
        let mut gone = 0;
        while gone < EXPIRED_MAX {
            let next = {
                let mut queue = self.remote.queue.lock();
                match queue.first() {
                    Some(first) if first.0 <= now.unix => queue.pop_first(),
                    _ => None,
                }
            };
            let Some((expires, profile, value, uid)) = next else {
                break;
            };
            let profile = ProfileId(profile);
            let removed = self
                .profiles
                .remove_remote(profile, &value, &uid, Some(expires));
            if removed.is_some() {
                self.remote.count.fetch_sub(1, Relaxed);
                gone += 1;
            }
        }
        gone
    }

    /// The values of a profile and how many calls each has, largest first; equal ones by value.
    pub fn profile_values(&self, profile: ProfileId) -> Vec<(Vec<u8>, usize)> {
        let mut values = self.profiles.values(profile);
        values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        values
    }
}

impl Profiles {
    /// Gives the time that the same member had before; `None` for a new one.
    fn add_remote(&self, id: ProfileId, value: &[u8], uid: &[u8], expires: u32) -> Option<u32> {
        self.with_set(id, value, |set| {
            set.remote_mut().insert(uid.into(), expires)
        })
        .flatten()
    }

    /// Gives the time that the member had; nothing is done if it is not the expected one.
    fn remove_remote(
        &self,
        id: ProfileId,
        value: &[u8],
        uid: &[u8],
        expected: Option<u32>,
    ) -> Option<u32> {
        self.in_set(id, value, |set| {
            let remote = set.remote_mut();
            let time = *remote.get(uid)?;
            if expected.is_some_and(|expected| expected != time) {
                return None;
            }
            remote.remove(uid)
        })
        .flatten()
    }
}
