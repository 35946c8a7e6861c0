//! Challenges to requests of our own, with credentials of module `uac` and without.

use super::functions::at_info;
use super::*;

const CREDENTIALS: &str = r#"
loadmodule "uac.so"
modparam("uac", "credential", "tandem:pbx.example:secret")
"#;
const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"pbx.example\", nonce=\"n\"\n";
const CAROL: &str = "10.0.0.4:5060";

/// The request that comes after a challenge to `request`; `None` if none does.
fn again(bench: &mut Bench, from: &str, request: &Sent) -> Option<Sent> {
    let sent = bench.receive(from, &reply(request, "401 Asked", CHALLENGE));
    let requests = sent_to(&sent, from).into_iter();
    let mut requests = requests.filter(|sent| !sent.text.starts_with("ACK"));
    requests.next().cloned()
}

fn is_answer(first: &Sent, second: &Sent) -> bool {
    let number = |sent: &Sent| -> u32 {
        let cseq = sent.header("CSeq").split(' ').next().expect("a number");
        cseq.parse().expect("a number")
    };
    let value = second.header("Authorization");
    value.starts_with("Digest username=\"tandem\", realm=\"pbx.example\"")
        && number(second) == number(first) + 1
        && second.header("Call-ID") == first.header("Call-ID")
        && second.header("From") == first.header("From")
}

#[test]
fn bridging_answers_challenges_all_the_way() {
    let mut bench = bench(CREDENTIALS, BEGIN);
    bench
        .command(
            "dlg.bridge_dlg",
            &["sip:carol@10.0.0.4", "sip:bob@10.0.0.3"],
        )
        .expect("it begins");
    let sent = bench.settle();
    let invite = sent_to(&sent, CAROL)[0].clone();
    let second = again(&mut bench, CAROL, &invite).expect("the INVITE once more");
    assert!(is_answer(&invite, &second), "{}", second.text);
    let contact = "Contact: <sip:carol@10.0.0.4>\n";
    let sent = bench.receive(CAROL, &reply(&second, "200 OK", contact));
    let [ack, refer] = [0, 1].map(|at| sent_to(&sent, CAROL)[at].clone());
    assert_eq!(ack.header("CSeq"), "11 ACK");
    assert_eq!(refer.header("CSeq"), "12 REFER");
    let second = again(&mut bench, CAROL, &refer).expect("the REFER once more");
    assert!(is_answer(&refer, &second), "{}", second.text);
    assert_eq!(second.header("Refer-To"), "sip:bob@10.0.0.3");
    let sent = bench.receive(CAROL, &reply(&second, "202 Accepted", ""));
    let bye = sent_to(&sent, CAROL)[0].clone();
    assert_eq!(bye.header("CSeq"), "14 BYE");
    let second = again(&mut bench, CAROL, &bye).expect("the BYE once more");
    assert!(is_answer(&bye, &second), "{}", second.text);
    bench.receive(CAROL, &reply(&second, "200 OK", ""));
    bench.advance(60_000);
    assert_eq!(bench.engine.transactions.len(), 0);
}

#[test]
fn an_answer_that_is_not_believed_is_given_once() {
    let mut bench = bench(CREDENTIALS, BEGIN);
    bench
        .command(
            "dlg.bridge_dlg",
            &["sip:carol@10.0.0.4", "sip:bob@10.0.0.3"],
        )
        .expect("it begins");
    let sent = bench.settle();
    let invite = sent_to(&sent, CAROL)[0].clone();
    let mut request = again(&mut bench, CAROL, &invite).expect("the INVITE once more");
    assert_eq!(again(&mut bench, CAROL, &request), None);
    // Somebody whose nonces are always too old is not asked for ever.
    bench
        .command(
            "dlg.bridge_dlg",
            &["sip:carol@10.0.0.4", "sip:bob@10.0.0.3"],
        )
        .expect("it begins");
    request = sent_to(&bench.settle(), CAROL)[0].clone();
    let mut times = 0;
    let stale = CHALLENGE.replace("\"n\"", "\"n\", stale=true");
    loop {
        let sent = bench.receive(CAROL, &reply(&request, "401 Asked", &stale));
        let next = sent_to(&sent, CAROL)
            .into_iter()
            .find(|sent| sent.text.starts_with("INVITE"));
        let Some(next) = next else { break };
        (request, times) = (next.clone(), times + 1);
        assert_eq!(request.headers("Authorization").len(), 1);
    }
    assert_eq!(times, 3);
}

#[test]
fn requests_within_a_call_answer_challenges() {
    let begin = format!("{CREDENTIALS}{BEGIN}");
    let (mut bench, sent, _) = at_info(
        &begin,
        r#"dlg_req_within("callee", "MESSAGE", "text/plain", "hi");"#,
    );
    let message = sent_to(&sent, BOB)[0].clone();
    let second = again(&mut bench, BOB, &message).expect("the MESSAGE once more");
    assert!(is_answer(&message, &second), "{}", second.text);
    assert!(second.text.ends_with("\r\n\r\nhi"));
    bench.receive(BOB, &reply(&second, "200 OK", ""));
    // The next request of our own is above both.
    bench
        .command("dlg.terminate_dlg", &["call-1@test", "fa", "tb"])
        .expect("the call is there");
    let sent = bench.settle();
    let bye = sent_to(&sent, BOB)[0].clone();
    assert_eq!(bye.header("CSeq"), "14 BYE");
    let second = again(&mut bench, BOB, &bye).expect("the BYE once more");
    assert!(is_answer(&bye, &second), "{}", second.text);
    bench.receive(BOB, &reply(&second, "200 OK", ""));
    let to_alice = sent_to(&sent, ALICE)[0].clone();
    assert_eq!(state_of(&mut bench), Some(5));
    bench.receive(ALICE, &reply(&to_alice, "200 OK", ""));
    assert_eq!(state_of(&mut bench), None);
}

#[test]
fn without_credentials_a_challenge_is_a_final_reply() {
    let (mut bench, sent, _) = at_info(BEGIN, r#"dlg_bye("all");"#);
    for address in [ALICE, BOB] {
        let bye = sent_to(&sent, address)
            .into_iter()
            .find(|sent| sent.text.starts_with("BYE"));
        let bye = bye.expect("a BYE").clone();
        assert_eq!(again(&mut bench, address, &bye), None);
    }
    assert_eq!(state_of(&mut bench), None);
}
