//! The counters that the engine itself moves: Kamailio's `core` and `sl` groups.

use sip::Method;

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
    /// Replies of statuses that have a counter of their own, in the order of `STATUSES`, 18x first.
    rcv_replies_by_status: Vec<Counter>,
    /// Replies by method and class, in the order of `REPLY_METHODS`.
    rcv_replies_by_method: Vec<[Counter; 6]>,
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
    /// Times that messages were sent before what they tell of was saved, because that took too long.
    pub sent_unsaved: Counter,
    /// New calls refused because too much came in.
    pub overload_refused: Counter,
    /// How long datagrams wait to be read, in µs; 0 when the queue of the worker that told last was emptied.
    pub receive_wait_us: Counter,
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

/// The statuses of replies that have a counter of their own.
const STATUSES: [u16; 5] = [401, 404, 407, 480, 486];

/// The methods whose replies have counters of their own, with the names that Kamailio gives them.
const REPLY_METHODS: [(Method, &str); 8] = [
    (Method::Invite, "invite"),
    (Method::Bye, "bye"),
    (Method::Register, "reg"),
    (Method::Cancel, "cancel"),
    (Method::Update, "update"),
    (Method::Prack, "prack"),
    (Method::Message, "message"),
    (Method::Refer, "refer"),
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
            rcv_replies_by_status: by_status(&core),
            rcv_replies_by_method: REPLY_METHODS
                .map(|(_, method)| by_method_and_class(&core, method))
                .into(),
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
            sent_unsaved: core(
                "sent_unsaved",
                "Messages sent before what they tell of was saved.",
            ),
            overload_refused: core(
                "overload_refused",
                "Requests refused because too much came in.",
            ),
            receive_wait_us: core(
                "receive_wait_us",
                "How long datagrams wait to be read (µs); 0 while queues are emptied.",
            ),
        }
    }

    /// Counts a reply that was received.
    pub(crate) fn reply_received(&self, status: u16, method: Method) {
        self.rcv_replies.increment();
        let class = usize::from(status / 100).wrapping_sub(1);
        if let Some(counter) = self.rcv_replies_by_class.get(class) {
            counter.increment();
        }
        let known = REPLY_METHODS.iter().position(|(known, _)| *known == method);
        let of_method = known.and_then(|at| self.rcv_replies_by_method.get(at)?.get(class));
        if let Some(counter) = of_method {
            counter.increment();
        }
        let special = match status {
            180..=189 => Some(0),
            _ => STATUSES.iter().position(|s| *s == status).map(|at| at + 1),
        };
        if let Some(counter) = special.and_then(|at| self.rcv_replies_by_status.get(at)) {
            counter.increment();
        }
    }
}

fn by_status(core: &impl Fn(&str, &str) -> Counter) -> Vec<Counter> {
    let ringing = core("rcv_replies_18x", "Replies 180 to 189.");
    let others = STATUSES.iter().map(|status| {
        let name = format!("rcv_replies_{status}");
        core(&name, "Replies of a status.")
    });
    std::iter::once(ringing).chain(others).collect()
}

fn by_method_and_class(core: &impl Fn(&str, &str) -> Counter, method: &str) -> [Counter; 6] {
    [1, 2, 3, 4, 5, 6].map(|class| {
        let name = format!("rcv_replies_{class}xx_{method}");
        core(&name, "Replies of a class to requests of a method.")
    })
}
