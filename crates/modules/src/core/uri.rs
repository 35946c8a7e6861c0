//! Core actions that rewrite the Request-URI.

use engine::{FunctionRow, Pending, Run};
use script::{Args, Outcome, Parameter, ParameterKind};
use sip::Uri;

use crate::row::{action, param};

const URI: &[Parameter] = &[param("uri", ParameterKind::Str)];
const HOST: &[Parameter] = &[param("host", ParameterKind::Str)];
const USER: &[Parameter] = &[param("user", ParameterKind::Str)];
const PORT: &[Parameter] = &[param("port", ParameterKind::Str)];
const COUNT: &[Parameter] = &[param("count", ParameterKind::Int)];

macro_rules! rows {
    ($($row:ident $name:literal $parameters:expr, $handler:ident, $doc:literal;)*) => {$(
        pub(super) const $row: FunctionRow =
            action($name, $parameters, $parameters.len(), $handler, $doc);
    )*};
}

rows! {
    SETURI "seturi" URI, seturi, "Replaces the Request-URI.";
    SETHOST "sethost" HOST, sethost, "Replaces the host of the Request-URI.";
    SETHOSTPORT "sethostport" HOST, sethostport, "Replaces host and port of the Request-URI.";
    SETHOSTPORTTRANS "sethostporttrans" HOST, sethostporttrans, "Replaces host, port and transport of the Request-URI.";
    SETUSER "setuser" USER, setuser, "Replaces the user of the Request-URI.";
    SETUSERPASS "setuserpass" USER, setuserpass, "Replaces user and password of the Request-URI.";
    SETPORT "setport" PORT, setport, "Replaces the port of the Request-URI.";
    PREFIX "prefix" USER, prefix, "Puts text before the user of the Request-URI.";
    STRIP "strip" COUNT, strip, "Takes characters off the front of the Request-URI's user.";
    STRIP_TAIL "strip_tail" COUNT, strip_tail, "Takes characters off the end of the Request-URI's user.";
}

pub(super) const USERPHONE: FunctionRow = action(
    "userphone",
    &[],
    0,
    userphone,
    "Adds user=phone to the Request-URI.",
);
pub(super) const REVERT_URI: FunctionRow = action(
    "revert_uri",
    &[],
    0,
    revert_uri,
    "Puts the received Request-URI back.",
);

/// Gives the Request-URI what `change` makes of it; false when it can't be understood.
pub(crate) fn rewrite(run: &mut Run, change: impl FnOnce(&Uri<'_>) -> Vec<u8>) -> Outcome<Pending> {
    let changed = Uri::parse(run.msg.uri()).ok().map(|uri| change(&uri));
    match changed {
        Some(uri) => {
            run.msg.set_uri(uri);
            Outcome::Code(1)
        }
        None => {
            run.engine.counters.bad_uris.increment();
            Outcome::Code(-1)
        }
    }
}

fn seturi(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.set_uri(args.str(0).as_bytes().to_vec());
    Outcome::Code(1)
}

fn revert_uri(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    run.msg.target.uri = None;
    run.msg.uri_consumed = false;
    Outcome::Code(1)
}

fn sethost(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    rewrite(run, |uri| uri.with_host(args.str(0).as_bytes()))
}

fn sethostport(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    rewrite(run, |uri| uri.with_hostport(args.str(0).as_bytes()))
}

/// `host:port:transport`.
fn sethostporttrans(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(0).as_bytes();
    let mut parts = text.rsplitn(2, |byte| *byte == b':');
    let (last, rest) = (parts.next().unwrap_or_default(), parts.next());
    let (hostport, transport) = match rest {
        Some(rest) if sip::Transport::from_name(last).is_some() => (rest, Some(last)),
        _ => (text, None),
    };
    rewrite(run, |uri| {
        let changed = uri.with_hostport(hostport);
        match (transport, Uri::parse(&changed)) {
            (Some(transport), Ok(uri)) => uri.with_param(b"transport", Some(transport)),
            _ => changed.clone(),
        }
    })
}

fn setuser(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let user = args.str(0).as_bytes();
    rewrite(run, |uri| uri.with_user((!user.is_empty()).then_some(user)))
}

fn setuserpass(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let text = args.str(0).as_bytes();
    let mut parts = text.splitn(2, |byte| *byte == b':');
    let (user, password) = (parts.next().unwrap_or_default(), parts.next());
    rewrite(run, |uri| {
        let with_user = uri.with_user(Some(user));
        match Uri::parse(&with_user) {
            Ok(uri) => uri.with_password(password),
            Err(_) => with_user.clone(),
        }
    })
}

fn setport(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let port = args
        .str(0)
        .as_str()
        .and_then(|text| text.parse::<u16>().ok());
    rewrite(run, |uri| uri.with_port(port))
}

fn prefix(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    rewrite(run, |uri| uri.prefix_user(args.str(0).as_bytes()))
}

fn strip(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let count = usize::try_from(args.int(0)).unwrap_or(0);
    rewrite(run, |uri| uri.strip_user(count))
}

fn strip_tail(run: &mut Run, args: &mut Args<'_>) -> Outcome<Pending> {
    let count = usize::try_from(args.int(0)).unwrap_or(0);
    rewrite(run, |uri| uri.strip_user_tail(count))
}

fn userphone(run: &mut Run, _: &mut Args<'_>) -> Outcome<Pending> {
    rewrite(run, |uri| uri.with_param(b"user", Some(b"phone")))
}
