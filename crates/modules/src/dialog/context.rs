//! Which call a message belongs to, and what a script said of its call before there was one.

use std::sync::Arc;

use dialog::{DialogId, Direction, Method, ProfileId, Tracker};
use engine::{Run, Slots};
use transaction::TransactionId;

use super::message;
use super::state::State;

/// What one message carries; gone when its work is done.
#[derive(Default)]
pub(super) struct Context {
    /// The call, once it is known.
    pub(super) dialog: Option<DialogId>,
    /// The call began with this message.
    pub(super) created: bool,
    /// The message was found to be a request within the call.
    pub(super) matched: bool,
    /// Which way the tags given to `dlg_get()` point.
    pub(super) direction: Option<Direction>,
    /// `$dlg_ctx(on)`: make a call of this INVITE when its transaction is made.
    pub(super) on: i64,
    /// Flags for the call to be.
    pub(super) sflags: u32,
    /// Properties for the call to be.
    pub(super) iflags: u32,
    /// The lifetime of the call to be.
    pub(super) timeout: Option<u32>,
    /// The timeout route of the call to be.
    pub(super) timeout_route: Vec<u8>,
    /// Profiles of the call to be, oldest first; an empty value stands for none.
    pub(super) profiles: Vec<(ProfileId, Vec<u8>)>,
    /// Variables of the call to be, oldest first.
    pub(super) variables: Vec<(Vec<u8>, Vec<u8>)>,
    /// Keeps the record while this context lives.
    pub(super) _held: Option<Held>,
}

/// What one transaction carries: the call that its request belongs to.
pub(super) struct Attached {
    pub(super) id: DialogId,
    pub(super) role: Role,
    /// Keeps the record of a call that ended with this transaction as long as the transaction.
    pub(super) held: Option<Held>,
}

/// What a transaction's request is to its call.
pub(super) enum Role {
    /// It began the call.
    Invite,
    /// It is within the call.
    Within {
        direction: Direction,
        method: Method,
        callee_tag: Vec<u8>,
        /// Somebody observed calls when it came, who may want to hear of its replies.
        observed: bool,
    },
    /// It is the INVITE of the call once more.
    Spiral,
}

/// Keeps the record of an ended call.
pub(super) struct Held {
    tracker: Arc<Tracker>,
    id: DialogId,
}

impl Held {
    /// `None` if the record is gone already.
    pub(super) fn new(tracker: &Arc<Tracker>, id: DialogId) -> Option<Self> {
        tracker.hold(id).then(|| Self {
            tracker: Arc::clone(tracker),
            id,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.tracker.release(self.id);
    }
}

/// The call that the message at hand, or its transaction, was found to belong to.
pub(super) fn bound(run: &Run) -> Option<DialogId> {
    let context = run.slots.get::<Context>();
    context
        .and_then(|context| context.dialog)
        .or_else(|| Some(attached(run)?.id))
}

/// What the transaction at hand carries.
pub(super) fn attached(run: &Run) -> Option<&Attached> {
    run.shared_ref().slots.get()
}

/// The call that is bound, or the one that Call-ID and tags of the message name.
pub(super) fn current(run: &Run, state: &State) -> Option<DialogId> {
    bound(run).or_else(|| {
        if run.msg.faked {
            return None;
        }
        let key = message::key(&run.msg.message)?;
        let found = state
            .tracker
            .find(key.call_id, key.from_tag, key.to_tag, None)?;
        Some(found.id)
    })
}

/// Makes a call that of the message at hand, and gives it what was set before.
pub(super) fn bind<'r>(run: &'r mut Run, state: &State, id: DialogId) -> &'r mut Context {
    let context = run.slots.entry::<Context>();
    context.dialog = Some(id);
    if !context.profiles.is_empty() || !context.variables.is_empty() {
        let profiles = std::mem::take(&mut context.profiles);
        let variables = std::mem::take(&mut context.variables);
        state.tracker.adopt(id, &profiles, &variables);
    }
    context
}

/// Lets replies and failures of the request at hand find the call: with its transaction, now or later.
pub(super) fn attach(run: &mut Run, id: DialogId, role: Role) {
    let held = None;
    run.shared().slots.put(Attached { id, role, held });
}

/// What event routes and timeout routes of a call find attached to their message.
pub(super) fn slots_of(tracker: &Arc<Tracker>, id: DialogId) -> Slots {
    let mut slots = Slots::default();
    slots.put(Context {
        dialog: Some(id),
        _held: Held::new(tracker, id),
        ..Context::default()
    });
    slots
}

/// A transaction's name as the tracker notes it.
pub(super) fn number_of(id: TransactionId) -> u64 {
    u64::from(id.index) << 32 | u64::from(id.label)
}

/// The name behind such a number.
pub(super) fn transaction_of(number: u64) -> TransactionId {
    TransactionId {
        index: (number >> 32) as u32,
        label: number as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_numbers_read_back() {
        let id = TransactionId {
            index: 0xfffe,
            label: u32::MAX,
        };
        assert_eq!(transaction_of(number_of(id)), id);
    }
}
