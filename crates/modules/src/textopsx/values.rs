//! Single values of list headers and their parameters.

use std::sync::Arc;

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind};
use sip::{Header, Message, NameAddr, Param, Params, Span, Tag, Value};

use super::value_path::{Path, Which, values};
use crate::row::{WITH_MESSAGES, function, param};

const TEXT: ParameterKind = ParameterKind::Str;
const VALUE: &[Parameter] = &[param("hf", TEXT), param("hvalue", TEXT)];
const PATH: &[Parameter] = &[param("hf_par", TEXT)];

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "append_hf_value",
        VALUE,
        WITH_MESSAGES,
        append,
        "Adds a value behind another, or a header at the end.",
    ),
    function(
        "insert_hf_value",
        VALUE,
        WITH_MESSAGES,
        insert,
        "Adds a value before another, or a header at the top.",
    ),
    function(
        "remove_hf_value",
        PATH,
        WITH_MESSAGES,
        remove,
        "Removes a value or a parameter of it.",
    ),
    function(
        "remove_hf_value2",
        PATH,
        WITH_MESSAGES,
        remove_whole,
        "The same for headers whose commas separate parameters.",
    ),
    function(
        "assign_hf_value",
        VALUE,
        WITH_MESSAGES,
        assign,
        "Replaces a value or a parameter of it.",
    ),
    function(
        "assign_hf_value2",
        VALUE,
        WITH_MESSAGES,
        assign_whole,
        "The same for headers whose commas separate parameters.",
    ),
    function(
        "include_hf_value",
        VALUE,
        WITH_MESSAGES,
        include,
        "Adds a value to a list unless it is there.",
    ),
    function(
        "exclude_hf_value",
        VALUE,
        WITH_MESSAGES,
        exclude,
        "Removes a value from a list.",
    ),
    function(
        "hf_value_exists",
        VALUE,
        WITH_MESSAGES,
        exists,
        "True when a list has the value.",
    ),
];

const DONE: Outcome<Pending> = Outcome::Code(1);
const FAILED: Outcome<Pending> = Outcome::Code(-1);

fn line(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b": ", value, b"\r\n"].concat()
}

fn append(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(path) = Path::parse(args.str(0)) else {
        return FAILED;
    };
    let message = Arc::clone(&run.msg.message);
    if path.which != Which::Unsaid
        && let Some(value) = path.select(values(&message, path.name)).last()
    {
        let text = [b",", &args.str(1)[..]].concat();
        run.msg.edits.insert_at(Tag::Script, value.span.end, &text);
        return DONE;
    }
    let line = line(path.name, args.str(1));
    run.msg.edits.append_last(Tag::Script, &message, &line);
    DONE
}

fn insert(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(path) = Path::parse(args.str(0)) else {
        return FAILED;
    };
    let message = Arc::clone(&run.msg.message);
    if path.which != Which::Unsaid
        && let Some(value) = path.select(values(&message, path.name)).first()
    {
        let text = [&args.str(1)[..], b", "].concat();
        run.msg
            .edits
            .insert_at(Tag::Script, value.span.start, &text);
        return DONE;
    }
    let line = line(path.name, args.str(1));
    run.msg.edits.insert_first(Tag::Script, &message, &line);
    DONE
}

/// The parameters of one value: behind the brackets of an address, else behind the first semicolon.
fn params<'a>(value: &Value<'a>) -> Params<'a> {
    if let Some(address) = NameAddr::parse(value.text) {
        return address.params;
    }
    let at = value.text.iter().position(|byte| *byte == b';');
    Params::new(at.map_or(&[], |at| &value.text[at..]))
}

fn named<'a>(params: Params<'a>, name: &[u8]) -> Option<Param<'a>> {
    params
        .iter()
        .find(|param| param.name.eq_ignore_ascii_case(name))
}

/// Where a parameter stands, from its semicolon on.
fn param_span(message: &Message, param: Param<'_>) -> Option<Span> {
    let name = message.span_of(param.name)?;
    let end = param
        .value
        .and_then(|value| message.span_of(value))
        .map_or(name.end, |value| value.end);
    let before = message.bytes().get(..usize::from(name.start))?;
    let start = before.iter().rposition(|byte| *byte == b';')?;
    Some(Span {
        start: u16::try_from(start).ok()?,
        end,
    })
}

fn remove(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(path) = Path::parse(args.str(0)) else {
        return FAILED;
    };
    let message = Arc::clone(&run.msg.message);
    let mut any = false;
    for value in path.select(values(&message, path.name)) {
        match path.param {
            None => run.msg.edits.remove_value(Tag::Script, &value),
            Some(name) => {
                let found = named(params(&value), name);
                let Some(span) = found.and_then(|param| param_span(&message, param)) else {
                    continue;
                };
                run.msg.edits.delete(Tag::Script, span);
            }
        }
        any = true;
    }
    if any { DONE } else { FAILED }
}

fn assign(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(path) = Path::parse(args.str(0)) else {
        return FAILED;
    };
    let message = Arc::clone(&run.msg.message);
    let text = args.str(1);
    let mut any = false;
    for value in path.select(values(&message, path.name)) {
        any = true;
        let Some(name) = path.param else {
            run.msg.edits.replace(Tag::Script, value.span, text);
            continue;
        };
        let written = match &text[..] {
            [] => [b";", name].concat(),
            text => [b";", name, b"=", text].concat(),
        };
        match named(params(&value), name).and_then(|param| param_span(&message, param)) {
            Some(span) => run.msg.edits.replace(Tag::Script, span, &written),
            None => run
                .msg
                .edits
                .insert_at(Tag::Script, value.span.end, &written),
        }
    }
    if any { DONE } else { FAILED }
}

/// The field `name=value` of a header like Authorization: its place, with the comma before or behind it.
fn field_span(header: &Header<'_>, name: &[u8]) -> Option<(Span, Span)> {
    let value = header.value;
    let begin = value.iter().position(u8::is_ascii_whitespace)? + 1;
    let mut at = begin;
    while at < value.len() {
        let end = at + field_end(&value[at..]);
        let field = &value[at..end];
        let own = field.split(|byte| *byte == b'=').next().unwrap_or_default();
        if sip::trim(own).eq_ignore_ascii_case(name) {
            let blanks = field
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            let exact = at + blanks..end;
            let wide = if at > begin {
                at - 1..end
            } else {
                exact.start..(end + 1).min(value.len())
            };
            let span = |range: std::ops::Range<usize>| Span {
                start: header.value_span.start + range.start as u16,
                end: header.value_span.start + range.end as u16,
            };
            return Some((span(exact), span(wide)));
        }
        at = end + 1;
    }
    None
}

/// Where a field ends: at the next comma outside quotes.
fn field_end(text: &[u8]) -> usize {
    let mut quoted = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

fn remove_whole(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(path) = Path::parse(args.str(0)) else {
        return FAILED;
    };
    let message = Arc::clone(&run.msg.message);
    let mut any = false;
    for header in path.select(message.headers_by_name(path.name).collect()) {
        match path.param {
            None => run.msg.edits.remove_header(Tag::Script, &header),
            Some(name) => {
                let Some((_, wide)) = field_span(&header, name) else {
                    continue;
                };
                run.msg.edits.delete(Tag::Script, wide);
            }
        }
        any = true;
    }
    if any { DONE } else { FAILED }
}

fn assign_whole(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(path) = Path::parse(args.str(0)) else {
        return FAILED;
    };
    let message = Arc::clone(&run.msg.message);
    let text = args.str(1);
    let mut any = false;
    for header in path.select(message.headers_by_name(path.name).collect()) {
        any = true;
        let Some(name) = path.param else {
            run.msg.edits.set_value(Tag::Script, &header, text);
            continue;
        };
        let written = match &text[..] {
            [] => name.to_vec(),
            text => [name, b"=", text].concat(),
        };
        match field_span(&header, name) {
            Some((exact, _)) => run.msg.edits.replace(Tag::Script, exact, &written),
            None => {
                let added = [b", ", &written[..]].concat();
                let end = header.value_span.end;
                run.msg.edits.insert_at(Tag::Script, end, &added);
            }
        }
    }
    if any { DONE } else { FAILED }
}

fn include(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let (name, wanted) = (args.str(0), args.str(1));
    let known = values(&message, name);
    if known
        .iter()
        .any(|value| value.text.eq_ignore_ascii_case(wanted))
    {
        return DONE;
    }
    match known.last() {
        Some(value) => {
            let text = [b",", &wanted[..]].concat();
            run.msg.edits.insert_at(Tag::Script, value.span.end, &text);
        }
        None => {
            let line = line(name, wanted);
            run.msg.edits.append_last(Tag::Script, &message, &line);
        }
    }
    DONE
}

fn exclude(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let wanted = args.str(1);
    for value in values(&message, args.str(0)) {
        if value.text.eq_ignore_ascii_case(wanted) {
            run.msg.edits.remove_value(Tag::Script, &value);
        }
    }
    DONE
}

fn exists(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name: Vec<u8> = args
        .str(0)
        .iter()
        .map(|byte| if *byte == b'_' { b'-' } else { *byte })
        .collect();
    let wanted = args.str(1);
    let found = values(&run.msg.message, &name)
        .iter()
        .any(|value| value.text.eq_ignore_ascii_case(wanted));
    if found { DONE } else { FAILED }
}
