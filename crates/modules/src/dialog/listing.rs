//! A call as management commands show it.

use dialog::{DialogView, Side, State};
use rpc::{Struct, Value};

/// All there is to know of a call, in Kamailio's order.
pub(super) fn call(view: &DialogView) -> Struct {
    Struct::with_capacity(20)
        .with("h_entry", view.id().h_entry)
        .with("h_id", view.id().h_id)
        .with("ref", view.references())
        .with("call-id", view.call_id())
        .with("from_uri", view.from_uri())
        .with("to_uri", view.to_uri())
        .with("state", view.state().number())
        .with("start_ts", view.start_ts())
        .with("init_ts", view.init_ts())
        .with("end_ts", view.end_ts())
        .with("duration", view.duration())
        .with("timeout", view.timeout())
        .with("lifetime", view.lifetime())
        .with("dflags", view.dflags())
        .with("sflags", view.sflags())
        .with("iflags", view.iflags())
        .with("caller", leg(view, Side::Caller))
        .with("callee", leg(view, Side::Callee))
        .with("profiles", profiles(view))
        .with("variables", variables(view))
}

fn leg(view: &DialogView, side: Side) -> Struct {
    let leg = view.leg(side);
    Struct::with_capacity(5)
        .with("tag", leg.tag)
        .with("contact", leg.contact)
        .with("cseq", leg.cseq.map(|number| number.to_string()))
        .with("route_set", leg.route_set)
        .with("socket", leg.socket)
}

fn profiles(view: &DialogView) -> Vec<Value> {
    let shown = |(name, value): (&str, Option<&[u8]>)| match value {
        Some(value) => Struct::new().with(name.to_owned(), value).into(),
        None => Value::from(name),
    };
    view.profiles().map(shown).collect()
}

fn variables(view: &DialogView) -> Vec<Value> {
    let shown = |(name, value): (&[u8], &[u8])| {
        let name = String::from_utf8_lossy(name).into_owned();
        Struct::new().with(name, value).into()
    };
    view.variables().map(shown).collect()
}

/// The attributes that letters name, behind the call's id; unknown letters are left out.
pub(super) fn briefing(view: &DialogView, letters: &str) -> Struct {
    let mut shown = Struct::with_capacity(2 + letters.len())
        .with("h_entry", view.id().h_entry)
        .with("h_id", view.id().h_id);
    for letter in letters.chars() {
        match letter {
            'f' => shown.add("from_uri", view.from_uri()),
            't' => shown.add("to_uri", view.to_uri()),
            'c' => shown.add("call-id", view.call_id()),
            'F' => shown.add("from_tag", view.leg(Side::Caller).tag),
            'T' => shown.add("to_tag", view.leg(Side::Callee).tag),
            'I' => shown.add("init_ts", view.init_ts()),
            'S' => shown.add("start_ts", view.start_ts()),
            'E' => shown.add("end_ts", view.end_ts()),
            's' => shown.add("state", view.state().number()),
            _ => {}
        }
    }
    shown
}

/// How many calls are in each state before their end.
pub(super) fn active(counts: &dialog::Statistics) -> Struct {
    let names = ["starting", "connecting", "answering", "ongoing"];
    let mut shown = Struct::with_capacity(5);
    let mut all = 0;
    for (state, name) in State::ALL.into_iter().zip(names) {
        let count = counts.in_state[usize::from(state.number()) - 1];
        all += count;
        shown.add(name, count);
    }
    shown.with("all", all)
}
