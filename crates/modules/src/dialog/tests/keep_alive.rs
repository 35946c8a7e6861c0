//! Keep-alives, from the property to the end of the call.

use super::*;

const PARAMETERS: &str = r#"
modparam("dialog", "ka_timer", 1)
modparam("dialog", "ka_interval", 30)
modparam("dialog", "ka_failed_limit", 2)
modparam("dialog", "lreq_callee_headers", "X-To: callee")
modparam("dialog", "dlg_extra_hdrs", "X-Bye: yes")
"#;

const KEPT: &str = r#"
route[BEGIN] {
    dlg_set_property("ka-src");
    dlg_set_property("ka-dst");
    dlg_manage();
}
"#;

/// What was sent, without repetitions.
fn options(sent: &[Sent]) -> Vec<Sent> {
    let mut options: Vec<Sent> = Vec::new();
    for sent in sent.iter().filter(|sent| sent.text.starts_with("OPTIONS")) {
        if !options.contains(sent) {
            options.push(sent.clone());
        }
    }
    options
}

/// Waits for the next two OPTIONS.
fn next_round(bench: &mut Bench) -> [Sent; 2] {
    let sent = options(&bench.advance(31_500));
    let [alice, bob] = &sent[..] else {
        panic!("{sent:?}");
    };
    [alice.clone(), bob.clone()]
}

#[test]
fn parties_are_asked_and_silence_ends_the_call() {
    let mut bench = bench(PARAMETERS, KEPT);
    answered(&mut bench);
    assert!(options(&bench.advance(29_900)).is_empty());
    let sent = options(&bench.advance(1_200));
    assert_eq!(sent.len(), 2);
    assert_eq!(
        sent[0].first_line(),
        "OPTIONS sip:alice@10.0.0.2;ob SIP/2.0"
    );
    assert_eq!(
        (sent[0].header("X-To"), sent[1].header("X-To")),
        ("", "callee")
    );
    assert!(!sent[1].text.contains("X-Bye"));
    assert_eq!(
        (sent[0].header("CSeq"), sent[1].header("CSeq")),
        ("0 OPTIONS", "9 OPTIONS")
    );
    bench.receive(ALICE, &reply(&sent[0], "200 OK", ""));
    bench.receive(BOB, &reply(&sent[1], "481 Unknown", ""));
    assert_eq!(member(&mut bench, "lifetime"), Some(Value::Int(43_200)));
    let [to_alice, to_bob] = next_round(&mut bench);
    bench.receive(ALICE, &reply(&to_alice, "500 Whatever", ""));
    bench.receive(BOB, &reply(&to_bob, "481 Unknown", ""));
    assert_eq!(member(&mut bench, "lifetime"), Some(Value::Int(10)));
    logged(&bench);
    bench.advance(10_200);
    assert_eq!(logged(&bench), ["end OPTIONS state=5 var=<null>"]);
    assert_eq!(state_of(&mut bench), None);
    assert_eq!(bench.statistic("dialog", "expired_dialogs"), 1);
}

#[test]
fn a_party_that_does_not_answer_counts_as_gone_until_it_does() {
    let parameters = PARAMETERS.replace("ka_failed_limit\", 2", "ka_failed_limit\", 1");
    let mut bench = bench(&parameters, KEPT);
    answered(&mut bench);
    let [to_alice, _] = next_round(&mut bench);
    bench.receive(ALICE, &reply(&to_alice, "200 OK", ""));
    // Bob's OPTIONS times out.
    let mut lost = false;
    for _ in 0..40 {
        bench.advance(1_000);
        if member(&mut bench, "lifetime") == Some(Value::Int(10)) {
            lost = true;
            break;
        }
    }
    assert!(lost);
    let info = within("INFO", 1, "<sip:10.0.0.1;lr>")
        .replace(
            "From: <sip:alice@example.org>;tag=fa",
            "From: <sip:bob@example.org>;tag=tb",
        )
        .replace(
            "To: <sip:bob@example.org>;tag=tb",
            "To: <sip:alice@example.org>;tag=fa",
        );
    bench.receive(BOB, &info);
    assert_eq!(member(&mut bench, "lifetime"), Some(Value::Int(43_200)));
    bench.advance(12_000);
    assert_eq!(state_of(&mut bench), Some(4));
}

#[test]
fn the_end_is_told_why() {
    let parameters = PARAMETERS.replace("ka_failed_limit\", 2", "ka_failed_limit\", 1");
    let kept = r#"
route[BEGIN] {
    $dlg_ctx(timeout_bye) = 1;
    dlg_set_property("ka-dst");
    dlg_manage();
}
event_route[dialog:end] {
    xlog("L_INFO", "$dlg(end_reason) by $dlg(ended_by)\n");
}
"#;
    let routes = ROUTES.replace("event_route[dialog:end]", "route[UNUSED]");
    let mut bench = Bench::new(&format!("{HEAD}{parameters}{routes}{kept}"));
    answered(&mut bench);
    let sent = options(&bench.advance(31_500));
    bench.receive(BOB, &reply(&sent[0], "481 Unknown", ""));
    logged(&bench);
    let sent = bench.advance(10_200);
    assert_eq!(logged(&bench), ["keep-alive by proxy"]);
    let byes = sent.iter().filter(|sent| sent.text.starts_with("BYE"));
    assert_eq!(byes.count(), 2);
}
