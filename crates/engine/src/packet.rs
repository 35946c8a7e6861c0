//! `event_route[network:msg]`: packets shown to the script before they are read, and before they are sent. The route
//! may put other bytes in their place; it cannot wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use script::{Machine, Progress, Routes};
use sip::{Hop, Message};

use crate::engine::Engine;
use crate::log::level;
use crate::run::Run;
use crate::working::Working;

/// What a module wants shown, and how.
pub struct Interception {
    /// The event route that sees packets.
    pub event: &'static str,
    /// Shorter packets are not shown.
    pub length_min: usize,
    /// The bytes that the block put in place of the packet's.
    pub replaced: fn(&mut Run) -> Option<Vec<u8>>,
}

/// A packet that a script looks at.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its bytes, SIP or not.
    pub bytes: Arc<[u8]>,
    /// Whether it was received.
    pub incoming: bool,
}

/// The message that the route works on: what the packet is, if it is SIP.
pub(crate) fn working(packet: &Packet, hop: Hop) -> Working {
    let mut working = match Message::shared(packet.bytes.to_vec()) {
        Ok(message) => Working::new(message, hop),
        Err(_) => crate::events::stand_in(),
    };
    working.faked = true;
    working.hop = hop;
    working
}

/// Runs the block; the bytes to go on with, if they are others.
pub(crate) fn run_block(
    engine: &Engine,
    wanted: &Interception,
    run: &mut Run,
    machine: &mut Machine<crate::pending::Pending>,
) -> Option<Vec<u8>> {
    let script = run.script.clone();
    let block = script.event(wanted.event)?;
    let result = catch_unwind(AssertUnwindSafe(|| {
        machine.set_limits(script.limits);
        machine.start(&script.program, block, Routes::EVENT);
        match machine.run(&script.program, run) {
            Progress::Ended(_) => Some((wanted.replaced)(run)),
            Progress::Waiting => None,
        }
    }));
    let text = match result {
        Ok(Some(replaced)) => return replaced,
        Ok(None) => "event_route[network:msg] cannot wait: the packet goes on as it is",
        Err(_) => {
            engine.counters.panics.increment();
            "a run of event_route[network:msg] panicked"
        }
    };
    *machine = Machine::new(script.limits);
    run.operation = None;
    engine.log.line(level::ERROR, "core", text);
    None
}
