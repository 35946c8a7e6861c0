//! The client transaction of a branch for every method but INVITE: RFC 3261 §17.1.2.

use crate::machine::{ClientAction as Action, ClientEvent as Event};

/// Where the branch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, and nothing received.
    Trying,
    /// A provisional reply was received: retransmissions go on at T2.
    Proceeding,
    /// A final reply was received, or the branch was given up.
    Completed,
    /// Nothing more is timed.
    Terminated,
}

impl State {
    /// Every state, in table order.
    pub const ALL: [Self; 4] = [
        Self::Trying,
        Self::Proceeding,
        Self::Completed,
        Self::Terminated,
    ];
}

#[rustfmt::skip]
const TABLE: [[(State, Action); Event::ALL.len()]; State::ALL.len()] = {
    use Action::*;
    use State::*;
    [
        // Trying
        [
            (Proceeding, Progress), // Provisional
            (Completed,  Deliver),  // Success
            (Completed,  Deliver),  // Failure
            (Trying,     Resend),   // Repeat
            (Completed,  GiveUp),   // Expire
            (Completed,  GiveUp),   // Withdraw
        ],
        // Proceeding
        [
            (Proceeding, Progress),
            (Completed,  Deliver),
            (Completed,  Deliver),
            (Proceeding, Resend),
            (Completed,  GiveUp),
            (Completed,  GiveUp),
        ],
        // Completed
        [
            (Completed,  Nothing),
            (Completed,  Nothing),
            (Completed,  Nothing),
            (Completed,  Nothing),
            (Terminated, End),
            (Completed,  Nothing),
        ],
        // Terminated
        [
            (Terminated, Nothing),
            (Terminated, Nothing),
            (Terminated, Nothing),
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
