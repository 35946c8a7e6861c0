//! Header lines that are added and removed. The message goes on showing what was received.

use std::sync::Arc;

use engine::{FunctionRow, Pending, Run};
use script::ere::Flags;
use script::{Args, Ere, Outcome, Parameter, ParameterKind, Routes, Str};
use sip::{Header, Message, Span, Tag};

use super::truth;
use crate::row::{WITH_REQUESTS, function, function_optional, param};

const TEXT: ParameterKind = ParameterKind::Str;
const REGEX: ParameterKind = ParameterKind::Regex;
const LINE: &[Parameter] = &[param("txt", TEXT), param("hdr", TEXT)];
const REPLY_LINE: &[Parameter] = &[param("txt", TEXT)];
const AROUND: &[Parameter] = &[param("prefix", TEXT), param("suffix", TEXT)];
const NAME: &[Parameter] = &[param("hname", TEXT)];
const NAME_RE: &[Parameter] = &[param("re", REGEX)];
const NAME_RES: &[Parameter] = &[param("expmatch", REGEX), param("expskip", REGEX)];
const PLACE: &[Parameter] = &[param("hname", TEXT), param("idx", ParameterKind::Int)];
const MATCH: &[Parameter] = &[param("hname", TEXT), param("op", TEXT), param("expr", TEXT)];
const VIA: &[Parameter] = &[param("name", TEXT), param("vidx", ParameterKind::Int)];
const ANY: Routes = Routes::ANY;

pub(super) const ROWS: &[FunctionRow] = &[
    function_optional(
        "append_hf",
        LINE,
        1,
        ANY,
        append_hf,
        "Adds header lines behind all others, or behind the first of a name.",
    ),
    function_optional(
        "insert_hf",
        LINE,
        1,
        ANY,
        insert_hf,
        "Adds header lines before all others, or before the first of a name.",
    ),
    function(
        "append_to_reply",
        REPLY_LINE,
        WITH_REQUESTS,
        append_to_reply,
        "Adds header lines to every reply made to this request.",
    ),
    function(
        "append_urihf",
        AROUND,
        WITH_REQUESTS,
        append_urihf,
        "Adds a header line with the received Request-URI.",
    ),
    function(
        "append_time",
        &[],
        WITH_REQUESTS,
        append_time,
        "Adds Date to every reply made to this request.",
    ),
    function(
        "append_time_to_request",
        &[],
        ANY,
        append_time_to_request,
        "Adds Date to the message.",
    ),
    function(
        "remove_hf",
        NAME,
        ANY,
        remove_hf,
        "Removes all headers of this name.",
    ),
    function(
        "remove_hf_pv",
        NAME,
        ANY,
        remove_hf,
        "The same as `remove_hf`.",
    ),
    function(
        "remove_hf_re",
        NAME_RE,
        ANY,
        remove_hf_re,
        "Removes the headers whose names match.",
    ),
    function(
        "remove_hf_re_pv",
        NAME_RE,
        ANY,
        remove_hf_re,
        "The same as `remove_hf_re`.",
    ),
    function(
        "remove_hf_exp",
        NAME_RES,
        ANY,
        remove_hf_exp,
        "Removes the headers whose names match the first expression and not the second.",
    ),
    function(
        "remove_hf_exp_pv",
        NAME_RES,
        ANY,
        remove_hf_exp,
        "The same as `remove_hf_exp`.",
    ),
    function(
        "remove_hf_idx",
        PLACE,
        ANY,
        remove_hf_idx,
        "Removes one of the headers of this name, counted from 0 or from the end by -1.",
    ),
    function(
        "remove_hf_match",
        MATCH,
        ANY,
        remove_hf_match,
        "Removes the headers of this name whose value is `eq`, `ne`, `in` or `re` the text.",
    ),
    function_optional(
        "via_param_rm",
        VIA,
        1,
        ANY,
        via_param_rm,
        "Removes a parameter from a Via, the topmost or the one with this number from 1.",
    ),
];

fn append_hf(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let behind = args
        .opt_str(1)
        .and_then(|name| message.headers_by_name(name).next_back());
    match behind {
        Some(header) => run
            .msg
            .edits
            .insert_after(Tag::Script, &header, args.str(0)),
        None => run
            .msg
            .edits
            .append_last(Tag::Script, &message, args.str(0)),
    }
    Outcome::Code(1)
}

fn insert_hf(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let before = args
        .opt_str(1)
        .and_then(|name| message.header_by_name(name));
    match before {
        Some(header) => run
            .msg
            .edits
            .insert_before(Tag::Script, &header, args.str(0)),
        None => run
            .msg
            .edits
            .insert_first(Tag::Script, &message, args.str(0)),
    }
    Outcome::Code(1)
}

/// How much the configuration may add to replies, bytes.
const REPLY_HEADERS_MAX: usize = 16 * 1024;

/// Adds lines to the replies; false when there are too many already.
pub(crate) fn add_to_replies(run: &mut Run, lines: &[u8]) -> bool {
    let fits = run.msg.reply_headers.len() + lines.len() <= REPLY_HEADERS_MAX;
    if fits {
        run.msg.reply_headers.extend_from_slice(lines);
    }
    fits
}

fn append_to_reply(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(add_to_replies(run, args.str(0)))
}

fn append_urihf(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let (prefix, suffix) = (args.str(0), args.str(1));
    let line = [&prefix[..], message.request_uri(), &suffix[..]].concat();
    run.msg.edits.append_last(Tag::Script, &message, &line);
    Outcome::Code(1)
}

/// The Date header of this moment (RFC 3261 §20.17).
fn date_line(run: &Run) -> Option<String> {
    let moment = jiff::Timestamp::from_second(run.now.unix() as i64).ok()?;
    let time = moment.to_zoned(jiff::tz::TimeZone::UTC);
    Some(
        time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n")
            .to_string(),
    )
}

fn append_time(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let line = date_line(run).unwrap_or_default();
    truth(!line.is_empty() && add_to_replies(run, line.as_bytes()))
}

fn append_time_to_request(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let Some(line) = date_line(run) else {
        return Outcome::Code(-1);
    };
    let message = Arc::clone(&run.msg.message);
    run.msg
        .edits
        .append_last(Tag::Script, &message, line.as_bytes());
    Outcome::Code(1)
}

/// Removes the headers that `unwanted` names; true when there was one.
pub(crate) fn remove_where(
    run: &mut Run,
    mut unwanted: impl FnMut(&Message, &Header<'_>) -> bool,
) -> bool {
    let message = Arc::clone(&run.msg.message);
    let mut any = false;
    for header in message
        .headers()
        .filter(|header| unwanted(&message, header))
    {
        run.msg.edits.remove_header(Tag::Script, &header);
        any = true;
    }
    any
}

/// Whether a header has this name, long or compact, in any case.
fn is_named(header: &Header<'_>, name: &[u8]) -> bool {
    match sip::HeaderId::from_name(name) {
        sip::HeaderId::Other => header.name.eq_ignore_ascii_case(name),
        id => header.id == id,
    }
}

fn remove_hf(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let name = args.str(0);
    truth(remove_where(run, |_, header| is_named(header, name)))
}

fn remove_hf_re(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(ere) = args.regex(0) else {
        return Outcome::Code(-1);
    };
    truth(remove_where(run, |_, header| ere.is_match(header.name)))
}

fn remove_hf_exp(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (Some(wanted), Some(kept)) = (args.regex(0), args.regex(1)) else {
        return Outcome::Code(-1);
    };
    truth(remove_where(run, |_, header| {
        wanted.is_match(header.name) && !kept.is_match(header.name)
    }))
}

fn remove_hf_idx(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let mut headers = message.headers_by_name(args.str(0));
    let at = args.int(1);
    let found = match usize::try_from(at) {
        Ok(at) => headers.nth(at),
        Err(_) => headers
            .rev()
            .nth(usize::try_from(at.unsigned_abs() - 1).unwrap_or(usize::MAX)),
    };
    let Some(header) = found else {
        return Outcome::Code(-1);
    };
    run.msg.edits.remove_header(Tag::Script, &header);
    Outcome::Code(1)
}

fn remove_hf_match(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (name, wanted) = (args.str(0), args.str(2));
    let ere = match args.str(1).as_bytes() {
        b"re" => match Ere::new(wanted, Flags::ARGUMENT) {
            Ok(ere) => Some(ere),
            Err(_) => return Outcome::Code(-1),
        },
        _ => None,
    };
    let test: fn(&[u8], &Str) -> bool = match args.str(1).as_bytes() {
        b"eq" => |value, wanted| value == &wanted[..],
        b"ne" => |value, wanted| value != &wanted[..],
        b"in" => |value, wanted| {
            !wanted.is_empty() && value.windows(wanted.len()).any(|part| part == &wanted[..])
        },
        b"re" => |_, _| false,
        _ => return Outcome::Code(-1),
    };
    truth(remove_where(run, |_, header| {
        is_named(header, name)
            && match &ere {
                Some(ere) => ere.is_match(header.value),
                None => test(header.value, wanted),
            }
    }))
}

fn via_param_rm(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let number = usize::try_from(args.opt_int(1).unwrap_or(1)).unwrap_or(0);
    let via = number.checked_sub(1).and_then(|at| message.vias().nth(at));
    let name = args.str(0);
    let param = via.and_then(|via| {
        let mut params = via.iter_params();
        params.find(|param| param.name.eq_ignore_ascii_case(name))
    });
    let span = param.and_then(|param| param_span(&message, param));
    let Some(span) = span else {
        return Outcome::Code(-1);
    };
    run.msg.edits.delete(Tag::Script, span);
    Outcome::Code(1)
}

/// Where a parameter stands, with the semicolon before it.
fn param_span(message: &Message, param: sip::Param<'_>) -> Option<Span> {
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
