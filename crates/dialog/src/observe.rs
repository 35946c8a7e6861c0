//! Who observes calls: everybody's calls, or one call. Observers are called without a lock.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::callbacks::Callbacks;
use crate::id::DialogId;
use crate::input::Now;
use crate::notice::{Happened, Notice};
use crate::stats::Counters;
use crate::tracker::Tracker;

type Observer = dyn Fn(&Notice<'_>) + Send + Sync;

/// An observer and what it wants to hear of.
#[derive(Clone)]
pub(crate) struct Entry {
    number: u64,
    types: Callbacks,
    observer: Arc<Observer>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry")
            .field(&self.number)
            .field(&self.types)
            .finish()
    }
}

/// Entries, newest first. Never changed: those who call them do so without a lock.
pub(crate) type Entries = Arc<[Entry]>;

/// Names a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObserverId {
    number: u64,
    call: Option<DialogId>,
}

/// Why a call cannot be observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// There is no such call.
    NoCall,
    /// A call that exists was created or loaded already: those types are for observers of all calls.
    GlobalOnly,
    /// The call, or the tracker, has as many observers as it may ([`Tracker::OBSERVERS_MAX`]).
    TooMany,
}

impl fmt::Display for ObserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCall => "no such call",
            Self::GlobalOnly => "LOADED and CREATED are not of one call",
            Self::TooMany => "there are too many observers",
        })
    }
}

impl std::error::Error for ObserveError {}

/// The observers of all calls, and a summary that tells in one look whether there is anyone at all.
#[derive(Debug)]
pub(crate) struct Observers {
    /// The types that observers of all calls want; above them, how many calls have their own.
    summary: AtomicU64,
    next: AtomicU64,
    all: Mutex<Entries>,
    /// When a call was last read from storage.
    loaded: Mutex<Option<Now>>,
}

/// One call with observers of its own, in the summary.
const ONE_CALL: u64 = 1 << 16;

impl Default for Observers {
    fn default() -> Self {
        Self {
            summary: AtomicU64::new(0),
            next: AtomicU64::new(0),
            all: Mutex::new(Arc::new([])),
            loaded: Mutex::new(None),
        }
    }
}

impl Observers {
    /// The one look: whether anybody observes anything.
    pub(crate) fn are_there(&self) -> bool {
        self.summary.load(Ordering::Relaxed) != 0
    }

    /// What observers of all calls want.
    pub(crate) fn types(&self) -> Callbacks {
        Callbacks::from_bits(self.summary.load(Ordering::Relaxed) as u16)
    }

    /// Notes that a call was read from storage.
    pub(crate) fn note_loaded(&self, now: Now) {
        *self.loaded.lock() = Some(now);
    }

    fn entry(&self, types: Callbacks, observer: Arc<Observer>) -> Entry {
        Entry {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            types,
            observer,
        }
    }

    /// Replaces the list of all calls' observers; gives the old one, to be dropped without a lock.
    fn change(&self, change: impl FnOnce(&[Entry]) -> Option<Entries>) -> Option<Entries> {
        let mut all = self.all.lock();
        let new = change(&all)?;
        let types = types_of(&new).bits();
        let keep_calls = |summary| Some(summary & !(ONE_CALL - 1) | u64::from(types));
        let order = Ordering::Relaxed;
        let _ = self.summary.fetch_update(order, order, keep_calls);
        Some(std::mem::replace(&mut *all, new))
    }
}

/// All types that some entry wants.
pub(crate) fn types_of(entries: &[Entry]) -> Callbacks {
    let union = |types, entry: &Entry| types | entry.types;
    entries.iter().fold(Callbacks::NONE, union)
}

fn with(entries: &[Entry], entry: &Entry) -> Option<Entries> {
    let room = entries.len() < Tracker::OBSERVERS_MAX;
    room.then(|| [entry].into_iter().chain(entries).cloned().collect())
}

fn without(entries: &[Entry], number: u64) -> Option<Entries> {
    let rest = || entries.iter().filter(|entry| entry.number != number);
    (rest().count() < entries.len()).then(|| rest().cloned().collect())
}

/// The observers that calls of one shard have for themselves.
#[derive(Debug, Default)]
pub(crate) struct Own(HashMap<DialogId, Entries>);

impl Own {
    pub(crate) fn of(&self, id: DialogId) -> Option<&Entries> {
        self.0.get(&id)
    }

    fn set(&mut self, id: DialogId, entries: Entries) -> Option<Entries> {
        self.0.insert(id, entries)
    }

    fn take(&mut self, id: DialogId) -> Option<Entries> {
        self.0.remove(&id)
    }
}

impl Tracker {
    /// Observers that the tracker, and each call, may have at most.
    pub const OBSERVERS_MAX: usize = 64;

    /// Registers an observer of all calls, now and to come.
    ///
    /// Observers run in the thread of whoever made it happen, after the call was changed, without any lock:
    /// they may take long (the message at hand waits for them), and may call any method of the tracker. The
    /// newest is told first. Those of a call run one at a time as far as its inputs do. One that panics is
    /// counted ([`Statistics::observer_panics`](crate::Statistics::observer_panics)), and nothing else is lost.
    ///
    /// Who asks for `LOADED` when calls were loaded already is told at once, of all calls that there are.
    ///
    /// What an observer captured is dropped when it is unregistered, and not before it has returned.
    ///
    /// # Errors
    ///
    /// [`ObserveError::TooMany`].
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use tandem_dialog::{Callbacks, Happened, Invite, Now, Reply, Settings, Tracker};
    ///
    /// let now = Now::from_unix_millis(1_700_000_000_000);
    /// let tracker = Tracker::new(Settings::default(), now)?;
    /// let heard = Arc::new(Mutex::new(Vec::new()));
    /// let list = Arc::clone(&heard);
    /// tracker.observe(Callbacks::CREATED | Callbacks::FAILED, move |notice| {
    ///     list.lock().unwrap().push(match notice.what {
    ///         Happened::Created(invite) => format!("{} calls", invite.from_uri.escape_ascii()),
    ///         Happened::Failed(Some(reply)) => format!("{}", reply.status),
    ///         _ => "gave up".to_owned(),
    ///     });
    /// })?;
    ///
    /// let invite = Invite {
    ///     call_id: b"1@a", from_tag: b"f", from_uri: b"sip:a@a", contact: b"sip:a@192.0.2.1",
    ///     ..Invite::default()
    /// };
    /// let call = tracker.create(&invite, now)?.id();
    /// tracker.reply(call, &Reply { status: 486, to_tag: b"t", ..Reply::default() }, now);
    /// assert_eq!(*heard.lock().unwrap(), ["sip:a@a calls", "486"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe(
        &self,
        types: Callbacks,
        observer: impl Fn(&Notice<'_>) + Send + Sync + 'static,
    ) -> Result<ObserverId, ObserveError> {
        let entry = self.observers.entry(types, Arc::new(observer));
        let number = entry.number;
        let old = self.observers.change(|entries| with(entries, &entry));
        drop(old.ok_or(ObserveError::TooMany)?);
        let loaded = *self.observers.loaded.lock();
        if let Some(now) = loaded.filter(|_| types.contains(Callbacks::LOADED)) {
            for view in self.iter(now) {
                let (call, what) = (&view, Happened::Loaded);
                let notice = Notice {
                    call,
                    tracker: self,
                    what,
                };
                self.call(&entry, &notice);
            }
        }
        Ok(ObserverId { number, call: None })
    }

    /// Registers an observer of one call, which goes with the call after the last word, `DESTROY`.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]: the call is gone, or has enough observers; `LOADED` and `CREATED` are for
    /// [`observe`](Self::observe).
    pub fn observe_call(
        &self,
        id: DialogId,
        types: Callbacks,
        observer: impl Fn(&Notice<'_>) + Send + Sync + 'static,
    ) -> Result<ObserverId, ObserveError> {
        if types.intersects(Callbacks::LOADED | Callbacks::CREATED) {
            return Err(ObserveError::GlobalOnly);
        }
        let entry = self.observers.entry(types, Arc::new(observer));
        let number = entry.number;
        let mut shard = self.shard(id.h_entry).lock();
        shard.place(id).ok_or(ObserveError::NoCall)?;
        let old = shard.own.of(id).map_or(&[][..], |entries| entries);
        let new = with(old, &entry).ok_or(ObserveError::TooMany)?;
        let old = shard.own.set(id, new);
        if old.is_none() {
            self.observers
                .summary
                .fetch_add(ONE_CALL, Ordering::Relaxed);
        }
        drop(shard);
        Ok(ObserverId {
            number,
            call: Some(id),
        })
    }

    /// Unregisters an observer; one that runs just now ends what it does. False if it was not registered.
    pub fn unobserve(&self, observer: ObserverId) -> bool {
        let ObserverId { number, call } = observer;
        let Some(id) = call else {
            let old = self.observers.change(|entries| without(entries, number));
            return old.is_some();
        };
        let mut shard = self.shard(id.h_entry).lock();
        let new = shard.own.of(id).and_then(|old| without(old, number));
        let old = new.and_then(|new| match new.is_empty() {
            true => self.forget_own(&mut shard.own, id),
            false => shard.own.set(id, new),
        });
        drop(shard);
        old.is_some()
    }

    /// Whether anybody observes calls: what need not be made ready otherwise.
    pub fn is_observed(&self) -> bool {
        self.observers.are_there()
    }

    /// A call's own observers, given away with its record.
    pub(crate) fn forget_own(&self, own: &mut Own, id: DialogId) -> Option<Entries> {
        let entries = own.take(id)?;
        self.observers
            .summary
            .fetch_sub(ONE_CALL, Ordering::Relaxed);
        Some(entries)
    }

    /// Calls all who want to hear of it, newest first. No lock may be held.
    pub(crate) fn notify(&self, own: &[Entry], notice: &Notice<'_>) {
        let kind = notice.kind();
        let all = self.observers.types().contains(kind).then(|| {
            let all = self.observers.all.lock();
            Arc::clone(&all)
        });
        let all = all.as_deref().unwrap_or_default();
        let wanted = all
            .iter()
            .chain(own)
            .filter(|entry| entry.types.contains(kind));
        let mut wanted: SmallVec<[&Entry; 8]> = wanted.collect();
        wanted.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.number));
        for entry in wanted {
            self.call(entry, notice);
        }
    }

    fn call(&self, entry: &Entry, notice: &Notice<'_>) {
        let told = catch_unwind(AssertUnwindSafe(|| (entry.observer)(notice)));
        if told.is_err() {
            Counters::add(&self.counters.observer_panics);
        }
    }
}
