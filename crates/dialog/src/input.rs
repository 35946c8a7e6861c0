//! What the embedding program tells the tracker: borrowed pieces of messages, and the time.

use std::any::Any;

use timer::Time;

/// The present, on both clocks: deadlines run on `time`, records carry `unix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic.
    pub time: Time,
    /// Seconds since 1970.
    pub unix: u32,
}

impl Now {
    /// For changes that no deadline depends on.
    pub(crate) const NEVER: Self = Self {
        time: Time::NEVER,
        unix: 0,
    };

    /// Both clocks from milliseconds since 1970: for tests, simulations and programs with one clock.
    pub fn from_unix_millis(ms: u64) -> Self {
        Self {
            time: Time::from_millis(ms),
            unix: u32::try_from(ms / 1000).unwrap_or(u32::MAX),
        }
    }
}

/// One party of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who sent the INVITE.
    Caller = 0,
    /// Who answered it.
    Callee = 1,
}

impl Side {
    /// The other party.
    pub const fn peer(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// Which way a request travels. The numbers are those of `$dlg_ctx(dir)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the caller.
    Downstream = 1,
    /// From the callee.
    Upstream = 2,
}

impl Direction {
    /// Who sent it.
    pub const fn sender(self) -> Side {
        match self {
            Self::Downstream => Side::Caller,
            Self::Upstream => Side::Callee,
        }
    }

    /// The way back.
    pub const fn reverse(self) -> Self {
        match self {
            Self::Downstream => Self::Upstream,
            Self::Upstream => Self::Downstream,
        }
    }
}

/// What the tracker needs to know of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// INVITE within the dialog.
    Invite,
    /// ACK of a 2xx.
    Ack,
    /// BYE.
    Bye,
    /// CANCEL of the INVITE that began the call.
    Cancel,
    /// PRACK (RFC 3262).
    Prack,
    /// UPDATE (RFC 3311).
    Update,
    /// Any other.
    Other,
}

impl Method {
    /// Reads the method as it stands in the request line.
    pub fn from_name(name: &[u8]) -> Self {
        match name {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            _ => Self::Other,
        }
    }

    /// Whether it and its 2xx change the remote target (RFC 3261 §12.2, RFC 3311 §5).
    pub const fn refreshes_target(self) -> bool {
        matches!(self, Self::Invite | Self::Update)
    }
}

/// The INVITE that begins a call. URIs are bare: no display name, brackets or header parameters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Invite<'a> {
    /// Call-ID, trimmed.
    pub call_id: &'a [u8],
    /// The From tag.
    pub from_tag: &'a [u8],
    /// The URI of From.
    pub from_uri: &'a [u8],
    /// The URI of To.
    pub to_uri: &'a [u8],
    /// The request URI, or what `ruri_pvar` gives.
    pub req_uri: &'a [u8],
    /// The CSeq number.
    pub cseq: u32,
    /// The URI of the one Contact; empty if there is none, or several.
    pub contact: &'a [u8],
    /// The Record-Route values as received, top to bottom.
    pub record_routes: &'a [&'a [u8]],
    /// The socket that received it, `udp:192.0.2.1:5060`.
    pub socket: &'a [u8],
    /// A lifetime in seconds instead of the default.
    pub lifetime: Option<u32>,
    /// Script flags set so far.
    pub sflags: u32,
    /// [`iflags`](crate::iflags) set so far.
    pub iflags: u32,
    /// The route to run when the call expires; empty for none.
    pub timeout_route: &'a [u8],
    /// The embedding program's own message, for observers.
    pub message: Option<&'a dyn Any>,
}

/// A reply to that INVITE which is being sent to the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reply<'a> {
    /// The status code.
    pub status: u16,
    /// The number of its CSeq: what the ACK repeats of a 2xx that comes too late.
    pub cseq: u32,
    /// The To tag; may be empty below 200.
    pub to_tag: &'a [u8],
    /// The URI of the one Contact; empty if there is none, or several.
    pub contact: &'a [u8],
    /// A URI for where the reply came from, the target of a 2xx without Contact.
    pub source: &'a [u8],
    /// All Record-Route values of the reply, top to bottom.
    pub record_routes: &'a [&'a [u8]],
    /// How many of them this proxy added.
    pub own_record_routes: usize,
    /// The socket that received it.
    pub socket: &'a [u8],
    /// The embedding program's own message, for observers.
    pub message: Option<&'a dyn Any>,
}

/// A request within a dialog, after it was matched.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Which way it travels.
    pub direction: Direction,
    /// Its method.
    pub method: Method,
    /// The callee's tag: that of To downstream, of From upstream.
    pub callee_tag: &'a [u8],
    /// The CSeq number.
    pub cseq: u32,
    /// The URI of the one Contact; empty if there is none, or several.
    pub contact: &'a [u8],
    /// The socket that received it; empty to leave the recorded one.
    pub socket: &'a [u8],
    /// A lifetime in seconds from the script (`timeout_avp`).
    pub lifetime: Option<u32>,
    /// The embedding program's own message, for observers.
    pub message: Option<&'a dyn Any>,
}

/// What matching looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestKey<'a> {
    /// Call-ID, trimmed.
    pub call_id: &'a [u8],
    /// The From tag.
    pub from_tag: &'a [u8],
    /// The To tag.
    pub to_tag: &'a [u8],
    /// The value of the `rr_param` parameter of the own Route that was consumed.
    pub cookie: Option<&'a [u8]>,
}
