//! The seven MI commands of the manual of 3.2, over the FIFO of module mi_fifo.

use std::sync::Arc;

use dialog::{DialogId, DialogView, ProfileId, Side, State as CallState, Tracker};
use engine::{EngineHandle, Setup};
use rpc::{Fault, MiCall, MiCommand, MiReply, Nodes};

use super::bridge::{self, Offer};
use super::listing;
use super::outgoing::Content;
use super::rpc::{Walk, end};
use super::state::State;

/// Adds the commands.
pub(super) fn add(setup: &mut Setup<'_>, state: &Arc<State>) {
    let handle = &setup.engine;
    let commands = [
        list("dlg_list", state, false),
        list("dlg_list_ctx", state, true),
        end_dlg(state, handle),
        terminate_dlg(state, handle),
        profile_get_size(state),
        profile_list_dlgs(state),
        dlg_bridge(state, handle),
    ];
    setup.doors.mi_commands.extend(commands);
}

fn command(
    name: &'static str,
    doc: &'static str,
    state: &Arc<State>,
    handler: impl Fn(&MiCall<'_>, &Arc<State>) -> Result<MiReply, Fault> + Send + Sync + 'static,
) -> MiCommand {
    let state = Arc::clone(state);
    MiCommand::new(name, doc, move |call| handler(call, &state))
}

fn list(name: &'static str, state: &Arc<State>, with_context: bool) -> MiCommand {
    let doc = "Lists all calls, or those with a Call-ID and a From tag that are not over.";
    command(name, doc, state, move |call, state| {
        let tracker = with_context.then(|| Arc::clone(&state.tracker));
        let named = call.texts(0, 2)?;
        let Some((call_id, from_tag)) = named.split_first() else {
            let mut walk = Walk::new(state);
            return Ok(MiReply::pages(move |nodes| {
                let page = walk.page();
                for view in page {
                    show(view, tracker.as_deref(), nodes);
                }
                !page.is_empty()
            }));
        };
        let calls = live(state, call_id, from_tag.first().copied());
        if calls.is_empty() {
            // Sic.
            return Err(Fault::new(404, "Nu such dialog"));
        }
        Ok(MiReply::nodes(move |nodes| {
            for view in &calls {
                show(view, tracker.as_deref(), nodes);
            }
        }))
    })
}

/// The calls with a Call-ID, and with a From tag if one is given, that are not over.
fn live(state: &State, call_id: &str, from_tag: Option<&str>) -> Vec<DialogView> {
    let tracker = &state.tracker;
    let named = tracker.find_all(call_id.as_bytes(), from_tag.map(str::as_bytes));
    let views = named.into_iter();
    let views = views.filter_map(|id| tracker.snapshot(id, state.last_tick()));
    views
        .filter(|view| view.state() != CallState::Deleted)
        .collect()
}

/// A call as the manual of 3.2 lists it; with what is attached to it if `attached` tells that.
fn show(view: &DialogView, attached: Option<&Tracker>, nodes: &mut Nodes<'_>) {
    let DialogId { h_entry, h_id } = view.id();
    nodes.node("dialog", "", &[("hash", &format!("{h_entry}:{h_id}"))]);
    nodes.open();
    let number = |nodes: &mut Nodes<'_>, name, number: u32| nodes.leaf(name, number.to_string());
    number(nodes, "state", view.state().number().into());
    number(nodes, "ref_count", view.references());
    number(nodes, "timestart", view.start_ts());
    number(nodes, "timeout", view.timeout());
    nodes.leaf("callid", view.call_id());
    let (caller, callee) = (view.leg(Side::Caller), view.leg(Side::Callee));
    let text = |nodes: &mut Nodes<'_>, name, text: Option<&[u8]>| {
        nodes.leaf(name, text.unwrap_or_default());
    };
    let cseq = |cseq: Option<u32>| cseq.map(|number| number.to_string()).unwrap_or_default();
    nodes.leaf("from_uri", view.from_uri());
    text(nodes, "from_tag", caller.tag);
    text(nodes, "caller_contact", caller.contact);
    nodes.leaf("caller_cseq", cseq(caller.cseq));
    text(nodes, "caller_route_set", caller.route_set);
    text(nodes, "caller_bind_addr", caller.socket);
    text(nodes, "callee_bind_addr", callee.socket);
    nodes.leaf("to_uri", view.to_uri());
    text(nodes, "to_tag", callee.tag);
    text(nodes, "callee_contact", callee.contact);
    nodes.leaf("callee_cseq", cseq(callee.cseq));
    text(nodes, "callee_route_set", callee.route_set);
    if let Some(tracker) = attached {
        listing::context(view, tracker, nodes);
    }
    nodes.close();
}

fn unknown() -> Fault {
    Fault::new(404, "Requested Dialog not found")
}

fn bad_parameter() -> Fault {
    Fault::new(400, "Bad parameter")
}

fn end_dlg(state: &Arc<State>, handle: &EngineHandle) -> MiCommand {
    let doc = "Ends the call with this id by BYE to both sides.";
    let handle = handle.clone();
    command("dlg_end_dlg", doc, state, move |call, state| {
        let given = call.texts(2, 3)?;
        let number = |text: &str| text.parse().map_err(|_| bad_parameter());
        let (h_entry, h_id) = (number(given[0])?, number(given[1])?);
        let headers = given.get(2).copied().unwrap_or_default();
        let content = Content::parse(headers.as_bytes(), None).ok_or_else(bad_parameter)?;
        let id = DialogId { h_entry, h_id };
        if state.tracker.state(id) == Some(CallState::Deleted) {
            return Err(unknown());
        }
        end(state, &handle, id, content, unknown())?;
        Ok(MiReply::ok())
    })
}

fn terminate_dlg(state: &Arc<State>, handle: &EngineHandle) -> MiCommand {
    let doc =
        "Ends the call with this Call-ID, and this From tag if one is given, by BYE to both sides.";
    let handle = handle.clone();
    command("dlg_terminate_dlg", doc, state, move |call, state| {
        let given = call.texts(1, 2)?;
        let calls = live(state, given[0], given.get(1).copied());
        let call = calls.first().ok_or_else(unknown)?;
        end(state, &handle, call.id(), Content::default(), unknown())?;
        Ok(MiReply::ok())
    })
}

/// A profile by its name, and the value if one is given.
fn profile<'a>(
    call: &'a MiCall<'_>,
    tracker: &Tracker,
) -> Result<(ProfileId, &'a str, Option<&'a str>), Fault> {
    let given = call.texts(1, 2)?;
    let profile = tracker.profile(given[0]);
    let profile = profile.ok_or_else(|| Fault::new(404, "Profile not found"))?;
    Ok((profile, given[0], given.get(1).copied()))
}

fn profile_get_size(state: &Arc<State>) -> MiCommand {
    let doc = "Counts the calls in a profile, with a value if one is given.";
    command("profile_get_size", doc, state, |call, state| {
        let (profile, name, value) = profile(call, &state.tracker)?;
        let size = state
            .tracker
            .profile_size(profile, value.map(str::as_bytes));
        let (name, value) = (name.to_owned(), value.unwrap_or_default().to_owned());
        Ok(MiReply::nodes(move |nodes| {
            let count = size.to_string();
            let attributes = [("name", &*name), ("value", &*value), ("count", &*count)];
            nodes.node("profile", "", &attributes);
        }))
    })
}

fn profile_list_dlgs(state: &Arc<State>) -> MiCommand {
    let doc = "Lists the calls in a profile, with a value if one is given.";
    command("profile_list_dlgs", doc, state, |call, state| {
        let (profile, _, value) = profile(call, &state.tracker)?;
        let value = value.map(str::as_bytes);
        let mut members = state.tracker.profile_members(profile, value).into_iter();
        let state = Arc::clone(state);
        Ok(MiReply::pages(move |nodes| {
            for id in members.by_ref().take(rpc::Page::VALUES) {
                if let Some(view) = state.tracker.snapshot(id, state.last_tick()) {
                    show(&view, None, nodes);
                }
            }
            members.len() > 0
        }))
    })
}

fn dlg_bridge(state: &Arc<State>, handle: &EngineHandle) -> MiCommand {
    let doc = "Calls one address and refers it to another; op is a proxy.";
    let handle = handle.clone();
    command("dlg_bridge", doc, state, move |call, state| {
        let failed = || Fault::new(500, "Operation failed");
        let given = call.texts(2, 3)?;
        let proxy = given.get(2).copied().unwrap_or_default();
        let engine = handle.get().ok_or_else(failed)?;
        let [from, to, proxy] = [given[0], given[1], proxy].map(str::as_bytes);
        let invite = bridge::invite(&engine, state, from, to, proxy, Offer::Hold);
        let invite = invite.ok_or_else(failed)?;
        bridge::post(&engine, invite).map_err(|_| failed())?;
        Ok(MiReply::ok())
    })
}
