//! The module's parameters. What a later part of Tandem will bring is refused unless it has its default.

use engine::ParameterType::{Int, Repeated, Str};
use engine::{ParameterRow, ParameterValue};

use crate::row::{not_negative, parameter_row as row, positive};

/// A name in the database.
const fn stored(name: &'static str, default: &'static str) -> ParameterRow {
    let doc = "Name of a table or column.";
    row(name, Str(Some(default)), Some(identifier), doc)
}

/// A name that only the manual of 3.2 gives to a column.
const fn old(name: &'static str, default: &'static str) -> ParameterRow {
    let doc = "The name that the manual of 3.2 gives to a column's parameter.";
    row(name, Str(Some(default)), Some(identifier), doc)
}

/// Names of the manual of 3.2, and what they are called today.
#[rustfmt::skip]
pub(super) static OLD_NAMES: &[(&str, &str)] = &[
    ("callid_column", "call_id_column"),
    ("caller_cseq_column", "from_cseq_column"),
    ("callee_cseq_column", "to_cseq_column"),
    ("caller_route_column", "from_route_column"),
    ("callee_route_column", "to_route_column"),
    ("caller_contact_column", "from_contact_column"),
    ("callee_contact_column", "to_contact_column"),
    ("caller_sock_column", "from_sock_column"),
    ("callee_sock_column", "to_sock_column"),
    ("toroute_column", "toroute_name_column"),
];

/// Parameters that mean nothing here, and why.
pub(super) static WITHOUT_MEANING: &[(&str, &str)] = &[
    (
        "timer_procs",
        "each worker minds the deadlines of its part of the calls",
    ),
    (
        "debug_variables",
        "there is no list of variables that could go wrong; dlg.dlg_list shows them",
    ),
    ("xavp_cfg", "it has none in Kamailio either"),
];

#[rustfmt::skip]
pub(super) static PARAMETERS: &[ParameterRow] = &[
    row("enable_stats", Int(1), None, "Show the five statistics."),
    row("hash_size", Int(4096), None, "Slots of the table; rounded down to a power of two."),
    row("rr_param", Str(Some("did")), None, "The Record-Route parameter that carries the cookie; 1 to 32 characters."),
    row("dlg_flag", Int(-1), Some(dlg_flag), "The message flag that makes a call of an INVITE when its transaction is made."),
    row("timeout_avp", Str(None), None, "The variable that holds a call's lifetime in seconds."),
    row("default_timeout", Int(43_200), Some(default_timeout), "The lifetime of an answered call, seconds."),
    row("early_timeout", Int(300), Some(seconds), "How long a call may wait for its answer, seconds."),
    row("noack_timeout", Int(60), Some(seconds), "How long an answered call may wait for its ACK, seconds."),
    row("end_timeout", Int(300), Some(seconds), "How long the record of an ended call may stay, seconds."),
    row("dlg_extra_hdrs", Str(None), None, "Header lines for each BYE made here."),
    row("dlg_match_mode", Int(0), Some(match_mode), "Requests find their call: 0 by cookie, 1 by cookie or tags, 2 by tags."),
    row("detect_spirals", Int(1), Some(switch), "An INVITE that comes round again belongs to the call that it began."),
    row("db_url", Str(Some("mysql://kamailio:kamailiorw@localhost/kamailio")), Some(db_url), "The database, driver://user:password@host/database; without effect while db_mode is 0."),
    row("db_mode", Int(0), Some(db_mode), "When calls are saved: 0 never, 1 before anybody is told of a change, 2 now and then, 3 at a graceful end."),
    row("db_update_period", Int(60), Some(positive), "Seconds between two savings with db_mode 2."),
    row("db_fetch_rows", Int(200), Some(not_negative), "Rows read at a time at start, where the database lets us choose; 0 for as many as suit it."),
    row("db_skip_load", Int(0), Some(switch), "Do not read calls at start."),
    row("db_commit_window", Int(5), Some(not_negative), "Milliseconds from one commit to the next at least, so that changes of many calls share it, with db_mode 1."),
    row("db_hold_time", Int(200), Some(positive), "Milliseconds after which a message leaves although its change is not saved yet, with db_mode 1."),
    row("db_queue_max", Int(1_000_000), Some(positive), "Calls that may wait to be saved while the database is away."),
    row("db_fail_policy", Str(Some("continue")), Some(fail_policy), "What happens to new calls when more wait than that: continue takes them, refuse answers 503."),
    row("db_start_wait", Int(10), Some(not_negative), "Seconds for which a database that is not there is waited for at start."),
    stored("table_name", "dialog"),
    stored("call_id_column", "callid"),
    stored("from_uri_column", "from_uri"),
    stored("from_tag_column", "from_tag"),
    stored("to_uri_column", "to_uri"),
    stored("to_tag_column", "to_tag"),
    stored("from_cseq_column", "caller_cseq"),
    stored("to_cseq_column", "callee_cseq"),
    stored("from_route_column", "caller_route_set"),
    stored("to_route_column", "callee_route_set"),
    stored("from_contact_column", "caller_contact"),
    stored("to_contact_column", "callee_contact"),
    stored("from_sock_column", "caller_sock"),
    stored("to_sock_column", "callee_sock"),
    stored("h_id_column", "hash_id"),
    stored("h_entry_column", "hash_entry"),
    stored("state_column", "state"),
    stored("start_time_column", "start_time"),
    stored("timeout_column", "timeout"),
    stored("sflags_column", "sflags"),
    stored("toroute_name_column", "toroute_name"),
    stored("vars_table_name", "dialog_vars"),
    stored("vars_h_id_column", "hash_id"),
    stored("vars_h_entry_column", "hash_entry"),
    stored("vars_key_column", "dialog_key"),
    stored("vars_value_column", "dialog_value"),
    row("profiles_with_value", Str(None), None, "Profiles whose memberships have a value; names separated by `;`."),
    row("profiles_no_value", Str(None), None, "Profiles without values; names separated by `;`."),
    row("bridge_controller", Str(Some("sip:controller@kamailio.org")), None, "The URI in From and Referred-By of bridging requests."),
    row("bridge_contact", Str(Some("sip:controller@kamailio.org:5060")), None, "The URI in Contact of bridging requests."),
    row("initial_cbs_inscript", Int(1), Some(switch), "When observers hear of a new call: 1 at dlg_manage(), 0 when its INVITE has its transaction."),
    row("send_bye", Int(0), None, "Every call that expires is ended by BYE to both sides."),
    row("dlg_filter_mode", Int(0), None, "Leave calls alone whose socket is none of ours (bit 1): no keep-alives, no timeout."),
    row("wait_ack", Int(1), None, "Keep the record of a failed call until its transaction is gone."),
    row("ka_timer", Int(0), Some(not_negative), "0 for no keep-alives; else they are spread over this many seconds."),
    row("ka_interval", Int(0), Some(ka_interval), "Seconds between two keep-alives of a call; without effect while ka_timer is 0."),
    row("ka_failed_limit", Int(1), Some(positive), "Keep-alives that one party leaves unanswered before the call ends."),
    row("timeout_noreset", Int(0), Some(switch), "Requests within a call do not restart its lifetime."),
    row("timer_procs", Int(0), Some(not_negative), "Has no meaning here: each worker minds the deadlines of its part of the calls."),
    row("enable_dmq", Int(0), Some(enable_dmq), "Share calls with other nodes: not yet."),
    row("track_cseq_updates", Int(0), Some(switch), "Raise CSeq after uac_auth() and requests of our own, so that it rises for both sides."),
    row("lreq_callee_headers", Str(None), None, "Further header lines for requests to callees."),
    row("event_callback", Str(None), None, "With `cfgengine`, the function that is called with the name of each event."),
    row("h_id_start", Int(0), None, "Where h_id begins when h_id_step is above 1; -1 for server_id."),
    row("h_id_step", Int(1), None, "The distance between two h_id."),
    row("keep_proxy_rr", Repeated, Some(keep_proxy_rr), "Own Record-Routes stay in the callee's route set (1), are put into the caller's (2)."),
    row("bye_early_code", Int(480), Some(bye_early_code), "What the caller is answered when dlg_bye() ends an unanswered call."),
    row("bye_early_reason", Str(Some("Temporarily Unavailable")), None, "The reason beside bye_early_code."),
    row("dlg_ctxiuid_mode", Int(0), None, "is_known_dlg() makes the call of a CANCEL the current one (1)."),
    row("debug_variables", Int(0), None, "Has no meaning here: memory of variables is not counted by hand."),
    row("ruri_pvar", Str(Some("$ru")), Some(ruri_pvar), "The variable recorded as the call's Request-URI."),
    row("xavp_cfg", Str(None), None, "Has no meaning, as in Kamailio."),
    old("callid_column", "callid"),
    old("caller_cseq_column", "caller_cseq"),
    old("callee_cseq_column", "callee_cseq"),
    old("caller_route_column", "caller_route_set"),
    old("callee_route_column", "callee_route_set"),
    old("caller_contact_column", "caller_contact"),
    old("callee_contact_column", "callee_contact"),
    old("caller_sock_column", "caller_sock"),
    old("callee_sock_column", "callee_sock"),
    old("toroute_column", "toroute_name"),
];

fn int(value: &ParameterValue) -> i64 {
    match value {
        ParameterValue::Int(number) => *number,
        ParameterValue::Str(text) => text.trim().parse().unwrap_or(i64::MIN),
    }
}

fn require(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text()) }
}

fn dlg_flag(value: &ParameterValue) -> Result<(), String> {
    let flag = int(value);
    require(flag <= 31, || format!("invalid dlg flag {flag}!!"))
}

fn default_timeout(value: &ParameterValue) -> Result<(), String> {
    let seconds = int(value);
    require((1..=i64::from(u32::MAX)).contains(&seconds), || {
        "0 default_timeout not accepted!!".to_owned()
    })
}

fn match_mode(value: &ParameterValue) -> Result<(), String> {
    let mode = int(value);
    require((0..=2).contains(&mode), || {
        format!("invalid value {mode} for seq_match_mode param!!")
    })
}

fn switch(value: &ParameterValue) -> Result<(), String> {
    let number = int(value);
    require((0..=1).contains(&number), || {
        format!("{number} is neither 0 nor 1")
    })
}

fn db_mode(value: &ParameterValue) -> Result<(), String> {
    let mode = int(value);
    require((0..=3).contains(&mode), || {
        format!("unsupported db_mode {mode}")
    })
}

/// Seconds of a state's deadline: Kamailio takes any number.
fn seconds(value: &ParameterValue) -> Result<(), String> {
    let seconds = int(value);
    require((0..=i64::from(u32::MAX)).contains(&seconds), || {
        format!("{seconds} is no number of seconds")
    })
}

fn db_url(value: &ParameterValue) -> Result<(), String> {
    let ParameterValue::Str(url) = value else {
        return Ok(());
    };
    if url.is_empty() {
        return Ok(());
    }
    store::Url::parse(url)
        .map(drop)
        .map_err(|error| format!("db_url: {error}"))
}

fn fail_policy(value: &ParameterValue) -> Result<(), String> {
    let ParameterValue::Str(word) = value else {
        return Ok(());
    };
    require(["continue", "refuse"].contains(&word.as_str()), || {
        format!("\"{word}\" is neither continue nor refuse")
    })
}

/// The name of a table or column.
fn identifier(value: &ParameterValue) -> Result<(), String> {
    let ParameterValue::Str(name) = value else {
        return Ok(());
    };
    let mut letters = name.bytes();
    let fits = letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.'));
    require(fits && !name.is_empty(), || {
        format!("\"{name}\" is no name of a table or column")
    })
}

fn ka_interval(value: &ParameterValue) -> Result<(), String> {
    let seconds = int(value);
    require(!(1..30).contains(&seconds), || {
        format!("ka interval too low ({seconds}), has to be at least 30")
    })
}

fn enable_dmq(value: &ParameterValue) -> Result<(), String> {
    require(int(value) == 0, || {
        "Tandem does not share calls over DMQ yet: enable_dmq has to be 0".to_owned()
    })
}

fn keep_proxy_rr(value: &ParameterValue) -> Result<(), String> {
    require((0..=3).contains(&int(value)), || {
        "invalid value for keep_proxy_rr".to_owned()
    })
}

fn bye_early_code(value: &ParameterValue) -> Result<(), String> {
    let code = int(value);
    require((300..=699).contains(&code), || {
        format!("{code} is no code of a negative final reply, 300 to 699")
    })
}

fn ruri_pvar(value: &ParameterValue) -> Result<(), String> {
    let is_variable = matches!(value, ParameterValue::Str(text) if text.starts_with('$'));
    require(is_variable, || "malformed ruri_pvar".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_parameter_has_one_row() {
        let mut names: Vec<_> = PARAMETERS.iter().map(|row| row.name).collect();
        let documented = 67;
        let (undocumented, of_old_manual, own) = (2, 10, 5);
        assert_eq!(names.len(), documented + undocumented + of_old_manual + own);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PARAMETERS.len());
    }

    #[test]
    fn defaults_pass_their_own_checks() {
        for row in PARAMETERS {
            let value = match row.kind {
                Int(number) => ParameterValue::Int(number),
                Str(Some(text)) => ParameterValue::Str(text.to_owned()),
                _ => continue,
            };
            if let Some(check) = row.check {
                assert_eq!(check(&value), Ok(()), "{}", row.name);
            }
        }
    }
}
