//! The dialogs of a forked call beside the one that won: one for each To-tag (RFC 3261 §12.1, §13.2.2.4).

use crate::local::LegOutcome;
use crate::packed::Packed;

/// How far such a dialog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkState {
    /// Made by a provisional reply; kept until the call is answered.
    Early,
    /// Made by a further 2xx; ended with the call.
    Confirmed,
    /// A BYE passed in it, or was sent to it.
    Ended,
}

const TAG: usize = 0;
const CONTACT: usize = 1;
const ROUTE_SET: usize = 2;
const SOCKET: usize = 3;

/// The callee's side of one dialog.
#[derive(Clone, Debug)]
pub(crate) struct Fork {
    pub(crate) state: ForkState,
    /// Highest CSeq seen from the caller and from the callee; 0 for none.
    pub(crate) cseq: [u32; 2],
    /// Highest CSeq used towards the caller and towards the callee by this proxy.
    pub(crate) local_cseq: [u32; 2],
    pub(crate) outcome: [LegOutcome; 2],
    text: Packed<4>,
}

impl Fork {
    pub(crate) fn new(state: ForkState, tag: &[u8], callee: &CalleeLeg<'_>) -> Self {
        Self {
            state,
            cseq: [0; 2],
            local_cseq: [0; 2],
            outcome: [LegOutcome::None; 2],
            text: Packed::new([tag, callee.contact, callee.route_set, callee.socket]),
        }
    }

    pub(crate) fn tag(&self) -> &[u8] {
        self.text.get(TAG)
    }

    pub(crate) fn callee(&self) -> CalleeLeg<'_> {
        CalleeLeg {
            contact: self.text.get(CONTACT),
            route_set: self.text.get(ROUTE_SET),
            socket: self.text.get(SOCKET),
        }
    }

    /// Takes what a later provisional reply of the same dialog says.
    pub(crate) fn update(&mut self, callee: &CalleeLeg<'_>) {
        if callee.contact.is_empty() {
            return;
        }
        self.text.set(&[
            (CONTACT, callee.contact),
            (ROUTE_SET, callee.route_set),
            (SOCKET, callee.socket),
        ]);
    }

    pub(crate) fn refresh(&mut self, contact: &[u8], socket: &[u8]) {
        let socket = if socket.is_empty() {
            self.callee().socket
        } else {
            socket
        }
        .to_vec();
        self.text.set(&[(CONTACT, contact), (SOCKET, &socket)]);
    }
}

/// Where a callee is reached.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CalleeLeg<'a> {
    pub(crate) contact: &'a [u8],
    pub(crate) route_set: &'a [u8],
    pub(crate) socket: &'a [u8],
}
