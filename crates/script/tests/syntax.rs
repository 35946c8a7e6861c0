//! Expressions, statements and blocks.

mod common;

use std::fmt::Write as _;

use common::{blocks, body, expr, good, in_route, messages};

#[test]
fn precedence() {
    for (written, tree) in [
        ("1 || 2 && 3", "(Or 1 (And 2 3))"),
        ("1 or 2 and not 3", "(Or 1 (And 2 (Not 3)))"),
        ("1 && 2 | 3", "(And 1 (BitOr 2 3))"),
        ("1 | 2 & 3", "(BitOr 1 (BitAnd 2 3))"),
        ("1 & 2 ^ 3", "(BitAnd 1 (BitXor 2 3))"),
        ("1 ^ 2 << 3", "(BitXor 1 (ShiftLeft 2 3))"),
        ("1 << 2 >> 3", "(ShiftLeft 1 (ShiftRight 2 3))"),
        ("1 >> 2 == 3", "(ShiftRight 1 (Equal 2 3))"),
        ("1 == 2 < 3", "(Equal 1 (Less 2 3))"),
        ("1 == 1 == 1", "(Equal (Equal 1 1) 1)"),
        ("1 < 2 + 3", "(Less 1 (Add 2 3))"),
        ("1 + 2 * 3", "(Add 1 (Multiply 2 3))"),
        ("2 * 3 mod 4 / 5", "(Divide (Modulo (Multiply 2 3) 4) 5)"),
        ("1 - 2 - 3", "(Subtract (Subtract 1 2) 3)"),
        ("-10 mod 3", "(Modulo (Negate 10) 3)"),
        ("1 - -2", "(Subtract 1 (Negate 2))"),
        ("!$x == 1", "(Equal (Not $x) 1)"),
        ("!!$x", "(Not (Not $x))"),
        ("~5 + 1", "(Add (Complement 5) 1)"),
        ("!defined $x", "(Not (Defined $x))"),
        ("defined $x && 1", "(And (Defined $x) 1)"),
        ("-(int)\"5\" * 2", "(Multiply (Negate (ToInt \"5\")) 2)"),
        ("(str)12 + 1", "(Add (ToStr 12) 1)"),
        ("(int)$x + 1", "(Add (ToInt $x) 1)"),
        ("($x + 1) * 2", "(Multiply (Add $x 1) 2)"),
        ("$a eq $b", "(StrEqual $a $b)"),
        ("$a ne $b", "(StrNotEqual $a $b)"),
        ("$a ieq 5", "(IntEqual $a 5)"),
        ("$a ine 5", "(IntNotEqual $a 5)"),
        (
            "$a =~ \"b\" && $c != \"d\"",
            "(And (Match $a \"b\") (NotEqual $c \"d\"))",
        ),
        ("strlen($a) + 1", "(Add (Strlen $a) 1)"),
        ("!strempty($a + \"b\")", "(Not (Strempty (Add $a \"b\")))"),
        (
            "selval($a == 1, \"x\", f(2))",
            "selval((Equal $a 1), \"x\", f(2))",
        ),
        (
            "f() || route(X) && g(1, \"a\", $b)",
            "(Or f() (And route(\"X\") g(1, \"a\", $b)))",
        ),
        (
            "isflagset(fb) && isflagset(3)",
            "(And isflagset(7) isflagset(3))",
        ),
        ("($y = 1)", "($y = 1)"),
    ] {
        assert_eq!(expr(written), tree, "{written}");
    }
}

#[test]
fn core_operands() {
    for (written, tree) in [
        ("method == INVITE", "(Equal Method \"INVITE\")"),
        ("method == \"INVITE\"", "(Equal Method \"INVITE\")"),
        ("method =~ \"INV|BYE\"", "(Match Method \"INV|BYE\")"),
        ("method == log", "(Equal Method \"log\")"),
        ("uri == myself", "(Equal Uri myself)"),
        ("myself != from_uri", "(NotEqual FromUri myself)"),
        (
            "uri =~ \"^sip:1\" && to_uri == $tu",
            "(And (Match Uri \"^sip:1\") (Equal ToUri $tu))",
        ),
        ("!uri == myself", "(Not (Equal Uri myself))"),
        ("status =~ \"[12]..\"", "(Match Status \"[12]..\")"),
        ("src_ip == 10.0.0.1", "(Equal SrcIp 10.0.0.1/32)"),
        ("src_ip == 10.0.0.0/8", "(Equal SrcIp 10.0.0.0/8)"),
        (
            "src_ip != 10.0.0.0/255.255.0.0",
            "(NotEqual SrcIp 10.0.0.0/16)",
        ),
        ("dst_ip == [2001:db8::1]", "(Equal DstIp 2001:db8::1/128)"),
        ("dst_ip == 2001:db8::/32", "(Equal DstIp 2001:db8::/32)"),
        ("dst_ip == ::1", "(Equal DstIp ::1/128)"),
        ("src_ip == \"10.0.0.0/8\"", "(Equal SrcIp \"10.0.0.0/8\")"),
        (
            "src_ip == a-b.example.org",
            "(Equal SrcIp \"a-b.example.org\")",
        ),
        (
            "src_ip == $si || src_ip == myself",
            "(Or (Equal SrcIp $si) (Equal SrcIp myself))",
        ),
        ("src_port == 5060 + 1", "(Equal SrcPort (Add 5060 1))"),
        ("dst_port >= 1024", "(GreaterEqual DstPort 1024)"),
        ("msg:len > 4096", "(Greater MsgLen 4096)"),
        (
            "proto == UDP || proto != wss",
            "(Or (Equal Proto Udp) (NotEqual Proto Wss))",
        ),
        ("to_proto == tcp", "(Equal SndProto Tcp)"),
        (
            "af == INET6 || af == ipv4",
            "(Or (Equal Af IPv6) (Equal Af IPv4))",
        ),
        (
            "snd_ip == 1.2.3.4 && to_port < 5",
            "(And (Equal SndIp 1.2.3.4/32) (Less ToPort 5))",
        ),
    ] {
        assert_eq!(expr(written), tree, "{written}");
    }
    for (written, fault) in [
        ("uri", "expected `==`, `!=` or `=~`"),
        ("src_port + 1", "expected `==`, `!=`, `<`"),
        ("proto > UDP", "expected `==` or `!=`"),
        ("proto == udb", "expected `UDP`"),
        ("$si == myself", "expected `==` or `!=`"),
        ("myself == method", "expected `uri`"),
        ("src_ip == 10.0.0.0/33", "between 0 and 32"),
        ("src_ip == 10.0.0.0/255.0.255.0", "no network mask"),
        (
            "proto == \"udp\"",
            "warning: a protocol never equals a string",
        ),
    ] {
        let found = messages(&in_route(&format!("$x = ({written});")));
        assert!(found.contains(fault), "{written}: {found}");
    }
}

#[test]
fn statements() {
    for (written, tree) in [
        (";;", "; ;"),
        ("f(); g(1, \"a\");", "f(); g(1, \"a\");"),
        (
            "route(RELAY); route(\"x\" + $y); route(5);",
            "route(\"RELAY\"); route((Add \"x\" $y)); route(5);",
        ),
        (
            "$(var(x)) = 1; $avp(a) = $null;",
            "$(var(x)) = 1; $avp(a) = $null;",
        ),
        ("if (1) f(); else g();", "if 1 { f(); } else { g(); }"),
        (
            "if f() { ; } else if (2) exit; else { drop; }",
            "if f() { ; } else { if 2 { exit; } else { drop; } }",
        ),
        (
            "if (1) if (2) f(); else g();",
            "if 1 { if 2 { f(); } else { g(); } }",
        ),
        (
            "while ($i < 3) $i = $i + 1;",
            "while (Less $i 3) { $i = (Add $i 1); }",
        ),
        ("while (1) { break; }", "while 1 { break; }"),
        (
            "return; return -1; return(2); return (1) + 2; exit(); drop 5;",
            "return; return (Negate 1); return 2; return (Add 1 2); exit; drop 5;",
        ),
        ("return is_method(\"BYE\");", "return is_method(\"BYE\");"),
        (
            "switch ($x) { case 1: case -2: f(); break; default: g(); }",
            "switch $x { case 1: case (Negate 2): f(); break; default: g(); }",
        ),
        (
            "switch $x { case \"a\" \"b\": exit; case /\"^c\": drop; }",
            "switch $x { case \"ab\": exit; case /^c/: drop; }",
        ),
        ("switch (1) { }", "switch 1 { }"),
        ("switch (1) { case 1: }", "switch 1 { case 1: }"),
        ("if (($x = f())) exit;", "if ($x = f()) { exit; }"),
    ] {
        assert_eq!(body(written), tree, "{written}");
    }
}

#[test]
fn core_actions() {
    for (written, tree) in [
        ("force_rport; add_rport();", "force_rport(); force_rport();"),
        (
            "rewritehost(\"x\"); seth(\"x\");",
            "sethost(\"x\"); sethost(\"x\");",
        ),
        (
            "setflag(fa); resetflag(fb); setflag(5);",
            "setflag(0); resetflag(7); setflag(5);",
        ),
        (
            "forward(); forward(uri:host, uri:port);",
            "forward(); forward(\"uri:host\", \"uri:port\");",
        ),
        (
            "forward(10.0.0.1, 5060); forward(x-y.org);",
            "forward(\"10.0.0.1\", 5060); forward(\"x-y.org\");",
        ),
        (
            "forward_tcp(\"a.b\", 5); forward([::1], 5);",
            "forward_tcp(\"a.b\", 5); forward(\"[::1]\", 5);",
        ),
        (
            "force_send_socket(udp:10.0.0.1:5060);",
            "force_send_socket(\"udp:10.0.0.1:5060\");",
        ),
        ("udp_mtu_try_proto(TCP);", "udp_mtu_try_proto(\"TCP\");"),
        (
            "set_advertised_address(a.b.c); set_advertised_port(5060);",
            "set_advertised_address(\"a.b.c\"); set_advertised_port(5060);",
        ),
        (
            "log(1, \"x\"); log(\"x\"); strip(2); prefix(\"+\");",
            "log(1, \"x\"); log(\"x\"); strip(2); prefix(\"+\");",
        ),
        ("log(-1, \"x\");", "log((Negate 1), \"x\");"),
        (
            "set_reply_close(); set_forward_no_connect;",
            "set_reply_close(); set_forward_no_connect();",
        ),
    ] {
        assert_eq!(body(written), tree, "{written}");
    }
    for (written, fault) in [
        ("setflag(fc);", "no flag is named `fc`"),
        ("setflag(32);", "numbered from 0 to 31"),
        ("setflag($x);", "expected a flag's number or name"),
        ("xlog;", "`xlog` is neither in quotes nor called"),
        (
            "is_method(INVITE);",
            "`INVITE` is neither in quotes nor called",
        ),
        ("strip;", "expected `(`"),
        ("f(1,);", "expected an expression"),
        ("f(1;", "expected `,` or `)`"),
    ] {
        let found = messages(&in_route(written));
        assert!(
            found.contains(fault) && found.lines().count() == 1,
            "{written}: {found}"
        );
    }
}

#[test]
fn wrong_statements() {
    for (written, fault) in [
        ("{ ; }", "a block cannot be a statement of its own"),
        ("if (1) { }", "this block is empty"),
        ("while (1) { }", "this block is empty"),
        ("else f();", "this `else` has no `if`"),
        ("f() g();", "expected `;` after the statement, found `g`"),
        ("5;", "expected a statement, found the number 5"),
        ("\"a\";", "expected a statement, found a string"),
        ("$x == 5;", "expected `=` after the variable"),
        ("children = 5;", "`children` is no variable"),
        ("$x = $y = 5;", "expected `;`"),
        ("switch (1) { f(); }", "expected `case` or `default`"),
        ("switch (1) { case 1 f(); }", "expected `:` after the label"),
        ("route(A;", "expected `)` after the name"),
        ("route();", "expected the name of a route"),
        ("selval(1,2);", "`selval` begins no statement"),
        (
            "if ($x = 1) exit;",
            "warning: this assigns, it does not compare",
        ),
        ("($x = 5);", "expected a statement"),
    ] {
        let found = messages(&in_route(written));
        assert!(found.contains(fault), "{written}: {found}");
        assert_eq!(found.lines().count(), 1, "{written}: {found}");
    }
}

#[test]
fn block_kinds_and_names() {
    let text = "route { exit; } request_route { drop; } route[A] { exit; } route[5] { exit; }
        route[\"b c\"] { exit; } failure_route[A] { exit; } branch_route[A] { exit; }
        onreply_route[A] { exit; } onreply_route { exit; } onreply_route[0] { drop; }
        reply_route { return; } onsend_route { exit; } event_route[tm:local-request] { exit; }
        event_route[tm:branch-failure:X_1] { exit; } route[0] { return; } failure_route { exit; };";
    let expected = "\
Request[] { exit; drop; return; }
Request[A] { exit; }
Request[5] { exit; }
Request[b c] { exit; }
Failure[A] { exit; }
Branch[A] { exit; }
OnReply[A] { exit; }
CoreReply[] { exit; drop; return; }
OnSend[] { exit; }
Event[tm:local-request] { exit; }
Event[tm:branch-failure:X_1] { exit; }
Failure[0] { exit; }";
    assert_eq!(blocks(&good(text)), expected);
    for (written, fault) in [
        (
            "route[A] { exit; } route[A] { exit; }",
            "there is another route `A`",
        ),
        ("route[a-b] { exit; }", "one word"),
        ("route[] { exit; }", "expected the name of the route"),
        ("route[A] ;", "`{` after `route`"),
        ("route[A] { }", "this block is empty"),
        ("request_route[A] { exit; }", "`request_route` has no name"),
        ("event_route { exit; }", "names no event"),
        ("event_route[tm] { exit; }", "`tm` is no event"),
        ("route[A] { exit;", "this block is not closed"),
        (
            "route[A] { if (1) { exit; }\nroute[B] { exit; }",
            "this block is not closed",
        ),
        ("route[A] { exit; } }", "expected a setting"),
    ] {
        let found = messages(written);
        assert!(
            found.contains(fault) && found.lines().count() == 1,
            "{written}: {found}"
        );
    }
}

#[test]
fn all_errors_in_one_run() {
    let text = "\
childern=5
loadmodule tm
port=abc
request_route {
    xlog(\"a\")
    $x = ;
    if ($x = ) {
        f(;
    }
    g();
}
route[A] {
    h(1 2);
    drop
}
lisen=udp:1.2.3.4:5060
alias=a.b
";
    let expected = "\
1:1: error: there is no core setting `childern`
2:12: error: expected a module's name in quotes, found `tm`
3:6: error: `port` must be a number that is not negative
5:14: error: expected `;` after the statement, found the variable `$x`
6:10: error: expected an expression, found `;`
7:14: error: expected an expression, found `)`
8:11: error: expected an expression, found `;`
13:9: error: expected `,` or `)` after the argument, found the number 2
14:9: error: expected `;` after the statement, found `}`
16:1: error: there is no core setting `lisen`";
    assert_eq!(messages(text), expected);
}

#[test]
fn depth_is_limited() {
    let deep = |open: &str, inner: &str, close: &str, count: usize| {
        messages(&in_route(&format!(
            "{}{inner}{}",
            open.repeat(count),
            close.repeat(count)
        )))
    };
    for (open, inner, close) in [
        ("if (1) { ", "; ", "} "),
        ("while (1) ", ";", ""),
        ("switch (1) { case 1: ", ";", "}"),
        ("$x = (", "1", ");"),
        ("if (!", "1", ") exit;"),
        ("if (f(", "", "));"),
        ("if (defined ", "1", ") exit;"),
        ("if (1) ; else { ", ";", "}"),
    ] {
        let found = deep(open, inner, close, 2_000);
        assert!(!found.is_empty(), "{open}");
    }
    assert_eq!(deep("if (1) { ", ";", " }", 90), "");
    let fault = format!("$x = {};", "(".repeat(500));
    assert!(messages(&in_route(&fault)).contains("nested more than 100 deep"));
    let long = |count: usize| messages(&in_route(&format!("$x = 1{};", "+1".repeat(count))));
    assert_eq!(long(500), "");
    assert!(long(501).contains("operators in a row"));
    let mut chain = String::from("if (0) ;");
    for n in 0..450 {
        let _ = write!(chain, " else if ({n}) ;");
    }
    assert_eq!(messages(&in_route(&chain)), "");
    assert!(
        messages(&in_route(
            &(chain.clone() + &chain[2..].replace(';', "; else if (1)"))
        ))
        .contains("error")
    );
}
