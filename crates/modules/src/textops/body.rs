//! Bodies of the message and of replies to it, and the parts of multipart bodies.

use std::sync::Arc;

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind, Routes, Value};
use sip::{HeaderId, Tag};

use super::multipart::{self, Part};
use super::question::same_type;
use super::truth;
use crate::row::{WITH_MESSAGES, WITH_REQUESTS, function, function_optional, param};

const TEXT: ParameterKind = ParameterKind::Str;
const BODY: &[Parameter] = &[param("txt", TEXT), param("content_type", TEXT)];
const PART: &[Parameter] = &[
    param("txt", TEXT),
    param("content_type", TEXT),
    param("content_disposition", TEXT),
];
const MULTIPART: &[Parameter] = &[
    param("txt", TEXT),
    param("content_type", TEXT),
    param("boundary", TEXT),
];
const TYPE: &[Parameter] = &[param("content_type", TEXT)];
const GET: &[Parameter] = &[
    param("content_type", TEXT),
    param("opv", ParameterKind::Target),
];
const ANY: Routes = Routes::ANY;

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "set_body",
        BODY,
        WITH_MESSAGES,
        set_body,
        "Gives the message this body and type.",
    ),
    function(
        "set_reply_body",
        BODY,
        WITH_REQUESTS,
        set_reply_body,
        "Gives the replies made here this body and type.",
    ),
    function(
        "filter_body",
        TYPE,
        ANY,
        filter_body,
        "Leaves of a multipart body only the first part of a type.",
    ),
    function_optional(
        "set_body_multipart",
        MULTIPART,
        0,
        WITH_REQUESTS,
        set_body_multipart,
        "Makes the body, or this text, the first part of a multipart body.",
    ),
    function_optional(
        "append_body_part",
        PART,
        2,
        WITH_REQUESTS,
        append_body_part,
        "Adds a part to a multipart body.",
    ),
    function_optional(
        "append_body_part_hex",
        PART,
        2,
        WITH_REQUESTS,
        append_body_part_hex,
        "Adds a part written in hexadecimal digits.",
    ),
    function(
        "get_body_part",
        GET,
        WITH_MESSAGES,
        get_body_part,
        "Puts the first part of a type into a variable.",
    ),
    function(
        "get_body_part_raw",
        GET,
        WITH_MESSAGES,
        get_body_part_raw,
        "The same with its boundary and headers.",
    ),
    function(
        "remove_body_part",
        TYPE,
        WITH_REQUESTS,
        remove_body_part,
        "Removes the first part of a type.",
    ),
];

/// The body as the changes made so far leave it.
fn body(run: &Run) -> Vec<u8> {
    let message = &run.msg.message;
    let changed = run.msg.edits.replacement(message.body_span());
    changed.unwrap_or_else(|| message.body()).to_vec()
}

/// The Content-Type as the changes made so far leave it.
fn content_type(run: &Run) -> Option<Vec<u8>> {
    let message = &run.msg.message;
    if let Some(header) = message.header(HeaderId::ContentType) {
        let changed = run.msg.edits.replacement(header.value_span);
        return Some(changed.unwrap_or(header.value).to_vec());
    }
    let added = run.msg.edits.iter().filter(|edit| edit.tag == Tag::Body);
    added
        .filter_map(|edit| edit.text.strip_prefix(b"Content-Type: "))
        .last()
        .map(|value| sip::trim(value).to_vec())
}

/// Gives the message a body, and Content-Length if it has none.
pub(crate) fn put_body(run: &mut Run, kind: Option<&[u8]>, body: &[u8]) {
    let message = Arc::clone(&run.msg.message);
    let edits = &mut run.msg.edits;
    let added = |edit: sip::EditView<'_>| edit.tag == Tag::Body && edit.span.is_empty();
    match kind {
        Some(kind) => {
            edits.withdraw_if(|edit| added(edit) && edit.text.starts_with(b"Content-"));
            edits.set_typed_body(&message, kind, body);
        }
        None => {
            edits.withdraw_if(|edit| added(edit) && edit.text.starts_with(b"Content-Length"));
            edits.set_body(&message, body);
        }
    }
    if message.header(HeaderId::ContentLength).is_none() {
        let line = format!("Content-Length: {}\r\n", body.len());
        edits.append_last(Tag::Body, &message, line.as_bytes());
    }
}

fn set_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if args.str(0).is_empty() || args.str(1).is_empty() {
        return Outcome::Code(-1);
    }
    put_body(run, Some(args.str(1)), args.str(0));
    Outcome::Code(1)
}

fn set_reply_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if args.str(0).is_empty() || args.str(1).is_empty() {
        return Outcome::Code(-1);
    }
    run.msg.reply_body = Some((args.str(1).to_vec(), args.str(0).to_vec()));
    Outcome::Code(1)
}

/// The body and its first part of a type.
fn find_part(run: &Run, wanted: &[u8]) -> Option<(Vec<u8>, Part)> {
    let boundary = multipart::boundary(&content_type(run)?)?;
    let body = body(run);
    let parts = multipart::parts(&body, &boundary);
    let found = parts
        .into_iter()
        .find(|part| same_type(multipart::content_type(&body, part), wanted))?;
    Some((body, found))
}

fn filter_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some((body, part)) = find_part(run, args.str(0)) else {
        return Outcome::Code(-1);
    };
    put_body(run, None, &body[part.content]);
    Outcome::Code(1)
}

fn set_body_multipart(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let given = |at: usize| args.opt_str(at).filter(|text| !text.is_empty());
    // With one or two arguments left out, the only one is the boundary.
    let (content, kind, boundary) = match (given(0), given(1), given(2)) {
        (Some(text), Some(kind), boundary) => (text.to_vec(), kind.to_vec(), boundary),
        (boundary, _, _) => match content_type(run) {
            Some(kind) => (body(run), kind, boundary),
            None => return Outcome::Code(-1),
        },
    };
    let boundary = boundary.map_or(multipart::BOUNDARY, |text| &text[..]);
    let mut body = Vec::with_capacity(content.len() + 128);
    multipart::write_part(&mut body, boundary, &kind, None, &content);
    multipart::write_end(&mut body, boundary);
    let kind = [b"multipart/mixed;boundary=\"", boundary, b"\""].concat();
    put_body(run, Some(&kind), &body);
    let message = Arc::clone(&run.msg.message);
    if message.header(HeaderId::MimeVersion).is_none() {
        let line = b"Mime-Version: 1.0\r\n";
        run.msg.edits.append_last(Tag::Script, &message, line);
    }
    Outcome::Code(1)
}

fn append_part(run: &mut Run, args: &Args<'_>, content: &[u8]) -> Outcome<Pending> {
    let boundary = content_type(run).and_then(|kind| multipart::boundary(&kind));
    let Some(boundary) = boundary else {
        return Outcome::Code(-1);
    };
    let mut body = body(run);
    let end = [b"--", &boundary[..], b"--"].concat();
    if let Some(at) = multipart::find(&body, &end) {
        body.truncate(at);
    } else if !body.is_empty() && !body.ends_with(b"\n") {
        body.extend_from_slice(b"\r\n");
    }
    let disposition = args.opt_str(2).map(|text| &text[..]);
    multipart::write_part(&mut body, &boundary, args.str(1), disposition, content);
    multipart::write_end(&mut body, &boundary);
    put_body(run, None, &body);
    Outcome::Code(1)
}

fn append_body_part(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    append_part(run, args, args.str(0))
}

fn append_body_part_hex(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    match from_hex(args.str(0)) {
        Some(content) => append_part(run, args, &content),
        None => Outcome::Code(-1),
    }
}

/// Bytes from pairs of digits; blanks may stand between the pairs.
fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Option<Vec<u8>> = digits
        .map(|byte| char::from(*byte).to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

fn get_part(run: &mut Run, args: &Args<'_>, raw: bool) -> Outcome<Pending> {
    let (Some((body, part)), Some(target)) = (find_part(run, args.str(0)), args.variable(1)) else {
        return Outcome::Code(-1);
    };
    let range = if raw { part.whole } else { part.content };
    truth(target.set(run, Value::from(&body[range])).is_ok())
}

fn get_body_part(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    get_part(run, args, false)
}

fn get_body_part_raw(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    get_part(run, args, true)
}

fn remove_body_part(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some((mut body, part)) = find_part(run, args.str(0)) else {
        return Outcome::Code(-1);
    };
    body.drain(part.whole);
    put_body(run, None, &body);
    Outcome::Code(1)
}

#[cfg(test)]
mod tests {
    use super::from_hex;

    #[test]
    fn hexadecimal() {
        assert_eq!(from_hex(b"6b 61\t6D"), Some(b"kam".to_vec()));
        assert_eq!(from_hex(b"6b6"), None);
        assert_eq!(from_hex(b"zz"), None);
    }
}
