//! Walks over the headers and over the lines of the body, each under a name of the configuration's choice.

use std::ops::Range;
use std::sync::Arc;

use engine::{FunctionRow, KeyRule, Pending, Run, VariableRow};
use script::{Args, Index, Key, Outcome, Parameter, ParameterKind, Routes, Str, Value};
use sip::{Message, Span, Tag};

use crate::row::{function, param, reads};

const TEXT: ParameterKind = ParameterKind::Str;
const NAME: &[Parameter] = &[param("iname", TEXT)];
const NAME_TEXT: &[Parameter] = &[param("iname", TEXT), param("text", TEXT)];
const ANY: Routes = Routes::ANY;

/// How many walks of one kind there may be at the same time.
const WALKS_MAX: usize = 4;

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "hf_iterator_start",
        NAME,
        ANY,
        headers_start,
        "Begins a walk over the headers.",
    ),
    function(
        "hf_iterator_end",
        NAME,
        ANY,
        headers_end,
        "Ends a walk over the headers.",
    ),
    function(
        "hf_iterator_next",
        NAME,
        ANY,
        headers_next,
        "Goes to the next header; false behind the last.",
    ),
    function(
        "hf_iterator_prev",
        NAME,
        ANY,
        headers_previous,
        "Goes to the header before; false before the first.",
    ),
    function(
        "hf_iterator_rm",
        NAME,
        ANY,
        headers_remove,
        "Removes the header that the walk has reached.",
    ),
    function(
        "hf_iterator_append",
        NAME_TEXT,
        ANY,
        headers_append,
        "Adds lines behind that header.",
    ),
    function(
        "hf_iterator_insert",
        NAME_TEXT,
        ANY,
        headers_insert,
        "Adds lines before that header.",
    ),
    function(
        "bl_iterator_start",
        NAME,
        ANY,
        lines_start,
        "Begins a walk over the lines of the body.",
    ),
    function(
        "bl_iterator_end",
        NAME,
        ANY,
        lines_end,
        "Ends a walk over the lines of the body.",
    ),
    function(
        "bl_iterator_next",
        NAME,
        ANY,
        lines_next,
        "Goes to the next line; false behind the last.",
    ),
    function(
        "bl_iterator_rm",
        NAME,
        ANY,
        lines_remove,
        "Removes the line that the walk has reached.",
    ),
    function(
        "bl_iterator_append",
        NAME_TEXT,
        ANY,
        lines_append,
        "Adds text behind that line.",
    ),
    function(
        "bl_iterator_insert",
        NAME_TEXT,
        ANY,
        lines_insert,
        "Adds text before that line.",
    ),
];

pub(super) static VARIABLES: &[VariableRow] = &[
    reads(
        "hfitname",
        KeyRule::Format,
        header_name,
        "The name of the header that a walk has reached.",
    ),
    reads(
        "hfitbody",
        KeyRule::Format,
        header_body,
        "The value of the header that a walk has reached.",
    ),
    reads(
        "blitval",
        KeyRule::Format,
        line_text,
        "The line of the body that a walk has reached.",
    ),
];

#[derive(Clone, Copy)]
enum Kind {
    Headers,
    Lines,
}

/// The walks of one message: a name, and the place reached; none before the first.
#[derive(Default)]
struct Walks {
    headers: Vec<(Str, Option<usize>)>,
    lines: Vec<(Str, Option<usize>)>,
}

impl Walks {
    fn of(&mut self, kind: Kind) -> &mut Vec<(Str, Option<usize>)> {
        match kind {
            Kind::Headers => &mut self.headers,
            Kind::Lines => &mut self.lines,
        }
    }

    fn find(&mut self, kind: Kind, name: &[u8]) -> Option<&mut Option<usize>> {
        let mut walks = self.of(kind).iter_mut();
        walks
            .find(|(known, _)| &known[..] == name)
            .map(|(_, place)| place)
    }
}

fn place(run: &mut Run, kind: Kind, name: &[u8]) -> Option<usize> {
    *run.slots.get_mut::<Walks>()?.find(kind, name)?
}

fn truth(yes: bool) -> Outcome<Pending> {
    Outcome::Code(if yes { 1 } else { -1 })
}

fn start(run: &mut Run, args: &Args<'_>, kind: Kind) -> Outcome<Pending> {
    let walks = run.slots.entry::<Walks>();
    let name = args.str(0);
    if let Some(place) = walks.find(kind, name) {
        *place = None;
        return Outcome::Code(1);
    }
    let walks = walks.of(kind);
    if walks.len() >= WALKS_MAX {
        return Outcome::Code(-1);
    }
    walks.push((name.clone(), None));
    Outcome::Code(1)
}

fn end(run: &mut Run, args: &Args<'_>, kind: Kind) -> Outcome<Pending> {
    let walks = run.slots.entry::<Walks>().of(kind);
    let before = walks.len();
    walks.retain(|(name, _)| name != args.str(0));
    truth(walks.len() < before)
}

fn next(run: &mut Run, args: &Args<'_>, kind: Kind, count: usize) -> Outcome<Pending> {
    let Some(place) = run.slots.entry::<Walks>().find(kind, args.str(0)) else {
        return Outcome::Code(-1);
    };
    let next = place.map_or(0, |at| at + 1);
    if next >= count {
        return Outcome::Code(-1);
    }
    *place = Some(next);
    Outcome::Code(1)
}

fn headers_start(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    start(run, args, Kind::Headers)
}

fn headers_end(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    end(run, args, Kind::Headers)
}

fn headers_next(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let count = run.msg.message.headers().len();
    next(run, args, Kind::Headers, count)
}

fn headers_previous(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let walks = run.slots.entry::<Walks>();
    match walks.find(Kind::Headers, args.str(0)) {
        Some(Some(at)) if *at > 0 => {
            *at -= 1;
            Outcome::Code(1)
        }
        _ => Outcome::Code(-1),
    }
}

/// Works on the header that the walk has reached.
fn at_header(
    run: &mut Run,
    args: &Args<'_>,
    work: impl FnOnce(&mut sip::Edits, &sip::Header<'_>),
) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let at = place(run, Kind::Headers, args.str(0));
    let Some(header) = at.and_then(|at| message.headers().nth(at)) else {
        return Outcome::Code(-1);
    };
    work(&mut run.msg.edits, &header);
    Outcome::Code(1)
}

fn headers_remove(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    at_header(run, args, |edits, header| {
        edits.remove_header(Tag::Script, header)
    })
}

fn headers_append(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(1);
    at_header(run, args, |edits, header| {
        edits.insert_after(Tag::Script, header, text)
    })
}

fn headers_insert(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(1);
    at_header(run, args, |edits, header| {
        edits.insert_before(Tag::Script, header, text)
    })
}

/// The lines of the body with their ends, as ranges of the message.
fn lines(message: &Message) -> Vec<Range<usize>> {
    let body = message.body();
    let mut at = usize::from(message.body_span().start);
    let pieces = body.split_inclusive(|byte| *byte == b'\n');
    pieces
        .map(|line| {
            let range = at..at + line.len();
            at = range.end;
            range
        })
        .collect()
}

fn lines_start(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    start(run, args, Kind::Lines)
}

fn lines_end(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    end(run, args, Kind::Lines)
}

fn lines_next(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let count = lines(&run.msg.message).len();
    next(run, args, Kind::Lines, count)
}

/// Where the line that the walk has reached stands.
fn reached_line(run: &mut Run, name: &[u8]) -> Option<Span> {
    let at = place(run, Kind::Lines, name)?;
    let range = lines(&run.msg.message).into_iter().nth(at)?;
    Some(Span {
        start: u16::try_from(range.start).ok()?,
        end: u16::try_from(range.end).ok()?,
    })
}

fn lines_remove(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(span) = reached_line(run, args.str(0)) else {
        return Outcome::Code(-1);
    };
    run.msg.edits.delete(Tag::Script, span);
    Outcome::Code(1)
}

fn lines_append(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(span) = reached_line(run, args.str(0)) else {
        return Outcome::Code(-1);
    };
    run.msg.edits.insert_at(Tag::Script, span.end, args.str(1));
    Outcome::Code(1)
}

fn lines_insert(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let Some(span) = reached_line(run, args.str(0)) else {
        return Outcome::Code(-1);
    };
    run.msg
        .edits
        .insert_at(Tag::Script, span.start, args.str(1));
    Outcome::Code(1)
}

fn name_in(key: &Key) -> Str {
    match key {
        Key::Name(name) => name.clone(),
        _ => Str::EMPTY,
    }
}

fn header_name(run: &mut Run, key: &Key, _: Index) -> Value {
    let at = place(run, Kind::Headers, &name_in(key));
    let header = at.and_then(|at| run.msg.message.headers().nth(at));
    header.map_or(Value::Null, |header| Value::from(header.name))
}

fn header_body(run: &mut Run, key: &Key, _: Index) -> Value {
    let at = place(run, Kind::Headers, &name_in(key));
    let header = at.and_then(|at| run.msg.message.headers().nth(at));
    header.map_or(Value::Null, |header| Value::from(header.value))
}

fn line_text(run: &mut Run, key: &Key, _: Index) -> Value {
    let span = reached_line(run, &name_in(key));
    let bytes = span.and_then(|span| span.get(run.msg.message.bytes()));
    bytes.map_or(Value::Null, Value::from)
}
