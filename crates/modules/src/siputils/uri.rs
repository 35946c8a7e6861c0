//! URIs: parameters of the Request-URI, comparisons, kinds of texts, telephone numbers.

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind, Routes, Value};
use sip::{HeaderId, Scheme, Uri};

use super::message::truth;
use crate::row::{IN_REQUESTS, WITH_MESSAGES, WITH_REQUESTS, function, function_optional, param};

const TEXT: ParameterKind = ParameterKind::Str;
const TARGET: ParameterKind = ParameterKind::Target;
const PARAM_VALUE: &[Parameter] = &[param("param", TEXT), param("value", TEXT)];
const PARAM: &[Parameter] = &[param("param", TEXT)];
const GET: &[Parameter] = &[param("name", TEXT), param("var", TARGET)];
const TEL: &[Parameter] = &[
    param("uri", TEXT),
    param("hostpart", TEXT),
    param("result", TARGET),
];
const VALUE: &[Parameter] = &[param("tval", TEXT)];
const VALUE_SET: &[Parameter] = &[param("tval", TEXT), param("eset", TEXT)];
const TWO: &[Parameter] = &[param("str1", TEXT), param("str2", TEXT)];
const SET_USER: &[Parameter] = &[param("uri", TARGET), param("user", TEXT)];
const SET_HOST: &[Parameter] = &[param("uri", TARGET), param("host", TEXT)];
const ANY: Routes = Routes::ANY;
const E164_ROUTES: Routes = IN_REQUESTS.or(Routes::FAILURE);

pub(super) const ROWS: &[FunctionRow] = &[
    function_optional(
        "uri_param",
        PARAM_VALUE,
        1,
        WITH_REQUESTS,
        uri_param,
        "True when the Request-URI has the parameter, with this value or without any.",
    ),
    function(
        "uri_param_any",
        PARAM,
        WITH_REQUESTS,
        uri_param_any,
        "True when the Request-URI has the parameter, whatever its value.",
    ),
    function(
        "add_uri_param",
        PARAM,
        IN_REQUESTS,
        add_uri_param,
        "Adds a parameter to the Request-URI.",
    ),
    function(
        "get_uri_param",
        GET,
        IN_REQUESTS,
        get_uri_param,
        "Puts a parameter of the Request-URI into a variable.",
    ),
    function(
        "uri_param_rm",
        PARAM,
        WITH_REQUESTS,
        uri_param_rm,
        "Removes a parameter of the Request-URI.",
    ),
    function(
        "tel2sip",
        TEL,
        WITH_MESSAGES,
        tel2sip,
        "Makes a SIP URI of a tel URI: 1, or 2 when it is none.",
    ),
    function(
        "is_e164",
        VALUE,
        E164_ROUTES,
        is_e164,
        "True for a + and 2 to 15 digits, the first not 0.",
    ),
    function(
        "is_uri_user_e164",
        VALUE,
        ANY,
        is_uri_user_e164,
        "The same of the user of a URI.",
    ),
    function("is_uri", VALUE, ANY, is_uri, "True for a SIP or tel URI."),
    function(
        "is_tel_number",
        VALUE,
        ANY,
        is_tel_number,
        "True for digits, with a + before them or not.",
    ),
    function(
        "is_numeric",
        VALUE,
        ANY,
        is_numeric,
        "True for digits only.",
    ),
    function(
        "is_alphanum",
        VALUE,
        ANY,
        is_alphanum,
        "True for digits and letters only.",
    ),
    function(
        "is_alphanumex",
        VALUE_SET,
        ANY,
        is_alphanumex,
        "True for digits, letters and these characters only.",
    ),
    function(
        "cmp_uri",
        TWO,
        ANY,
        cmp_uri,
        "True when the URIs are the same (RFC 3261 §19.1.4).",
    ),
    function(
        "cmp_aor",
        TWO,
        ANY,
        cmp_aor,
        "True when the URIs name the same account.",
    ),
    function(
        "cmp_hdr_name",
        TWO,
        ANY,
        cmp_hdr_name,
        "True when the texts name the same header.",
    ),
    function(
        "set_uri_user",
        SET_USER,
        ANY,
        set_uri_user,
        "Gives the URI in a variable another user.",
    ),
    function(
        "set_uri_host",
        SET_HOST,
        ANY,
        set_uri_host,
        "Gives the URI in a variable another host.",
    ),
    function_optional(
        "is_gruu",
        VALUE,
        0,
        ANY,
        is_gruu,
        "1 for a public, 2 for a temporary GRUU (RFC 5627).",
    ),
];

/// The parameter of the Request-URI: `Some(None)` without a value.
fn ruri_param(run: &Run, name: &[u8]) -> Option<Option<Vec<u8>>> {
    let uri = Uri::parse(run.msg.uri()).ok()?;
    uri.param(name).map(|value| value.map(<[u8]>::to_vec))
}

fn uri_param(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let found = ruri_param(run, args.str(0));
    truth(match (found, args.opt_str(1)) {
        (None, _) => false,
        (Some(value), None) => value.is_none_or(|value| value.is_empty()),
        (Some(value), Some(wanted)) => value.as_deref() == Some(wanted.as_bytes()),
    })
}

fn uri_param_any(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(ruri_param(run, args.str(0)).is_some())
}

fn get_uri_param(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (Some(value), Some(target)) = (ruri_param(run, args.str(0)), args.variable(1)) else {
        return Outcome::Code(-1);
    };
    truth(
        target
            .set(run, Value::from(value.unwrap_or_default()))
            .is_ok(),
    )
}

fn rewrite(run: &mut Run, change: impl FnOnce(&Uri<'_>) -> Vec<u8>) -> Outcome<Pending> {
    let changed = Uri::parse(run.msg.uri()).ok().map(|uri| change(&uri));
    let Some(uri) = changed else {
        return Outcome::Code(-1);
    };
    run.msg.set_uri(uri);
    Outcome::Code(1)
}

fn add_uri_param(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(0);
    if text.is_empty() {
        return Outcome::Code(1);
    }
    rewrite(run, |uri| {
        let mut parts = text.splitn(2, |byte| *byte == b'=');
        let name = parts.next().unwrap_or_default();
        uri.with_param(name, parts.next())
    })
}

fn uri_param_rm(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if ruri_param(run, args.str(0)).is_none() {
        return Outcome::Code(-1);
    }
    rewrite(run, |uri| uri.without_param(args.str(0)))
}

/// RFC 3261 §19.1.6: without visual separators, parameters in lower case.
fn tel2sip(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (text, host) = (args.str(0), args.str(1));
    let number = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"tel:") => &text[4..],
        _ => return Outcome::Code(2),
    };
    let end = number
        .iter()
        .position(|byte| *byte == b';')
        .unwrap_or(number.len());
    let (digits, params) = number.split_at(end);
    let digits = digits
        .iter()
        .filter(|byte| !b"-.()".contains(byte))
        .copied();
    let mut uri = b"sip:".to_vec();
    uri.extend(digits);
    uri.extend(params.iter().map(u8::to_ascii_lowercase));
    uri.push(b'@');
    uri.extend_from_slice(host);
    uri.extend_from_slice(b";user=phone");
    if Uri::parse(&uri).is_err() {
        return Outcome::Code(-1);
    }
    let done = args
        .variable(2)
        .map(|target| target.set(run, Value::from(uri)));
    truth(matches!(done, Some(Ok(()))))
}

/// A number as ITU-T E.164 has it.
pub(super) fn e164(text: &[u8]) -> bool {
    let Some(digits) = text.strip_prefix(b"+") else {
        return false;
    };
    (2..=15).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && digits.first() != Some(&b'0')
}

fn is_e164(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(e164(args.str(0)))
}

fn is_uri_user_e164(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let uri = Uri::parse(args.str(0)).ok();
    truth(uri.and_then(|uri| uri.user_name()).is_some_and(e164))
}

fn is_uri(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    truth(Uri::parse(args.str(0)).is_ok_and(|uri| uri.scheme != Scheme::Other))
}

/// Whether all characters of a text fit; an empty one is an error.
fn all_fit(text: &[u8], fits: impl Fn(u8) -> bool) -> Outcome<Pending> {
    if text.is_empty() {
        return Outcome::Code(-2);
    }
    truth(text.iter().all(|byte| fits(*byte)))
}

fn is_tel_number(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(0).as_bytes();
    all_fit(text.strip_prefix(b"+").unwrap_or(text), |byte| {
        byte.is_ascii_digit()
    })
}

fn is_numeric(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    all_fit(args.str(0), |byte| byte.is_ascii_digit())
}

fn is_alphanum(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    all_fit(args.str(0), |byte| byte.is_ascii_alphanumeric())
}

fn is_alphanumex(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let more = args.str(1);
    all_fit(args.str(0), |byte| {
        byte.is_ascii_alphanumeric() || more.contains(&byte)
    })
}

fn two_uris(args: &Args<'_>, same: fn(&Uri<'_>, &Uri<'_>) -> bool) -> Outcome<Pending> {
    match (Uri::parse(args.str(0)), Uri::parse(args.str(1))) {
        (Ok(one), Ok(other)) => truth(same(&one, &other)),
        _ => Outcome::Code(-1),
    }
}

fn cmp_uri(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    two_uris(args, |one, other| one.is_equivalent(other))
}

fn cmp_aor(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    two_uris(args, |one, other| one.same_aor(other))
}

fn cmp_hdr_name(_: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let (one, other) = (args.str(0), args.str(1));
    truth(
        match (HeaderId::from_name(one), HeaderId::from_name(other)) {
            (HeaderId::Other, HeaderId::Other) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        },
    )
}

fn set_part(
    run: &mut Run,
    args: &Args<'_>,
    change: impl FnOnce(&Uri<'_>, &[u8]) -> Vec<u8>,
) -> Outcome<Pending> {
    let Some(target) = args.variable(0) else {
        return Outcome::Code(-1);
    };
    let text = target.get(run).to_str();
    let Ok(uri) = Uri::parse(&text) else {
        return Outcome::Code(-1);
    };
    let changed = change(&uri, args.str(1));
    truth(target.set(run, Value::from(changed)).is_ok())
}

fn set_uri_user(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    set_part(run, args, |uri, user| {
        uri.with_user((!user.is_empty()).then_some(user))
    })
}

fn set_uri_host(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    if args.str(1).is_empty() {
        return Outcome::Code(-1);
    }
    set_part(run, args, |uri, host| uri.with_host(host))
}

fn is_gruu(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args
        .opt_str(0)
        .map_or_else(|| run.msg.uri(), |text| &text[..]);
    let Ok(uri) = Uri::parse(text) else {
        return Outcome::Code(-1);
    };
    Outcome::Code(match uri.param(b"gr") {
        None => -1,
        Some(Some(value)) if !value.is_empty() => 1,
        Some(_) => 2,
    })
}

#[cfg(test)]
mod tests {
    use super::e164;

    #[test]
    fn numbers() {
        for (text, valid) in [
            ("+4930123456", true),
            ("+49", true),
            ("+4", false),
            ("+0491", false),
            ("4930", false),
            ("+1234567890123456", false),
            ("+12a", false),
        ] {
            assert_eq!(e164(text.as_bytes()), valid, "{text}");
        }
    }
}
