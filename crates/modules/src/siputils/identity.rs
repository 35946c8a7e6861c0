//! Answers to OPTIONS, Remote-Party-ID, and P-Charging-Vector (RFC 7315 §5.6).

use std::sync::Arc;

use engine::{FunctionRow, Interner, KeyRule, Pending, Run, VariableRow, hex};
use script::{Args, Index, Key, KeySpec, Outcome, Parameter, ParameterKind, Routes, Value};
use sip::{Method, Params, Tag, Uri};

use super::State;
use super::message::truth;
use super::uri::e164;
use crate::row::{IN_REQUESTS, WITH_REQUESTS, function, function_optional, param, reads};

const TEXT: ParameterKind = ParameterKind::Str;
const AROUND: &[Parameter] = &[param("prefix", TEXT), param("suffix", TEXT)];
const FLAGS: &[Parameter] = &[param("flags", TEXT)];

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "options_reply",
        &[],
        IN_REQUESTS,
        options_reply,
        "Answers an OPTIONS request that names no user.",
    ),
    function_optional(
        "append_rpid_hf",
        AROUND,
        0,
        WITH_REQUESTS,
        append_rpid,
        "Adds Remote-Party-ID from the AVP of `rpid_avp`.",
    ),
    function(
        "is_rpid_user_e164",
        &[],
        IN_REQUESTS,
        is_rpid_user_e164,
        "True when that AVP's user is an E.164 number.",
    ),
    function(
        "sip_p_charging_vector",
        FLAGS,
        Routes::ANY,
        charging_vector,
        "r removes P-Charging-Vector, g makes one if there is none, f makes a new one.",
    ),
];

pub(super) static VARIABLES: &[VariableRow] = &[reads(
    "pcv",
    KeyRule::Resolve(vector_key),
    vector,
    "P-Charging-Vector or a part of it.",
)];

fn options_reply(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let uri = Uri::parse(run.msg.uri()).ok();
    let fits = uri.is_some_and(|uri| uri.user.is_none());
    if run.msg.message.method() != Method::Options || !fits {
        return Outcome::Code(-1);
    }
    let state = run.state::<State>();
    crate::textops::add_to_replies(run, &state.capabilities);
    let answered = run.answer_stateless(200, b"OK");
    truth(answered)
}

/// The URI in the AVP; nothing when it is unset or empty.
fn rpid(run: &mut Run, state: &State) -> Option<script::Str> {
    let value = state.rpid.as_ref()?.get(run);
    Some(value.to_str()).filter(|text| !text.is_empty())
}

fn append_rpid(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(uri) = rpid(run, &state) else {
        return Outcome::Code(-1);
    };
    let prefix = args
        .opt_str(0)
        .map_or(state.rpid_prefix.as_bytes(), |text| &text[..]);
    let suffix = args
        .opt_str(1)
        .map_or(state.rpid_suffix.as_bytes(), |text| &text[..]);
    let line = [b"Remote-Party-ID: ", prefix, &uri[..], suffix, b"\r\n"].concat();
    let message = Arc::clone(&run.msg.message);
    run.msg.edits.append_last(Tag::Script, &message, &line);
    Outcome::Code(1)
}

fn is_rpid_user_e164(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let state = run.state::<State>();
    let Some(text) = rpid(run, &state) else {
        return Outcome::Code(-1);
    };
    let uri = Uri::parse(&text).ok();
    truth(uri.and_then(|uri| uri.user_name()).is_some_and(e164))
}

const NAME: &[u8] = b"P-Charging-Vector";

fn charging_vector(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let present = message.header_by_name(NAME).is_some();
    let (removes, makes) = match args.str(0).first().map(u8::to_ascii_lowercase) {
        Some(b'r') => (true, false),
        Some(b'g') => (false, !present),
        Some(b'f') => (true, true),
        _ => return Outcome::Code(-1),
    };
    if removes {
        for header in message.headers_by_name(NAME) {
            run.msg.edits.remove_header(Tag::Script, &header);
        }
    }
    if makes {
        let line = new_vector(run);
        run.msg
            .edits
            .append_last(Tag::Script, &message, line.as_bytes());
    }
    Outcome::Code(1)
}

/// An identifier that no other call has: the time, the process and randomness.
fn new_vector(run: &Run) -> String {
    let seconds = (run.now.unix() as u32).to_be_bytes();
    let process = std::process::id().to_be_bytes();
    let random = fastrand::u64(..).to_be_bytes();
    let id = hex(&[&seconds[..], &process[..], &random[..]].concat());
    let socket = run.engine.sockets.get(run.msg.hop.socket);
    let host = socket.map_or("", |socket| &socket.shown_host);
    format!("P-Charging-Vector: icid-value={id};icid-generated-at={host}\r\n")
}

const PARTS: &[(&str, &str)] = &[
    ("all", ""),
    ("value", "icid-value"),
    ("genaddr", "icid-generated-at"),
    ("orig", "orig-ioi"),
    ("term", "term-ioi"),
];

fn vector_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    let found = PARTS.iter().position(|(name, _)| *name == inner.trim());
    found
        .map(|at| KeySpec::Attr(at as u32))
        .ok_or_else(|| "expected all, value, genaddr, orig or term".to_owned())
}

fn vector(run: &mut Run, key: &Key, _: Index) -> Value {
    let Some(header) = run.msg.message.header_by_name(NAME) else {
        return Value::Null;
    };
    let name = match key {
        Key::Attr(at) => PARTS.get(*at as usize).map_or("", |(_, name)| name),
        _ => "",
    };
    if name.is_empty() {
        return Value::from(header.value);
    }
    let text = [b";", header.value].concat();
    let value = Params::new(&text).value(name.as_bytes());
    value.map_or(Value::Null, |value| Value::from(&*sip::unquote(value)))
}
