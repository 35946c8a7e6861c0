//! Very many calls that end in the same second, with event routes that act on calls themselves.

use std::collections::HashSet;

use super::super::state::State;
use super::*;

const CALLS: usize = 10_000;

const PARAMETERS: &str = r#"
modparam("dialog", "send_bye", 1)
modparam("dialog", "end_timeout", 40)
"#;

const ACTING: &str = r#"
request_route {
    exit;
}
event_route[dialog:end] {
    $avp(again) = dlg_bye("all");
    set_dlg_profile("inbound");
    dlg_set_timeout(30);
    $dlg_var(ended) = "yes";
    unset_dlg_profile("inbound");
}
route[LATE] {
    $dlg_var(late) = "yes";
    is_in_profile("inbound");
}
"#;

/// Begins calls that are answered and acknowledged, and have ten seconds to live.
fn begin(bench: &Bench) {
    let state = bench.engine.state::<State>().expect("the module's state");
    let (tracker, now) = (&state.tracker, state.last_tick());
    let inbound = tracker.profile("inbound").expect("it is declared");
    for number in 0..CALLS {
        let call_id = format!("call-{number}@test");
        let invite = dialog::Invite {
            call_id: call_id.as_bytes(),
            from_tag: b"fa",
            from_uri: b"sip:alice@example.org",
            to_uri: b"sip:bob@example.org",
            contact: b"sip:alice@10.0.0.2",
            socket: b"udp:10.0.0.1:5060",
            lifetime: Some(10),
            timeout_route: b"LATE",
            ..dialog::Invite::default()
        };
        let Ok(dialog::Created::New { id, .. }) = tracker.create(&invite, now) else {
            panic!("the call is new");
        };
        tracker.set_profile(id, inbound, None).expect("it has room");
        let reply = dialog::Reply {
            status: 200,
            to_tag: b"tb",
            contact: b"sip:bob@10.0.0.3",
            ..dialog::Reply::default()
        };
        tracker.reply(id, &reply, now);
        let ack = dialog::Request {
            direction: dialog::Direction::Downstream,
            method: dialog::Method::Ack,
            callee_tag: b"tb",
            cseq: 1,
            contact: b"",
            socket: b"",
            lifetime: None,
            message: None,
        };
        tracker.request(id, &ack, now);
    }
}

#[test]
fn ten_thousand_calls_end_in_the_same_second() {
    let mut bench = Bench::new(&format!("{HEAD}{PARAMETERS}{ACTING}"));
    begin(&bench);
    let size = |bench: &mut Bench| bench.command("dlg.profile_get_size", &["inbound"]);
    assert_eq!(size(&mut bench), Ok(vec![Value::Int(CALLS as i64)]));
    let sent = bench.advance(10_200);
    let byes: Vec<_> = sent
        .iter()
        .filter(|sent| sent.text.starts_with("BYE"))
        .collect();
    let told: HashSet<_> = byes
        .iter()
        .map(|bye| (bye.to, bye.header("Call-ID")))
        .collect();
    assert_eq!(told.len(), 2 * CALLS);
    assert_eq!(bench.statistic("dialog", "active_dialogs"), 0);
    assert_eq!(bench.statistic("dialog", "expired_dialogs"), CALLS as i64);
    assert_eq!(size(&mut bench), Ok(vec![Value::Int(0)]));
    for bye in byes {
        bench.receive(&bye.to.to_string(), &reply(bye, "200 OK", ""));
    }
    bench.advance(40_000);
    assert_eq!(
        bench.command("dlg.list", &[]).map(|calls| calls.len()),
        Ok(0)
    );
    assert_eq!(bench.engine.transactions.len(), 0);
    assert_eq!(bench.engine.counters.panics.value(), 0);
    assert!(bench.engine.batons.is_empty());
}
