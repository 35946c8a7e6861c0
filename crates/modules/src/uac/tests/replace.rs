//! Parties replaced, and put back.

use super::*;

const FROM: &str = "uac_replace_from(\"Nobody\", \"sip:anonymous@anonymous.invalid\");";
const BOTH: &str = "uac_replace_from(\"sip:proxy@trunk.example\"); uac_replace_to(\"Bob\", \"sip:+4930@trunk.example\");";

/// A request of Alice's or Bob's within the call.
fn within(from: &str, to: &str, method: &str, route: &str) -> String {
    format!(
        "{method} sip:x@{} SIP/2.0
Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK{method}
Max-Forwards: 70
Route: {route}
From: {from}
To: {to}
Call-ID: call-1@test
CSeq: 11 {method}
Content-Length: 0

",
        if from.contains("tag=fa") {
            "10.0.0.3"
        } else {
            "10.0.0.2"
        }
    )
}

/// Replaces when a call begins; gives the INVITE as it reached Bob, and his reply as it reached Alice.
fn begun(parameters: &str, begin: &str) -> (Bench, Sent, Sent) {
    let mut bench = bench(parameters, begin, "");
    let sent = bench.receive(ALICE, INVITE);
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let ok = reply(&to_bob, "200 OK", "Contact: <sip:bob@10.0.0.3>\n");
    let sent = bench.receive(BOB, &ok);
    let to_alice = sent_to(&sent, ALICE)[0].clone();
    (bench, to_bob, to_alice)
}

const ALICE_TO_BOB: [&str; 2] = [
    "\"Alice\" <sip:alice@example.org>;tag=fa",
    "<sip:bob@example.org>;tag=tb",
];

#[test]
fn both_sides_see_the_addresses_that_they_know() {
    let (mut bench, to_bob, to_alice) = begun("", BOTH);
    assert_eq!(
        to_bob.header("From"),
        "\"Alice\" <sip:proxy@trunk.example>;tag=fa"
    );
    assert_eq!(to_bob.header("To"), "Bob <sip:+4930@trunk.example>");
    assert_eq!(to_alice.header("From"), ALICE_TO_BOB[0]);
    assert_eq!(to_alice.header("To"), ALICE_TO_BOB[1]);
    let route = to_bob.header("Record-Route").to_owned();
    assert!(
        route.contains(";vsf=") && route.contains(";vst="),
        "{route}"
    );

    let [alice, bob] = ALICE_TO_BOB;
    let sent = bench.receive(ALICE, &within(alice, bob, "INFO", &route));
    let info = sent_to(&sent, BOB)[0].clone();
    assert_eq!(
        info.header("From"),
        "\"Alice\" <sip:proxy@trunk.example>;tag=fa"
    );
    assert_eq!(info.header("To"), "<sip:+4930@trunk.example>;tag=tb");
    let sent = bench.receive(BOB, &reply(&info, "200 OK", ""));
    let ok = sent.last().expect("the reply").clone();
    assert_eq!((ok.header("From"), ok.header("To")), (alice, bob));

    let (from, to) = (
        "<sip:+4930@trunk.example>;tag=tb",
        "<sip:proxy@trunk.example>;tag=fa",
    );
    let sent = bench.receive(BOB, &within(from, to, "MESSAGE", &route));
    let message = sent_to(&sent, ALICE)[0].clone();
    assert_eq!(message.header("From"), "<sip:bob@example.org>;tag=tb");
    assert_eq!(message.header("To"), "<sip:alice@example.org>;tag=fa");
    let sent = bench.receive(ALICE, &reply(&message, "200 OK", ""));
    let ok = sent.last().expect("the reply");
    assert_eq!((ok.header("From"), ok.header("To")), (from, to));
}

#[test]
fn a_password_hides_what_is_kept() {
    let plain = begun("", FROM).1;
    let (mut bench, to_bob, _) = begun("modparam(\"uac\", \"restore_passwd\", \"key\")\n", FROM);
    let route = to_bob.header("Record-Route").to_owned();
    assert_ne!(plain.header("Record-Route"), route);
    let [alice, bob] = ALICE_TO_BOB;
    let sent = bench.receive(ALICE, &within(alice, bob, "INFO", &route));
    let from = sent_to(&sent, BOB)[0].header("From");
    assert_eq!(from, "\"Alice\" <sip:anonymous@anonymous.invalid>;tag=fa");
}

#[test]
fn without_restoring_replies_stay_as_they_are() {
    let (mut bench, to_bob, to_alice) =
        begun("modparam(\"uac\", \"restore_mode\", \"none\")\n", FROM);
    let replaced = "Nobody <sip:anonymous@anonymous.invalid>;tag=fa";
    assert_eq!(to_bob.header("From"), replaced);
    assert_eq!(to_alice.header("From"), replaced);
    let route = to_bob.header("Record-Route").to_owned();
    assert!(!route.contains("vsf"));
    let [alice, bob] = ALICE_TO_BOB;
    let sent = bench.receive(ALICE, &within(alice, bob, "INFO", &route));
    assert_eq!(sent_to(&sent, BOB)[0].header("From"), alice);
}

#[test]
fn restoring_by_hand_is_left_to_the_script() {
    let parameters = "modparam(\"uac\", \"restore_mode\", \"manual\")\n";
    let (mut bench, to_bob, to_alice) = begun(parameters, FROM);
    assert_eq!(to_alice.header("From"), ALICE_TO_BOB[0]);
    let route = to_bob.header("Record-Route").to_owned();
    let [alice, bob] = ALICE_TO_BOB;
    let sent = bench.receive(ALICE, &within(alice, bob, "INFO", &route));
    assert_eq!(sent_to(&sent, BOB)[0].header("From"), alice);

    let config = format!(
        "{HEAD}{parameters}request_route {{ loose_route();
            if (uac_restore_from()) xlog(\"L_INFO\", \"restored\");
            if (!uac_restore_to()) xlog(\"L_INFO\", \"nothing to restore\");
            t_relay(); }}"
    );
    let mut bench = Bench::new(&config);
    let sent = bench.receive(ALICE, &within(alice, bob, "INFO", &route));
    assert_eq!(logged(&bench), ["restored", "nothing to restore"]);
    let from = sent_to(&sent, BOB)[0].header("From");
    assert_eq!(from, "\"Alice\" <sip:anonymous@anonymous.invalid>;tag=fa");
}

#[test]
fn what_is_needed_can_be_kept_with_the_call() {
    let begin = format!("dlg_manage(); {FROM}");
    let (mut bench, to_bob, to_alice) = begun("modparam(\"uac\", \"restore_dlg\", 1)\n", &begin);
    let route = to_bob.header("Record-Route").to_owned();
    assert!(!route.contains("vsf"), "{route}");
    assert_eq!(to_alice.header("From"), ALICE_TO_BOB[0]);
    let [alice, bob] = ALICE_TO_BOB;
    let sent = bench.receive(ALICE, &within(alice, bob, "INFO", &route));
    let from = sent_to(&sent, BOB)[0].header("From").to_owned();
    assert_eq!(from, "Nobody <sip:anonymous@anonymous.invalid>;tag=fa");
    let sent = bench.receive(BOB, &within(bob, &from, "MESSAGE", &route));
    assert_eq!(sent_to(&sent, ALICE)[0].header("To"), alice);
}

#[test]
fn a_variable_shows_what_was_replaced() {
    let parameters = "modparam(\"uac\", \"restore_from_avp\", \"$avp(was)\")\n";
    let begin = format!("{FROM} msg_apply_changes(); xlog(\"L_INFO\", \"$avp(was) $fu\");");
    let mut bench = bench(parameters, &begin, "");
    let sent = bench.receive(ALICE, INVITE);
    assert_eq!(
        logged(&bench),
        ["sip:alice@example.org sip:anonymous@anonymous.invalid"]
    );
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let sent = bench.receive(BOB, &reply(&to_bob, "486 Busy", ""));
    assert_eq!(sent_to(&sent, ALICE)[0].header("From"), ALICE_TO_BOB[0]);
}

#[test]
fn what_is_no_address_is_refused() {
    let begin = "if (!uac_replace_from(\"nonsense\")) xlog(\"L_INFO\", \"refused\");
        if (uac_replace_from(\"\", \"\")) xlog(\"L_INFO\", \"name gone\");";
    let mut bench = bench("", begin, "");
    let sent = bench.receive(ALICE, INVITE);
    assert_eq!(logged(&bench), ["refused", "name gone"]);
    let to_bob = sent_to(&sent, BOB)[0];
    assert_eq!(to_bob.header("From"), "<sip:alice@example.org>;tag=fa");
    assert!(!to_bob.header("Record-Route").contains("vsf"));
}

#[test]
fn a_route_that_nobody_wrote_changes_nothing() {
    let mut bench = bench("", "", "");
    let [alice, bob] = ALICE_TO_BOB;
    for value in [
        "x",
        "AAAA",
        "-----",
        "%00",
        "////////////////////////////////",
    ] {
        let route = format!("<sip:10.0.0.1;lr;ftag=fa;vsf={value}>");
        let sent = bench.receive(
            ALICE,
            &within(alice, bob, "INFO", &route).replace("INFO", &format!("X{}", value.len())),
        );
        assert_eq!(sent_to(&sent, BOB)[0].header("From"), alice, "{value}");
    }
}

#[test]
fn requests_of_our_own_show_each_side_what_it_knows() {
    let begin = format!("dlg_manage(); {BOTH}");
    let (mut bench, to_bob, _) = begun("modparam(\"uac\", \"restore_dlg\", 1)\n", &begin);
    let route = to_bob.header("Record-Route").to_owned();
    let [alice, bob] = ALICE_TO_BOB;
    bench.receive(
        ALICE,
        &within(alice, bob, "ACK", &route).replace("11 ACK", "10 ACK"),
    );
    bench
        .command("dlg.terminate_dlg", &["call-1@test", "fa", "tb"])
        .expect("the call is there");
    let sent = bench.settle();
    let (to_alice, to_bob) = (sent_to(&sent, ALICE)[0], sent_to(&sent, BOB)[0]);
    assert_eq!(to_alice.header("From"), "<sip:bob@example.org>;tag=tb");
    assert_eq!(to_alice.header("To"), "<sip:alice@example.org>;tag=fa");
    assert_eq!(to_bob.header("From"), "<sip:proxy@trunk.example>;tag=fa");
    assert_eq!(to_bob.header("To"), "<sip:+4930@trunk.example>;tag=tb");
}
