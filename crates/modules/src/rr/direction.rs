//! Which way a request of a dialog goes: from whoever began it, or back. The `ftag` in our Route tells.

use engine::Run;
use sip::{Message, Params};

use super::Routed;

/// The parameters of the own Route that this request followed: as `loose_route()` found it, or the topmost one
/// if that has not run.
pub(crate) fn own_params<'a>(run: &'a Run, message: &'a Message) -> Option<&'a [u8]> {
    let routed = run.slots.get::<Routed>();
    if let Some(params) = routed.and_then(|routed| routed.params.as_deref()) {
        return Some(params);
    }
    let top = message.routes().next()?;
    let uri = top.parse_uri().ok()?;
    run.engine.is_my_route(&uri).then(|| uri.params.as_bytes())
}

/// Whether the request goes back to whoever began the dialog. Without a tag to compare, it does not.
pub(super) fn is_upstream(run: &Run, message: &Message) -> bool {
    if message.to_tag().is_none_or(<[u8]>::is_empty) {
        return false;
    }
    let Some(params) = own_params(run, message) else {
        return false;
    };
    let initial = Params::new(params).value(b"ftag");
    initial.is_some_and(|tag| !tag.is_empty() && message.from_tag() != Some(tag))
}
