//! Ending calls, and bridging two addresses.

use std::sync::Arc;

use dialog::DialogId;
use engine::EngineHandle;
use rpc::{Command, Fault, Kind};

use super::{command, find, tags};
use crate::dialog::bridge::{self, Offer};
use crate::dialog::ending::End;
use crate::dialog::outgoing::Content;
use crate::dialog::state::State;

/// Hands the ending of a call to the workers.
pub(in crate::dialog) fn end(
    state: &State,
    handle: &EngineHandle,
    id: DialogId,
    content: Content,
    unknown: Fault,
) -> Result<(), Fault> {
    let (Some(engine), Some(view)) = (handle.get(), state.tracker.snapshot(id, state.last_tick()))
    else {
        return Err(unknown);
    };
    let key = engine.call_key(view.call_id());
    engine.post(key, End::job(id, content)).map_err(busy)
}

fn busy(_: engine::MailboxFull) -> Fault {
    Fault::new(500, "too much work is waiting")
}

pub(super) fn end_dlg(state: &Arc<State>, handle: &EngineHandle) -> Command {
    let doc = "Ends the call with this id by BYE to both sides.";
    let handle = handle.clone();
    command("dlg.end_dlg", doc, state, move |call, state| {
        let invalid = || Fault::new(500, "Invalid parameters");
        let mut number = || {
            call.int()
                .ok()
                .and_then(|number| u32::try_from(number).ok())
        };
        let (h_entry, h_id) = (number().ok_or_else(invalid)?, number().ok_or_else(invalid)?);
        let headers = call.opt_text()?.unwrap_or_default();
        let content = Content::parse(headers.as_bytes(), None).ok_or_else(invalid)?;
        let id = DialogId { h_entry, h_id };
        let unknown = Fault::new(404, "Dialog not found");
        end(state, &handle, id, content, unknown)
    })
    .parameter("h_entry", Kind::Int)
    .parameter("h_id", Kind::Int)
    .optional("headers", Kind::Str)
}

pub(super) fn terminate_dlg(state: &Arc<State>, handle: &EngineHandle) -> Command {
    let doc = "Ends the call with this Call-ID and these tags by BYE to both sides.";
    let handle = handle.clone();
    command("dlg.terminate_dlg", doc, state, move |call, state| {
        let named = tags(call, "Need a Callid ,from tag ,to tag")?;
        let unknown = || Fault::new(500, "Couldnt find callid in dialog");
        let id = find(&state.tracker, &named).ok_or_else(unknown)?;
        end(state, &handle, id, Content::default(), unknown())
    })
    .parameter("callid", Kind::Str)
    .parameter("from_tag", Kind::Str)
    .parameter("to_tag", Kind::Str)
}

pub(super) fn bridge_dlg(state: &Arc<State>, handle: &EngineHandle) -> Command {
    let doc = "Calls one address and refers it to another; op is a proxy, body what is offered (. for the default).";
    let handle = handle.clone();
    command("dlg.bridge_dlg", doc, state, move |call, state| {
        let invalid = || Fault::new(500, "Invalid parameters");
        let from = call.text().map_err(|_| invalid())?;
        let to = call.text().map_err(|_| invalid())?;
        let proxy = call.opt_text()?.filter(|text| text != ".");
        let body = call.opt_text()?;
        let offer = match body.as_deref() {
            None | Some(".") => Offer::Hold,
            Some("" | "_") => Offer::None,
            Some(body) => Offer::Given(body.as_bytes()),
        };
        let engine = handle.get().ok_or_else(invalid)?;
        let proxy = proxy.unwrap_or_default();
        let [from, to, proxy] = [&from, &to, &proxy].map(|text| text.as_bytes());
        let invite = bridge::invite(&engine, state, from, to, proxy, offer);
        bridge::post(&engine, invite.ok_or_else(invalid)?).map_err(busy)
    })
    .parameter("from", Kind::Str)
    .parameter("to", Kind::Str)
    .optional("op", Kind::Str)
    .optional("body", Kind::Str)
}
