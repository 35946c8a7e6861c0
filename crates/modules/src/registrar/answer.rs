//! The reply to a registration: the contacts that there are now, and what went wrong.

use std::sync::Arc;

use engine::Run;
use sip::build::push_header;

use super::gruu::Owner;
use super::refusal::Refusal;
use super::settings::{PathMode, State};
use super::submission::{joined_path, supports};
use crate::usrloc::Contact;

/// A reply that is ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    reason: &'static str,
    headers: Vec<u8>,
}

/// The reply to the last registration, for `reg_send_reply()`.
#[derive(Default)]
pub(super) struct LastAnswer(Option<Answer>);

impl State {
    /// The reply to a registration that was carried out.
    pub(super) fn accepted(
        &self,
        run: &Run,
        owner: &Owner<'_>,
        contacts: &[Arc<Contact>],
    ) -> Answer {
        let mut headers = Vec::new();
        self.push_contacts(&mut headers, run, owner, contacts);
        let message = &run.msg.message;
        let shown = self.path_mode.is_some_and(|mode| mode != PathMode::Quiet);
        if shown
            && supports(message, b"path")
            && let Ok(Some(path)) = joined_path(message)
        {
            push_header(&mut headers, "Path", &path);
        }
        self.accepted.increment();
        Answer {
            status: 200,
            reason: "OK",
            headers,
        }
    }

    /// The reply to a registration that was refused, with the contacts that stay.
    pub(super) fn refused(
        &self,
        run: &Run,
        refusal: Refusal,
        stay: Option<(&Owner<'_>, &[Arc<Contact>])>,
    ) -> Answer {
        let (status, reason, text) = refusal.answer();
        let mut headers = Vec::new();
        if let Some((owner, contacts)) = stay {
            self.push_contacts(&mut headers, run, owner, contacts);
        }
        match refusal {
            Refusal::PathUnsupported => {
                push_header(&mut headers, "Unsupported", b"path");
                if let Ok(Some(path)) = joined_path(&run.msg.message) {
                    push_header(&mut headers, "Path", &path);
                }
            }
            Refusal::TooBrief => {
                push_header(
                    &mut headers,
                    "Min-Expires",
                    self.min_expires.to_string().as_bytes(),
                );
            }
            _ => {}
        }
        push_header(&mut headers, "P-Registrar-Error", text.as_bytes());
        if status >= 500 && self.retry_after > 0 {
            push_header(
                &mut headers,
                "Retry-After",
                self.retry_after.to_string().as_bytes(),
            );
        }
        self.rejected.increment();
        Answer {
            status,
            reason,
            headers,
        }
    }

    fn push_contacts(
        &self,
        out: &mut Vec<u8>,
        run: &Run,
        owner: &Owner<'_>,
        contacts: &[Arc<Contact>],
    ) {
        let now = run.now.unix();
        let gruu = self.gruu && supports(&run.msg.message, b"gruu");
        let valid = contacts.iter().filter(|contact| contact.is_valid(now));
        let mut list = Vec::new();
        for contact in valid {
            if !list.is_empty() {
                list.extend_from_slice(b", ");
            }
            self.push_contact(&mut list, contact, gruu.then_some(owner), now);
        }
        if !list.is_empty() {
            push_header(out, "Contact", &list);
        }
    }

    fn push_contact(
        &self,
        out: &mut Vec<u8>,
        contact: &Contact,
        gruu: Option<&Owner<'_>>,
        now: u64,
    ) {
        out.push(b'<');
        out.extend_from_slice(&contact.address);
        out.push(b'>');
        if contact.q >= 0 {
            out.extend_from_slice(b";q=");
            push_q(out, contact.q);
        }
        let expires = match contact.expires {
            0 => self.default_expires,
            _ => contact.remaining(now),
        };
        out.extend_from_slice(format!(";expires={expires}").as_bytes());
        if let Some(received) = contact.received.as_deref() {
            push_quoted(out, &self.received_param, received);
        }
        if let Some(owner) = gruu {
            self.push_gruus(out, owner, contact);
        }
        if let Some(instance) = contact.instance.as_deref() {
            push_quoted(out, "+sip.instance", instance);
        }
        if contact.reg_id > 0 {
            out.extend_from_slice(format!(";reg-id={}", contact.reg_id).as_bytes());
        }
    }
}

impl Answer {
    /// Keeps it for `reg_send_reply()`.
    pub(super) fn remember(self, run: &mut Run) {
        run.slots.put(LastAnswer(Some(self)));
    }

    /// Sends it; false when that is not possible.
    pub(super) fn send(&self, run: &mut Run) -> bool {
        let before = run.msg.reply_headers.len();
        run.msg.reply_headers.extend_from_slice(&self.headers);
        let sent = run.answer(self.status, self.reason.as_bytes());
        run.msg.reply_headers.truncate(before);
        sent
    }

    /// Sends the one that was kept.
    pub(super) fn send_kept(run: &mut Run) -> bool {
        let kept = run
            .slots
            .get::<LastAnswer>()
            .and_then(|last| last.0.clone());
        kept.is_some_and(|answer| answer.send(run))
    }
}

/// `;name="text"`, with what needs it escaped.
fn push_quoted(out: &mut Vec<u8>, name: &str, text: &[u8]) {
    out.push(b';');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    out.extend_from_slice(&sip::quote(text));
}

/// Thousandths as the shortest decimal: `0.7`, `1`, `0`.
fn push_q(out: &mut Vec<u8>, q: i32) {
    let text = format!("{}.{:03}", q / 1000, q % 1000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_short() {
        for (q, text) in [
            (0, "0"),
            (1, "0.001"),
            (700, "0.7"),
            (330, "0.33"),
            (1000, "1"),
        ] {
            let mut out = Vec::new();
            push_q(&mut out, q);
            assert_eq!(out, text.as_bytes());
        }
    }
}
