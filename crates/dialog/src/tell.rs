//! From what an input did to what observers are told. Everything here is off the way of a message unless
//! somebody observes.

use crate::callbacks::Callbacks;
use crate::create::Created;
use crate::effects::{Effects, Event};
use crate::id::DialogId;
use crate::input::{Direction, Invite, Method, Now, Reply, Request};
use crate::local::{LegKey, LegOutcome};
use crate::notice::{Attachments, Happened, Notice};
use crate::observe::{Entries, Entry, types_of};
use crate::paged::Number;
use crate::shard::Shard;
use crate::state::State;
use crate::tracker::Tracker;
use crate::view::DialogView;

/// What brought a change about.
#[derive(Clone, Copy)]
pub(crate) enum Cause<'a> {
    /// Time, a command, the program itself.
    Own,
    Reply(&'a Reply<'a>),
    Request(&'a Request<'a>),
    /// The answer to a BYE of the program's own, or its absence.
    Bye(&'a LegKey, LegOutcome, Option<&'a Reply<'a>>),
}

/// What observers will be shown, taken while the call was locked.
pub(crate) struct Witness {
    view: DialogView,
    own: Option<Entries>,
}

impl Witness {
    fn own(&self) -> &[Entry] {
        self.own.as_deref().unwrap_or_default()
    }
}

impl Tracker {
    /// Takes what observers will be shown of a change; `None` if nobody wants to hear of it.
    #[cold]
    #[inline(never)]
    pub(crate) fn witness(
        &self,
        shard: &mut Shard,
        place: Number,
        effects: &Effects,
        now: Now,
    ) -> Option<Box<Witness>> {
        let types = types_in(effects);
        if types.is_empty() {
            return None;
        }
        let record = shard.records.get(place)?;
        let own = match effects.removed {
            true => self.forget_own(&mut shard.own, record.id),
            false => shard.own.of(record.id).cloned(),
        };
        // A record that goes takes its observers along: they are dropped without the lock, too.
        (own.is_some() || types.intersects(self.observers.types())).then(|| {
            let view = DialogView::new(record, self.wanted(own.as_ref()), self, now);
            Box::new(Witness { view, own })
        })
    }

    /// The types that somebody wants to hear of a call with these observers of its own.
    pub(crate) fn wanted(&self, own: Option<&Entries>) -> Callbacks {
        self.observers.types() | own.map_or(Callbacks::NONE, |own| types_of(own))
    }

    fn witness_now(&self, id: DialogId, now: Now) -> Option<Witness> {
        let shard = self.shard(id.h_entry).lock();
        let record = shard.get(id)?;
        let own = shard.own.of(id).cloned();
        let view = DialogView::new(record, self.wanted(own.as_ref()), self, now);
        Some(Witness { view, own })
    }

    fn notice(&self, witness: &Witness, what: Happened<'_>) {
        let notice = Notice {
            call: &witness.view,
            tracker: self,
            what,
        };
        self.notify(witness.own(), &notice);
    }

    /// Tells observers what an input did, in order.
    #[cold]
    pub(crate) fn tell(&self, witness: &Witness, effects: &Effects, cause: Cause<'_>) {
        for event in &effects.events {
            if let Some(what) = happened(*event, effects, cause) {
                self.notice(witness, what);
            }
        }
        if effects.removed {
            self.notice(witness, Happened::Destroyed);
        }
    }

    /// Tells observers of one thing that changes nothing. True if the call is there.
    #[cold]
    pub(crate) fn tell_of(&self, id: DialogId, what: Happened<'_>, now: Now) -> bool {
        let witness = self.witness_now(id, now);
        if let Some(witness) = &witness {
            self.notice(witness, what);
        }
        witness.is_some()
    }

    #[cold]
    pub(crate) fn tell_reply_within(
        &self,
        id: DialogId,
        direction: Direction,
        method: Method,
        reply: &Reply<'_>,
        now: Now,
    ) {
        let Some(witness) = self.witness_now(id, now) else {
            return;
        };
        let direction = direction.reverse();
        if (101..300).contains(&reply.status) {
            let what = Happened::ReplyWithin {
                direction,
                method,
                reply,
            };
            self.notice(&witness, what);
        }
        if method == Method::Bye && reply.status >= 200 {
            self.notice(&witness, Happened::ByeAnswered { direction, reply });
        }
    }

    /// Tells observers that an INVITE made this call, or was its own once more; `create` does it itself
    /// unless [`Settings::tells_created`](crate::Settings::tells_created) is off. False if the call is gone.
    #[cold]
    pub fn announce(&self, created: &Created, invite: &Invite<'_>, now: Now) -> bool {
        let what = match created {
            Created::New { .. } => Happened::Created(invite),
            Created::Spiral(_) => Happened::Spiraled(invite),
        };
        self.tell_of(created.id(), what, now)
    }

    /// Tells observers that a call was read from storage, once all of it is there; those who come later are told
    /// when they come. False if it is gone.
    pub fn loaded(&self, id: DialogId, now: Now) -> bool {
        self.observers.note_loaded(now);
        if !self.observers.are_there() {
            return self.contains(id);
        }
        self.tell_of(id, Happened::Loaded, now)
    }

    /// What observers attach to a call for whoever lists it: names and values, those of the newest
    /// observer first. `RPC_CONTEXT` observers are asked now, without a lock.
    pub fn attached(&self, view: &DialogView) -> Vec<(String, Vec<u8>)> {
        if !view.callbacks().contains(Callbacks::RPC_CONTEXT) {
            return Vec::new();
        }
        let own = {
            let shard = self.shard(view.id().h_entry).lock();
            shard.own.of(view.id()).cloned()
        };
        let attachments = Attachments::default();
        let notice = Notice {
            call: view,
            tracker: self,
            what: Happened::Listed(&attachments),
        };
        self.notify(own.as_deref().unwrap_or_default(), &notice);
        attachments.into_items()
    }
}

/// The callback types that effects come down to.
fn types_in(effects: &Effects) -> Callbacks {
    let mut types = Callbacks::NONE;
    for event in &effects.events {
        types |= match event {
            Event::Early => Callbacks::EARLY,
            Event::Start => Callbacks::CONFIRMED_NA,
            Event::Confirmed => Callbacks::CONFIRMED,
            Event::RequestWithin => Callbacks::REQ_WITHIN,
            Event::Failed => Callbacks::FAILED,
            Event::End => Callbacks::TERMINATED,
            Event::Expired => Callbacks::EXPIRED,
            Event::ByeAnswered => Callbacks::TERMINATED_CONFIRMED,
            Event::Forked | Event::ForkEnded => Callbacks::NONE,
        };
    }
    if effects.removed {
        types |= Callbacks::DESTROY;
    }
    types
}

fn happened<'a>(event: Event, effects: &Effects, cause: Cause<'a>) -> Option<Happened<'a>> {
    Some(match (event, cause) {
        (Event::Early, Cause::Reply(reply)) => Happened::Early(reply),
        (Event::Start, Cause::Reply(reply)) => Happened::ConfirmedNoAck(reply),
        (Event::Confirmed, Cause::Request(request)) => Happened::Confirmed(request),
        (Event::RequestWithin, Cause::Request(request)) => Happened::RequestWithin(request),
        (Event::Failed, Cause::Reply(reply)) => Happened::Failed(Some(reply)),
        (Event::Failed, _) => Happened::Failed(None),
        // A call that expires without BYE is told once, as that.
        (Event::End, _) if effects.events.contains(&Event::Expired) => return None,
        (Event::End, Cause::Request(request)) => Happened::Terminated(Some(request)),
        (Event::End, _) => Happened::Terminated(None),
        (Event::Expired, _) => Happened::Expired {
            was_confirmed: effects.changed.map(|(old, _)| old) == Some(State::Confirmed),
        },
        (Event::ByeAnswered, Cause::Bye(leg, outcome, reply)) => Happened::OwnByeDone {
            leg,
            outcome,
            reply,
        },
        _ => return None,
    })
}
