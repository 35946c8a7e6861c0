//! Expressions: the values and truths observed on Kamailio 5.6.3.

mod support;

use support::{evaluate, holds, run, try_compile};

#[test]
fn values() {
    for (expression, value) in [
        (r#""1"+1"#, "11"),
        ("1+$var(n5)", "6"),
        ("$var(n5)+1", "51"),
        ("$avp(un)+1", "1"),
        ("1+$avp(un)", "1"),
        (r#""x"+$avp(un)+"y""#, "xy"),
        ("$var(never)", "0"),
        ("$avp(un)", "<null>"),
        (r#""a"+1+2"#, "a12"),
        ("1+2+$var(n5)", "8"),
        ("(str)12+1", "121"),
        (r#"(int)"0x1F""#, "31"),
        ("-10 mod 3", "-1"),
        ("2*3 mod 4", "2"),
        ("1|2&3", "3"),
        ("~5", "-6"),
        ("!$var(im)", "0"),
        ("3 && 4", "1"),
        ("$var(n5)*2", "10"),
        ("$var(n5)-1", "4"),
        (r#""a"+$var(i5)+$var(i5)"#, "a55"),
        ("($var(i5)==5)+1", "2"),
        ("1 == 1 == 1", "1"),
        ("2 > 1 == 1", "1"),
        ("1+2 == 3", "1"),
        ("11b", "3"),
        ("010", "8"),
        ("0x10", "16"),
        (r#""a" "b""#, "ab"),
        (r#""\x41\102""#, "AB"),
        (r"'a\tb'", r"a\tb"),
        ("defined $avp(un)", "0"),
        ("defined $var(x)", "1"),
        ("strempty($avp(un))", "1"),
        ("strempty($var(i0))", "0"),
        ("strlen($var(i5))", "1"),
        ("strlen($avp(un))", "0"),
        ("selval($var(i1), \"a\", 2)", "a"),
        ("selval($var(im), \"a\", 2)", "2"),
        ("2147483647+1", "2147483648"),
        ("7 / -2", "-3"),
        ("$var(i5) << 2 >> 1", "10"),
        (r#""a" =~ "A|b""#, "1"),
        ("$var(im) && 1", "-1"),
        ("1 && $var(im)", "-1"),
        ("$var(im) || 0", "-1"),
        ("$var(im) || $var(i0)", "1"),
        (r#""5" eq 5"#, "1"),
        (r#"$var(n5) ieq 5"#, "1"),
        ("$var(i5) ne $var(n5)", "0"),
        ("$null", "<null>"),
        ("(is_method(\"BYE\"))", "-1"),
        ("-$var(n5)", "-5"),
        ("$(var(s){s.len}) + 1", "4"),
        ("@ruri.user", "ruri.user"),
    ] {
        assert_eq!(
            evaluate(expression),
            (value.to_owned(), vec![]),
            "{expression}"
        );
    }
}

#[test]
fn values_with_messages() {
    for (expression, value, level) in [
        ("1+2+$var(s)", "3", 0),
        (r#"(int)"12abc"+1"#, "1", 0),
        ("!$var(s)", "1", 0),
        (r#"$var(i5)+$var(n5)+$var(s)"#, "10", 0),
        ("$var(i5)/$var(i0)", "<null>", -1),
        ("$var(i5) mod $var(i0)", "<null>", -1),
        ("1/0", "<null>", -1),
        ("$(avp(un){s.len})", "<null>", -1),
        ("\"a\"+$(avp(un){s.len})", "a", -1),
        ("$var(s) =~ $(var(s){s.replace,abc,[})", "0", -1),
    ] {
        assert_eq!(
            evaluate(expression),
            (value.to_owned(), vec![level]),
            "{expression}"
        );
    }
}

#[test]
fn conditions() {
    for (condition, truth) in [
        ("$avp(un)==$null", true),
        ("$avp(es)==$null", false),
        ("$avp(z)==$null", false),
        ("$var(never)==$null", false),
        ("$null==$avp(es)", true),
        ("$null==$null", true),
        (r#"$avp(un)=="""#, true),
        ("$avp(un)==0", true),
        (r#"$avp(un)!="""#, false),
        ("$avp(es)==0", false),
        (r#"$avp(z)=="""#, false),
        (r#"$var(i0)=="""#, false),
        ("$avp(z)==$var(e)", true),
        ("$var(i0)==$avp(un)", true),
        ("$avp(un)==$avp(un2)", true),
        ("$avp(un)", false),
        ("$avp(i)", true),
        ("$var(n5)", true),
        ("$var(im)", false),
        ("!$var(im)", false),
        ("-1", false),
        ("$var(im) && 1", false),
        ("$var(im) && $var(i1)", true),
        ("$var(im) || $var(i0)", true),
        (r#""5"==5"#, true),
        (r#"$var(i5)=="5""#, true),
        (r#"$var(s)=="ABC""#, false),
        (r#"$var(s)=~"B""#, true),
        (r#"$var(i5)=~"^5$""#, true),
        (r#"$rU=="Alice""#, false),
        (r#"$avp(un) =~ "^$""#, true),
        ("$hdr(None)", false),
        ("$hdr(None)==$null", true),
        (r#"$vn(x)=="""#, true),
        (r#"method=="invite""#, true),
        (r#"method=="INVITE|BYE""#, false),
        (r#"method=~"INVITE|BYE""#, true),
        ("method!=INVITE", false),
        (r#"uri=="SIP:ALICE@example.org;transport=tcp""#, true),
        ("proto==UDP", true),
        ("proto!=UDP", false),
        ("proto==TCP", false),
        ("src_ip==10.0.0.0/8", true),
        ("src_ip!=10.0.0.0/8", false),
        (r#"src_ip=="10.1.2.0/255.255.255.0""#, true),
        ("src_ip==10.1.2.4", false),
        ("src_ip=~\"^10\"", true),
        ("src_ip==$avp(un)", false),
        ("src_port==5070", true),
        ("src_port>5070", false),
        ("af==INET", true),
        ("af==INET6", false),
        ("status==\"200\"", true),
        ("status=~\"[12]..\"", true),
        ("uri==myself", true),
        ("myself==uri", true),
        ("uri!=myself", false),
        ("src_ip==myself", false),
        ("5", true),
        ("\"5\"", true),
        ("($var(x)=0)", true),
    ] {
        let (found, levels) = holds(condition);
        let silent = condition != "src_ip==$avp(un)";
        assert_eq!(
            (found, levels.is_empty()),
            (truth, silent),
            "{condition} {levels:?}"
        );
    }
}

#[test]
fn conditions_with_messages() {
    for (condition, truth, level) in [
        ("$var(s)", false, 0),
        ("proto==\"udp\"", false, -1),
        ("!(1/$var(i0))", false, -1),
        ("$rU", false, 0),
    ] {
        assert_eq!(holds(condition), (truth, vec![level]), "{condition}");
    }
}

#[test]
fn a_literal_can_decide_alone() {
    for (expression, value) in [
        ("code(5) || 1", "1"),
        ("code(5) && 0", "0"),
        ("code(5) * 0", "0"),
        ("1 || code(5)", "1"),
    ] {
        let run = run(&format!(
            "request_route {{ $var(x)={expression}; xlog(\"$var(x)\"); }}"
        ));
        assert_eq!(run.host.log, [value], "{expression}");
        assert_eq!(run.host.calls, ["xlog"], "{expression}");
    }
}

#[test]
fn mixtures_that_are_refused() {
    for expression in [
        r#"1+"1""#,
        r#""5"*2"#,
        r#""b">"a""#,
        r#"5=="5""#,
        r#"!"a""#,
        r#"!$var(s) =~ "re""#,
        "strlen(5)",
        "strempty(5)",
        r#""a" && 1"#,
        r#"1 + (str)$var(y)"#,
        r#"5 eq "5""#,
        r#""5" ieq 5"#,
        r#"-"5""#,
        r#"is_method("INVITE") == "a""#,
        r#""a" =~ "[""#,
        "$nope",
        "$(var(x){s.nope})",
    ] {
        let text = format!("request_route {{ $var(x)={expression}; }}");
        assert!(try_compile(&text).is_err(), "{expression}");
    }
}
