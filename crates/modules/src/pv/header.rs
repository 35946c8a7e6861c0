//! Headers by name: `$hdr()`, `$hdrc()`, and their elements, `$hfl()`, `$hflc()`.

use engine::{KeyRule, Run, VariableRow};
use script::{Index, Key, Value};
use sip::{Header, HeaderId};

use super::value::{key_name, pick, text};
use crate::row::reads;

pub(super) const ROWS: &[VariableRow] = &[
    reads(
        "hdr",
        KeyRule::Format,
        header,
        "A header of this name; an index takes a further one.",
    ),
    reads(
        "hdrc",
        KeyRule::Format,
        header_count,
        "How many headers of this name there are.",
    ),
    reads(
        "hfl",
        KeyRule::Format,
        element,
        "An element of the list headers of this name.",
    ),
    reads(
        "hflc",
        KeyRule::Format,
        element_count,
        "How many elements the list headers of this name have.",
    ),
];

fn header(run: &mut Run, key: &Key, index: Index) -> Value {
    let name = key_name(key);
    let mut headers = run.msg.message.headers_by_name(name);
    let found = match index {
        Index::None => headers.next(),
        Index::At(at) if at >= 0 => usize::try_from(at).ok().and_then(|at| headers.nth(at)),
        Index::At(at) => {
            let back = usize::try_from(at.unsigned_abs() - 1).unwrap_or(usize::MAX);
            headers.rev().nth(back)
        }
        Index::All => {
            let values: Vec<&[u8]> = headers.map(|header| header.value).collect();
            return pick(&values, Index::All, b",");
        }
        Index::Append => None,
    };
    found.map_or(Value::Null, |header| shown(run, &header))
}

/// The value as received, except that the new Max-Forwards shows at once.
fn shown(run: &Run, header: &Header<'_>) -> Value {
    match run.msg.max_forwards {
        Some(hops) if header.id == HeaderId::MaxForwards => {
            Value::Str(Value::Int(i64::from(hops)).to_str())
        }
        _ => text(header.value),
    }
}

fn header_count(run: &mut Run, key: &Key, _: Index) -> Value {
    let count = run.msg.message.headers_by_name(key_name(key)).count();
    Value::Int(count as i64)
}

/// Whether the elements of the headers of this name are told apart.
const fn is_list(id: HeaderId) -> bool {
    matches!(
        id,
        HeaderId::Via
            | HeaderId::Contact
            | HeaderId::Route
            | HeaderId::RecordRoute
            | HeaderId::Path
            | HeaderId::ServiceRoute
            | HeaderId::Diversion
            | HeaderId::PAssertedIdentity
            | HeaderId::PPreferredIdentity
    )
}

fn elements<'a>(run: &'a Run, name: &'a [u8]) -> Vec<&'a [u8]> {
    let message = &run.msg.message;
    let id = HeaderId::from_name(name);
    if is_list(id) {
        message.values(id).map(|value| value.text).collect()
    } else {
        message
            .headers_by_name(name)
            .map(|header| header.value)
            .collect()
    }
}

fn element(run: &mut Run, key: &Key, index: Index) -> Value {
    pick(&elements(run, key_name(key)), index, b",")
}

fn element_count(run: &mut Run, key: &Key, _: Index) -> Value {
    Value::Int(elements(run, key_name(key)).len() as i64)
}
