//! What is no usable SIP message is dropped and counted: nothing in it can be trusted for an answer.

use std::sync::Arc;

use sip::{Hop, Message, Rejected};

use crate::engine::Engine;
use crate::log::level;

/// Bytes that could not be indexed.
pub(crate) fn unparsable(engine: &Arc<Engine>, rejected: &Rejected, hop: Hop) {
    engine.counters.bad_msg_hdr.increment();
    if engine.log.enabled(level::INFO) {
        let text = format!("dropped bytes from {}: {}", hop.remote, rejected.error);
        engine.log.line(level::INFO, "core", &text);
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
    if engine.log.enabled(level::INFO) {
        let text = format!(
            "dropped a message from {}: mandatory headers missing",
            hop.remote
        );
        engine.log.line(level::INFO, "core", &text);
    }
    true
}
