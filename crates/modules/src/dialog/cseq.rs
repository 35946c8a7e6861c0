//! CSeq numbers that were raised (`track_cseq_updates`): requests leave with them, and replies come back with the
//! number that their request came with.

use std::sync::Arc;

use engine::{BranchOut, Run};
use sip::{HeaderId, Message, Span, Tag};

use super::context::{self, Role};
use super::state::State;

const RAISED: Tag = Tag::Module(b'q');

/// A request is about to leave on a branch, or an ACK without one.
pub(super) fn branch_out(run: &Run, out: &mut BranchOut<'_>) {
    let Some(id) = context::bound(run) else {
        return;
    };
    let state = run.state::<State>();
    let passed_before = context::attached(run).is_some_and(|a| matches!(a.role, Role::Spiral));
    if passed_before {
        return;
    }
    let message = &out.working.message;
    let Some(from_tag) = message.from_tag() else {
        return;
    };
    let own = own_number(message);
    for (span, number) in own.into_iter().chain(acknowledged_number(message)) {
        let Some(sent) = state.tracker.sent_cseq(id, from_tag, number) else {
            return;
        };
        if sent != number {
            out.edits.replace(RAISED, span, sent.to_string().as_bytes());
            if own.is_some_and(|own| own.0 == span) {
                let note = format!(";cs={number}");
                out.via_params.extend_from_slice(note.as_bytes());
            }
        }
    }
}

/// A reply of a branch: its sender repeats the raised number, the client knows its own.
pub(super) fn reply_in(run: &mut Run) {
    let (Some(_), Some(tx)) = (context::attached(run), &run.tx) else {
        return;
    };
    let (request, reply) = (Arc::clone(tx.request()), Arc::clone(&run.msg.message));
    let (sent, own) = (own_number(&reply), own_number(&request));
    if let (Some((span, sent)), Some((_, own))) = (sent, own)
        && sent != own
    {
        let edits = &mut run.msg.edits;
        edits.replace(RAISED, span, own.to_string().as_bytes());
    }
}

/// The number in CSeq.
fn own_number(message: &Message) -> Option<(Span, u32)> {
    let number = message.cseq()?.number;
    let span = message.span_of(message.cseq_number_bytes())?;
    Some((span, number))
}

/// In a PRACK, the number of the INVITE whose provisional reply it acknowledges (RFC 3262 §7.2).
fn acknowledged_number(message: &Message) -> Option<(Span, u32)> {
    let header = message.header(HeaderId::RAck)?;
    let mut words = header.value.split(u8::is_ascii_whitespace);
    let mut words = words.by_ref().filter(|word| !word.is_empty());
    let word = words.nth(1)?;
    Some((message.span_of(word)?, sip::number(word)?))
}
