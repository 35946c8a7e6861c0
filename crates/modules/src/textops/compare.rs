//! Comparisons of texts.

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind, Routes, Str};

use super::truth;
use crate::row::{WITH_MESSAGES, function, param};

const TEXT: ParameterKind = ParameterKind::Str;
const TWO: &[Parameter] = &[param("str1", TEXT), param("str2", TEXT)];
const LIST: &[Parameter] = &[
    param("subject", TEXT),
    param("list", TEXT),
    param("separator", TEXT),
];
const SEARCH: &[Parameter] = &[param("text", TEXT), param("re", ParameterKind::Regex)];
const SUBSTRING: &[Parameter] = &[
    param("itext", TEXT),
    param("regexp", ParameterKind::Regex),
    param("mindex", ParameterKind::Int),
    param("nmatch", ParameterKind::Int),
    param("dpv", ParameterKind::Target),
];
const ANY: Routes = Routes::ANY;

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "cmp_str",
        TWO,
        ANY,
        cmp_str,
        "True when the texts are the same.",
    ),
    function(
        "cmp_istr",
        TWO,
        ANY,
        cmp_istr,
        "True when the texts are the same in any case.",
    ),
    function(
        "starts_with",
        TWO,
        ANY,
        starts_with,
        "True when the first text begins with the second.",
    ),
    function(
        "ends_with",
        TWO,
        ANY,
        ends_with,
        "True when the first text ends with the second.",
    ),
    function(
        "str_find",
        TWO,
        ANY,
        str_find,
        "Where the second text is in the first, from 1.",
    ),
    function(
        "str_ifind",
        TWO,
        ANY,
        str_ifind,
        "Where the second text is in the first in any case, from 1.",
    ),
    function(
        "str_any_in",
        TWO,
        ANY,
        str_any_in,
        "True when any character of the first text is in the second.",
    ),
    function(
        "str_all_in",
        TWO,
        ANY,
        str_all_in,
        "True when all characters of the first text are in the second.",
    ),
    function(
        "in_list",
        LIST,
        ANY,
        in_list,
        "True when the list has the subject.",
    ),
    function(
        "in_list_prefix",
        LIST,
        ANY,
        in_list_prefix,
        "True when an element of the list begins the subject.",
    ),
    function(
        "search_str",
        SEARCH,
        ANY,
        search_str,
        "True when the expression matches the text.",
    ),
    function(
        "regex_substring",
        SUBSTRING,
        WITH_MESSAGES,
        regex_substring,
        "Puts a group of a match into a variable.",
    ),
];

fn two<'a>(args: &Args<'a>) -> (&'a [u8], &'a [u8]) {
    (args.str(0), args.str(1))
}

fn cmp_str(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (one, other) = two(args);
    truth(one == other)
}

fn cmp_istr(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (one, other) = two(args);
    truth(one.eq_ignore_ascii_case(other))
}

fn starts_with(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (text, begin) = two(args);
    truth(text.starts_with(begin))
}

fn ends_with(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (text, end) = two(args);
    truth(text.ends_with(end))
}

/// Where `part` is in `text`, from 1; an empty one is behind the end.
fn position(text: &[u8], part: &[u8], same: impl Fn(&[u8], &[u8]) -> bool) -> Outcome<Pending> {
    let found = match part.len() {
        0 => Some(text.len()),
        length => text.windows(length).position(|window| same(window, part)),
    };
    Outcome::Code(found.map_or(-1, |at| at as i64 + 1))
}

fn str_find(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (text, part) = two(args);
    position(text, part, |one, other| one == other)
}

fn str_ifind(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (text, part) = two(args);
    position(text, part, <[u8]>::eq_ignore_ascii_case)
}

fn str_any_in(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (text, set) = two(args);
    truth(text.iter().any(|byte| set.contains(byte)))
}

fn str_all_in(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (text, set) = two(args);
    truth(text.iter().all(|byte| set.contains(byte)))
}

/// The elements of a list, without blanks around them.
fn elements<'a>(list: &'a [u8], separator: &Str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let separator = separator.first().copied().unwrap_or(b',');
    list.split(move |byte| *byte == separator).map(sip::trim)
}

fn in_list(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (subject, list) = two(args);
    truth(elements(list, args.str(2)).any(|element| element == subject))
}

fn in_list_prefix(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (subject, list) = two(args);
    let mut elements = elements(list, args.str(2)).filter(|element| !element.is_empty());
    truth(elements.any(|element| subject.starts_with(element)))
}

fn search_str(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(args.regex(1).is_some_and(|ere| ere.is_match(args.str(0))))
}

/// `mindex` is the group, `nmatch` how many groups there are at least.
fn regex_substring(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (Some(ere), Some(target)) = (args.regex(1), args.variable(4)) else {
        return Outcome::Code(-1);
    };
    let text = args.str(0);
    let Some(captures) = ere.captures(text) else {
        return Outcome::Code(-1);
    };
    let group = usize::try_from(args.int(2))
        .ok()
        .filter(|at| (*at as i64) < args.int(3).max(1));
    let Some(found) = group.and_then(|at| captures.get(at)) else {
        return Outcome::Code(-1);
    };
    let value = Str::new(&text[found]);
    truth(target.set(run, value.into()).is_ok())
}
