//! Core settings that can be seen from outside, in Tandem and, where both should show the same, in Kamailio.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::agent::{PATIENCE, Transport};
use crate::support::call::standalone;
use crate::support::lab::Lab;
use crate::support::message::Message;
use crate::support::{Program, Scene, process};

const MODULES: &str = r#"
loadmodule "pv.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "xlog.so"
loadmodule "siputils.so"
"#;

fn start(program: Program, settings: &str, script: &str) -> Option<Scene> {
    let text = format!(
        "#!KAMAILIO\ndebug=2\nlog_stderror=yes\nchildren=1\nauto_aliases=no\n{settings}\n\
         listen=udp:%IP%:5060\n{MODULES}\n{script}\n"
    );
    Scene::start_text(program, &text)
}

/// The answer to an OPTIONS request of a client at host 10.
fn ask(s: &mut Scene, user: &str) -> Message {
    let client = s.agent("client", 10, Transport::Udp);
    let target = s.server_uri(user);
    let request = standalone(s.at(client), "OPTIONS", &target, "asked@test");
    s.send(client, &request);
    let answer = s.at(client).receive(PATIENCE);
    answer.unwrap_or_else(|| s.fail("no answer"))
}

/// Waits until the log has this text in one of its lines.
fn await_log(s: &mut Scene, text: &str) {
    let start = Instant::now();
    while !s.server.log().contains(text) {
        if start.elapsed() > PATIENCE {
            s.fail(&format!("the log never has {text:?}"));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

const BOTH: [Program; 2] = [Program::Kamailio, Program::Tandem];

/// The prefix stands before every line about a message, whoever writes it, and before no other.
#[test]
fn log_prefix_is_on_every_line_of_a_message() {
    for program in BOTH {
        let script = r#"request_route {
            xlog("L_NOTICE", "mine\n");
            $var(x) = 1 / $var(zero);
            sl_send_reply("404", "Gone");
        }"#;
        let Some(mut s) = start(program, "log_prefix=\"{$ci $rm} \"", script) else {
            continue;
        };
        ask(&mut s, "x");
        await_log(&mut s, "{asked@test OPTIONS} <script>: mine");
        await_log(&mut s, "{asked@test OPTIONS} <core>");
        let log = s.server.log();
        let first = log.lines().find(|line| line.contains("{asked"));
        let before = log.lines().take_while(|line| Some(*line) != first);
        assert!(
            before.count() > 0,
            "nothing was logged at the start:\n{log}"
        );
    }
}

/// With mode 1 the prefix shows what the script has just set.
#[test]
fn log_prefix_is_printed_anew_in_mode_1() {
    for program in BOTH {
        let script = r#"request_route {
            $var(step) = "one";
            xlog("L_NOTICE", "first\n");
            $var(step) = "two";
            xlog("L_NOTICE", "second\n");
            sl_send_reply("404", "Gone");
        }"#;
        let settings = "log_prefix=\"<$var(step)> \"\nlog_prefix_mode=1";
        let Some(mut s) = start(program, settings, script) else {
            continue;
        };
        ask(&mut s, "x");
        await_log(&mut s, "<one> <script>: first");
        await_log(&mut s, "<two> <script>: second");
    }
}

/// Kamailio makes JSON only by a switch of its command line.
#[test]
fn json_lines_have_the_names_of_kamailio() {
    let script =
        r#"request_route { xlog("L_NOTICE", "a \"b\"\n"); sl_send_reply("404", "Gone"); }"#;
    let settings = "log_prefix=\"{$rm} \"\nlog_engine_type=\"json\"\nlog_engine_data=\"Mc\"";
    let Some(mut s) = start(Program::Tandem, settings, script) else {
        return;
    };
    ask(&mut s, "x");
    await_log(&mut s, r#""callid": "asked@test""#);
    let log = s.server.log();
    let line = log.lines().find(|line| line.contains(r#"a \"b\""#));
    let line: serde_json::Value = serde_json::from_str(line.unwrap_or_default())
        .unwrap_or_else(|error| s.fail(&format!("{error}")));
    for (name, wanted) in [
        ("level", "NOTICE"),
        ("module", "xlog"),
        ("callid", "asked@test"),
        ("logprefix", "{OPTIONS} "),
        ("message", "a \"b\""),
    ] {
        assert_eq!(line[name], wanted, "{name} of {line}");
    }
}

/// What `sip_warning` adds, without the number of the process.
#[test]
fn sip_warning_tells_what_was_understood() {
    for program in BOTH {
        let script = r#"request_route { $rU = "new"; sl_send_reply("404", "Gone"); }"#;
        let Some(mut s) = start(program, "sip_warning=yes", script) else {
            continue;
        };
        let answer = ask(&mut s, "old");
        let warning = answer.header("Warning").to_owned();
        let server = s.lab.server();
        let client = s.lab.host(10);
        let wanted = format!("392 {server} \"Noisy feedback tells:  pid=");
        assert!(warning.starts_with(&wanted), "{program:?}: {warning}");
        let wanted = format!(
            " req_src_ip={client} req_src_port=5060 in_uri=sip:old@{server} out_uri=sip:new@{server} via_cnt==1\""
        );
        assert!(warning.ends_with(&wanted), "{program:?}: {warning}");
    }
}

/// Replies go to the address in Via, also for a client that asks for its source port.
#[test]
fn reply_to_via_believes_the_via() {
    for program in BOTH {
        let script = r#"request_route { sl_send_reply("404", "Gone"); }"#;
        let Some(mut s) = start(program, "reply_to_via=yes", script) else {
            continue;
        };
        let sender = s.agent("sender", 10, Transport::Udp);
        let shown = s.agent("shown", 20, Transport::Udp);
        for parameter in ["", ";rport"] {
            let text = format!(
                "OPTIONS sip:x@{0} SIP/2.0\r\nVia: SIP/2.0/UDP {1}:5060;branch=z9hG4bK-v{2}{parameter}\r\n\
                 From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: via@test\r\nCSeq: 1 OPTIONS\r\n\
                 Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                s.lab.server().ip(),
                s.lab.host(20),
                parameter.len(),
            );
            s.at(sender).send_text(&text);
            let answer = s.at(shown).receive(PATIENCE);
            assert!(answer.is_some(), "{program:?}: no reply with {parameter:?}");
        }
    }
}

/// A URI of a telephone shows as one.
#[test]
fn phone2tel_changes_the_scheme() {
    for program in BOTH {
        for (setting, wanted) in [("", "tel"), ("phone2tel=no", "sip")] {
            let script = r#"request_route { $ru = $ru + ";user=phone"; xlog("L_NOTICE", "is $rz\n");
                sl_send_reply("404", "Gone"); }"#;
            let Some(mut s) = start(program, setting, script) else {
                continue;
            };
            ask(&mut s, "+1");
            await_log(&mut s, &format!("is {wanted}"));
        }
    }
}

/// The event routes for all messages: one may drop them.
#[test]
fn messages_pass_the_event_routes_of_the_core() {
    for program in BOTH {
        let script = r#"
        event_route[core:worker-one-init] { xlog("L_NOTICE", "began\n"); }
        event_route[core:msg-received] {
            xlog("L_NOTICE", "received from $rcv(srcip) by $rcv(sproto)\n");
        }
        request_route { xlog("L_NOTICE", "routed\n"); sl_send_reply("404", "Gone"); }"#;
        let Some(mut s) = start(program, "received_route_mode=1", script) else {
            continue;
        };
        ask(&mut s, "x");
        await_log(&mut s, "<script>: began");
        let client = s.lab.host(10);
        await_log(&mut s, &format!("<script>: received from {client} by udp"));
        await_log(&mut s, "<script>: routed");
    }
}

#[test]
fn a_received_message_can_be_dropped_before_routing() {
    let script = r#"
    event_route[core:msg-received] { if ($rcv(len) > 500) drop; }
    event_route[core:pre-routing] { if ($rU == "no") drop; }
    request_route { sl_send_reply("404", "Gone"); }"#;
    let Some(mut s) = start(Program::Tandem, "received_route_mode=1", script) else {
        return;
    };
    let client = s.agent("client", 10, Transport::Udp);
    for user in ["no", &"x".repeat(400)] {
        let target = s.server_uri(user);
        let request = standalone(s.at(client), "OPTIONS", &target, "dropped@test");
        s.send(client, &request);
    }
    // Datagrams of one peer stay in order: what was sent before has been looked at when this is answered.
    let target = s.server_uri("yes");
    let request = standalone(s.at(client), "OPTIONS", &target, "taken@test");
    s.send(client, &request);
    let answer = s.at(client).receive(PATIENCE);
    let answer = answer.unwrap_or_else(|| s.fail("no answer"));
    assert_eq!(answer.header("Call-ID"), "taken@test");
}

/// Somebody who asks twice does not want to wait for what is pending.
#[test]
fn a_second_signal_ends_at_once() {
    let script = r#"request_route { $du = "sip:%NET%.20:5060"; t_relay(); }"#;
    let Some(mut s) = start(Program::Tandem, "", script) else {
        return;
    };
    let alice = s.agent("alice", 10, Transport::Udp);
    let bob = s.agent("bob", 20, Transport::Udp);
    let target = s.uri(bob);
    let invite = standalone(s.at(alice), "INVITE", &target, "pending@test");
    s.send(alice, &invite);
    s.expect(bob, "INVITE");
    s.server.process().signal(Signal::SIGTERM);
    await_log(&mut s, "stopping: no new calls are taken");
    s.server.process().signal(Signal::SIGINT);
    await_log(&mut s, "told again: ending at once");
    let status = s.server.process().wait(Duration::from_secs(5));
    assert!(status.success(), "{status}");
}

/// An event route that nothing runs would wait in silence.
#[test]
fn an_event_route_that_nothing_runs_is_named() {
    let Some(path) = Program::Tandem.path() else {
        return;
    };
    let lab = Lab::new(5060);
    let text = "request_route { exit; }\nevent_route[dialog:stop] { exit; }\n";
    let config = lab.write("server.cfg", text);
    let mut command = Program::Tandem.command(&path, &lab);
    let (success, output) = process::run(command.arg("-c").arg("-f").arg(config), PATIENCE);
    assert!(success, "{output}");
    let wanted = "server.cfg:2:1: warning: nothing in Tandem runs event_route[dialog:stop]";
    assert!(output.contains(wanted), "{output}");
    assert!(output.contains("config file ok"), "{output}");
}
