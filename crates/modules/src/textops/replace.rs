//! Text of the message that is looked for and replaced. Spans are those of the message as received.

use std::ops::Range;
use std::sync::Arc;

use engine::{FunctionRow, Pending, Run};
use script::ere::Flags;
use script::{Args, Ere, Outcome, Parameter, ParameterKind, Routes, Value};
use sip::{Header, Message, Span, Tag, Uri};

use super::truth;
use crate::row::{WITH_MESSAGES, function, param};

const TEXT: ParameterKind = ParameterKind::Str;
const REGEX: ParameterKind = ParameterKind::Regex;
const SUBST: ParameterKind = ParameterKind::Subst;
const RE: &[Parameter] = &[param("re", REGEX)];
const RE_TEXT: &[Parameter] = &[param("re", REGEX), param("txt", TEXT)];
const LATE_RE_TEXT: &[Parameter] = &[param("re", TEXT), param("txt", TEXT)];
const HEADER_RE: &[Parameter] = &[param("hf", TEXT), param("re", REGEX), param("flags", TEXT)];
const STRINGS: &[Parameter] = &[
    param("match", TEXT),
    param("repl", TEXT),
    param("mode", TEXT),
];
const EXPRESSION: &[Parameter] = &[param("subexp", SUBST)];
const HEADER_SUBST: &[Parameter] = &[
    param("hf", TEXT),
    param("subexp", SUBST),
    param("flags", TEXT),
];
const VARIABLE_SUBST: &[Parameter] = &[param("pv", ParameterKind::Target), param("subexp", SUBST)];
const ANY: Routes = Routes::ANY;

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "search",
        RE,
        ANY,
        search,
        "True when the expression matches the message.",
    ),
    function(
        "search_body",
        RE,
        ANY,
        search_body,
        "True when the expression matches the body.",
    ),
    function(
        "search_hf",
        HEADER_RE,
        ANY,
        search_hf,
        "True when the expression matches the headers of a name: a all, f first, l last.",
    ),
    function(
        "search_append",
        RE_TEXT,
        ANY,
        search_append,
        "Adds text behind the first match in headers and body.",
    ),
    function(
        "search_append_body",
        RE_TEXT,
        ANY,
        search_append_body,
        "Adds text behind the first match in the body.",
    ),
    function(
        "replace",
        RE_TEXT,
        ANY,
        replace,
        "Replaces the first match in headers and body.",
    ),
    function(
        "replace_all",
        RE_TEXT,
        ANY,
        replace_all,
        "Replaces all matches in headers and body.",
    ),
    function(
        "replace_hdrs",
        RE_TEXT,
        ANY,
        replace_hdrs,
        "Replaces the first match in the headers.",
    ),
    function(
        "replace_body",
        RE_TEXT,
        ANY,
        replace_body,
        "Replaces the first match in the body.",
    ),
    function(
        "replace_body_all",
        RE_TEXT,
        ANY,
        replace_body_all,
        "Replaces all matches in the body, line by line.",
    ),
    function(
        "replace_body_atonce",
        LATE_RE_TEXT,
        ANY,
        replace_body_atonce,
        "Replaces all matches in the body as one text.",
    ),
    function(
        "replace_str",
        STRINGS,
        ANY,
        replace_str,
        "Replaces a text in headers and body: f first, a all.",
    ),
    function(
        "replace_hdrs_str",
        STRINGS,
        ANY,
        replace_hdrs_str,
        "Replaces a text in the headers.",
    ),
    function(
        "replace_body_str",
        STRINGS,
        ANY,
        replace_body_str,
        "Replaces a text in the body.",
    ),
    function(
        "subst",
        EXPRESSION,
        ANY,
        subst,
        "Substitutes in headers and body.",
    ),
    function(
        "subst_body",
        EXPRESSION,
        ANY,
        subst_body,
        "Substitutes in the body.",
    ),
    function(
        "subst_hf",
        HEADER_SUBST,
        ANY,
        subst_hf,
        "Substitutes in the headers of a name: a all, f first, l last.",
    ),
    function(
        "subst_uri",
        EXPRESSION,
        WITH_MESSAGES,
        subst_uri,
        "Substitutes in the Request-URI.",
    ),
    function(
        "subst_user",
        EXPRESSION,
        WITH_MESSAGES,
        subst_user,
        "Substitutes in the user of the Request-URI.",
    ),
    function(
        "subst_v",
        VARIABLE_SUBST,
        ANY,
        subst_v,
        "Substitutes in a variable.",
    ),
];

/// A part of the message to look through.
#[derive(Clone, Copy)]
enum Area {
    /// Headers and body.
    Both,
    Headers,
    Body,
}

fn range_of(message: &Message, area: Area) -> Range<usize> {
    let headers = usize::from(message.first_line_span().end);
    let end = usize::from(message.headers_end());
    let body = message.body_span();
    let body = usize::from(body.start)..usize::from(body.end);
    match area {
        Area::Both => headers..body.end.max(end),
        Area::Headers => headers..end,
        Area::Body => body,
    }
}

fn text_of(message: &Message, range: &Range<usize>) -> Vec<u8> {
    message
        .bytes()
        .get(range.clone())
        .unwrap_or_default()
        .to_vec()
}

/// Replaces a range of the message; false for one that reaches from the headers into the body.
fn change(run: &mut Run, message: &Message, range: Range<usize>, text: &[u8]) -> bool {
    let (Ok(start), Ok(end)) = (u16::try_from(range.start), u16::try_from(range.end)) else {
        return false;
    };
    let body = message.body_span().start;
    if start < body && end > message.headers_end() {
        return false;
    }
    if start == end {
        run.msg.edits.insert_at(Tag::Script, start, text);
    } else {
        run.msg
            .edits
            .replace(Tag::Script, Span { start, end }, text);
    }
    true
}

/// Replaces matches of an expression; true when there was one.
fn replace_matches(run: &mut Run, ere: &Ere, area: Area, text: &[u8], all: bool) -> bool {
    let message = Arc::clone(&run.msg.message);
    let range = range_of(&message, area);
    let subject = message.bytes().get(range.clone()).unwrap_or_default();
    let mut any = false;
    for found in ere
        .captures_iter(subject)
        .take(if all { usize::MAX } else { 1 })
    {
        let found = found.whole();
        let at = found.start + range.start..found.end + range.start;
        any |= change(run, &message, at, text);
    }
    any
}

fn with_regex(run: &mut Run, args: &Args<'_>, area: Area, all: bool) -> Outcome<Pending> {
    let Some(ere) = args.regex(0) else {
        return Outcome::Code(-1);
    };
    truth(replace_matches(run, ere, area, args.str(1), all))
}

fn replace(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_regex(run, args, Area::Both, false)
}

fn replace_all(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_regex(run, args, Area::Both, true)
}

fn replace_hdrs(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_regex(run, args, Area::Headers, false)
}

fn replace_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_regex(run, args, Area::Body, false)
}

fn replace_body_all(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    with_regex(run, args, Area::Body, true)
}

fn replace_body_atonce(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    match Ere::new(args.str(0), Flags::OPERATOR) {
        Ok(ere) => truth(replace_matches(run, &ere, Area::Body, args.str(1), true)),
        Err(_) => Outcome::Code(-1),
    }
}

fn replace_text(run: &mut Run, args: &Args<'_>, area: Area) -> Outcome<Pending> {
    let (wanted, text) = (args.str(0), args.str(1));
    let all = args.str(2).first() == Some(&b'a');
    if wanted.is_empty() {
        return Outcome::Code(-1);
    }
    let message = Arc::clone(&run.msg.message);
    let range = range_of(&message, area);
    let (mut at, mut any) = (range.start, false);
    while let Some(rest) = message.bytes().get(at..range.end) {
        let Some(found) = rest
            .windows(wanted.len())
            .position(|part| part == &wanted[..])
        else {
            break;
        };
        let start = at + found;
        at = start + wanted.len();
        any |= change(run, &message, start..at, text);
        if !all {
            break;
        }
    }
    truth(any)
}

fn replace_str(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    replace_text(run, args, Area::Both)
}

fn replace_hdrs_str(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    replace_text(run, args, Area::Headers)
}

fn replace_body_str(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    replace_text(run, args, Area::Body)
}

fn search(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let ere = args.regex(0);
    truth(ere.is_some_and(|ere| ere.is_match(run.msg.message.bytes())))
}

fn search_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let ere = args.regex(0);
    truth(ere.is_some_and(|ere| ere.is_match(run.msg.message.body())))
}

/// The headers of a name that the flag means: all, the first or the last.
fn chosen<'a>(message: &'a Message, name: &'a [u8], flag: &[u8]) -> Vec<Header<'a>> {
    let mut headers = message.headers_by_name(name);
    match flag.first() {
        Some(b'f') => headers.next().into_iter().collect(),
        Some(b'l') => headers.next_back().into_iter().collect(),
        _ => headers.collect(),
    }
}

fn search_hf(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(ere) = args.regex(1) else {
        return Outcome::Code(-1);
    };
    let headers = chosen(&run.msg.message, args.str(0), args.str(2));
    truth(headers.iter().any(|header| ere.is_match(header.value)))
}

fn append_behind(run: &mut Run, args: &Args<'_>, area: Area) -> Outcome<Pending> {
    let Some(ere) = args.regex(0) else {
        return Outcome::Code(-1);
    };
    let message = Arc::clone(&run.msg.message);
    let range = range_of(&message, area);
    let subject = message.bytes().get(range.clone()).unwrap_or_default();
    let Some(found) = ere.captures(subject) else {
        return Outcome::Code(-1);
    };
    let at = range.start + found.whole().end;
    truth(change(run, &message, at..at, args.str(1)))
}

fn search_append(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    append_behind(run, args, Area::Both)
}

fn search_append_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    append_behind(run, args, Area::Body)
}

/// Substitutes in a range of the message; how many matches were replaced.
fn substitute(
    run: &mut Run,
    subst: &script::Subst,
    message: &Message,
    range: &Range<usize>,
) -> usize {
    let text = text_of(message, range);
    let found = subst.replacements(run, &text);
    let mut count = 0;
    for (at, replacement) in found {
        let at = at.start + range.start..at.end + range.start;
        count += usize::from(change(run, message, at, &replacement));
    }
    count
}

fn subst(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(expression) = args.subst(0) else {
        return Outcome::Code(-1);
    };
    let message = Arc::clone(&run.msg.message);
    let range = range_of(&message, Area::Both);
    truth(substitute(run, expression, &message, &range) > 0)
}

fn subst_body(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(expression) = args.subst(0) else {
        return Outcome::Code(-1);
    };
    let message = Arc::clone(&run.msg.message);
    let range = range_of(&message, Area::Body);
    truth(substitute(run, expression, &message, &range) > 0)
}

fn subst_hf(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(expression) = args.subst(1) else {
        return Outcome::Code(-1);
    };
    let message = Arc::clone(&run.msg.message);
    let mut count = 0;
    for header in chosen(&message, args.str(0), args.str(2)) {
        let span = header.value_span;
        let range = usize::from(span.start)..usize::from(span.end);
        count += substitute(run, expression, &message, &range);
    }
    truth(count > 0)
}

fn subst_uri(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let uri = run.msg.uri().to_vec();
    let changed = args.subst(0).and_then(|subst| subst.apply(run, &uri));
    let Some((uri, _)) = changed else {
        return Outcome::Code(-1);
    };
    run.msg.set_uri(uri);
    Outcome::Code(1)
}

fn subst_user(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let uri = run.msg.uri().to_vec();
    let Ok(uri) = Uri::parse(&uri) else {
        return Outcome::Code(-1);
    };
    let user = uri.user.unwrap_or_default();
    let Some((user, _)) = args.subst(0).and_then(|subst| subst.apply(run, user)) else {
        return Outcome::Code(-1);
    };
    let user = (!user.is_empty()).then_some(&user[..]);
    run.msg.set_uri(uri.with_user(user));
    Outcome::Code(1)
}

fn subst_v(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (Some(variable), Some(expression)) = (args.variable(0), args.subst(1)) else {
        return Outcome::Code(-1);
    };
    let text = variable.get(run).to_str();
    match expression.apply(run, &text) {
        Some((text, _)) => truth(variable.set(run, Value::from(text)).is_ok()),
        None => Outcome::Code(-1),
    }
}
