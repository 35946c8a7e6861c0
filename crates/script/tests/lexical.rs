//! Numbers, strings, variables, selects, operators.

mod common;

use common::{body, expr, in_route, messages};

#[test]
fn numbers() {
    for (written, value) in [
        ("0", "0"),
        ("42", "42"),
        ("010", "8"),
        ("0x1F", "31"),
        ("0xff", "255"),
        ("11b", "3"),
        ("0b", "0"),
        ("10b", "2"),
        ("4294967296", "4294967296"),
        ("9223372036854775807", "9223372036854775807"),
        ("yes", "1"),
        ("true", "1"),
        ("on", "1"),
        ("enable", "1"),
        ("no", "0"),
        ("false", "0"),
        ("off", "0"),
        ("disable", "0"),
    ] {
        assert_eq!(expr(written), value, "{written}");
    }
    for (written, fault) in [
        ("9223372036854775808", "does not fit into 64 bits"),
        ("09", "octal"),
        ("0b11", "expected `;`"),
        ("TRUE", "`TRUE` is neither in quotes nor called"),
    ] {
        assert!(
            messages(&in_route(&format!("$x = {written};"))).contains(fault),
            "{written}"
        );
    }
}

#[test]
fn strings() {
    for (written, value) in [
        (r#""a\n\r\a\t\"\\""#, r#""a\n\r\x07\t\"\\""#),
        (r#""\x41\102""#, r#""AB""#),
        (r#""\xa|""#, r#""\n|""#),
        (r#""x\zy""#, r#""x\\zy""#),
        (r#""\1""#, r#""\\1""#),
        (r#""\129""#, r#""\n9""#),
        (r#""\xg""#, r#""\\xg""#),
        (r#""\777""#, r#""\xff""#),
        ("\"a\\\nb\"", "\"ab\""),
        ("\"a\nb\"", r#""a\nb""#),
        ("\"a\" \"b\"\n\t\"c\"", "\"abc\""),
        (r"'a\tb'", r#""a\\tb""#),
        ("\"$ru #x /* */ //\"", "\"$ru #x /* */ //\""),
        ("\"é\"", r#""\xc3\xa9""#),
    ] {
        assert_eq!(expr(written), value, "{written}");
    }
    assert!(messages(&in_route("$x = 'a' 'b';")).contains("found a string"));
    assert!(messages(&in_route("$x = \"a\" # c\n\"b\";")).contains("expected `;`"));
    assert!(
        messages(&in_route("$x = \"open;")).starts_with("3:6: error: this string is not closed")
    );
    assert!(
        messages(&in_route("$x = 'open;")).starts_with("3:6: error: this string is not closed")
    );
}

#[test]
fn variables() {
    for written in [
        "$ru",
        "$var(x)",
        "$hdr(X-Y)",
        "$(hdr(X)[0]{s.len})",
        "$(var(x){re.subst,/(a)/b/})",
        "$?",
        "$sht(a=>$ci::$(rU{s.len}))",
        "$T_branch_idx",
        "$avp(\"x y\")",
        "$rcv(buf)",
        "$rc",
        "$xavp(a[0]=>b)",
        "$sel(cfg_get.a.b)",
        "$var(#x)",
    ] {
        assert_eq!(expr(written), written);
    }
    for (written, fault) in [
        ("$", "a variable's name is expected"),
        ("$var(x;", "parenthesis is not closed"),
        ("$var(x){s.len};", "must be inside the variable"),
        ("$avp(a)[0];", "must be inside the variable"),
    ] {
        assert!(
            messages(&in_route(&format!("$x = {written}\n;"))).contains(fault),
            "{written}"
        );
    }
    assert_eq!(body("if $var(x){ exit; }"), "if $var(x) { exit; }");
}

#[test]
fn selects() {
    for written in [
        "@ruri.user",
        "@via[1].host",
        "@cfg_get.group.name",
        "@msg.h[\"X\"][-1]",
    ] {
        assert_eq!(expr(written), written);
    }
    assert_eq!(expr("@ruri.user + 1"), "(Add @ruri.user 1)");
    assert!(messages(&in_route("$x = @;")).contains("a select is written"));
    assert!(messages(&in_route("@ruri.user = 1;")).contains("a select can only be read"));
}

#[test]
fn operators_of_other_languages_are_explained() {
    for (written, fault) in [
        ("$x = 5 % 2;", "there is no operator `%`"),
        ("if ($x !~ \"a\") exit;", "there is no operator `!~`"),
        ("$x = \"a\" . \"b\";", "there is no operator `.`"),
        ("$x = 1 ? 2 : 3;", "there is no operator `? :`"),
        ("$x += 1;", "there is no operator `+=`"),
        ("$x = 5 ` 2;", "has no meaning here"),
        ("$x = 5 é;", "no meaning outside of strings"),
    ] {
        let found = messages(&in_route(written));
        assert!(found.contains(fault), "{written}: {found}");
        assert_eq!(found.lines().count(), 1, "{written}: {found}");
    }
}
