//! Values that hang on no message: names of the configuration, of the machine, of constants, and counters.

use std::net::ToSocketAddrs;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::{Interner, KeyRule, Run, VariableRow};
use script::{Index, Key, KeySpec, Str, Value};

use super::value::{attribute, attribute_name, key_name, text};
use super::{State, avp, tree};
use crate::row::reads;

const NONE: KeyRule = KeyRule::None;

pub(super) const ROWS: &[VariableRow] = &[
    reads(
        "def",
        KeyRule::Format,
        define,
        "The value of a preprocessor definition; null without one.",
    ),
    reads(
        "defn",
        KeyRule::Format,
        define_number,
        "The value of a preprocessor definition; 0 without one.",
    ),
    reads(
        "env",
        KeyRule::Format,
        environment,
        "An environment variable.",
    ),
    reads(
        "version",
        KeyRule::Resolve(version_key),
        version,
        "The version of Tandem.",
    ),
    reads("sid", NONE, server_id, "The core setting `server_id`."),
    reads("pp", NONE, process, "The number of the process."),
    reads("sruid", NONE, unique, "A text that is new at each reading."),
    reads("RANDOM", NONE, random, "A random number, 0 to 2147483647."),
    reads(
        "HN",
        KeyRule::Resolve(host_key),
        host,
        "The name of the host.",
    ),
    reads(
        "K",
        KeyRule::Resolve(constant_key),
        constant,
        "The number of a transport or an address family.",
    ),
    reads("true", NONE, truth, "1"),
    reads("false", NONE, falsehood, "0"),
    reads(
        "_s",
        KeyRule::Format,
        printed,
        "The printed text in the parentheses.",
    ),
    reads(
        "cnt",
        KeyRule::Resolve(count_key),
        count,
        "How many values an `$avp` or `$xavp` has.",
    ),
    reads(
        "ltt",
        KeyRule::Resolve(tag_key),
        local_tag,
        "The To tag of replies made here.",
    ),
    reads(
        "cfg",
        KeyRule::Resolve(place_key),
        nothing,
        "The place in the configuration; known where a statement is.",
    ),
    reads(
        "err.class",
        NONE,
        nothing,
        "Always null, as in Kamailio, where nothing sets it.",
    ),
    reads(
        "err.level",
        NONE,
        nothing,
        "Always null, as in Kamailio, where nothing sets it.",
    ),
    reads(
        "err.info",
        NONE,
        nothing,
        "Always null, as in Kamailio, where nothing sets it.",
    ),
    reads(
        "err.rcode",
        NONE,
        nothing,
        "Always null, as in Kamailio, where nothing sets it.",
    ),
    reads(
        "err.rreason",
        NONE,
        nothing,
        "Always null, as in Kamailio, where nothing sets it.",
    ),
];

/// What the module counts.
#[derive(Default)]
pub(super) struct Constants {
    /// Of texts that are new at each reading: how many there were.
    unique: AtomicU64,
}

fn define(run: &mut Run, key: &Key, _: Index) -> Value {
    run.script.define(key_name(key)).map_or(Value::Null, text)
}

fn define_number(run: &mut Run, key: &Key, _: Index) -> Value {
    let value = run.script.define(key_name(key));
    value.map_or(Value::Int(0), text)
}

fn environment(_: &mut Run, key: &Key, _: Index) -> Value {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let name = key_name(key);
    // The system refuses such names by a panic.
    if name.is_empty() || name.iter().any(|byte| matches!(byte, b'=' | 0)) {
        return Value::Null;
    }
    let value = std::env::var_os(std::ffi::OsStr::from_bytes(name));
    value.map_or(Value::Null, |value| Value::from(value.into_vec()))
}

const VERSION: &[&str] = &["num", "full", "hash"];

fn version_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(VERSION, inner)
}

fn version(_: &mut Run, key: &Key, _: Index) -> Value {
    match attribute_name(VERSION, key) {
        "num" => Value::from(env!("CARGO_PKG_VERSION")),
        "full" => Value::from(concat!("tandem ", env!("CARGO_PKG_VERSION"))),
        _ => Value::from("unknown"),
    }
}

fn server_id(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(run.engine.settings.server_id)
}

fn process(_: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(i64::from(std::process::id()))
}

fn unique(run: &mut Run, _: &Key, _: Index) -> Value {
    let state = run.state::<State>();
    let count = state.constants.unique.fetch_add(1, Ordering::Relaxed) + 1;
    let (boot, process) = (run.engine.started.unix(), std::process::id());
    Value::Str(Str::from(format!("srid-{boot:x}-{process:x}-{count:x}")))
}

fn random(_: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(i64::from(fastrand::i32(0..)))
}

/// The name is looked up at load: it does not change under a running process.
fn host_key(names: &Interner, inner: &str) -> Result<KeySpec, String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let value = match inner {
        "n" | "f" => name,
        "d" => name.split_once('.').map_or("", |(_, domain)| domain),
        "i" => return Ok(KeySpec::Attr(names.intern(&host_address(name)))),
        _ => return Err("expected one of n, f, d, i".to_owned()),
    };
    Ok(KeySpec::Attr(names.intern(value)))
}

/// The first address of the host's name; empty when it has none.
fn host_address(name: &str) -> String {
    let addresses = (name, 0).to_socket_addrs();
    let first = addresses.ok().and_then(|mut all| all.next());
    first.map_or_else(String::new, |address| address.ip().to_string())
}

fn host(run: &mut Run, key: &Key, _: Index) -> Value {
    let Key::Attr(number) = key else {
        return Value::Null;
    };
    Value::Str(Str::from(run.engine.catalog.interner().name(*number)))
}

const CONSTANTS: &[(&str, i64)] = &[
    ("IPv4", 2),
    ("IPv6", 10),
    ("UDP", 1),
    ("TCP", 2),
    ("TLS", 3),
    ("SCTP", 4),
    ("WS", 5),
    ("WSS", 6),
];

fn constant_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    let found = CONSTANTS.iter().find(|(name, _)| *name == inner.trim());
    match found {
        Some((_, number)) => Ok(KeySpec::Attr(*number as u32)),
        None => Err("expected IPv4, IPv6, UDP, TCP, TLS, SCTP, WS or WSS".to_owned()),
    }
}

fn constant(_: &mut Run, key: &Key, _: Index) -> Value {
    match key {
        Key::Attr(number) => Value::Int(i64::from(*number)),
        _ => Value::Null,
    }
}

fn truth(_: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(1)
}

fn falsehood(_: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(0)
}

fn printed(_: &mut Run, key: &Key, _: Index) -> Value {
    text(key_name(key))
}

fn count_key(names: &Interner, inner: &str) -> Result<KeySpec, String> {
    let inner = inner.trim();
    let known = ["$avp(", "$xavp(", "$xavi("];
    if known.iter().any(|start| inner.starts_with(start)) && inner.ends_with(')') {
        return Ok(KeySpec::Attr(names.intern(inner)));
    }
    Err("expected $avp(name) or $xavp(name)".to_owned())
}

fn count(run: &mut Run, key: &Key, _: Index) -> Value {
    let Key::Attr(number) = key else {
        return Value::Null;
    };
    let text = run.engine.catalog.interner().name(*number);
    let Some((class, name)) = text.trim_end_matches(')').split_once('(') else {
        return Value::Null;
    };
    let count = match class {
        "$avp" => avp::count(run, name.as_bytes()),
        "$xavi" => tree::count(run, tree::Kind::AnyCase, name.as_bytes()),
        _ => tree::count(run, tree::Kind::Plain, name.as_bytes()),
    };
    Value::Int(count as i64)
}

const TAGS: &[&str] = &["s", "t", "x"];

fn tag_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(TAGS, inner)
}

/// `s` of replies without a transaction, `t` of those with one, `x` of whichever would be sent now.
fn local_tag(run: &mut Run, key: &Key, _: Index) -> Value {
    let message = &run.msg.message;
    let identity = &run.engine.identity;
    let stateful = match attribute_name(TAGS, key) {
        "s" => false,
        "t" => true,
        _ => run.tx.is_some(),
    };
    Value::from(match &run.tx {
        Some(tx) if stateful => run.own_to_tag(tx),
        None if stateful => identity.stateful_to_tag(message),
        _ => identity.stateless_to_tag(message),
    })
}

fn place_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(&["line", "name", "file", "route"], inner)
}

fn nothing(_: &mut Run, _: &Key, _: Index) -> Value {
    Value::Null
}
