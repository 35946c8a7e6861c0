//! The next address of a destination, when one did not answer (RFC 3263 §4.3).

use sip::{Edits, HeaderId, Hop, Message, Tag};

use crate::engine::BranchData;
use crate::outgoing::framing;
use crate::run::Run;

/// Sends a branch that ended without any reply to its next address, as a branch of its own. False when there
/// is none, or nobody waits for the answer any more.
pub(crate) fn try_next(run: &mut Run, branch: usize, status: u16) -> bool {
    let Some(tx) = run
        .tx
        .as_deref_mut()
        .filter(|tx| !tx.is_cancelled() && !tx.is_answered())
    else {
        return false;
    };
    let value = tx.next_branch_value();
    let Some(record) = tx.branch_mut(branch).filter(|record| !record.has_replied()) else {
        return false;
    };
    if record.data.alternatives.is_empty() {
        return false;
    }
    let mut alternatives = std::mem::take(&mut record.data.alternatives);
    let hop = alternatives.remove(0);
    let data = BranchData {
        target: record.data.target.clone(),
        armed: record.data.armed,
        own_record_routes: record.data.own_record_routes,
        reply: None,
        alternatives,
    };
    let (sent, before) = (record.sent().to_vec(), *record.hop());
    let Some(bytes) = readdress(run, sent, &before, &hop, &value) else {
        return false;
    };
    let now = run.now.time;
    let Some(tx) = run.tx.as_deref_mut() else {
        return false;
    };
    if tx
        .add_branch(hop, bytes.into(), data, now, &mut run.out)
        .is_err()
    {
        return false;
    }
    tx.supersede(branch, status);
    run.engine.counters.fwd_requests.increment();
    true
}

/// The request as it was sent, with the Via of its next way.
fn readdress(run: &Run, sent: Vec<u8>, before: &Hop, hop: &Hop, branch: &[u8]) -> Option<Vec<u8>> {
    let message = Message::parse(sent).ok()?;
    let mut edits = Edits::new();
    let old = message
        .top_via()?
        .branch()
        .and_then(|old| message.span_of(old));
    match old {
        Some(span) if (before.socket, before.transport) == (hop.socket, hop.transport) => {
            edits.replace(Tag::Via, span, branch);
        }
        _ => {
            let via = message.header(HeaderId::Via)?;
            let mut value = crate::uac::via_value(run, hop, branch);
            if let Some(cseq) = message.top_via()?.raised_from() {
                value.extend_from_slice(format!(";cs={cseq}").as_bytes());
            }
            edits.set_value(Tag::Via, &via, &value);
        }
    }
    let mut bytes = Vec::with_capacity(message.bytes().len() + 64);
    edits.apply(&[], &message, framing(hop.transport), &mut bytes);
    Some(bytes)
}
