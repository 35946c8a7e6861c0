//! What observers are told: what happened, to which call, and the message that brought it.

use std::any::Any;
use std::cell::RefCell;

use crate::callbacks::Callbacks;
use crate::id::DialogId;
use crate::input::{Direction, Invite, Method, Reply, Request};
use crate::local::{LegKey, LegOutcome};
use crate::tracker::Tracker;
use crate::view::DialogView;

/// One thing that happened to a call.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// The call after it happened; before it for a reply that is about to be forwarded.
    pub call: &'a DialogView,
    /// Where the call is; all its methods may be called.
    pub tracker: &'a Tracker,
    /// What happened.
    pub what: Happened<'a>,
}

/// What happened to a call, with the message that brought it: one variant for each callback type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Happened<'a> {
    /// `LOADED`: it was read from storage.
    Loaded,
    /// `CREATED`: this INVITE began it.
    Created(&'a Invite<'a>),
    /// `SPIRALED`: this INVITE, its own, passed again.
    Spiraled(&'a Invite<'a>),
    /// `RESPONSE_FWDED`: this reply to its INVITE is about to be forwarded.
    ReplyForwarded(&'a Reply<'a>),
    /// `EARLY`: this provisional reply was relayed.
    Early(&'a Reply<'a>),
    /// `FAILED`: it ended without an answer, by this reply if one was sent.
    Failed(Option<&'a Reply<'a>>),
    /// `CONFIRMED_NA`: this 2xx answered it.
    ConfirmedNoAck(&'a Reply<'a>),
    /// `CONFIRMED`: this ACK confirmed it.
    Confirmed(&'a Request<'a>),
    /// `REQ_WITHIN`: this request passed within it.
    RequestWithin(&'a Request<'a>),
    /// `RESPONSE_WITHIN`: a reply to a request within it is about to be forwarded.
    ReplyWithin {
        /// The way the reply travels: opposite to the request.
        direction: Direction,
        /// The request's method.
        method: Method,
        /// The reply.
        reply: &'a Reply<'a>,
    },
    /// `TERMINATED`: this BYE ended it, or the program itself.
    Terminated(Option<&'a Request<'a>>),
    /// `TERMINATED_CONFIRMED`: a BYE that passed was answered.
    ByeAnswered {
        /// The way the reply travels.
        direction: Direction,
        /// The reply.
        reply: &'a Reply<'a>,
    },
    /// `TERMINATED_CONFIRMED` for a BYE of the program's own.
    OwnByeDone {
        /// Which leg it was sent to.
        leg: &'a LegKey,
        /// What became of it.
        outcome: LegOutcome,
        /// The reply, if one came and was handed in ([`Tracker::leg_answered`]).
        reply: Option<&'a Reply<'a>>,
    },
    /// `EXPIRED`: its lifetime was over.
    Expired {
        /// Its answer had been acknowledged (state 4).
        was_confirmed: bool,
    },
    /// `RPC_CONTEXT`: somebody lists it, and what is put here is listed with it.
    Listed(&'a Attachments),
    /// `DESTROY`: its record is gone.
    Destroyed,
}

/// What observers add to the listing of a call.
#[derive(Debug, Default)]
pub struct Attachments(RefCell<Vec<(String, Vec<u8>)>>);

/// Items that observers may add to one listing of a call.
const ATTACHMENTS_MAX: usize = 256;

impl Attachments {
    /// Adds one line: a name and what it stands for. More than 256 are left out.
    pub fn add(&self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        let mut items = self.0.borrow_mut();
        if items.len() < ATTACHMENTS_MAX {
            items.push((name.into(), value.into()));
        }
    }

    pub(crate) fn into_items(self) -> Vec<(String, Vec<u8>)> {
        self.0.into_inner()
    }
}

impl<'a> Notice<'a> {
    /// The call's id.
    pub fn id(&self) -> DialogId {
        self.call.id()
    }

    /// The callback type.
    pub fn kind(&self) -> Callbacks {
        self.what.kind()
    }

    /// The way the message travels; `None` without one. A reply to the INVITE travels upstream.
    pub fn direction(&self) -> Option<Direction> {
        self.what.direction()
    }

    /// The embedding program's own message, if it handed one in and it is a `T`.
    pub fn message<T: Any>(&self) -> Option<&'a T> {
        self.what.message()?.downcast_ref()
    }
}

impl<'a> Happened<'a> {
    /// The callback type.
    pub fn kind(&self) -> Callbacks {
        match self {
            Self::Loaded => Callbacks::LOADED,
            Self::Created(_) => Callbacks::CREATED,
            Self::Spiraled(_) => Callbacks::SPIRALED,
            Self::ReplyForwarded(_) => Callbacks::RESPONSE_FWDED,
            Self::Early(_) => Callbacks::EARLY,
            Self::Failed(_) => Callbacks::FAILED,
            Self::ConfirmedNoAck(_) => Callbacks::CONFIRMED_NA,
            Self::Confirmed(_) => Callbacks::CONFIRMED,
            Self::RequestWithin(_) => Callbacks::REQ_WITHIN,
            Self::ReplyWithin { .. } => Callbacks::RESPONSE_WITHIN,
            Self::Terminated(_) => Callbacks::TERMINATED,
            Self::ByeAnswered { .. } | Self::OwnByeDone { .. } => Callbacks::TERMINATED_CONFIRMED,
            Self::Expired { .. } => Callbacks::EXPIRED,
            Self::Listed(_) => Callbacks::RPC_CONTEXT,
            Self::Destroyed => Callbacks::DESTROY,
        }
    }

    fn direction(&self) -> Option<Direction> {
        match self {
            Self::Created(_) | Self::Spiraled(_) => Some(Direction::Downstream),
            Self::ReplyForwarded(_)
            | Self::Early(_)
            | Self::Failed(Some(_))
            | Self::ConfirmedNoAck(_) => Some(Direction::Upstream),
            Self::Confirmed(request) | Self::RequestWithin(request) => Some(request.direction),
            Self::Terminated(request) => request.map(|request| request.direction),
            Self::ReplyWithin { direction, .. } | Self::ByeAnswered { direction, .. } => {
                Some(*direction)
            }
            Self::Loaded
            | Self::Failed(None)
            | Self::OwnByeDone { .. }
            | Self::Expired { .. }
            | Self::Listed(_)
            | Self::Destroyed => None,
        }
    }

    fn message(&self) -> Option<&'a dyn Any> {
        match self {
            Self::Created(invite) | Self::Spiraled(invite) => invite.message,
            Self::ReplyForwarded(reply)
            | Self::Early(reply)
            | Self::ConfirmedNoAck(reply)
            | Self::ReplyWithin { reply, .. }
            | Self::ByeAnswered { reply, .. } => reply.message,
            Self::Failed(reply) | Self::OwnByeDone { reply, .. } => (*reply)?.message,
            Self::Confirmed(request) | Self::RequestWithin(request) => request.message,
            Self::Terminated(request) => (*request)?.message,
            Self::Loaded | Self::Expired { .. } | Self::Listed(_) | Self::Destroyed => None,
        }
    }
}
