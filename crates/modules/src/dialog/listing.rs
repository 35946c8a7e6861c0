//! A call as management commands show it.

use dialog::{DialogView, ForkState, LegOutcome, LegView, Side, State};
use rpc::{Struct, Value};

/// All there is to know of a call, in Kamailio's order; with its context if that is wanted.
pub(super) fn shown(view: &DialogView, with_context: bool) -> Struct {
    let shown = call(view);
    if with_context {
        return shown.with("context", context(view));
    }
    shown
}

fn call(view: &DialogView) -> Struct {
    let mut shown = head(view, "call-id");
    shown.add("duration", view.duration());
    tail(view, shown)
        .with("profiles", profiles(view))
        .with("variables", variables(view))
}

/// The same as `dlg.dump_file` writes it: other names, and objects in place of lists.
pub(super) fn dumped(view: &DialogView) -> Struct {
    let mut profiles = Struct::new();
    for (name, value) in view.profiles() {
        profiles.add(name.to_owned(), value.unwrap_or_default());
    }
    let mut variables = Struct::new();
    for (name, value) in view.variables() {
        variables.add(String::from_utf8_lossy(name).into_owned(), value);
    }
    tail(view, head(view, "call_id"))
        .with("profiles", profiles)
        .with("variables", variables)
}

fn head(view: &DialogView, call_id: &'static str) -> Struct {
    Struct::with_capacity(21)
        .with("h_entry", view.id().h_entry)
        .with("h_id", view.id().h_id)
        .with("ref", view.references())
        .with(call_id, view.call_id())
        .with("from_uri", view.from_uri())
        .with("to_uri", view.to_uri())
        .with("state", view.state().number())
        .with("start_ts", view.start_ts())
        .with("init_ts", view.init_ts())
        .with("end_ts", view.end_ts())
}

fn tail(view: &DialogView, shown: Struct) -> Struct {
    shown
        .with("timeout", view.timeout())
        .with("lifetime", view.lifetime())
        .with("dflags", view.dflags())
        .with("sflags", view.sflags())
        .with("iflags", view.iflags())
        .with("caller", leg(view.leg(Side::Caller)))
        .with("callee", leg(view.leg(Side::Callee)))
}

fn leg(leg: LegView<'_>) -> Struct {
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

/// What is attached to a call, and what became of it: timers, keep-alives, the outcome for each leg, the
/// other dialogs of a forked call. Only in Tandem.
fn context(view: &DialogView) -> Struct {
    let ended = view.ended();
    let keep_alive = Struct::with_capacity(3)
        .with("next", view.next_keep_alive())
        .with("missed_caller", view.missed_keep_alives(Side::Caller))
        .with("missed_callee", view.missed_keep_alives(Side::Callee));
    let outcomes = [Side::Caller, Side::Callee].map(|side| view.bye_outcome(side));
    Struct::with_capacity(8)
        .with("deadline", view.deadline())
        .with("timeout_route", view.timeout_route())
        .with("transaction", u8::from(view.transaction().is_some()))
        .with("end_reason", ended.map(|(reason, _)| reason.name()))
        .with("ended_by", ended.map(|(_, party)| party.name()))
        .with("keep_alive", keep_alive)
        .with("bye", byes(outcomes))
        .with("forks", forks(view))
}

fn byes([caller, callee]: [LegOutcome; 2]) -> Struct {
    Struct::with_capacity(2)
        .with("caller", outcome(caller))
        .with("callee", outcome(callee))
}

fn outcome(outcome: LegOutcome) -> String {
    match outcome {
        LegOutcome::None => "none".to_owned(),
        LegOutcome::Pending => "sent".to_owned(),
        LegOutcome::Answered(status) => format!("answered {status}"),
        LegOutcome::TimedOut => "timed out".to_owned(),
        LegOutcome::NotSent => "not sent".to_owned(),
    }
}

fn forks(view: &DialogView) -> Vec<Value> {
    let shown = view.forks().map(|fork| {
        let state = match fork.state {
            ForkState::Early => "early",
            ForkState::Confirmed => "confirmed",
            ForkState::Ended => "ended",
        };
        Struct::with_capacity(3)
            .with("state", state)
            .with("callee", leg(fork.callee))
            .with("bye", byes(fork.bye_outcomes))
            .into()
    });
    shown.collect()
}

/// The attributes that letters name, behind the call's id; unknown letters are left out.
pub(super) fn briefing(view: &DialogView, letters: &str) -> Struct {
    let mut shown = Struct::with_capacity(2 + letters.len().min(16))
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
            'r' => shown.add("end_reason", view.ended().map(|ended| ended.0.name())),
            'b' => shown.add("ended_by", view.ended().map(|ended| ended.1.name())),
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
