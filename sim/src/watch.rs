//! An observer of all calls: hears of each from its beginning to its end, and ends some of them itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use dialog::{Callbacks, DialogId, Happened, Notice, Now, State, Time, Tracker};
use parking_lot::Mutex;

/// Views are looked at for what does not depend on the time.
const NOW: Now = Now {
    time: Time::from_millis(0),
    unix: 0,
};

/// What was heard of the calls of one run.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    lives: Mutex<BTreeMap<DialogId, Life>>,
    faults: Mutex<Vec<String>>,
    /// Ends calls itself.
    ends: bool,
}

#[derive(Debug, Default)]
struct Life {
    ends: u32,
    is_over: bool,
    /// What the observer of this call alone heard last.
    own_is_over: bool,
}

impl Watch {
    /// Begins to observe, every call and each of them on its own, those that were read from a disk too.
    ///
    /// # Panics
    /// When the tracker has too many observers already.
    pub(crate) fn start(tracker: &Tracker, ends: bool) -> Arc<Self> {
        let watch = Arc::new(Self {
            ends,
            ..Self::default()
        });
        for call in tracker.iter(NOW) {
            watch.lives.lock().insert(call.id(), Life::default());
            watch.observe_alone(tracker, call.id());
        }
        let observer = Arc::clone(&watch);
        let registered = tracker.observe(Callbacks::ALL, move |notice| observer.hear(notice));
        registered.unwrap_or_else(|error| panic!("{error}"));
        watch
    }

    fn hear(self: &Arc<Self>, notice: &Notice<'_>) {
        self.check(notice);
        match notice.what {
            Happened::Created(_) => self.observe_alone(notice.tracker, notice.id()),
            _ if !self.ends => {}
            // One call in four is ended by its observer as soon as it is up.
            Happened::Confirmed(_) if notice.id().h_id.is_multiple_of(4) => {
                notice.tracker.terminate(notice.id(), b"X-Watch: 1\r\n");
            }
            // Some before they are answered; looking at all calls meanwhile takes every lock there is.
            Happened::Early(_) if notice.id().h_id % 16 == 1 => {
                notice.tracker.terminate(notice.id(), b"");
                notice.tracker.iter(NOW).count();
            }
            _ => {}
        }
    }

    fn observe_alone(self: &Arc<Self>, tracker: &Tracker, id: DialogId) {
        let watch = Arc::clone(self);
        let types = Callbacks::DESTROY | Callbacks::TERMINATED;
        let observed = tracker.observe_call(id, types, move |notice| {
            if let Happened::Destroyed = notice.what
                && let Some(life) = watch.lives.lock().get_mut(&notice.id())
            {
                life.own_is_over = true;
            }
        });
        if let Err(error) = observed {
            self.faults.lock().push(format!("{id}: {error}"));
        }
    }

    fn check(&self, notice: &Notice<'_>) {
        let mut lives = self.lives.lock();
        if let Happened::Created(_) = notice.what {
            lives.insert(notice.id(), Life::default());
        }
        let Some(life) = lives.get_mut(&notice.id()) else {
            return self.fault(notice, "nobody heard of this call before");
        };
        if life.is_over {
            self.fault(notice, "the call is gone");
        }
        let state = notice.call.state();
        let fits = match notice.what {
            Happened::Early(_) => state == State::Early,
            Happened::ConfirmedNoAck(_) => state == State::ConfirmedNoAck,
            Happened::Confirmed(_) => state == State::Confirmed,
            Happened::Failed(_) | Happened::Terminated(_) | Happened::Expired { .. } => {
                life.ends += 1;
                // A late answer brings a failed call back once.
                state == State::Deleted && life.ends <= 2
            }
            Happened::Destroyed => {
                life.is_over = true;
                state == State::Deleted
            }
            _ => true,
        };
        if !fits {
            self.fault(notice, "that cannot be in this state");
        }
    }

    fn fault(&self, notice: &Notice<'_>, why: &str) {
        let (kind, state) = (notice.kind(), notice.call.state());
        let text = format!("{}: {kind:?} in {state:?}: {why}", notice.id());
        self.faults.lock().push(text);
    }

    /// Whether all was heard in its order, of every call up to its end.
    ///
    /// # Errors
    /// What was not.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        if let Some(fault) = self.faults.lock().first() {
            return Err(fault.clone());
        }
        let lives = self.lives.lock();
        let open = lives
            .iter()
            .find(|(_, life)| !life.is_over || !life.own_is_over);
        match open {
            Some((id, life)) => Err(format!("the end of call {id} was not heard: {life:?}")),
            None => Ok(()),
        }
    }
}
