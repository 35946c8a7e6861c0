//! Questions about the message at hand.

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind, Routes};
use sip::{Credentials, HeaderId};

use crate::row::{IN_REQUESTS, function, function_optional, param};

const TEXT: ParameterKind = ParameterKind::Str;
const USER: &[Parameter] = &[param("username", TEXT)];
const OPTION: &[Parameter] = &[param("option", TEXT)];
const MODE: &[Parameter] = &[param("mode", ParameterKind::Int)];
const SECONDS: &[Parameter] = &[param("tdiff", ParameterKind::Int)];

pub(super) const ROWS: &[FunctionRow] = &[
    function(
        "has_totag",
        &[],
        Routes::ANY,
        has_totag,
        "True when To has a tag.",
    ),
    function(
        "is_request",
        &[],
        Routes::ANY,
        is_request,
        "True in a request.",
    ),
    function("is_reply", &[], Routes::ANY, is_reply, "True in a reply."),
    function(
        "is_user",
        USER,
        IN_REQUESTS,
        is_user,
        "True when the credentials are this user's.",
    ),
    function(
        "is_supported",
        OPTION,
        Routes::ANY,
        is_supported,
        "True when Supported has this option.",
    ),
    function_optional(
        "is_first_hop",
        MODE,
        0,
        Routes::ANY,
        is_first_hop,
        "True when no proxy is between the sender and us.",
    ),
    function(
        "hdr_date_check",
        SECONDS,
        Routes::ANY,
        hdr_date_check,
        "True when Date is not older than so many seconds.",
    ),
];

/// A yes or no as a return code.
pub(super) fn truth(yes: bool) -> Outcome<Pending> {
    Outcome::Code(if yes { 1 } else { -1 })
}

fn has_totag(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    truth(run.msg.message.to_tag().is_some_and(|tag| !tag.is_empty()))
}

fn is_request(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    truth(run.msg.message.is_request())
}

fn is_reply(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    truth(!run.msg.message.is_request())
}

fn is_user(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = &run.msg.message;
    let credentials = message
        .value(HeaderId::ProxyAuthorization)
        .or_else(|| message.value(HeaderId::Authorization))
        .and_then(Credentials::parse);
    let username = credentials.and_then(|credentials| credentials.username());
    let user = username.as_deref().map(|name| {
        let end = name.iter().position(|byte| *byte == b'@');
        &name[..end.unwrap_or(name.len())]
    });
    truth(user == Some(args.str(0).as_bytes()))
}

fn is_supported(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let mut options = run.msg.message.values(HeaderId::Supported);
    let wanted = args.str(0);
    truth(options.any(|option| option.text.eq_ignore_ascii_case(wanted)))
}

/// Requests: a single Via. Replies: the top Record-Route is ours, and unless mode is 1, by an address, and
/// the reply does not come from us.
fn is_first_hop(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let message = &run.msg.message;
    if message.is_request() {
        return truth(message.vias().count() == 1);
    }
    let top = message.record_routes().next();
    let Some(uri) = top.and_then(|route| route.parse_uri().ok()) else {
        return truth(false);
    };
    if !run.engine.is_my_route(&uri) {
        return truth(false);
    }
    if args.int(0) == 1 {
        return truth(true);
    }
    let source = run.msg.hop.remote.ip();
    let own = sip::host_address(uri.host);
    truth(own.is_some_and(|own| own != source))
}

fn hdr_date_check(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let value = run.msg.message.value(HeaderId::Date);
    let date = value.and_then(|value| std::str::from_utf8(value).ok());
    let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text.trim()).ok());
    let Some(date) = date else {
        return Outcome::Code(-1);
    };
    let age = (run.now.unix() as i64).saturating_sub(date.timestamp().as_second());
    truth(age <= args.int(0))
}
