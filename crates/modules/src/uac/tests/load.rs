//! What is refused when a configuration is loaded.

use super::*;

fn refused(parameters: &str, route: &str) -> String {
    let config = format!("{HEAD}{parameters}\nrequest_route {{ {route} }}\n");
    Bench::load(&config).err().unwrap_or_default()
}

#[test]
fn accounts_at_other_servers_are_refused_by_name() {
    for (name, value) in [
        ("reg_db_url", "\"mysql://x\""),
        ("reg_contact_addr", "\"10.0.0.1:5060\""),
        ("reg_timer_interval", "60"),
        ("reg_active", "1"),
    ] {
        let found = refused(&format!("modparam(\"uac\", \"{name}\", {value})"), "exit;");
        assert!(
            found.contains("test.cfg:") && found.contains("does not register"),
            "{found}"
        );
    }
}

#[test]
fn parameters_are_checked() {
    let cases = [
        ("restore_mode", "\"always\"", "none, manual or auto"),
        ("credential", "\"bob:secret\"", "user:realm:password"),
        (
            "rr_from_store_param",
            "\"a;b\"",
            "the name of a URI parameter",
        ),
        ("auth_realm_avp", "\"$avp(x)\"", "are needed together"),
        (
            "default_socket",
            "\"udp:10.9.9.9:5060\"",
            "none of the sockets",
        ),
        ("restore_from_avp", "\"$nothing\"", "restore_from_avp"),
    ];
    for (name, value, text) in cases {
        let found = refused(&format!("modparam(\"uac\", \"{name}\", {value})"), "exit;");
        assert!(found.contains(text), "{name}: {found}");
    }
    let found = refused("modparam(\"rr\", \"append_fromtag\", 0)", "exit;");
    assert!(found.contains("append_fromtag=1"), "{found}");
}

#[test]
fn functions_are_refused_where_they_make_no_sense() {
    let found = refused("", "uac_auth();");
    assert!(found.contains("failure_route"), "{found}");
    let config = format!(
        "{HEAD}request_route {{ exit; }}\nonreply_route[R] {{ uac_replace_from(\"sip:x@y\"); }}\n"
    );
    let found = Bench::load(&config).err().unwrap_or_default();
    assert!(found.contains("branch_route"), "{found}");
    assert!(refused("", "$uac_req(nothing) = \"x\";").contains("no attribute"));
}
