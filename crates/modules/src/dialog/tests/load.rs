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
            "db_mode",
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
