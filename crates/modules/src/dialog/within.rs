//! `dlg_req_within()`: any request to the parties of a call.

use dialog::{DialogId, Side, Sides};
use engine::{Pending, Run, level};
use script::{Args, Outcome};

use super::context;
use super::ending;
use super::message;
use super::outgoing::{self, Content, Reported};
use super::state::State;

pub(super) fn plain(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    send(run, args, None, None)
}

pub(super) fn with_headers(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    send(run, args, Some(2), None)
}

pub(super) fn with_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    send(run, args, None, Some(2))
}

pub(super) fn with_both(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    send(run, args, Some(2), Some(3))
}

/// The places of the header lines, and of the content's type with the content behind it.
fn send(
    run: &mut Run,
    args: &Args<'_>,
    headers: Option<usize>,
    body: Option<usize>,
) -> Outcome<Pending> {
    let given = |at: usize| args.str(at).as_bytes();
    let method = given(1);
    let parts = [Some(1), headers, body, body.map(|at| at + 1)];
    if parts.into_iter().flatten().any(|at| given(at).is_empty()) {
        return refuse(run, "dlg_req_within: a parameter is empty");
    }
    let content = Content::parse(
        headers.map_or(&b""[..], given),
        body.map(|at| (given(at), given(at + 1))),
    );
    let Some(content) = content else {
        return refuse(run, "dlg_req_within: these are no header lines");
    };
    if !is_method(method) {
        return refuse(
            run,
            "dlg_req_within: this method cannot be sent within a call",
        );
    }
    let (Some(sides), Some(id)) = (ending::sides(given(0)), context::bound(run)) else {
        return Outcome::Code(-1);
    };
    let state = run.state::<State>();
    let is_over_with_it = method == b"BYE"
        && !state
            .tracker
            .state(id)
            .is_none_or(|state| state.is_pending());
    let sent = if is_over_with_it {
        ending::end(run, &state, id, sides, &content)
    } else {
        to_sides(run, &state, id, sides, method, &content)
    };
    Outcome::Code(if sent { 1 } else { -1 })
}

fn refuse(run: &Run, why: &str) -> Outcome<Pending> {
    run.log(level::ERROR, "dialog", why);
    Outcome::Code(-1)
}

/// A CANCEL has no place within a dialog; what is no token is no method.
fn is_method(name: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte);
    name.iter().all(token) && name != b"CANCEL"
}

/// Stops at the first party that cannot be sent to.
fn to_sides(
    run: &mut Run,
    state: &State,
    id: DialogId,
    sides: Sides,
    method: &[u8],
    content: &Content,
) -> bool {
    let sides: &[Side] = match sides {
        Sides::All => &[Side::Caller, Side::Callee],
        Sides::One(Side::Caller) => &[Side::Caller],
        Sides::One(Side::Callee) => &[Side::Callee],
    };
    let tag = early_tag(run);
    for &side in sides {
        let Some(request) = state.tracker.local_request(id, side, tag.as_deref()) else {
            let text = format!(
                "call {id}: the {} cannot be sent to: its address is not known, or the call is over",
                outgoing::name(side)
            );
            run.log(level::ERROR, "dialog", &text);
            return false;
        };
        let leg = request.leg.clone();
        let mut local = outgoing::local(
            &run.engine,
            (&state.tracker, id),
            request,
            method,
            content.clone(),
        );
        local.done = Some(Box::new(Reported {
            id,
            leg,
            method: method.to_vec(),
        }));
        run.send_local(local);
    }
    true
}

/// The callee's tag in the reply at hand: it names one of several early dialogs.
fn early_tag(run: &Run) -> Option<Vec<u8>> {
    let message = &run.msg.message;
    let is_reply = !message.is_request() && message.method() == sip::Method::Invite;
    let tag = message::to_tag(message);
    (is_reply && !tag.is_empty()).then(|| tag.to_vec())
}
