//! What becomes of messages while more of them come than can be worked on.

use crate::testing::{Bench, Sent};

const CONFIG: &str = r#"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
request_route {
    $du = "sip:10.0.0.2";
    t_relay();
}
"#;
const ALICE: &str = "10.0.0.9:5060";
/// Above the limit.
const LONG_MS: u64 = 30;

fn request(method: &str, call: &str, to_tag: &str) -> String {
    format!(
        "{method} sip:b@10.0.0.2 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{call}\n\
         From: <sip:a@x>;tag=1\nTo: <sip:b@x>{to_tag}\nCall-ID: {call}\nCSeq: 1 {method}\nContent-Length: 0\n\n"
    )
}

/// A bench that has been overloaded for long enough, and has taken the INVITE of the call `early` before.
fn overloaded() -> Bench {
    let mut bench = Bench::new(CONFIG);
    let taken = bench.receive(ALICE, &request("INVITE", "early", ""));
    assert_eq!(
        first_lines(&taken),
        [
            "SIP/2.0 100 trying -- your call is important to us",
            "INVITE sip:b@10.0.0.2 SIP/2.0"
        ]
    );
    bench.receive_batch(LONG_MS, &[]);
    bench.advance(100);
    bench
}

fn first_lines(sent: &[Sent]) -> Vec<&str> {
    sent.iter().map(Sent::first_line).collect()
}

#[test]
fn a_new_call_is_refused_with_the_time_to_come_back() {
    let mut bench = overloaded();
    let sent = bench.receive_batch(LONG_MS, &[(ALICE, &request("INVITE", "new", ""))]);
    assert_eq!(first_lines(&sent), ["SIP/2.0 503 Service Unavailable"]);
    let seconds: u32 = sent[0].header("Retry-After").parse().expect("a number");
    assert!((1..=9).contains(&seconds));
    assert_eq!(bench.statistic("core", "overload_refused"), 1);
    // The refusal is acknowledged, and that is the end of it.
    let to = sent[0].header("To").to_owned();
    let tag = to.split_once(";tag=").expect("a To tag").1;
    let ack = request("ACK", "new", &format!(";tag={tag}"));
    assert!(bench.receive_batch(LONG_MS, &[(ALICE, &ack)]).is_empty());
    assert!(
        bench
            .log()
            .iter()
            .any(|line| line.contains("some new calls get 503"))
    );
}

#[test]
fn what_belongs_to_a_call_goes_on() {
    let mut bench = overloaded();
    let bye = request("BYE", "other", ";tag=2");
    let again = request("INVITE", "early", "");
    let cancel = request("CANCEL", "early", "");
    let sent = bench.receive_batch(LONG_MS, &[(ALICE, &bye), (ALICE, &again), (ALICE, &cancel)]);
    assert_eq!(
        first_lines(&sent),
        [
            "BYE sip:b@10.0.0.2 SIP/2.0",
            "SIP/2.0 100 trying -- your call is important to us",
            "SIP/2.0 200 canceling",
        ]
    );
    assert_eq!(bench.statistic("core", "overload_refused"), 0);
}

#[test]
fn new_calls_come_last_while_there_is_room_for_them() {
    let mut bench = overloaded();
    bench.receive_batch(LONG_MS, &[]);
    let invite = request("INVITE", "new", "");
    let cancel = request("CANCEL", "new", "");
    let bye = request("BYE", "other", ";tag=2");
    let batch = [(ALICE, invite.as_str()), (ALICE, &cancel), (ALICE, &bye)];
    let sent = bench.receive_batch(1, &batch);
    assert_eq!(
        first_lines(&sent),
        [
            "BYE sip:b@10.0.0.2 SIP/2.0",
            "SIP/2.0 100 trying -- your call is important to us",
            "INVITE sip:b@10.0.0.2 SIP/2.0",
            "SIP/2.0 200 canceling",
        ]
    );
}

#[test]
fn calls_are_taken_again_when_it_is_over_and_always_if_so_configured() {
    let mut bench = overloaded();
    bench.receive_batch(LONG_MS, &[]);
    bench.advance(100);
    let sent = bench.receive_batch(1, &[(ALICE, &request("INVITE", "new", ""))]);
    assert_eq!(sent.len(), 2);

    let mut bench = Bench::new(&format!("overload_wait=0\n{CONFIG}"));
    bench.receive_batch(LONG_MS, &[]);
    bench.advance(100);
    let sent = bench.receive_batch(LONG_MS, &[(ALICE, &request("INVITE", "new", ""))]);
    assert_eq!(sent.len(), 2);
}

/// So many INVITEs were relayed at the same moment.
fn with_calls(count: usize) -> Bench {
    let mut bench = Bench::new(CONFIG);
    for call in 0..count {
        bench.receive(ALICE, &request("INVITE", &format!("call{call}"), ""));
    }
    bench
}

#[test]
fn what_is_due_is_started_in_portions() {
    let mut bench = with_calls(40);
    // Nobody answers: all INVITEs are sent again at the same moment.
    let portions = bench.portions(600, 1);
    let sizes: Vec<usize> = portions.iter().map(Vec::len).collect();
    assert_eq!(sizes, [16, 16, 8]);
    let mut again: Vec<_> = portions.iter().flatten().collect();
    assert!(
        again
            .iter()
            .all(|sent| sent.first_line().starts_with("INVITE "))
    );
    again.sort_by_key(|sent| sent.header("Call-ID"));
    again.dedup_by_key(|sent| sent.header("Call-ID"));
    assert_eq!(again.len(), 40);
    assert_eq!(bench.portions(62, 1), [vec![]]);
}

#[test]
fn what_has_been_due_for_long_is_started_in_larger_portions() {
    let mut bench = with_calls(150);
    // Whole batches of messages come in between.
    let portions = bench.portions(600, 10);
    let sizes: Vec<usize> = portions.iter().map(Vec::len).collect();
    assert_eq!(sizes, [16, 16, 32, 32, 54]);
}

#[test]
fn a_tick_that_looks_part_by_part_keeps_up_as_well() {
    let mut bench = with_calls(2000);
    let portions = bench.portions_by_parts(600, 1);
    assert_eq!(portions.iter().map(Vec::len).sum::<usize>(), 2000);
    assert!(portions.iter().take(16).all(|portion| portion.len() <= 16));
    // Whole portions of 16, 32 and 64 for 16 ms each, and the rest of each part.
    assert!(portions.len() < 80, "{}", portions.len());
}
