//! The configuration read again while the server runs, which is Tandem's own.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::agent::{PATIENCE, Transport};
use crate::support::call::standalone;
use crate::support::scene::Who;
use crate::support::{Program, Scene};

const HEAD: &str = r#"#!KAMAILIO
debug=1
log_stderror=yes
listen=udp:%IP%:5060
loadmodule "jsonrpcs.so"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "rr.so"
loadmodule "dialog.so"
modparam("jsonrpcs", "transport", 4)
modparam("jsonrpcs", "dgram_socket", "%DIR%/kamailio_rpc.sock")
modparam("dialog", "profiles_no_value", "calls")
"#;

fn start(script: &str) -> Option<Scene> {
    Scene::start_text(Program::Tandem, &format!("{HEAD}{script}"))
}

/// Puts another configuration in the place of the server's.
fn rewrite(s: &Scene, text: &str) {
    s.lab.write("server.cfg", text);
}

fn reload(s: &mut Scene) -> Value {
    s.ask("cfg.reload", &json!([]))
}

/// The reason phrase of the answer to an OPTIONS request.
fn asked(s: &mut Scene, client: Who) -> String {
    let target = s.server_uri("x");
    let request = standalone(s.at(client), "OPTIONS", &target, "asked@test");
    s.send(client, &request);
    let answer = s.at(client).receive(PATIENCE);
    let answer = answer.unwrap_or_else(|| s.fail("no answer"));
    let text = answer.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("SIP/2.0 404 ").trim().to_owned()
}

fn await_log(s: &mut Scene, text: &str) {
    let start = Instant::now();
    while !s.server.log().contains(text) {
        if start.elapsed() > PATIENCE {
            s.fail(&format!("the log never has {text:?}"));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn answering(phrase: &str) -> String {
    format!("request_route {{ sl_send_reply(\"404\", \"{phrase}\"); }}\n")
}

/// New variables, blocks in another order, another prefix: all of it counts for the next message.
#[test]
fn a_signal_brings_new_routes() {
    let Some(mut s) = start(&answering("One")) else {
        return;
    };
    let client = s.agent("client", 10, Transport::Udp);
    assert_eq!(asked(&mut s, client), "One");
    let script = "log_prefix=\"<$rm> \"\nroute[NEW] { $var(new) = \"Two\"; $vn(other) = 7; }\n\
                  #!define PHRASE 1\n\
                  request_route { route(NEW); xlog(\"L_NOTICE\", \"$var(new) $vn(other) $defn(PHRASE)\\n\");\n\
                  sl_send_reply(\"404\", \"$var(new)\"); }\n";
    rewrite(&s, &format!("{HEAD}{script}"));
    s.server.process().signal(Signal::SIGHUP);
    await_log(
        &mut s,
        "configuration read again: 2 route blocks are in force",
    );
    assert_eq!(asked(&mut s, client), "Two");
    await_log(&mut s, "<OPTIONS> <script>: Two 7 1");
}

/// The command answers with every mistake and its place, and nothing changes.
#[test]
fn an_error_leaves_everything_as_it_is() {
    let Some(mut s) = start(&answering("One")) else {
        return;
    };
    let client = s.agent("client", 10, Transport::Udp);
    for (wrong, wanted) in [
        (
            "request_route { sl_send_replay(\"404\", \"Two\"); }",
            "sl_send_reply",
        ),
        (
            "request_route { set_dlg_profile(\"others\"); }",
            "profile \"others\" is not declared",
        ),
        (
            "loadmodule \"maxfwd.so\"\nrequest_route { exit; }",
            "module maxfwd is new: it needs a restart",
        ),
    ] {
        rewrite(&s, &format!("{HEAD}{wrong}\n"));
        let answer = reload(&mut s);
        let text = answer["message"].as_str().unwrap_or_default().to_owned();
        assert!(text.contains(wanted), "{answer}");
        assert_eq!(asked(&mut s, client), "One");
    }
    await_log(&mut s, "server.cfg:16:17: error:");
    await_log(
        &mut s,
        "the configuration has errors: everything stays as it was",
    );
}

/// What a restart would be needed for is named, and the routes are exchanged all the same.
#[test]
fn what_cannot_be_exchanged_is_named() {
    let Some(mut s) = start(&answering("One")) else {
        return;
    };
    let client = s.agent("client", 10, Transport::Udp);
    let text = format!("{HEAD}{}", answering("Two"))
        .replace("\"calls\"", "\"calls;more\"")
        .replace("loadmodule \"textops.so\"\n", "")
        .replace("debug=1", "debug=2\nserver_signature=no\nchildren=3")
        .replace("%IP%:5060", "%IP%:5060 name \"own\"");
    rewrite(&s, &text);
    let answer = reload(&mut s);
    let wanted = json!([
        "server_signature",
        "listen",
        "modparam dialog profiles_no_value",
        "loadmodule textops"
    ]);
    assert_eq!(answer["needs_restart"], wanted, "{answer}");
    assert_eq!(
        (&answer["generation"], &answer["routes"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(asked(&mut s, client), "Two");
    rewrite(&s, &format!("{HEAD}{}", answering("Three")));
    assert_eq!(reload(&mut s)["needs_restart"], json!([]));
    assert_eq!(asked(&mut s, client), "Three");
}

/// A transaction ends with the routes that it began with, and so does a run that waits.
#[test]
fn what_has_begun_ends_with_its_own_routes() {
    let script = |mark: &str| {
        format!(
            "request_route {{\n\
             if (is_method(\"OPTIONS\")) {{ sl_send_reply(\"404\", \"{mark}\"); exit; }}\n\
             t_on_failure(\"F\"); t_on_branch(\"B\"); $du = \"sip:%NET%.20:5060\"; t_relay(); }}\n\
             failure_route[F] {{ xlog(\"L_NOTICE\", \"{mark} failed\\n\"); t_on_branch(\"B\");\n\
             $du = \"sip:%NET%.30:5060\"; append_branch(); route(R); }}\n\
             route[R] {{ t_relay(); }}\n\
             branch_route[B] {{ xlog(\"L_NOTICE\", \"{mark} branch\\n\"); }}\n"
        )
    };
    let head = format!("{HEAD}loadmodule \"corex.so\"\nloadmodule \"siputils.so\"\n");
    let Some(mut s) = Scene::start_text(Program::Tandem, &format!("{head}{}", script("old")))
    else {
        return;
    };
    let alice = s.agent("alice", 10, Transport::Udp);
    let bob = s.agent("bob", 20, Transport::Udp);
    let carol = s.agent("carol", 30, Transport::Udp);
    let target = s.uri(bob);
    let invite = standalone(s.at(alice), "INVITE", &target, "begun@test");
    s.send(alice, &invite);
    s.expect(alice, "100 INVITE");
    let received = s.expect(bob, "INVITE");
    await_log(&mut s, "<script>: old branch");
    // The new routes stand in another order, so that no number of a block fits by chance.
    let new = format!(
        "route[FIRST] {{ exit; }}\nroute[SECOND] {{ exit; }}\n{}",
        script("new")
    );
    for _ in 0..3 {
        rewrite(&s, &format!("{head}{new}"));
        assert_eq!(reload(&mut s)["routes"], 6);
    }
    assert_eq!(asked(&mut s, alice), "new");
    s.reply(bob, &received, 486, "Busy Here", "bob-tag");
    s.expect(bob, "ACK");
    s.expect(carol, "INVITE");
    let log = s.server.log();
    assert_eq!(log.matches("<script>: old failed").count(), 1, "{log}");
    assert_eq!(log.matches("<script>: old branch").count(), 2, "{log}");
    assert!(!log.contains("<script>: new"), "{log}");
}

/// A run that waits goes on where it stopped.
#[test]
fn a_waiting_run_goes_on_with_its_own_routes() {
    let head = format!("{HEAD}loadmodule \"cfgutils.so\"\n");
    let script = "request_route { xlog(\"L_NOTICE\", \"waits\\n\"); usleep(\"700000\"); route(END); }\n\
                  route[END] { sl_send_reply(\"404\", \"Old\"); }\n";
    let Some(mut s) = Scene::start_text(Program::Tandem, &format!("{head}{script}")) else {
        return;
    };
    let client = s.agent("client", 10, Transport::Udp);
    let target = s.server_uri("x");
    let request = standalone(s.at(client), "OPTIONS", &target, "waiting@test");
    s.send(client, &request);
    await_log(&mut s, "<script>: waits");
    rewrite(&s, &format!("{head}{}", answering("New")));
    assert_eq!(reload(&mut s)["routes"], 1);
    let answer = s.at(client).receive(PATIENCE);
    let answer = answer.unwrap_or_else(|| s.fail("no answer")).to_string();
    assert!(answer.starts_with("SIP/2.0 404 Old"), "{answer}");
    assert_eq!(asked(&mut s, client), "New");
}
