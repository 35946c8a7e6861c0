//! Module `sl`: replies without a transaction, and the ACKs that they cause.

mod functions;
mod statistics;

use std::sync::Arc;

use engine::{
    Event, InitError, KeyRule, Module, ParameterRow, ParameterType, Run, Setup, Slots, VariableRow,
};
use script::{Index, Key, Routes, Value};
use sip::Method;

use statistics::Counters;

/// Module `sl`.
pub static MODULE: Module = Module {
    name: "sl",
    requires: &[],
    functions: functions::FUNCTIONS,
    variables: VARIABLES,
    parameters: PARAMETERS,
    statistics: statistics::ROWS,
    init: Some(init),
    doc: "Replies without a transaction.",
};

static PARAMETERS: &[ParameterRow] = &[
    ParameterRow {
        name: "default_code",
        kind: ParameterType::Int(500),
        check: None,
        doc: "The status of a reply whose code was 0.",
    },
    ParameterRow {
        name: "default_reason",
        kind: ParameterType::Str(Some("Internal Server Error")),
        check: None,
        doc: "The reason phrase of a reply that was given none.",
    },
    ParameterRow {
        name: "rich_redirect",
        kind: ParameterType::Int(0),
        check: Some(crate::row::not_negative),
        doc: "In the Contact of redirections: 1 branch flags, 2 the path, 3 both.",
    },
    ParameterRow {
        name: "bind_tm",
        kind: ParameterType::Int(1),
        check: None,
        doc: "Whether send_reply() uses the transaction if there is one.",
    },
    ParameterRow {
        name: "event_callback_fl_ack",
        kind: ParameterType::Str(None),
        check: None,
        doc: "With `cfgengine`, the function for the ACK to a reply made without a transaction.",
    },
    ParameterRow {
        name: "event_callback_lres_sent",
        kind: ParameterType::Str(None),
        check: None,
        doc: "With `cfgengine`, the function to run after a reply made without a transaction.",
    },
];

static VARIABLES: &[VariableRow] = &[VariableRow {
    name: "ltt",
    key: KeyRule::OptionalFormat,
    get: local_to_tag,
    set: None,
    doc: "The To tag that a reply made here has: s without a transaction, t with one, x as it will be.",
}];

/// What the module keeps.
struct State {
    counters: Counters,
    with_transaction: bool,
    default_code: u16,
    default_reason: Vec<u8>,
}

fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let code = setup.parameters.int("sl", "default_code");
    let reason = setup.parameters.text("sl", "default_reason");
    let state = State {
        counters: Counters::new(setup.statistics),
        with_transaction: setup.parameters.int("sl", "bind_tm") != 0,
        default_code: u16::try_from(code).unwrap_or(500).clamp(100, 699),
        default_reason: reason.unwrap_or_default().into_bytes(),
    };
    let rich = setup.parameters.int("sl", "rich_redirect");
    setup.settings.rich_redirect_stateless = engine::RichRedirect::from_bits(rich);
    setup.put_state(state);
    setup.event_callback("sl", "event_callback_fl_ack", &["sl:filtered-ack"])?;
    setup.event_callback("sl", "event_callback_lres_sent", &["sl:local-response"])?;
    setup.hooks.request_in.push(filter_ack);
    setup.hooks.stateless_reply.push(count_reply);
    Ok(())
}

/// An ACK whose To tag we gave ends here: it answers a reply of ours.
fn filter_ack(run: &mut Run) {
    let message = &run.msg.message;
    if message.method() != Method::Ack || run.invite.is_some() {
        return;
    }
    let Some(tag) = message.to_tag() else { return };
    if tag != run.engine.identity.stateless_to_tag(message) {
        return;
    }
    let state = run.state::<State>();
    state.counters.received_acks.increment();
    run.finished = true;
    if let Some(block) = run.script.event("sl:filtered-ack") {
        let (working, slots) = (run.msg.clone(), Slots::default());
        run.events.push_back(Event {
            block,
            routes: Routes::EVENT,
            working,
            slots,
        });
    }
}

fn count_reply(run: &mut Run, status: u16) {
    run.state::<State>().counters.count(status);
}

fn local_to_tag(run: &mut Run, key: &Key, _: Index) -> Value {
    let message = Arc::clone(&run.msg.message);
    let kind = match key {
        Key::Name(name) => name.first().copied().unwrap_or(b'x'),
        _ => b'x',
    };
    let identity = &run.engine.identity;
    let tag = match (kind, &run.tx) {
        (b'x', _) if message.to_tag().is_some() => message.to_tag().unwrap_or_default().to_vec(),
        (b't', _) | (b'x', Some(_)) => identity.stateful_to_tag(&message),
        (b's' | b'x', _) => identity.stateless_to_tag(&message),
        _ => return Value::Null,
    };
    tag.into()
}
