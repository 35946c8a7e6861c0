//! Event routes that something asked for: they run one after another before the work that caused them goes on.

use std::sync::{Arc, LazyLock};

use script::{BlockId, Outcome, Routes};
use sip::Message;

use crate::pending::Pending;
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

/// A message that nobody sent, for runs that no message caused.
pub fn stand_in() -> Working {
    let mut working = Working::new(Arc::clone(&STAND_IN), crate::input::nowhere());
    working.faked = true;
    working
}
