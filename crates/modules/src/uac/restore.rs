//! Putting replaced addresses back: in replies as the sender of the request knows them, and in what follows within
//! the call as each side knows them.

use std::sync::Arc;

use engine::{LooseRoute, Pending, Run};
use script::{Args, Outcome, Value};
use sip::Params;

use super::replace::{Party, Replaced, Side, remember, rewrite};
use super::{Restore, State, store};

/// A reply of a branch: its parties are those of the request, as it was received.
pub(super) fn reply_in(run: &mut Run) {
    let Some(replaced) = run.shared_ref().slots.get::<Replaced>() else {
        return;
    };
    let Replaced { from, to } = replaced.clone();
    for (side, party) in [(Side::From, from), (Side::To, to)] {
        if let Some(party) = party {
            put_back(run, side, party);
        }
    }
}

fn put_back(run: &mut Run, side: Side, mut party: Party) {
    let state = run.state::<State>();
    if let Some(variable) = state.avp(side)
        && let Value::Str(uri) = variable.get(run)
        && !uri.is_empty()
    {
        party.uri = uri.to_vec();
    }
    set(run, side, Some(&party.display), &party.uri);
}

/// Gives a party of the message at hand a name and a URI, where they differ from what is there.
fn set(run: &mut Run, side: Side, display: Option<&[u8]>, uri: &[u8]) {
    let message = Arc::clone(&run.msg.message);
    let Some(address) = side.address(&message) else {
        return;
    };
    let display = display.filter(|&display| display != address.display.unwrap_or_default());
    let uri = (uri != address.uri).then_some(uri);
    if display.is_some() || uri.is_some() {
        // The header was understood a moment ago.
        let _ = rewrite(&message, &mut run.msg.edits, side, display, uri);
    }
}

/// A request within a call whose parties were replaced when it began.
pub(super) fn loose_route(run: &mut Run, own: LooseRoute<'_>) {
    if run.state::<State>().restore == Restore::Auto {
        for side in [Side::From, Side::To] {
            by_route(run, side, own.params);
        }
    }
}

/// Which header of this request names the party that stood in `side` of the first one.
fn header_of(run: &Run, side: Side, params: &[u8]) -> Side {
    let initial = Params::new(params).value(b"ftag");
    let is_upstream = initial.is_some_and(|tag| run.msg.message.from_tag() != Some(tag));
    match (side, is_upstream) {
        (_, false) => side,
        (Side::From, true) => Side::To,
        (Side::To, true) => Side::From,
    }
}

/// By what the Record-Route of the first request kept. False when it kept nothing that fits.
fn by_route(run: &mut Run, side: Side, params: &[u8]) -> bool {
    let message = Arc::clone(&run.msg.message);
    if message.to_tag().is_none_or(<[u8]>::is_empty) {
        return false;
    }
    let state = run.state::<State>();
    let Some(value) = Params::new(params).value(state.param(side)) else {
        return false;
    };
    let header = header_of(run, side, params);
    let Some(address) = header.address(&message) else {
        return false;
    };
    let Some(uri) = store::decode(value, address.uri, &state.password) else {
        return false;
    };
    if sip::Uri::parse(&uri).is_err() {
        return false;
    }
    remember(run, header, Party::of(&address));
    set(run, header, None, &uri);
    true
}

/// By what the call kept. Comes from module dialog when a request was found to be within a call; `is_upstream`: it
/// comes from whoever was called.
pub(crate) fn within_call(run: &mut Run, is_upstream: bool) {
    let state = run.engine.state::<State>();
    if !state.is_some_and(|state| state.restore_dlg && state.restore == Restore::Auto) {
        return;
    }
    for side in [Side::From, Side::To] {
        let kept = side
            .variables()
            .map(|name| crate::dialog::variable(run, name.as_bytes()));
        let [display_before, Some(before), display_after, Some(after)] = kept else {
            continue;
        };
        let (header, display, uri) = match (side, is_upstream) {
            (side, false) => (side, display_after, after),
            (Side::From, true) => (Side::To, display_before, before),
            (Side::To, true) => (Side::From, display_before, before),
        };
        let message = Arc::clone(&run.msg.message);
        if let Some(address) = header.address(&message) {
            remember(run, header, Party::of(&address));
            set(run, header, display.as_deref(), &uri);
        }
    }
}

pub(super) fn restore_from(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    by_hand(run, Side::From)
}

pub(super) fn restore_to(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    by_hand(run, Side::To)
}

fn by_hand(run: &mut Run, side: Side) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let params = crate::rr::own_params(run, &message).map(<[u8]>::to_vec);
    let restored = params.is_some_and(|params| by_route(run, side, &params));
    Outcome::Code(if restored { 1 } else { -1 })
}
