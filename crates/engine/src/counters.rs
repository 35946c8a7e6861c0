//! The counters that the engine itself moves: Kamailio's `core` and `sl` groups.

use crate::statistics::{Counter, Statistics};

/// Counters of the way of messages.
#[derive(Clone, Debug)]
pub struct Counters {
    /// Requests received.
    pub rcv_requests: Counter,
    /// Requests received, by method, in the order of `METHODS`, others last.
    pub rcv_requests_by_method: Vec<Counter>,
    /// Replies received.
    pub rcv_replies: Counter,
    /// Replies received by class 1xx to 6xx.
    pub rcv_replies_by_class: Vec<Counter>,
    /// Requests forwarded.
    pub fwd_requests: Counter,
    /// Replies forwarded.
    pub fwd_replies: Counter,
    /// Requests dropped.
    pub drop_requests: Counter,
    /// Replies dropped.
    pub drop_replies: Counter,
    /// Requests with errors.
    pub err_requests: Counter,
    /// Replies with errors.
    pub err_replies: Counter,
    /// Unusable URIs met.
    pub bad_uris: Counter,
    /// Requests of methods that we do not know.
    pub unsupported_methods: Counter,
    /// Messages whose headers could not be understood.
    pub bad_msg_hdr: Counter,
    /// Keep-alives received.
    pub keepalives: Counter,
    /// Inputs refused because a call's inbox was full.
    pub inbox_overflow: Counter,
    /// Runs that ended in a caught panic: each one is a mistake in the program.
    pub panics: Counter,
    /// Runs set aside to wait.
    pub suspended: Counter,
}

/// The methods that have a counter of their own.
pub const METHODS: [&str; 13] = [
    "invite",
    "cancel",
    "ack",
    "bye",
    "info",
    "register",
    "subscribe",
    "notify",
    "message",
    "options",
    "prack",
    "update",
    "refer",
];

impl Counters {
    /// Makes them known under their names.
    pub fn new(statistics: &Statistics) -> Self {
        let core = |name: &str, doc: &str| statistics.counter("core", name, true, doc);
        let by_method =
            |name: &&str| core(&format!("rcv_requests_{name}"), "Requests of a method.");
        let mut rcv_requests_by_method: Vec<_> = METHODS.iter().map(by_method).collect();
        rcv_requests_by_method.push(core("rcv_requests_publish", "PUBLISH requests."));
        let by_class = |class| core(&format!("rcv_replies_{class}xx"), "Replies of a class.");
        Self {
            rcv_requests: core("rcv_requests", "Requests received."),
            rcv_requests_by_method,
            rcv_replies: core("rcv_replies", "Replies received."),
            rcv_replies_by_class: (1..=6).map(by_class).collect(),
            fwd_requests: core("fwd_requests", "Requests forwarded."),
            fwd_replies: core("fwd_replies", "Replies forwarded."),
            drop_requests: core("drop_requests", "Requests dropped."),
            drop_replies: core("drop_replies", "Replies dropped."),
            err_requests: core("err_requests", "Requests with errors."),
            err_replies: core("err_replies", "Replies with errors."),
            bad_uris: core("bad_URIs_rcvd", "Unusable URIs met."),
            unsupported_methods: core("unsupported_methods", "Requests of unknown methods."),
            bad_msg_hdr: core("bad_msg_hdr", "Messages with unusable headers."),
            keepalives: core("rcv_keepalives", "Keep-alives received."),
            inbox_overflow: core("inbox_overflow", "Inputs refused: a call's inbox was full."),
            panics: core("panics", "Runs that ended in a caught panic."),
            suspended: core("suspended_runs", "Runs set aside to wait."),
        }
    }
}
