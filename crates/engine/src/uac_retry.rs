//! A request of our own that was challenged (401, 407) is sent once more, with credentials (RFC 3261 §22.2).

use std::sync::Arc;

use sip::{Credentials, Edits, HeaderId, Message, Tag};

use crate::engine::{BranchData, TxData};
use crate::outgoing::framing;
use crate::run::Run;
use crate::uac::{Done, with_branch};
use crate::working::Working;

/// A proxy and the party behind it may each ask once, and find a nonce too old once.
const CHALLENGES_MAX: u8 = 3;

/// What a challenged request is sent once more with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Values of Authorization and Proxy-Authorization.
    pub credentials: Vec<(HeaderId, Vec<u8>)>,
    /// The number in its CSeq, above that of the challenged one.
    pub cseq: u32,
}

/// Asks whoever waits for the request at hand for credentials, and sends it with them. Gives back who is still
/// to be told of the reply, when it was not sent.
pub(crate) fn try_again(
    run: &mut Run,
    branch: usize,
    reply: &Message,
    done: Option<Box<dyn Done>>,
) -> Option<Box<dyn Done>> {
    let challenges = run.tx.as_ref().map_or(0, |tx| tx.data.challenges);
    let mut done = done?;
    if challenges >= CHALLENGES_MAX {
        return Some(done);
    }
    let Some(retry) = done.challenged(run, reply) else {
        return Some(done);
    };
    send(run, branch, &retry, done, challenges + 1)
}

fn send(
    run: &mut Run,
    branch: usize,
    retry: &Retry,
    done: Box<dyn Done>,
    challenges: u8,
) -> Option<Box<dyn Done>> {
    let record = run.tx.as_ref().and_then(|tx| tx.branch(branch));
    let Some(hop) = record.map(|record| *record.hop()) else {
        return Some(done);
    };
    let Some(message) = again(run, retry, framing(hop.transport)) else {
        return Some(done);
    };
    let message = Arc::new(message);
    let mut working = Working::new(Arc::clone(&message), hop);
    working.faked = true;
    let mut data = TxData::new(working.clone());
    data.challenges = challenges;
    let (settings, now) = (run.engine.settings.transactions, run.now.time);
    let created = run
        .engine
        .transactions
        .create_local(message, settings, data, now);
    let Ok(mut tx) = created else {
        return Some(done);
    };
    let bytes = with_branch(run, &working, &hop, &tx.next_branch_value());
    let sent = tx.add_branch(hop, bytes.into(), BranchData::default(), now, &mut run.out);
    run.check_in();
    let back = match sent {
        Ok(_) => {
            tx.data.local = Some(done);
            None
        }
        Err(_) => Some(done),
    };
    run.tx = Some(tx);
    back
}

/// The request of the transaction at hand with another CSeq, and with credentials in place of older ones.
fn again(run: &Run, retry: &Retry, framing: sip::Framing) -> Option<Message> {
    let tx = run.tx.as_ref()?;
    let message = Arc::clone(tx.request());
    let mut edits = Edits::new();
    let cseq = message.header(HeaderId::CSeq)?;
    let number = retry.cseq.to_string();
    let value = [number.as_bytes(), b" ", message.method_bytes()].concat();
    edits.set_value(Tag::Script, &cseq, &value);
    for (id, value) in &retry.credentials {
        let realm = Credentials::parse(value).and_then(|new| new.realm())?;
        for old in message.headers_of(*id) {
            let same = Credentials::parse(old.value).and_then(|old| old.realm());
            if same.as_deref() == Some(&*realm) {
                edits.remove_header(Tag::Script, &old);
            }
        }
        let name: &[u8] = match id {
            HeaderId::ProxyAuthorization => b"Proxy-Authorization: ",
            _ => b"Authorization: ",
        };
        edits.append_last(Tag::Script, &message, &[name, value, b"\r\n"].concat());
    }
    let mut bytes = Vec::with_capacity(message.bytes().len() + 256);
    let written = tx.data.working.edits.clone();
    written.apply(&[&edits], &message, framing, &mut bytes);
    Message::parse(bytes).ok()
}
