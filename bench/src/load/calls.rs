//! The table of calls: places that are used again, found by the number that each message carries.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::text::{Dialog, Id};

/// How far a call is, as its caller sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// None is here.
    #[default]
    Free,
    /// The INVITE was sent.
    Invited,
    /// The 200 came.
    Up,
    /// The BYE was sent.
    Ending,
}

/// What was seen of a call, one bit each.
pub mod seen {
    /// The caller got a 100.
    pub const TRYING: u8 = 1;
    /// The caller got a 180.
    pub const RINGING: u8 = 2;
    /// The callee got the INVITE.
    pub const INVITE: u8 = 4;
    /// The callee answered.
    pub const ANSWERED: u8 = 8;
    /// The callee got the ACK.
    pub const ACK: u8 = 16;
    /// The callee got the BYE.
    pub const BYE: u8 = 32;
}

/// A call, with both its ends. Times are nanoseconds since the start of the run.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Its number in the run.
    pub number: u32,
    /// How far it is.
    pub state: State,
    /// Bits of [`seen`].
    pub seen: u8,
    /// The port that it was begun on.
    pub port: u16,
    /// When the INVITE was sent.
    pub invited_at: u64,
    /// When the callee sent the 200.
    pub answered_at: u64,
    /// When the BYE was sent.
    pub bye_at: u64,
    /// As the 200 gave it.
    pub dialog: Dialog,
}

impl Call {
    /// Notes something; whether it was new.
    pub fn see(&mut self, what: u8) -> bool {
        let is_new = self.seen & what == 0;
        self.seen |= what;
        is_new
    }

    /// Whether this was seen.
    pub const fn has(&self, what: u8) -> bool {
        self.seen & what != 0
    }
}

/// What is to be done for a call at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// End it.
    Bye,
    /// Send the INVITE again if nothing has come; the wait before that was so many ms.
    InviteAgain(u16),
    /// Send the BYE again if no 200 has come.
    ByeAgain(u16),
    /// The callee sends its 200 again if no ACK has come.
    AnswerAgain(u16),
}

/// All calls, and what is to be done when.
#[derive(Debug, Default)]
pub struct Calls {
    slots: Vec<Call>,
    free: Vec<u32>,
    due: BinaryHeap<Reverse<(u64, Task, u32, u32)>>,
    up: u64,
}

/// Why a message's call is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is over.
    Over,
    /// There never was such a call.
    Unknown,
}

impl Calls {
    /// A place for the call with this number.
    pub fn begin(&mut self, number: u32) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Call::default());
            self.slots.len() as u32 - 1
        });
        let call = &mut self.slots[slot as usize];
        call.number = number;
        call.state = State::Invited;
        call.seen = 0;
        self.up += 1;
        slot
    }

    /// The call that a message belongs to.
    ///
    /// # Errors
    /// It is not there.
    pub fn find(&mut self, id: Id) -> Result<&mut Call, Missing> {
        let call = self
            .slots
            .get_mut(id.slot as usize)
            .ok_or(Missing::Unknown)?;
        match (id.number.cmp(&call.number), call.state) {
            (std::cmp::Ordering::Greater, _) => Err(Missing::Unknown),
            (std::cmp::Ordering::Less, _) | (_, State::Free) => Err(Missing::Over),
            _ => Ok(call),
        }
    }

    /// It is over.
    pub fn end(&mut self, slot: u32) {
        self.slots[slot as usize].state = State::Free;
        self.free.push(slot);
        self.up -= 1;
    }

    /// How many there are.
    pub const fn count(&self) -> u64 {
        self.up
    }

    /// Those that are there.
    pub fn iter(&self) -> impl Iterator<Item = &Call> {
        self.slots.iter().filter(|call| call.state != State::Free)
    }

    /// Plans a task.
    pub fn plan(&mut self, at: u64, task: Task, id: Id) {
        self.due.push(Reverse((at, task, id.slot, id.number)));
    }

    /// When the next task is due.
    pub fn next_due(&self) -> Option<u64> {
        self.due.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next task that is due by now.
    pub fn due(&mut self, now: u64) -> Option<(Task, Id)> {
        if self.next_due()? > now {
            return None;
        }
        let Reverse((_, task, slot, number)) = self.due.pop()?;
        Some((task, Id { slot, number }))
    }
}
