//! The vocabulary of the four state tables: what may happen, and what is to be done about it.

use crate::{client_invite, client_non_invite, server_invite, server_non_invite};

/// What can happen to a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientEvent {
    /// A 1xx came.
    Provisional,
    /// A 2xx came.
    Success,
    /// A final reply from 300 up came.
    Failure,
    /// The retransmission timer fired.
    Repeat,
    /// The state's deadline passed.
    Expire,
    /// It could not be sent, or is given up without having answered.
    Withdraw,
}

impl ClientEvent {
    pub(crate) const ALL: [Self; 6] = [
        Self::Provisional,
        Self::Success,
        Self::Failure,
        Self::Repeat,
        Self::Expire,
        Self::Withdraw,
    ];

    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            ..200 => Self::Provisional,
            200..300 => Self::Success,
            _ => Self::Failure,
        }
    }
}

/// What is to be done about an event of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAction {
    /// Nothing; a reply is absorbed.
    Nothing,
    /// Send the request again.
    Resend,
    /// Restart timers, send a CANCEL that waited, and deliver the reply.
    Progress,
    /// Stop timers, linger, and deliver the reply.
    Deliver,
    /// Send the ACK, then as `Deliver`.
    AckAndDeliver,
    /// Send the ACK again and absorb the reply.
    AckAgain,
    /// The peer works on a request that was given up: cancel it, and absorb the reply.
    CancelLate,
    /// Stop timers and linger; a reply made here stands for the one that did not come.
    GiveUp,
    /// Send a CANCEL, then as `GiveUp`.
    GiveUpAndCancel,
    /// The branch is over.
    End,
}

/// What can happen to the server side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerEvent {
    /// A 1xx is to be sent.
    Provisional,
    /// A 2xx is to be sent.
    Success,
    /// A final reply from 300 up is to be sent.
    Failure,
    /// The request came again.
    Retransmission,
    /// The ACK to a negative reply came.
    Ack,
    /// The retransmission timer fired.
    Repeat,
    /// The state's deadline passed.
    Expire,
    /// The script gave the transaction up without an answer.
    Release,
}

impl ServerEvent {
    pub(crate) const ALL: [Self; 8] = [
        Self::Provisional,
        Self::Success,
        Self::Failure,
        Self::Retransmission,
        Self::Ack,
        Self::Repeat,
        Self::Expire,
        Self::Release,
    ];

    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            ..200 => Self::Provisional,
            200..300 => Self::Success,
            _ => Self::Failure,
        }
    }
}

/// What is to be done about an event of the server side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerAction {
    /// Nothing.
    Nothing,
    /// Send the reply and remember it.
    Send,
    /// As `Send`, and wait for retransmissions of the request.
    SendFinal,
    /// As `Send`, and repeat it until the ACK comes or `fr_timer` ends.
    SendUntilAck,
    /// Send the remembered reply again.
    Resend,
    /// A final reply was sent before: this one is not.
    Refuse,
    /// The ACK came: stop repeating, and wait for stragglers.
    Acknowledged,
    /// No ACK came: stop repeating, and wait for stragglers.
    Unacknowledged,
    /// Nobody answered within the lifetime: say so, and if nothing is done about it, release.
    Unanswered,
    /// Wait for stragglers.
    Wait,
    /// The server side is over.
    End,
}

/// The state of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// Of an INVITE.
    Invite(client_invite::State),
    /// Of another request.
    Other(client_non_invite::State),
}

impl ClientState {
    pub(crate) const fn new(is_invite: bool) -> Self {
        if is_invite {
            Self::Invite(client_invite::State::Calling)
        } else {
            Self::Other(client_non_invite::State::Trying)
        }
    }

    pub(crate) fn on(&mut self, event: ClientEvent) -> ClientAction {
        let action;
        (*self, action) = match *self {
            Self::Invite(state) => {
                let (next, action) = client_invite::step(state, event);
                (Self::Invite(next), action)
            }
            Self::Other(state) => {
                let (next, action) = client_non_invite::step(state, event);
                (Self::Other(next), action)
            }
        };
        action
    }

    /// Whether a final reply is still awaited.
    pub const fn is_pending(self) -> bool {
        use client_invite::State as I;
        use client_non_invite::State as N;
        matches!(
            self,
            Self::Invite(I::Calling | I::Proceeding) | Self::Other(N::Trying | N::Proceeding)
        )
    }

    /// Whether the request as it was sent may still be needed: to be repeated, or for an ACK or a CANCEL.
    pub(crate) const fn needs_request(self) -> bool {
        use client_invite::State as I;
        self.is_pending() || matches!(self, Self::Invite(I::Completed | I::Terminated))
    }

    /// Whether nothing is timed any more.
    pub const fn is_terminated(self) -> bool {
        use client_invite::State as I;
        use client_non_invite::State as N;
        matches!(
            self,
            Self::Invite(I::Terminated) | Self::Other(N::Terminated)
        )
    }
}

/// The state towards the requester.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// Of an INVITE.
    Invite(server_invite::State),
    /// Of another request.
    Other(server_non_invite::State),
    /// The request was made here: there is nobody to answer.
    Local,
}

impl ServerState {
    pub(crate) const fn new(is_invite: bool) -> Self {
        if is_invite {
            Self::Invite(server_invite::State::Proceeding)
        } else {
            Self::Other(server_non_invite::State::Trying)
        }
    }

    pub(crate) fn on(&mut self, event: ServerEvent) -> ServerAction {
        let action;
        (*self, action) = match *self {
            Self::Invite(state) => {
                let (next, action) = server_invite::step(state, event);
                (Self::Invite(next), action)
            }
            Self::Other(state) => {
                let (next, action) = server_non_invite::step(state, event);
                (Self::Other(next), action)
            }
            Self::Local => (Self::Local, ServerAction::Nothing),
        };
        action
    }

    /// Whether an answer is still owed.
    pub const fn is_pending(self) -> bool {
        use server_invite::State as I;
        use server_non_invite::State as N;
        matches!(
            self,
            Self::Invite(I::Proceeding) | Self::Other(N::Trying | N::Proceeding)
        )
    }

    /// Whether nothing is timed any more.
    pub const fn is_terminated(self) -> bool {
        use server_invite::State as I;
        use server_non_invite::State as N;
        matches!(
            self,
            Self::Invite(I::Terminated) | Self::Other(N::Terminated) | Self::Local
        )
    }
}
