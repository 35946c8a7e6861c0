//! The message as a whole: changes that show at once, another status, no body, only some headers.

use std::sync::Arc;

use engine::{FunctionRow, Pending, Run, level};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};
use sip::{Edits, HeaderId, Message};

use crate::row::{IN_REQUESTS_AND_REPLIES, function, function_optional, param};
use crate::textops::remove_where;

const TEXT: ParameterKind = ParameterKind::Str;
const DATA: &[Parameter] = &[param("data", TEXT)];
const STATUS: &[Parameter] = &[param("code", ParameterKind::Int), param("reason", TEXT)];
const CODE: &[Parameter] = &[param("vcode", ParameterKind::Int)];
const NAME_RE: &[Parameter] = &[param("regexp", ParameterKind::Regex)];
const MATCH: &[Parameter] = &[
    param("value", TEXT),
    param("expr", TEXT),
    param("flags", TEXT),
];
const REPLIES: Routes = Routes::REPLY;
const ANY: Routes = Routes::ANY;

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "msg_apply_changes",
        &[],
        IN_REQUESTS_AND_REPLIES,
        apply_changes,
        "Makes the changes so far part of the message.",
    ),
    function(
        "msg_set_buffer",
        DATA,
        IN_REQUESTS_AND_REPLIES,
        set_buffer,
        "Replaces the whole message.",
    ),
    function(
        "change_reply_status",
        STATUS,
        REPLIES,
        change_status,
        "Gives a reply another status and reason phrase.",
    ),
    function(
        "change_reply_status_code",
        CODE,
        REPLIES,
        change_code,
        "Gives a reply another status.",
    ),
    function(
        "remove_body",
        &[],
        ANY,
        remove_body,
        "Removes the body; the headers that describe it stay.",
    ),
    function_optional(
        "keep_hf",
        NAME_RE,
        0,
        ANY,
        keep_hf,
        "Removes headers that are neither essential nor match.",
    ),
    function_optional(
        "fnmatch",
        MATCH,
        2,
        ANY,
        fnmatch,
        "True when a pattern of file names matches; with i in any case.",
    ),
];

/// Puts a message with these bytes in the place of the one at hand; what the script set beside it stays.
fn replace_message(run: &mut Run, bytes: Vec<u8>) -> bool {
    match Message::parse(bytes) {
        Ok(message) if message.is_request() == run.msg.message.is_request() => {
            run.msg.message = Arc::new(message);
            run.msg.edits = Edits::new();
            run.msg.max_forwards = None;
            run.msg.target.uri = None;
            true
        }
        Ok(_) => false,
        Err(error) => {
            run.log(
                level::ERROR,
                "textopsx",
                &format!("the changed message is none: {error}"),
            );
            false
        }
    }
}

fn apply_changes(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    // Until it is sent a request may still go elsewhere, so that its URI is no change of the text.
    let uri = run.msg.target.uri.clone();
    let bytes = crate::pv::changed(run);
    if !replace_message(run, bytes) {
        return Outcome::Code(-1);
    }
    run.msg.target.uri = uri;
    Outcome::Code(1)
}

fn set_buffer(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let done = replace_message(run, args.str(0).to_vec());
    Outcome::Code(if done { 1 } else { -1 })
}

/// A final reply keeps its class: what was sent upstream cannot become an answer of another kind.
fn set_status(run: &mut Run, code: i64, reason: &[u8]) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    let (Some(before), Ok(code)) = (message.status(), u16::try_from(code)) else {
        return Outcome::Code(-1);
    };
    let valid = (100..700).contains(&code);
    let same_class = before / 100 == code / 100;
    if !valid || ((before < 300 || code < 300) && !same_class) {
        let text = format!("a reply {before} can't become a reply {code}");
        run.log(level::ERROR, "textopsx", &text);
        return Outcome::Code(-1);
    }
    run.msg.edits.set_status(&message, code, reason);
    run.msg.status = Some(code);
    Outcome::Code(1)
}

fn change_status(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_status(run, args.int(0), args.str(1))
}

fn change_code(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let reason = run.msg.message.reason().to_vec();
    set_status(run, args.int(0), &reason)
}

fn remove_body(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    let message = Arc::clone(&run.msg.message);
    if !message.body().is_empty() {
        run.msg.edits.set_body(&message, &[]);
    }
    Outcome::Code(1)
}

/// Headers that `keep_hf()` never removes.
const fn is_essential(id: HeaderId) -> bool {
    matches!(
        id,
        HeaderId::Via
            | HeaderId::From
            | HeaderId::To
            | HeaderId::CallId
            | HeaderId::CSeq
            | HeaderId::ContentLength
            | HeaderId::ContentType
            | HeaderId::MaxForwards
            | HeaderId::Contact
            | HeaderId::Route
            | HeaderId::RecordRoute
    )
}

fn keep_hf(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let kept = args.regex(0);
    remove_where(run, |_, header| {
        !is_essential(header.id) && !kept.is_some_and(|ere| ere.is_match(header.name))
    });
    Outcome::Code(1)
}

fn fnmatch(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (text, pattern) = (args.str(0), args.str(1));
    let matches = match args.opt_str(2) {
        Some(flags) if flags.contains(&b'i') => {
            glob(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
        }
        _ => glob(pattern, text),
    };
    Outcome::Code(if matches { 1 } else { -1 })
}

/// Shell patterns: `*`, `?`, `[a-z]`, `[!a-z]`, and a backslash before a character that means itself.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last star stands and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        let step = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            Some(_) => one(&pattern[at..], text[from]),
            None => None,
        };
        match (step, star) {
            (Some(length), _) => {
                at += length;
                from += 1;
            }
            (None, Some((place, taken))) => {
                star = Some((place, taken + 1));
                at = place + 1;
                from = taken + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// How much of the pattern stands for one character, if it matches.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', rest @ ..] => {
            let negated = matches!(rest, [b'!' | b'^', ..]);
            let skipped = usize::from(negated);
            let set = &rest[skipped..];
            // A bracket that comes first is a member, not the end.
            let Some(end) = set
                .iter()
                .skip(1)
                .position(|byte| *byte == b']')
                .map(|at| at + 1)
            else {
                return (byte == b'[').then_some(1);
            };
            (in_set(&set[..end], byte) != negated).then_some(end + skipped + 2)
        }
        [own, ..] => (*own == byte).then_some(1),
        [] => None,
    }
}

fn in_set(mut set: &[u8], byte: u8) -> bool {
    while let [low, rest @ ..] = set {
        if let [b'-', high, after @ ..] = rest {
            if (*low..=*high).contains(&byte) {
                return true;
            }
            set = after;
        } else {
            if *low == byte {
                return true;
            }
            set = rest;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("123*", "123456", true),
            ("123*", "124", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*c", "aabbc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]a]", "]", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("[a", "[a", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c*d*e", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(
                glob(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
