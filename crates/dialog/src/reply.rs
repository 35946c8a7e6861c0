//! Replies: those to the INVITE that began the call, and those to target refreshes within it.

use crate::effects::{Effects, EndReason, Event, Party};
use crate::flags::unsaved;
use crate::fork::{CalleeLeg, Fork, ForkState};
use crate::id::DialogId;
use crate::input::{Direction, Method, Now, Reply, Side};
use crate::notice::Happened;
use crate::record::Record;
use crate::route::{callee_route_set, join};
use crate::state::{Input, Outcome, State};
use crate::stats::Counters;
use crate::tell::Cause;
use crate::tracker::{Tracker, Work};

impl Tracker {
    /// A reply to the INVITE is about to be sent to the caller: a relayed one, or a final one made here.
    ///
    /// Not for a 100, nor for a provisional reply made here. A repeated 2xx does nothing.
    pub fn reply(&self, id: DialogId, reply: &Reply<'_>, now: Now) -> Option<Effects> {
        let change = |work: &mut Work<'_>| match reply.status {
            0..=100 => {}
            101..=199 => work.provisional(reply),
            200..=299 => work.success(reply),
            _ => work.negative(reply),
        };
        if self.observers.are_there()
            && (101..300).contains(&reply.status)
            && !(reply.status >= 200 && self.is_given_up(id))
        {
            self.tell_of(id, Happened::ReplyForwarded(reply), now);
        }
        let done = self.work(id, now, Cause::Reply(reply), change);
        done.map(|(_, effects)| effects)
    }

    /// Whether the call was ended here, so that no 2xx is for its caller any more.
    fn is_given_up(&self, id: DialogId) -> bool {
        self.read(id, Record::is_given_up).unwrap_or(false)
    }

    /// A reply to a request within the call passes, `direction` being the request's: the 2xx of a
    /// target refresh brings its sender's Contact (RFC 3261 §12.2.1.2). True if it was taken. Other
    /// replies matter to observers alone ([`is_observed`](Self::is_observed)).
    pub fn reply_within(
        &self,
        id: DialogId,
        direction: Direction,
        method: Method,
        callee_tag: &[u8],
        reply: &Reply<'_>,
        now: Now,
    ) -> bool {
        if self.observers.are_there() {
            self.tell_reply_within(id, direction, method, reply, now);
        }
        let relevant = method.refreshes_target() && (200..300).contains(&reply.status);
        if !relevant || reply.contact.is_empty() {
            return false;
        }
        let side = direction.sender().peer();
        let change = |work: &mut Work<'_>| {
            work.refresh_target(side, callee_tag, reply.contact, reply.socket)
        };
        let done = self.work(id, now, Cause::Reply(reply), change);
        done.is_some_and(|(taken, _)| taken)
    }
}

impl Work<'_> {
    fn provisional(&mut self, reply: &Reply<'_>) {
        if self.outcome(Input::Provisional) == Outcome::Bogus {
            return;
        }
        if self.record.state != State::Early {
            self.enter(State::Early);
        }
        if !reply.to_tag.is_empty() {
            self.note_early(reply);
        }
        self.event(Event::Early);
    }

    fn note_early(&mut self, reply: &Reply<'_>) {
        let route_set = self.callee_routes(reply);
        let leg = callee_leg(reply, &route_set);
        match self.record.fork_mut(reply.to_tag) {
            Some(fork) => fork.update(&leg),
            None => self.add_fork(Fork::new(ForkState::Early, reply.to_tag, &leg)),
        }
    }

    fn success(&mut self, reply: &Reply<'_>) {
        if self.is_repeated(reply) {
            return;
        }
        if self.record.is_given_up() {
            if self.record.state.is_pending() {
                self.negative(reply);
            }
            return self.too_late(reply);
        }
        match self.outcome(Input::Success) {
            Outcome::To(_) => {
                self.note_answer(reply);
                self.answered();
            }
            Outcome::Keep => self.further_answer(reply),
            _ => {}
        }
    }

    /// A 2xx for a call that was ended here meanwhile: its callee gets an ACK each time, and one BYE
    /// (RFC 3261 §13.2.2.4). That ends its repetitions, so the caller could miss it: it gets none.
    fn too_late(&mut self, reply: &Reply<'_>) {
        self.effects.withheld = true;
        let route_set = self.callee_routes(reply);
        let mut leg = callee_leg(reply, &route_set);
        if leg.contact.is_empty() {
            leg.contact = reply.source;
        }
        let ack = self.record.ack(reply.to_tag, &leg, reply.cseq);
        self.effects.acks.extend(ack);
        match self.record.fork_mut(reply.to_tag) {
            Some(fork) if fork.state == ForkState::Early => {
                fork.update(&leg);
                fork.state = ForkState::Confirmed;
            }
            Some(_) => return,
            None => self.add_fork(Fork::new(ForkState::Confirmed, reply.to_tag, &leg)),
        }
        self.record.bye_callee_of(reply.to_tag, &mut self.effects);
    }

    fn is_repeated(&self, reply: &Reply<'_>) -> bool {
        let record = &self.record;
        record.answered
            && (reply.to_tag.is_empty()
                || record.tag(Side::Callee) == reply.to_tag
                || record.forks().iter().any(|fork| fork.tag() == reply.to_tag))
    }

    fn note_answer(&mut self, reply: &Reply<'_>) {
        let route_set = self.callee_routes(reply);
        let mut leg = callee_leg(reply, &route_set);
        if leg.contact.is_empty() {
            leg.contact = reply.source;
            self.effects.no_contact = true;
        }
        self.record.set_callee(reply.to_tag, &leg);
        if self.tracker.settings.keep_proxy_rr & 2 != 0 {
            self.keep_own_routes(reply);
        }
    }

    /// Puts our Record-Routes before the caller's, topmost first, as they are in the reply.
    fn keep_own_routes(&mut self, reply: &Reply<'_>) {
        let above_caller = reply
            .record_routes
            .len()
            .saturating_sub(self.record.record_routes.into());
        let own = above_caller.saturating_sub(reply.own_record_routes)..above_caller;
        let own = reply.record_routes[own].iter().copied();
        let recorded = self.record.route_set(Side::Caller).to_vec();
        let rest = (!recorded.is_empty()).then_some(recorded.as_slice());
        self.record
            .set_route_set(Side::Caller, &join(own.chain(rest)));
    }

    /// A 2xx of a further branch (RFC 3261 §13.2.2.4).
    fn further_answer(&mut self, reply: &Reply<'_>) {
        let route_set = self.callee_routes(reply);
        let mut leg = callee_leg(reply, &route_set);
        if leg.contact.is_empty() {
            leg.contact = reply.source;
            self.effects.no_contact = true;
        }
        self.add_fork(Fork::new(ForkState::Confirmed, reply.to_tag, &leg));
        if !self.effects.too_many_forks {
            self.event(Event::Forked);
        }
    }

    fn add_fork(&mut self, fork: Fork) {
        self.record.unsaved |= unsaved::ROW;
        if !self.record.add_fork(fork, self.tracker.settings.max_forks) {
            self.effects.too_many_forks = true;
            Counters::add(&self.tracker.counters.limited);
        }
    }

    fn negative(&mut self, reply: &Reply<'_>) {
        if let Outcome::To(_) = self.outcome(Input::Negative) {
            let (reason, by) = match () {
                () if self.record.rejected => (EndReason::Local, Party::Proxy),
                () if self.record.cancelled => (EndReason::Cancelled, Party::Caller),
                () => (EndReason::Rejected(reply.status), Party::Callee),
            };
            self.ended(reason, by);
            self.effects.wait_for_transaction = self.tracker.settings.wait_ack;
        }
    }

    fn callee_routes(&self, reply: &Reply<'_>) -> Vec<u8> {
        let keep_own = self.tracker.settings.keep_proxy_rr & 1 != 0;
        let own = if keep_own { 0 } else { reply.own_record_routes };
        callee_route_set(
            reply.record_routes,
            usize::from(self.record.record_routes) + own,
        )
    }

    /// False if there is no such leg.
    pub(crate) fn refresh_target(
        &mut self,
        side: Side,
        callee_tag: &[u8],
        contact: &[u8],
        socket: &[u8],
    ) -> bool {
        if self.record.state == State::Deleted {
            return false;
        }
        if side == Side::Callee && self.record.tag(side) != callee_tag {
            self.record.unsaved |= unsaved::ROW;
            let fork = self.record.fork_mut(callee_tag);
            return fork.map(|fork| fork.refresh(contact, socket)).is_some();
        }
        self.record.refresh(side, contact, socket);
        true
    }
}

fn callee_leg<'a>(reply: &Reply<'a>, route_set: &'a [u8]) -> CalleeLeg<'a> {
    CalleeLeg {
        contact: reply.contact,
        route_set,
        socket: reply.socket,
    }
}
