//! Registrations and lookups through a whole configuration.

use crate::testing::{Bench, Sent};

const CONFIG: &str = r#"
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
PARAMETERS
request_route {
    if (method == "REGISTER") {
        save("location");
        xlog("L_INFO", "save $rc\n");
        exit;
    }
    if (method == "OPTIONS") {
        reg_fetch_contacts("location", "$ru", "p");
        xlog("L_INFO", "fetch $rc $ulc(p=>aor) $ulc(p=>count) $(ulc(p=>addr)[-1]) $ulc(p=>q)\n");
        exit;
    }
    lookup("location");
    $var(code) = $rc;
    xlog("L_INFO", "lookup $var(code) $ru $du\n");
    if ($var(code) > 0) { t_relay(); }
}
event_route[usrloc:contact-expired] {
    xlog("L_INFO", "expired $ulc(exp=>aor) $ulc(exp=>addr)\n");
}
"#;

fn bench(parameters: &str) -> Bench {
    Bench::new(&CONFIG.replace("PARAMETERS", parameters))
}

fn request(bench: &mut Bench, method: &str, to: &str, cseq: u32, headers: &str) -> Vec<Sent> {
    let text = format!(
        "{method} {to} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{cseq}{method}\r\n\
         From: <{to}>;tag=1\r\nTo: <{to}>\r\nCall-ID: one\r\nCSeq: {cseq} {method}\r\n\
         Max-Forwards: 9\r\n{headers}Content-Length: 0\r\n\r\n"
    );
    bench.receive("192.0.2.1:5060", &text)
}

/// Registers; the first line, Contact and P-Registrar-Error of the reply, and the code of `save()`.
fn register(bench: &mut Bench, cseq: u32, headers: &str) -> (String, String, String, String) {
    bench.log();
    let sent = request(bench, "REGISTER", "sip:alice@example.com", cseq, headers);
    let [reply] = &sent[..] else {
        panic!("one reply, not {sent:?}");
    };
    let code = last_word(bench, "save ");
    (
        reply.first_line().to_owned(),
        reply.header("Contact").to_owned(),
        reply.header("P-Registrar-Error").to_owned(),
        code,
    )
}

fn last_word(bench: &Bench, before: &str) -> String {
    let lines = bench.log();
    let found = lines.iter().rev().find_map(|line| line.split_once(before));
    found
        .map(|(_, rest)| rest.trim().to_owned())
        .unwrap_or_default()
}

fn row(status: &str, contact: &str, error: &str, code: i64) -> (String, String, String, String) {
    let status = format!("SIP/2.0 {status}");
    (
        status,
        contact.to_owned(),
        error.to_owned(),
        code.to_string(),
    )
}

#[test]
fn registrations_one_after_another() {
    let mut bench = bench(r#"modparam("registrar", "max_contacts", 2)"#);
    let a = "<sip:a@192.0.2.1>;q=0.5;expires=60";
    let both = &format!("<sip:b@192.0.2.2>;q=0.7;expires=600, {a}");
    let steps = [
        ("", row("200 OK", "", "", 4)),
        (
            "Contact: <sip:a@192.0.2.1>;q=0.5;expires=9\r\n",
            row("200 OK", a, "", 1),
        ),
        (
            "Contact: <sip:a@192.0.2.1>;q=0.5;expires=60\r\n",
            row("200 OK", a, "", 2),
        ),
        (
            "Contact: <sip:b@192.0.2.2>;q=0.7\r\nExpires: 600\r\n",
            row("200 OK", both, "", 1),
        ),
        (
            "Contact: <sip:c@192.0.2.3>\r\n",
            row(
                "503 Service Unavailable",
                both,
                "Too many registered contacts",
                -2,
            ),
        ),
        (
            "Contact: <sip:b@192.0.2.2>;q=2\r\n",
            row("400 Bad Request", both, "Invalid q param in contact", -1),
        ),
        (
            "Contact: blah\r\n",
            row("400 Bad Request", "", "Contact parse error", -1),
        ),
        (
            "Contact: *\r\n",
            row(
                "400 Bad Request",
                "",
                "* used in contact and expires is not zero",
                -1,
            ),
        ),
        (
            "Contact: *, <sip:c@192.0.2.3>\r\nExpires: 0\r\n",
            row(
                "400 Bad Request",
                "",
                "* used in contact and more than 1 contact",
                -1,
            ),
        ),
        (
            "Contact: <sip:b@192.0.2.2>;expires=0\r\n",
            row("200 OK", a, "", 3),
        ),
        (
            "Contact: <sip:z@192.0.2.2>;expires=0\r\n",
            row("200 OK", a, "", 1),
        ),
        ("Contact: *\r\nExpires: 0\r\n", row("200 OK", "", "", 3)),
    ];
    for (cseq, (headers, expected)) in (1..).zip(steps) {
        assert_eq!(register(&mut bench, cseq, headers), expected, "{headers}");
    }
    assert_eq!(bench.statistic("registrar", "accepted_regs"), 7);
    assert_eq!(bench.statistic("registrar", "rejected_regs"), 5);
    assert_eq!(bench.statistic("usrloc", "location_users"), 0);
}

#[test]
fn an_older_registration_changes_nothing() {
    let mut bench = bench("");
    let contact = "Contact: <sip:a@192.0.2.1>;expires=90\r\n";
    let shown = "<sip:a@192.0.2.1>;expires=90";
    assert_eq!(
        register(&mut bench, 5, contact),
        row("200 OK", shown, "", 1)
    );
    let older = row("400 Bad Request", shown, "Invalid CSeq number", -1);
    assert_eq!(register(&mut bench, 4, contact), older);
    let gone = "Contact: *\r\nExpires: 0\r\n";
    assert_eq!(register(&mut bench, 3, gone), older);
}

#[test]
fn calls_go_to_the_contacts_in_their_order() {
    let mut bench = bench("");
    let contacts = "Contact: <sip:a@192.0.2.8>;q=0.1, <sip:b@192.0.2.9:5070>;q=1\r\n";
    register(&mut bench, 1, contacts);
    let sent = request(&mut bench, "INVITE", "sip:ALICE@other.org", 2, "");
    let to: Vec<_> = sent.iter().map(|sent| sent.to.to_string()).collect();
    assert_eq!(to, ["192.0.2.1:5060", "192.0.2.9:5070", "192.0.2.8:5060"]);
    assert_eq!(sent[1].first_line(), "INVITE sip:b@192.0.2.9:5070 SIP/2.0");
    request(&mut bench, "MESSAGE", "sip:bob@other.org", 3, "");
    assert_eq!(last_word(&bench, "lookup "), "-1 sip:bob@other.org <null>");
    request(&mut bench, "OPTIONS", "sip:alice@x.org", 4, "");
    assert_eq!(
        last_word(&bench, "fetch "),
        "1 alice 2 sip:a@192.0.2.8 1000"
    );
}

#[test]
fn a_path_is_followed_and_needs_support() {
    let mut bench = bench(r#"modparam("registrar", "use_path", 1)"#);
    let path =
        "Contact: <sip:a@192.0.2.8>\r\nPath: <sip:192.0.2.5;lr>\r\nPath: <sip:192.0.2.6;lr>\r\n";
    let (status, _, error, code) = register(&mut bench, 1, path);
    assert_eq!(status, "SIP/2.0 420 Bad Extension");
    assert_eq!(
        (&*error, &*code),
        ("No support for found Path indicated", "-1")
    );
    assert_eq!(bench.statistic("usrloc", "location_users"), 0);
    register(&mut bench, 2, &format!("{path}Supported: path\r\n"));
    let sent = request(&mut bench, "MESSAGE", "sip:alice@x.org", 3, "");
    let [sent] = &sent[..] else {
        panic!("one request, not {sent:?}");
    };
    assert_eq!(sent.to.to_string(), "192.0.2.5:5060");
    assert_eq!(
        sent.header("Route"),
        "<sip:192.0.2.5;lr>,<sip:192.0.2.6;lr>"
    );
}

#[test]
fn methods_filter_contacts() {
    let mut bench = bench(r#"modparam("registrar", "method_filtering", 1)"#);
    register(
        &mut bench,
        1,
        "Contact: <sip:a@192.0.2.8>\r\nAllow: INVITE, BYE\r\n",
    );
    request(&mut bench, "MESSAGE", "sip:alice@x.org", 2, "");
    assert_eq!(last_word(&bench, "lookup "), "-2 sip:alice@x.org <null>");
    assert_eq!(
        request(&mut bench, "INVITE", "sip:alice@x.org", 3, "").len(),
        2
    );
}

#[test]
fn contacts_end_to_the_second_and_the_script_is_told() {
    let mut bench = bench(r#"modparam("registrar", "min_expires", 0)"#);
    register(&mut bench, 1, "Contact: <sip:a@192.0.2.8>;expires=3\r\n");
    bench.advance(2_900);
    assert_eq!(bench.statistic("usrloc", "location_contacts"), 1);
    bench.advance(200);
    assert_eq!(bench.statistic("usrloc", "location_contacts"), 0);
    assert_eq!(bench.statistic("usrloc", "location_expires"), 1);
    assert_eq!(last_word(&bench, "expired "), "alice sip:a@192.0.2.8");
}

#[test]
fn gruus_lead_to_their_instance() {
    let mut bench = bench(r#"modparam("usrloc", "use_domain", 1)"#);
    let phone = |n: u32| {
        format!(
            "Contact: <sip:p@192.0.2.{n}>;+sip.instance=\"<urn:uuid:{n}>\"\r\nSupported: gruu\r\n"
        )
    };
    register(&mut bench, 1, &phone(7));
    let (_, contact, ..) = register(&mut bench, 2, &phone(8));
    let gruus: Vec<&str> = ["pub-gruu=\"", "temp-gruu=\""]
        .iter()
        .filter_map(|name| contact.rsplit_once(name)?.1.split('"').next())
        .collect();
    assert_eq!(gruus[0], "sip:alice@example.com;gr=urn:uuid:8");
    for (cseq, gruu) in (3..).zip(gruus) {
        let sent = request(&mut bench, "MESSAGE", gruu, cseq, "");
        let to: Vec<_> = sent.iter().map(|sent| sent.to.to_string()).collect();
        assert_eq!(to, ["192.0.2.8:5060"], "{gruu}");
    }
}

#[test]
fn commands_show_and_change_contacts() {
    let mut bench = bench("");
    let add = [
        "location",
        "bob",
        "sip:b@192.0.2.9",
        "60",
        "0.5",
        ".",
        "0",
        "0",
        "5951",
    ];
    assert!(bench.command("ul.add", &add).is_ok());
    let shown = bench.command("ul.lookup", &["location", "bob@any"]);
    let shown = format!("{shown:?}");
    assert!(
        shown.contains("Address") && shown.contains("Double(0.5)"),
        "{shown}"
    );
    let fault = |result: Result<Vec<rpc::Value>, rpc::Fault>| {
        result
            .err()
            .map(|fault| (fault.code, fault.text.into_owned()))
    };
    for (name, arguments, expected) in [
        (
            "ul.lookup",
            &["location", "zz"][..],
            Some((500, "AOR not found in location table")),
        ),
        (
            "ul.lookup",
            &["foo", "zz"],
            Some((500, "Domain table not found")),
        ),
        (
            "ul.rm_contact",
            &["location", "zz", "x"],
            Some((404, "AOR not found")),
        ),
        (
            "ul.rm_contact",
            &["location", "bob", "x"],
            Some((404, "Contact not found")),
        ),
        ("ul.rm", &["location", "zz"], None),
        ("ul.rm", &["location", "bob"], None),
        (
            "ul.lookup",
            &["location", "bob"],
            Some((500, "AOR not found in location table")),
        ),
        (
            "ul.db_users",
            &[],
            Some((500, "Command is not supported in db_mode=0")),
        ),
        ("ul.flush", &[], None),
    ] {
        let expected = expected.map(|(code, text)| (code, text.to_owned()));
        assert_eq!(fault(bench.command(name, arguments)), expected, "{name}");
    }
}

#[test]
fn what_needs_a_database_is_an_error_at_load() {
    let config = CONFIG.replace("PARAMETERS", r#"modparam("usrloc", "db_mode", 2)"#);
    let error = Bench::load(&config).err().unwrap_or_default();
    assert!(error.contains("db_mode must be 0"), "{error}");
}
