//! KSR.hdr: header lines. What is read is the message as it was received.

use std::sync::Arc;

use engine::{Pending, Run, level};
use script::{Outcome, Value};
use sip::Tag;

use super::core::{int, truth};
use super::meaning::Meaning::{Ask, Do};
use super::meaning::Row;

pub(super) static TABLE: &[Row] = &[
    ("hdr", "append", Do(|run, a| append(run, &a[0]))),
    ("hdr", "append_after", Do(append_after)),
    ("hdr", "insert", Do(|run, a| insert(run, &a[0]))),
    ("hdr", "insert_before", Do(insert_before)),
    ("hdr", "remove", Do(|run, a| remove(run, &a[0]))),
    (
        "hdr",
        "rmappend",
        Do(|run, a| {
            drop(remove(run, &a[0]));
            append(run, &a[1])
        }),
    ),
    (
        "hdr",
        "rminsert",
        Do(|run, a| {
            drop(remove(run, &a[0]));
            insert(run, &a[1])
        }),
    ),
    (
        "hdr",
        "is_present",
        Do(|run, a| {
            let name = a[0].to_str();
            truth(run.msg.message.header_by_name(&name).is_some())
        }),
    ),
    (
        "hdr",
        "append_to_reply",
        Do(|run, a| {
            run.msg.reply_headers.extend_from_slice(&a[0].to_str());
            truth(true)
        }),
    ),
    ("hdr", "get", Ask(|run, a| value(run, &a[0], 0))),
    ("hdr", "gete", Ask(|run, a| or(value(run, &a[0], 0), ""))),
    (
        "hdr",
        "getw",
        Ask(|run, a| or(value(run, &a[0], 0), "<null>")),
    ),
    ("hdr", "get_idx", Ask(|run, a| value(run, &a[0], int(a, 1)))),
    (
        "hdr",
        "gete_idx",
        Ask(|run, a| or(value(run, &a[0], int(a, 1)), "")),
    ),
    (
        "hdr",
        "getw_idx",
        Ask(|run, a| or(value(run, &a[0], int(a, 1)), "<null>")),
    ),
    ("hdr", "match_content", Do(match_content)),
];

fn append(run: &mut Run, lines: &Value) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    run.msg
        .edits
        .append_last(Tag::Script, &message, &lines.to_str());
    truth(true)
}

fn insert(run: &mut Run, lines: &Value) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    run.msg
        .edits
        .insert_first(Tag::Script, &message, &lines.to_str());
    truth(true)
}

fn append_after(run: &mut Run, arguments: &[Value]) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let name = arguments[1].to_str();
    let behind = message.headers_by_name(&name).next_back();
    match behind {
        Some(header) => {
            let lines = arguments[0].to_str();
            run.msg.edits.insert_after(Tag::Script, &header, &lines);
            truth(true)
        }
        None => append(run, &arguments[0]),
    }
}

fn insert_before(run: &mut Run, arguments: &[Value]) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    match message.header_by_name(&arguments[1].to_str()) {
        Some(header) => {
            let lines = arguments[0].to_str();
            run.msg.edits.insert_before(Tag::Script, &header, &lines);
            truth(true)
        }
        None => insert(run, &arguments[0]),
    }
}

fn remove(run: &mut Run, name: &Value) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    for header in message.headers_by_name(&name.to_str()) {
        run.msg.edits.remove_header(Tag::Script, &header);
    }
    truth(true)
}

/// The value of a header, counted from 0, or from -1 at the end.
fn value(run: &Run, name: &Value, index: i64) -> Value {
    let name = name.to_str();
    let mut headers = run.msg.message.headers_by_name(&name);
    let found = match usize::try_from(index) {
        Ok(at) => headers.nth(at),
        Err(_) => usize::try_from(-(index + 1))
            .ok()
            .and_then(|at| headers.nth_back(at)),
    };
    found.map(|header| header.value).into()
}

fn or(value: Value, other: &str) -> Value {
    if value.is_null() { other.into() } else { value }
}

/// Whether the first, the last or all headers of a name compare with a text.
fn match_content(run: &mut Run, arguments: &[Value]) -> Outcome<Pending> {
    let [name, operator, wanted, which] = [0, 1, 2, 3].map(|at| arguments[at].to_str());
    let compare: fn(&[u8], &[u8]) -> bool = match operator.as_bytes() {
        b"eq" => |value, wanted| value == wanted,
        b"ne" => |value, wanted| value != wanted,
        b"sw" => |value, wanted| value.starts_with(wanted),
        b"in" => |value, wanted| {
            value
                .windows(wanted.len().max(1))
                .any(|part| part == wanted)
        },
        _ => {
            let text =
                format!("KSR.hdr.match_content: the operator is eq, ne, sw or in, not {operator}");
            run.log(level::ERROR, "app_lua", &text);
            return truth(false);
        }
    };
    let fits = |header: sip::Header<'_>| compare(header.value, &wanted);
    let mut headers = run.msg.message.headers_by_name(&name).peekable();
    if headers.peek().is_none() {
        return truth(false);
    }
    truth(match which.first() {
        Some(b'l' | b'L') => headers.next_back().is_some_and(fits),
        Some(b'a' | b'A') => headers.all(fits),
        _ => headers.next().is_some_and(fits),
    })
}
