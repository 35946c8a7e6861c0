//! What a database keeps of few calls: the further dialogs of forked ones, and the CSeq numbers of those that this
//! program spoke in itself.

use crate::cseq::Shift;
use crate::fork::{CalleeLeg, Fork, ForkState};
use crate::input::Side;
use crate::record::Record;
use crate::stored::StoredLeg;

/// What is kept of a further dialog of a forked call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredFork {
    /// Its callee; the CSeq is the callee's own.
    pub callee: StoredLeg,
    /// The highest CSeq of the caller in it; 0 for that of the INVITE.
    pub caller_cseq: u32,
    /// The highest CSeq that was used towards caller and callee by this program; 0 for none.
    pub used: [u32; 2],
}

/// The CSeq numbers of a call that this program sent requests of its own in, or raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// The highest number that came from caller and callee.
    pub seen: [u32; 2],
    /// The highest one that was used towards caller and callee by this program; 0 for none.
    pub used: [u32; 2],
    /// By how much numbers towards caller and callee are raised, the first number that is raised so much, and by how
    /// much those before it are.
    pub raised: [[u32; 3]; 2],
}

impl StoredFork {
    pub(crate) fn restored(&self) -> Fork {
        let callee = CalleeLeg {
            contact: &self.callee.contact,
            route_set: &self.callee.route_set,
            socket: &self.callee.socket,
        };
        let mut fork = Fork::new(ForkState::Confirmed, &self.callee.tag, &callee);
        fork.cseq = [self.caller_cseq, self.callee.cseq];
        fork.local_cseq = self.used;
        fork
    }
}

impl Record {
    pub(crate) fn stored_forks(&self) -> impl Iterator<Item = StoredFork> {
        let up = |fork: &&Fork| fork.state == ForkState::Confirmed;
        self.forks().iter().filter(up).map(|fork| {
            let callee = fork.callee();
            let callee = StoredLeg {
                tag: fork.tag().to_vec(),
                cseq: fork.cseq[1],
                route_set: callee.route_set.to_vec(),
                contact: callee.contact.to_vec(),
                socket: callee.socket.to_vec(),
            };
            StoredFork {
                callee,
                caller_cseq: fork.cseq[0],
                used: fork.local_cseq,
            }
        })
    }

    pub(crate) fn stored_numbers(&self) -> Option<Numbers> {
        let raised = [Side::Caller, Side::Callee].map(|side| self.shift(side).stored());
        let numbers = Numbers {
            seen: self.cseq,
            used: self.local_cseq,
            raised,
        };
        let is_told = numbers.used != [0; 2] || self.shifts.is_some();
        is_told.then_some(numbers)
    }

    /// Takes the numbers that were kept, but no lower ones than those of the legs: another program may have gone on
    /// with the call meanwhile, and written only those.
    pub(crate) fn restore_numbers(&mut self, numbers: &Numbers) {
        for side in [Side::Caller, Side::Callee] {
            let (side, peer) = (side as usize, side.peer() as usize);
            let written = self.cseq[side];
            let kept = numbers.seen[side].max(numbers.used[peer]);
            self.cseq[side] = match written > kept {
                true => written,
                false => numbers.seen[side],
            };
        }
        self.local_cseq = numbers.used;
        if numbers.raised != [[0; 3]; 2] {
            self.shifts = Some(Box::new(numbers.raised.map(Shift::restored)));
        }
    }
}
