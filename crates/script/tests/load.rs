//! What is refused at load, with which words.

mod support;

use support::try_compile;

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let messages = try_compile(text).expect_err(text);
    for word in words {
        assert!(messages.contains(word), "{text}\n{messages}\nlacks {word}");
    }
}

#[test]
fn names() {
    refused(
        "request_route { t_relay(); }",
        &["unknown function `t_relay`", "loadmodule \"tm.so\""],
    );
    refused(
        "request_route { is_metod(\"X\"); }",
        &["did you mean `is_method`"],
    );
    refused(
        "request_route { route(RELAI); } route[RELAY] { exit; }",
        &["route[RELAI]", "`RELAY`"],
    );
    refused("request_route { branch(\"X\"); }", &["branch_route[X]"]);
    refused(
        "request_route { $vra(x)=1; }",
        &["unknown variable `$vra`", "did you mean `$var`"],
    );
    refused("request_route { $hdr(x)=1; }", &["cannot be assigned"]);
    refused("request_route { $rc=1; }", &["cannot be assigned"]);
}

#[test]
fn arguments() {
    refused(
        "request_route { is_method(); }",
        &["does not take 0 parameters", "`is_method(method)`"],
    );
    refused(
        "request_route { fixed(\"a\", \"b\"); }",
        &["`number` of `fixed` must be a number"],
    );
    refused(
        "request_route { fixed(\"$var(x)\"); }",
        &["without variables"],
    );
    refused(
        "request_route { matches(\"a\", \"[\"); }",
        &["bad regular expression"],
    );
    refused(
        "request_route { matches(\"a\", \"(a)\\\\2\"); }",
        &["refers to no group"],
    );
    refused(
        "request_route { change(\"/a/b\", \"$var(x)\"); }",
        &["expected `/`"],
    );
    refused(
        "request_route { change(\"/a/b/\", \"$hdr(x)\"); }",
        &["can be assigned"],
    );
    refused(
        "request_route { change(\"/a/b/\", \"x\"); }",
        &["must be a variable"],
    );
    refused(
        "request_route { is_method(code(1)); }",
        &["cannot be a parameter"],
    );
}

#[test]
fn kinds_of_route() {
    refused(
        "request_route { only_failure(); }",
        &["cannot be used in `request_route`", "failure_route"],
    );
    refused(
        "failure_route[X] { only_request(); }",
        &["cannot be used in `failure_route[X]`"],
    );
    // A named route counts as part of a request route, and of whatever else reaches it.
    for text in [
        "failure_route[X] { route(A); } route[A] { only_request(); }",
        "failure_route[X] { route(A); } route[A] { route(B); } route[B] { only_failure(); }",
        "failure_route[X] { route(\"A\" + $var(x)); } route[AB] { only_failure(); }",
        "failure_route[X] { only_failure(); }",
    ] {
        assert!(try_compile(text).is_ok(), "{text}");
    }
    refused(
        "branch_route[X] { route(A); } route[A] { only_failure(); }",
        &["route[A]"],
    );
}

#[test]
fn switches() {
    refused(
        "request_route { switch(1) { case 1: exit; case 1: exit; } }",
        &["already"],
    );
    refused(
        "request_route { switch(1) { case 1: exit; case \"a\": exit; } }",
        &["all numbers or all strings"],
    );
    refused(
        "request_route { switch(1) { case is_method(\"X\"): exit; } }",
        &["constant"],
    );
    refused(
        "request_route { switch(\"a\") { case /\"[\": exit; } }",
        &["bad regular expression"],
    );
}

#[test]
fn operands() {
    refused(
        "request_route { if (src_ip==\"host.name\") exit; }",
        &["address or a net"],
    );
}

#[test]
fn all_errors_are_found_in_one_go() {
    let text = "request_route {\n foo();\n $nope(x)=1;\n route(Z);\n if (\"a\"*1) exit;\n}";
    let messages = try_compile(text).expect_err("refused");
    for line in ["test.cfg:2:", "test.cfg:3:", "test.cfg:4:", "test.cfg:5:"] {
        assert!(messages.contains(line), "{messages}");
    }
    assert_eq!(messages.matches(": error:").count(), 4, "{messages}");
}
