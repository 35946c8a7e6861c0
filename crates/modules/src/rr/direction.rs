//! Which way a request of a dialog goes: from whoever began it, or back. The `ftag` in our Route tells.

use engine::Run;
use sip::{Message, Params, Uri};

use super::Routed;

/// The parameters of the own Route that this request followed: as `loose_route()` found it, or the topmost one
/// if that has not run.
pub(super) fn own_params(run: &Run, message: &Message) -> Option<Vec<u8>> {
    if let Some(params) = run
        .slots
        .get::<Routed>()
        .and_then(|routed| routed.params.clone())
    {
        return Some(params);
    }
    let top = message.routes().next()?;
    let uri = top.parse_uri().ok()?;
    run.engine.is_my_route(&uri).then(|| params_of(&uri))
}

/// The parameters of a URI, from the first semicolon.
pub(super) fn params_of(uri: &Uri<'_>) -> Vec<u8> {
    uri.params.as_bytes().to_vec()
}

/// Whether the request goes back to whoever began the dialog. Without a tag to compare, it does not.
pub(super) fn is_upstream(run: &Run, message: &Message) -> bool {
    if message.to_tag().is_none_or(<[u8]>::is_empty) {
        return false;
    }
    let Some(params) = own_params(run, message) else {
        return false;
    };
    let initial = Params::new(&params).value(b"ftag");
    initial.is_some_and(|tag| !tag.is_empty() && message.from_tag() != Some(tag))
}
