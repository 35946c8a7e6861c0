//! Whole ways of messages, with routes that wait and run others.

use crate::testing::Bench;

const RELAY: &str = r#"
trace = {}
function ksr_request_route()
    if KSR.is_ACK() then return end
    KSR.tm.t_on_branch("ksr_branch")
    KSR.tm.t_on_reply("ksr_reply")
    KSR.tm.t_on_failure("ksr_failure")
    local code = KSR.tm.t_relay()
    KSR.notice("relayed " .. code)
end
function ksr_branch()
    KSR.hdr.append("X-Branch: " .. KSR.pv.get("$T_branch_idx") .. "\r\n")
    KSR.notice("branch")
end
function ksr_reply()
    KSR.notice("reply " .. KSR.kx.get_status())
end
function ksr_failure()
    KSR.notice("failure " .. KSR.tm.t_get_status_code())
    KSR.seturi("sip:carol@10.0.0.8:5070")
    KSR.tm.t_relay()
end
function ksr_reply_route()
    if KSR.kx.get_status() == 183 then KSR.set_drop() end
end
"#;

/// A reply of this status to a request that was sent.
fn reply(request: &str, status: &str) -> String {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for line in request.lines().skip(1) {
        let name = line.split(':').next().unwrap_or_default();
        match name {
            "Via" | "From" | "Call-ID" | "CSeq" => text.push_str(&format!("{line}\r\n")),
            "To" => text.push_str(&format!("{line};tag=b\r\n")),
            _ => {}
        }
    }
    text + "Contact: <sip:bob@10.0.0.9:5070>\r\nContent-Length: 0\r\n\r\n"
}

fn invite() -> String {
    "INVITE sip:bob@10.0.0.9:5070 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKcall\r\n\
     From: <sip:alice@a.test>;tag=1\r\nTo: <sip:bob@b.test>\r\nCall-ID: call@test\r\nCSeq: 1 INVITE\r\n\
     Contact: <sip:alice@10.0.0.2:5060>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        .to_owned()
}

fn notices(bench: &Bench) -> Vec<String> {
    let lines = bench.log().into_iter();
    lines
        .filter_map(|line| {
            line.split_once("NOTICE: <core>: ")
                .map(|(_, text)| text.to_owned())
        })
        .collect()
}

#[test]
fn a_call_runs_the_named_callbacks() {
    let mut bench = Bench::new(RELAY);
    let sent = bench.receive_whole(&invite());
    assert!(sent[0].starts_with("SIP/2.0 100 "), "{sent:?}");
    let first = &sent[1];
    assert!(
        first.starts_with("INVITE sip:bob@10.0.0.9:5070 "),
        "{first}"
    );
    assert!(first.contains("X-Branch: 0\r\n"), "{first}");
    assert_eq!(notices(&bench), ["branch", "relayed 1"]);
    assert!(bench.receive(&reply(first, "183 Progress")).is_empty());
    assert!(notices(&bench).is_empty());
    assert_eq!(
        bench.receive(&reply(first, "180 Ringing")),
        ["SIP/2.0 180 Ringing"]
    );
    assert_eq!(notices(&bench), ["reply 180"]);
    let sent = bench.receive_whole(&reply(first, "486 Busy"));
    assert_eq!(notices(&bench), ["reply 486", "failure 486"]);
    let second = sent
        .iter()
        .find(|text| text.starts_with("INVITE"))
        .expect("a second try");
    assert!(
        second.starts_with("INVITE sip:carol@10.0.0.8:5070 "),
        "{second}"
    );
    assert_eq!(bench.receive(&reply(second, "200 OK")), ["SIP/2.0 200 OK"]);
}

#[test]
fn a_route_that_sleeps_holds_nobody_up() {
    let mut bench = Bench::new(
        r#"
        function ksr_request_route()
            if KSR.pv.get("$rU") == "sleeper" then
                local before = "kept"
                local ok, code = pcall(KSR.cfgutils.sleep, 5)
                local inner = coroutine.wrap(function(n)
                    KSR.cfgutils.sleep(1)
                    coroutine.yield(n + 1)
                    KSR.cfgutils.sleep(1)
                    return n + 2
                end)
                local one = inner(1)
                local two = inner()
                KSR.sl.send_reply(200, before .. tostring(ok) .. code .. one .. two)
                return
            end
            KSR.sl.send_reply(200, "At once")
        end
        "#,
    );
    assert!(bench.request("OPTIONS", "sleeper").is_empty());
    assert_eq!(bench.waiting(), 1);
    assert_eq!(bench.request("OPTIONS", "other"), ["SIP/2.0 200 At once"]);
    assert!(bench.wake().is_empty());
    assert!(bench.wake().is_empty());
    assert_eq!(bench.wake(), ["SIP/2.0 200 kepttrue123"]);
    assert_eq!(bench.waiting(), 0);
}

#[test]
fn scripts_are_read_again_by_command() {
    let script = |text: &str| {
        format!(
            "count = (count or 0) + 1\n\
             function ksr_request_route() KSR.sl.send_reply(200, '{text}' .. count) end\n"
        )
    };
    let mut bench = Bench::new(&script("old"));
    assert_eq!(bench.request("OPTIONS", "x"), ["SIP/2.0 200 old1"]);
    bench.rewrite(&script("new"));
    assert_eq!(bench.request("OPTIONS", "x"), ["SIP/2.0 200 old1"]);
    bench.command("app_lua.reload", &[]).expect("it is allowed");
    // What the script left in the machine before stays.
    assert_eq!(bench.request("OPTIONS", "x"), ["SIP/2.0 200 new2"]);
    bench.rewrite("function (");
    let fault = bench
        .command("app_lua.reload", &[])
        .expect_err("it is wrong");
    assert!(fault.text.contains("expected"), "{}", fault.text);
    assert_eq!(bench.request("OPTIONS", "x"), ["SIP/2.0 200 new2"]);
    bench
        .command("app_lua.reload", &["7"])
        .expect_err("there is no such script");
}

#[test]
fn a_route_that_waits_goes_on_with_the_script_it_began_with() {
    let script = |text: &str| {
        format!(
            "function ksr_request_route()\n\
             KSR.cfgutils.sleep(1)\n\
             KSR.sl.send_reply(200, '{text}')\n\
             end\n"
        )
    };
    let mut bench = Bench::new(&script("old"));
    assert!(bench.request("OPTIONS", "x").is_empty());
    bench.rewrite(&script("new"));
    bench.command("app_lua.reload", &[]).expect("it is allowed");
    assert!(bench.request("OPTIONS", "x").is_empty());
    let mut answers = bench.wake();
    answers.sort();
    assert_eq!(answers, ["SIP/2.0 200 new", "SIP/2.0 200 old"]);
}

#[test]
fn a_native_route_can_be_run() {
    let mut bench = Bench::load(
        "cfgengine \"lua\"\nroute[THREE] { $var(x) = $var(x) + 1; return(3); }\nroute[END] { exit; }\n",
        "function ksr_request_route()\n\
           KSR.pv.seti('$var(x)', 4)\n\
           local codes = KSR.route('THREE') .. KSR.route('END') .. KSR.route('NONE')\n\
           KSR.sl.send_reply(200, codes .. ' ' .. KSR.pv.get('$var(x)'))\n\
         end\n",
    )
    .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(bench.request("OPTIONS", "x"), ["SIP/2.0 200 30-1 5"]);
}

#[test]
fn the_message_that_leaves_is_seen_by_the_onsend_function() {
    let mut bench = Bench::new(
        "function ksr_request_route() KSR.tm.t_relay() end\n\
         function ksr_onsend_route()\n\
           KSR.notice(tostring(KSR.to_UDP()) .. tostring(KSR.to_TCP()) .. KSR.pv.get('$sndto(port)'))\n\
         end\n",
    );
    assert_eq!(
        bench.request("OPTIONS", "x"),
        ["OPTIONS sip:x@10.0.0.9:5070 SIP/2.0"]
    );
    assert_eq!(notices(&bench), ["truefalse5070"]);
}

#[test]
fn settings_name_the_functions() {
    let mut bench = Bench::load(
        "kemi.request_route_callback = \"mine\"\nkemi.reply_route_callback = \"none\"\n\
         kemi.pre_routing_callback = \"before\"\nkemi.event_route_callback = \"event\"\ncfgengine \"lua\"\n",
        "function mine() KSR.notice('mine') end\n\
         function before(name) KSR.notice('before ' .. name) end\n\
         function event(name) KSR.notice(name) end\n",
    )
    .unwrap_or_else(|error| panic!("{error}"));
    bench.engine.announce_start();
    bench.request("OPTIONS", "x");
    assert_eq!(
        notices(&bench),
        ["before core:pre-routing", "mine", "core:worker-one-init"]
    );
}

#[test]
fn events_go_to_the_functions_that_parameters_name() {
    let mut bench = Bench::load(
        "modparam(\"dialog\", \"event_callback\", \"ksr_dialog_event\")\n\
         modparam(\"tm\", \"event_callback_lres_sent\", \"ksr_lres\")\n\
         modparam(\"sl\", \"event_callback_lres_sent\", \"ksr_lres\")\ncfgengine \"lua\"\n",
        "function ksr_request_route()\n\
           if KSR.pv.get('$rU') == 'no' then KSR.sl.send_reply(404, 'No') return end\n\
           if KSR.is_INVITE() then KSR.dialog.dlg_manage() KSR.tm.t_newtran() KSR.tm.t_reply(486, 'Busy') end\n\
         end\n\
         function ksr_dialog_event(name) KSR.notice(name .. KSR.pv.get('$dlg(state)')) end\n\
         function ksr_lres(name) KSR.notice(name) end\n",
    )
    .unwrap_or_else(|error| panic!("{error}"));
    bench.request("INVITE", "x");
    assert_eq!(notices(&bench), ["dialog:failed5", "tm:local-response"]);
    bench.request("OPTIONS", "no");
    assert_eq!(notices(&bench), ["sl:local-response"]);
}

#[test]
fn a_failed_branch_has_its_own_callback() {
    let mut bench = Bench::new(
        "function ksr_request_route()\n\
           KSR.tm.t_on_branch_failure('ksr_branch_failed')\n\
           KSR.tm.t_relay()\n\
         end\n\
         function ksr_branch_failed() KSR.notice('branch ' .. KSR.pv.get('$T_reply_code')) end\n",
    );
    let sent = bench.receive_whole(&invite());
    let request = sent
        .iter()
        .find(|text| text.starts_with("INVITE"))
        .expect("it is relayed");
    bench.receive(&reply(request, "503 Full"));
    assert_eq!(notices(&bench), ["branch 503"]);
}
