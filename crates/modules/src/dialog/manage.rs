//! How a message finds its call: `dlg_manage()`, `loose_route()`, and the making of a call from an INVITE.

use std::sync::Arc;

use dialog::{CreateError, Created, Direction, Invite, Matched, Request};
use engine::{LooseRoute, Pending, Run, level};
use script::{Args, Outcome};
use sip::{Message, Method, NameAddr, Params};

use super::carry::carry_out;
use super::context::{self, Attached, Context, Role};
use super::message;
use super::state::{State, moment};

pub(super) fn dlg_manage(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let message = Arc::clone(&run.msg.message);
    if message.to().is_none() {
        return Outcome::Code(-1);
    }
    if !message::to_tag(&message).is_empty() {
        within_by_elements(run, &state, &message);
        return Outcome::Code(1);
    }
    if message.method() != Method::Invite || is_bound(run) {
        return Outcome::Code(-1);
    }
    Outcome::Code(if begin(run, &state) { 1 } else { -1 })
}

fn is_bound(run: &Run) -> bool {
    run.slots
        .get::<Context>()
        .is_some_and(|context| context.dialog.is_some())
}

/// Makes a call of the INVITE at hand, or finds that it is one already. False when it can be none.
pub(super) fn begin(run: &mut Run, state: &Arc<State>) -> bool {
    match create(run, state) {
        Ok(Created::New { id, cookie }) => {
            if let Some(cookie) = cookie {
                add_cookie(run, state, cookie.as_bytes());
            }
            context::bind(run, state, id).created = true;
            context::attach(run, id, Role::Invite);
            if let Some(tx) = &run.tx {
                let number = context::number_of(tx.id());
                state.tracker.set_transaction(id, Some(number));
                announce_late(run, state);
            }
            true
        }
        Ok(Created::Spiral(id)) => {
            // One that did not pass here, but comes again after a restart, carries no cookie.
            if let Some(cookie) = state.tracker.cookie(id)
                && !carries(&run.msg.message, state, cookie.as_bytes())
            {
                add_cookie(run, state, cookie.as_bytes());
            }
            context::bind(run, state, id);
            context::attach(run, id, Role::Spiral);
            if run.tx.is_some() {
                announce_late(run, state);
            }
            true
        }
        Err(error) => {
            run.log(level::ERROR, "dialog", &error.to_string());
            false
        }
    }
}

fn create(run: &mut Run, state: &Arc<State>) -> Result<Created, CreateError> {
    let now = moment(run.now);
    with_invite(run, state, |invite| state.tracker.create(invite, now))
}

/// Tells observers of a call whose INVITE has its transaction now (`initial_cbs_inscript` is 0).
pub(super) fn announce_late(run: &mut Run, state: &Arc<State>) {
    let tracker = &state.tracker;
    if tracker.settings().tells_created || !tracker.is_observed() {
        return;
    }
    let created = match context::attached(run) {
        Some(Attached { id, role, .. }) => match role {
            Role::Invite => Created::New {
                id: *id,
                cookie: tracker.cookie(*id),
            },
            Role::Spiral => Created::Spiral(*id),
            Role::Within { .. } => return,
        },
        None => return,
    };
    let now = moment(run.now);
    with_invite(run, state, |invite| tracker.announce(&created, invite, now));
}

/// Hands on the INVITE at hand as the tracker takes it.
fn with_invite<R>(run: &mut Run, state: &State, take: impl FnOnce(&Invite<'_>) -> R) -> R {
    let message = Arc::clone(&run.msg.message);
    let lifetime = state.lifetime(run);
    let by_variable = state
        .ruri
        .as_ref()
        .map(|variable| variable.get(run).to_str());
    let engine = run.engine.clone();
    let record_routes = message::record_routes(&message);
    let context = run.slots.entry::<Context>();
    let req_uri = match &by_variable {
        Some(text) => text.trim_ascii(),
        None => run.msg.target.uri_of(&message),
    };
    let invite = Invite {
        call_id: sip::trim(message.call_id().unwrap_or_default()),
        from_tag: message.from_tag().unwrap_or_default(),
        from_uri: message.from().map_or(b"", |from| from.uri),
        to_uri: message.to().map_or(b"", |to| to.uri),
        req_uri,
        cseq: message.cseq().map_or(0, |cseq| cseq.number),
        contact: message::contact(&message),
        record_routes: &record_routes,
        socket: message::socket_text(&engine, run.msg.hop.socket),
        lifetime: context.timeout.or(lifetime),
        sflags: context.sflags,
        iflags: context.iflags,
        timeout_route: &context.timeout_route,
        message: Some(&*message),
    };
    take(&invite)
}

/// A request within a call that went through `loose_route()`.
pub(super) fn loose_route(run: &mut Run, own: LooseRoute<'_>) {
    let message = Arc::clone(&run.msg.message);
    let is_within = !message::to_tag(&message).is_empty() && !own.params.is_empty();
    if !is_within || is_bound(run) {
        return;
    }
    let state = run.state::<State>();
    let Some(mut key) = message::key(&message) else {
        return;
    };
    key.cookie = Params::new(own.params).value(&state.rr_param);
    match state.tracker.match_request(&key) {
        Some(matched) => within(run, &state, &message, matched),
        None => complain(run, &message, key.cookie),
    }
}

fn complain(run: &Run, message: &Message, cookie: Option<&[u8]>) {
    let Some(cookie) = cookie else { return };
    if run.engine.log.enabled(level::WARNING) {
        let text = format!(
            "unable to find dialog for {} with route param '{}'",
            message.method_bytes().escape_ascii(),
            cookie.escape_ascii()
        );
        run.log(level::WARNING, "dialog", &text);
    }
}

fn within_by_elements(run: &mut Run, state: &Arc<State>, message: &Arc<Message>) {
    if is_bound(run) {
        return;
    }
    let found = message::key(message).and_then(|key| {
        state
            .tracker
            .find(key.call_id, key.from_tag, key.to_tag, None)
    });
    if let Some(matched) = found {
        within(run, state, message, matched);
    }
}

/// Tells the call of a request within it.
fn within(run: &mut Run, state: &Arc<State>, message: &Arc<Message>, matched: Matched) {
    let Matched { id, direction } = matched;
    let method = dialog::Method::from_name(message.method_bytes());
    let callee_tag = match direction {
        Direction::Downstream => message::to_tag(message),
        Direction::Upstream => message.from_tag().unwrap_or_default(),
    };
    let lifetime = state.lifetime(run);
    let engine = run.engine.clone();
    let (contact, socket): (&[u8], &[u8]) = match method.refreshes_target() {
        true => (
            message::contact(message),
            message::socket_text(&engine, run.msg.hop.socket),
        ),
        false => (b"", b""),
    };
    let request = Request {
        direction,
        method,
        callee_tag,
        cseq: message.cseq().map_or(0, |cseq| cseq.number),
        contact,
        socket,
        lifetime,
        message: Some(&**message),
    };
    let Some(effects) = state.tracker.request(id, &request, moment(run.now)) else {
        return;
    };
    context::bind(run, state, id).matched = true;
    if method != dialog::Method::Ack {
        let callee_tag = callee_tag.to_vec();
        let role = Role::Within {
            direction,
            method,
            callee_tag,
            observed: state.tracker.is_observed(),
        };
        context::attach(run, id, role);
    }
    if let Some(cookie) = &effects.cookie {
        add_cookie(run, state, cookie.as_bytes());
    }
    crate::uac::within_call(run, direction == Direction::Upstream);
    carry_out(run, state, id, effects, |run| run.msg.clone());
}

/// Whether one of an INVITE's Record-Routes has a call's cookie.
fn carries(invite: &Message, state: &State, cookie: &[u8]) -> bool {
    message::record_routes(invite).iter().any(|route| {
        let uri = NameAddr::parse(route).and_then(|route| route.parse_uri().ok());
        uri.is_some_and(|uri| uri.param(&state.rr_param) == Some(Some(cookie)))
    })
}

/// Puts the cookie into the Record-Route that is, or will be, added to the message at hand, and to the
/// branches that a failure route may add.
fn add_cookie(run: &mut Run, state: &State, cookie: &[u8]) {
    let param = [b";", &state.rr_param[..], b"=", cookie].concat();
    run.msg.record_route_params.extend_from_slice(&param);
    if let Some(tx) = &mut run.tx
        && Arc::ptr_eq(tx.request(), &run.msg.message)
    {
        let params = &mut tx.data.working.record_route_params;
        params.extend_from_slice(&param);
    }
}
