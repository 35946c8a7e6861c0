//! The server transaction for every method but INVITE: RFC 3261 §17.2.2.

use crate::machine::{ServerAction as Action, ServerEvent as Event};

/// Where the transaction is towards the requester.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing was sent.
    Trying,
    /// A provisional reply was sent.
    Proceeding,
    /// The final reply was sent; retransmissions get it again.
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
            (Proceeding, Send),         // Provisional
            (Completed,  SendFinal),    // Success
            (Completed,  SendFinal),    // Failure
            (Trying,     Nothing),      // Retransmission
            (Trying,     Nothing),      // Ack
            (Trying,     Nothing),      // Repeat
            (Trying,     Unanswered),   // Expire
            (Completed,  Wait),         // Release
        ],
        // Proceeding
        [
            (Proceeding, Send),
            (Completed,  SendFinal),
            (Completed,  SendFinal),
            (Proceeding, Resend),
            (Proceeding, Nothing),
            (Proceeding, Nothing),
            (Proceeding, Unanswered),
            (Completed,  Wait),
        ],
        // Completed
        [
            (Completed,  Refuse),
            (Completed,  Refuse),
            (Completed,  Refuse),
            (Completed,  Resend),
            (Completed,  Nothing),
            (Completed,  Nothing),
            (Terminated, End),
            (Completed,  Nothing),
        ],
        // Terminated
        [
            (Terminated, Refuse),
            (Terminated, Refuse),
            (Terminated, Refuse),
            (Terminated, Resend),
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
