//! Asking for the end of a call from anywhere: an observer, another thread. The program that drives the
//! tracker carries it out in the call's turn.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::id::DialogId;
use crate::state::State;
use crate::stats::Counters;
use crate::tracker::Tracker;

/// A call whose end was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// The call.
    pub id: DialogId,
    /// Its Call-ID: what the caller serialises by.
    pub call_id: Vec<u8>,
    /// Header lines for its BYEs, each with its line end; may be empty.
    pub headers: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Terminations {
    any: AtomicBool,
    list: Mutex<Vec<Termination>>,
}

impl Tracker {
    /// Calls whose end may be asked for before [`terminations`](Self::terminations) is called again.
    pub const TERMINATIONS_MAX: usize = 100_000;

    /// Asks for the end of a call (`terminate_dlg`): BYE to both sides with these header lines, or a refusal of
    /// its INVITE. Nothing happens to the call here, so it may be asked for from anywhere, and of any call.
    /// False if the call is over or gone, or too many ends are asked for already; that is counted.
    ///
    /// ```
    /// # use tandem_dialog::{Callbacks, Ending, Invite, Method, Now, Reply, Settings, Sides, Tracker};
    /// # let now = Now::from_unix_millis(1_700_000_000_000);
    /// # let tracker = Tracker::new(Settings::default(), now)?;
    /// // Nobody talks to Mallory.
    /// tracker.observe(Callbacks::CONFIRMED_NA, |notice| {
    ///     if notice.call.to_uri() == b"sip:mallory@example.org" {
    ///         notice.tracker.terminate(notice.id(), b"Reason: SIP;text=\"no\"\r\n");
    ///     }
    /// })?;
    /// # let invite = Invite {
    /// #     call_id: b"1@a", from_tag: b"f", from_uri: b"sip:a@a", to_uri: b"sip:mallory@example.org",
    /// #     contact: b"sip:a@192.0.2.1", ..Invite::default()
    /// # };
    /// # let call = tracker.create(&invite, now)?.id();
    /// # let answer = Reply { status: 200, to_tag: b"t", contact: b"sip:m@192.0.2.2", ..Reply::default() };
    /// # tracker.reply(call, &answer, now);
    ///
    /// // In the loop that also asks for what is due:
    /// for wanted in tracker.terminations() {
    ///     // In the turn of `wanted.call_id`:
    ///     if let Some(Ending::Ended(effects)) = tracker.end_local(wanted.id, Sides::All, now) {
    ///         assert_eq!(effects.byes.len(), 2); // to be sent, with `wanted.headers`
    ///     }
    /// }
    /// # assert_eq!(tracker.state(call), Some(tandem_dialog::State::Deleted));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn terminate(&self, id: DialogId, headers: &[u8]) -> bool {
        let live = self.read(id, |record| {
            (record.state != State::Deleted).then(|| record.call_id().to_vec())
        });
        let Some(Some(call_id)) = live else {
            return false;
        };
        let mut list = self.terminations.list.lock();
        if list.len() >= Self::TERMINATIONS_MAX {
            Counters::add(&self.counters.limited);
            return false;
        }
        list.push(Termination {
            id,
            call_id,
            headers: headers.to_vec(),
        });
        self.terminations.any.store(true, Ordering::Relaxed);
        true
    }

    /// The calls whose end was asked for since the last time, in order. To be called as often as
    /// [`due`](Self::due); each call's end is then [`end_local`](Self::end_local), in its turn.
    pub fn terminations(&self) -> Vec<Termination> {
        if !self.terminations.any.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let mut list = self.terminations.list.lock();
        self.terminations.any.store(false, Ordering::Relaxed);
        std::mem::take(&mut *list)
    }
}
