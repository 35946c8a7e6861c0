//! One call: everything that is known of it, packed. Its strings share one block of memory.

use std::num::NonZeroU64;

use timer::{Time, TimerId};

use crate::cseq::Shift;
use crate::effects::{EndReason, Party};
use crate::flags::{dflags, iflags, unsaved};
use crate::fork::{CalleeLeg, Fork, ForkState};
use crate::id::DialogId;
use crate::input::{Direction, Invite, Now, Side};
use crate::keep_alive::KeepAliveState;
use crate::local::LegOutcome;
use crate::packed::{Items, Packed};
use crate::route::join;
use crate::settings::Settings;
use crate::state::State;

const CALL_ID: usize = 0;
const FROM_URI: usize = 1;
const TO_URI: usize = 2;
const REQ_URI: usize = 3;
const TIMEOUT_ROUTE: usize = 4;
/// Where each side's tag, contact, route set and socket begin.
const LEG: [usize; 2] = [5, 9];
const FIELDS: usize = 13;

/// Seconds that a call without ACK gets after `noack_timeout`.
const NO_ACK_GRACE_SECS: u32 = 10;

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: DialogId,
    pub(crate) state: State,
    /// A 2xx was recorded: the callee's leg means something.
    pub(crate) answered: bool,
    /// The caller sent CANCEL.
    pub(crate) cancelled: bool,
    /// The embedding program asked for the end before the answer.
    pub(crate) rejected: bool,
    /// `noack_timeout` is over; the last ten seconds run.
    pub(crate) grace: bool,
    /// Both sides are faced by one socket, which is written once, as the caller's.
    one_socket: bool,
    /// It is in the database, or will be when what was given out is written.
    pub(crate) stored: bool,
    /// What is not written as it is now ([`unsaved`]).
    pub(crate) unsaved: u8,
    pub(crate) dflags: u16,
    /// Record-Routes in the INVITE.
    pub(crate) record_routes: u16,
    pub(crate) holds: u16,
    pub(crate) iflags: u32,
    pub(crate) sflags: u32,
    pub(crate) init_ts: u32,
    pub(crate) start_ts: u32,
    pub(crate) end_ts: u32,
    /// Seconds.
    pub(crate) lifetime: u32,
    /// The lifetime that an ACK within the last ten seconds brings back; 0 if none.
    pub(crate) lifetime_before_grace: u32,
    /// When the lifetime is over, in Unix time.
    pub(crate) expires_unix: u32,
    /// When the lifetime is over; `NEVER` before the answer.
    pub(crate) expires: Time,
    /// When it was made, answered (state 3) or ended (state 5).
    pub(crate) since: Time,
    pub(crate) timer: Option<TimerId>,
    pub(crate) ended: Option<(EndReason, Party)>,
    /// Highest CSeq seen from each side.
    pub(crate) cseq: [u32; 2],
    /// Highest CSeq used towards each side by this proxy.
    pub(crate) local_cseq: [u32; 2],
    /// By how much CSeq numbers towards caller and callee are raised; `None`: as the variable says.
    pub(crate) shifts: Option<Box<[Shift; 2]>>,
    pub(crate) outcome: [LegOutcome; 2],
    pub(crate) keep_alive: KeepAliveState,
    transaction: Option<NonZeroU64>,
    #[allow(
        clippy::box_collection,
        reason = "most calls have none, and there are many calls"
    )]
    forks: Option<Box<Vec<Fork>>>,
    /// Texts, and items: profiles and variables.
    pub(crate) text: Packed<FIELDS>,
}

impl Record {
    pub(crate) fn new(id: DialogId, invite: &Invite<'_>, settings: &Settings, now: Now) -> Self {
        let route_set = join(invite.record_routes.iter().copied());
        Self::with_legs(id, invite, &route_set, None, (settings, now))
    }

    /// Whether the call was ended here: a 2xx that comes now is too late for its caller.
    pub(crate) fn is_given_up(&self) -> bool {
        let is_ended = matches!(self.ended, Some((EndReason::Local, _)));
        is_ended || self.rejected && self.state.is_pending()
    }

    /// The same with the caller's route set as it is, and with the callee's tag and leg where they are known.
    pub(crate) fn with_legs(
        id: DialogId,
        invite: &Invite<'_>,
        route_set: &[u8],
        callee: Option<(&[u8], CalleeLeg<'_>)>,
        (settings, now): (&Settings, Now),
    ) -> Self {
        let (tag, callee) = callee.unwrap_or_default();
        let (one_socket, callee_socket) = shared(invite.socket, callee.socket);
        let bye = if settings.send_bye {
            iflags::TIMEOUT_BYE
        } else {
            0
        };
        Self {
            id,
            state: State::Unconfirmed,
            answered: false,
            cancelled: false,
            rejected: false,
            grace: false,
            one_socket,
            stored: false,
            unsaved: 0,
            dflags: 0,
            record_routes: u16::try_from(invite.record_routes.len()).unwrap_or(u16::MAX),
            holds: 0,
            iflags: invite.iflags | bye,
            sflags: invite.sflags,
            init_ts: now.unix,
            start_ts: 0,
            end_ts: 0,
            lifetime: invite
                .lifetime
                .filter(|&s| s > 0)
                .unwrap_or(settings.default_timeout),
            lifetime_before_grace: 0,
            expires_unix: 0,
            expires: Time::NEVER,
            since: now.time,
            timer: None,
            ended: None,
            cseq: [invite.cseq, 0],
            local_cseq: [0; 2],
            shifts: None,
            outcome: [LegOutcome::None; 2],
            keep_alive: KeepAliveState::default(),
            transaction: None,
            forks: None,
            text: Packed::new([
                invite.call_id,
                invite.from_uri,
                invite.to_uri,
                invite.req_uri,
                invite.timeout_route,
                invite.from_tag,
                invite.contact,
                route_set,
                invite.socket,
                tag,
                callee.contact,
                callee.route_set,
                callee_socket,
            ]),
        }
    }

    /// Something of each of its cache lines, to have them at hand.
    pub(crate) fn touch(&self) -> u32 {
        let words = self.expires.as_millis() as u32 ^ self.local_cseq[0] ^ self.sflags;
        words ^ self.init_ts ^ u32::from(self.holds)
    }

    /// The INVITE's transaction, by the embedding program's number for it.
    pub(crate) fn transaction(&self) -> Option<u64> {
        self.transaction.map(|plus_one| plus_one.get() - 1)
    }

    pub(crate) fn set_transaction(&mut self, number: Option<u64>) {
        self.transaction = number.and_then(|number| NonZeroU64::new(number.wrapping_add(1)));
    }

    /// Its profiles and variables.
    pub(crate) fn items(&self) -> Items<'_> {
        self.text.items()
    }

    pub(crate) fn call_id(&self) -> &[u8] {
        self.text.get(CALL_ID)
    }

    pub(crate) fn caller_uri(&self) -> &[u8] {
        self.text.get(FROM_URI)
    }

    pub(crate) fn callee_uri(&self) -> &[u8] {
        self.text.get(TO_URI)
    }

    pub(crate) fn req_uri(&self) -> &[u8] {
        self.text.get(REQ_URI)
    }

    pub(crate) fn timeout_route(&self) -> &[u8] {
        self.text.get(TIMEOUT_ROUTE)
    }

    /// A side's tag, contact, route set and socket.
    pub(crate) fn leg(&self, side: Side) -> [&[u8]; 4] {
        let mut leg = self.text.get_from(LEG[side as usize]);
        if self.one_socket && side == Side::Callee {
            leg[3] = self.socket(Side::Caller);
        }
        leg
    }

    pub(crate) fn tag(&self, side: Side) -> &[u8] {
        self.text.get(LEG[side as usize])
    }

    pub(crate) fn contact(&self, side: Side) -> &[u8] {
        self.text.get(LEG[side as usize] + 1)
    }

    pub(crate) fn route_set(&self, side: Side) -> &[u8] {
        self.text.get(LEG[side as usize] + 2)
    }

    pub(crate) fn socket(&self, side: Side) -> &[u8] {
        let side = if self.one_socket { Side::Caller } else { side };
        self.text.get(LEG[side as usize] + 3)
    }

    pub(crate) fn forks(&self) -> &[Fork] {
        self.forks.as_deref().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn fork_mut(&mut self, tag: &[u8]) -> Option<&mut Fork> {
        self.forks_mut().iter_mut().find(|fork| fork.tag() == tag)
    }

    pub(crate) fn forks_mut(&mut self) -> &mut [Fork] {
        self.forks.as_deref_mut().map_or(&mut [], Vec::as_mut_slice)
    }

    /// False if the limit is reached.
    pub(crate) fn add_fork(&mut self, fork: Fork, max: u32) -> bool {
        if self.forks().len() >= max as usize {
            return false;
        }
        let forks = self.forks.get_or_insert_default();
        forks.reserve_exact(1);
        forks.push(fork);
        true
    }

    /// The first further dialog that is still up.
    pub(crate) fn other_confirmed(&self) -> Option<usize> {
        self.forks()
            .iter()
            .position(|fork| fork.state == ForkState::Confirmed)
    }

    /// Records the callee of the dialog that won, and forgets the early ones.
    pub(crate) fn set_callee(&mut self, tag: &[u8], callee: &CalleeLeg<'_>) {
        let forks = self.forks.take().unwrap_or_default();
        let early = forks.iter().find(|fork| fork.tag() == tag);
        self.cseq[1] = early.map_or(0, |fork| fork.cseq[1]);
        self.local_cseq = early.map_or(self.local_cseq, |fork| fork.local_cseq);
        self.answered = true;
        self.write_callee(tag, callee);
    }

    /// Makes a further dialog the one that is shown, after the one that won has ended.
    pub(crate) fn promote(&mut self, index: usize) {
        let mut ended = self.winner();
        let Some(slot) = self.forks_mut().get_mut(index) else {
            return;
        };
        ended.state = ForkState::Ended;
        let fork = std::mem::replace(slot, ended);
        self.cseq[0] = self.cseq[0].max(fork.cseq[0]);
        self.cseq[1] = fork.cseq[1];
        self.local_cseq = fork.local_cseq;
        self.outcome = fork.outcome;
        self.write_callee(fork.tag(), &fork.callee());
    }

    fn winner(&self) -> Fork {
        let leg = CalleeLeg {
            contact: self.contact(Side::Callee),
            route_set: self.route_set(Side::Callee),
            socket: self.socket(Side::Callee),
        };
        let mut fork = Fork::new(ForkState::Confirmed, self.tag(Side::Callee), &leg);
        fork.cseq = self.cseq;
        fork.local_cseq = self.local_cseq;
        fork.outcome = self.outcome;
        fork
    }

    fn write_callee(&mut self, tag: &[u8], callee: &CalleeLeg<'_>) {
        let first = LEG[1];
        self.unsaved |= unsaved::ROW;
        let (one_socket, socket) = shared(self.socket(Side::Caller), callee.socket);
        self.one_socket = one_socket;
        self.text.set(&[
            (first, tag),
            (first + 1, callee.contact),
            (first + 2, callee.route_set),
            (first + 3, socket),
        ]);
    }

    /// The last ten seconds of a call that no ACK came for begin.
    pub(crate) fn begin_grace(&mut self, now: Now) {
        self.grace = true;
        self.lifetime_before_grace = self.lifetime;
        self.lifetime = NO_ACK_GRACE_SECS;
        self.expire_in(self.lifetime, now);
    }

    /// The ACK came after all.
    pub(crate) fn end_grace(&mut self) {
        self.grace = false;
        if self.lifetime_before_grace != 0 {
            self.unsaved |= unsaved::ROW;
            self.lifetime = self.lifetime_before_grace;
            self.lifetime_before_grace = 0;
        }
    }

    /// Takes another remote target; an empty socket leaves the recorded one.
    pub(crate) fn refresh(&mut self, side: Side, contact: &[u8], socket: &[u8]) {
        let first = LEG[side as usize];
        self.unsaved |= unsaved::ROW;
        if socket.is_empty() {
            self.text.set(&[(first + 1, contact)]);
            return;
        }
        let other = self.socket(side.peer()).to_vec();
        let (caller, callee) = match side {
            Side::Caller => (socket, &*other),
            Side::Callee => (&*other, socket),
        };
        let (one_socket, callee) = shared(caller, callee);
        self.one_socket = one_socket;
        self.text.set(&[
            (first + 1, contact),
            (LEG[0] + 3, caller),
            (LEG[1] + 3, callee),
        ]);
    }

    pub(crate) fn set_route_set(&mut self, side: Side, routes: &[u8]) {
        self.unsaved |= unsaved::ROW;
        self.text.set(&[(LEG[side as usize] + 2, routes)]);
    }

    pub(crate) fn set_timeout_route(&mut self, name: &[u8]) {
        self.unsaved |= unsaved::ROW;
        self.text.set(&[(TIMEOUT_ROUTE, name)]);
    }

    pub(crate) fn has(&self, dflag: u16) -> bool {
        self.dflags & dflag != 0
    }

    /// Whether a BYE through the proxy ended it.
    pub(crate) fn has_bye(&self) -> bool {
        self.has(dflags::HAS_BYE)
    }

    /// When the state it is in has to end.
    pub(crate) fn deadline(&self, settings: &Settings) -> Time {
        let after = |seconds: u32| self.since.plus_millis(u64::from(seconds) * 1000);
        match self.state {
            State::Unconfirmed | State::Early => after(settings.early_timeout),
            State::ConfirmedNoAck if !self.grace => self.expires.min(after(settings.noack_timeout)),
            State::ConfirmedNoAck | State::Confirmed => self.expires,
            State::Deleted => after(settings.end_timeout),
        }
    }

    /// When something has to be done about the call: its deadline, or a keep-alive before that.
    pub(crate) fn wake(&self, settings: &Settings) -> Time {
        let deadline = self.deadline(settings);
        if self.state == State::Confirmed {
            return deadline.min(self.keep_alive.next);
        }
        deadline
    }

    /// Lets the lifetime end `seconds` from now.
    pub(crate) fn expire_in(&mut self, seconds: u32, now: Now) {
        self.unsaved |= unsaved::ROW;
        self.expires = now.time.plus_millis(u64::from(seconds) * 1000);
        self.expires_unix = now.unix.saturating_add(seconds);
    }

    /// Whether a local BYE waits for its answer on some leg.
    pub(crate) fn awaits_leg(&self) -> bool {
        let waits = |legs: &[LegOutcome; 2]| legs.contains(&LegOutcome::Pending);
        waits(&self.outcome) || self.forks().iter().any(|fork| waits(&fork.outcome))
    }

    /// How tags fit this call: the direction, and whether both were compared.
    pub(crate) fn match_tags(
        &self,
        from_tag: &[u8],
        to_tag: &[u8],
        direction: Option<Direction>,
    ) -> Option<(Direction, bool)> {
        let caller = self.tag(Side::Caller);
        let allowed = |d| direction.is_none_or(|given| given == d);
        let up = allowed(Direction::Upstream);
        let down = allowed(Direction::Downstream);
        if self.tag(Side::Callee).is_empty() {
            return match () {
                () if up && caller == to_tag => Some((Direction::Upstream, false)),
                () if down && caller == from_tag => Some((Direction::Downstream, false)),
                () => None,
            };
        }
        match () {
            () if up && caller == to_tag && self.is_callee(from_tag) => {
                Some((Direction::Upstream, true))
            }
            () if down && caller == from_tag && self.is_callee(to_tag) => {
                Some((Direction::Downstream, true))
            }
            () if direction.is_none()
                && to_tag.is_empty()
                && self.state == State::ConfirmedNoAck
                && caller == from_tag =>
            {
                Some((Direction::Downstream, true))
            }
            () => None,
        }
    }

    fn is_callee(&self, tag: &[u8]) -> bool {
        self.tag(Side::Callee) == tag || self.forks().iter().any(|fork| fork.tag() == tag)
    }
}

/// Whether the callee is faced by the caller's socket, and what is written of its own one then.
fn shared<'a>(caller: &[u8], callee: &'a [u8]) -> (bool, &'a [u8]) {
    match !callee.is_empty() && callee == caller {
        true => (true, b""),
        false => (false, callee),
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn touching_leaves_no_cache_line_out() {
        let mut touched = [
            offset_of!(Record, text),
            offset_of!(Record, local_cseq),
            offset_of!(Record, expires),
            offset_of!(Record, sflags),
            offset_of!(Record, init_ts),
            offset_of!(Record, holds),
            size_of::<Record>(),
        ];
        touched.sort_unstable();
        assert!(
            touched[0] < 16 && touched.is_sorted_by(|a, b| b - a <= 64),
            "{touched:?}"
        );
    }
}
