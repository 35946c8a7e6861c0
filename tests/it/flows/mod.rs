//! Call flows through `configs/dialog.cfg`, message by message, with the dialog table shown at each step.

mod basic;
mod creation;
mod ends;
mod failures;
mod forks;
mod inside;
mod management;
mod own;
mod races;
mod registrations;
mod scripts;
mod steps;
mod uac;
mod wishes;

use crate::support::agent::Transport;
use crate::support::{Program, Scene, golden};

/// What a flow may set in the configuration.
#[derive(Clone, Copy)]
pub struct Setting {
    /// The configuration.
    pub config: &'static str,
    pub match_mode: &'static str,
    pub lifetime: &'static str,
    pub send_bye: &'static str,
    /// First retransmission interval in ms: long, so that a slow machine adds no messages, where it is not the subject.
    pub t1: &'static str,
    /// Further parameters.
    pub more: &'static str,
    /// What the agents speak where the flow does not say.
    pub transport: Transport,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            config: "dialog.cfg",
            match_mode: "1",
            lifetime: "3600",
            send_bye: "0",
            t1: "2500",
            more: "",
            transport: Transport::Udp,
        }
    }
}

fn run(program: Program, name: &str, setting: Setting, flow: fn(&mut Scene)) {
    let values = [
        ("MATCH_MODE", setting.match_mode),
        ("LIFETIME", setting.lifetime),
        ("SEND_BYE", setting.send_bye),
        ("T1", setting.t1),
        ("MORE", setting.more),
    ];
    // Kamailio's processes race now and then: what it does at least once in three times is what it does.
    let tries = if program == Program::Kamailio { 3 } else { 1 };
    for left in (0..tries).rev() {
        let Some(mut scene) = Scene::start(program, setting.config, &values) else {
            return;
        };
        scene.transport = setting.transport;
        flow(&mut scene);
        let recording = scene.finish();
        if left == 0 || golden::is_kept(name, &recording) {
            return golden::check(program, name, &recording);
        }
    }
}

macro_rules! flows {
    ($prefix:literal; $($module:ident::$flow:ident $({ $($field:ident: $value:expr),* })?;)*) => {
        $(mod $flow {
            use super::*;

            fn setting() -> Setting {
                Setting { $($($field: $value,)*)? ..Setting::default() }
            }

            #[test]
            fn kamailio() {
                run(Program::Kamailio, concat!($prefix, stringify!($flow)), setting(), super::$module::$flow);
            }

            #[test]
            fn tandem() {
                run(Program::Tandem, concat!($prefix, stringify!($flow)), setting(), super::$module::$flow);
            }
        })*
    };
}

flows! {
    "";
    basic::basic_call;
    basic::basic_call_tcp;
    basic::udp_to_tcp;
    basic::bye_from_callee;
    basic::route_sets;
    basic::register_and_lookup;
    basic::unknown_user;
    registrations::contacts_come_and_go;
    registrations::call_to_two_contacts;
    wishes::contacts_found_are_shown { config: "registrar.cfg" };
    wishes::contacts_found_in_part { config: "registrar.cfg", more: "modparam(\"registrar\", \"xavp_rcd_mask\", 20)" };
    wishes::contacts_are_chosen { config: "registrar.cfg" };
    wishes::registrations_as_the_script_wishes { config: "registrar.cfg" };
    failures::cancel_after_ringing;
    failures::cancel_before_provisional { t1: "500" };
    failures::busy;
    failures::declined_6xx;
    failures::unavailable_503;
    failures::no_answer;
    failures::nobody_there;
    forks::fork_404_and_486;
    forks::fork_one_answers;
    forks::fork_6xx_cancels;
    forks::serial_fork;
    forks::several_early_dialogs;
    inside::reinvite;
    inside::in_dialog_requests;
    inside::match_by_cookie_only { match_mode: "0" };
    inside::match_without_cookie { match_mode: "2" };
    inside::bogus_cookie;
    races::lost_ack;
    races::retransmissions { t1: "500" };
    races::crossing_byes;
    races::late_answer_after_cancel;
    races::lost_negative_ack { t1: "500" };
    ends::lifetime_without_bye { lifetime: "2" };
    ends::lifetime_with_bye { lifetime: "2", send_bye: "1" };
    ends::ended_by_script;
    ends::ended_by_command;
    ends::terminated_by_command;
    ends::timeout_from_script;
    ends::bye_to_callee_only;
    ends::bye_to_caller_only;
    ends::lifetime_of_one_call;
    ends::lifetime_extended { lifetime: "3" };
    ends::lifetime_not_extended { lifetime: "3", more: "modparam(\"dialog\", \"timeout_noreset\", 1)" };
    creation::spiral;
    creation::spirals_not_detected { more: "modparam(\"dialog\", \"detect_spirals\", 0)" };
    creation::tracked_by_flag;
    creation::refused_without_transaction;
    creation::refused_with_transaction;
    creation::authentication_retry;
    creation::negative_without_waiting { more: "modparam(\"dialog\", \"wait_ack\", 0)" };
    creation::another_cookie_name { more: "modparam(\"dialog\", \"rr_param\", \"call\")" };
    inside::prack;
    inside::matched_by_manage;
    inside::what_the_script_sees;
    management::profiles_of_two_calls;
    management::variables;
    management::listings_of_two_calls;
    management::command_errors;
    own::keep_alive { more: "modparam(\"dialog\", \"ka_timer\", 1)\nmodparam(\"dialog\", \"ka_interval\", 30)\nmodparam(\"dialog\", \"lreq_callee_headers\", \"X-To: callee\\r\\n\")\nmodparam(\"dialog\", \"dlg_extra_hdrs\", \"X-Extra: all\\r\\n\")" };
    own::bridged_by_command;
    own::bridged_by_script { more: "modparam(\"dialog\", \"bridge_controller\", \"sip:ctd@test.example\")\nmodparam(\"dialog\", \"bridge_contact\", \"sip:ctd@test.example:5080\")" };
    own::remote_profiles;
    own::matching_lists;
    own::dumped;
    uac::challenge_answered { config: "uac.cfg" };
    uac::challenges_of_all_kinds { config: "uac.cfg" };
    uac::challenge_passed_on { config: "uac.cfg" };
    uac::cseq_tracked { config: "uac.cfg", more: "modparam(\"dialog\", \"track_cseq_updates\", 1)" };
    uac::replaced_in_all_ways { config: "uac.cfg" };
    uac::replaced_in_a_call { config: "uac.cfg" };
    uac::replaced_in_a_tracked_call { config: "uac.cfg", more: "modparam(\"uac\", \"restore_dlg\", 1)" };
    uac::asked_by_script { config: "uac.cfg", more: "modparam(\"tm\", \"enable_uac_fr\", 1)" };
}

/// What is put back only when the script says so, and not at all.
mod by_hand {
    use super::*;

    flows! {
        "";
        uac::restored_by_hand { config: "uac.cfg", more: "modparam(\"uac\", \"restore_mode\", \"manual\")" };
    }
}

mod without_restoring {
    use super::*;

    flows! {
        "none_";
        uac::replaced_in_a_call { config: "uac.cfg", more: "modparam(\"uac\", \"restore_mode\", \"none\")" };
    }
}

mod behind_a_password {
    use super::*;

    flows! {
        "password_";
        uac::replaced_in_a_call { config: "uac.cfg", more: "modparam(\"uac\", \"restore_passwd\", \"key\")" };
    }
}

/// The same over TCP, where nothing is repeated and a connection carries what belongs together.
mod over_tcp {
    use super::*;

    flows! {
        "tcp_";
        basic::bye_from_callee { transport: Transport::Tcp };
        basic::route_sets { transport: Transport::Tcp };
        failures::cancel_after_ringing { transport: Transport::Tcp };
        failures::busy { transport: Transport::Tcp };
        failures::no_answer { transport: Transport::Tcp };
        forks::fork_404_and_486 { transport: Transport::Tcp };
        forks::fork_one_answers { transport: Transport::Tcp };
        forks::serial_fork { transport: Transport::Tcp };
        inside::reinvite { transport: Transport::Tcp };
        inside::in_dialog_requests { transport: Transport::Tcp };
        races::crossing_byes { transport: Transport::Tcp };
        ends::lifetime_with_bye { lifetime: "2", send_bye: "1", transport: Transport::Tcp };
        ends::ended_by_command { transport: Transport::Tcp };
        management::profiles_of_two_calls { transport: Transport::Tcp };
    }
}

/// The same with all routes in Lua, in both programs: `configs/lua.lua` says what `configs/dialog.cfg` says.
mod in_lua {
    use super::*;

    flows! {
        "lua_";
        basic::basic_call { config: "lua.cfg" };
        basic::bye_from_callee { config: "lua.cfg" };
        basic::route_sets { config: "lua.cfg" };
        basic::register_and_lookup { config: "lua.cfg" };
        failures::cancel_after_ringing { config: "lua.cfg" };
        failures::busy { config: "lua.cfg" };
        failures::no_answer { config: "lua.cfg" };
        forks::fork_one_answers { config: "lua.cfg" };
        forks::serial_fork { config: "lua.cfg" };
        inside::reinvite { config: "lua.cfg" };
        inside::in_dialog_requests { config: "lua.cfg" };
        ends::lifetime_of_one_call { config: "lua.cfg" };
        ends::ended_by_script { config: "lua.cfg" };
        ends::timeout_from_script { config: "lua.cfg" };
        creation::spiral { config: "lua.cfg" };
        creation::tracked_by_flag { config: "lua.cfg" };
        creation::refused_without_transaction { config: "lua.cfg" };
        creation::refused_with_transaction { config: "lua.cfg" };
        management::profiles_of_two_calls { config: "lua.cfg" };
        management::variables { config: "lua.cfg" };
        scripts::functions { config: "lua.cfg", more: "loadmodule \"kemix.so\"\nloadmodule \"textopsx.so\"\nloadmodule \"sanity.so\"\nmodparam(\"app_lua\", \"load\", \"%CONFIGS%/api.lua\")" };
        scripts::event_callback { config: "lua.cfg", lifetime: "2", more: "debug=2\nmodparam(\"dialog\", \"event_callback\", \"ksr_dialog_event\")\nmodparam(\"app_lua\", \"load\", \"%CONFIGS%/dialog_event.lua\")" };
    }
}
