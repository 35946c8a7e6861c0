//! Requests within a call, after they were matched.

use crate::effects::{Effects, EndReason, Event, Party};
use crate::flags::{dflags, iflags, unsaved};
use crate::fork::ForkState;
use crate::id::DialogId;
use crate::input::{Direction, Method, Now, Request, Side};
use crate::state::{Input, Outcome, State};
use crate::tell::Cause;
use crate::tracker::{Tracker, Work};

impl Tracker {
    /// A matched request within the call, before it is relayed; or the CANCEL of its INVITE.
    pub fn request(&self, id: DialogId, request: &Request<'_>, now: Now) -> Option<Effects> {
        let change = |work: &mut Work<'_>| match request.method {
            Method::Cancel => work.cancel(),
            Method::Bye => work.bye(request),
            Method::Ack => work.ack(request),
            _ => work.within(request),
        };
        let done = self.work(id, now, Cause::Request(request), change);
        done.map(|(_, effects)| effects)
    }
}

impl Work<'_> {
    fn cancel(&mut self) {
        if self.outcome(Input::Cancel) == Outcome::Keep && self.record.state.is_pending() {
            self.record.cancelled = true;
        }
    }

    fn bye(&mut self, request: &Request<'_>) {
        self.make_room(request);
        let outcome = self.outcome(Input::Bye);
        if outcome == Outcome::Bogus || self.bye_in_fork(request.callee_tag) {
            return;
        }
        if self.record.state.is_active() && self.bye_in_winner() {
            return;
        }
        if self.record.answered {
            self.record.dflags |= dflags::HAS_BYE;
        }
        if let Outcome::To(_) = outcome {
            let by = match request.direction {
                Direction::Downstream => Party::Caller,
                Direction::Upstream => Party::Callee,
            };
            self.ended(EndReason::Bye, by);
            self.effects.wait_for_transaction = true;
        }
    }

    /// A BYE in a dialog that did not win ends that dialog alone.
    fn bye_in_fork(&mut self, callee_tag: &[u8]) -> bool {
        if self.record.answered && self.record.tag(Side::Callee) == callee_tag {
            return false;
        }
        let Some(fork) = self.record.fork_mut(callee_tag) else {
            return false;
        };
        if fork.state != ForkState::Ended {
            fork.state = ForkState::Ended;
            self.record.unsaved |= unsaved::ROW;
            self.event(Event::ForkEnded);
        }
        true
    }

    /// A BYE in the dialog that won, while a further one is up: the call goes on in that.
    fn bye_in_winner(&mut self) -> bool {
        let Some(other) = self.record.other_confirmed() else {
            return false;
        };
        self.record.promote(other);
        self.record.dflags |= dflags::CHANGED;
        self.event(Event::ForkEnded);
        true
    }

    fn ack(&mut self, request: &Request<'_>) {
        match self.outcome(Input::Ack) {
            Outcome::To(state) => {
                self.enter(state);
                self.plan_keep_alive();
                self.record.end_grace();
                self.take_lifetime(request.lifetime);
                self.record.expire_in(self.record.lifetime, self.now);
                self.record.dflags |= dflags::CHANGED;
                self.event(Event::Confirmed);
            }
            Outcome::Keep if self.record.state == State::Confirmed => {
                self.heard_from(request.direction.sender());
                self.restart_lifetime(request.lifetime);
                self.went_within();
            }
            _ => {}
        }
    }

    fn within(&mut self, request: &Request<'_>) {
        self.make_room(request);
        let prack = request.method == Method::Prack;
        let input = if prack { Input::Prack } else { Input::Request };
        if self.outcome(input) == Outcome::Bogus {
            return;
        }
        self.note_cseq(request);
        if self.record.state == State::Deleted {
            return;
        }
        if prack && self.record.state != State::Confirmed {
            self.record.iflags |= iflags::PRACK;
            self.record.unsaved |= unsaved::ROW;
        }
        self.refresh(request);
        self.heard_from(request.direction.sender());
        match self.record.state {
            State::Confirmed => self.restart_lifetime(request.lifetime),
            State::Early => self.take_lifetime(request.lifetime),
            _ => return,
        }
        self.went_within();
    }

    fn went_within(&mut self) {
        self.record.dflags |= dflags::CHANGED;
        self.effects.cookie = self.tracker.cookie(self.record.id);
        self.event(Event::RequestWithin);
    }

    /// The script's lifetime counts unless it is the default one: that changes nothing.
    fn take_lifetime(&mut self, lifetime: Option<u32>) {
        let default = self.tracker.settings.default_timeout;
        if let Some(seconds) = lifetime.filter(|&s| s > 0 && s != default) {
            self.record.lifetime = seconds;
            self.record.unsaved |= unsaved::ROW;
        }
    }

    fn restart_lifetime(&mut self, lifetime: Option<u32>) {
        // One party is there; the other still isn't.
        if self.record.keep_alive.is_lost() {
            return;
        }
        self.take_lifetime(lifetime);
        let fixed = self.record.iflags & iflags::TIMEOUT_NORESET != 0;
        if !fixed && !self.tracker.settings.timeout_noreset {
            self.record.expire_in(self.record.lifetime, self.now);
        }
    }

    /// Takes the sender's CSeq. A call that is over may still get BYEs from here, which have to be above it.
    fn note_cseq(&mut self, request: &Request<'_>) {
        let sender = request.direction.sender() as usize;
        let mut is_new = false;
        if let Some(fork) = self.record.fork_mut(request.callee_tag)
            && fork.cseq[sender] < request.cseq
        {
            fork.cseq[sender] = request.cseq;
            is_new = true;
        }
        let in_fork = self.record.answered && self.record.tag(Side::Callee) != request.callee_tag;
        if !in_fork && self.record.cseq[sender] < request.cseq {
            self.record.cseq[sender] = request.cseq;
            is_new = true;
        }
        if is_new && self.record.state != State::Deleted {
            self.record.unsaved |= unsaved::ROW;
        }
    }

    /// Takes the sender's Contact if the method brings one.
    fn refresh(&mut self, request: &Request<'_>) {
        let side = request.direction.sender();
        if request.method.refreshes_target() && !request.contact.is_empty() {
            let callee_tag = request.callee_tag;
            self.refresh_target(side, callee_tag, request.contact, request.socket);
        }
    }
}
