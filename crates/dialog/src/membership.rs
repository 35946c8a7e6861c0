//! Calls in profiles: the record's list and the profile's set, changed together.

use crate::flags::{dflags, unsaved};
use crate::id::DialogId;
use crate::packed::{Item, Kind};
use crate::profile::{Membership, ProfileError, ProfileId};
use crate::record::Record;
use crate::settings::ProfileSettings;
use crate::state::State;
use crate::tracker::{Tracker, Work};

impl Tracker {
    /// A profile by its name.
    pub fn profile(&self, name: &str) -> Option<ProfileId> {
        self.profiles.find(name)
    }

    /// Whether a profile's memberships carry a value.
    pub fn profile_has_value(&self, profile: ProfileId) -> bool {
        self.profiles.with_value(profile)
    }

    /// Puts a call into a profile. True if it was not there with this value before. A value given
    /// for a profile without values is ignored.
    pub fn set_profile(
        &self,
        id: DialogId,
        profile: ProfileId,
        value: Option<&[u8]>,
    ) -> Result<bool, ProfileError> {
        self.set_profile_below(id, profile, value, usize::MAX)
    }

    /// The same, if fewer than `limit` calls are in that set: the check and the taking are one step.
    pub fn set_profile_below(
        &self,
        id: DialogId,
        profile: ProfileId,
        value: Option<&[u8]>,
        limit: usize,
    ) -> Result<bool, ProfileError> {
        let value = self.profiles.stored(profile, value)?;
        self.edit(id, |work| work.join_profile(profile, value, limit))
            .unwrap_or(Err(ProfileError::NoCall))
    }

    /// Takes a call out of a profile. False if it was not there with this value.
    pub fn unset_profile(
        &self,
        id: DialogId,
        profile: ProfileId,
        value: Option<&[u8]>,
    ) -> Result<bool, ProfileError> {
        let value = self.profiles.stored(profile, value)?;
        self.edit(id, |work| work.leave_profile(profile, value))
            .ok_or(ProfileError::NoCall)
    }

    /// Whether a call is in a profile: with this value, or with any if none is given.
    pub fn is_in_profile(&self, id: DialogId, profile: ProfileId, value: Option<&[u8]>) -> bool {
        let value = value.filter(|_| self.profiles.with_value(profile));
        let is_in = self.read(id, |record| {
            let mut memberships = record.memberships();
            memberships.any(|(membership, has)| {
                membership.profile == profile && value.is_none_or(|value| value == has)
            })
        });
        is_in.unwrap_or(false)
    }

    /// How many calls are in a profile with this value; without one, the sum over all values.
    pub fn profile_size(&self, profile: ProfileId, value: Option<&[u8]>) -> usize {
        self.profiles.size(profile, value)
    }

    /// The calls in a profile by id; without a value, a call with two values is there twice.
    pub fn profile_members(&self, profile: ProfileId, value: Option<&[u8]>) -> Vec<DialogId> {
        self.profiles.members(profile, value)
    }

    /// Gives a call what was set for it before it existed, oldest first. What does not fit is
    /// counted and left out; the number of items taken is returned.
    pub fn adopt(
        &self,
        id: DialogId,
        memberships: &[(ProfileId, Vec<u8>)],
        variables: &[(Vec<u8>, Vec<u8>)],
    ) -> usize {
        let joined = memberships.iter().filter(|(profile, value)| {
            let value = (!value.is_empty()).then_some(value.as_slice());
            self.set_profile(id, *profile, value).is_ok()
        });
        let set = variables
            .iter()
            .filter(|(name, value)| self.set_variable(id, name, value).is_ok());
        joined.count() + set.count()
    }
}

impl Record {
    /// The sets that it is in, newest first, with the value.
    pub(crate) fn memberships(&self) -> impl Iterator<Item = (Membership, &[u8])> {
        let items = self.items().of_kind(Kind::Profile);
        items.filter_map(|(key, value)| Some((Membership::from_key(key)?, value)))
    }

    /// The profiles that it is in, newest first, with the value where they have one.
    pub(crate) fn profiles<'a>(
        &'a self,
        declared: &'a [ProfileSettings],
    ) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        self.memberships().filter_map(|(membership, value)| {
            let profile = declared.get(usize::from(membership.profile.0))?;
            Some((profile.name.as_str(), profile.with_value.then_some(value)))
        })
    }
}

impl Work<'_> {
    fn membership(&self, profile: ProfileId, value: &[u8]) -> Option<Membership> {
        let mut memberships = self.record.memberships();
        let found = memberships.find(|(known, has)| known.profile == profile && *has == value);
        found.map(|(membership, _)| membership)
    }

    pub(crate) fn join_profile(
        &mut self,
        profile: ProfileId,
        value: &[u8],
        limit: usize,
    ) -> Result<bool, ProfileError> {
        if self.record.state == State::Deleted {
            return Err(ProfileError::NoCall);
        }
        if self.membership(profile, value).is_some() {
            return Ok(false);
        }
        let kind = Kind::Profile;
        let key = |place| Membership { profile, place }.key();
        let of_length = key(None);
        if !self.has_room(&Item {
            kind,
            key: &of_length,
            value,
        }) {
            return Err(ProfileError::TooLarge);
        }
        let profiles = &self.tracker.profiles;
        let place = profiles.add(profile, value, self.record.id, limit);
        let key = key(place.ok_or(ProfileError::Full)?);
        self.record.text.push(Item {
            kind,
            key: &key,
            value,
        });
        self.record.dflags |= dflags::PROFILES_CHANGED;
        self.record.unsaved |= unsaved::ROW;
        Ok(true)
    }

    fn leave_profile(&mut self, profile: ProfileId, value: &[u8]) -> bool {
        let Some(membership) = self.membership(profile, value) else {
            return false;
        };
        let call = self.record.id;
        self.tracker.profiles.remove(membership, value, call);
        let key = membership.key();
        self.record
            .text
            .retain(|item| item.kind != Kind::Profile || item.key != key || item.value != value);
        self.record.dflags |= dflags::PROFILES_CHANGED;
        self.record.unsaved |= unsaved::ROW;
        true
    }
}
