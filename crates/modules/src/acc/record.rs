//! One line of accounting: what happened, when, to which request.

use std::sync::Arc;

use engine::{LogLine, Run, Saved, Slots, Tx, Working};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sip::Message;

use super::phrases::phrase;
use super::state::{Accounted, State, TimeMode};

/// What is told of a request.
#[derive(Debug)]
pub(super) struct Record {
    /// How the line begins.
    pub(super) lead: &'static str,
    /// The To tag of the reply.
    pub(super) to_tag: Vec<u8>,
    /// The status, as it is shown.
    pub(super) code: Vec<u8>,
    /// The reason.
    pub(super) reason: Vec<u8>,
}

impl Record {
    /// The record of a reply; of one made here if there is no message.
    pub(super) fn of_reply(
        state: &State,
        lead: &'static str,
        status: u16,
        message: Option<&Message>,
        to_tag: &[u8],
    ) -> Self {
        let reason = match message {
            Some(message) => {
                let from_header = state
                    .reason_from_hf
                    .then(|| message.header_by_name(b"Reason"));
                let from_header = from_header.flatten().map(|header| header.value);
                from_header.unwrap_or_else(|| message.reason())
            }
            None => phrase(status).as_bytes(),
        };
        Self {
            lead,
            to_tag: to_tag.to_vec(),
            code: status.to_string().into_bytes(),
            reason: reason.to_vec(),
        }
    }

    /// Writes the line about the message at hand.
    pub(super) fn write(&self, run: &mut Run, state: &State, is_upstream: bool) {
        if !run.engine.log.enabled(state.level) {
            return;
        }
        let mut line = self.beginning(run, state, is_upstream);
        state.extra.print(run, &mut line);
        run.engine.log.write(LogLine {
            level: state.level,
            facility: state.facility,
            part: "acc".into(),
            mark: "<acc>: ".into(),
            text: String::from_utf8_lossy(&line).into_owned(),
        });
    }

    fn beginning(&self, run: &Run, state: &State, is_upstream: bool) -> Vec<u8> {
        let message = &run.msg.message;
        let from_tag = message.from_tag().unwrap_or_default();
        let (from_tag, to_tag) = if is_upstream {
            (&self.to_tag[..], from_tag)
        } else {
            (from_tag, &self.to_tag[..])
        };
        let mut line = Vec::with_capacity(256);
        line.extend_from_slice(self.lead.as_bytes());
        line.extend_from_slice(format!("timestamp={}", run.now.unix()).as_bytes());
        line.extend_from_slice(second_time(&state.time, run.now.unix_us).as_bytes());
        for (name, value) in [
            ("method", message.method_bytes()),
            ("from_tag", from_tag),
            ("to_tag", to_tag),
            ("call_id", message.call_id().unwrap_or_default()),
            ("code", &self.code),
            ("reason", &self.reason),
        ] {
            line.push(b';');
            line.extend_from_slice(name.as_bytes());
            line.push(b'=');
            line.extend_from_slice(value);
        }
        line
    }
}

/// What `time_mode` adds.
fn second_time(mode: &TimeMode, unix_us: u64) -> String {
    let formatted = |name: &str, format: &str, zone: TimeZone| {
        let moment = i64::try_from(unix_us).ok();
        let moment = moment.and_then(|us| Timestamp::from_microsecond(us).ok());
        let text = moment
            .and_then(|moment| jiff::fmt::strtime::format(format, &moment.to_zoned(zone)).ok());
        format!(";{name}={}", text.unwrap_or_default())
    };
    match mode {
        TimeMode::None => String::new(),
        TimeMode::Microseconds { name } => format!(";{name}={}", unix_us % 1_000_000),
        TimeMode::Thousandths { name } => {
            let ms = unix_us / 1000;
            format!(";{name}={}.{:03}", ms / 1000, ms % 1000)
        }
        TimeMode::Local { name, format } => formatted(name, format, TimeZone::system()),
        TimeMode::Universal { name, format } => formatted(name, format, TimeZone::UTC),
    }
}

/// Writes a record about the request of the transaction at hand, as it went to this branch.
pub(super) fn write_of_transaction(
    run: &mut Run,
    state: &State,
    record: &Record,
    branch: Option<usize>,
) {
    let Some(tx) = &run.tx else { return };
    let is_at_hand = Arc::ptr_eq(tx.request(), &run.msg.message);
    let is_upstream = accounted(tx).is_some_and(|accounted| accounted.is_upstream);
    let mut seen: Working = if is_at_hand {
        run.msg.clone()
    } else {
        Working::clone(&tx.data.working)
    };
    if let Some(branch) = branch.and_then(|branch| tx.branch(branch)) {
        seen.target = branch.data.target.clone();
    }
    let routes = run.routes;
    let saved = if is_at_hand {
        Saved::swap_message(run, seen, routes)
    } else {
        Saved::swap(run, seen, Slots::default(), routes)
    };
    record.write(run, state, is_upstream);
    drop(saved.restore(run));
}

/// What is kept with a transaction that is accounted.
pub(super) fn accounted(tx: &Tx) -> Option<&Accounted> {
    tx.data.shared.slots.get::<Accounted>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_time_has_the_form_of_its_mode() {
        let name = || "t".to_owned();
        let format = "%Y-%m-%d %H:%M:%S".to_owned();
        let at = 1_795_320_611_000_042;
        for (mode, expected) in [
            (TimeMode::None, ""),
            (TimeMode::Microseconds { name: name() }, ";t=42"),
            (TimeMode::Thousandths { name: name() }, ";t=1795320611.000"),
            (
                TimeMode::Universal {
                    name: name(),
                    format,
                },
                ";t=2026-11-22 04:10:11",
            ),
        ] {
            assert_eq!(second_time(&mode, at), expected);
        }
    }
}
