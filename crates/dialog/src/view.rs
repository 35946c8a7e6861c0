//! A copy of one call, for those who show it: every field that Kamailio's commands print.

use std::sync::Arc;

use timer::Time;

use crate::callbacks::Callbacks;
use crate::effects::{EndReason, Party};
use crate::ending::Deadline;
use crate::fork::ForkState;
use crate::id::DialogId;
use crate::input::{Now, Side};
use crate::local::LegOutcome;
use crate::packed::Kind;
use crate::record::Record;
use crate::settings::ProfileSettings;
use crate::state::State;
use crate::tracker::Tracker;

/// A call as it was at one moment. Times are Unix seconds, 0 if there is none.
#[derive(Clone, Debug)]
pub struct DialogView {
    record: Record,
    profiles: Arc<[ProfileSettings]>,
    deadline: Time,
    now: Now,
    callbacks: Callbacks,
}

/// One party of a call. Everything is `None` until it is known; a known text may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegView<'a> {
    /// Its tag.
    pub tag: Option<&'a [u8]>,
    /// The URI of its Contact.
    pub contact: Option<&'a [u8]>,
    /// The last CSeq it used; 0 for a callee that sent no request.
    pub cseq: Option<u32>,
    /// The route to it.
    pub route_set: Option<&'a [u8]>,
    /// The socket that faces it.
    pub socket: Option<&'a [u8]>,
}

/// A dialog of a forked call beside the one that won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkView<'a> {
    /// How far it is.
    pub state: ForkState,
    /// Its callee.
    pub callee: LegView<'a>,
    /// What became of the BYEs that the proxy sent in it, to the caller and to the callee.
    pub bye_outcomes: [LegOutcome; 2],
}

impl DialogView {
    pub(crate) fn new(record: &Record, callbacks: Callbacks, tracker: &Tracker, now: Now) -> Self {
        Self {
            record: record.clone(),
            profiles: Arc::clone(&tracker.profiles.declared),
            deadline: record.deadline(&tracker.settings),
            now,
            callbacks,
        }
    }

    /// Its texts, to have them at hand.
    pub(crate) fn touch(&self) -> u8 {
        self.record.text.touch_all()
    }

    /// The call's id.
    pub fn id(&self) -> DialogId {
        self.record.id
    }

    /// How many things keep the record, counted as Kamailio does: the table, the lifetime's timer,
    /// and each hold.
    pub fn references(&self) -> u32 {
        let table = u32::from(self.record.state != State::Deleted);
        let timer = u32::from(self.record.state.is_active());
        (table + timer + u32::from(self.record.holds)).max(1)
    }

    /// Call-ID.
    pub fn call_id(&self) -> &[u8] {
        self.record.call_id()
    }

    /// The URI of From in the INVITE.
    pub fn from_uri(&self) -> &[u8] {
        self.record.caller_uri()
    }

    /// The URI of To in the INVITE.
    pub fn to_uri(&self) -> &[u8] {
        self.record.callee_uri()
    }

    /// The request URI of the INVITE.
    pub fn req_uri(&self) -> &[u8] {
        self.record.req_uri()
    }

    /// The state.
    pub fn state(&self) -> State {
        self.record.state
    }

    /// When the INVITE came.
    pub fn init_ts(&self) -> u32 {
        self.record.init_ts
    }

    /// When the 2xx came.
    pub fn start_ts(&self) -> u32 {
        self.record.start_ts
    }

    /// When the call ended.
    pub fn end_ts(&self) -> u32 {
        self.record.end_ts
    }

    /// Seconds since the 2xx, or between it and the end; 0 if there was none.
    pub fn duration(&self) -> u32 {
        match (self.record.start_ts, self.record.end_ts) {
            (0, _) => 0,
            (start, 0) => self.now.unix.saturating_sub(start),
            (start, end) => end.saturating_sub(start),
        }
    }

    /// When the lifetime of an answered call is over.
    pub fn timeout(&self) -> u32 {
        if self.record.state.is_active() {
            self.record.expires_unix
        } else {
            0
        }
    }

    /// The lifetime in seconds; 10 for a call that no ACK came for in time.
    pub fn lifetime(&self) -> u32 {
        self.record.lifetime
    }

    /// The volatile flags, [`dflags`](crate::dflags).
    pub fn dflags(&self) -> u16 {
        self.record.dflags
    }

    /// The script flags.
    pub fn sflags(&self) -> u32 {
        self.record.sflags
    }

    /// The properties, [`iflags`](crate::iflags).
    pub fn iflags(&self) -> u32 {
        self.record.iflags
    }

    /// The route that runs when the lifetime is over.
    pub fn timeout_route(&self) -> Option<&[u8]> {
        known(self.record.timeout_route())
    }

    /// Why it ended, and who ended it.
    pub fn ended(&self) -> Option<(EndReason, Party)> {
        self.record.ended
    }

    /// One party; the callee is that of the dialog that won.
    pub fn leg(&self, side: Side) -> LegView<'_> {
        let answered = side == Side::Caller || self.record.answered;
        let [tag, contact, route_set, socket] = self.record.leg(side);
        LegView {
            tag: known(tag),
            contact: known(contact),
            cseq: answered.then_some(self.record.cseq[side as usize]),
            route_set: answered.then_some(route_set),
            socket: known(socket),
        }
    }

    /// Keep-alives in a row that a party left unanswered.
    pub fn missed_keep_alives(&self, side: Side) -> u32 {
        self.record.keep_alive.missed[side as usize]
    }

    /// Seconds until the next keep-alives; `None` for a call that gets none.
    pub fn next_keep_alive(&self) -> Option<u32> {
        let next = self.record.keep_alive.next;
        let waits = self.record.state == State::Confirmed && next != Time::NEVER;
        let ms = next.as_millis().saturating_sub(self.now.time.as_millis());
        waits.then(|| u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX))
    }

    /// Seconds until the state has to end, or the record to go.
    pub fn deadline(&self) -> u32 {
        let ms = self.deadline.as_millis();
        let left = ms.saturating_sub(self.now.time.as_millis()).div_ceil(1000);
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// The number noted for the transaction of the INVITE, while it is there.
    pub fn transaction(&self) -> Option<u64> {
        self.record.transaction()
    }

    /// How many others keep the record: runs and transactions at work on the call.
    pub fn holds(&self) -> u16 {
        self.record.holds
    }

    /// What the deadline is for.
    pub fn waits_for(&self) -> Deadline {
        match self.record.state {
            State::Unconfirmed | State::Early => Deadline::Early,
            State::ConfirmedNoAck if !self.record.grace => Deadline::NoAck,
            State::ConfirmedNoAck | State::Confirmed => Deadline::Lifetime,
            State::Deleted => Deadline::Record,
        }
    }

    /// The highest CSeq that the proxy itself used towards a party; `None` if it sent nothing.
    pub fn own_cseq(&self, side: Side) -> Option<u32> {
        Some(self.record.local_cseq[side as usize]).filter(|&number| number > 0)
    }

    /// All variables, newest first, also of a call that is over.
    pub fn kept_variables(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.record.items().of_kind(Kind::Variable)
    }

    /// What became of what the proxy sent to a party to end the call: BYE or, before the answer, a reply or CANCEL.
    pub fn bye_outcome(&self, side: Side) -> LegOutcome {
        self.record.outcome[side as usize]
    }

    /// The other dialogs of a forked call: the early ones until it is answered, then those of
    /// further answers.
    pub fn forks(&self) -> impl Iterator<Item = ForkView<'_>> {
        self.record.forks().iter().map(|fork| {
            let callee = fork.callee();
            let callee = LegView {
                tag: known(fork.tag()),
                contact: known(callee.contact),
                cseq: Some(fork.cseq[Side::Callee as usize]),
                route_set: Some(callee.route_set),
                socket: known(callee.socket),
            };
            ForkView {
                state: fork.state,
                callee,
                bye_outcomes: fork.outcome,
            }
        })
    }

    /// What somebody wants to hear of it: observers of all calls, and those of its own.
    pub fn callbacks(&self) -> Callbacks {
        self.callbacks
    }

    /// The profiles it is in, newest first, with the value where they have one.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.record.profiles(&self.profiles)
    }

    /// Its variables, newest first; none of a call that is over, as Kamailio lists it.
    pub fn variables(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let listed = self.record.state != State::Deleted;
        self.record
            .items()
            .of_kind(Kind::Variable)
            .filter(move |_| listed)
    }
}

fn known(text: &[u8]) -> Option<&[u8]> {
    (!text.is_empty()).then_some(text)
}
