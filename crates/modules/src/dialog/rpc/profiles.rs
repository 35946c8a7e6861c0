//! Profiles: their sizes, their calls, their values.

use std::sync::Arc;

use dialog::{ProfileId, Tracker};
use rpc::{Call, Command, Fault, Kind, Page, Struct};

use super::command;
use crate::dialog::listing;
use crate::dialog::state::State;

fn named(tracker: &Tracker, name: &str) -> Result<ProfileId, Fault> {
    let unknown = || Fault::new(404, format!("Profile not found: {name}"));
    tracker.profile(name).ok_or_else(unknown)
}

fn profile(call: &mut Call<'_>, tracker: &Tracker) -> Result<(ProfileId, Option<String>), Fault> {
    let name = call.text()?;
    Ok((named(tracker, &name)?, call.opt_text()?))
}

pub(super) fn get_size(state: &Arc<State>) -> Command {
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

pub(super) fn list(state: &Arc<State>) -> Command {
    let doc = "Lists the calls in a profile, with a value if one is given.";
    command("dlg.profile_list", doc, state, |call, state| {
        let (profile, value) = profile(call, &state.tracker)?;
        let value = value.as_deref().map(str::as_bytes);
        let mut members = state.tracker.profile_members(profile, value).into_iter();
        let state = Arc::clone(state);
        call.stream(move |page| {
            for id in members.by_ref().take(Page::VALUES) {
                if let Some(view) = state.tracker.snapshot(id, state.last_tick()) {
                    page.record(|fields| listing::show(&view, fields, None));
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

pub(super) fn values(state: &Arc<State>) -> Command {
    let doc = "Lists the values of a profile and how many calls have each, largest first; only in Tandem.";
    command("dlg.profile_values", doc, state, |call, state| {
        let name = call.text()?;
        let profile = named(&state.tracker, &name)?;
        let mut values = state.tracker.profile_values(profile).into_iter();
        call.stream(move |page| {
            for (value, size) in values.by_ref().take(Page::VALUES) {
                page.push(
                    Struct::with_capacity(2)
                        .with("value", value.as_slice())
                        .with("size", size),
                );
            }
            values.len() > 0
        });
        Ok(())
    })
    .parameter("profile", Kind::Str)
    .list()
}
