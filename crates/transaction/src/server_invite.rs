//! The INVITE server transaction: RFC 3261 §17.2.1 with the Accepted state of RFC 6026.

use crate::machine::{ServerAction as Action, ServerEvent as Event};

/// Where the transaction is towards the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No final reply was sent.
    Proceeding,
    /// A negative final reply is repeated until its ACK comes.
    Completed,
    /// A 2xx was sent; its retransmissions come from the callee.
    Accepted,
    /// The exchange is over; what is retransmitted is absorbed.
    Confirmed,
    /// Nothing more is timed.
    Terminated,
}

impl State {
    /// Every state, in table order.
    pub const ALL: [Self; 5] = [
        Self::Proceeding,
        Self::Completed,
        Self::Accepted,
        Self::Confirmed,
        Self::Terminated,
    ];
}

#[rustfmt::skip]
const TABLE: [[(State, Action); Event::ALL.len()]; State::ALL.len()] = {
    use Action::*;
    use State::*;
    [
        // Proceeding
        [
            (Proceeding, Send),             // Provisional
            (Accepted,   SendFinal),        // Success
            (Completed,  SendUntilAck),     // Failure
            (Proceeding, Resend),           // Retransmission
            (Proceeding, Nothing),          // Ack
            (Proceeding, Nothing),          // Repeat
            (Proceeding, Unanswered),       // Expire
            (Confirmed,  Wait),             // Release
        ],
        // Completed
        [
            (Completed,  Refuse),
            (Accepted,   SendFinal),
            (Completed,  Refuse),
            (Completed,  Resend),
            (Confirmed,  Acknowledged),
            (Completed,  Resend),
            (Confirmed,  Unacknowledged),
            (Completed,  Nothing),
        ],
        // Accepted
        [
            (Accepted,   Refuse),
            (Accepted,   SendFinal),
            (Accepted,   Refuse),
            (Accepted,   Resend),
            (Accepted,   Nothing),
            (Accepted,   Nothing),
            (Terminated, End),
            (Accepted,   Nothing),
        ],
        // Confirmed
        [
            (Confirmed,  Refuse),
            (Accepted,   SendFinal),
            (Confirmed,  Refuse),
            (Confirmed,  Nothing),
            (Confirmed,  Nothing),
            (Confirmed,  Nothing),
            (Terminated, End),
            (Confirmed,  Nothing),
        ],
        // Terminated
        [
            (Terminated, Refuse),
            (Accepted,   SendFinal),
            (Terminated, Refuse),
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
