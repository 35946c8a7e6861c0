//! Functions of modules that have another name in KEMI than in the native language, and those that it alone has.

use super::core::truth;
use super::meaning::Meaning::{Do, Get, IsNull, Row as Of, Set, Unset};
use super::meaning::Missing::{Empty, Given, Nil, Word, Zero};
use super::meaning::Row;

pub(super) static TABLE: &[Row] = &[
    // Variables.
    ("pv", "get", Get("{0}", Nil)),
    ("pv", "gete", Get("{0}", Empty)),
    ("pv", "getw", Get("{0}", Word)),
    ("pv", "geti", Get("{0}", Zero)),
    ("pv", "getvn", Get("{0}", Given)),
    ("pv", "getvs", Get("{0}", Given)),
    ("pv", "seti", Set("{0}")),
    ("pv", "sets", Set("{0}")),
    ("pv", "unset", Unset("{0}")),
    ("pv", "is_null", IsNull("{0}")),
    ("pvx", "evalx", Of("pv", "pv_evalx")),
    ("pvx", "xavp_copy_dst", Of("pv", "xavp_copy")),
    // Calls.
    (
        "dialog",
        "dlg_set_timeout_id",
        Of("dialog", "dlg_set_timeout"),
    ),
    (
        "dialog",
        "set_dlg_profile_static",
        Of("dialog", "set_dlg_profile"),
    ),
    (
        "dialog",
        "unset_dlg_profile_static",
        Of("dialog", "unset_dlg_profile"),
    ),
    (
        "dialog",
        "is_in_profile_static",
        Of("dialog", "is_in_profile"),
    ),
    (
        "dialog",
        "get_profile_size_static",
        Of("dialog", "get_profile_size"),
    ),
    ("dialog", "var_sets", Set("$dlg_var({0})")),
    ("dialog", "var_get", Get("$dlg_var({0})", Nil)),
    ("dialog", "var_gete", Get("$dlg_var({0})", Empty)),
    ("dialog", "var_getw", Get("$dlg_var({0})", Word)),
    ("dialog", "var_rm", Unset("$dlg_var({0})")),
    ("dialog", "var_is_null", IsNull("$dlg_var({0})")),
    // Destinations.
    ("corex", "append_branch_uri", Of("corex", "append_branch")),
    ("corex", "append_branch_uri_q", Of("corex", "append_branch")),
    (
        "corex",
        "has_ruri_user",
        Do(|run, _| {
            let user = sip::Uri::parse(run.msg.uri()).ok().and_then(|uri| uri.user);
            truth(user.is_some_and(|user| !user.is_empty()))
        }),
    ),
    (
        "corex",
        "has_user_agent",
        Do(|run, _| {
            let agent = run.msg.message.value(sip::HeaderId::UserAgent);
            truth(agent.is_some_and(|agent| !agent.is_empty()))
        }),
    ),
    // Transactions.
    ("tm", "t_get_branch_index", Get("$T_branch_idx", Zero)),
    ("tm", "t_set_fr_inv", Of("tm", "t_set_fr")),
    ("tm", "t_relay_to_proxy", Of("tm", "t_relay_to")),
    ("tm", "t_relay_to_flags", Of("tm", "t_relay_to")),
    ("tm", "t_relay_to_proxy_flags", Of("tm", "t_relay_to")),
    ("tm", "t_drop_replies_all", Of("tm", "t_drop_replies")),
    ("tm", "t_lookup_cancel_flags", Of("tm", "t_lookup_cancel")),
    (
        "tmx",
        "t_cancel_callid_reason",
        Of("tmx", "t_cancel_callid"),
    ),
    ("tmx", "t_drop_rcode", Of("tmx", "t_drop")),
    // Routes of a call.
    ("rr", "record_route_params", Of("rr", "record_route")),
    (
        "rr",
        "record_route_preset_one",
        Of("rr", "record_route_preset"),
    ),
    ("rr", "next_hop_route", Of("rr", "rr_next_hop_route")),
    // Registrations.
    ("registrar", "save_uri", Of("registrar", "save")),
    ("registrar", "lookup_uri", Of("registrar", "lookup")),
    ("registrar", "registered_uri", Of("registrar", "registered")),
    (
        "registrar",
        "registered_flags",
        Of("registrar", "registered"),
    ),
    (
        "registrar",
        "registered_action",
        Of("registrar", "registered"),
    ),
    (
        "registrar",
        "unregister_ruid",
        Of("registrar", "unregister"),
    ),
    // Texts.
    ("textops", "has_body_type", Of("textops", "has_body")),
    (
        "textops",
        "append_body_part_cd",
        Of("textops", "append_body_part"),
    ),
    (
        "textops",
        "append_body_part_hex_cd",
        Of("textops", "append_body_part_hex"),
    ),
    (
        "textops",
        "set_body_multipart_mode",
        Of("textops", "set_body_multipart"),
    ),
    ("textopsx", "keep_hf_re", Of("textopsx", "keep_hf")),
    ("textopsx", "fnmatch_ex", Of("textopsx", "fnmatch")),
    (
        "textopsx",
        "hf_iterator_hname",
        Get("$hfitname({0})", Empty),
    ),
    (
        "textopsx",
        "hf_iterator_hbody",
        Get("$hfitbody({0})", Empty),
    ),
    ("textopsx", "bl_iterator_value", Get("$blitval({0})", Empty)),
    (
        "siputils",
        "is_first_hop_mode",
        Of("siputils", "is_first_hop"),
    ),
    ("siputils", "uri_param_value", Of("siputils", "uri_param")),
    (
        "sanity",
        "sanity_check_defaults",
        Of("sanity", "sanity_check"),
    ),
    (
        "textops",
        "set_body_multipart_boundary",
        Of("textops", "set_body_multipart"),
    ),
    (
        "textops",
        "set_body_multipart_content",
        Of("textops", "set_body_multipart"),
    ),
    // Requests of our own.
    ("uac", "uac_replace_from_uri", Of("uac", "uac_replace_from")),
    ("uac", "uac_replace_to_uri", Of("uac", "uac_replace_to")),
    // Databases.
    ("sqlops", "sql_num_rows", Get("$dbr({0}=>rows)", Zero)),
    ("sqlops", "sql_num_columns", Get("$dbr({0}=>cols)", Zero)),
    ("sqlops", "sql_is_null", IsNull("$dbr({0}=>[{1},{2}])")),
    ("sqlops", "sql_result_get", Get("$dbr({0}=>[{1},{2}])", Nil)),
    (
        "sqlops",
        "sql_result_gete",
        Get("$dbr({0}=>[{1},{2}])", Empty),
    ),
    (
        "sqlops",
        "sql_result_getz",
        Get("$dbr({0}=>[{1},{2}])", Zero),
    ),
    // Counters and commands.
    ("counters", "inc", Of("counters", "cnt_inc")),
    ("counters", "add", Of("counters", "cnt_add")),
    ("counters", "reset", Of("counters", "cnt_reset")),
    ("jsonrpcs", "exec", Of("jsonrpcs", "jsonrpc_exec")),
    ("jsonrpcs", "execx", Of("jsonrpcs", "jsonrpc_exec")),
    ("jsonrpcs", "response", Get("$jsonrpl(body)", Nil)),
];
