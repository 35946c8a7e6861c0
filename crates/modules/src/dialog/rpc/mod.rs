//! Management commands: listing calls, counting them, ending them.

use std::sync::Arc;

use dialog::{DialogId, ProfileId, State as CallState, Tracker};
use engine::{EngineHandle, Setup};
use rpc::{Call, Command, Fault, Kind};

use super::ending::End;
use super::listing;
use super::state::State;

/// Adds the commands.
pub(super) fn add(setup: &mut Setup<'_>, state: &Arc<State>) {
    let handle = &setup.engine;
    let commands = [
        list("dlg.list", state),
        list("dlg.list_ctx", state),
        dlg_list("dlg.dlg_list", state),
        dlg_list("dlg.dlg_list_ctx", state),
        briefing(state),
        stats_active(state),
        profile_get_size(state),
        profile_list(state),
        end_dlg(state, handle),
        terminate_dlg(state, handle),
        is_alive(state),
    ];
    setup.commands.extend(commands);
}

fn command(
    name: &'static str,
    doc: &'static str,
    state: &Arc<State>,
    handler: impl Fn(&mut Call<'_>, &Arc<State>) -> Result<(), Fault> + Send + Sync + 'static,
) -> Command {
    let state = Arc::clone(state);
    Command::new(name, doc, move |call| handler(call, &state))
}

/// Shows all calls, page by page, as `show` shows them.
fn all(
    call: &mut Call<'_>,
    state: &Arc<State>,
    show: impl Fn(&dialog::DialogView) -> rpc::Struct + Send + 'static,
) {
    let state = Arc::clone(state);
    let mut after = None;
    call.stream(move |page| {
        let views = state
            .tracker
            .page(after, rpc::Page::VALUES, state.last_tick());
        after = views.last().map(|view| view.id());
        for view in &views {
            page.push(show(view));
        }
        after.is_some()
    });
}

fn list(name: &'static str, state: &Arc<State>) -> Command {
    let doc = "Lists all calls.";
    command(name, doc, state, |call, state| {
        all(call, state, listing::call);
        Ok(())
    })
    .list()
}

fn dlg_list(name: &'static str, state: &Arc<State>) -> Command {
    let doc = "Shows the calls with a Call-ID, and with a From tag if one is given.";
    command(name, doc, state, |call, state| {
        let call_id = call.text()?;
        let from_tag = call.opt_text()?;
        let from_tag = from_tag.as_deref().map(str::as_bytes);
        for id in state.tracker.find_all(call_id.as_bytes(), from_tag) {
            show(call, state, id);
        }
        Ok(())
    })
    .parameter("callid", Kind::Str)
    .optional("from_tag", Kind::Str)
}

fn show(call: &mut Call<'_>, state: &State, id: DialogId) {
    if let Some(view) = state.tracker.snapshot(id, state.last_tick()) {
        call.add(listing::call(&view));
    }
}

fn briefing(state: &Arc<State>) -> Command {
    let doc = "Lists chosen attributes of all calls: f t c F T I S E s.";
    command("dlg.briefing", doc, state, |call, state| {
        let letters = call.opt_text()?.unwrap_or_else(|| "ftcFT".to_owned());
        all(call, state, move |view| listing::briefing(view, &letters));
        Ok(())
    })
    .optional("attributes", Kind::Str)
    .list()
}

fn stats_active(state: &Arc<State>) -> Command {
    let doc = "Counts the calls in each state.";
    // All calls are this node's, so that counting those alone gives the same.
    command("dlg.stats_active", doc, state, |call, state| {
        call.add(listing::active(&state.tracker.statistics()));
        Ok(())
    })
    .optional("local_only", Kind::Int)
}

fn profile(call: &mut Call<'_>, tracker: &Tracker) -> Result<(ProfileId, Option<String>), Fault> {
    let name = call.text()?;
    let profile = tracker
        .profile(&name)
        .ok_or_else(|| Fault::new(404, format!("Profile not found: {name}")))?;
    Ok((profile, call.opt_text()?))
}

fn profile_get_size(state: &Arc<State>) -> Command {
    let doc = "Counts the calls in a profile, with a value if one is given.";
    command("dlg.profile_get_size", doc, state, |call, state| {
        let (profile, value) = profile(call, &state.tracker)?;
        let value = value.as_deref().map(str::as_bytes);
        call.add(state.tracker.profile_size(profile, value));
        Ok(())
    })
    .parameter("profile", Kind::Str)
    .optional("value", Kind::Str)
}

fn profile_list(state: &Arc<State>) -> Command {
    let doc = "Lists the calls in a profile, with a value if one is given.";
    command("dlg.profile_list", doc, state, |call, state| {
        let (profile, value) = profile(call, &state.tracker)?;
        let value = value.as_deref().map(str::as_bytes);
        let mut members = state.tracker.profile_members(profile, value).into_iter();
        let state = Arc::clone(state);
        call.stream(move |page| {
            for id in members.by_ref().take(rpc::Page::VALUES) {
                if let Some(view) = state.tracker.snapshot(id, state.last_tick()) {
                    page.push(listing::call(&view));
                }
            }
            members.len() > 0
        });
        Ok(())
    })
    .parameter("profile", Kind::Str)
    .optional("value", Kind::Str)
    .list()
}

/// Hands the ending of a call to the workers.
fn end(
    state: &State,
    handle: &EngineHandle,
    id: DialogId,
    headers: Option<String>,
    unknown: Fault,
) -> Result<(), Fault> {
    let (Some(engine), Some(view)) = (handle.get(), state.tracker.snapshot(id, state.last_tick()))
    else {
        return Err(unknown);
    };
    let headers = super::settings::header_lines(headers);
    let key = engine.call_key(view.call_id());
    engine
        .post(key, End::job(id, headers))
        .map_err(|_| Fault::new(500, "too much work is waiting"))
}

fn end_dlg(state: &Arc<State>, handle: &EngineHandle) -> Command {
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
        let headers = call.opt_text()?;
        let id = DialogId { h_entry, h_id };
        let unknown = Fault::new(404, "Dialog not found");
        end(state, &handle, id, headers, unknown)
    })
    .parameter("h_entry", Kind::Int)
    .parameter("h_id", Kind::Int)
    .optional("headers", Kind::Str)
}

/// Call-ID and two tags, in either order.
fn tags(call: &mut Call<'_>, missing: &'static str) -> Result<[String; 3], Fault> {
    let mut text = || call.text().map_err(|_| Fault::new(400, missing));
    Ok([text()?, text()?, text()?])
}

fn find(tracker: &Tracker, [call_id, from_tag, to_tag]: &[String; 3]) -> Option<DialogId> {
    let found = tracker.find(
        call_id.as_bytes(),
        from_tag.as_bytes(),
        to_tag.as_bytes(),
        None,
    );
    found.map(|call| call.id)
}

fn terminate_dlg(state: &Arc<State>, handle: &EngineHandle) -> Command {
    let doc = "Ends the call with this Call-ID and these tags by BYE to both sides.";
    let handle = handle.clone();
    command("dlg.terminate_dlg", doc, state, move |call, state| {
        let named = tags(call, "Need a Callid ,from tag ,to tag")?;
        let unknown = || Fault::new(500, "Couldnt find callid in dialog");
        let id = find(&state.tracker, &named).ok_or_else(unknown)?;
        end(state, &handle, id, None, unknown())
    })
    .parameter("callid", Kind::Str)
    .parameter("from_tag", Kind::Str)
    .parameter("to_tag", Kind::Str)
}

fn is_alive(state: &Arc<State>) -> Command {
    let doc = "Says whether the call with this Call-ID and these tags is confirmed.";
    command("dlg.is_alive", doc, state, |call, state| {
        let missing = "Too few parameters (required callid, from-tag, to-tag)";
        let named = tags(call, missing)?;
        let id = find(&state.tracker, &named);
        match id.and_then(|id| state.tracker.state(id)) {
            None => Err(Fault::new(404, "Dialog not found")),
            Some(CallState::Confirmed) => {
                call.add("Alive");
                Ok(())
            }
            Some(_) => Err(Fault::new(500, "Dialog not in confirmed state")),
        }
    })
    .parameter("callid", Kind::Str)
    .parameter("from_tag", Kind::Str)
    .parameter("to_tag", Kind::Str)
}
