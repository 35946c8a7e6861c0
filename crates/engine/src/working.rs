//! The message being worked on: the bytes as received, and the changes that the script asked for.

use std::sync::Arc;

use sip::{Edits, Hop, Message, SocketId, StreamUse};

/// A message and what is to become of it.
#[derive(Clone, Debug)]
pub struct Working {
    /// As it was received; never changed.
    pub message: Arc<Message>,
    /// The way that it came.
    pub hop: Hop,
    /// Changes to headers and body, applied when it is sent on.
    pub edits: Edits,
    /// Where the request goes; its flags and branches.
    pub target: Target,
    /// Destinations besides the Request-URI, as `append_branch()` adds them.
    pub branches: Vec<Target>,
    /// The Request-URI itself is no destination any more.
    pub uri_consumed: bool,
    /// The 32 message flags of `setflag()`.
    pub flags: u32,
    /// Answer to the source port although the client did not ask for it (RFC 3581).
    pub force_rport: bool,
    /// Ask for `rport` in our own Via.
    pub local_rport: bool,
    /// Further parameters for our own Via, each with its semicolon.
    pub via_params: Vec<u8>,
    /// Bits that modules give a meaning to; not the script's flags.
    pub internal_flags: u32,
    /// Header lines for every reply that we make to this request.
    pub reply_headers: Vec<u8>,
    /// Content-Type and body for those replies.
    pub reply_body: Option<(Vec<u8>, Vec<u8>)>,
    /// In a reply, the status that the script gave it.
    pub status: Option<u16>,
    /// The Record-Route header to be added when it is sent.
    pub record_route: Option<RecordRoute>,
    /// Parameters for the Record-Route header, each with its semicolon.
    pub record_route_params: Vec<u8>,
    /// Max-Forwards for the outgoing message, when it was processed.
    pub max_forwards: Option<u32>,
    /// Shown in our Via instead of the socket's host.
    pub advertised_host: Option<Vec<u8>>,
    /// Shown in our Via instead of the socket's port.
    pub advertised_port: Option<u16>,
    /// The transport for this request when it is longer than `udp_mtu`.
    pub long_request_transport: Option<sip::Transport>,
    /// What is to happen to streams.
    pub stream: StreamWishes,
    /// Nobody sent this message: it stands in for one.
    pub faked: bool,
}

/// What the script wants of the streams that a message comes and goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamWishes {
    /// Where it is sent on.
    pub forward: StreamUse,
    /// Where it is answered.
    pub reply: StreamUse,
}

/// One destination of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// A new Request-URI; `None` while it is the received one.
    pub uri: Option<Vec<u8>>,
    /// The next hop (`$du`), when it is not the Request-URI.
    pub next_hop: Option<Vec<u8>>,
    /// A Path to be sent as Route headers.
    pub path: Option<Vec<u8>>,
    /// The socket to send from.
    pub socket: Option<SocketId>,
    /// The 32 branch flags.
    pub flags: u32,
    /// Preference, thousandths; -1 unknown.
    pub q: i32,
    /// The registration that it came from.
    pub ruid: Vec<u8>,
    /// That registration's `+sip.instance` (RFC 5626); empty without one.
    pub instance: Vec<u8>,
    /// That registration's User-Agent.
    pub user_agent: Vec<u8>,
}

/// A Record-Route header to be made at sending time, when both sockets are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordRoute {
    /// Our own address on each side, and these parameters (each with its semicolon).
    Own {
        /// Given to `record_route()`.
        params: Vec<u8>,
        /// The user part to show, with `add_username`.
        user: Vec<u8>,
    },
    /// Header values written by the configuration, topmost first.
    Preset(Vec<Vec<u8>>),
    /// A host and port written by the configuration.
    Advertised(Vec<u8>),
}

impl Working {
    /// A message as it came.
    pub fn new(message: Arc<Message>, hop: Hop) -> Self {
        Self {
            message,
            hop,
            edits: Edits::default(),
            target: Target {
                q: -1,
                ..Target::default()
            },
            branches: Vec::new(),
            uri_consumed: false,
            flags: 0,
            force_rport: false,
            local_rport: false,
            via_params: Vec::new(),
            internal_flags: 0,
            reply_headers: Vec::new(),
            reply_body: None,
            status: None,
            record_route: None,
            record_route_params: Vec::new(),
            max_forwards: None,
            advertised_host: None,
            advertised_port: None,
            long_request_transport: None,
            stream: StreamWishes::default(),
            faked: false,
        }
    }

    /// The Request-URI as it is now; empty in a reply.
    pub fn uri(&self) -> &[u8] {
        self.target.uri_of(&self.message)
    }

    /// Sets the Request-URI; it is a destination again.
    pub fn set_uri(&mut self, uri: Vec<u8>) {
        self.target.uri = Some(uri);
        self.uri_consumed = false;
    }

    /// The URI that names the next hop: `$du` if set, else the Request-URI.
    pub fn next_hop(&self) -> &[u8] {
        self.target.next_hop_of(&self.message)
    }

    /// All destinations: the Request-URI unless consumed, then the added ones.
    pub fn destinations(&self) -> impl DoubleEndedIterator<Item = &Target> {
        let own = (!self.uri_consumed).then_some(&self.target);
        own.into_iter().chain(&self.branches)
    }
}

impl Target {
    /// The Request-URI that a message gets on its way there.
    pub fn uri_of<'a>(&'a self, message: &'a Message) -> &'a [u8] {
        match &self.uri {
            Some(uri) => uri,
            None => message.request_uri(),
        }
    }

    /// The URI that names the next hop of a message.
    pub fn next_hop_of<'a>(&'a self, message: &'a Message) -> &'a [u8] {
        self.next_hop
            .as_deref()
            .unwrap_or_else(|| self.uri_of(message))
    }
}
