//! Calls shown, all or chosen ones.

use std::sync::Arc;

use dialog::DialogView;
use rpc::{AnyFields, Call, Command, Kind};

use super::command;
use super::pages::Walk;
use crate::dialog::listing;
use crate::dialog::state::State;

/// Shows all calls, page by page, as `show` shows them.
fn all(
    call: &mut Call<'_>,
    state: &Arc<State>,
    show: impl Fn(&DialogView, &mut AnyFields<'_>) + Send + 'static,
) {
    let mut walk = Walk::new(state);
    call.stream(move |page| {
        let views = walk.page();
        for view in views {
            page.record(|fields| show(view, fields));
        }
        !views.is_empty()
    });
}

pub(super) fn list(name: &'static str, state: &Arc<State>, with_context: bool) -> Command {
    let doc = if with_context {
        "Lists all calls, with what is attached to them."
    } else {
        "Lists all calls."
    };
    command(name, doc, state, move |call, state| {
        let tracker = with_context.then(|| Arc::clone(&state.tracker));
        all(call, state, move |view, fields| {
            listing::show(view, fields, tracker.as_deref());
        });
        Ok(())
    })
    .list()
}

pub(super) fn dlg_list(name: &'static str, state: &Arc<State>, with_context: bool) -> Command {
    let doc = "Shows the calls with a Call-ID, and with a From tag if one is given.";
    command(name, doc, state, move |call, state| {
        let call_id = call.text()?;
        let from_tag = call.opt_text()?;
        let from_tag = from_tag.as_deref().map(str::as_bytes);
        let attached = with_context.then_some(&*state.tracker);
        for id in state.tracker.find_all(call_id.as_bytes(), from_tag) {
            if let Some(view) = state.tracker.snapshot(id, state.last_tick()) {
                call.add(listing::shown(&view, attached));
            }
        }
        Ok(())
    })
    .parameter("callid", Kind::Str)
    .optional("from_tag", Kind::Str)
}

pub(super) fn briefing(state: &Arc<State>) -> Command {
    let doc = "Lists chosen attributes of all calls: f t c F T I S E s, r (why it ended), b (who ended it).";
    command("dlg.briefing", doc, state, |call, state| {
        let letters = call.opt_text()?.unwrap_or_else(|| "ftcFT".to_owned());
        all(call, state, move |view, fields| {
            listing::brief(view, &letters, fields);
        });
        Ok(())
    })
    .optional("attributes", Kind::Str)
    .list()
}

pub(super) fn stats_active(state: &Arc<State>) -> Command {
    let doc = "Counts the calls in each state.";
    // All calls are this node's, so that counting those alone gives the same.
    command("dlg.stats_active", doc, state, |call, state| {
        call.opt_int()?;
        call.add(listing::active(&state.tracker.statistics()));
        Ok(())
    })
    .optional("local_only", Kind::Int)
}
