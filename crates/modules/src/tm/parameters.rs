//! The parameters of module `tm`, and what becomes of them.

use engine::{
    InitError, ParameterRow, ParameterType, ParameterValue, Parameters, Relaying, Run, Setup,
    UnmatchedCancel,
};
use transaction::{Forget, SilentBranch};

use super::State;
use crate::row::no_callback;

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

/// The longest timer, ms: a day.
const LONGEST_MS: i64 = 86_400_000;

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
        only_0,
        "Provisional replies to our own requests; only 0.",
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
        "No meaning here: contacts of one instance are tried by preference only.",
    ),
    text(
        "ulattrs_xavp_name",
        None,
        Some(no_xavp),
        "Attributes of registrations are not copied.",
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
        Some(no_sl_reply),
        "Use reply_route for replies without a transaction.",
    ),
    text(
        "event_callback",
        None,
        Some(no_callback),
        "A function of another language; use the event routes.",
    ),
    text(
        "event_callback_lres_sent",
        None,
        Some(no_callback),
        "As above: event_route[tm:local-response].",
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
        check: Some(no_tw_append),
        doc: "Requests are not written to other programs.",
    },
    int("unix_tx_timeout", 500, any, "No meaning here: as above."),
    text(
        "ac_extra_hdrs",
        None,
        None,
        "Headers whose names begin so are copied into CANCEL and ACK.",
    ),
    int(
        "rich_redirect",
        0,
        only_0,
        "Branch attributes in the Contact of redirections; only 0.",
    ),
    int(
        "failure_exec_mode",
        0,
        only_0,
        "Failure routes that run without a branch; only 0.",
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

fn number(value: &ParameterValue) -> i64 {
    match value {
        ParameterValue::Int(number) => *number,
        ParameterValue::Str(_) => i64::MIN,
    }
}

fn within(value: &ParameterValue, least: i64, most: i64) -> Result<(), String> {
    if (least..=most).contains(&number(value)) {
        Ok(())
    } else {
        Err(format!("the value must be {least} to {most}"))
    }
}

fn timer(value: &ParameterValue) -> Result<(), String> {
    within(value, 1, LONGEST_MS)
}

fn flag(value: &ParameterValue) -> Result<(), String> {
    within(value, 0, 1)
}

fn up_to_2(value: &ParameterValue) -> Result<(), String> {
    within(value, 0, 2)
}

fn up_to_3(value: &ParameterValue) -> Result<(), String> {
    within(value, 0, 3)
}

fn priority(value: &ParameterValue) -> Result<(), String> {
    within(value, -10_000, 10_000)
}

fn final_status(value: &ParameterValue) -> Result<(), String> {
    within(value, 400, 699)
}

fn only_0(value: &ParameterValue) -> Result<(), String> {
    match number(value) {
        0 => Ok(()),
        _ => Err("only 0 is supported".to_owned()),
    }
}

fn only_1(value: &ParameterValue) -> Result<(), String> {
    match number(value) {
        1 => Ok(()),
        _ => Err("only 1 is supported".to_owned()),
    }
}

fn any(_: &ParameterValue) -> Result<(), String> {
    Ok(())
}

fn phrase(value: &ParameterValue) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) if text.contains(['\r', '\n']) => {
            Err("a reason phrase is one line".to_owned())
        }
        _ => Ok(()),
    }
}

fn unless_empty(value: &ParameterValue, fault: &str) -> Result<(), String> {
    match value {
        ParameterValue::Str(text) if text.is_empty() => Ok(()),
        _ => Err(fault.to_owned()),
    }
}

fn no_xavp(value: &ParameterValue) -> Result<(), String> {
    unless_empty(value, "attributes of contacts are not copied into an xavp")
}

fn no_sl_reply(value: &ParameterValue) -> Result<(), String> {
    unless_empty(value, "use reply_route for replies without a transaction")
}

fn no_tw_append(value: &ParameterValue) -> Result<(), String> {
    unless_empty(value, "t_write_req() and t_write_unix() are not supported")
}

fn no_failover_codes(value: &ParameterValue) -> Result<(), String> {
    unless_empty(value, "replies do not cause another address to be tried")
}

/// Builds the settings of transactions and of relaying.
pub(super) fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let parameters = setup.parameters;
    let max_branches = u8::try_from(setup.settings.max_branches).unwrap_or(u8::MAX);
    setup.settings.transactions = transactions(parameters, max_branches);
    setup.settings.relaying = relaying(parameters);
    let state = State {
        fr_timer: setup.variable("tm", "fr_timer_avp")?,
        fr_inv_timer: setup.variable("tm", "fr_inv_timer_avp")?,
        has_contacts: parameters.text("tm", "contacts_avp").is_some(),
        defaults: setup.settings.transactions,
    };
    if state.fr_timer.is_some() || state.fr_inv_timer.is_some() {
        setup.hooks.transaction_created.push(timers_from_variables);
    }
    setup.put_state(state);
    Ok(())
}

fn transactions(parameters: &Parameters, max_branches: u8) -> transaction::Settings {
    let int = |name| parameters.int("tm", name);
    let is_on = |name| int(name) != 0;
    let ms = |name| u32::try_from(int(name)).unwrap_or(u32::MAX);
    let copied = parameters.text("tm", "ac_extra_hdrs");
    transaction::Settings {
        timers: transaction::Timers {
            fr_timer: ms("fr_timer"),
            fr_inv_timer: ms("fr_inv_timer"),
            max_inv_lifetime: ms("max_inv_lifetime"),
            max_noninv_lifetime: ms("max_noninv_lifetime"),
            wt_timer: ms("wt_timer"),
            retr_timer1: ms("retr_timer1"),
            retr_timer2: ms("retr_timer2"),
        },
        policy: transaction::Policy {
            restart_fr_on_each_reply: is_on("restart_fr_on_each_reply"),
            cancel_b_method: match int("cancel_b_method") {
                0 => SilentBranch::Fake487,
                2 => SilentBranch::CancelAnyway,
                _ => SilentBranch::WaitForProvisional,
            },
            disable_6xx_block: is_on("disable_6xx_block"),
            failure_reply_mode: match int("failure_reply_mode") {
                0 => Forget::Nothing,
                2 => Forget::LastLeg,
                _ => Forget::All,
            },
            faked_reply_prio: i32::try_from(int("faked_reply_prio")).unwrap_or(0),
            aggregate_challenges: is_on("aggregate_challenges"),
            local_cancel_reason: is_on("local_cancel_reason"),
            e2e_cancel_reason: is_on("e2e_cancel_reason"),
            relay_100: is_on("relay_100"),
            timeout_status: u16::try_from(int("reply_408_code")).unwrap_or(408),
            max_branches,
        },
        // Set once for the process, and needed as long as it lives.
        copied_headers: copied.map(|prefix| &*prefix.into_bytes().leak()),
    }
}

fn relaying(parameters: &Parameters) -> Relaying {
    let phrase = |name| parameters.str("tm", name).unwrap_or_default().into_bytes();
    Relaying {
        auto_inv_100: parameters.int("tm", "auto_inv_100") != 0,
        auto_inv_100_reason: phrase("auto_inv_100_reason"),
        unmatched_cancel: match parameters.int("tm", "unmatched_cancel") {
            1 => UnmatchedCancel::Stateless,
            2 => UnmatchedCancel::Drop,
            _ => UnmatchedCancel::Stateful,
        },
        remap_503_500: parameters.int("tm", "remap_503_500") != 0,
        reply_408_reason: phrase("reply_408_reason"),
        pass_provisional_replies: parameters.int("tm", "pass_provisional_replies") != 0,
        default_code: u16::try_from(parameters.int("tm", "default_code")).unwrap_or(500),
        default_reason: phrase("default_reason"),
    }
}

/// `fr_timer_avp` and `fr_inv_timer_avp`: seconds, for the transaction that was just made.
fn timers_from_variables(run: &mut Run) {
    let state = run.state::<State>();
    let mut ms = |variable: &Option<script::Variable>| {
        let seconds = variable
            .as_ref()
            .and_then(|variable| variable.get(run).to_int())
            .unwrap_or(0);
        u32::try_from(seconds.saturating_mul(1000)).unwrap_or(0)
    };
    let (fr_timer, fr_inv_timer) = (ms(&state.fr_timer), ms(&state.fr_inv_timer));
    // Its result is that of the script function: always the same here.
    let _ = super::settings::set_fr(run, fr_inv_timer, fr_timer);
}
