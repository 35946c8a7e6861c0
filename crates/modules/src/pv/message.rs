//! What a message says of itself as a whole: method, status, Call-ID, body, parts of its text.

use engine::{Interner, KeyRule, Run, VariableRow};
use script::{Index, Key, KeySpec, Str, Value};
use sip::{Framing, HeaderId};

use super::value::{attribute, attribute_name, int, length, optional, text};
use crate::row::reads;

const NONE: KeyRule = KeyRule::None;

pub(super) const ROWS: &[VariableRow] = &[
    reads("ci", NONE, call_id, "Call-ID."),
    reads("cs", NONE, cseq, "The number in CSeq, as text."),
    reads("csb", NONE, cseq_body, "The whole of CSeq."),
    reads("ct", NONE, contact, "The first Contact header."),
    reads("ctu", NONE, contact_uri, "The URI of the first contact."),
    reads("cts", NONE, contact_star, "1 if Contact is `*`, else 0."),
    reads("cT", NONE, content_type, "Content-Type."),
    reads("cl", NONE, content_length, "Content-Length."),
    reads("rb", NONE, body, "The body."),
    reads("bs", NONE, body_size, "The length of the body."),
    reads("mb", NONE, bytes, "The whole message as received."),
    reads(
        "mbu",
        NONE,
        changed_bytes,
        "The whole message with the changes made so far.",
    ),
    reads("ml", NONE, bytes_length, "The length of the message."),
    reads(
        "rm",
        NONE,
        method,
        "The method; of a reply, that of its CSeq.",
    ),
    reads("rmid", NONE, method_id, "The method as a number."),
    reads("rs", NONE, status, "The status of a reply, as text."),
    reads(
        "rsi",
        NONE,
        status_number,
        "The status of a reply; 0 in a request.",
    ),
    reads("rr", NONE, reason, "The reason phrase of a reply."),
    reads("rv", NONE, version, "The protocol version."),
    reads("mt", NONE, message_type, "1 in a request, 2 in a reply."),
    reads(
        "mts",
        NONE,
        message_type_text,
        "`rq` in a request, `rp` in a reply.",
    ),
    reads(
        "mi",
        NONE,
        message_number,
        "How many messages this worker has seen.",
    ),
    reads("ua", NONE, user_agent, "User-Agent."),
    reads(
        "expires",
        KeyRule::Resolve(expires_key),
        expires,
        "The least or greatest lifetime of the contacts, seconds.",
    ),
    reads(
        "msg",
        KeyRule::Resolve(part_key),
        part,
        "A part of the message's text.",
    ),
];

fn header(run: &Run, id: HeaderId) -> Value {
    optional(run.msg.message.value(id))
}

fn call_id(run: &mut Run, _: &Key, _: Index) -> Value {
    optional(run.msg.message.call_id())
}

fn cseq(run: &mut Run, _: &Key, _: Index) -> Value {
    match run.msg.message.cseq_number_bytes() {
        [] => Value::Null,
        number => text(number),
    }
}

fn cseq_body(run: &mut Run, _: &Key, _: Index) -> Value {
    header(run, HeaderId::CSeq)
}

fn contact(run: &mut Run, _: &Key, _: Index) -> Value {
    header(run, HeaderId::Contact)
}

fn contact_uri(run: &mut Run, _: &Key, _: Index) -> Value {
    let mut contacts = run.msg.message.contacts();
    optional(contacts.next().map(|contact| contact.uri))
}

fn contact_star(run: &mut Run, _: &Key, _: Index) -> Value {
    let first = run.msg.message.contacts().next();
    Value::from(first.is_some_and(|contact| contact.is_star()))
}

fn content_type(run: &mut Run, _: &Key, _: Index) -> Value {
    header(run, HeaderId::ContentType)
}

fn content_length(run: &mut Run, _: &Key, _: Index) -> Value {
    header(run, HeaderId::ContentLength)
}

fn body(run: &mut Run, _: &Key, _: Index) -> Value {
    match run.msg.message.body() {
        [] => Value::Null,
        body => text(body),
    }
}

fn body_size(run: &mut Run, _: &Key, _: Index) -> Value {
    length(run.msg.message.body())
}

/// The message, or the packet that `event_route[network:msg]` looks at.
fn whole(run: &Run) -> &[u8] {
    match &run.packet {
        Some(packet) => &packet.bytes,
        None => run.msg.message.bytes(),
    }
}

fn bytes(run: &mut Run, _: &Key, _: Index) -> Value {
    text(whole(run))
}

fn changed_bytes(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::from(changed(run))
}

/// The message as the changes made so far leave it.
pub(crate) fn changed(run: &Run) -> Vec<u8> {
    let message = &run.msg.message;
    let mut edits = sip::Edits::new();
    if let Some(uri) = run
        .msg
        .target
        .uri
        .as_deref()
        .filter(|_| message.is_request())
    {
        edits.set_request_uri(message, uri);
    }
    let mut out = Vec::with_capacity(message.bytes().len() + 256);
    run.msg
        .edits
        .apply(&[&edits], message, Framing::Datagram, &mut out);
    out
}

fn bytes_length(run: &mut Run, _: &Key, _: Index) -> Value {
    length(whole(run))
}

fn method(run: &mut Run, _: &Key, _: Index) -> Value {
    text(run.msg.message.method_bytes())
}

fn method_id(run: &mut Run, _: &Key, _: Index) -> Value {
    int(run.msg.message.method().mask())
}

fn status(run: &mut Run, _: &Key, _: Index) -> Value {
    if run.msg.message.is_request() {
        return Value::Null;
    }
    Value::Str(Value::Int(i64::from(run.reply_status())).to_str())
}

fn status_number(run: &mut Run, _: &Key, _: Index) -> Value {
    if run.msg.message.is_request() {
        return Value::Int(0);
    }
    int(run.reply_status())
}

fn reason(run: &mut Run, _: &Key, _: Index) -> Value {
    let message = &run.msg.message;
    if message.is_request() {
        return Value::Null;
    }
    match run.msg.edits.replacement(message.first_line_span()) {
        // Version, status and phrase, as the change of the status wrote them.
        Some(line) => optional(sip::trim(line).splitn(3, |byte| *byte == b' ').nth(2)),
        None => text(message.reason()),
    }
}

fn version(run: &mut Run, _: &Key, _: Index) -> Value {
    text(run.msg.message.version())
}

fn message_type(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(if run.msg.message.is_request() { 1 } else { 2 })
}

fn message_type_text(run: &mut Run, _: &Key, _: Index) -> Value {
    let name: &'static [u8] = if run.msg.message.is_request() {
        b"rq"
    } else {
        b"rp"
    };
    Value::Str(Str::from_static(name))
}

fn message_number(run: &mut Run, _: &Key, _: Index) -> Value {
    Value::Int(run.locals.messages as i64)
}

fn user_agent(run: &mut Run, _: &Key, _: Index) -> Value {
    header(run, HeaderId::UserAgent)
}

const EXPIRES: &[&str] = &["min", "max"];

fn expires_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(EXPIRES, inner)
}

fn expires(run: &mut Run, key: &Key, _: Index) -> Value {
    let message = &run.msg.message;
    let general = message.expires();
    let mut lifetimes: Vec<u32> = message
        .contacts()
        .filter_map(|contact| contact.expires().or(general))
        .collect();
    if lifetimes.is_empty() {
        lifetimes.extend(general);
    }
    let found = match attribute_name(EXPIRES, key) {
        "min" => lifetimes.iter().min(),
        _ => lifetimes.iter().max(),
    };
    found.map_or(Value::Null, |seconds| int(*seconds))
}

const PARTS: &[&str] = &[
    "len",
    "buf",
    "body",
    "body_size",
    "hdrs",
    "fline",
    "fpart",
    "lpart",
];

fn part_key(_: &Interner, inner: &str) -> Result<KeySpec, String> {
    attribute(PARTS, inner)
}

fn part(run: &mut Run, key: &Key, _: Index) -> Value {
    let message = &run.msg.message;
    let bytes = message.bytes();
    let headers = usize::from(message.first_line_span().end);
    let end = usize::from(message.headers_end());
    let without_line_end = |part: &[u8]| {
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        text(part.strip_suffix(b"\r").unwrap_or(part))
    };
    match attribute_name(PARTS, key) {
        "len" => length(whole(run)),
        "buf" => text(whole(run)),
        "body" => match message.body() {
            [] => Value::Null,
            body => text(body),
        },
        "body_size" => length(message.body()),
        "hdrs" => without_line_end(bytes.get(headers..end).unwrap_or_default()),
        "fline" => text(message.first_line()),
        "fpart" => without_line_end(bytes.get(..end).unwrap_or_default()),
        _ => text(bytes.get(headers..).unwrap_or_default()),
    }
}
