//! Calls as a database keeps them: what is written of one, and a call made again from what was written.

use std::fmt::Debug;

use timer::Time;

use crate::effects::Effects;
use crate::flags::{dflags, iflags, unsaved};
use crate::fork::CalleeLeg;
use crate::id::DialogId;
use crate::input::{Invite, Now, Side};
use crate::packed::{Item, Kind};
use crate::record::Record;
use crate::settings::Settings;
use crate::state::State;
use crate::stored_more::{Numbers, StoredFork};
use crate::tracker::{Tracker, Work};

/// Is told of every change that a database has to hear of. Not called while a lock is held, but for `group`.
pub trait Journal: Send + Sync + Debug {
    /// What the changes of a call are put together by, from its Call-ID. Called under a lock: a calculation.
    fn group(&self, call_id: &[u8]) -> u64;

    /// A call that is kept changed, is to be kept from now on, or is not to be kept any more:
    /// [`Tracker::to_store`] says which, then or later.
    fn changed(&self, group: u64, id: DialogId);
}

/// What is kept of a call that was answered. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: DialogId,
    /// Call-ID.
    pub call_id: Vec<u8>,
    /// The URI of From.
    pub from_uri: Vec<u8>,
    /// The URI of To.
    pub to_uri: Vec<u8>,
    /// The request URI.
    pub req_uri: Vec<u8>,
    /// The route that runs when it expires; empty for none.
    pub timeout_route: Vec<u8>,
    /// The state.
    pub state: State,
    /// When it was answered.
    pub start_ts: u32,
    /// When its lifetime is over.
    pub timeout: u32,
    /// Its lifetime in seconds; 0 where that is not known, and the time between answer and end is meant.
    pub lifetime: u32,
    /// Script flags.
    pub sflags: u32,
    /// [`iflags`](crate::iflags).
    pub iflags: u32,
    /// Caller and callee.
    pub legs: [StoredLeg; 2],
    /// The callees of further answers to its INVITE, in dialogs that are up.
    pub forks: Vec<StoredFork>,
    /// Its CSeq numbers, where those of the legs do not say all.
    pub numbers: Option<Numbers>,
    /// Profiles by name, newest first; no value in those without values.
    pub profiles: Vec<(String, Option<Vec<u8>>)>,
    /// Variables, newest first.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What is kept of one party.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredLeg {
    /// Its tag.
    pub tag: Vec<u8>,
    /// The highest CSeq in its direction: its own, or that of a request that was sent in its name.
    pub cseq: u32,
    /// The route to it.
    pub route_set: Vec<u8>,
    /// The URI of its Contact.
    pub contact: Vec<u8>,
    /// The socket that faces it; empty if that is not known.
    pub socket: Vec<u8>,
}

/// What is to be written of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToStore {
    /// This.
    Call {
        /// The call.
        call: Box<Stored>,
        /// Nothing of it was ever to be written before.
        is_new: bool,
        /// The variables are as they were when it was last to be written.
        same_variables: bool,
    },
    /// That it is gone.
    Gone,
    /// Nothing.
    Nothing,
}

/// Why a call was not made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// Its slot is not that of its Call-ID: it was written with another `hash_size`.
    Hash,
    /// A call with its id is there.
    Exists,
    /// Its id is 0, or it is over.
    NoCall,
}

impl std::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hash => "its hash_entry is not that of its Call-ID: was hash_size another one?",
            Self::Exists => "a call with this id is there already",
            Self::NoCall => "its id is 0, or it is over",
        })
    }
}

impl std::error::Error for RestoreError {}

impl Tracker {
    /// Lets a journal hear of all changes from now on. The first one stays.
    pub fn set_journal(&self, journal: Box<dyn Journal>) {
        // A tracker has one journal.
        let _ = self.journal.set(journal);
    }

    /// What is to be written of a call now. It counts as written from then on; when it could not be, ask `again`:
    /// then everything is given.
    pub fn to_store(&self, id: DialogId, again: bool) -> ToStore {
        let mut shard = self.shard(id.h_entry).lock();
        let Some(place) = shard.place(id) else {
            return ToStore::Gone;
        };
        let Some(record) = shard.records.get_mut(place) else {
            return ToStore::Gone;
        };
        if !record.state.is_active() {
            return match std::mem::take(&mut record.stored) || again {
                true => ToStore::Gone,
                false => ToStore::Nothing,
            };
        }
        let is_new = !std::mem::replace(&mut record.stored, true) && !again;
        let what = std::mem::take(&mut record.unsaved);
        let written = dflags::NEW | dflags::CHANGED | dflags::VARIABLES_CHANGED;
        record.dflags &= !written;
        ToStore::Call {
            call: Box::new(record.stored_view(self)),
            is_new,
            same_variables: !is_new && !again && what & unsaved::VARIABLES == 0,
        }
    }

    /// Makes a call again from what was written of it: it goes on with its state, deadline, numbers, variables and
    /// profiles. Gives how many profiles of it are not declared here.
    ///
    /// # Errors
    /// It cannot be this tracker's.
    pub fn restore(&self, stored: &Stored, now: Now) -> Result<usize, RestoreError> {
        let id = stored.id;
        if id.h_id == 0 || stored.state == State::Deleted {
            return Err(RestoreError::NoCall);
        }
        if self.h_entry(&stored.call_id) != id.h_entry {
            return Err(RestoreError::Hash);
        }
        let mut shard = self.shard(id.h_entry).lock();
        if shard.place(id).is_some() {
            return Err(RestoreError::Exists);
        }
        let mut record = Record::restored(stored, &self.settings, now);
        let mut work = Work {
            tracker: self,
            record: &mut record,
            now,
            effects: Effects::default(),
        };
        let unknown = work.rejoin_profiles(stored);
        work.plan_keep_alive();
        // It is as it is written: nobody has to hear of it.
        record.dflags = 0;
        record.unsaved = 0;
        record.stored = stored.state.is_active();
        let deadline = record.wake(&self.settings);
        shard.insert(record, &self.hasher, deadline);
        shard.number_taken(id, self.numbers);
        self.counters.moved(None, Some(stored.state));
        Ok(unknown)
    }

    /// Whether a call with this id is there.
    pub fn contains(&self, id: DialogId) -> bool {
        self.read(id, |_| ()).is_some()
    }

    /// The ids of all calls that were answered and are not over.
    pub fn answered(&self) -> Vec<DialogId> {
        let mut ids = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            let records = shard.records.iter();
            ids.extend(records.filter(|r| r.state.is_active()).map(|r| r.id));
        }
        ids
    }

    /// A call's Call-ID.
    pub fn call_id(&self, id: DialogId) -> Option<Vec<u8>> {
        self.read(id, |record| record.call_id().to_vec())
    }
}

impl Stored {
    /// Caller, callee, and the callees of further dialogs.
    pub fn parties_mut(&mut self) -> impl Iterator<Item = &mut StoredLeg> {
        let further = self.forks.iter_mut().map(|fork| &mut fork.callee);
        self.legs.iter_mut().chain(further)
    }
}

impl Work<'_> {
    /// Puts the call into its profiles, the oldest first; how many are not declared, or have no room.
    fn rejoin_profiles(&mut self, stored: &Stored) -> usize {
        let profiles = &self.tracker.profiles;
        let oldest_first = stored.profiles.iter().rev();
        let joined = oldest_first.filter(|(name, value)| {
            let profile = profiles.find(name);
            let value = |profile| profiles.stored(profile, value.as_deref()).ok();
            profile
                .and_then(|profile| Some((profile, value(profile)?)))
                .is_some_and(|(profile, value)| {
                    self.join_profile(profile, value, usize::MAX).is_ok()
                })
        });
        stored.profiles.len() - joined.count()
    }
}

impl Record {
    fn stored_view(&self, tracker: &Tracker) -> Stored {
        let profiles = self.profiles(&tracker.profiles.declared);
        let profiles = profiles.map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)));
        let variables = self.items().of_kind(Kind::Variable);
        Stored {
            id: self.id,
            call_id: self.call_id().to_vec(),
            from_uri: self.caller_uri().to_vec(),
            to_uri: self.callee_uri().to_vec(),
            req_uri: self.req_uri().to_vec(),
            timeout_route: self.timeout_route().to_vec(),
            state: self.state,
            start_ts: self.start_ts,
            timeout: self.expires_unix,
            lifetime: self.lifetime,
            sflags: self.sflags,
            iflags: self.iflags,
            legs: [Side::Caller, Side::Callee].map(|side| self.stored_leg(side)),
            forks: self.stored_forks().collect(),
            numbers: self.stored_numbers(),
            profiles: profiles.collect(),
            variables: variables.map(|(k, v)| (k.to_vec(), v.to_vec())).collect(),
        }
    }

    fn stored_leg(&self, side: Side) -> StoredLeg {
        // What this proxy sent to the other side counts in this side's name.
        let used = self.local_cseq[side.peer() as usize];
        StoredLeg {
            tag: self.tag(side).to_vec(),
            cseq: self.cseq[side as usize].max(used),
            route_set: self.route_set(side).to_vec(),
            contact: self.contact(side).to_vec(),
            socket: self.socket(side).to_vec(),
        }
    }

    fn restored(stored: &Stored, settings: &Settings, now: Now) -> Self {
        let [caller, callee] = &stored.legs;
        let invite = Invite {
            call_id: &stored.call_id,
            from_tag: &caller.tag,
            from_uri: &stored.from_uri,
            to_uri: &stored.to_uri,
            req_uri: &stored.req_uri,
            cseq: caller.cseq,
            contact: &caller.contact,
            record_routes: &[],
            socket: &caller.socket,
            lifetime: None,
            sflags: stored.sflags,
            iflags: 0,
            timeout_route: &stored.timeout_route,
            message: None,
        };
        let answered = stored.state.is_active();
        let callee_leg = answered.then_some((
            callee.tag.as_slice(),
            CalleeLeg {
                contact: &callee.contact,
                route_set: &callee.route_set,
                socket: &callee.socket,
            },
        ));
        let mut record = Self::with_legs(
            stored.id,
            &invite,
            &caller.route_set,
            callee_leg,
            (settings, now),
        );
        record.iflags = stored.iflags & !iflags::DMQ_SYNC;
        record.state = stored.state;
        if !answered {
            return record;
        }
        record.answered = true;
        record.cseq = [caller.cseq, callee.cseq];
        if let Some(numbers) = &stored.numbers {
            record.restore_numbers(numbers);
        }
        for fork in &stored.forks {
            // More than there may be were up under other settings.
            record.add_fork(fork.restored(), settings.max_forks);
        }
        record.init_ts = stored.start_ts;
        record.start_ts = stored.start_ts;
        record.lifetime = match stored.lifetime {
            0 => stored.timeout.saturating_sub(stored.start_ts).max(1),
            seconds => seconds,
        };
        record.expire_at(stored.timeout, now);
        for (key, value) in stored.variables.iter().rev() {
            let kind = Kind::Variable;
            record.text.push(Item { kind, key, value });
        }
        record
    }

    /// Lets the lifetime end at a moment of the calendar; at once if that has passed.
    fn expire_at(&mut self, unix: u32, now: Now) {
        let left = unix.saturating_sub(now.unix);
        self.expires = match left {
            0 => now.time,
            _ => now.time.plus_millis(u64::from(left) * 1000),
        };
        self.expires_unix = unix;
        debug_assert!(self.expires != Time::NEVER);
    }

    /// Whether the journal is to hear of the call as it is now.
    pub(crate) fn has_news(&self, removed: bool) -> bool {
        if removed || !self.state.is_active() {
            return self.stored;
        }
        self.unsaved != 0
    }
}
