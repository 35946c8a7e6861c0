//! What functions and variables say at each point of a call.

use super::*;

/// Runs one statement list when the INVITE comes and shows what it logged.
fn at_invite(statements: &str) -> Vec<String> {
    let mut bench = bench("", &format!("route[BEGIN] {{ {statements} }}"));
    bench.receive(ALICE, invite());
    logged(&bench)
}

/// Runs a call in which Alice's INFO runs these statements.
pub(super) fn at_info(begin: &str, statements: &str) -> (Bench, Vec<Sent>, Vec<String>) {
    let routes = ROUTES.replace(
        "if (loose_route()) {",
        &format!("if (loose_route()) {{ if (method == \"INFO\") {{ {statements} exit; }}"),
    );
    let mut bench = Bench::new(&format!("{HEAD}{routes}{begin}"));
    let route = answered(&mut bench);
    logged(&bench);
    let sent = bench.receive(ALICE, &within("INFO", 11, &route));
    let lines = logged(&bench);
    (bench, sent, lines)
}

pub(super) const SAY: &str = "xlog(\"L_INFO\", ";

#[test]
fn profiles_before_and_after_the_call_is_there() {
    let lines = at_invite(&format!(
        r#"
        set_dlg_profile("caller", "alice");
        set_dlg_profile("caller", "gone");
        if (unset_dlg_profile("caller", "gone")) {SAY}"unset");
        if (!set_dlg_profile("caller")) {SAY}"no value");
        dlg_manage();
        set_dlg_profile("inbound");
        set_dlg_profile("inbound");
        get_profile_size("inbound", "$var(a)");
        get_profile_size("caller", "alice", "$var(b)");
        get_profile_size("caller", "gone", "$var(c)");
        get_profile_size("caller", "$avp(d)");
        {SAY}"$var(a) $var(b) $var(c) $avp(d)");
        if (is_in_profile("caller", "alice") && is_in_profile("caller")) {SAY}"in");
        if (!is_in_profile("caller", "bob")) {SAY}"not bob");
        if (unset_dlg_profile("caller", "alice") && !is_in_profile("caller")) {SAY}"out");
        "#
    ));
    assert_eq!(
        lines,
        ["unset", "no value", "1 1 0 1", "in", "not bob", "out"]
    );
}

#[test]
fn variables_of_the_call_to_be() {
    let lines = at_invite(&format!(
        r#"
        {SAY}"$dlg(state) $dlg_ctx(set) $dlg_ctx(timeout_route) $DLG_status");
        $dlg_var(a) = "1";
        $dlg_var(b) = "";
        $dlg_var(a) = $null;
        $dlg_var(a) = "2";
        $dlg_ctx(timeout) = 77;
        $dlg_ctx(flags) = 6;
        $dlg_ctx(timeout_route) = "LATE";
        dlg_manage();
        {SAY}"$dlg_var(a) [$dlg_var(b)] $dlg_var(c)");
        {SAY}"$dlg(state) $dlg(ref) $dlg(h_entry) $dlg(lifetime) $dlg(sflags) $dlg(to_tag) $dlg(from_cseq)");
        {SAY}"$dlg_ctx(set) $dlg_ctx(dir) $dlg_ctx(timeout_route) $dlg(from_bindaddr)");
        if (!dlg_manage()) {SAY}"once");
        if (dlg_isflagset("2") && !dlg_isflagset("3") && !dlg_isflagset("40")) {SAY}"flags");
        "#
    ));
    assert_eq!(
        lines,
        [
            "<null> 0 <null> <null>",
            "2 [] <null>",
            "1 2 2793 77 6 <null> 10",
            "1 0 LATE udp:10.0.0.1:5060",
            "once",
            "flags"
        ]
    );
}

#[test]
fn other_calls_are_found_by_their_elements() {
    let (_, _, lines) = at_info(
        BEGIN,
        &format!(
            r#"
            if (!dlg_get("nobody", "a", "b")) {SAY}"none");
            if (dlg_get("$ci", "tb", "fa")) {SAY}"dir $dlg_ctx(dir)");
            dlg_set_var("$ci", "$ft", "$tt", "y", "set");
            dlg_get_var("$ci", "$ft", "$tt", "y", "$var(y)");
            dlg_get_var("nobody", "$ft", "$tt", "y", "$avp(z)");
            {SAY}"$var(y) $avp(z) $dlg_var(y)");
            if (is_known_dlg()) {SAY}"known $DLG_status $DLG_count");
            if (!dlg_set_timeout("0") && dlg_set_timeout("9")) {SAY}"$dlg(lifetime)");
            $var(p) = "ka-none"; if (!dlg_set_property("$var(p)") && dlg_set_property("timeout-noreset")) {SAY}"property");
            dlg_set_ruri();
            {SAY}"$ru");
            "#
        ),
    );
    assert_eq!(
        lines,
        [
            "none",
            "dir 2",
            "set <null> set",
            "known 4 1",
            "9",
            "property",
            "sip:alice@10.0.0.2;ob"
        ]
    );
}

#[test]
fn a_script_ends_the_call_on_both_sides() {
    let (mut bench, sent, lines) = at_info(
        BEGIN,
        &format!(r#"dlg_bye("all"); sl_send_reply("200", "OK"); {SAY}"done");"#),
    );
    assert_eq!(lines, ["end OPTIONS state=5 var=before", "done"]);
    let kinds: Vec<_> = sent.iter().map(|s| &s.text[..3]).collect();
    assert_eq!(kinds, ["BYE", "BYE", "SIP"]);
    assert_eq!(state_of(&mut bench), Some(5));
}

#[test]
fn a_script_ends_the_call_on_one_side() {
    let (mut bench, sent, lines) = at_info(
        BEGIN,
        &format!(r#"dlg_bye("callee"); if (!dlg_bye("callee")) {SAY}"no second"); drop;"#),
    );
    assert_eq!(lines, ["end OPTIONS state=5 var=before", "no second"]);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].header("To"), "<sip:bob@example.org>;tag=tb");
    bench.receive(BOB, &reply(&sent[0], "200 OK", ""));
    assert_eq!(state_of(&mut bench), None);
}

#[test]
fn a_script_ends_a_call_that_it_has_just_begun() {
    let begin = r#"
route[BEGIN] {
    dlg_manage();
    dlg_bye("all");
    exit;
}
"#;
    let mut bench = bench("modparam(\"dialog\", \"bye_early_code\", 488)\n", begin);
    let sent = bench.receive(ALICE, invite());
    let finals: Vec<_> = sent
        .iter()
        .map(|s| s.first_line())
        .filter(|line| !line.contains(" 100 "))
        .collect();
    assert_eq!(finals, ["SIP/2.0 488 Temporarily Unavailable"]);
    assert_eq!(state_of(&mut bench), Some(5));
    assert_eq!(bench.statistic("dialog", "failed_dialogs"), 1);
}

#[test]
fn a_spiral_belongs_to_the_call_that_it_began() {
    let begin = r#"
route[BEGIN] {
    if (dlg_manage()) xlog("L_INFO", "managed $dlg(h_id)");
    if ($rU == "bob") $ru = "sip:again@10.0.0.1";
    else $ru = "sip:bob@10.0.0.3";
}
"#;
    let mut bench = bench("", begin);
    let sent = bench.receive(ALICE, invite());
    let round = sent_to(&sent, "10.0.0.1:5060")[0].clone();
    let sent = bench.receive("10.0.0.1:5060", &round.text);
    let to_bob = sent_to(&sent, BOB)[0].clone();
    let routes = to_bob.headers("Record-Route");
    assert_eq!(routes.len(), 2);
    assert!(
        !routes[0].contains("did=") && routes[1].contains("did="),
        "{routes:?}"
    );
    let lines = logged(&bench);
    assert_eq!(lines[0], lines[1]);
    assert_eq!(bench.statistic("dialog", "processed_dialogs"), 1);
}

#[test]
fn a_cookie_that_is_not_ours_counts_as_absent() {
    let mut bench = bench("", BEGIN);
    let route = answered(&mut bench);
    logged(&bench);
    let (base, _) = route.split_once("did=").expect("a cookie");
    bench.receive(ALICE, &within("INFO", 11, &format!("{base}did=zz.1>")));
    assert_eq!(logged(&bench), ["within state=4 var=before"]);
}

#[test]
fn timeout_avp_sets_the_lifetime_at_each_request() {
    let begin = r#"
route[BEGIN] {
    $avp(life) = 20;
    dlg_manage();
}
"#;
    let routes = ROUTES.replace(
        "if (loose_route()) {",
        "$avp(life) = 30; if (loose_route()) {",
    );
    let parameters = "modparam(\"dialog\", \"timeout_avp\", \"$avp(life)\")\n";
    let mut bench = Bench::new(&format!("{HEAD}{parameters}{routes}{begin}"));
    let route = answered(&mut bench);
    assert_eq!(member(&mut bench, "lifetime"), Some(Value::Int(30)));
    bench.advance(25_000);
    bench.receive(ALICE, &within("INFO", 11, &route));
    bench.advance(29_000);
    assert_eq!(state_of(&mut bench), Some(4));
    bench.advance(1_500);
    assert_eq!(state_of(&mut bench), None);
}
