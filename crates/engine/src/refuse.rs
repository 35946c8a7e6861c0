//! What is no usable SIP message is dropped and counted: nothing in it can be trusted for an answer.

use std::sync::Arc;

use sip::{Hop, Message, ParseError};

use crate::engine::Engine;

/// Bytes that could not be indexed.
pub(crate) fn unparsable(engine: &Arc<Engine>, error: &ParseError, hop: Hop) {
    engine.counters.bad_msg_hdr.increment();
    tell(engine, || {
        format!("dropped bytes from {}: {error}", hop.remote)
    });
}

/// More bytes than `msg_recv_max_size` allows.
pub(crate) fn too_long(engine: &Arc<Engine>, length: usize, hop: Hop) {
    engine.counters.bad_msg_hdr.increment();
    tell(engine, || {
        let most = engine.settings.message_max;
        format!(
            "dropped {length} bytes from {}: more than {most}",
            hop.remote
        )
    });
}

/// Writes a line at the level of `sip_parser_log`.
fn tell(engine: &Engine, text: impl FnOnce() -> String) {
    let level = engine.settings.parser_log_level;
    if engine.log.enabled(level) {
        engine.log.line(level, "core", &text());
    }
}

/// A message that lacks what every message must have. True when it is not to be worked on.
pub(crate) fn unusable(engine: &Arc<Engine>, message: &Message, hop: Hop) -> bool {
    if crate::forward::is_workable(message) {
        return false;
    }
    engine.counters.bad_msg_hdr.increment();
    let counters = &engine.counters;
    if message.is_request() {
        &counters.err_requests
    } else {
        &counters.err_replies
    }
    .increment();
    tell(engine, || {
        format!(
            "dropped a message from {}: mandatory headers missing",
            hop.remote
        )
    });
    true
}
