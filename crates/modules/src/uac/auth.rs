//! `uac_auth()`: a failure route answers the challenge of the branch that failed. And the same for requests that
//! are made here.

use std::sync::Arc;

use engine::{Pending, Run, level};
use script::{Args, Outcome};
use sip::{HeaderId, Message};

use super::challenge::{self, Subject};
use super::credentials::Credential;
use super::{CREDENTIALS, State};

pub(super) fn uac_auth(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let is_hashed = args.opt_int(0).is_some_and(|mode| mode & 1 != 0);
    match authenticate(run, is_hashed) {
        Ok(()) => Outcome::Code(1),
        Err(why) => {
            run.log(level::ERROR, "uac", &format!("uac_auth: {why}"));
            Outcome::Code(-1)
        }
    }
}

fn authenticate(run: &mut Run, is_hashed: bool) -> Result<(), &'static str> {
    let state = run.state::<State>();
    let replies = replies(run);
    let Some(reply) = replies.first() else {
        return Err("no branch was answered");
    };
    if !matches!(reply.status(), Some(401 | 407)) {
        return Err("the reply is no challenge");
    }
    let known = state.known.of_script(run, is_hashed);
    let message = Arc::clone(&run.msg.message);
    let record = run.tx.as_ref().zip(run.branch);
    let record = record.and_then(|(tx, branch)| tx.branch(branch));
    let target = record.map(|record| record.data.target.clone());
    let target = target.ok_or("there is no branch to be sent again")?;
    let subject = Subject {
        method: message.method_bytes(),
        uri: target.uri_of(&message),
    };
    let asking: Vec<&Message> = replies.iter().map(|reply| &**reply).collect();
    let answers = challenge::answers(subject, &asking, &known);
    if answers.is_empty() {
        return Err("no credentials for any realm of the challenge, or none that is understood");
    }
    run.msg.edits.withdraw(CREDENTIALS);
    for (id, value) in answers {
        let line = [name(id), b": ", &value, b"\r\n"].concat();
        run.msg.edits.append_last(CREDENTIALS, &message, &line);
    }
    run.msg.target = target;
    run.msg.uri_consumed = false;
    supersede(run);
    crate::dialog::authenticated(run);
    Ok(())
}

/// Challenges that were answered do not compete with what the answer brings: the caller could do no more about
/// them. Without anything better they still count.
fn supersede(run: &mut Run) {
    let (Some(tx), Some(branch)) = (&mut run.tx, run.branch) else {
        return;
    };
    let mut answered = tx.challenges(branch);
    answered.push(branch);
    for branch in answered {
        if let Some(status) = tx.branch(branch).and_then(|record| record.verdict()) {
            tx.supersede(branch, status);
        }
    }
}

const fn name(id: HeaderId) -> &'static [u8] {
    match id {
        HeaderId::ProxyAuthorization => b"Proxy-Authorization",
        _ => b"Authorization",
    }
}

/// The reply that won, and the challenges of other branches that go with it.
fn replies(run: &Run) -> Vec<Arc<Message>> {
    let (Some(tx), Some(branch), Some(reply)) = (&run.tx, run.branch, &run.reply) else {
        return Vec::new();
    };
    let others = tx.challenges(branch).into_iter();
    let others = others.filter_map(|other| tx.branch(other)?.reply().cloned());
    std::iter::once(Arc::clone(reply)).chain(others).collect()
}

/// The credentials that answer the challenge to the request of our own at hand; `None` when nobody is known to the
/// realms that ask, or the same was answered before in vain.
pub(crate) fn answers(run: &Run, reply: &Message) -> Option<Vec<(HeaderId, Vec<u8>)>> {
    let state = run.engine.state::<State>()?;
    answers_of(run, reply, &state.known.fixed())
}

/// The same with these credentials.
pub(super) fn answers_of(
    run: &Run,
    reply: &Message,
    known: &[Credential],
) -> Option<Vec<(HeaderId, Vec<u8>)>> {
    let request = run.tx.as_ref()?.request();
    if challenge::was_answered(request, reply) {
        return None;
    }
    let subject = Subject {
        method: request.method_bytes(),
        uri: request.request_uri(),
    };
    let answers = challenge::answers(subject, &[reply], known);
    (!answers.is_empty()).then_some(answers)
}
