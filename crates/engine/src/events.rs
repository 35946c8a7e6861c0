//! Event routes that something asked for: they run one after another before the work that caused them goes on.

use std::sync::{Arc, LazyLock};

use script::{BlockId, Completion, Outcome, Routes};
use sip::Message;

use crate::engine::Engine;
use crate::input::Input;
use crate::pending::{Pending, Resume};
use crate::run::Run;
use crate::slots::Slots;
use crate::working::Working;

/// One block to run with a message of its own.
#[derive(Debug)]
pub struct Event {
    /// The block.
    pub block: BlockId,
    /// The kind of run.
    pub routes: Routes,
    /// The message that it sees.
    pub working: Working,
    /// What modules attached to that message.
    pub slots: Slots,
}

/// What was set aside while another message is worked on.
#[derive(Debug)]
pub struct Saved {
    working: Working,
    slots: Option<Slots>,
    routes: Routes,
}

impl Saved {
    /// Puts another message in place of the one being worked on, with what is attached to it.
    pub fn swap(run: &mut Run, working: Working, slots: Slots, routes: Routes) -> Self {
        let mut saved = Self::swap_message(run, working, routes);
        saved.slots = Some(std::mem::replace(&mut run.slots, slots));
        saved
    }

    /// Puts another form of the same message in its place: what is attached stays.
    pub fn swap_message(run: &mut Run, working: Working, routes: Routes) -> Self {
        Self {
            working: std::mem::replace(&mut run.msg, working),
            slots: None,
            routes: std::mem::replace(&mut run.routes, routes),
        }
    }

    /// Puts the first message back; returns the other one.
    pub fn restore(self, run: &mut Run) -> Working {
        run.routes = self.routes;
        if let Some(slots) = self.slots {
            run.slots = slots;
        }
        std::mem::replace(&mut run.msg, self.working)
    }
}

/// Lets waiting events run before a finished function's result counts.
pub(crate) fn before_result(run: &mut Run, outcome: Outcome<Pending>) -> Outcome<Pending> {
    let Outcome::Code(code) = outcome else {
        return outcome;
    };
    let Some(event) = run.events.pop_front() else {
        return Outcome::Code(code);
    };
    let Event {
        block,
        routes,
        working,
        slots,
    } = event;
    let saved = Box::new(Saved::swap(run, working, slots, routes));
    Outcome::Route {
        block,
        routes,
        then: Pending::Events { code, saved },
    }
}

/// The event routes that something in Tandem runs; a name that ends with a colon is the beginning of more.
const KNOWN: &[(&str, &str)] = &[
    (
        "core:worker-one-init",
        "Once, when the workers have started.",
    ),
    (
        "core:msg-received",
        "For each message, before anything else; needs `received_route_mode = 1`.",
    ),
    (
        "core:pre-routing",
        "For each message, before request_route and reply_route.",
    ),
    ("tm:local-request", "For each request of our own."),
    (
        "tm:local-response",
        "After a reply made here with a transaction.",
    ),
    (
        "tm:branch-failure:",
        "When a branch fails, for `t_on_branch_failure()`.",
    ),
    (
        "sl:local-response",
        "After a reply made here without a transaction.",
    ),
    (
        "sl:filtered-ack",
        "For the ACK to a reply made without a transaction.",
    ),
    ("dialog:start", "When a call is answered."),
    ("dialog:end", "When a call has ended."),
    ("dialog:failed", "When a call was not answered."),
    (
        "network:msg",
        "For each packet before it is read or sent; needs `nio_intercept` of corex.",
    ),
    ("usrloc:contact-expired", "When a contact has expired."),
    (
        "uac:reply",
        "For the reply to a request of `uac_req_send()`.",
    ),
];

/// Whether anything runs the event route of this name.
pub(crate) fn is_known(name: &str) -> bool {
    KNOWN
        .iter()
        .any(|(known, _)| match known.strip_suffix(':') {
            Some(_) => name.starts_with(known),
            None => name == *known,
        })
}

/// The known name that was probably meant.
pub(crate) fn suggest(name: &str) -> Option<&'static str> {
    script::suggest::nearest(name, KNOWN.iter().map(|(known, _)| *known))
}

/// An event route to be run for its own sake.
struct Started(BlockId);

impl Resume for Started {
    fn resume(self: Box<Self>, run: &mut Run, _: Completion) -> Outcome<Pending> {
        run.events.push_back(Event {
            block: self.0,
            routes: Routes::EVENT,
            working: stand_in(),
            slots: Slots::default(),
        });
        Outcome::Code(1)
    }
}

impl Engine {
    /// Runs the event route for the start of the workers, once.
    pub fn announce_start(&self) {
        if let Some(block) = self.script().blocks.worker_one_init {
            // The mailbox is empty so early.
            let _ = self.post(0, Input::Job(Box::new(Started(block))));
        }
    }
}

/// The message that event routes see when there is no real one; indexed once for the whole process.
static STAND_IN: LazyLock<Arc<Message>> = LazyLock::new(|| {
    // The text is fixed and valid, so that it always parses.
    const TEXT: &[u8] = b"OPTIONS sip:you@kamailio.org SIP/2.0\r\n\
        Via: SIP/2.0/UDP 127.0.0.1\r\n\
        From: <sip:you@kamailio.org>;tag=123\r\n\
        To: <sip:you@kamailio.org>\r\n\
        Call-ID: 123\r\n\
        CSeq: 1 OPTIONS\r\n\
        Content-Length: 0\r\n\r\n";
    Arc::new(Message::parse(TEXT.to_vec()).expect("the stand-in message is valid"))
});

/// Stands where there is no message.
pub(crate) fn no_message() -> Arc<Message> {
    Arc::clone(&STAND_IN)
}

/// A message that nobody sent, for runs that no message caused.
pub fn stand_in() -> Working {
    let mut working = Working::new(no_message(), crate::input::nowhere());
    working.faked = true;
    working
}
