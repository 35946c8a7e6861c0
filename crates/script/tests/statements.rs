//! Statements, return codes and blocks: what was observed on Kamailio 5.6.3.

mod support;

use support::{TestHost, compile, run, run_with};
use tandem_script::{Limits, RouteEnd};

/// The lines that a request_route logs, beside these other blocks.
#[track_caller]
fn logged(blocks: &str, main: &str) -> Vec<String> {
    run(&format!("{blocks}\nrequest_route {{ {main} }}"))
        .host
        .log
}

#[track_caller]
fn ended(main: &str) -> RouteEnd {
    run(&format!("request_route {{ {main} }}")).end
}

/// What `$rc` is behind `route(R)`.
#[track_caller]
fn code_of(body: &str) -> String {
    let lines = logged(
        &format!("route[R] {{ {body} }}"),
        "route(R); xlog(\"rc=$rc\");",
    );
    lines.last().cloned().unwrap_or_default()
}

#[test]
fn codes_of_blocks() {
    for (body, code) in [
        ("return -1;", "rc=-1"),
        ("$var(z)=0;", "rc=1"),
        ("is_method(\"BYE\");", "rc=-1"),
        ("if (is_method(\"BYE\")) { xlog(\"x\"); }", "rc=1"),
        ("break; xlog(\"x\");", "rc=0"),
        ("return;", "rc=1"),
        ("return(7);", "rc=7"),
        ("return 3+4;", "rc=7"),
        ("if (1) { is_method(\"BYE\"); }", "rc=-1"),
        ("is_method(\"BYE\"); if (1) { ; }", "rc=1"),
        ("is_method(\"BYE\"); if (0) { ; }", "rc=1"),
        ("switch(1) { case 1: break; }", "rc=0"),
        ("switch(3) { case 1: break; }", "rc=-5"),
        ("switch(1) { case 1: $var(a)=1; }", "rc=1"),
        ("while(1) { break; }", "rc=0"),
        ("while(0) { break; }", "rc=1"),
        (
            "$var(i)=0; while($var(i)<2) { $var(i)=$var(i)+1; is_method(\"BYE\"); }",
            "rc=-1",
        ),
        ("while(1) { is_method(\"BYE\"); }", "rc=-1"),
        ("$var(a)=1/$var(z);", "rc=-1"),
        ("if (1/$var(z)) { xlog(\"x\"); }", "rc=1"),
        ("; ;", "rc=1"),
        ("$avp(x)=$(avp(none){s.len});", "rc=-1"),
        ("is_method(\"BYE\"); setflag(3);", "rc=1"),
        ("isflagset(9);", "rc=-1"),
        ("return 1/$var(z);", "rc=-1"),
    ] {
        assert_eq!(code_of(body), code, "{body}");
    }
}

#[test]
fn return_codes_in_expressions() {
    let blocks = "route[R] { return -1; } route[R0] { return 0; } route[EXIT] { exit; }
        route[M] { return is_method(\"BYE\"); }";
    for (main, lines) in [
        ("$var(x)=route(R); xlog(\"$var(x) $rc\");", vec!["-1 -1"]),
        ("if (route(R)==-1) { xlog(\"A\"); } xlog(\"B\");", vec!["B"]),
        (
            "if (route(R0)) { xlog(\"A\"); } else { xlog(\"B\"); } xlog(\"C\");",
            vec![],
        ),
        ("route(M); xlog(\"A\");", vec![]),
        ("$var(q)=is_method(\"BYE\"); xlog(\"$var(q)\");", vec!["-1"]),
        (
            "$var(q)=!is_method(\"INVITE\"); xlog(\"$var(q)\");",
            vec!["0"],
        ),
        (
            "$var(q)=is_method(\"BYE\")||is_method(\"ACK\"); xlog(\"$var(q)\");",
            vec!["0"],
        ),
        (
            "$var(q)=is_method(\"BYE\") && 1; xlog(\"$var(q)\");",
            vec!["-1"],
        ),
        (
            "$var(q)=is_method(\"BYE\") + 0; xlog(\"$var(q)\");",
            vec!["-1"],
        ),
        (
            "is_method(\"BYE\"); $var(a)=5; xlog(\"$rc\"); xlog(\"$rc\");",
            vec!["-1", "1"],
        ),
        ("if (route(EXIT) || 1) { xlog(\"A\"); }", vec!["A"]),
        (
            "is_method(\"BYE\"); if (isflagset(3)) { ; } xlog(\"$rc\");",
            vec!["0"],
        ),
        (
            "is_method(\"BYE\"); isflagset(3); xlog(\"$rc\");",
            vec!["-1"],
        ),
        (
            "is_method(\"BYE\"); if (xlog(\"$rc\")) { xlog(\"$retcode$?\"); }",
            vec!["0", "11"],
        ),
        ("if (!route(R)) { xlog(\"no\"); }", vec!["no"]),
        ("if (is_method(\"BYE\")) { ; } xlog(\"$rc\");", vec!["-1"]),
        ("route(EXIT); xlog(\"A\");", vec![]),
        ("$var(x) = 10 + route(R); xlog(\"$var(x)\");", vec!["10"]),
    ] {
        assert_eq!(logged(blocks, main), lines, "{main}");
    }
}

#[test]
fn routes_named_at_run_time() {
    let text = "route[X] { return 2; }
        request_route { route(\"X\"); route(\"Y\"+$var(z)); xlog(\"$rc\");
            if (route(\"Y\"+$var(z))) { xlog(\"T\"); } else { xlog(\"F\"); }
            $var(n)=\"X\"; route($var(n)); xlog(\"$rc\"); }";
    let run = run(text);
    assert_eq!(run.host.log, ["2", "F", "2"]);
    assert_eq!(run.host.complaints.len(), 2);
}

#[test]
fn ends() {
    let end = |code, exited, dropped| RouteEnd {
        code,
        exited,
        dropped,
    };
    for (main, want) in [
        ("xlog(\"a\");", end(1, false, false)),
        ("is_method(\"BYE\");", end(-1, false, false)),
        ("exit;", end(1, true, false)),
        ("exit 4;", end(4, true, false)),
        ("drop;", end(0, true, true)),
        ("return 0;", end(0, true, false)),
        ("return -3;", end(-3, false, false)),
        ("break;", end(0, false, false)),
        ("code(0); xlog(\"a\");", end(0, true, false)),
        ("if (code(0)) { ; } xlog(\"a\");", end(0, true, false)),
        ("stop(1);", end(0, true, true)),
        ("stop(0);", end(1, true, false)),
    ] {
        assert_eq!(ended(main), want, "{main}");
    }
}

#[test]
fn switches() {
    for (main, lines) in [
        (
            "switch(1) { case 1: xlog(\"A\"); case 2: xlog(\"B\"); break; default: xlog(\"C\"); }",
            vec!["A", "B"],
        ),
        (
            "switch(\"A\") { case \"a\": xlog(\"a\"); break; default: xlog(\"D\"); }",
            vec!["D"],
        ),
        (
            "switch(\"XYZ\") { case /\"^x\": xlog(\"A\"); break; default: xlog(\"D\"); }",
            vec!["D"],
        ),
        (
            "switch(\"XYZ\") { case /\"^X\": xlog(\"A\"); break; default: xlog(\"D\"); }",
            vec!["A"],
        ),
        (
            "switch($var(n)) { default: xlog(\"D\"); case 7: xlog(\"7\"); }",
            vec!["D", "7"],
        ),
        (
            "$var(n)=\"7\"; switch($var(n)) { default: xlog(\"D\"); case 7: xlog(\"7\"); }",
            vec!["7"],
        ),
        (
            "switch($avp(none)) { case 0: xlog(\"0\"); break; default: xlog(\"D\"); }",
            vec!["0"],
        ),
        (
            "switch($var(none)) { case \"\": xlog(\"e\"); break; default: xlog(\"D\"); }",
            vec!["D"],
        ),
        (
            "switch(2) { case 1: case 2: case 3: xlog(\"x\"); }",
            vec!["x"],
        ),
        (
            "while(1) { switch(1) { case 1: break; } xlog(\"in\"); break; } xlog(\"out\");",
            vec!["in", "out"],
        ),
        ("switch(1) { case 1: return 5; } xlog(\"no\");", vec![]),
    ] {
        assert_eq!(logged("", main), lines, "{main}");
    }
    let run = run(
        "request_route { $var(v)=\"abc\"; switch($var(v)) { case 0: xlog(\"0\"); break; default: xlog(\"D\"); } }",
    );
    assert_eq!(
        (run.host.log, run.host.complaints.len()),
        (vec!["D".to_owned()], 1)
    );
}

#[test]
fn loops_and_their_limit() {
    let run = run("request_route { while(1) { $var(i)=$var(i)+1; } xlog(\"$var(i)\"); }");
    assert_eq!(run.host.log, ["100"]);
    assert_eq!(run.host.complaints.len(), 1);
    let nested = "request_route { while($var(a)<3) { $var(a)=$var(a)+1; $var(b)=0;
        while($var(b)<2) { $var(b)=$var(b)+1; $var(c)=$var(c)+1; } } xlog(\"$var(c)\"); }";
    assert_eq!(support::run(nested).host.log, ["6"]);
    let left = "route[R] { while(1) { while(1) { return 5; } } }
        request_route { while($var(i)<2) { $var(i)=$var(i)+1; route(R); } xlog(\"$var(i) $rc\"); }";
    assert_eq!(support::run(left).host.log, ["2 5"]);
}

#[test]
fn recursion_is_limited() {
    let run = run(
        "route[A] { $var(n)=$var(n)+1; route(A); } request_route { route(A); xlog(\"$var(n)\"); }",
    );
    assert_eq!(run.host.log, ["255"]);
    assert_eq!(run.host.complaints.len(), 1);
    let run =
        support::run("route[A] { if (route(A)) { ; } } request_route { route(A); xlog(\"on\"); }");
    assert_eq!(run.host.log, ["on"]);
    let run = support::run(
        "branch_route[B] { branch(\"B\"); } request_route { branch(\"B\"); xlog(\"on\"); }",
    );
    assert_eq!(run.host.log.last().map(String::as_str), Some("on"));
}

#[test]
fn operations_are_limited() {
    let text = "route[A] { while(1) { while(1) { while(1) { xlog(\"\"); } } } } request_route { route(A); xlog(\"on\"); }";
    let limits = Limits {
        operations: 1000,
        ..Limits::default()
    };
    let run = run_with(&compile(text), TestHost::default(), limits);
    assert!(run.end.exited);
    assert!(run.host.log.len() < 1000);
    assert_eq!(run.host.complaints.last().map(|c| c.0), Some(-1));
    let nested = "branch_route[B] { while(1) { while(1) { xlog(\"\"); } } } request_route { branch(\"B\"); xlog(\"on\"); }";
    let run = run_with(&compile(nested), TestHost::default(), limits);
    assert!(run.end.exited, "{:?}", run.end);
}

#[test]
fn native_functions_run_blocks() {
    let blocks = "branch_route[B] { xlog(\"in $rc\"); is_method(\"BYE\"); xlog(\"b $rc\"); }
        branch_route[D] { drop; } branch_route[E] { if (code(0)) { ; } }";
    for (main, lines) in [
        (
            "code(9); branch(\"B\"); xlog(\"$rc\");",
            vec!["in 0", "b -1", "branch 1 false false", "3"],
        ),
        (
            "branch(\"D\"); xlog(\"$rc\");",
            vec!["branch 0 true true", "-6"],
        ),
        (
            "branch(\"E\"); xlog(\"$rc\");",
            vec!["branch 0 true false", "3"],
        ),
        (
            "if (branch(\"D\")) { xlog(\"T\"); } else { xlog(\"F $rc\"); }",
            vec!["branch 0 true true", "F -6"],
        ),
        ("branch(\"0\"); xlog(\"$rc\");", vec!["-2"]),
        (
            "$var(b)=\"D\"; branch(\"$var(b)\"); xlog(\"$rc\");",
            vec!["branch 0 true true", "-6"],
        ),
        (
            "$var(b)=\"Q\"; branch(\"$var(b)\"); xlog(\"$rc\");",
            vec!["-1"],
        ),
    ] {
        assert_eq!(logged(blocks, main), lines, "{main}");
    }
}

#[test]
fn arguments() {
    for (main, lines) in [
        ("fixed(\"a\", 5);", vec!["a 5"]),
        ("fixed(\"a\" + \"b\", \"4\" + \"04\");", vec!["ab 404"]),
        ("fixed(\"a\", $var(n)+2);", vec!["a 2"]),
        (
            "$var(n)=\"17\"; fixed(\"a\", \"$var(n)\"); fixed(\"b\", $var(n));",
            vec!["a 17", "b 17"],
        ),
        ("fixed(\"a\");", vec!["a 0"]),
        (
            "$var(n)=\"x\"; fixed(\"a\", $var(n)); xlog(\"$rc\");",
            vec!["-1"],
        ),
        (
            "$var(m)=\"BYE\"; is_method(\"$var(m)|ACK\"); xlog(\"$rc\");",
            vec!["-1"],
        ),
        (
            "$var(m)=\"INV\"; is_method($var(m)+\"ITE\"); xlog(\"$rc\");",
            vec!["1"],
        ),
        ("matches(\"Abc\", \"^ABC$\"); xlog(\"$rc\");", vec!["1"]),
        (
            "$var(r)=\"^b\"; matches(\"Abc\", \"$var(r)\"); xlog(\"$rc\");",
            vec!["-1"],
        ),
        (
            "$var(r)=\"[\"; matches(\"Abc\", $var(r)); xlog(\"$rc\");",
            vec!["-1"],
        ),
        (
            "$var(t)=\"abc\"; change(\"/b(.)/<\\1$rU>/\", \"$var(t)\"); xlog(\"$var(t)\");",
            vec!["a<calice>"],
        ),
        (
            "$var(t)=\"abc\"; change(\"/b/x/\", $var(t)); xlog(\"$var(t)\");",
            vec!["axc"],
        ),
        (
            "xlog(\"$$ $cfg(line) $cfg(route) $(var(x)) $hdr(X)\");",
            vec!["$ 2  0 <null>"],
        ),
    ] {
        assert_eq!(logged("", main), lines, "{main}");
    }
}

#[test]
fn a_failed_assignment_is_told() {
    let run = run("request_route { $mf=\"x\"; xlog(\"on\"); }");
    assert_eq!(run.host.log, ["on"]);
    assert_eq!(run.host.complaints.len(), 1);
}

#[test]
fn waiting_functions() {
    let run = run(
        "route[R] { wait(-4); } request_route { wait(2); xlog(\"$rc\"); $var(x)=wait(5);
        if (!wait(-1)) { xlog(\"$var(x)\"); } route(R); xlog(\"$rc\"); }",
    );
    assert_eq!(run.host.log, ["2", "5", "-4"]);
    assert_eq!(run.waits, 4);
}
