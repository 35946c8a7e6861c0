//! The state table of a call: every state against every event, in one place.

use std::fmt::{self, Write};

/// Where a call is. The numbers are Kamailio's, in databases, commands and variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// The INVITE is on its way; nothing came back yet.
    Unconfirmed = 1,
    /// A provisional reply was relayed.
    Early = 2,
    /// A 2xx was relayed; its ACK is awaited.
    ConfirmedNoAck = 3,
    /// Answered and acknowledged.
    Confirmed = 4,
    /// Over; the record stays for those who still need it.
    Deleted = 5,
}

impl State {
    /// All states, in order.
    pub const ALL: [Self; 5] = [
        Self::Unconfirmed,
        Self::Early,
        Self::ConfirmedNoAck,
        Self::Confirmed,
        Self::Deleted,
    ];

    /// Kamailio's number, 1..=5.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether the call was answered and is not over.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::ConfirmedNoAck | Self::Confirmed)
    }

    /// Whether the call still waits for its answer.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Unconfirmed | Self::Early)
    }
}

/// What can happen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Input {
    /// A 101..=199 to the INVITE was relayed.
    Provisional,
    /// A 2xx to the INVITE was relayed, the first with its To-tag.
    Success,
    /// A final reply of 300 or more was sent to the caller.
    Negative,
    /// An ACK within the dialog.
    Ack,
    /// A BYE within the dialog.
    Bye,
    /// A PRACK within the dialog (RFC 3262).
    Prack,
    /// Any other request within the dialog.
    Request,
    /// The caller gave up; the final reply is still to come.
    Cancel,
    /// The deadline of the state passed.
    Timeout,
    /// The embedding program ends the call.
    LocalEnd,
    /// The INVITE was answered without ever being relayed.
    Abandon,
}

impl Input {
    /// All inputs, in the order of the table's columns.
    pub const ALL: [Self; 11] = [
        Self::Provisional,
        Self::Success,
        Self::Negative,
        Self::Ack,
        Self::Bye,
        Self::Prack,
        Self::Request,
        Self::Cancel,
        Self::Timeout,
        Self::LocalEnd,
        Self::Abandon,
    ];
}

/// What an event does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The state stays.
    Keep,
    /// It cannot be; the state stays and the caller logs it.
    Bogus,
    /// The state changes.
    To(State),
    /// Confirmed after all: a 2xx that overtook the failure. Bogus if the call had been answered, or was
    /// ended by the embedding program.
    Revive,
    /// The record goes.
    Remove,
}

use Outcome::{Bogus, Keep, Remove, Revive, To};
use State::{Confirmed, ConfirmedNoAck, Deleted, Early};

/// Rows are states 1..=5, columns are [`Input::ALL`].
#[rustfmt::skip]
const TABLE: [[Outcome; 11]; 5] = [
    // Provisional Success         Negative     Ack            Bye          Prack  Request Cancel Timeout      LocalEnd     Abandon
    [To(Early), To(ConfirmedNoAck), To(Deleted), Bogus,         Bogus,       Bogus, Bogus,  Keep,  To(Deleted), Keep,        To(Deleted)],
    [To(Early), To(ConfirmedNoAck), To(Deleted), Bogus,         Keep,        Keep,  Keep,   Keep,  To(Deleted), Keep,        Keep],
    [Bogus,     Keep,               Bogus,       To(Confirmed), To(Deleted), Keep,  Keep,   Keep,  To(Deleted), To(Deleted), Keep],
    [Bogus,     Keep,               Bogus,       Keep,          To(Deleted), Keep,  Keep,   Keep,  To(Deleted), To(Deleted), Keep],
    [Bogus,     Revive,             Bogus,       Keep,          Keep,        Keep,  Keep,   Keep,  Remove,      Keep,        Keep],
];

/// The table's cell.
pub const fn outcome(state: State, input: Input) -> Outcome {
    TABLE[state as usize - 1][input as usize]
}

/// The table as text, one line for each state and event.
pub fn table_text() -> String {
    let mut text = String::new();
    for state in State::ALL {
        for input in Input::ALL {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{state:?} + {input:?} = {}", outcome(state, input));
        }
    }
    text
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keep => f.write_str("-"),
            Bogus => f.write_str("bogus"),
            To(state) => write!(f, "{state:?}"),
            Revive => f.write_str("ConfirmedNoAck if it failed"),
            Remove => f.write_str("removed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_written_down() {
        assert_eq!(
            table_text(),
            include_str!("../tests/snapshots/state_table.txt")
        );
    }

    #[test]
    fn columns_follow_the_inputs() {
        for (column, input) in Input::ALL.into_iter().enumerate() {
            assert_eq!(column, input as usize);
        }
        for (row, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(row + 1, usize::from(state.number()));
        }
    }

    #[test]
    fn states_never_go_back_but_for_a_late_answer() {
        for state in State::ALL {
            for input in Input::ALL {
                match outcome(state, input) {
                    To(new) => assert!(new >= state, "{state:?} {input:?}"),
                    Revive => assert_eq!((state, input), (Deleted, Input::Success)),
                    Remove => assert_eq!((state, input), (Deleted, Input::Timeout)),
                    Keep | Bogus => {}
                }
            }
        }
    }

    #[test]
    fn every_state_ends_by_its_deadline() {
        for state in State::ALL {
            let expected = if state == Deleted {
                Remove
            } else {
                To(Deleted)
            };
            assert_eq!(outcome(state, Input::Timeout), expected);
        }
    }
}
