//! SIPp runs: many calls of one kind at once, over UDP and TCP, after which no call may be left over.

use serde_json::{Value, json};

use crate::support::agent::Transport;
use crate::support::sipp::Sipp;
use crate::support::{Program, Scene, peers};

const CALLS: u32 = 40;
const CALLS_PER_SECOND: u32 = 40;

/// Who calls and who is called.
struct Load {
    config: &'static str,
    caller: &'static str,
    callees: &'static [(u8, &'static str)],
    target: &'static str,
    /// Calls that are answered, of those made.
    answered: bool,
    transports: &'static [Transport],
}

const BOTH: &[Transport] = &[Transport::Udp, Transport::Tcp];

const fn load(caller: &'static str, callees: &'static [(u8, &'static str)]) -> Load {
    Load {
        config: "dialog.cfg",
        caller,
        callees,
        target: "bob",
        answered: true,
        transports: BOTH,
    }
}

fn run(program: Program, load: &Load) {
    let Some(sipp) = peers::require("sipp") else {
        return;
    };
    for &transport in load.transports {
        let values = [
            ("MATCH_MODE", "0"),
            ("LIFETIME", "60"),
            ("SEND_BYE", "0"),
            ("T1", "500"),
            ("MORE", ""),
        ];
        let Some(mut scene) = Scene::start(program, load.config, &values) else {
            return;
        };
        let callees: Vec<Sipp> = load
            .callees
            .iter()
            .map(|&(host, name)| Sipp::start(&sipp, &scene.lab, name, host, transport, CALLS, &[]))
            .collect();
        wait_for_callees(&scene, load, transport);
        let target = match load.target {
            "bob" => format!("bob@{}:5060{}", scene.lab.host(20), transport.parameter()),
            user => format!("{user}@{}", scene.lab.server()),
        };
        let rate = CALLS_PER_SECOND.to_string();
        let more = [
            "-key",
            "target",
            &target,
            "-r",
            &rate,
            "-max_invite_retrans",
            "20",
        ];
        let caller = Sipp::start(&sipp, &scene.lab, load.caller, 10, transport, CALLS, &more);
        let outcome: Result<Vec<()>, String> = [caller]
            .into_iter()
            .chain(callees)
            .map(Sipp::finish)
            .collect();
        if let Err(why) = outcome {
            scene.fail(&format!("{transport:?}: {why}"));
        }
        check_books(&mut scene, load.answered);
    }
}

/// SIPp needs a moment to bind its socket; a call must not come before.
fn wait_for_callees(scene: &Scene, load: &Load, transport: Transport) {
    for &(host, _) in load.callees {
        crate::support::process::await_bound((scene.lab.host(host), 5060).into(), transport);
    }
}

/// Every call was counted once, and none is left.
fn check_books(scene: &mut Scene, answered: bool) {
    let empty = |list: &Value| list.as_array().is_some_and(Vec::is_empty);
    scene.until("no dialog is left", "dlg.list", json!([]), empty);
    let failed = if answered { 0 } else { CALLS };
    let expected = [
        ("active", 0),
        ("early", 0),
        ("expired", 0),
        ("failed", failed),
        ("processed", CALLS),
    ]
    .map(|(name, n)| format!("dialog:{name}_dialogs = {n}"));
    assert_eq!(
        scene.ask("stats.get_statistics", &json!(["dialog:"])),
        json!(expected)
    );
    assert_eq!(
        scene.ask("dlg.profile_get_size", &json!(["inbound"])),
        json!(0)
    );
    assert_eq!(
        scene.ask("dlg.profile_get_size", &json!(["caller"])),
        json!(0)
    );
}

macro_rules! loads {
    ($($name:ident: $load:expr;)*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn kamailio() {
                run(Program::Kamailio, &$load);
            }

            #[test]
            fn tandem() {
                run(Program::Tandem, &$load);
            }
        })*
    };
}

loads! {
    basic: load("caller", &[(20, "callee")]);
    bye_from_callee: load("caller_waits", &[(20, "callee_ends")]);
    reinvite: load("caller_reinvites", &[(20, "callee_reinvited")]);
    lost_ack: Load { transports: &[Transport::Udp], ..load("caller_loses_ack", &[(20, "callee_repeats")]) };
    retransmissions: Load { transports: &[Transport::Udp], ..load("caller_lossy", &[(20, "callee")]) };
    cancel: Load { answered: false, ..load("caller_cancels", &[(20, "callee_cancelled")]) };
    busy: Load { answered: false, ..load("caller_refused", &[(20, "callee_busy")]) };
    fork: Load { target: "fork", ..load("caller", &[(20, "callee"), (30, "callee_cancelled")]) };
    in_lua: Load { config: "lua.cfg", ..load("caller", &[(20, "callee")]) };
    serial_fork: Load { target: "serial", ..load("caller", &[(20, "callee_busy"), (30, "callee")]) };
}
