//! A call begins: the INVITE, and the same INVITE coming round again.

use crate::id::{Cookie, DialogId};
use crate::input::{Invite, Now};
use crate::record::Record;
use crate::shard::{CallId, Shard};
use crate::state::State;
use crate::stats::Counters;
use crate::tracker::Tracker;

/// What an INVITE did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// A new call, in state 1.
    New {
        /// Its id.
        id: DialogId,
        /// For the Record-Route; `None` in match mode 2.
        cookie: Option<Cookie>,
    },
    /// The call exists: its INVITE passed here before. It gets no second cookie.
    Spiral(DialogId),
}

impl Created {
    /// The call, new or not.
    pub fn id(&self) -> DialogId {
        match self {
            Self::New { id, .. } | Self::Spiral(id) => *id,
        }
    }
}

/// Why an INVITE made no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// It has no From tag.
    NoFromTag,
    /// It has no Contact, or several.
    NoContact,
    /// The tracker holds as many calls as it may.
    Full,
    /// Too many calls have this Call-ID.
    TooManyWithCallId,
}

impl std::fmt::Display for CreateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoFromTag => "the INVITE has no From tag",
            Self::NoContact => "the INVITE has not exactly one Contact",
            Self::Full => "as many calls as allowed are tracked",
            Self::TooManyWithCallId => "too many calls have this Call-ID",
        })
    }
}

impl std::error::Error for CreateError {}

impl Tracker {
    /// Begins to track a call.
    pub fn create(&self, invite: &Invite<'_>, now: Now) -> Result<Created, CreateError> {
        if invite.from_tag.is_empty() {
            return Err(CreateError::NoFromTag);
        }
        if invite.contact.is_empty() {
            return Err(CreateError::NoContact);
        }
        let created = self.find_or_make(invite, now)?;
        if self.observers.are_there() && self.settings.tells_created {
            self.announce(&created, invite, now);
        }
        Ok(created)
    }

    fn find_or_make(&self, invite: &Invite<'_>, now: Now) -> Result<Created, CreateError> {
        let h_entry = self.h_entry(invite.call_id);
        let call_id = CallId::new(invite.call_id, &self.hasher);
        let mut guard = self.shard(h_entry).lock();
        let shard = &mut *guard;
        if let Some(id) = self.spiral(shard, call_id, invite.from_tag) {
            return Ok(Created::Spiral(id));
        }
        let id = self.admit(shard, call_id, h_entry).inspect_err(|_| {
            Counters::add(&self.counters.refused);
        })?;
        let record = Record::new(id, invite, &self.settings, now);
        let deadline = record.deadline(&self.settings);
        shard.insert(record, &self.hasher, deadline);
        self.counters.moved(None, Some(State::Unconfirmed));
        Counters::add(&self.counters.processed);
        Ok(Created::New {
            id,
            cookie: self.cookie(id),
        })
    }

    /// The newest live call that this INVITE made when it passed before.
    fn spiral(&self, shard: &Shard, call_id: CallId<'_>, from_tag: &[u8]) -> Option<DialogId> {
        if !self.settings.detect_spirals {
            return None;
        }
        let same = shard.with_call_id(call_id).filter(|record| {
            record.state != State::Deleted && record.match_tags(from_tag, b"", None).is_some()
        });
        same.map(|record| record.id).max()
    }

    fn admit(
        &self,
        shard: &mut Shard,
        call_id: CallId<'_>,
        h_entry: u32,
    ) -> Result<DialogId, CreateError> {
        if self.counters.records() >= u64::from(self.settings.max_dialogs) {
            return Err(CreateError::Full);
        }
        let same = shard.with_call_id(call_id).count();
        if same >= self.settings.max_dialogs_per_call_id as usize {
            return Err(CreateError::TooManyWithCallId);
        }
        shard
            .next_id(h_entry, self.numbers)
            .ok_or(CreateError::Full)
    }
}
