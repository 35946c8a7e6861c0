//! Event routes and timeout routes that themselves end, bridge, refer and change calls: whatever they do, each call
//! ends once, every count is right, and nothing is left.

use super::*;

/// What an event route may do; each in each of them.
const ACTIONS: [&str; 14] = [
    "dlg_bye(\"all\");",
    "dlg_bye(\"caller\");",
    "dlg_bye(\"callee\"); dlg_bye(\"all\");",
    "dlg_refer(\"caller\", \"sip:x@10.0.0.8\");",
    "dlg_refer(\"callee\", \"sip:x@10.0.0.8\"); dlg_bye(\"all\");",
    "dlg_bridge(\"sip:carol@10.0.0.4\", \"sip:x@10.0.0.8\", \"\");",
    "dlg_req_within(\"all\", \"INFO\"); dlg_req_within(\"callee\", \"BYE\");",
    "set_dlg_profile(\"inbound\"); set_dlg_profile(\"caller\", \"late\"); unset_dlg_profile(\"inbound\");",
    "if ($dlg_var(r) == $null) dlg_set_timeout(5); $dlg_var(r) = \"1\"; dlg_set_property(\"timeout-noreset\");",
    "$dlg_var(x) = \"changed\"; $dlg_var(y) = $null; dlg_set_ruri();",
    "dlg_get(\"call-1@test\", \"fa\", \"tb\"); dlg_bye(\"all\");",
    "if ($dlg_var(r) == $null) dlg_set_timeout_by_profile(\"inbound\", 4); $dlg_var(r) = \"1\";",
    "dlg_profile_admit(\"caller\", \"alice\", 1); dlg_remote_profile(\"add\", \"inbound\", \"\", \"u1\", 1800000030);",
    "dlg_bye(\"all\"); dlg_bridge(\"sip:carol@10.0.0.4\", \"sip:x@10.0.0.8\", \"\"); drop;",
];

const EVENTS: [&str; 4] = [
    "event_route[dialog:start]",
    "event_route[dialog:end]",
    "event_route[dialog:failed]",
    "route[LATE]",
];

/// Answers what the proxy itself sends, until nothing more comes; gives how many requests there were.
fn answer_all(bench: &mut Bench, sent: Vec<Sent>) -> usize {
    let (mut open, mut answered) = (sent, 0);
    while let Some(request) = open.pop() {
        let is_own = request.headers("Via").len() == 1;
        if !is_own || request.text.starts_with("SIP/2.0") || request.text.starts_with("ACK") {
            continue;
        }
        answered += 1;
        assert!(answered < 50, "it never ends: {}", request.text);
        let from = request.to.to_string();
        let more = format!("Contact: <sip:any@{from}>\n");
        open.extend(bench.receive(&from, &reply(&request, "200 OK", &more)));
    }
    answered
}

fn config(event: &str, action: &str) -> String {
    let mut blocks = String::new();
    for known in EVENTS {
        let body = match known == event {
            true => format!("$avp(runs) = $avp(runs) + 1; {action}"),
            false => "$avp(other) = 1;".to_owned(),
        };
        blocks.push_str(&format!(
            "{known} {{ xlog(\"L_INFO\", \"{known}\\n\"); {body} }}\n"
        ));
    }
    let begin = "
request_route {
    if (loose_route() || method == \"CANCEL\") {
        t_relay();
        exit;
    }
    $dlg_ctx(timeout_route) = \"LATE\";
    dlg_manage();
    set_dlg_profile(\"inbound\");
    set_dlg_profile(\"caller\", \"alice\");
    dlg_set_timeout(8);
    record_route();
    t_relay();
}
";
    format!(
        "{HEAD}modparam(\"dialog\", \"send_bye\", 1)\nmodparam(\"dialog\", \"end_timeout\", 20)\n{begin}{blocks}"
    )
}

/// Lets a call end in its way, then time go on until everything is over.
fn play(event: &str, action: &str, end: Way) -> Vec<String> {
    let mut bench = Bench::new(&config(event, action));
    let sent = end(&mut bench);
    answer_all(&mut bench, sent);
    for _ in 0..9 {
        let sent = bench.advance_by(5_000, 500);
        answer_all(&mut bench, sent);
    }
    let what = format!("{event} {{ {action} }}");
    assert_eq!(state_of(&mut bench), None, "{what}");
    assert_eq!(bench.engine.counters.panics.value(), 0, "{what}");
    assert_eq!(bench.engine.transactions.len(), 0, "{what}");
    assert!(bench.engine.batons.is_empty(), "{what}");
    for name in ["active_dialogs", "early_dialogs"] {
        assert_eq!(bench.statistic("dialog", name), 0, "{what}: {name}");
    }
    for profile in ["inbound", "caller"] {
        let size = bench.command("dlg.profile_get_size", &[profile]);
        assert_eq!(size, Ok(vec![Value::Int(0)]), "{what}: {profile}");
    }
    logged(&bench)
}

fn refused(bench: &mut Bench) -> Vec<Sent> {
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "486 Busy Here", ""))
}

fn cancelled(bench: &mut Bench) -> Vec<Sent> {
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    let cancel = invite().replace("INVITE", "CANCEL");
    bench.receive(ALICE, &cancel);
    bench.receive(BOB, &reply(&to_bob, "487 Request Terminated", ""))
}

/// Answered and acknowledged; gives what the proxy sent meanwhile, and our Record-Route.
fn up(bench: &mut Bench) -> (Vec<Sent>, String) {
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let route = to_bob.header("Record-Route").to_owned();
    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    let mut sent = bench.receive(BOB, &ok);
    sent.extend(bench.receive(ALICE, &within("ACK", 10, &route)));
    (sent, route)
}

fn hung_up(bench: &mut Bench) -> Vec<Sent> {
    let (mut sent, route) = up(bench);
    let more = bench.receive(ALICE, &within("BYE", 11, &route));
    let bye = sent_to(&more, BOB)
        .into_iter()
        .find(|sent| sent.headers("Via").len() == 2);
    let ok = bye.map(|bye| reply(bye, "200 OK", ""));
    sent.extend(more.clone());
    if let Some(ok) = ok {
        sent.extend(bench.receive(BOB, &ok));
    }
    sent
}

fn expired(bench: &mut Bench) -> Vec<Sent> {
    up(bench).0
}

fn ended_by_command(bench: &mut Bench) -> Vec<Sent> {
    let (mut sent, _) = up(bench);
    // The start of the call may have ended it already.
    let _ = bench.command("dlg.terminate_dlg", &["call-1@test", "fa", "tb"]);
    sent.extend(bench.settle());
    sent
}

type Way = fn(&mut Bench) -> Vec<Sent>;

/// The ways to end that an event route takes part in.
fn ways(event: &str) -> &'static [Way] {
    match event {
        "event_route[dialog:start]" => &[hung_up, expired],
        "event_route[dialog:end]" => &[hung_up, expired, ended_by_command],
        "event_route[dialog:failed]" => &[refused, cancelled],
        _ => &[expired],
    }
}

#[test]
fn event_routes_may_act_on_calls_in_every_way() {
    for event in EVENTS {
        for action in ACTIONS {
            for way in ways(event) {
                let lines = play(event, action, *way);
                let count = |wanted: &str| lines.iter().filter(|line| *line == wanted).count();
                let over = count("event_route[dialog:end]") + count("event_route[dialog:failed]");
                assert_eq!(over, 1, "{event} {{ {action} }}: {lines:?}");
                assert!(count("event_route[dialog:start]") <= 1);
            }
        }
    }
}
