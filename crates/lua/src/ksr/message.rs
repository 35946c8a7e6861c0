//! KSR.kx: parts of the message, which are variables.

use engine::Run;
use script::Value;

use super::meaning::Meaning::{Ask, Get};
use super::meaning::Missing::{Empty, Nil, Word, Zero};
use super::meaning::{Meaning, Row};

pub(super) static TABLE: &[Row] = &[
    ("kx", "get_ruri", Get("$ru", Nil)),
    ("kx", "get_ruser", Get("$rU", Nil)),
    ("kx", "gete_ruser", Get("$rU", Empty)),
    ("kx", "getw_ruser", Get("$rU", Word)),
    ("kx", "get_rhost", Get("$rd", Nil)),
    ("kx", "gete_rhost", Get("$rd", Empty)),
    ("kx", "getw_rhost", Get("$rd", Word)),
    ("kx", "get_ouri", Get("$ou", Nil)),
    ("kx", "get_furi", Get("$fu", Nil)),
    ("kx", "get_fuser", Get("$fU", Nil)),
    ("kx", "gete_fuser", Get("$fU", Empty)),
    ("kx", "getw_fuser", Get("$fU", Word)),
    ("kx", "get_fhost", Get("$fd", Nil)),
    ("kx", "gete_fhost", Get("$fd", Empty)),
    ("kx", "getw_fhost", Get("$fd", Word)),
    ("kx", "get_turi", Get("$tu", Nil)),
    ("kx", "get_tuser", Get("$tU", Nil)),
    ("kx", "gete_tuser", Get("$tU", Empty)),
    ("kx", "getw_tuser", Get("$tU", Word)),
    ("kx", "get_thost", Get("$td", Nil)),
    ("kx", "gete_thost", Get("$td", Empty)),
    ("kx", "getw_thost", Get("$td", Word)),
    ("kx", "get_duri", Get("$du", Nil)),
    ("kx", "gete_duri", Get("$du", Empty)),
    ("kx", "getw_duri", Get("$du", Word)),
    ("kx", "get_cturi", Get("$ctu", Nil)),
    ("kx", "gete_cturi", Get("$ctu", Empty)),
    ("kx", "getw_cturi", Get("$ctu", Word)),
    ("kx", "get_nhuri", Get("$nh(u)", Nil)),
    ("kx", "get_srcuri", Get("$su", Nil)),
    ("kx", "get_srcaddr_sock", Get("$sas", Nil)),
    ("kx", "get_ua", Get("$ua", Nil)),
    ("kx", "gete_ua", Get("$ua", Empty)),
    ("kx", "getw_ua", Get("$ua", Word)),
    ("kx", "get_srcip", Get("$si", Nil)),
    ("kx", "get_srcport", Get("$sp", Nil)),
    ("kx", "get_send_sock", Get("$fs", Nil)),
    ("kx", "get_send_sock_name", Get("$fsn", Nil)),
    ("kx", "get_send_sock_port", Get("$fsp", Zero)),
    ("kx", "get_rcvip", Get("$Ri", Nil)),
    ("kx", "get_rcv_sock_name", Get("$Rn", Nil)),
    ("kx", "get_rcvport", Get("$Rp", Nil)),
    ("kx", "get_rcvadvip", Get("$RAi", Nil)),
    ("kx", "get_rcvadvport", Get("$RAp", Nil)),
    ("kx", "get_rcvaddr_sock", Get("$Ras", Nil)),
    ("kx", "get_proto", Get("$pr", Nil)),
    ("kx", "get_protoid", Get("$prid", Zero)),
    ("kx", "get_au", Get("$au", Nil)),
    ("kx", "gete_au", Get("$au", Empty)),
    ("kx", "getw_au", Get("$au", Word)),
    ("kx", "get_method", Get("$rm", Nil)),
    ("kx", "get_status", STATUS),
    (
        "kx",
        "gets_status",
        Ask(|run, _| {
            let status = run.reply_status();
            (status > 0)
                .then(|| Value::from(status.to_string().as_str()))
                .into()
        }),
    ),
    ("kx", "get_body", Get("$rb", Nil)),
    ("kx", "gete_body", Get("$rb", Empty)),
    ("kx", "getw_body", Get("$rb", Word)),
    (
        "kx",
        "get_bodylen",
        Ask(|run, _| Value::Int(run.msg.message.body().len() as i64)),
    ),
    ("kx", "get_timestamp", Get("$TS", Zero)),
    ("kx", "get_callid", Get("$ci", Nil)),
    ("kx", "get_conid", Get("$conid", Zero)),
    (
        "kx",
        "get_msgbuf",
        Ask(|run, _| run.msg.message.bytes().into()),
    ),
    (
        "kx",
        "get_msglen",
        Ask(|run, _| Value::Int(run.msg.message.bytes().len() as i64)),
    ),
    (
        "kx",
        "get_msgtype",
        Ask(|run, _| Value::Int(if run.msg.message.is_request() { 1 } else { 2 })),
    ),
    (
        "kx",
        "get_def",
        Ask(|run, a| define(run, a).unwrap_or_else(|| Value::from(""))),
    ),
    (
        "kx",
        "get_defn",
        Ask(|run, a| {
            let number = define(run, a).and_then(|text| text.to_int());
            Value::Int(number.unwrap_or(0))
        }),
    ),
    (
        "kx",
        "ifdef",
        Ask(|run, a| Value::Int(if define(run, a).is_some() { 1 } else { -1 })),
    ),
    (
        "kx",
        "ifndef",
        Ask(|run, a| Value::Int(if define(run, a).is_none() { 1 } else { -1 })),
    ),
    (
        "kx",
        "get_env",
        Ask(|_, a| environment(a).unwrap_or_else(|| Value::from(""))),
    ),
    (
        "kx",
        "get_envn",
        Ask(|_, a| {
            let number = environment(a).and_then(|text| text.to_int());
            Value::Int(number.unwrap_or(0))
        }),
    ),
];

/// -1 in a request.
const STATUS: Meaning = Ask(|run, _| match run.reply_status() {
    0 => Value::Int(-1),
    status => Value::Int(i64::from(status)),
});

fn define(run: &Run, arguments: &[Value]) -> Option<Value> {
    let name = arguments.first()?.to_str();
    run.script.define(&name).map(Value::from)
}

fn environment(arguments: &[Value]) -> Option<Value> {
    let name = arguments.first()?.to_str();
    let value = std::env::var(name.as_str()?).ok()?;
    Some(Value::from(value.as_str()))
}
