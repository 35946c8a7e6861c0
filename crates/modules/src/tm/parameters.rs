//! The parameters of module `tm`.

use engine::{ParameterRow, ParameterType, ParameterValue};

use super::check::*;

type Check = fn(&ParameterValue) -> Result<(), String>;

const fn int(name: &'static str, default: i64, check: Check, doc: &'static str) -> ParameterRow {
    ParameterRow {
        name,
        kind: ParameterType::Int(default),
        check: Some(check),
        doc,
    }
}

const fn text(
    name: &'static str,
    default: Option<&'static str>,
    check: Option<Check>,
    doc: &'static str,
) -> ParameterRow {
    ParameterRow {
        name,
        kind: ParameterType::Str(default),
        check,
        doc,
    }
}

pub(super) static PARAMETERS: &[ParameterRow] = &[
    int(
        "fr_timer",
        30_000,
        timer,
        "ms that a branch may stay without a final reply.",
    ),
    int(
        "fr_inv_timer",
        120_000,
        timer,
        "The same for INVITE after a provisional reply, ms.",
    ),
    int(
        "max_inv_lifetime",
        180_000,
        timer,
        "Lifetime of an INVITE's transaction, ms.",
    ),
    int(
        "max_noninv_lifetime",
        32_000,
        timer,
        "Lifetime of other transactions, ms.",
    ),
    int(
        "wt_timer",
        5_000,
        timer,
        "ms that a completed transaction absorbs retransmissions.",
    ),
    int(
        "retr_timer1",
        500,
        timer,
        "First retransmission interval, ms.",
    ),
    int(
        "retr_timer2",
        4_000,
        timer,
        "Longest retransmission interval, ms.",
    ),
    int(
        "restart_fr_on_each_reply",
        1,
        flag,
        "Restart fr_inv_timer at every provisional reply.",
    ),
    int(
        "auto_inv_100",
        1,
        flag,
        "Answer INVITE with 100 when it is relayed.",
    ),
    text(
        "auto_inv_100_reason",
        Some("trying -- your call is important to us"),
        Some(phrase),
        "The reason phrase of that 100.",
    ),
    int(
        "noisy_ctimer",
        1,
        flag,
        "No meaning here: a timeout is always answered.",
    ),
    int(
        "unmatched_cancel",
        0,
        up_to_2,
        "A CANCEL without its INVITE: 0 relayed with a transaction, 1 without, 2 dropped.",
    ),
    int(
        "reparse_invite",
        1,
        flag,
        "No meaning here: CANCEL and ACK are made from the INVITE as sent.",
    ),
    int(
        "reparse_on_dns_failover",
        1,
        flag,
        "No meaning here: the next address gets the request as it was sent.",
    ),
    int(
        "cancel_b_method",
        1,
        up_to_2,
        "A silent branch to be cancelled: 0 given up, 1 when it answers, 2 at once.",
    ),
    int(
        "aggregate_challenges",
        1,
        flag,
        "Collect the challenges of all branches.",
    ),
    int(
        "disable_6xx_block",
        0,
        flag,
        "Let other branches go on after a 6xx.",
    ),
    int(
        "failure_reply_mode",
        0,
        up_to_3,
        "Earlier replies forgotten when a failure route adds branches: 0 none, 1 and 3 all, 2 the last leg's.",
    ),
    int(
        "faked_reply_prio",
        0,
        priority,
        "Added to the rank of replies made here; lower ranks win.",
    ),
    int("remap_503_500", 1, flag, "Send a winning 503 as 500."),
    int(
        "local_cancel_reason",
        1,
        flag,
        "Name the cause in CANCELs that are decided here.",
    ),
    int(
        "e2e_cancel_reason",
        1,
        flag,
        "Copy the Reason of a received CANCEL.",
    ),
    int("relay_100", 0, flag, "Forward 100 replies."),
    int(
        "reply_408_code",
        408,
        final_status,
        "The status that stands for a timeout.",
    ),
    text(
        "reply_408_reason",
        Some("Request Timeout"),
        Some(phrase),
        "Its reason phrase.",
    ),
    int(
        "pass_provisional_replies",
        0,
        flag,
        "No meaning here: it is for modules that ask for replies made here, and none of those that are there does.",
    ),
    int(
        "ruri_matching",
        1,
        flag,
        "No meaning here: requests without a branch cookie match by RFC 3261 §17.2.3.",
    ),
    int("via1_matching", 1, flag, "No meaning here: as above."),
    int(
        "callid_matching",
        0,
        flag,
        "No meaning here: replies always match by Call-ID and CSeq too.",
    ),
    int(
        "callid_cseq_matching",
        0,
        flag,
        "No meaning here: as above.",
    ),
    int("reply_matching", 0, flag, "No meaning here: as above."),
    int(
        "default_code",
        500,
        final_status,
        "The status of a reply that was given 0.",
    ),
    text(
        "default_reason",
        Some("Server Internal Error"),
        Some(phrase),
        "The phrase of a reply that was given none.",
    ),
    text(
        "contacts_avp",
        None,
        None,
        "Must be set for t_load_contacts(); the value is not visible.",
    ),
    text(
        "contact_flows_avp",
        None,
        None,
        "Set with contacts_avp for t_next_contact_flow(); the value is not visible.",
    ),
    text(
        "xavp_contact",
        None,
        Some(no_xavp),
        "Attributes of contacts are not copied.",
    ),
    text(
        "fr_timer_avp",
        None,
        None,
        "A variable with fr_timer in seconds, read when the transaction is made.",
    ),
    text("fr_inv_timer_avp", None, None, "The same for fr_inv_timer."),
    text(
        "on_sl_reply",
        None,
        None,
        "An onreply_route for replies that belong to no transaction; 0 or drop does not pass them on.",
    ),
    text(
        "event_callback",
        None,
        None,
        "With `cfgengine`, the function to run for each request of our own, in the place of its event route.",
    ),
    text(
        "event_callback_lres_sent",
        None,
        None,
        "The same for replies made here with a transaction.",
    ),
    int(
        "blst_503",
        0,
        only_0,
        "A list of destinations that failed is not kept.",
    ),
    int(
        "blst_503_def_timeout",
        0,
        any,
        "No meaning here: no such list.",
    ),
    int(
        "blst_503_min_timeout",
        0,
        any,
        "No meaning here: no such list.",
    ),
    int(
        "blst_503_max_timeout",
        3_600,
        any,
        "No meaning here: no such list.",
    ),
    int("blst_methods_add", 1, any, "No meaning here: no such list."),
    int(
        "blst_methods_lookup",
        -1,
        any,
        "No meaning here: no such list.",
    ),
    ParameterRow {
        name: "tw_append",
        kind: ParameterType::Repeated,
        check: Some(super::write::check_append),
        doc: "What t_write_req() and t_write_unix() add: NAME:ELEMENT;…, each hdr[N], avp[N] or msg[body].",
    },
    int(
        "unix_tx_timeout",
        500,
        timer,
        "How long t_write_unix() waits for the socket, ms.",
    ),
    text(
        "ac_extra_hdrs",
        None,
        None,
        "Headers whose names begin so are copied into CANCEL and ACK.",
    ),
    int(
        "rich_redirect",
        0,
        up_to_3,
        "In the Contact of redirections: 1 branch flags, 2 the path, 3 both.",
    ),
    int(
        "failure_exec_mode",
        0,
        flag,
        "No meaning here: the script sees from t_relay() that nothing could be sent.",
    ),
    int(
        "dns_reuse_rcv_socket",
        0,
        flag,
        "No meaning here: the receiving socket is used where it fits.",
    ),
    int(
        "local_ack_mode",
        0,
        up_to_2,
        "No meaning here: an ACK goes where its INVITE went.",
    ),
    int("headers_mode", 0, any, "No meaning here."),
    int(
        "exec_time_check",
        5_000,
        any,
        "No meaning here: a slow script holds up its own call only.",
    ),
    int(
        "reply_relay_mode",
        1,
        any,
        "No meaning here: one call's replies are worked on in order.",
    ),
    int(
        "enable_uac_fr",
        0,
        any,
        "No meaning here: blind branches do not exist.",
    ),
    text(
        "failover_reply_codes",
        None,
        Some(no_failover_codes),
        "Only unanswered branches go to the next address.",
    ),
    int(
        "delayed_reply",
        1,
        only_1,
        "The error reply of t_relay() is sent when the script ends; only 1.",
    ),
    int("evlreq_mode", 0, any, "No meaning here."),
];
