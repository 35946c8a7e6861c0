//! Parts of Via headers: `$via0()` the topmost, `$via1()` the one below, `$viaZ()` the last.

use engine::{Interner, KeyRule, Run, VariableRow};
use script::{Index, Key, KeySpec, Value};
use sip::{Transport, Via};

use super::value::{attribute, attribute_name, int, optional, text};
use crate::row::reads;

const KEY: KeyRule = KeyRule::Resolve(via_key);

pub(super) const ROWS: &[VariableRow] = &[
    reads("via0", KEY, top, "A part of the topmost Via."),
    reads("via1", KEY, second, "A part of the second Via."),
    reads("viaZ", KEY, last, "A part of the last Via."),
];

const PARTS: &[&str] = &[
    "host",
    "port",
    "proto",
    "transport",
    "protoid",
    "branch",
    "rport",
    "received",
    "i",
    "ttl",
    "maddr",
    "params",
    "hostport",
    "version",
    "body",
    "alias",
    "oc",
    "rest",
];

fn via_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(PARTS, inner)
}

fn top(run: &mut Run, key: &Key, _: Index) -> Value {
    part(run.msg.message.top_via(), key)
}

fn second(run: &mut Run, key: &Key, _: Index) -> Value {
    part(run.msg.message.vias().nth(1), key)
}

fn last(run: &mut Run, key: &Key, _: Index) -> Value {
    part(run.msg.message.vias().last(), key)
}

fn part(via: Option<Via<'_>>, key: &Key) -> Value {
    let Some(via) = via else {
        return Value::Null;
    };
    match attribute_name(PARTS, key) {
        "host" => text(via.host()),
        "port" => int(via.port().unwrap_or(0)),
        "proto" | "transport" => text(via.transport()),
        "protoid" => Value::Int(Transport::from_name(via.transport()).map_or(0, |t| t as i64)),
        "branch" => optional(via.branch()),
        "rport" => via.rport().flatten().map_or(Value::Null, int),
        "received" => optional(via.received()),
        "hostport" => text(via.sent_by()),
        "version" => text(via.version()),
        "body" => text(via.as_bytes()),
        "params" | "rest" => optional(Some(via.params().as_bytes()).filter(|all| !all.is_empty())),
        name => optional(via.params().value(name.as_bytes())),
    }
}
