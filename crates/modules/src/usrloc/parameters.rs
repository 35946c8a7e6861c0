//! The parameters of `usrloc`.

use engine::{ParameterRow, ParameterType, ParameterValue};

use crate::row::{checked, not_negative, off, parameter, unset};

use ParameterType::{Int, Str};

const NO_DATABASE: &str = "Has no meaning without a database.";
const NO_PINGS: &str = "Has no meaning while keep-alive requests are off.";

/// All of them.
pub(super) static PARAMETERS: &[ParameterRow] = &[
    checked(
        "db_mode",
        Int(0),
        memory_only,
        "Where locations are kept; 0 in memory.",
    ),
    parameter("db_url", Str(None), NO_DATABASE),
    parameter("db_load", Int(1), NO_DATABASE),
    parameter("db_insert_update", Int(0), NO_DATABASE),
    parameter("db_update_as_insert", Int(0), NO_DATABASE),
    parameter("db_check_update", Int(0), NO_DATABASE),
    parameter("db_ops_ruid", Int(1), NO_DATABASE),
    parameter("db_raw_fetch_type", Int(0), NO_DATABASE),
    parameter("db_insert_null", Int(0), NO_DATABASE),
    parameter("db_timer_clean", Int(0), NO_DATABASE),
    parameter("db_clean_tcp", Int(0), NO_DATABASE),
    parameter("expires_type", Int(0), NO_DATABASE),
    parameter("fetch_rows", Int(2000), NO_DATABASE),
    parameter("load_rank", Int(0), NO_DATABASE),
    parameter("version_table", Str(Some("version")), NO_DATABASE),
    parameter("server_id_filter", Int(0), NO_DATABASE),
    parameter("skip_remote_socket", Int(0), NO_DATABASE),
    parameter("ruid_column", Str(Some("ruid")), NO_DATABASE),
    parameter("user_column", Str(Some("username")), NO_DATABASE),
    parameter("domain_column", Str(Some("domain")), NO_DATABASE),
    parameter("contact_column", Str(Some("contact")), NO_DATABASE),
    parameter("expires_column", Str(Some("expires")), NO_DATABASE),
    parameter("q_column", Str(Some("q")), NO_DATABASE),
    parameter("callid_column", Str(Some("callid")), NO_DATABASE),
    parameter("cseq_column", Str(Some("cseq")), NO_DATABASE),
    parameter("flags_column", Str(Some("flags")), NO_DATABASE),
    parameter("cflags_column", Str(Some("cflags")), NO_DATABASE),
    parameter("user_agent_column", Str(Some("user_agent")), NO_DATABASE),
    parameter("received_column", Str(Some("received")), NO_DATABASE),
    parameter("path_column", Str(Some("path")), NO_DATABASE),
    parameter("socket_column", Str(Some("socket")), NO_DATABASE),
    parameter("methods_column", Str(Some("methods")), NO_DATABASE),
    parameter("instance_column", Str(Some("instance")), NO_DATABASE),
    parameter("reg_id_column", Str(Some("reg_id")), NO_DATABASE),
    parameter("server_id_column", Str(Some("server_id")), NO_DATABASE),
    parameter(
        "connection_id_column",
        Str(Some("connection_id")),
        NO_DATABASE,
    ),
    parameter("keepalive_column", Str(Some("keepalive")), NO_DATABASE),
    parameter("partition_column", Str(Some("partition")), NO_DATABASE),
    parameter(
        "timer_interval",
        Int(60),
        "Has no meaning: contacts end to the second.",
    ),
    parameter(
        "timer_procs",
        Int(0),
        "Has no meaning: the workers share the work.",
    ),
    parameter(
        "hash_size",
        Int(10),
        "What `ul.dump` shows as `Size`, as a power of two; tables grow by themselves.",
    ),
    parameter(
        "preload",
        ParameterType::Repeated,
        "Has no meaning: tables are made when they are named.",
    ),
    parameter(
        "nat_bflag",
        Int(-1),
        "The branch flag that marks contacts behind NAT, for keep-alives.",
    ),
    parameter(
        "use_domain",
        Int(0),
        "Addresses of record have a domain part.",
    ),
    parameter(
        "desc_time_order",
        Int(0),
        "Latest contact first, instead of most preferred first.",
    ),
    checked(
        "matching_mode",
        Int(0),
        matching,
        "What makes two contacts the same: 0 address, 1 and Call-ID, 2 and Path, 3 Call-ID alone.",
    ),
    checked(
        "cseq_delay",
        Int(20),
        not_negative,
        "For how many seconds an equal CSeq is a retransmission.",
    ),
    checked(
        "rm_expired_delay",
        Int(0),
        not_negative,
        "Seconds for which a contact that has ended is kept.",
    ),
    checked(
        "handle_lost_tcp",
        Int(0),
        off,
        "Removes contacts whose connection was lost.",
    ),
    checked(
        "close_expired_tcp",
        Int(0),
        off,
        "Closes the connection of a contact that has ended.",
    ),
    checked(
        "xavp_contact",
        Str(None),
        unset,
        "Keeps XAVPs with a contact.",
    ),
    checked(
        "ka_mode",
        Int(0),
        off,
        "Sends keep-alive requests to contacts.",
    ),
    parameter("ka_filter", Int(0), NO_PINGS),
    parameter("ka_timeout", Int(0), NO_PINGS),
    parameter("ka_domain", Str(None), NO_PINGS),
    parameter("ka_from", Str(None), NO_PINGS),
    parameter("ka_method", Str(Some("OPTIONS")), NO_PINGS),
    parameter("ka_loglevel", Int(255), NO_PINGS),
    parameter("ka_logmsg", Str(None), NO_PINGS),
];

fn memory_only(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0) => Ok(()),
        _ => Err("usrloc keeps locations in memory only so far: db_mode must be 0".to_owned()),
    }
}

fn matching(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Int(0..=3) => Ok(()),
        _ => Err("matching_mode is 0, 1, 2 or 3".to_owned()),
    }
}
