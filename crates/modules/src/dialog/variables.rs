//! Pseudo-variables: `$dlg_var(name)`, `$dlg(attribute)`, `$dlg_ctx(attribute)`, `$DLG_count`, `$DLG_status`,
//! `$DLG_lifetime`.

use dialog::{DialogView, LegView, Side, iflags};
use engine::{Interner, KeyRule, Run, VariableRow};
use script::{BlockKind, Index, Key, KeySpec, SetError, Str, Value};

use super::context::{self, Context};
use super::properties;
use super::state::{State, moment, seconds_of};

pub(super) static VARIABLES: &[VariableRow] = &[
    VariableRow {
        name: "dlg_var",
        key: KeyRule::Format,
        get: variable,
        set: Some(set_variable),
        doc: "A text that stays with the call.",
    },
    VariableRow {
        name: "dlg",
        key: KeyRule::Resolve(|_: &Interner, name| place(name, ATTRIBUTES.iter().map(|a| a.0))),
        get: attribute,
        set: None,
        doc: "An attribute of the call.",
    },
    VariableRow {
        name: "dlg_ctx",
        key: KeyRule::Resolve(|_: &Interner, name| place(name, WISHES.iter().map(|w| w.0))),
        get: wish,
        set: Some(set_wish),
        doc: "What is to be of the call that this message begins, or of the one it belongs to.",
    },
    VariableRow {
        name: "DLG_count",
        key: KeyRule::None,
        get: count,
        set: None,
        doc: "How many calls were answered and are not over.",
    },
    VariableRow {
        name: "DLG_status",
        key: KeyRule::None,
        get: status,
        set: None,
        doc: "The state of the call that this request is within.",
    },
    VariableRow {
        name: "DLG_lifetime",
        key: KeyRule::None,
        get: lifetime,
        set: None,
        doc: "Seconds since the call that this request is within was answered.",
    },
];

fn place(
    name: &str,
    mut names: impl Iterator<Item = &'static str> + Clone,
) -> Result<KeySpec, String> {
    let known = names.clone();
    match names.position(|known| known == name.trim()) {
        Some(at) => Ok(KeySpec::Attr(at as u32)),
        None => Err(format!(
            "no attribute \"{name}\"; there are {}",
            known.collect::<Vec<_>>().join(", ")
        )),
    }
}

fn row<T>(rows: &'static [T], key: &Key) -> Option<&'static T> {
    match key {
        Key::Attr(at) => rows.get(*at as usize),
        _ => None,
    }
}

fn name_of(key: &Key) -> &[u8] {
    match key {
        Key::Name(name) => name,
        _ => b"",
    }
}

fn variable(run: &mut Run, key: &Key, _: Index) -> Value {
    let state = run.state::<State>();
    let name = name_of(key);
    match context::current(run, &state) {
        Some(id) => Value::from(state.tracker.variable(id, name)),
        None => {
            let context = run.slots.get::<Context>();
            let mut waiting = context.into_iter().flat_map(|context| &context.variables);
            Value::from(waiting.find(|v| v.0 == name).map(|v| v.1.as_slice()))
        }
    }
}

fn set_variable(run: &mut Run, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let state = run.state::<State>();
    let name = name_of(key);
    let value = match value {
        Value::Int(_) => {
            return Err(SetError("non-string values are not supported".to_owned()));
        }
        Value::Null => None,
        Value::Str(text) => Some(text),
    };
    let Some(id) = context::current(run, &state) else {
        set_waiting(run, name, value);
        return Ok(());
    };
    match value {
        Some(text) => state
            .tracker
            .set_variable(id, name, &text)
            .map_err(|error| SetError(error.to_string())),
        None => {
            state.tracker.unset_variable(id, name);
            Ok(())
        }
    }
}

/// A variable of the call to be; the tracker's limits apply when there is one.
fn set_waiting(run: &mut Run, name: &[u8], value: Option<Str>) {
    let variables = &mut run.slots.entry::<Context>().variables;
    let at = variables.iter().position(|variable| variable.0 == name);
    match (at, value) {
        (Some(at), Some(text)) => variables[at].1 = text.to_vec(),
        (Some(at), None) => {
            variables.remove(at);
        }
        (None, Some(text)) => variables.push((name.to_vec(), text.to_vec())),
        (None, None) => {}
    }
}

type Attribute = (&'static str, fn(&DialogView, &Run) -> Value);

#[rustfmt::skip]
static ATTRIBUTES: &[Attribute] = &[
    // Reading counts as one that keeps the record, as in Kamailio.
    ("ref", |call, _| int(call.references() + 1)),
    ("h_id", |call, _| int(call.id().h_id)),
    ("h_entry", |call, _| int(call.id().h_entry)),
    ("state", |call, _| int(call.state().number())),
    ("dflags", |call, _| int(call.dflags())),
    ("sflags", |call, _| int(call.sflags())),
    ("lifetime", |call, _| int(call.lifetime())),
    ("start_ts", |call, _| int(call.start_ts())),
    ("toroute", to_route),
    ("callid", |call, _| text(Some(call.call_id()))),
    ("from_uri", |call, _| text(Some(call.from_uri()))),
    ("to_uri", |call, _| text(Some(call.to_uri()))),
    ("from_tag", |call, _| text(leg(call, Side::Caller).tag)),
    ("to_tag", |call, _| text(leg(call, Side::Callee).tag)),
    ("from_cseq", |call, _| cseq(leg(call, Side::Caller))),
    ("to_cseq", |call, _| cseq(leg(call, Side::Callee))),
    ("from_rs", |call, _| text(leg(call, Side::Caller).route_set)),
    ("to_rs", |call, _| text(leg(call, Side::Callee).route_set)),
    ("from_contact", |call, _| text(leg(call, Side::Caller).contact)),
    ("to_contact", |call, _| text(leg(call, Side::Callee).contact)),
    ("from_bindaddr", |call, _| text(leg(call, Side::Caller).socket)),
    ("to_bindaddr", |call, _| text(leg(call, Side::Callee).socket)),
    ("end_reason", |call, _| Value::from(call.ended().map(|(reason, _)| Str::from(reason.name().to_owned())))),
    ("ended_by", |call, _| Value::from(call.ended().map(|(_, party)| Str::from(party.name().to_owned())))),
];

fn int(number: impl Into<i64>) -> Value {
    Value::Int(number.into())
}

/// Empty texts are null, as in Kamailio.
fn text(bytes: Option<&[u8]>) -> Value {
    Value::from(bytes.filter(|bytes| !bytes.is_empty()))
}

fn leg(call: &DialogView, side: Side) -> LegView<'_> {
    call.leg(side)
}

fn cseq(leg: LegView<'_>) -> Value {
    Value::from(leg.cseq.map(|number| Str::from(number.to_string())))
}

/// The timeout route's number; 0 without one, -1 for a route that does not exist.
fn to_route(call: &DialogView, run: &Run) -> Value {
    let number = match call.timeout_route() {
        None => 0,
        Some(name) => route_number(run, name).unwrap_or(-1),
    };
    Value::Int(number)
}

/// The position of `route[name]` in the configuration, from 1.
fn route_number(run: &Run, name: &[u8]) -> Option<i64> {
    let routes = run.script.program.blocks();
    let mut routes = routes.filter(|(_, kind, _)| *kind == BlockKind::Request);
    let at = routes.position(|(_, _, known)| known.as_bytes() == name)?;
    i64::try_from(at).ok().map(|at| at + 1)
}

fn current_view(run: &Run) -> Option<DialogView> {
    let state = run.state::<State>();
    let id = context::current(run, &state)?;
    state.tracker.snapshot(id, moment(run.now))
}

fn attribute(run: &mut Run, key: &Key, _: Index) -> Value {
    match (row(ATTRIBUTES, key), current_view(run)) {
        (Some((_, read)), Some(call)) => read(&call, run),
        _ => Value::Null,
    }
}

type Read = fn(&Run) -> Value;
type Write = fn(&mut Run, Value) -> Result<(), SetError>;

/// What `$dlg_ctx` knows: it shows what was written for this message, which counts for the call that is
/// bound, or for the one to be.
static WISHES: &[(&str, Read, Write)] = &[
    ("on", |run| int(wishes(run).map_or(0, |w| w.on)), set_on),
    (
        "flags",
        |run| int(wishes(run).map_or(0, |context| context.sflags)),
        |run, value| {
            let flags = u32::try_from(number(&value)?).unwrap_or(0);
            properties::change_flags(run, u32::MAX, flags);
            Ok(())
        },
    ),
    ("timeout", timeout, set_timeout),
    ("timeout_bye", timeout_bye, |run, value| {
        let (clear, set) = match number(&value)? {
            0 => (iflags::TIMEOUT_BYE, 0),
            _ => (0, iflags::TIMEOUT_BYE),
        };
        properties::change_properties(run, clear, set);
        Ok(())
    }),
    ("timeout_route", timeout_route, set_timeout_route),
    (
        "timeout_route_id",
        |run| match timeout_route(run) {
            Value::Str(name) => int(route_number(run, &name).unwrap_or(0)),
            _ => int(0),
        },
        read_only,
    ),
    (
        "set",
        |run| Value::from(context::bound(run).is_some()),
        read_only,
    ),
    (
        "dir",
        |run| {
            let direction = wishes(run).and_then(|context| context.direction);
            int(direction.map_or(0, |direction| direction as u8))
        },
        read_only,
    ),
];

fn wishes(run: &Run) -> Option<&Context> {
    run.slots.get()
}

fn number(value: &Value) -> Result<i64, SetError> {
    match value {
        Value::Int(number) => Ok(*number),
        _ => value
            .to_int()
            .ok_or_else(|| SetError("not a number".to_owned())),
    }
}

fn read_only(_: &mut Run, _: Value) -> Result<(), SetError> {
    Err(SetError("this attribute is read-only".to_owned()))
}

fn wish(run: &mut Run, key: &Key, _: Index) -> Value {
    row(WISHES, key).map_or(Value::Null, |(_, read, _)| read(run))
}

fn set_wish(run: &mut Run, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
    match row(WISHES, key) {
        Some((_, _, write)) => write(run, value),
        None => Ok(()),
    }
}

fn set_on(run: &mut Run, value: Value) -> Result<(), SetError> {
    run.slots.entry::<Context>().on = number(&value)?;
    Ok(())
}

fn bound_view(run: &Run) -> Option<DialogView> {
    let id = context::bound(run)?;
    run.state::<State>().tracker.snapshot(id, moment(run.now))
}

fn timeout(run: &Run) -> Value {
    int(wishes(run).and_then(|context| context.timeout).unwrap_or(0))
}

fn set_timeout(run: &mut Run, value: Value) -> Result<(), SetError> {
    let seconds = seconds_of(number(&value)?);
    run.slots.entry::<Context>().timeout = seconds;
    if let (Some(id), Some(seconds)) = (context::bound(run), seconds) {
        let now = moment(run.now);
        run.state::<State>().tracker.set_timeout(id, seconds, now);
    }
    Ok(())
}

fn timeout_bye(run: &Run) -> Value {
    let iflags = wishes(run).map_or(0, |context| context.iflags);
    Value::from(iflags & iflags::TIMEOUT_BYE != 0)
}

fn timeout_route(run: &Run) -> Value {
    let name = wishes(run).map(|context| context.timeout_route.as_slice());
    let known = |name: &&[u8]| !name.is_empty() && route_number(run, name).is_some();
    Value::from(name.filter(known))
}

fn set_timeout_route(run: &mut Run, value: Value) -> Result<(), SetError> {
    let name = value.to_str().to_vec();
    if name.len() >= 32 {
        return Err(SetError(
            "a timeout route's name has at most 31 bytes".to_owned(),
        ));
    }
    if let Some(id) = context::bound(run) {
        run.state::<State>().tracker.set_timeout_route(id, &name);
    }
    run.slots.entry::<Context>().timeout_route = name;
    Ok(())
}

fn count(run: &mut Run, _: &Key, _: Index) -> Value {
    let state = run.state::<State>();
    let active = if state.counts {
        state.tracker.statistics().active
    } else {
        0
    };
    Value::Int(i64::try_from(active).unwrap_or(i64::MAX))
}

/// The call, if the request at hand was found to be within it.
fn matched_view(run: &Run) -> Option<DialogView> {
    run.slots
        .get::<Context>()
        .filter(|context| context.matched)?;
    bound_view(run)
}

fn status(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::from(matched_view(run).map(|call| i64::from(call.state().number())))
}

fn lifetime(run: &mut Run, _: &Key, _: Index) -> Value {
    let now = i64::from(moment(run.now).unix);
    Value::from(matched_view(run).map(|call| now - i64::from(call.start_ts())))
}
