//! What arrives: messages, batches of them, and those that come back unsent.

use std::sync::Arc;

use sip::{Hop, Message, Transport};
use transaction::Match;

use super::Worker;
use crate::clock::Now;
use crate::engine::Engine;
use crate::input::Input;
use crate::log::level;
use crate::overload::{self, Batch};

impl Worker {
    /// Takes a message that arrived.
    pub fn receive(&mut self, engine: &Arc<Engine>, bytes: &[u8], hop: Hop, now: Now) {
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            engine.counters.keepalives.increment();
            return;
        }
        if bytes.len() > engine.settings.message_max {
            return crate::refuse::too_long(engine, bytes.len(), hop);
        }
        let read = match &engine.hooks.interception {
            Some(wanted) => {
                let shown = self.show_received(engine, wanted, bytes.to_vec(), hop, now);
                self.spare.read(&shown)
            }
            None => self.spare.read(bytes),
        };
        let message = match read {
            Ok(message) => message,
            Err(error) => return crate::refuse::unparsable(engine, &error, hop),
        };
        if crate::refuse::unusable(engine, &message, hop) {
            return;
        }
        let key = engine.call_key(message.call_id().unwrap_or_default());
        if self.overload.is_calm() {
            self.submit(engine, key, Input::Message { message, hop }, now);
        } else {
            self.receive_in_overload(engine, key, message, hop, now);
        }
    }

    /// Takes note of a batch of datagrams, before they are received one by one.
    pub fn begin_batch(&mut self, engine: &Arc<Engine>, batch: Batch, now: Now) {
        let waited = match batch.was_full {
            true => i64::try_from(batch.waited.as_micros()).unwrap_or(i64::MAX),
            false => 0,
        };
        if std::mem::replace(&mut self.shown_wait_us, waited) != waited {
            engine.counters.receive_wait_us.store(waited);
        }
        let was_calm = self.overload.is_calm();
        self.overload
            .observe(batch, &engine.settings.overload, now.time);
        if was_calm && !self.overload.is_calm() {
            let text = format!(
                "more comes in than can be worked on, datagrams wait {} ms: some new calls get 503",
                batch.waited.as_millis()
            );
            engine.log.line(level::WARNING, "core", &text);
        }
    }

    /// All datagrams of a batch have been received: what was put off is taken up.
    pub fn end_batch(&mut self, engine: &Arc<Engine>, now: Now) {
        let mut late = std::mem::take(&mut self.late);
        for (key, input) in late.drain(..) {
            self.submit(engine, key, input, now);
        }
        self.late = late;
        overload::send_together(&mut self.refusals, &mut self.outputs);
    }

    fn receive_in_overload(
        &mut self,
        engine: &Arc<Engine>,
        key: u64,
        message: Arc<Message>,
        hop: Hop,
        now: Now,
    ) {
        if overload::acknowledges(engine, &message) {
            return self.spare.keep(message);
        }
        let found = match message.is_request() {
            true => Some(engine.transactions.match_request_of(key, &message)),
            false => None,
        };
        let is_new = found == Some(Match::New) && overload::begins(&message);
        if is_new && self.overload.refuses() {
            engine.counters.overload_refused.increment();
            let refusal = overload::refusal(&self.local, &message, hop, key);
            match hop.transport {
                Transport::Udp => self.refusals.push(refusal),
                _ => self.outputs.push(refusal),
            }
            return self.spare.keep(message);
        }
        let input = Input::Message { message, hop };
        // A CANCEL must not overtake its INVITE.
        if is_new || found == Some(Match::Cancel { invite: None }) {
            self.late.push((key, input));
        } else {
            self.submit(engine, key, input, now);
        }
    }

    /// Takes back a message that could not be sent on a stream: a branch may go on without it.
    pub fn unsent(&mut self, engine: &Arc<Engine>, bytes: &[u8], now: Now) {
        let Ok(message) = Message::parse(bytes.to_vec()) else {
            return;
        };
        if !message.is_request() {
            engine.counters.err_replies.increment();
            return;
        }
        engine.counters.err_requests.increment();
        if let Some(found) = engine.transactions.match_reply(&message) {
            let (id, branch) = (found.id, found.branch);
            let key = engine.call_key(message.call_id().unwrap_or_default());
            self.submit(
                engine,
                key,
                Input::BranchFailed {
                    id,
                    branch,
                    status: 477,
                },
                now,
            );
        }
    }
}
