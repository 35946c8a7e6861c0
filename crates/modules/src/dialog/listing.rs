//! A call as management commands show it.

use dialog::{Deadline, DialogView, ForkState, LegOutcome, LegView, Side, State, Tracker};
use rpc::{Fields, Struct, ValueFields};

/// All there is to know of a call, in Kamailio's order; with its context if `attached` tells what is attached.
pub(super) fn show(view: &DialogView, fields: &mut impl Fields, attached: Option<&Tracker>) {
    head(view, "call-id", fields);
    fields.int("duration", view.duration());
    tail(view, fields);
    fields.begin_list("profiles");
    for (name, value) in view.profiles() {
        match value {
            None => fields.item(name.as_bytes()),
            Some(value) => pair(fields, name, value),
        }
    }
    fields.end();
    fields.begin_list("variables");
    for (name, value) in view.variables() {
        pair(fields, &String::from_utf8_lossy(name), value);
    }
    fields.end();
    if let Some(tracker) = attached {
        context(view, tracker, fields);
    }
}

/// The same as a value.
pub(super) fn shown(view: &DialogView, attached: Option<&Tracker>) -> Struct {
    ValueFields::collect(|fields| show(view, fields, attached))
}

fn pair(fields: &mut impl Fields, name: &str, value: &[u8]) {
    fields.begin_item();
    fields.entry(name, value);
    fields.end();
}

/// The same as `dlg.dump_file` writes it: other names, and objects in place of lists.
pub(super) fn dump(view: &DialogView, fields: &mut impl Fields) {
    head(view, "call_id", fields);
    tail(view, fields);
    fields.begin("profiles");
    for (name, value) in view.profiles() {
        fields.entry(name, value.unwrap_or_default());
    }
    fields.end();
    fields.begin("variables");
    for (name, value) in view.variables() {
        fields.entry(&String::from_utf8_lossy(name), value);
    }
    fields.end();
}

fn head(view: &DialogView, call_id: &str, fields: &mut impl Fields) {
    fields.int("h_entry", view.id().h_entry);
    fields.int("h_id", view.id().h_id);
    fields.int("ref", view.references());
    fields.text(call_id, Some(view.call_id()));
    fields.text("from_uri", Some(view.from_uri()));
    fields.text("to_uri", Some(view.to_uri()));
    fields.int("state", view.state().number());
    fields.int("start_ts", view.start_ts());
    fields.int("init_ts", view.init_ts());
    fields.int("end_ts", view.end_ts());
}

fn tail(view: &DialogView, fields: &mut impl Fields) {
    fields.int("timeout", view.timeout());
    fields.int("lifetime", view.lifetime());
    fields.int("dflags", view.dflags());
    fields.int("sflags", view.sflags());
    fields.int("iflags", view.iflags());
    leg("caller", view.leg(Side::Caller), fields);
    leg("callee", view.leg(Side::Callee), fields);
}

fn leg(name: &str, leg: LegView<'_>, fields: &mut impl Fields) {
    fields.begin(name);
    fields.text("tag", leg.tag);
    fields.text("contact", leg.contact);
    let mut digits = [0; 10];
    fields.text("cseq", leg.cseq.map(|number| decimal(number, &mut digits)));
    fields.text("route_set", leg.route_set);
    fields.text("socket", leg.socket);
    fields.end();
}

/// A number as text, without an allocation.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}

/// What is attached to a call, and what became of it: timers, keep-alives, the outcome for each leg, the
/// other dialogs of a forked call, what observers wait for and what they attach. Only in Tandem.
pub(super) fn context(view: &DialogView, tracker: &Tracker, fields: &mut impl Fields) {
    fields.begin("context");
    fields.int("deadline", view.deadline());
    fields.text("deadline_of", Some(deadline(view.waits_for()).as_bytes()));
    fields.text("timeout_route", view.timeout_route());
    fields.int("transaction", u8::from(view.transaction().is_some()));
    fields.int("holds", view.holds());
    fields.begin("own_cseq");
    for side in [Side::Caller, Side::Callee] {
        let mut digits = [0; 10];
        let number = view.own_cseq(side);
        let number = number.map(|number| decimal(number, &mut digits));
        fields.text(super::outgoing::name(side), number);
    }
    fields.end();
    fields.begin_list("variables");
    for (name, value) in view.kept_variables() {
        pair(fields, &String::from_utf8_lossy(name), value);
    }
    fields.end();
    why(view, fields);
    fields.begin("keep_alive");
    match view.next_keep_alive() {
        Some(seconds) => fields.int("next", seconds),
        None => fields.text("next", None),
    }
    fields.int("missed_caller", view.missed_keep_alives(Side::Caller));
    fields.int("missed_callee", view.missed_keep_alives(Side::Callee));
    fields.end();
    byes(
        [Side::Caller, Side::Callee].map(|side| view.bye_outcome(side)),
        fields,
    );
    fields.begin_list("forks");
    for fork in view.forks() {
        let state: &[u8] = match fork.state {
            ForkState::Early => b"early",
            ForkState::Confirmed => b"confirmed",
            ForkState::Ended => b"ended",
        };
        fields.begin_item();
        fields.text("state", Some(state));
        leg("callee", fork.callee, fields);
        byes(fork.bye_outcomes, fields);
        fields.end();
    }
    fields.end();
    fields.begin_list("callbacks");
    for name in view.callbacks().names() {
        fields.item(name.as_bytes());
    }
    fields.end();
    fields.begin("attached");
    for (name, value) in tracker.attached(view) {
        fields.entry(&name, &value);
    }
    fields.end();
    fields.end();
}

/// What a deadline is for, as people name it.
const fn deadline(deadline: Deadline) -> &'static str {
    match deadline {
        Deadline::Early => "answer",
        Deadline::NoAck => "ack",
        Deadline::Lifetime => "lifetime",
        Deadline::Record => "record",
    }
}

fn why(view: &DialogView, fields: &mut impl Fields) {
    let ended = view.ended();
    let reason = ended.map(|(reason, _)| reason.name().as_bytes());
    fields.text("end_reason", reason);
    fields.text("ended_by", ended.map(|(_, party)| party.name().as_bytes()));
}

fn byes([caller, callee]: [LegOutcome; 2], fields: &mut impl Fields) {
    fields.begin("bye");
    fields.text("caller", Some(outcome(caller).as_bytes()));
    fields.text("callee", Some(outcome(callee).as_bytes()));
    fields.end();
}

fn outcome(outcome: LegOutcome) -> String {
    match outcome {
        LegOutcome::None => "none".to_owned(),
        LegOutcome::Pending => "sent".to_owned(),
        LegOutcome::Replied(status) => format!("replied {status}"),
        LegOutcome::Answered(status) => format!("answered {status}"),
        LegOutcome::TimedOut => "timed out".to_owned(),
        LegOutcome::NotSent => "not sent".to_owned(),
    }
}

/// The attributes that letters name, behind the call's id; unknown letters are left out.
pub(super) fn brief(view: &DialogView, letters: &str, fields: &mut impl Fields) {
    fields.int("h_entry", view.id().h_entry);
    fields.int("h_id", view.id().h_id);
    let ended = view.ended();
    for letter in letters.chars() {
        match letter {
            'f' => fields.text("from_uri", Some(view.from_uri())),
            't' => fields.text("to_uri", Some(view.to_uri())),
            'c' => fields.text("call-id", Some(view.call_id())),
            'F' => fields.text("from_tag", view.leg(Side::Caller).tag),
            'T' => fields.text("to_tag", view.leg(Side::Callee).tag),
            'I' => fields.int("init_ts", view.init_ts()),
            'S' => fields.int("start_ts", view.start_ts()),
            'E' => fields.int("end_ts", view.end_ts()),
            's' => fields.int("state", view.state().number()),
            'r' => fields.text("end_reason", ended.map(|ended| ended.0.name().as_bytes())),
            'b' => fields.text("ended_by", ended.map(|ended| ended.1.name().as_bytes())),
            _ => {}
        }
    }
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
