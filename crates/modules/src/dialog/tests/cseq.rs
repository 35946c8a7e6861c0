//! CSeq numbers that rise for both sides, whatever is sent in between (`track_cseq_updates`).

use super::*;

const PARAMETERS: &str = r#"
loadmodule "uac.so"
modparam("uac", "credential", "tandem:trunk.example:secret")
modparam("dialog", "track_cseq_updates", 1)
"#;

const ROUTES: &str = r#"
request_route {
    t_on_failure("AUTH");
    if (loose_route()) {
        if (method == "MESSAGE") {
            dlg_req_within("all", "INFO");
            exit;
        }
        t_relay();
        exit;
    }
    if (method == "CANCEL") {
        t_relay();
        exit;
    }
    dlg_manage();
    record_route();
    t_relay();
}
failure_route[AUTH] {
    if (t_check_status("401|407") && uac_auth()) {
        t_on_failure("AUTH");
        t_relay();
    }
}
"#;

const CHALLENGE: &str = "Proxy-Authenticate: Digest realm=\"trunk.example\", nonce=\"n\"\n";
const CONTACT: &str = "Contact: <sip:bob@10.0.0.3>\n";

struct Flow {
    bench: Bench,
    route: String,
}

impl Flow {
    /// A call whose INVITE was challenged `times` times.
    fn begun(times: usize) -> Self {
        let mut bench = Bench::new(&format!("{HEAD}{PARAMETERS}{ROUTES}"));
        let sent = bench.receive(ALICE, invite());
        let mut to_bob = sent_to(&sent, BOB)[0].clone();
        for _ in 0..times {
            let sent = bench.receive(BOB, &reply(&to_bob, "407 Asked", CHALLENGE));
            to_bob = sent_to(&sent, BOB)[1].clone();
        }
        let sent = bench.receive(BOB, &reply(&to_bob, "200 OK", CONTACT));
        assert_eq!(sent_to(&sent, ALICE)[0].header("CSeq"), "10 INVITE");
        let route = to_bob.header("Record-Route").to_owned();
        let mut flow = Self { bench, route };
        let raised = format!("{} ACK", 10 + times);
        assert_eq!(flow.alice_sends("ACK", 10)[0].header("CSeq"), raised);
        flow
    }

    /// What reaches Bob when Alice sends this.
    fn alice_sends(&mut self, method: &str, cseq: u32) -> Vec<Sent> {
        let sent = self
            .bench
            .receive(ALICE, &within(method, cseq, &self.route));
        sent_to(&sent, BOB).into_iter().cloned().collect()
    }

    /// What reaches Alice when Bob sends this.
    fn bob_sends(&mut self, method: &str, cseq: u32) -> Vec<Sent> {
        let text = within(method, cseq, &self.route)
            .replace("z9hG4bK", "z9hG4bKb")
            .replace(
                "From: <sip:alice@example.org>;tag=fa",
                "From: <sip:bob@example.org>;tag=tb",
            )
            .replace(
                "To: <sip:bob@example.org>;tag=tb",
                "To: <sip:alice@example.org>;tag=fa",
            )
            .replacen("sip:bob@10.0.0.3", "sip:alice@10.0.0.2", 1);
        let sent = self.bench.receive(BOB, &text);
        sent_to(&sent, ALICE).into_iter().cloned().collect()
    }

    /// A request of Alice's and its 200: the numbers that Bob and Alice see.
    fn asks(&mut self, method: &str, cseq: u32) -> (String, String) {
        let request = self.alice_sends(method, cseq)[0].clone();
        let sent = self.bench.receive(BOB, &reply(&request, "200 OK", ""));
        let answer = sent_to(&sent, ALICE)
            .pop()
            .expect("a reply")
            .header("CSeq")
            .to_owned();
        (request.header("CSeq").to_owned(), answer)
    }
}

fn both(seen: &str, answered: &str) -> (String, String) {
    (seen.to_owned(), answered.to_owned())
}

#[test]
fn what_follows_a_challenge_is_raised_and_comes_back_as_it_was() {
    let mut flow = Flow::begun(1);
    assert_eq!(flow.asks("INFO", 11), both("12 INFO", "11 INFO"));
    // What Bob sends is not touched.
    assert_eq!(flow.bob_sends("INFO", 1)[0].header("CSeq"), "1 INFO");
    let shown = member(&mut flow.bench, "variables").expect("variables");
    assert!(format!("{shown:?}").contains("cseq_diff"), "{shown:?}");
    assert_eq!(flow.asks("BYE", 12), both("13 BYE", "12 BYE"));
}

#[test]
fn each_challenge_raises_once_more() {
    let mut flow = Flow::begun(2);
    assert_eq!(flow.asks("INFO", 11), both("13 INFO", "11 INFO"));
    let invite = flow.alice_sends("INVITE", 12)[0].clone();
    assert_eq!(invite.header("CSeq"), "14 INVITE");
    let sent = flow
        .bench
        .receive(BOB, &reply(&invite, "407 Asked", CHALLENGE));
    let again = sent_to(&sent, BOB)[1].clone();
    assert_eq!(again.header("CSeq"), "15 INVITE");
    flow.bench.receive(BOB, &reply(&again, "200 OK", CONTACT));
    assert_eq!(flow.alice_sends("ACK", 12)[0].header("CSeq"), "15 ACK");
    // The ACK of the first INVITE, once more, is still its own.
    assert_eq!(flow.alice_sends("ACK", 10)[0].header("CSeq"), "12 ACK");
    assert_eq!(flow.asks("INFO", 13), both("16 INFO", "13 INFO"));
}

#[test]
fn requests_of_our_own_go_on_from_the_raised_numbers() {
    let mut flow = Flow::begun(1);
    let (call, numbers) = (["call-1@test", "fa", "tb"], [11, 12]);
    assert_eq!(flow.asks("INFO", 11), both("12 INFO", "11 INFO"));
    flow.bench
        .command("dlg.terminate_dlg", &call)
        .expect("the call is there");
    let sent = flow.bench.settle();
    assert_eq!(sent_to(&sent, BOB)[0].header("CSeq"), "13 BYE");
    assert_eq!(sent_to(&sent, ALICE)[0].header("CSeq"), "1 BYE");
    assert_eq!(numbers.len(), 2);
}

#[test]
fn what_a_party_sends_after_a_request_of_our_own_is_above_it() {
    let mut flow = Flow::begun(0);
    // The proxy sends an INFO to each side: 12 to Bob, 1 to Alice.
    let info = flow.alice_sends("MESSAGE", 11);
    assert_eq!(info[0].header("CSeq"), "12 INFO");
    let (seen, answered) = flow.asks("INFO", 12);
    assert_eq!((seen.as_str(), answered.as_str()), ("13 INFO", "12 INFO"));
    let request = flow.bob_sends("INFO", 1)[0].clone();
    assert_eq!(request.header("CSeq"), "2 INFO");
    let sent = flow.bench.receive(ALICE, &reply(&request, "200 OK", ""));
    assert_eq!(
        sent_to(&sent, BOB).pop().expect("a reply").header("CSeq"),
        "1 INFO"
    );
    // Raised once, both go on side by side.
    assert_eq!(flow.asks("INFO", 13), both("14 INFO", "13 INFO"));
    assert_eq!(flow.bob_sends("INFO", 2)[0].header("CSeq"), "3 INFO");
}

#[test]
fn a_prack_names_the_number_that_its_invite_was_sent_with() {
    let mut bench = Bench::new(&format!("{HEAD}{PARAMETERS}{ROUTES}"));
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let sent = bench.receive(BOB, &reply(&to_bob, "407 Asked", CHALLENGE));
    let again = sent_to(&sent, BOB)[1].clone();
    let more = format!("{CONTACT}RSeq: 1\nRequire: 100rel\n");
    bench.receive(BOB, &reply(&again, "183 Progress", &more));
    let route = again.header("Record-Route").to_owned();
    let prack =
        within("PRACK", 11, &route).replace("Content-Length", "RAck: 1 10 INVITE\nContent-Length");
    let sent = bench.receive(ALICE, &prack);
    let prack = sent_to(&sent, BOB)[0];
    assert_eq!(prack.header("CSeq"), "12 PRACK");
    assert_eq!(prack.header("RAck"), "1 11 INVITE");
}

#[test]
fn a_cancel_is_that_of_the_branch() {
    let mut bench = Bench::new(&format!("{HEAD}{PARAMETERS}{ROUTES}"));
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let sent = bench.receive(BOB, &reply(&to_bob, "407 Asked", CHALLENGE));
    let again = sent_to(&sent, BOB)[1].clone();
    bench.receive(BOB, &reply(&again, "180 Ringing", ""));
    let cancel = invite()
        .replace("INVITE sip", "CANCEL sip")
        .replace("10 INVITE", "10 CANCEL");
    let sent = bench.receive(ALICE, &cancel);
    assert_eq!(sent_to(&sent, BOB)[0].header("CSeq"), "11 CANCEL");
    let sent = bench.receive(BOB, &reply(&again, "487 Request Terminated", ""));
    assert_eq!(sent_to(&sent, BOB)[0].header("CSeq"), "11 ACK");
    assert_eq!(sent_to(&sent, ALICE)[0].header("CSeq"), "10 INVITE");
}

#[test]
fn a_reply_that_comes_when_all_is_forgotten_is_put_back_too() {
    let mut flow = Flow::begun(1);
    let request = flow.alice_sends("INFO", 11)[0].clone();
    let ok = reply(&request, "200 OK", "");
    flow.bench.receive(BOB, &ok);
    flow.bench.advance(60_000);
    let sent = flow.bench.receive(BOB, &ok);
    assert_eq!(sent_to(&sent, ALICE)[0].header("CSeq"), "11 INFO");
}

#[test]
fn without_tracking_numbers_stay_as_they_are() {
    let parameters = PARAMETERS.replace("track_cseq_updates\", 1", "track_cseq_updates\", 0");
    let mut bench = Bench::new(&format!("{HEAD}{parameters}{ROUTES}"));
    let sent = bench.receive(ALICE, invite());
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let sent = bench.receive(BOB, &reply(&to_bob, "407 Asked", CHALLENGE));
    assert_eq!(sent_to(&sent, BOB)[1].header("CSeq"), "10 INVITE");
}
