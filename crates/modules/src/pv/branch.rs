//! Added destinations: `$branch()`, `$br`, `$bR`, `$ds`, and the one being put together, `$sbranch()`.

use engine::{Interner, KeyRule, Run, Target, VariableRow};
use script::{Index, Key, KeySpec, SetError, Value};

use super::value::{attribute, attribute_name, int, optional, place, refuse, text};
use crate::row::{reads, writes};

const NONE: KeyRule = KeyRule::None;
const PART: KeyRule = KeyRule::Resolve(part_key);

pub(super) const ROWS: &[VariableRow] = &[
    reads("br", NONE, first, "The first added destination."),
    reads("bR", NONE, all, "All added destinations, as in Contact."),
    reads(
        "ds",
        NONE,
        destination_set,
        "All destinations as a Contact header.",
    ),
    writes(
        "branch",
        PART,
        branch,
        set_branch,
        "A part of an added destination.",
    ),
    writes(
        "sbranch",
        PART,
        prepared,
        set_prepared,
        "A part of the destination being put together.",
    ),
    reads(
        "ruid",
        NONE,
        ruid,
        "The id of the registration that the destination came from.",
    ),
    reads(
        "location_ua",
        NONE,
        user_agent,
        "The User-Agent of that registration.",
    ),
];

const PARTS: &[&str] = &[
    "uri",
    "dst_uri",
    "path",
    "q",
    "send_socket",
    "flags",
    "count",
    "ruid",
    "otcpid",
    "location_ua",
];

fn part_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(PARTS, inner)
}

/// A destination that the configuration puts together with `$sbranch()`.
#[derive(Clone, Debug, Default)]
pub(super) struct Prepared(pub(super) Target);

/// A destination as an element of Contact.
fn push_contact(out: &mut Vec<u8>, uri: &[u8], q: i32, always_bracketed: bool) {
    if !out.is_empty() {
        out.extend_from_slice(b", ");
    }
    if q < 0 && !always_bracketed {
        out.extend_from_slice(uri);
        return;
    }
    out.push(b'<');
    out.extend_from_slice(uri);
    out.push(b'>');
    if q >= 0 {
        out.extend_from_slice(b";q=");
        push_q(out, q);
    }
}

/// Thousandths as a decimal fraction without needless zeros.
fn push_q(out: &mut Vec<u8>, q: i32) {
    if q >= 1000 {
        out.push(b'1');
        return;
    }
    let digits = format!("0.{q:03}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    out.extend_from_slice(digits.as_bytes());
}

fn uri_of(target: &Target) -> &[u8] {
    target.uri.as_deref().unwrap_or_default()
}

fn first(run: &mut Run, _: &Key, _: Index) -> Value {
    run.msg
        .branches
        .first()
        .map_or(Value::Null, |branch| text(uri_of(branch)))
}

fn all(run: &mut Run, _: &Key, _: Index) -> Value {
    let mut out = Vec::new();
    for branch in &run.msg.branches {
        push_contact(&mut out, uri_of(branch), branch.q, false);
    }
    optional(Some(&out[..]).filter(|out| !out.is_empty()))
}

fn destination_set(run: &mut Run, _: &Key, _: Index) -> Value {
    let mut out = Vec::new();
    if let Some(uri) = run
        .msg
        .target
        .uri
        .as_deref()
        .filter(|_| !run.msg.uri_consumed)
    {
        push_contact(&mut out, uri, run.msg.target.q, true);
    }
    let mut list = out;
    for branch in &run.msg.branches {
        push_contact(&mut list, uri_of(branch), branch.q, true);
    }
    if list.is_empty() {
        return Value::Null;
    }
    Value::from([b"Contact: ", &list[..]].concat())
}

fn target_part(run: &Run, target: &Target, part: &str) -> Value {
    let not_empty = |bytes: &[u8]| match bytes {
        [] => Value::Null,
        bytes => text(bytes),
    };
    match part {
        "uri" => optional(target.uri.as_deref()),
        "dst_uri" => optional(target.next_hop.as_deref()),
        "path" => optional(target.path.as_deref()),
        "q" if target.q >= 0 => int(target.q),
        "flags" => int(target.flags),
        "send_socket" => {
            let socket = target.socket.and_then(|id| run.engine.sockets.get(id));
            socket.map_or(Value::Null, |socket| text(socket.text.as_bytes()))
        }
        "ruid" => not_empty(&target.ruid),
        "location_ua" => not_empty(&target.user_agent),
        "otcpid" => Value::Int(0),
        _ => Value::Null,
    }
}

fn branch(run: &mut Run, key: &Key, index: Index) -> Value {
    let part = attribute_name(PARTS, key);
    let count = run.msg.branches.len();
    if part == "count" {
        return if count == 0 {
            Value::Null
        } else {
            Value::Int(count as i64)
        };
    }
    let index = if index == Index::All {
        Index::None
    } else {
        index
    };
    match place(index, count) {
        Some(at) => target_part(run, &run.msg.branches[at], part),
        None => Value::Null,
    }
}

fn set_target(run: &Run, target: &mut Target, part: &str, value: &Value) -> Result<(), SetError> {
    let bytes = value.to_str();
    let given = (!bytes.is_empty()).then(|| bytes.to_vec());
    match part {
        "uri" => target.uri = given,
        "dst_uri" => target.next_hop = given,
        "path" => target.path = given,
        "ruid" => target.ruid = given.unwrap_or_default(),
        "location_ua" => target.user_agent = given.unwrap_or_default(),
        "q" => {
            let q = value.to_int().filter(|q| (-1..=1000).contains(q));
            target.q = q.ok_or_else(|| refuse("q is in thousandths, 0 to 1000"))? as i32;
        }
        "flags" => {
            let flags = value.to_int().ok_or_else(|| refuse("flags are a number"))?;
            target.flags = flags as u32;
        }
        "send_socket" if given.is_none() => target.socket = None,
        "send_socket" => {
            let socket = bytes
                .as_str()
                .and_then(|text| run.engine.sockets.find_text(text));
            let socket = socket.ok_or_else(|| refuse("that is none of our sockets"))?;
            target.socket = Some(socket.id);
        }
        _ => return Err(refuse("this part of a destination can't be assigned")),
    }
    Ok(())
}

fn set_branch(run: &mut Run, key: &Key, index: Index, value: Value) -> Result<(), SetError> {
    let at = place(index, run.msg.branches.len());
    let at = at.ok_or_else(|| refuse("there is no destination with this index"))?;
    let part = attribute_name(PARTS, key);
    if part == "uri" && value.is_null() {
        run.msg.branches.remove(at);
        return Ok(());
    }
    let mut target = std::mem::take(&mut run.msg.branches[at]);
    let result = set_target(run, &mut target, part, &value);
    run.msg.branches[at] = target;
    result
}

fn prepared(run: &mut Run, key: &Key, _: Index) -> Value {
    let part = attribute_name(PARTS, key);
    let target = run.slots.get::<Prepared>().cloned().unwrap_or_default();
    target_part(run, &target.0, part)
}

fn set_prepared(run: &mut Run, key: &Key, _: Index, value: Value) -> Result<(), SetError> {
    let part = attribute_name(PARTS, key);
    let mut target = std::mem::take(&mut run.slots.entry::<Prepared>().0);
    let result = set_target(run, &mut target, part, &value);
    run.slots.entry::<Prepared>().0 = target;
    result
}

fn ruid(run: &mut Run, _: &Key, _: Index) -> Value {
    optional(Some(&run.msg.target.ruid[..]).filter(|ruid| !ruid.is_empty()))
}

fn user_agent(run: &mut Run, _: &Key, _: Index) -> Value {
    optional(Some(&run.msg.target.user_agent[..]).filter(|agent| !agent.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_show_their_preference() {
        let mut out = Vec::new();
        push_contact(&mut out, b"sip:a@b", 500, false);
        push_contact(&mut out, b"sip:c@d", -1, false);
        push_contact(&mut out, b"sip:e@f", 0, false);
        push_contact(&mut out, b"sip:g@h", 1000, true);
        push_contact(&mut out, b"sip:i@j", 333, true);
        let expected = "<sip:a@b>;q=0.5, sip:c@d, <sip:e@f>;q=0, <sip:g@h>;q=1, <sip:i@j>;q=0.333";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
