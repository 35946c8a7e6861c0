//! What can happen to a call: the inputs that its baton puts in order.

use std::net::SocketAddr;
use std::sync::Arc;

use sip::{Hop, Message, SocketId};
use transaction::TransactionId;

use crate::pending::Resume;

/// One thing to be run with a call's baton.
#[derive(Debug)]
pub enum Input {
    /// A message arrived.
    Message {
        /// It, indexed.
        message: Arc<Message>,
        /// The way that it came.
        hop: Hop,
    },
    /// A transaction has a deadline that has passed.
    Timer(TransactionId),
    /// A branch could not be sent, or its connection broke.
    BranchFailed {
        /// The transaction.
        id: TransactionId,
        /// The branch.
        branch: usize,
        /// The status that stands for it.
        status: u16,
    },
    /// A branch was given up unanswered because it was cancelled.
    BranchEnded {
        /// The transaction.
        id: TransactionId,
        /// The branch.
        branch: usize,
        /// The status that stands for it.
        status: u16,
    },
    /// A module's or a command's work on this call.
    Job(Box<dyn Resume>),
}

/// The way of messages that nobody sent (event routes, timeouts).
pub(crate) fn nowhere() -> Hop {
    Hop {
        transport: sip::Transport::Udp,
        socket: SocketId(0),
        remote: SocketAddr::from(([127, 0, 0, 1], 5060)),
        connection: None,
        stream: sip::StreamUse::default(),
    }
}
