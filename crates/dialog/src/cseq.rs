//! CSeq numbers that leave higher than they came: after this program had a request sent once more with credentials,
//! or sent one of its own in between, each side still sees rising numbers (RFC 3261 §12.2.1.1, §22.2).

use crate::flags::{iflags, unsaved};
use crate::id::DialogId;
use crate::input::{Method, Request, Side};
use crate::local::{LegKey, next_cseq};
use crate::packed::{Item, Kind};
use crate::record::Record;
use crate::tracker::{Tracker, Work};

/// The variable that shows by how much the caller's numbers are raised.
const VARIABLE: &[u8] = b"cseq_diff";

/// By how much the numbers towards one side are raised. An ACK follows its INVITE: what was sent before the last
/// raise goes on as it began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shift {
    by: u32,
    /// The first number that is raised so much.
    since: u32,
    /// By how much those before it are raised.
    before: u32,
}

impl Shift {
    fn of(self, cseq: u32) -> u32 {
        match cseq >= self.since {
            true => self.by,
            false => self.before,
        }
    }

    pub(crate) fn stored(self) -> [u32; 3] {
        [self.by, self.since, self.before]
    }

    pub(crate) fn restored([by, since, before]: [u32; 3]) -> Self {
        Self { by, since, before }
    }

    fn raise(&mut self, since: u32, by: u32) {
        if since > self.since {
            self.before = self.by;
            self.since = since;
        }
        self.by = by;
    }
}

impl Tracker {
    /// A request is sent once more with credentials: it and what follows leaves with higher numbers. `cseq` is the
    /// number that it came with. Returns the difference.
    pub fn raise_cseq(&self, id: DialogId, sender: Side, cseq: u32) -> Option<u32> {
        self.edit(id, |work| {
            let receiver = sender.peer();
            let by = work.record.shift(receiver).of(cseq).saturating_add(1);
            work.raise(receiver, cseq, by);
            work.record.shift(receiver).of(cseq)
        })
    }

    /// The number that a request leaves with which came with `cseq` and this From tag.
    pub fn sent_cseq(&self, id: DialogId, from_tag: &[u8], cseq: u32) -> Option<u32> {
        self.read(id, |record| {
            let sender = match record.tag(Side::Caller) == from_tag {
                true => Side::Caller,
                false => Side::Callee,
            };
            cseq.saturating_add(record.shift(sender.peer()).of(cseq))
        })
    }

    /// The next number for a request of this program's own to a leg; `None` if the call or the leg is gone.
    pub fn next_cseq(&self, id: DialogId, leg: &LegKey) -> Option<u32> {
        self.edit(id, |work| {
            let record = &mut *work.record;
            if leg.callee_tag == record.tag(Side::Callee) {
                return Some(record.next_cseq(leg.side));
            }
            record.next_cseq_in(&leg.callee_tag, leg.side)
        })?
    }
}

impl Work<'_> {
    /// A new request must not leave with a number that this program used for a request of its own.
    pub(crate) fn make_room(&mut self, request: &Request<'_>) {
        if !self.tracker.settings.track_cseq {
            return;
        }
        let sender = request.direction.sender();
        let receiver = sender.peer() as usize;
        let record = &mut *self.record;
        let winner = record.tag(Side::Callee) == request.callee_tag;
        let (seen, used) = match record.fork_mut(request.callee_tag) {
            Some(fork) if !winner => (fork.cseq[sender as usize], fork.local_cseq[receiver]),
            _ => (record.cseq[sender as usize], record.local_cseq[receiver]),
        };
        if request.cseq > seen {
            let by = self.record.shift(sender.peer()).of(request.cseq);
            self.raise_above(sender.peer(), request.cseq, by, used);
        }
        if request.method == Method::Bye {
            // It is the last request that is looked at: what follows all the same is above it.
            let sent = self.record.shift(sender.peer()).of(request.cseq);
            let used = &mut self.record.local_cseq[receiver];
            *used = (*used).max(request.cseq.saturating_add(sent));
        }
    }

    fn raise_above(&mut self, receiver: Side, cseq: u32, by: u32, used: u32) {
        if cseq.saturating_add(by) <= used {
            let by = used.saturating_add(1).saturating_sub(cseq);
            self.raise(receiver, cseq, by);
        }
    }

    fn raise(&mut self, receiver: Side, since: u32, by: u32) {
        let used = self.record.local_cseq[receiver as usize];
        let by = by.max(used.saturating_add(1).saturating_sub(since));
        let record = &mut *self.record;
        let mut shifts = [record.shift(Side::Caller), record.shift(Side::Callee)];
        shifts[receiver as usize].raise(since, by);
        record.shifts = Some(Box::new(shifts));
        record.unsaved |= unsaved::ROW;
        if receiver == Side::Callee {
            record.iflags |= iflags::CSEQ_DIFF;
            self.show_shift(by);
        }
    }

    /// A call with so many variables that there is no room for this one works as well.
    fn show_shift(&mut self, by: u32) {
        let value = by.to_string();
        let item = Item {
            kind: Kind::Variable,
            key: VARIABLE,
            value: value.as_bytes(),
        };
        let _ = self.put_variable(item);
    }
}

impl Record {
    /// By how much numbers towards a side are raised. A call that was stored knows it from its variable.
    pub(crate) fn shift(&self, receiver: Side) -> Shift {
        if let Some(shifts) = &self.shifts {
            return shifts[receiver as usize];
        }
        if receiver == Side::Caller || self.iflags & iflags::CSEQ_DIFF == 0 {
            return Shift::default();
        }
        let mut variables = self.items().of_kind(Kind::Variable);
        let value = variables.find(|variable| variable.0 == VARIABLE);
        let number = value.and_then(|value| std::str::from_utf8(value.1).ok()?.parse().ok());
        Shift {
            by: number.unwrap_or(0),
            ..Shift::default()
        }
    }

    /// The highest numbers of caller and callee as the other side saw them.
    pub(crate) fn sent_cseq(&self, cseq: [u32; 2]) -> [u32; 2] {
        let sent = |sender: Side| {
            let number = cseq[sender as usize];
            match number {
                0 => 0,
                _ => number.saturating_add(self.shift(sender.peer()).of(number)),
            }
        };
        [sent(Side::Caller), sent(Side::Callee)]
    }

    /// The next number for a request to one leg of the dialog that won.
    pub(crate) fn next_cseq(&mut self, side: Side) -> u32 {
        let seen = self.sent_cseq(self.cseq);
        self.unsaved |= unsaved::ROW;
        next_cseq(seen, &mut self.local_cseq, side)
    }

    /// The same in a further dialog.
    pub(crate) fn next_cseq_in(&mut self, tag: &[u8], side: Side) -> Option<u32> {
        let invite = self.cseq[0];
        let seen = self.fork_mut(tag)?.cseq;
        let seen = self.sent_cseq([seen[0].max(invite), seen[1]]);
        self.unsaved |= unsaved::ROW;
        let fork = self.fork_mut(tag)?;
        Some(next_cseq(seen, &mut fork.local_cseq, side))
    }
}
