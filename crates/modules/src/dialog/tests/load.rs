//! Mistakes in configurations.

use super::*;

#[test]
fn mistakes_are_found_at_load() {
    let load = |parameters: &str, begin: &str| {
        let config = format!("{HEAD}{parameters}{ROUTES}route[BEGIN] {{ {begin} }}");
        Bench::load(&config).err().unwrap_or_default()
    };
    let cases = [
        (
            "",
            "set_dlg_profile(\"nope\");",
            "profile \"nope\" is not declared",
        ),
        (
            "",
            "dlg_bye(\"both\");",
            "\"both\" is none of all, caller, callee",
        ),
        ("", "dlg_set_property(\"ka\");", "unknown property"),
        (
            "",
            "dlg_req_within(\"both\", \"INFO\");",
            "dlg_req_within: \"both\" is none of",
        ),
        (
            "",
            "dlg_refer(\"all\", \"sip:x@y\");",
            "\"all\" is neither caller nor callee",
        ),
        (
            "",
            "dlg_set_timeout_by_profile(\"nope\", \"3\");",
            "profile \"nope\" is not declared",
        ),
        (
            "",
            "dlg_profile_admit(\"nope\", \"x\", \"3\");",
            "profile \"nope\" is not declared",
        ),
        ("", "$dlg(nothing) = 1;", "nothing"),
        (
            "modparam(\"dialog\", \"db_mode\", 1)\n",
            "return;",
            "load module db_mysql",
        ),
        (
            "modparam(\"dialog\", \"dlg_match_mode\", 3)\n",
            "return;",
            "seq_match_mode",
        ),
        (
            "modparam(\"dialog\", \"rr_param\", \"\")\n",
            "return;",
            "empty rr_param",
        ),
        (
            "modparam(\"dialog\", \"profiles_no_value\", \"caller\")\n",
            "return;",
            "caller",
        ),
    ];
    for (parameters, begin, text) in cases {
        let found = load(parameters, begin);
        assert!(found.contains(text), "{begin} {parameters}: {found}");
    }
}

/// What a configuration with these parameters writes into the log when it is loaded.
fn said(parameters: &str) -> Vec<String> {
    let bench = bench(parameters, BEGIN);
    let lines = bench.log().into_iter();
    lines.filter(|line| line.contains("dialog")).collect()
}

fn modparam(name: &str, value: &str) -> String {
    format!("modparam(\"dialog\", \"{name}\", {value})\n")
}

fn refused(name: &str, value: &str) -> String {
    let config = format!("{HEAD}{}{ROUTES}{BEGIN}", modparam(name, value));
    Bench::load(&config).err().unwrap_or_default()
}

/// Where the documentation allows each function: event routes count as request routes, and `unset_dlg_profile()`
/// works in request routes too.
const WHERE: [(&str, &str); 24] = [
    (
        "set_dlg_profile(\"inbound\")",
        "request branch reply failure event",
    ),
    (
        "unset_dlg_profile(\"inbound\")",
        "request branch reply failure event",
    ),
    (
        "is_in_profile(\"inbound\")",
        "request branch reply failure event",
    ),
    (
        "get_profile_size(\"inbound\", \"$var(x)\")",
        "request branch reply failure event",
    ),
    ("dlg_isflagset(1)", "request branch reply failure event"),
    ("dlg_setflag(1)", "request branch reply failure event"),
    ("dlg_resetflag(1)", "request branch reply failure event"),
    ("dlg_bye(\"all\")", "any"),
    (
        "dlg_refer(\"caller\", \"sip:x@y\")",
        "request branch reply failure event",
    ),
    ("dlg_manage()", "request"),
    (
        "dlg_bridge(\"sip:a@b\", \"sip:x@y\", \"\")",
        "request branch reply failure event",
    ),
    (
        "dlg_get(\"a\", \"b\", \"c\")",
        "request branch reply failure event",
    ),
    (
        "dlg_get_var(\"a\", \"b\", \"c\", \"d\", \"$var(x)\")",
        "request branch reply failure event",
    ),
    (
        "dlg_set_var(\"a\", \"b\", \"c\", \"d\", \"e\")",
        "request branch reply failure event",
    ),
    ("is_known_dlg()", "request branch reply failure event"),
    ("dlg_set_timeout(3)", "any"),
    ("dlg_set_timeout_by_profile(\"inbound\", 3)", "any"),
    ("dlg_set_property(\"ka-src\")", "any"),
    (
        "dlg_remote_profile(\"rm\", \"inbound\", \"\", \"u\", 0)",
        "any",
    ),
    ("dlg_set_ruri()", "any"),
    ("dlg_db_load_callid(\"x\")", "any"),
    ("dlg_db_load_extra()", "any"),
    ("dlg_reset_property(\"ka-src\")", "any"),
    ("dlg_req_within(\"all\", \"INFO\")", "any"),
];

/// The routes by the words above.
const BLOCKS: [(&str, &str); 7] = [
    ("request", "route[X]"),
    ("branch", "branch_route[X]"),
    ("reply", "onreply_route[X]"),
    ("reply", "reply_route"),
    ("failure", "failure_route[X]"),
    ("event", "event_route[dialog:end]"),
    ("onsend", "onsend_route"),
];

#[test]
fn functions_are_refused_in_routes_that_the_documentation_does_not_allow() {
    for (call, allowed) in WHERE {
        for (kind, block) in BLOCKS {
            let config = format!("{HEAD}request_route {{ exit; }}\n{block} {{\n  {call};\n}}\n");
            let found = Bench::load(&config).err();
            let is_allowed = allowed == "any" || allowed.split(' ').any(|word| word == kind);
            match found {
                None => assert!(is_allowed, "{call} is taken in {block}"),
                Some(text) => {
                    assert!(!is_allowed, "{call} in {block}: {text}");
                    let name = call.split('(').next().expect("a name");
                    assert!(
                        text.contains(&format!("`{name}` cannot be used in")),
                        "{text}"
                    );
                    assert!(text.contains("it may be used in request_route"), "{text}");
                    let line = HEAD.lines().count() + 3;
                    assert!(text.contains(&format!("test.cfg:{line}:3")), "{text}");
                }
            }
        }
    }
}

#[test]
fn old_names_are_taken_with_a_word() {
    for (old, name) in super::super::parameters::OLD_NAMES {
        let lines = said(&modparam(old, "\"x\""));
        let expected = format!("parameter {old} is the old name of {name}");
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains(&expected), "{lines:?}");
        assert!(refused(old, "1").contains("is a string"));
    }
    assert!(said("").is_empty());
}

#[test]
fn parameters_without_effect_are_explained() {
    for name in ["timer_procs", "debug_variables"] {
        let lines = said(&modparam(name, "1"));
        let expected = format!("parameter {name} has no effect: ");
        assert!(
            lines.len() == 1 && lines[0].contains(&expected),
            "{lines:?}"
        );
    }
    let lines = said("route[KEEP] { dlg_set_property(\"ka-src\"); }\n");
    assert!(
        lines[0].contains("ka_timer and ka_interval are not both set"),
        "{lines:?}"
    );
}

#[test]
fn database_parameters_are_checked() {
    let stored = super::super::parameters::PARAMETERS;
    let names = stored.iter().map(|row| row.name);
    for name in names.filter(|name| name.ends_with("_column") || name.ends_with("table_name")) {
        assert!(
            refused(name, "\"a b\"").contains("no name of a table"),
            "{name}"
        );
        assert!(
            refused(name, "\"\"").contains("no name of a table"),
            "{name}"
        );
        assert_eq!(refused(name, "\"other_1\""), "", "{name}");
    }
    for (name, good, bad) in [
        ("db_url", "\"sqlite:///var/db\"", "\"nonsense\""),
        ("db_update_period", "1", "0"),
        ("db_fetch_rows", "0", "-1"),
        ("db_skip_load", "1", "2"),
        ("db_commit_window", "0", "-1"),
        ("db_hold_time", "1", "0"),
        ("db_queue_max", "1", "0"),
        ("db_start_wait", "0", "-1"),
        ("db_fail_policy", "\"refuse\"", "\"panic\""),
    ] {
        assert_eq!(refused(name, good), "", "{name}");
        assert_ne!(refused(name, bad), "", "{name}");
    }
    assert!(refused("db_mode", "4").contains("unsupported db_mode 4"));
}

#[test]
fn what_is_not_there_yet_is_refused() {
    assert!(refused("enable_dmq", "1").contains("enable_dmq"));
}

#[test]
fn ranges_are_checked() {
    for (name, bad) in [
        ("default_timeout", "0"),
        ("early_timeout", "-1"),
        ("dlg_flag", "32"),
        ("ka_interval", "29"),
        ("ka_failed_limit", "0"),
        ("ka_timer", "-1"),
        ("bye_early_code", "200"),
        ("detect_spirals", "2"),
        ("initial_cbs_inscript", "2"),
        ("bridge_controller", "\"nobody\""),
        ("bridge_contact", "\"\""),
        ("profiles_no_value", "\"a b\""),
    ] {
        assert_ne!(refused(name, bad), "", "{name}");
    }
}

#[test]
fn keep_proxy_rr_is_a_number_or_a_text() {
    assert_eq!(refused("keep_proxy_rr", "3"), "");
    assert_eq!(refused("keep_proxy_rr", "\"3\""), "");
    assert_ne!(refused("keep_proxy_rr", "4"), "");
    assert_ne!(refused("keep_proxy_rr", "\"x\""), "");
    let mut bench = bench(&modparam("keep_proxy_rr", "\"1\""), BEGIN);
    answered(&mut bench);
    let callee = member(&mut bench, "callee").unwrap();
    let routes = callee
        .as_struct()
        .and_then(|leg| leg.get("route_set"))
        .cloned();
    let routes = routes.as_ref().and_then(Value::as_str).unwrap_or_default();
    assert!(routes.starts_with("<sip:10.0.0.1;lr"), "{routes}");
}

#[test]
fn statistics_can_be_left_out() {
    let bench = bench(&modparam("enable_stats", "0"), BEGIN);
    assert_eq!(
        bench.engine.statistics.get("dialog", "active_dialogs"),
        None
    );
}

#[test]
fn reading_from_a_database_says_that_there_is_none() {
    let begin = r#"
route[BEGIN] {
    if (!dlg_db_load_callid("$ci") && !dlg_db_load_extra()) xlog("L_INFO", "none");
    dlg_manage();
}
"#;
    let mut bench = bench("", begin);
    let said = bench.log().join("\n");
    assert!(said.contains("dlg_db_load_callid returns -1"), "{said}");
    assert!(said.contains("dlg_db_load_extra returns -1"), "{said}");
    bench.receive(ALICE, invite());
    assert_eq!(logged(&bench), ["none"]);
}

#[test]
fn the_call_of_a_cancel_can_be_made_the_current_one() {
    for (mode, set) in [("0", "0"), ("1", "1")] {
        let routes = ROUTES.replace(
            "if (method == \"CANCEL\") {",
            "if (method == \"CANCEL\") { is_known_dlg(); xlog(\"L_INFO\", \"set=$dlg_ctx(set)\");",
        );
        let parameters = modparam("dlg_ctxiuid_mode", mode);
        let mut bench = Bench::new(&format!("{HEAD}{parameters}{routes}{BEGIN}"));
        bench.receive(ALICE, invite());
        let cancel = invite()
            .replace("INVITE sip", "CANCEL sip")
            .replace("10 INVITE", "10 CANCEL");
        bench.receive(ALICE, &cancel);
        assert_eq!(logged(&bench)[0], format!("set={set}"));
    }
}

#[test]
fn the_lifetime_so_far_is_known_within_a_call() {
    let routes = ROUTES.replace(
        "within state=$DLG_status",
        "since $DLG_lifetime state=$DLG_status",
    );
    let mut bench = Bench::new(&format!("{HEAD}{routes}{BEGIN}"));
    let route = answered(&mut bench);
    bench.advance(7_000);
    logged(&bench);
    bench.receive(ALICE, &within("INFO", 11, &route));
    assert_eq!(logged(&bench), ["since 7 state=4 var=before"]);
}
