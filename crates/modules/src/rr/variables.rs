//! The pseudo-variables of module `rr`.

use std::sync::Arc;

use engine::{Interner, KeyRule, Run, VariableRow};
use script::{Index, Key, KeySpec, Value};

use super::direction::is_upstream;

pub(super) static VARIABLES: &[VariableRow] = &[
    VariableRow {
        name: "route_uri",
        key: KeyRule::None,
        get: route_uri,
        set: None,
        doc: "The URI in the topmost Route.",
    },
    VariableRow {
        name: "fti",
        key: KeyRule::None,
        get: initial_from_tag,
        set: None,
        doc: "The From tag of the request that began the dialog.",
    },
    VariableRow {
        name: "tti",
        key: KeyRule::None,
        get: initial_to_tag,
        set: None,
        doc: "The To tag that answered it.",
    },
    VariableRow {
        name: "rdir",
        key: KeyRule::Resolve(direction_name),
        get: direction,
        set: None,
        doc: "The direction of a request: id (1 downstream, 2 upstream) or name.",
    },
];

fn route_uri(run: &mut Run, _: &Key, _: Index) -> Value {
    run.msg
        .message
        .routes()
        .next()
        .map(|route| route.uri)
        .into()
}

fn initial_from_tag(run: &mut Run, _: &Key, _: Index) -> Value {
    initial_tag(run, true)
}

fn initial_to_tag(run: &mut Run, _: &Key, _: Index) -> Value {
    initial_tag(run, false)
}

fn initial_tag(run: &Run, of_from: bool) -> Value {
    let message = Arc::clone(&run.msg.message);
    let tag = if of_from != is_upstream(run, &message) {
        message.from_tag()
    } else {
        message.to_tag()
    };
    tag.into()
}

const ID: u32 = 0;
const NAME: u32 = 1;

fn direction_name(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    match inner {
        "id" => Ok(KeySpec::Attr(ID)),
        "name" => Ok(KeySpec::Attr(NAME)),
        _ => Err(format!("$rdir({inner}): expected id or name")),
    }
}

fn direction(run: &mut Run, key: &Key, _: Index) -> Value {
    let message = Arc::clone(&run.msg.message);
    match (key, is_upstream(run, &message)) {
        (Key::Attr(NAME), true) => "upstream".into(),
        (Key::Attr(NAME), false) => "downstream".into(),
        (_, true) => Value::Int(2),
        (_, false) => Value::Int(1),
    }
}
