//! Challenges to what passes through.

use super::*;
use crate::uac::digest::{Algorithm, Question, Secret};

const AGAIN: &str = r#"
failure_route[AUTH] {
    if (uac_auth()) {
        t_on_failure("AUTH");
        t_relay();
    } else xlog("L_INFO", "no credentials");
}
"#;

const PARAMETERS: &str = r#"modparam("uac", "credential", "tandem:trunk.example:secret")
modparam("uac", "auth_realm_avp", "$avp(realm)")
modparam("uac", "auth_username_avp", "$avp(user)")
modparam("uac", "auth_password_avp", "$avp(password)")
"#;

fn field<'a>(value: &'a str, name: &str) -> &'a str {
    let fields = value.trim_start_matches("Digest ").split(", ");
    let found = fields.filter_map(|field| field.split_once('='));
    let mut found = found.filter(|(known, _)| *known == name);
    found
        .next()
        .map_or("", |(_, value)| value.trim_matches('"'))
}

/// Whether credentials answer their challenge.
fn fit(value: &str, username: &str, secret: Secret<'_>, uri: &str) -> bool {
    let counted = (!field(value, "cnonce").is_empty()).then(|| {
        (
            field(value, "nc").as_bytes(),
            field(value, "cnonce").as_bytes(),
        )
    });
    let question = Question {
        algorithm: Algorithm::named(Some(field(value, "algorithm").as_bytes())).expect("known"),
        username: username.as_bytes(),
        realm: field(value, "realm").as_bytes(),
        secret,
        nonce: field(value, "nonce").as_bytes(),
        method: b"INVITE",
        uri: uri.as_bytes(),
        counted,
    };
    field(value, "username") == username
        && field(value, "uri") == uri
        && question.response().as_deref() == Some(field(value, "response").as_bytes())
}

fn begin(more: &str) -> (Bench, Sent) {
    let begin = format!("t_on_failure(\"AUTH\");\n{more}");
    let mut bench = bench(PARAMETERS, &begin, AGAIN);
    let sent = bench.receive(ALICE, INVITE);
    let to_bob = sent_to(&sent, BOB)[0].clone();
    (bench, to_bob)
}

#[test]
fn a_challenged_branch_is_sent_again_with_credentials() {
    let (mut bench, first) = begin("");
    let challenge =
        "Proxy-Authenticate: Digest realm=\"trunk.example\", nonce=\"n1\", qop=\"auth\"\n";
    let sent = bench.receive(BOB, &reply(&first, "407 Asked", challenge));
    let to_bob = sent_to(&sent, BOB);
    assert!(to_bob[0].first_line().starts_with("ACK "));
    let again = to_bob[1].clone();
    assert_eq!(again.first_line(), "INVITE sip:bob@10.0.0.3 SIP/2.0");
    assert_eq!(again.header("CSeq"), "10 INVITE");
    let value = again.header("Proxy-Authorization");
    let secret = Secret::Password(b"secret");
    assert!(fit(value, "tandem", secret, "sip:bob@10.0.0.3"), "{value}");
    assert_eq!(field(value, "nc"), "00000001");
    assert!(sent_to(&sent, ALICE).is_empty());
    let sent = bench.receive(BOB, &reply(&again, "200 OK", ""));
    assert_eq!(sent_to(&sent, ALICE)[0].first_line(), "SIP/2.0 200 OK");
}

#[test]
fn each_challenge_is_answered_by_the_algorithm_that_it_names() {
    let (mut bench, first) =
        begin("$avp(realm) = \"elsewhere\"; $avp(user) = \"bob\"; $avp(password) = \"pw\";");
    let challenges = "WWW-Authenticate: Digest realm=\"trunk.example\", nonce=\"n1\", algorithm=SHA-256\n\
        WWW-Authenticate: Digest realm=\"trunk.example\", nonce=\"n2\"\n\
        WWW-Authenticate: Digest realm=\"elsewhere\", nonce=\"n3\", opaque=\"o\"\n";
    let sent = bench.receive(BOB, &reply(&first, "401 Asked", challenges));
    let again = sent_to(&sent, BOB)[1];
    let values = again.headers("Authorization");
    assert_eq!(values.len(), 2);
    let secret = Secret::Password(b"secret");
    assert!(
        fit(values[0], "tandem", secret, "sip:bob@10.0.0.3"),
        "{values:?}"
    );
    assert_eq!(field(values[0], "algorithm"), "SHA-256");
    let secret = Secret::Password(b"pw");
    assert!(
        fit(values[1], "bob", secret, "sip:bob@10.0.0.3"),
        "{values:?}"
    );
    assert_eq!(field(values[1], "opaque"), "o");
}

#[test]
fn without_credentials_the_challenge_goes_back() {
    let (mut bench, first) =
        begin("$avp(user) = \"bob\"; $avp(password) = \"pw\"; $avp(realm) = \"other\";");
    let challenge = "WWW-Authenticate: Digest realm=\"nobody.example\", nonce=\"n1\"\n";
    let sent = bench.receive(BOB, &reply(&first, "401 Asked", challenge));
    assert_eq!(logged(&bench), ["no credentials"]);
    assert_eq!(sent_to(&sent, ALICE)[0].first_line(), "SIP/2.0 401 Asked");
    assert_eq!(sent_to(&sent, BOB).len(), 1);
}

#[test]
fn other_replies_are_no_challenges() {
    let (mut bench, first) = begin("");
    let sent = bench.receive(BOB, &reply(&first, "486 Busy", ""));
    assert_eq!(logged(&bench), ["no credentials"]);
    assert_eq!(sent_to(&sent, ALICE)[0].first_line(), "SIP/2.0 486 Busy");
}

#[test]
fn a_hash_may_take_the_place_of_the_password() {
    let again = AGAIN.replace("uac_auth()", "uac_auth_mode(\"1\")");
    let begin = "t_on_failure(\"AUTH\"); $avp(user) = \"bob\";
        $avp(password) = \"36d0a02793542b4961e8348347236dbf\";";
    let mut bench = bench(PARAMETERS, begin, &again);
    let sent = bench.receive(ALICE, INVITE);
    let first = sent_to(&sent, BOB)[0].clone();
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\"\n";
    let sent = bench.receive(BOB, &reply(&first, "401 Asked", challenge));
    let value = sent_to(&sent, BOB)[1].header("Authorization");
    let secret = Secret::Ha1(b"36d0a02793542b4961e8348347236dbf");
    assert!(fit(value, "bob", secret, "sip:bob@10.0.0.3"), "{value}");
}

#[test]
fn the_retry_goes_where_the_challenged_branch_went() {
    let begin = "t_on_failure(\"AUTH\"); t_on_branch(\"TO\");";
    let more = format!("{AGAIN}branch_route[TO] {{ $ru = \"sip:trunk@10.0.0.3;x=1\"; }}\n");
    let mut bench = bench(PARAMETERS, begin, &more);
    let sent = bench.receive(ALICE, INVITE);
    let first = sent_to(&sent, BOB)[0].clone();
    let challenge = "WWW-Authenticate: Digest realm=\"trunk.example\", nonce=\"n1\"\n";
    let sent = bench.receive(BOB, &reply(&first, "401 Asked", challenge));
    let again = sent_to(&sent, BOB)[1];
    assert_eq!(again.first_line(), "INVITE sip:trunk@10.0.0.3;x=1 SIP/2.0");
    let value = again.header("Authorization");
    let secret = Secret::Password(b"secret");
    assert!(
        fit(value, "tandem", secret, "sip:trunk@10.0.0.3;x=1"),
        "{value}"
    );
}

#[test]
fn an_answered_challenge_does_not_win_over_a_later_failure() {
    let (mut bench, first) = begin("");
    let challenge = "WWW-Authenticate: Digest realm=\"trunk.example\", nonce=\"n1\"\n";
    let sent = bench.receive(BOB, &reply(&first, "401 Asked", challenge));
    let again = sent_to(&sent, BOB)[1].clone();
    let sent = bench.receive(BOB, &reply(&again, "503 Unavailable", ""));
    assert_eq!(logged(&bench), ["no credentials"]);
    assert_eq!(sent_to(&sent, BOB).len(), 1);
    assert_eq!(sent_to(&sent, ALICE).len(), 1);
    assert!(
        sent_to(&sent, ALICE)[0]
            .first_line()
            .starts_with("SIP/2.0 50")
    );
}

#[test]
fn an_answer_that_is_not_sent_leaves_the_challenge_to_the_caller() {
    let again = AGAIN.replace("t_relay();", "exit;");
    let mut bench = bench(PARAMETERS, "t_on_failure(\"AUTH\");", &again);
    let sent = bench.receive(ALICE, INVITE);
    let first = sent_to(&sent, BOB)[0].clone();
    let challenge = "WWW-Authenticate: Digest realm=\"trunk.example\", nonce=\"n1\"\n";
    let sent = bench.receive(BOB, &reply(&first, "401 Asked", challenge));
    assert_eq!(sent_to(&sent, ALICE)[0].first_line(), "SIP/2.0 401 Asked");
}
