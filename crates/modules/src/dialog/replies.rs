//! Replies that leave for the client: those to the INVITE move its call, those within it refresh targets.

use std::sync::Arc;

use dialog::{DialogId, Direction, Method, Reply};
use engine::{Onward, ReplyOut, Run, Working, stand_in};

use super::carry::carry_out;
use super::context::{self, Attached, Role};
use super::state::{State, moment};
use super::{ending, message};

/// A reply is about to be sent to the client of a transaction.
pub(super) fn reply_out(run: &mut Run, out: &ReplyOut) -> Onward {
    let Some(Attached { id, role, .. }) = context::attached(run) else {
        return Onward::Send;
    };
    let id = *id;
    match role {
        Role::Invite => return to_invite(run, id, out),
        Role::Within {
            direction,
            method,
            callee_tag,
            observed,
        } if *observed || method.refreshes_target() && (200..300).contains(&out.status) => {
            let (direction, method, callee_tag) = (*direction, *method, callee_tag.clone());
            within(run, id, direction, method, &callee_tag, out);
        }
        _ => {}
    }
    Onward::Send
}

fn to_invite(run: &mut Run, id: DialogId, out: &ReplyOut) -> Onward {
    let is_provisional = out.status < 200;
    let is_answered = run.tx.as_ref().is_some_and(|tx| tx.is_answered());
    if is_provisional && (out.message.is_none() || is_answered) {
        return Onward::Send;
    }
    let state = run.state::<State>();
    let effects = with_reply(run, out, |reply| {
        state.tracker.reply(id, reply, moment(run.now))
    });
    let Some(effects) = effects else {
        return Onward::Send;
    };
    let withheld = effects.withheld;
    carry_out(run, &state, id, effects, |_| seen(out));
    if !withheld {
        return Onward::Send;
    }
    if !is_answered {
        ending::tell_caller(run, &state, id);
    }
    Onward::Withhold
}

fn within(
    run: &Run,
    id: DialogId,
    direction: Direction,
    method: Method,
    callee_tag: &[u8],
    out: &ReplyOut,
) {
    let state = run.state::<State>();
    let now = moment(run.now);
    with_reply(run, out, |reply| {
        state
            .tracker
            .reply_within(id, direction, method, callee_tag, reply, now)
    });
}

/// Hands on a reply as the tracker takes it.
fn with_reply<R>(run: &Run, out: &ReplyOut, take: impl FnOnce(&Reply<'_>) -> R) -> R {
    let to_tag = out.to_tag();
    let (Some(message), Some(hop)) = (&out.message, &out.hop) else {
        return take(&Reply {
            status: out.status,
            to_tag,
            ..Reply::default()
        });
    };
    let contact = message::contact(message);
    let source = match contact {
        b"" if out.status >= 200 => message::source_uri(hop),
        _ => Vec::new(),
    };
    let record_routes = message::record_routes(message);
    let socket = message::socket_text(&run.engine, hop.socket);
    take(&Reply {
        status: out.status,
        cseq: message.cseq().map_or(0, |cseq| cseq.number),
        to_tag,
        contact,
        source: &source,
        record_routes: &record_routes,
        own_record_routes: out.own_record_routes,
        socket,
        message: Some(&**message),
    })
}

/// The message that event routes see.
fn seen(out: &ReplyOut) -> Working {
    match (&out.message, out.hop) {
        (Some(message), Some(hop)) => Working::new(Arc::clone(message), hop),
        _ => stand_in(),
    }
}
