//! What an input did to a call, as a value: the embedding program carries it out.

use smallvec::SmallVec;

use crate::id::Cookie;
use crate::local::LocalRequest;
use crate::state::State;

/// Something that happened to a call, in the order in which it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A provisional reply was relayed: each one, not only the first.
    Early,
    /// The call was answered: `event_route[dialog:start]`. The callee's leg is recorded.
    Start,
    /// The ACK of the answer.
    Confirmed,
    /// Another request within the call.
    RequestWithin,
    /// A 2xx from a further branch made one more dialog of the same call.
    Forked,
    /// One of several dialogs of the call ended; the call goes on in the others.
    ForkEnded,
    /// The call ended without an answer: `event_route[dialog:failed]`.
    Failed,
    /// The call ended after it was answered: `event_route[dialog:end]`.
    End,
    /// It ended because its lifetime was over, and nobody is told by BYE.
    Expired,
    /// What became of a BYE of the program's own is known.
    ByeAnswered,
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// A BYE passed.
    Bye,
    /// The INVITE was refused with this status.
    Rejected(u16),
    /// The caller cancelled.
    Cancelled,
    /// No final reply within `early_timeout`.
    EarlyTimeout,
    /// No ACK within `noack_timeout` and ten seconds more.
    NoAck,
    /// The lifetime was over.
    Expired,
    /// A party answered no keep-alive, and ten seconds more passed.
    KeepAlive,
    /// The embedding program ended it.
    Local,
    /// Its state was set by hand ([`Tracker::set_state`](crate::Tracker::set_state)).
    Forced,
    /// The INVITE was never relayed.
    Abandoned,
}

impl EndReason {
    /// One word for scripts and listings; [`Rejected`](Self::Rejected) leaves out its status.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bye => "bye",
            Self::Rejected(_) => "rejected",
            Self::Cancelled => "cancelled",
            Self::EarlyTimeout => "early-timeout",
            Self::NoAck => "no-ack",
            Self::Expired => "expired",
            Self::KeepAlive => "keep-alive",
            Self::Local => "local",
            Self::Forced => "forced",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Who ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The caller.
    Caller,
    /// The callee.
    Callee,
    /// The proxy itself.
    Proxy,
}

impl Party {
    /// One word for scripts and listings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Proxy => "proxy",
        }
    }
}

/// What one input did. Everything is off by default: nothing happened.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The state before and after, if it changed.
    pub changed: Option<(State, State)>,
    /// What happened, in order.
    pub events: SmallVec<[Event; 2]>,
    /// BYEs to send; each is answered for by [`Tracker::leg_done`](crate::Tracker::leg_done).
    pub byes: Vec<LocalRequest>,
    /// ACKs to send, before the BYEs, for 2xx that came after the call was ended here. Nothing answers them.
    pub acks: Vec<LocalRequest>,
    /// The 2xx is not for the caller, whose call was ended here: it has or gets another final reply, or a BYE.
    pub withheld: bool,
    /// BYEs that cannot be sent, because the party's address was never known.
    pub unreachable: usize,
    /// The cookie for the Record-Routes that are added to this request.
    pub cookie: Option<Cookie>,
    /// [`hold`](crate::Tracker::hold) the record until the transaction of this message is gone.
    pub wait_for_transaction: bool,
    /// The 2xx had no usable Contact: its source address is the target now. Once per dialog.
    pub no_contact: bool,
    /// No ACK came; the call has ten more seconds.
    pub no_ack: bool,
    /// The event cannot be in this state, and did nothing.
    pub bogus: bool,
    /// A further dialog of this call was not recorded, for the limit is reached.
    pub too_many_forks: bool,
    /// The record is gone.
    pub removed: bool,
}

/// What asking for a call's end did.
#[derive(Clone, Debug)]
pub enum Ending {
    /// Not answered yet: reply to the INVITE and cancel its branches; the reply ends the call.
    Early {
        /// What [`set_transaction`](crate::Tracker::set_transaction) noted.
        transaction: Option<u64>,
    },
    /// The call is over; BYEs are among the effects.
    Ended(Box<Effects>),
    /// There was nothing left to end.
    Already,
}
