//! Management commands: listing calls, counting them, ending them, bridging.

mod dump;
mod ends;
mod lists;
mod matching;
mod pages;
mod profiles;
mod states;

use std::sync::Arc;

use dialog::{DialogId, Tracker};
use engine::Setup;
use rpc::{Call, Command, Fault};

pub(super) use ends::end;
pub(super) use pages::Walk;

use super::state::State;

/// Adds the commands.
pub(super) fn add(setup: &mut Setup<'_>, state: &Arc<State>) {
    let handle = &setup.engine;
    let commands = [
        lists::list("dlg.list", state, false),
        lists::list("dlg.list_ctx", state, true),
        lists::dlg_list("dlg.dlg_list", state, false),
        lists::dlg_list("dlg.dlg_list_ctx", state, true),
        lists::briefing(state),
        lists::stats_active(state),
        matching::list_match("dlg.list_match", state, false),
        matching::list_match("dlg.list_match_ctx", state, true),
        matching::end_match(state, handle),
        dump::dump_file(state),
        profiles::get_size(state),
        profiles::list(state),
        profiles::values(state),
        ends::end_dlg(state, handle),
        ends::terminate_dlg(state, handle),
        ends::bridge_dlg(state, handle),
        states::is_alive(state),
        states::set_state(state),
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
