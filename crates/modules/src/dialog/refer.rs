//! `dlg_refer()`: one party of a call is sent elsewhere. When it goes, the call is over for both.

use std::sync::Arc;

use dialog::{DialogId, LegKey, Side, Sides};
use engine::{Done, Pending, Retry, Run, level};
use script::{Args, Outcome};
use sip::Message;

use super::context;
use super::ending::{self, End};
use super::outgoing::{self, Content};
use super::state::State;

/// The argument that names a party.
pub(super) fn side(word: &[u8]) -> Option<Side> {
    match ending::sides(word)? {
        Sides::One(side) => Some(side),
        Sides::All => None,
    }
}

pub(super) fn dlg_refer(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (side, address) = (side(args.str(0)), args.str(1));
    if !outgoing::is_one_line(address) {
        run.log(level::ERROR, "dialog", "dlg_refer: this is no address");
        return Outcome::Code(-1);
    }
    let (Some(side), Some(id)) = (side, context::bound(run)) else {
        return Outcome::Code(-1);
    };
    let state = run.state::<State>();
    let sent = refer(run, &state, id, side, address);
    Outcome::Code(if sent { 1 } else { -1 })
}

fn refer(run: &mut Run, state: &State, id: DialogId, side: Side, address: &[u8]) -> bool {
    let is_up = state.tracker.state(id).is_some_and(|s| s.is_active());
    let request = is_up
        .then(|| state.tracker.local_request(id, side, None))
        .flatten();
    let Some(request) = request else {
        let text = format!("call {id} is not up: nobody can be referred");
        run.log(level::ERROR, "dialog", &text);
        return false;
    };
    let leg = request.leg.clone();
    let tag = sip::NameAddr::parse(&request.to).and_then(|to| to.tag());
    let tag = tag.unwrap_or_default().to_vec();
    if !state
        .subscriptions
        .open(&request.call_id, &tag, false, run.now.time)
    {
        run.log(level::ERROR, "dialog", "too many references are under way");
        return false;
    }
    let content = Content::lines(headers(state, address));
    let mut local = outgoing::local(
        &run.engine,
        (&state.tracker, id),
        request,
        b"REFER",
        content,
    );
    local.done = Some(Box::new(Referred { id, leg }));
    run.send_local(local);
    true
}

/// The header lines of a REFER.
pub(super) fn headers(state: &State, address: &[u8]) -> Vec<u8> {
    [
        b"Referred-By: ",
        &state.bridge.controller[..],
        b"\r\nRefer-To: ",
        address,
        b"\r\nContact: <",
        &state.bridge.contact,
        b">\r\n",
    ]
    .concat()
}

/// A party that accepted has left the call; one that refused is still in it.
#[derive(Debug)]
struct Referred {
    id: DialogId,
    leg: LegKey,
}

impl Done for Referred {
    fn done(self: Box<Self>, run: &mut Run, status: u16, _: Option<Arc<Message>>) {
        if status < 300 {
            let key = run.call_key();
            let end = End::job(self.id, Content::default());
            run.follow_ups.push((key, end));
            return;
        }
        let (id, side) = (self.id, outgoing::name(self.leg.side));
        let text =
            format!("call {id}: the {side} refused to be referred ({status}): the call goes on");
        run.log(level::WARNING, "dialog", &text);
    }

    fn challenged(&mut self, run: &mut Run, reply: &Message) -> Option<Retry> {
        let state = run.state::<State>();
        outgoing::retry(run, &state.tracker, self.id, &self.leg, reply)
    }
}
