//! Whole calls through the module, with tm and rr around it.

mod acting;
mod calls;
mod challenges;
mod commands;
mod cseq;
mod database;
mod endings;
mod functions;
mod keep_alive;
mod load;
mod many;
mod mi;
mod observers;
mod own;
mod sets;

use rpc::Value;

use crate::testing::{Bench, Sent, reply};

pub(super) const ALICE: &str = "10.0.0.2:5060";
pub(super) const BOB: &str = "10.0.0.3:5060";

pub(super) const HEAD: &str = r#"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "dialog.so"
modparam("dialog", "dlg_match_mode", 1)
modparam("dialog", "profiles_with_value", "caller")
modparam("dialog", "profiles_no_value", "inbound")
"#;

pub(super) const ROUTES: &str = r#"
request_route {
    if (loose_route()) {
        xlog("L_INFO", "within state=$DLG_status var=$dlg_var(x)\n");
        t_relay();
        exit;
    }
    if (method == "CANCEL") {
        t_relay();
        exit;
    }
    route(BEGIN);
    record_route();
    t_relay();
}
event_route[dialog:start] {
    xlog("L_INFO", "start $rm $rs state=$dlg(state) to=$dlg(to_tag) var=$dlg_var(x)\n");
}
event_route[dialog:end] {
    xlog("L_INFO", "end $rm state=$dlg(state) var=$dlg_var(x)\n");
}
event_route[dialog:failed] {
    xlog("L_INFO", "failed $rm $rs state=$dlg(state)\n");
}
route[LATE] {
    xlog("L_INFO", "late state=$dlg(state) var=$dlg_var(x)\n");
}
"#;

pub(super) const BEGIN: &str = r#"
route[BEGIN] {
    $dlg_var(x) = "before";
    set_dlg_profile("caller", "alice");
    dlg_manage();
    set_dlg_profile("inbound");
    dlg_setflag(3);
}
"#;

pub(super) fn bench(parameters: &str, begin: &str) -> Bench {
    Bench::new(&format!("{HEAD}{parameters}{ROUTES}{begin}"))
}

pub(super) fn invite() -> &'static str {
    "INVITE sip:bob@10.0.0.3 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa1
Max-Forwards: 70
From: <sip:alice@example.org>;tag=fa
To: <sip:bob@example.org>
Call-ID: call-1@test
CSeq: 10 INVITE
Contact: <sip:alice@10.0.0.2;ob>
Content-Length: 0

"
}

/// A request of Alice's within the call.
pub(super) fn within(method: &str, cseq: u32, route: &str) -> String {
    format!(
        "{method} sip:bob@10.0.0.3 SIP/2.0
Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK{method}{cseq}
Max-Forwards: 70
Route: {route}
From: <sip:alice@example.org>;tag=fa
To: <sip:bob@example.org>;tag=tb
Call-ID: call-1@test
CSeq: {cseq} {method}
Content-Length: 0

"
    )
}

pub(super) fn sent_to<'a>(sent: &'a [Sent], address: &str) -> Vec<&'a Sent> {
    let address = address.parse().expect("an address");
    sent.iter().filter(|sent| sent.to == address).collect()
}

/// Runs a call until it is answered and acknowledged; gives our Record-Route.
pub(super) fn answered(bench: &mut Bench) -> String {
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let route = to_bob.header("Record-Route").to_owned();
    bench.receive(BOB, &reply(&to_bob, "180 Ringing", ""));
    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    bench.receive(BOB, &ok);
    bench.receive(ALICE, &within("ACK", 10, &route));
    route
}

pub(super) fn state_of(bench: &mut Bench) -> Option<i64> {
    member(bench, "state")?.as_int()
}

pub(super) fn member(bench: &mut Bench, name: &str) -> Option<Value> {
    let calls = bench
        .command("dlg.dlg_list", &["call-1@test"])
        .expect("a listing");
    calls.first()?.as_struct()?.get(name).cloned()
}

pub(super) fn logged(bench: &Bench) -> Vec<String> {
    let lines = bench.log().into_iter();
    let ours = lines.filter(|line| line.contains("<script>"));
    ours.map(|line| {
        let (_, text) = line.split_once("<script>: ").expect("a script's line");
        text.trim_end().to_owned()
    })
    .collect()
}
