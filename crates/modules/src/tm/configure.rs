//! What becomes of the parameters: the settings of transactions and of relaying.

use engine::{InitError, Parameters, Relaying, RichRedirect, Run, Setup, UnmatchedCancel};
use script::BlockKind;
use transaction::{Forget, SilentBranch};

use super::State;

/// Builds the settings of transactions and of relaying.
pub(super) fn init(setup: &mut Setup<'_>) -> Result<(), InitError> {
    let parameters = setup.parameters;
    let max_branches = u8::try_from(setup.settings.max_branches).unwrap_or(u8::MAX);
    setup.settings.transactions = transactions(parameters, max_branches);
    setup.settings.relaying = relaying(parameters);
    setup.settings.relaying.on_sl_reply = on_sl_reply(setup)?;
    setup.event_callback("tm", "event_callback", &["tm:local-request"])?;
    setup.event_callback("tm", "event_callback_lres_sent", &["tm:local-response"])?;
    let state = State {
        fr_timer: setup.variable("tm", "fr_timer_avp")?,
        fr_inv_timer: setup.variable("tm", "fr_inv_timer_avp")?,
        writing: super::write::Writing::new(setup)?,
        has_contacts: parameters.text("tm", "contacts_avp").is_some(),
        defaults: setup.settings.transactions,
    };
    if state.fr_timer.is_some() || state.fr_inv_timer.is_some() {
        setup.hooks.transaction_created.push(timers_from_variables);
    }
    setup.hooks.config_selected.push(take_selected);
    setup.put_state(state);
    Ok(())
}

fn on_sl_reply(setup: &mut Setup<'_>) -> Result<Option<String>, InitError> {
    let Some(name) = setup.parameters.text("tm", "on_sl_reply") else {
        return Ok(None);
    };
    if setup.is_foreign() {
        return Ok(Some(name));
    }
    let wanted = name.clone();
    setup.check_program(move |program| {
        let block = program.block(BlockKind::OnReply, &wanted).map(drop);
        block.ok_or_else(|| {
            InitError(format!(
                "parameter on_sl_reply: there is no onreply_route[{wanted}]"
            ))
        })
    })?;
    Ok(Some(name))
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
            cancel_b_method: silent_branch(int("cancel_b_method")),
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
        rich_redirect: RichRedirect::from_bits(parameters.int("tm", "rich_redirect")),
        on_sl_reply: None,
        pass_provisional_replies: parameters.int("tm", "pass_provisional_replies") != 0,
        default_code: u16::try_from(parameters.int("tm", "default_code")).unwrap_or(500),
        default_reason: phrase("default_reason"),
    }
}

/// `cfg_select("tm", …)`: timers and policy of the transaction at hand, or the one to come.
fn take_selected(run: &mut Run, group: &str) {
    if group != "tm" {
        return;
    }
    let mut settings = run.state::<State>().defaults;
    let value = |name: &str| crate::cfg::selected_value(run, "tm", name)?.to_int();
    let set_ms = |timer: &mut u32, name: &str| {
        if let Some(ms) = value(name).and_then(|ms| u32::try_from(ms).ok()) {
            *timer = ms;
        }
    };
    let timers = &mut settings.timers;
    set_ms(&mut timers.fr_timer, "fr_timer");
    set_ms(&mut timers.fr_inv_timer, "fr_inv_timer");
    set_ms(&mut timers.max_inv_lifetime, "max_inv_lifetime");
    set_ms(&mut timers.max_noninv_lifetime, "max_noninv_lifetime");
    set_ms(&mut timers.wt_timer, "wt_timer");
    set_ms(&mut timers.retr_timer1, "retr_timer1");
    set_ms(&mut timers.retr_timer2, "retr_timer2");
    let set_on = |policy: &mut bool, name: &str| {
        if let Some(on) = value(name) {
            *policy = on != 0;
        }
    };
    let policy = &mut settings.policy;
    set_on(
        &mut policy.restart_fr_on_each_reply,
        "restart_fr_on_each_reply",
    );
    set_on(&mut policy.disable_6xx_block, "disable_6xx_block");
    set_on(&mut policy.aggregate_challenges, "aggregate_challenges");
    set_on(&mut policy.local_cancel_reason, "local_cancel_reason");
    set_on(&mut policy.e2e_cancel_reason, "e2e_cancel_reason");
    set_on(&mut policy.relay_100, "relay_100");
    if let Some(method) = value("cancel_b_method") {
        policy.cancel_b_method = silent_branch(method);
    }
    let auto_100 = value("auto_inv_100").map(|on| on != 0);
    *run.transaction_settings() = settings;
    run.shared().wishes.auto_100 = auto_100;
}

const fn silent_branch(method: i64) -> SilentBranch {
    match method {
        0 => SilentBranch::Fake487,
        2 => SilentBranch::CancelAnyway,
        _ => SilentBranch::WaitForProvisional,
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
