//! Requests that the proxy itself sends within a call: all they are made of (RFC 3261 §12.2.1.1).

use crate::effects::Effects;
use crate::flags::{dflags, unsaved};
use crate::fork::{CalleeLeg, ForkState};
use crate::id::DialogId;
use crate::input::Side;
use crate::record::Record;
use crate::route::{is_loose, split, uri_of, without_alias};
use crate::state::State;
use crate::tracker::Tracker;

/// What became of a request sent to one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LegOutcome {
    /// Nothing was sent.
    #[default]
    None,
    /// Its answer is awaited: of the BYE or, before the answer, of the CANCEL.
    Pending,
    /// Its INVITE was answered here with this status, before anybody else did.
    Replied(u16),
    /// It was answered with this final status.
    Answered(u16),
    /// No final answer came.
    TimedOut,
    /// It could not be sent.
    NotSent,
}

/// Names one leg of one dialog of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegKey {
    /// Whom the request goes to.
    pub side: Side,
    /// The callee's tag in that dialog.
    pub callee_tag: Vec<u8>,
}

/// One request, ready to be written. Via, Max-Forwards and further headers are the sender's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalRequest {
    /// Which leg; goes back to [`Tracker::leg_done`](crate::Tracker::leg_done).
    pub leg: LegKey,
    /// The request URI.
    pub request_uri: Vec<u8>,
    /// The value of To.
    pub to: Vec<u8>,
    /// The value of From.
    pub from: Vec<u8>,
    /// Call-ID.
    pub call_id: Vec<u8>,
    /// The CSeq number.
    pub cseq: u32,
    /// The Route values, in order; the strict-route form is already made.
    pub routes: Vec<Vec<u8>>,
    /// The URI of the next hop.
    pub next_hop: Vec<u8>,
    /// The socket to send from, as it was recorded; empty for any.
    pub socket: Vec<u8>,
}

/// Where a request within a dialog goes.
struct Path {
    request_uri: Vec<u8>,
    routes: Vec<Vec<u8>>,
    next_hop: Vec<u8>,
}

impl Path {
    fn new(target: &[u8], route_set: &[u8]) -> Self {
        let routes = split(route_set);
        let Some((&first, rest)) = routes.split_first() else {
            let (request_uri, next_hop) = without_alias(target);
            return Self {
                request_uri,
                routes: Vec::new(),
                next_hop,
            };
        };
        let first_uri = uri_of(first);
        if is_loose(first_uri) {
            return Self {
                request_uri: target.to_vec(),
                routes: routes.iter().map(|r| r.to_vec()).collect(),
                next_hop: first_uri.to_vec(),
            };
        }
        let last = [b"<", target, b">"].concat();
        Self {
            request_uri: first_uri.to_vec(),
            routes: rest.iter().map(|r| r.to_vec()).chain([last]).collect(),
            next_hop: first_uri.to_vec(),
        }
    }
}

impl Tracker {
    /// The ingredients of a request of this program's own to one party, with the next CSeq of that
    /// leg. `callee_tag` chooses among the dialogs of a forked call; without one it is the dialog that
    /// won or, before the answer, the one that rang last.
    /// `None` if the call is over or gone, or the party's address is not known.
    pub fn local_request(
        &self,
        id: DialogId,
        side: Side,
        callee_tag: Option<&[u8]>,
    ) -> Option<LocalRequest> {
        self.edit(id, |work| {
            let record = &mut *work.record;
            if record.state == State::Deleted {
                return None;
            }
            match record.fork_for(callee_tag) {
                Some(index) => record.fork_request(index, side),
                None => record.local_request(side),
            }
        })?
    }
}

impl Record {
    /// Makes the next request for one leg of the dialog that won, and counts its CSeq.
    /// `None` if the party's address is not known.
    pub(crate) fn local_request(&mut self, side: Side) -> Option<LocalRequest> {
        let callee = CalleeLeg {
            contact: self.contact(Side::Callee),
            route_set: self.route_set(Side::Callee),
            socket: self.socket(Side::Callee),
        };
        let mut request = self.build(side, self.tag(Side::Callee), &callee)?;
        request.cseq = self.next_cseq(side);
        self.unsaved |= unsaved::ROW;
        Some(request)
    }

    /// A keep-alive for one leg: its CSeq is lower than or equal to the last one, so that the parties' own
    /// numbers are not touched.
    pub(crate) fn keep_alive_request(&mut self, side: Side) -> Option<LocalRequest> {
        let used = (self.local_cseq, self.unsaved);
        let mut request = self.local_request(side)?;
        (self.local_cseq, self.unsaved) = used;
        request.cseq = match self.sent_cseq(self.cseq)[side.peer() as usize] {
            seen @ 0..=1 => seen,
            seen => seen - 1,
        };
        Some(request)
    }

    /// Which further dialog a tag means; `None` for the one that won.
    fn fork_for(&self, callee_tag: Option<&[u8]>) -> Option<usize> {
        match callee_tag {
            Some(tag) if !tag.is_empty() => self.forks().iter().position(|fork| fork.tag() == tag),
            _ if self.answered => None,
            _ => self.forks().len().checked_sub(1),
        }
    }

    /// The same for a further dialog of the call.
    fn fork_request(&mut self, index: usize, side: Side) -> Option<LocalRequest> {
        let fork = self.forks().get(index)?;
        let mut request = self.build(side, fork.tag(), &fork.callee())?;
        let tag = request.leg.callee_tag.clone();
        request.cseq = self.next_cseq_in(&tag, side)?;
        Some(request)
    }

    fn build(&self, side: Side, tag: &[u8], callee: &CalleeLeg<'_>) -> Option<LocalRequest> {
        let (target, route_set, socket) = match side {
            Side::Caller => (self.contact(side), self.route_set(side), self.socket(side)),
            Side::Callee => (callee.contact, callee.route_set, callee.socket),
        };
        if target.is_empty() {
            return None;
        }
        let path = Path::new(target, route_set);
        let caller_party = party(self.caller_uri(), self.tag(Side::Caller));
        let callee_party = party(self.callee_uri(), tag);
        let (to, from) = match side {
            Side::Caller => (caller_party, callee_party),
            Side::Callee => (callee_party, caller_party),
        };
        Some(LocalRequest {
            leg: LegKey {
                side,
                callee_tag: tag.to_vec(),
            },
            request_uri: path.request_uri,
            to,
            from,
            call_id: self.call_id().to_vec(),
            cseq: 0,
            routes: path.routes,
            next_hop: path.next_hop,
            socket: socket.to_vec(),
        })
    }

    /// BYEs for these sides, in every dialog of the call that is up and had none.
    pub(crate) fn bye(&mut self, sides: &[Side], effects: &mut Effects) {
        for &side in sides {
            let flag = match side {
                Side::Caller => dflags::BYE_TO_CALLER,
                Side::Callee => dflags::BYE_TO_CALLEE,
            };
            if self.has(flag) {
                continue;
            }
            self.dflags |= flag;
            let request = self.local_request(side);
            self.outcome[side as usize] = effects.bye(request);
            for index in 0..self.forks().len() {
                self.bye_fork(index, side, effects);
            }
        }
    }

    fn bye_fork(&mut self, index: usize, side: Side, effects: &mut Effects) {
        let up = |state| state == ForkState::Confirmed;
        if !self.forks().get(index).is_some_and(|fork| up(fork.state)) {
            return;
        }
        let outcome = effects.bye(self.fork_request(index, side));
        if let Some(fork) = self.forks_mut().get_mut(index) {
            fork.outcome[side as usize] = outcome;
        }
    }

    /// The ACK of a 2xx with this tag and leg.
    pub(crate) fn ack(
        &self,
        tag: &[u8],
        callee: &CalleeLeg<'_>,
        cseq: u32,
    ) -> Option<LocalRequest> {
        let mut request = self.build(Side::Callee, tag, callee)?;
        request.cseq = cseq;
        Some(request)
    }

    /// A BYE to the callee of one further dialog, which is over with it.
    pub(crate) fn bye_callee_of(&mut self, tag: &[u8], effects: &mut Effects) {
        let Some(index) = self.forks().iter().position(|fork| fork.tag() == tag) else {
            return;
        };
        self.bye_fork(index, Side::Callee, effects);
        if let Some(fork) = self.forks_mut().get_mut(index) {
            fork.state = ForkState::Ended;
        }
    }

    /// Notes what became of a request; false if no such leg waits for that.
    pub(crate) fn leg_done(&mut self, leg: &LegKey, outcome: LegOutcome) -> bool {
        let outcomes = if leg.callee_tag == self.tag(Side::Callee) {
            &mut self.outcome
        } else {
            match self.fork_mut(&leg.callee_tag) {
                Some(fork) => &mut fork.outcome,
                None => return false,
            }
        };
        let slot = &mut outcomes[leg.side as usize];
        let awaited = *slot == LegOutcome::Pending;
        if awaited {
            *slot = outcome;
        }
        awaited
    }
}

impl Effects {
    fn bye(&mut self, request: Option<LocalRequest>) -> LegOutcome {
        match request {
            Some(request) => {
                self.byes.push(request);
                LegOutcome::Pending
            }
            None => {
                self.unreachable += 1;
                LegOutcome::NotSent
            }
        }
    }
}

/// The proxy speaks to one side in the other's name, so it goes on from the other's numbers.
pub(crate) fn next_cseq(seen: [u32; 2], used: &mut [u32; 2], side: Side) -> u32 {
    let used = &mut used[side as usize];
    *used = seen[side.peer() as usize].max(*used).saturating_add(1);
    *used
}

fn party(uri: &[u8], tag: &[u8]) -> Vec<u8> {
    if tag.is_empty() {
        return [b"<", uri, b">"].concat();
    }
    [b"<", uri, b">;tag=", tag].concat()
}
