//! The INVITE client transaction of a branch: RFC 3261 §17.1.1 with the Accepted state of RFC 6026.

use crate::machine::{ClientAction as Action, ClientEvent as Event};

/// Where an INVITE branch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, and nothing received.
    Calling,
    /// A provisional reply was received.
    Proceeding,
    /// A negative final reply was received, or the branch was given up.
    Completed,
    /// A 2xx was received; more may follow, from other phones behind the next hop.
    Accepted,
    /// Nothing more is timed; a late final reply is still handled as before.
    Terminated,
}

impl State {
    /// Every state, in table order.
    pub const ALL: [Self; 5] = [
        Self::Calling,
        Self::Proceeding,
        Self::Completed,
        Self::Accepted,
        Self::Terminated,
    ];
}

#[rustfmt::skip]
const TABLE: [[(State, Action); Event::ALL.len()]; State::ALL.len()] = {
    use Action::*;
    use State::*;
    [
        // Calling
        [
            (Proceeding, Progress),         // Provisional
            (Accepted,   Deliver),          // Success
            (Completed,  AckAndDeliver),    // Failure
            (Calling,    Resend),           // Repeat
            (Completed,  GiveUp),           // Expire
            (Completed,  GiveUp),           // Withdraw
        ],
        // Proceeding
        [
            (Proceeding, Progress),
            (Accepted,   Deliver),
            (Completed,  AckAndDeliver),
            (Proceeding, Nothing),
            (Completed,  GiveUpAndCancel),
            (Completed,  GiveUp),
        ],
        // Completed
        [
            (Completed,  CancelLate),
            (Accepted,   Deliver),
            (Completed,  AckAgain),
            (Completed,  Nothing),
            (Terminated, End),
            (Completed,  Nothing),
        ],
        // Accepted
        [
            (Accepted,   Nothing),
            (Accepted,   Deliver),
            (Accepted,   AckAgain),
            (Accepted,   Nothing),
            (Terminated, End),
            (Accepted,   Nothing),
        ],
        // Terminated
        [
            (Terminated, Nothing),
            (Accepted,   Deliver),
            (Terminated, AckAgain),
            (Terminated, Nothing),
            (Terminated, Nothing),
            (Terminated, Nothing),
        ],
    ]
};

/// What an event means in a state.
pub(crate) const fn step(state: State, event: Event) -> (State, Action) {
    TABLE[state as usize][event as usize]
}
