//! Kamailio's own management clients, kamcmd, kamctl and kamcli, against both programs.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::support::agent::Transport;
use crate::support::call::{Leg, reply, standalone};
use crate::support::normal::shape;
use crate::support::{Program, Scene, golden, peers, process, rpc};

const LIMIT: Duration = Duration::from_secs(10);

/// kamcmd sessions whose whole output has to agree.
const KAMCMD_SAME: &[&[&str]] = &[
    &["core.echo", "1", "two", "s:3", "four words"],
    &["core.printi", "7"],
    &["core.prints", "text"],
    &["core.sockets_list"],
    &["corex.list_sockets"],
    &["core.flags_none"],
    &["core.tcp_info"],
    &["dlg.list"],
    &["dlg.dlg_list", "managed@test"],
    &["dlg.dlg_list", "managed@test", "alice-tag"],
    &["dlg.dlg_list", "other@test"],
    &["dlg.dlg_list"],
    &["dlg.briefing", "fcFs"],
    &["dlg.stats_active"],
    &["dlg.profile_get_size", "inbound"],
    &["dlg.profile_get_size", "caller"],
    &["dlg.profile_get_size", "caller", "alice"],
    &["dlg.profile_get_size", "nope"],
    &["dlg.profile_list", "caller", "alice"],
    &["dlg.is_alive", "managed@test", "alice-tag", "bob-tag"],
    &["dlg.is_alive", "managed@test", "alice-tag", "other-tag"],
    &["dlg.end_dlg", "1", "2"],
    &["dlg.terminate_dlg", "a", "b", "c"],
    &["stats.get_statistics", "dialog:"],
    &["stats.get_statistics", "nope"],
    &["stats.fetch", "dialog:"],
    &["stats.fetchn", "dialog:"],
    &["stats.get_statistics", "active_dialogs"],
    &["cnt.get", "dialog", "active_dialogs"],
    &["cnt.grp_get_all", "dialog"],
    &["cnt.get", "dialog", "nope"],
    &["sl.stats"],
    &["tm.cancel", "nope", "s:1"],
    &["ul.dump"],
    &["ul.dump", "brief"],
    &["ul.lookup", "location", "bob"],
    &["ul.lookup", "location", "nobody"],
    &["ul.lookup"],
    &[
        "ul.add",
        "location",
        "dora",
        "sip:dora@192.0.2.9",
        "60",
        "0.5",
        "s:.",
        "0",
        "0",
        "0",
    ],
    &["ul.lookup", "location", "dora"],
    &["ul.rm", "location", "dora"],
    &["ul.lookup", "location", "dora"],
    &["system.methodHelp", "no.such"],
    &["no.such"],
];

/// kamcmd sessions whose output differs by nature; the names and kinds of what is there have to agree.
const KAMCMD_SHAPE: &[&[&str]] = &[
    &["core.uptime"],
    &["core.shmmem"],
    &["core.runinfo"],
    &["core.info"],
];

/// Starts the dialog configuration with one call up and one phone registered, and with more lines if need be.
pub fn managed(program: Program, more: &str) -> Option<Scene> {
    let values = [
        ("MATCH_MODE", "1"),
        ("LIFETIME", "3600"),
        ("SEND_BYE", "0"),
        ("T1", "2500"),
        ("MORE", more),
    ];
    let mut s = Scene::start(program, "dialog.cfg", &values)?;
    let alice = s.agent("alice", 10, Transport::Udp);
    let bob = s.agent("bob", 20, Transport::Udp);
    let registrar = s.lab.server().to_string();
    let mut register = standalone(
        s.at(bob),
        "REGISTER",
        &format!("sip:{registrar}"),
        "register@test",
    );
    for (name, value) in &mut register.headers {
        if name == "To" {
            *value = format!("<sip:bob@{registrar}>");
        }
    }
    s.send(bob, &register);
    s.expect(bob, "200 REGISTER");
    let target = s.uri(bob);
    let mut caller = Leg::caller(s.at(alice), "managed@test", &target);
    let invite = caller.invite(s.at(alice));
    s.send(alice, &invite);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    let ok = reply(s.at(bob), &received, 200, "OK", "bob-tag");
    s.send(bob, &ok);
    let ok = s.expect(alice, "200 INVITE");
    caller.learn(&ok);
    let ack = caller.ack(s.at(alice));
    s.send(alice, &ack);
    s.expect(bob, "ACK");
    s.forget();
    Some(s)
}

fn kamcmd(program: Program) {
    let Some(mut s) = managed(program, "") else {
        return;
    };
    for args in KAMCMD_SAME {
        let Some(output) = rpc::kamcmd(s.lab.directory(), args) else {
            return;
        };
        s.note(&format!("kamcmd {}", args.join(" ")));
        s.record_fields(&output);
    }
    for args in KAMCMD_SHAPE {
        let Some(output) = rpc::kamcmd(s.lab.directory(), args) else {
            return;
        };
        s.note(&format!("kamcmd {} (shape)", args.join(" ")));
        s.record(&shape(&output));
    }
    golden::check(program, "kamcmd", &s.finish());
}

/// Every command that a configuration with the stock modules has in Kamailio, and its documentation is not empty.
fn listed_methods(program: Program) {
    let Some(s) = managed(program, "") else {
        return;
    };
    let Some(output) = rpc::kamcmd(s.lab.directory(), &["system.listMethods"]) else {
        return;
    };
    let mut names: Vec<&str> = output.lines().collect();
    names.sort_unstable();
    if program == Program::Kamailio {
        return golden::check(program, "methods", &(names.join("\n") + "\n"));
    }
    // What Tandem has to have: the commands that operators and their tools use.
    let wanted = fs::read_to_string(crate::support::lab::test_file("tables/methods.txt"))
        .expect("the list is there");
    let missing: Vec<&str> = wanted
        .lines()
        .filter(|name| !names.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "these commands are missing: {missing:?}"
    );
}

/// kamctl talks JSON-RPC over the FIFO.
fn kamctl(program: Program) {
    let Some(kamctl) = peers::require("kamctl") else {
        return;
    };
    let Some(mut s) = managed(program, "") else {
        return;
    };
    let settings = format!(
        "RPCFIFOPATH={0}/kamailio_rpc.fifo\nCTLENGINE=RPCFIFO\nSIP_DOMAIN=test.example\n",
        s.lab.directory().display()
    );
    s.lab.write(".kamctlrc", &settings);
    for args in [
        &["rpc", "core.echo", "one", "2"][..],
        &["rpc", "dlg.stats_active"],
        &["rpc", "dlg.profile_get_size", "caller"],
        &["rpc", "no.such"],
        &["stats", "dialog"],
        &["ul", "show", "bob"],
        &["dialog", "show"],
    ] {
        let mut command = Command::new(&kamctl);
        command
            .args(args)
            .env("HOME", s.lab.directory())
            .current_dir(s.lab.directory());
        let (_, output) = process::run(&mut command, LIMIT);
        s.note(&format!("kamctl {}", args.join(" ")));
        s.record_fields(&output);
    }
    golden::check(program, "kamctl", &s.finish());
}

/// kamcli talks JSON-RPC over the datagram socket; its FIFO transport is broken in Debian's version.
fn kamcli(program: Program) {
    let Some(kamcli) = peers::require("kamcli") else {
        return;
    };
    let Some(mut s) = managed(program, "") else {
        return;
    };
    let config = s.lab.write(
        "kamcli.ini",
        "[main]\ndomain=test.example\n[jsonrpc]\ntransport=socket\noutformat=json\n\
         srvaddr=%DIR%/kamailio_rpc.sock\nrcvaddr=%DIR%/kamcli.sock\n",
    );
    for args in [
        &["rpc", "core.echo", "one", "2"][..],
        &["rpc", "dlg.stats_active"],
        &["rpc", "dlg.profile_get_size", "caller"],
        &["rpc", "no.such"],
        &["dialog", "list"],
        &["ul", "show", "bob"],
        &["stats", "dialog"],
    ] {
        let mut command = Command::new(&kamcli);
        command
            .arg("-c")
            .arg(&config)
            .args(args)
            .env("HOME", s.lab.directory());
        command
            .env("LC_ALL", "C.UTF-8")
            .current_dir(s.lab.directory());
        let (_, output) = process::run(&mut command, LIMIT);
        assert!(
            !output.contains("Traceback"),
            "kamcli does not understand:\n{output}"
        );
        s.note(&format!("kamcli {}", args.join(" ")));
        s.record_fields(&output);
    }
    golden::check(program, "kamcli", &s.finish());
}

macro_rules! sessions {
    ($($name:ident),*) => {
        $(mod $name {
            use super::*;

            #[test]
            fn kamailio() {
                super::$name(Program::Kamailio);
            }

            #[test]
            fn tandem() {
                super::$name(Program::Tandem);
            }
        })*
    };
}

sessions!(kamcmd, listed_methods, kamctl, kamcli);
