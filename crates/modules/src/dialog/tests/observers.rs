//! What observers of the tracker hear of calls that pass through the module.

use std::sync::Arc;

use dialog::{Callbacks, Notice};
use parking_lot::Mutex;

use super::*;
use crate::dialog::State;

type Diary = Arc<Mutex<Vec<String>>>;

/// Notes every notice: its type, the way of its message, and the message's first line.
fn observed(bench: &Bench) -> Diary {
    let diary = Diary::default();
    let notes = Arc::clone(&diary);
    let state = bench.engine.state::<State>().expect("the module's state");
    let registered = state.tracker.observe(Callbacks::ALL, move |notice| {
        notes.lock().push(line(notice));
    });
    registered.expect("room for an observer");
    diary
}

fn line(notice: &Notice<'_>) -> String {
    let kind: Vec<_> = notice.kind().names().collect();
    let message = notice.message::<sip::Message>();
    let first = message.map(|message| match message.status() {
        Some(status) => status.to_string(),
        None => message.method_bytes().escape_ascii().to_string(),
    });
    format!("{} {}", kind.join("+"), first.as_deref().unwrap_or("-"))
}

fn take(diary: &Diary) -> Vec<String> {
    std::mem::take(&mut *diary.lock())
}

#[test]
fn observers_hear_of_a_proxied_call() {
    let mut bench = bench("", BEGIN);
    let diary = observed(&bench);
    let route = answered(&mut bench);
    assert_eq!(
        take(&diary),
        [
            "CREATED INVITE",
            "RESPONSE_FWDED 180",
            "EARLY 180",
            "RESPONSE_FWDED 200",
            "CONFIRMED_NA 200",
            "CONFIRMED ACK",
        ]
    );
    let sent = bench.receive(ALICE, &within("INFO", 11, &route));
    let info = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&info, "200 OK", ""));
    let sent = bench.receive(ALICE, &within("BYE", 12, &route));
    let bye = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&bye, "200 OK", ""));
    bench.advance(8_000);
    assert_eq!(
        take(&diary),
        [
            "REQ_WITHIN INFO",
            "RESPONSE_WITHIN 200",
            "TERMINATED BYE",
            "RESPONSE_WITHIN 200",
            "TERMINATED_CONFIRMED 200",
            "DESTROY -",
        ]
    );
}

#[test]
fn observers_hear_of_calls_that_fail_or_expire() {
    let mut bench = bench("modparam(\"dialog\", \"default_timeout\", 60)\n", BEGIN);
    let diary = observed(&bench);
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "486 Busy Here", ""));
    assert_eq!(take(&diary), ["CREATED INVITE", "FAILED 486"]);
    bench.advance(40_000);
    assert_eq!(take(&diary), ["DESTROY -"]);
    let again = invite().replace("z9hG4bKa1", "z9hG4bKa2");
    let sent = bench.receive(ALICE, &again);
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let route = to_bob.header("Record-Route").to_owned();
    bench.receive(
        BOB,
        &reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n"),
    );
    bench.receive(ALICE, &within("ACK", 10, &route));
    take(&diary);
    bench.advance(61_000);
    assert_eq!(take(&diary), ["EXPIRED -", "DESTROY -"]);
}

#[test]
fn initial_callbacks_wait_for_the_transaction() {
    let begin = r#"
route[BEGIN] {
    dlg_manage();
    xlog("L_INFO", "managed\n");
}
"#;
    for (in_script, expected) in [(1, "CREATED INVITE"), (0, "CREATED INVITE")] {
        let parameter = format!("modparam(\"dialog\", \"initial_cbs_inscript\", {in_script})\n");
        let mut bench = bench(&parameter, begin);
        let diary = observed(&bench);
        let log = Arc::clone(&bench.log);
        let state = bench.engine.state::<State>().expect("the module's state");
        let notes = Arc::clone(&diary);
        let asked = state.tracker.observe(Callbacks::CREATED, move |_| {
            let managed = log.lock().iter().any(|line| line.contains("managed"));
            notes.lock().push(format!("managed={managed}"));
        });
        asked.expect("room for an observer");
        bench.receive(ALICE, invite());
        let managed = format!("managed={}", in_script == 0);
        assert_eq!(take(&diary), [&managed, expected]);
    }
}

#[test]
fn an_observer_ends_a_call_of_its_own() {
    let mut bench = bench("", BEGIN);
    let state = bench.engine.state::<State>().expect("the module's state");
    let asked = state.tracker.observe(Callbacks::CONFIRMED, |notice| {
        assert!(notice.tracker.terminate(notice.id(), b"X-Why: credit\r\n"));
    });
    asked.expect("room for an observer");
    let diary = observed(&bench);
    answered(&mut bench);
    let sent = bench.advance(200);
    let byes: Vec<_> = sent
        .iter()
        .filter(|sent| sent.text.starts_with("BYE"))
        .collect();
    assert_eq!(byes.len(), 2);
    for bye in &byes {
        assert_eq!(bye.header("X-Why"), "credit");
    }
    assert_eq!(state_of(&mut bench), Some(5));
    take(&diary);
    let to_bob = sent_to(&sent, BOB)[0].clone();
    bench.receive(BOB, &reply(&to_bob, "200 OK", ""));
    let to_alice = sent_to(&sent, ALICE)[0].clone();
    bench.receive(ALICE, &reply(&to_alice, "481 Gone", ""));
    assert_eq!(
        take(&diary),
        [
            "TERMINATED_CONFIRMED 200",
            "TERMINATED_CONFIRMED 481",
            "DESTROY -"
        ]
    );
}

#[test]
fn the_context_shows_observers_and_what_they_attach() {
    let mut bench = bench("", BEGIN);
    answered(&mut bench);
    let state = bench.engine.state::<State>().expect("the module's state");
    let types = Callbacks::RPC_CONTEXT | Callbacks::TERMINATED;
    let id = state.tracker.find_all(b"call-1@test", None)[0];
    let asked = state.tracker.observe_call(id, types, |notice| {
        if let dialog::Happened::Listed(attachments) = notice.what {
            attachments.add("account", "17");
        }
    });
    asked.expect("a call");
    let calls = bench.command("dlg.list_ctx", &[]).expect("a listing");
    let context = calls[0].as_struct().and_then(|call| call.get("context"));
    let context = context.and_then(Value::as_struct).expect("a context");
    let names = ["TERMINATED", "RPC_CONTEXT"].map(Value::from).to_vec();
    assert_eq!(context.get("callbacks"), Some(&Value::Array(names)));
    let attached = context.get("attached").and_then(Value::as_struct);
    assert_eq!(
        attached.and_then(|attached| attached.get("account")),
        Some(&Value::from("17"))
    );
    assert!(
        bench
            .mi(&["dlg_list_ctx"])
            .contains("\n\t\t\taccount:: 17\n")
    );
}
