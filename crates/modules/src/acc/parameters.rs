//! The parameters of `acc`.

use engine::{ParameterRow, ParameterType, ParameterValue};

use crate::row::{checked, parameter, positive};

use ParameterType::{Int, Str};

const NO_DATABASE: &str = "Has no meaning without a database.";
const NO_CDRS: &str = "Has no meaning without CDRs.";

/// All of them.
pub(super) static PARAMETERS: &[ParameterRow] = &[
    checked(
        "log_flag",
        Int(-1),
        flag,
        "The message flag of requests whose transactions are logged; -1 none.",
    ),
    checked(
        "log_missed_flag",
        Int(-1),
        flag,
        "The message flag of INVITEs whose failure is logged; reset when that was done.",
    ),
    checked(
        "failed_transaction_flag",
        Int(-1),
        flag,
        "The message flag with which negative final replies are logged too.",
    ),
    checked(
        "failed_filter",
        Str(None),
        filter,
        "Negative statuses that are not logged all the same, with commas between them.",
    ),
    parameter(
        "early_media",
        Int(0),
        "Logs provisional replies with a body.",
    ),
    parameter(
        "report_ack",
        Int(0),
        "Logs the first ACK to a 2xx that is relayed.",
    ),
    parameter("report_cancels", Int(0), "Logs CANCEL transactions too."),
    parameter(
        "detect_direction",
        Int(0),
        "Swaps the tags of requests from the callee; needs `append_fromtag` of module rr.",
    ),
    checked(
        "acc_prepare_flag",
        Int(-1),
        flag,
        "The message flag of requests that may get one of the other flags later.",
    ),
    parameter(
        "acc_prepare_always",
        Int(0),
        "Every request may get one of the flags later.",
    ),
    checked(
        "multi_leg_info",
        Str(None),
        unset,
        "Values of each call leg; only empty so far.",
    ),
    parameter(
        "reason_from_hf",
        Int(0),
        "Takes the reason from the reply's first Reason header, if there is one.",
    ),
    parameter(
        "log_level",
        Int(1),
        "The level of the lines: 1 L_NOTICE; lower is more important.",
    ),
    checked(
        "log_facility",
        Str(Some("LOG_DAEMON")),
        crate::xlog::facility,
        "The facility of the lines in the system log.",
    ),
    parameter(
        "log_extra",
        Str(None),
        "More values behind each line: `name=$variable;…`.",
    ),
    checked(
        "acc_extra_size",
        Int(64),
        positive,
        "How many values `log_extra` may have.",
    ),
    parameter(
        "clone_msg",
        Int(1),
        "Has no meaning: requests are never shared.",
    ),
    checked(
        "time_mode",
        Int(0),
        time_mode,
        "A second time in each line: 1 microseconds, 2 seconds with thousandths, 3 local, 4 universal time.",
    ),
    parameter(
        "time_attr",
        Str(Some("time_attr")),
        "The name of that time with `time_mode` 2 to 4.",
    ),
    parameter(
        "time_exten",
        Str(Some("time_exten")),
        "The name of the microseconds with `time_mode` 1.",
    ),
    parameter(
        "time_format",
        Str(Some("%Y-%m-%d %H:%M:%S")),
        "What strftime makes of the time with `time_mode` 3 and 4.",
    ),
    checked("db_flag", Int(-1), no_database, "No database so far: -1."),
    checked(
        "db_missed_flag",
        Int(-1),
        no_database,
        "No database so far: -1.",
    ),
    checked(
        "db_url",
        Str(None),
        no_database,
        "No database so far: empty.",
    ),
    parameter("db_extra", Str(None), NO_DATABASE),
    parameter("db_table_acc", Str(Some("acc")), NO_DATABASE),
    parameter(
        "db_table_missed_calls",
        Str(Some("missed_calls")),
        NO_DATABASE,
    ),
    parameter("db_insert_mode", Int(0), NO_DATABASE),
    parameter("acc_extra_nullable", Int(0), NO_DATABASE),
    parameter("acc_method_column", Str(Some("method")), NO_DATABASE),
    parameter("acc_from_tag_column", Str(Some("from_tag")), NO_DATABASE),
    parameter("acc_to_tag_column", Str(Some("to_tag")), NO_DATABASE),
    parameter("acc_callid_column", Str(Some("callid")), NO_DATABASE),
    parameter("acc_sip_code_column", Str(Some("sip_code")), NO_DATABASE),
    parameter(
        "acc_sip_reason_column",
        Str(Some("sip_reason")),
        NO_DATABASE,
    ),
    parameter("acc_time_column", Str(Some("time")), NO_DATABASE),
    checked(
        "cdr_enable",
        Int(0),
        no_cdrs,
        "One record for each call; only 0 so far.",
    ),
    parameter("cdr_skip", Str(None), NO_CDRS),
    parameter("cdr_log_enable", Int(1), NO_CDRS),
    parameter("cdr_start_on_confirmed", Int(0), NO_CDRS),
    parameter("cdr_facility", Str(Some("LOG_DAEMON")), NO_CDRS),
    parameter("cdr_extra", Str(None), NO_CDRS),
    parameter("cdr_extra_nullable", Int(0), NO_CDRS),
    parameter("cdr_extra_size", Int(64), NO_CDRS),
    parameter("cdr_start_id", Str(Some("start_time")), NO_CDRS),
    parameter("cdr_end_id", Str(Some("end_time")), NO_CDRS),
    parameter("cdr_duration_id", Str(Some("duration")), NO_CDRS),
    parameter("cdr_expired_dlg_enable", Int(0), NO_CDRS),
    parameter("cdr_on_failed", Int(1), NO_CDRS),
    parameter("cdrs_table", Str(None), NO_CDRS),
];

fn flag(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(-1..=31) => Ok(()),
        _ => Err("a message flag is 0 to 31, or -1 for none".to_owned()),
    }
}

fn filter(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) => statuses(text).map(drop),
        ParameterValue::Int(_) => Err("failed_filter is a string".to_owned()),
    }
}

/// The statuses of `failed_filter`.
pub(super) fn statuses(text: &str) -> Result<Vec<u16>, String> {
    let words = text.split(',').filter(|_| !text.is_empty());
    let status = |word: &str| {
        let number = word.trim().parse().ok();
        number
            .filter(|status| (300..1000).contains(status))
            .ok_or_else(|| format!("\"{word}\" is no status from 300 to 999"))
    };
    words.map(status).collect()
}

fn time_mode(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..=4) => Ok(()),
        _ => Err("time_mode is 0 to 4".to_owned()),
    }
}

fn is_unset(value: &ParameterValue) -> bool {
    match value {
        ParameterValue::Int(number) => *number == -1,
        ParameterValue::Str(text) => text.is_empty(),
    }
}

fn unset(value: &ParameterValue) -> Result<(), String> {
    if is_unset(value) {
        return Ok(());
    }
    Err("Tandem does not log values of each leg yet: use log_extra".to_owned())
}

fn no_database(value: &ParameterValue) -> Result<(), String> {
    if is_unset(value) {
        return Ok(());
    }
    Err(
        "Tandem does not write accounting records to a database yet: use log_flag and log_missed_flag"
            .to_owned(),
    )
}

fn no_cdrs(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0) => Ok(()),
        _ => Err("Tandem does not write CDRs yet: cdr_enable must be 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_list_of_negative_statuses() {
        assert_eq!(statuses(""), Ok(vec![]));
        assert_eq!(statuses("404,407, 999"), Ok(vec![404, 407, 999]));
        for wrong in ["200", "40", "404,", "404;407", "1000"] {
            assert!(statuses(wrong).is_err(), "{wrong}");
        }
    }
}
