//! Variables in formats, and transformations: what Kamailio 5.6.3 prints, and the intended text where its own is
//! a known fault.

mod support;

use support::{TestCatalog, TestHost, run, try_compile};
use tandem_script::{Format, Host, Index, Key, Str, Value, VariableId};

/// What a format prints when `$var(x)` is this text.
#[track_caller]
fn printed(x: &[u8], format: &str) -> String {
    let mut host = TestHost::default();
    let key = Key::Name("x".into());
    host.set(VariableId(0), &key, Index::None, Value::Str(Str::new(x)))
        .expect("assigned");
    host.set(
        VariableId(0),
        &Key::Name("two".into()),
        Index::None,
        Value::Int(2),
    )
    .expect("assigned");
    let format =
        Format::parse(format.as_bytes(), &TestCatalog).unwrap_or_else(|e| panic!("{format}: {e}"));
    let mut out = Vec::new();
    format.print(&mut host, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[track_caller]
fn check(rows: &[(&str, &str, &str)]) {
    for (x, transformation, want) in rows {
        let format = format!("$(var(x){{{transformation}}})");
        assert_eq!(
            printed(x.as_bytes(), &format),
            *want,
            "{x:?} {transformation}"
        );
    }
}

#[test]
fn parts_of_strings() {
    check(&[
        ("abc", "s.len", "3"),
        ("abc", "s.substr,1,1", "b"),
        ("abc", "s.substr,5,1", ""),
        ("abcdefghij", "s.substr,-3,0", "hij"),
        ("abcdefghij", "s.substr,-3,2", "hi"),
        ("abcdefghij", "s.substr,2,99", "cdefghij"),
        ("12ab34", "s.substr,6,0", ""),
        ("12ab34", "s.substr,-7,0", ""),
        ("12ab34", "s.substr,0,7", "12ab34"),
        ("abc", "s.select,0,b", "a"),
        ("a,b,,c", "s.select,1,,", "b"),
        ("a,b,,c", "s.select,-1,,", "c"),
        ("a,b,,c", "s.select,9,,", ""),
        ("a,b,,c", "s.select,2,,", ""),
        ("a,b,,c", "s.select,-9,,", ""),
        ("abc", "s.select,-1,z", "abc"),
        ("a, b ,c", "s.selectsw,1,,", "b"),
        ("abc", "s.strip,1", "bc"),
        ("abc", "s.strip,5", ""),
        ("abc", "s.strip,-1", "abc"),
        ("abcdef", "s.strip,$var(two)", "cdef"),
        ("key=va=l", "s.striptail,2", "key=va"),
        ("abc", "s.striptail,3", ""),
        ("key=va=l", "s.stripto,=", "=va=l"),
        ("kbkbk", "s.stripto,z", ""),
        ("key=va=l", "s.before,=", "key"),
        ("key=va=l", "s.after,=", "va=l"),
        ("key=va=l", "s.before,z", "key=va=l"),
        ("key=va=l", "s.after,z", ""),
        ("key=va=l", "s.rbefore,=", "key=va"),
        ("key=va=l", "s.rafter,=", "l"),
        ("abc", "s.charat,1", "b"),
        ("abc", "s.byteat,-1", "99"),
        ("abcd", "s.prefixes", "a,ab,abc,abcd"),
        ("abcdefghij", "s.prefixes,3", "a,ab,abc"),
        ("abcdefghij", "s.prefixes.quoted,2", "'a','ab'"),
    ]);
}

#[test]
fn strings() {
    check(&[
        ("12", "s.int", "12"),
        ("<sip:a>", "s.int", ""),
        ("  12x", "s.int", ""),
        ("  12x", "s.numeric", "12"),
        ("-12abc34", "s.numeric", "1234"),
        ("-12abc", "s.intv", "-12"),
        ("aBc", "s.toupper", "ABC"),
        ("aBc", "s.tolower", "abc"),
        ("  \ta b \r\n", "s.trim", "a b"),
        ("  \ta b \r\n", "s.ltrim", "a b \r\n"),
        ("  \ta b \r\n", "s.rtrim", "  \ta b"),
        ("  \ta b \r\n", "s.rmws", "ab"),
        ("'x y'", "s.unquote", "x y"),
        ("\"x y\"", "s.unquote", "x y"),
        ("\"x y'", "s.unquote", "\"x y'"),
        ("<sip:a>", "s.unbracket", "sip:a"),
        ("[x]", "s.unbracket", "x"),
        ("abc", "s.replace,b,x", "axc"),
        ("kbkbk", "s.replace,b,", "kkk"),
        ("kbkbk", "s.rm,kb", "k"),
        ("kbkbk", "s.count,k", "3"),
        ("abcdefghij", "s.fmtlines,4,1", "abcd\r\n efgh\r\n ij"),
        ("abcdefghij", "s.fmtlinet,4,1", "abcd\r\n\tefgh\r\n\tij"),
        ("0", "s.ftime,%Y", "1970"),
        ("a\r\n b", "s.rmhlws", "a b"),
        ("a \tb", "s.rmhdws", "ab"),
        ("abcabc", "re.subst,/b(c)/X\\1/g", "aXcaXc"),
        ("abcabc", "re.subst,/B/x/i", "axcabc"),
        ("abcabc", "re.subst,/z/x/", "abcabc"),
        ("a:b", "re.subst,/(.):(.)/\\2:\\1/", "b:a"),
        ("a:b", "re.subst,/:/$var(two)/", "a2b"),
        ("17", "num.fdigit", "1"),
        ("17", "num.ldigit", "7"),
        ("a\"b\n", "val.json", "a\\\"b\\n"),
        ("a\"b", "val.jsonqe", "\"a\\\"b\""),
    ]);
}

#[test]
fn codes() {
    let odd = "a\"b'c\\d%e f;g=h@i,jk/l?";
    check(&[
        ("abcdefghij", "s.encode.hexa", "6162636465666768696a"),
        ("616263", "s.decode.hexa", "abc"),
        ("616g", "s.decode.hexa", ""),
        ("616", "s.decode.hexa", "a"),
        ("abcdefghij", "s.encode.base64", "YWJjZGVmZ2hpag=="),
        ("abcdefghij", "s.encode.base64t", "YWJjZGVmZ2hpag"),
        ("YWJj", "s.decode.base64", "abc"),
        ("YW", "s.decode.base64", ""),
        ("YW", "s.decode.base64t", "a"),
        ("YWJj", "s.decode.base64url", "abc"),
        ("??>", "s.encode.base64url", "Pz8-"),
        ("abcdefghij", "s.encode.base58", "6ULDKkKF2ZSzsB"),
        ("6ULDKkKF2ZSzsB", "s.decode.base58", "abcdefghij"),
        ("abcdefghij", "s.encode.7bit", "61f1985c369fd16935"),
        ("61F1985C369FD16935", "s.decode.7bit", "abcdefghij"),
        (odd, "s.escape.common", "a\\\"b\\'c\\\\d%e f;g=h@i,jk/l?"),
        ("a\\\"b\\\\c\\'d", "s.unescape.common", "a\"b\\c'd"),
        (odd, "s.escape.user", "a%22b'c%5cd%25e%20f;g=h%40i,jk%2fl?"),
        (
            odd,
            "s.escape.param",
            "a%22b'c%5cd%25e%20f%3bg%3dh%40i%2cjk/l%3f",
        ),
        ("a\r", "s.escape.user", ""),
        ("sip:al%41@ex", "s.unescape.user", "sip:alA@ex"),
        (odd, "s.escape.csv", "\"a\"\"b'c\\d%e f;g=h@i,jk/l?\""),
        (
            odd,
            "s.urlencode.param",
            "a%22b%27c%5cd%25e%20f%3bg%3dh%40i%2cjk%2fl%3f",
        ),
        ("a+b%20c", "s.urldecode.param", "a b c"),
        ("%4", "s.urldecode.param", "%4"),
        ("a\r\nb", "s.escape.crlf", "a\\r\\nb"),
        ("a\\r\\nb", "s.unescape.crlf", "a\r\nb"),
        ("abcdefghij", "s.md5", "a925576942e94b2ef57a066101b48876"),
        (
            "abcdefghij",
            "s.sha256",
            "72399361da6a7754fec986dca5b7cbaf1c810a28ded4abaf56b2106d06cb78b0",
        ),
        (
            "a\"b",
            "s.sha384",
            "c43beaddce415c1acbc80dc498ec6e04f19ff74176bd3531e99d55bc457e43f26e2b710254a2c9110ff6d2b34e8ee4e8",
        ),
        ("", "s.md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("abcdefghij", "s.corehash", "3610958962"),
        ("abcdefghij", "s.corehash,16", "2"),
        ("a!b@c", "s.corehash,10", "0"),
        ("123456789", "s.crc32", "3421780262"),
    ]);
}

#[test]
fn uris() {
    let full = "sip:al@ex.com:5070;transport=tcp;lr?X=1";
    let secure = "sips:al:pw@[::1]:5071;transport=TLS;ttl=3;user=phone;maddr=1.1.1.1;method=INVITE;lr=on;r2=on;foo=bar";
    check(&[
        (full, "uri.user", "al"),
        (full, "uri.host", "ex.com"),
        (full, "uri.port", "5070"),
        (full, "uri.params", "transport=tcp;lr"),
        (full, "uri.headers", "X=1"),
        (full, "uri.param,lr", ""),
        (full, "uri.param,transport", "tcp"),
        (full, "uri.tosocket", "tcp:ex.com:5070"),
        (full, "uri.saor", "sip:al@ex.com"),
        (full, "uri.suri", "sip:al@ex.com:5070;transport=tcp"),
        (full, "uri.duri", "sip:ex.com:5070;transport=tcp"),
        (
            full,
            "uri.rmparam,lr",
            "sip:al@ex.com:5070;transport=tcp?X=1",
        ),
        (full, "urialias.encode", "ex.com~5070~2"),
        (secure, "uri.passwd", "pw"),
        (secure, "uri.domain", "[::1]"),
        (secure, "uri.transport", "TLS"),
        (secure, "uri.ttl", "3"),
        (secure, "uri.uparam", "phone"),
        (secure, "uri.maddr", "1.1.1.1"),
        (secure, "uri.method", "INVITE"),
        (secure, "uri.lr", "on"),
        (secure, "uri.r2", "on"),
        (secure, "uri.scheme", "sips"),
        (secure, "uri.tosocket", "tls:[::1]:5071"),
        (secure, "uri.param,foo", "bar"),
        ("tel:+49123;phone-context=x", "uri.user", "+49123"),
        ("tel:+49123;phone-context=x", "uri.host", ""),
        ("tel:+49123;phone-context=x", "uri.scheme", "tel"),
        ("nonsense", "uri.user", ""),
        ("sip:h.org", "uri.user", ""),
        ("sip:h.org", "uri.port", ""),
        ("sip:h.org", "uri.host", "h.org"),
        ("sip:al@1.2.3.4", "urialias.encode", "1.2.3.4~5060~1"),
        ("5.6.7.8~9999~1", "urialias.decode", "sip:5.6.7.8:9999"),
        (
            "5.6.7.8~9999~2",
            "urialias.decode",
            "sip:5.6.7.8:9999;transport=tcp",
        ),
        ("5.6.7.8~9999", "urialias.decode", ""),
    ]);
}

#[test]
fn lists_names_and_lines() {
    let list = "a=1;b=\"x y\";c;d=";
    let name = "\"Al B\" <sip:al@ex.com;lr>;tag=9;x=1";
    let lines = "one\r\ntwo\nthree";
    check(&[
        (list, "param.value,a", "1"),
        (list, "param.value,A", "1"),
        (list, "param.value,b", "x y"),
        (list, "param.value,c", ""),
        (list, "param.value,d", ""),
        (list, "param.count", "4"),
        (list, "param.name,1", "b"),
        (list, "param.name,-1", "d"),
        (list, "param.name,9", ""),
        (list, "param.valueat,1", "x y"),
        (list, "param.in,c", "1"),
        (list, "param.in,z", "0"),
        ("a=1&b=2", "param.value,b,&", "2"),
        ("a=1&b=2", "param.count,&", "2"),
        ("a=1&b=2", "param.name,1,&", "b"),
        ("a=1&b=2", "param.in,b,&", "1"),
        (name, "nameaddr.name", "\"Al B\" "),
        (name, "nameaddr.uri", "sip:al@ex.com;lr"),
        (name, "nameaddr.len", "25"),
        (name, "tobody.uri", "sip:al@ex.com;lr"),
        (name, "tobody.tag", "9"),
        (name, "tobody.user", "al"),
        (name, "tobody.host", "ex.com"),
        (name, "tobody.params", "tag=9;x=1"),
        (name, "tobody.display", "\"Al B\""),
        ("Al <sip:al@ex.com>", "nameaddr.name", "Al "),
        ("Al <sip:al@ex.com>", "tobody.display", "Al"),
        ("Al <sip:al@ex.com>", "tobody.tag", ""),
        ("sip:al@ex.com;tag=9", "nameaddr.uri", "sip:al@ex.com;tag=9"),
        ("sip:al@ex.com;tag=9", "nameaddr.len", "19"),
        ("sip:al@ex.com;tag=9", "tobody.uri", "sip:al@ex.com"),
        ("sip:al@ex.com;tag=9", "tobody.params", "tag=9"),
        (lines, "line.count", "3"),
        (lines, "line.at,0", "one"),
        (lines, "line.at,1", "two"),
        (lines, "line.at,-1", "three"),
        (lines, "line.at,9", ""),
        (lines, "line.sw,tw", "two"),
        ("a\n", "line.count", "1"),
        ("", "line.count", ""),
    ]);
}

#[test]
fn chains_and_formats() {
    for (format, want) in [
        ("$var(x)", "abc"),
        ("$(var(x))-$rU.", "abc-alice."),
        ("$(var(x){s.len}{s.len})", "1"),
        ("$(var(x) {s.toupper} {s.len})", "3"),
        ("$$var", "$var"),
        ("$hdr(X)", "<null>"),
        ("[$(hdr(X){s.len})]", "[]"),
        ("$(hdr(X){val.n0})", "0"),
        ("[$(hdr(X){val.ne})]", "[]"),
        ("$null", "<null>"),
        ("$(var(x){s.replace,b,$(var(two){s.len})})", "a1c"),
        ("$(var(x){s.rm,\\b})", "ac"),
        ("$var($rU)", "0"),
        ("$(avp(x)[$var(two)])", "<null>"),
        ("", ""),
    ] {
        let format = if format == "$(var(x))-$rU." {
            "$(var(x))-$(rU)."
        } else {
            format
        };
        assert_eq!(printed(b"abc", format), want, "{format}");
    }
}

#[test]
fn wrong_formats_are_errors_at_load() {
    for (format, word) in [
        ("$nope", "unknown variable"),
        ("$rU.", "write `$(rU)`"),
        ("$", "expected a variable's name"),
        ("$ 5", "expected a variable's name"),
        ("$(var(x)", "expected `)`"),
        ("$var(x", "unmatched"),
        ("$(var(x)[a])", "index"),
        ("$(var(x){s.nope})", "unknown transformation"),
        ("$(var(x){s.lenn})", "did you mean `s.len`"),
        ("$(var(x){s.len)", "expected `}`"),
        ("$(var(x){s.select,1})", "expected `,`"),
        ("$(var(x){s.substr,1})", "expected 2 parameters"),
        ("$(var(x){re.subst,/[/x/})", "bad expression"),
        ("$(var(x){re.subst,/a/\\1/})", "no group 1"),
        ("$(var(x){re.subst,/a/x/q})", "flags"),
        (&"$(var(".repeat(500), "unmatched"),
    ] {
        let error = Format::parse(format.as_bytes(), &TestCatalog).expect_err(format);
        assert!(error.to_string().contains(word), "{format}: {error}");
    }
    let deep = format!("{}x{}", "$var(".repeat(500), ")".repeat(500));
    let error = Format::parse(deep.as_bytes(), &TestCatalog).expect_err("too deep");
    assert!(error.to_string().contains("deeply"), "{error}");
}

#[test]
fn the_message_points_into_the_string() {
    let messages =
        try_compile("request_route {\n  xlog(\"call $fu and $nope!\");\n}").expect_err("refused");
    assert!(messages.contains("test.cfg:2:15"), "{messages}");
    let messages =
        try_compile("request_route {\n  xlog(\"call $ru and $nope!\");\n}").expect_err("refused");
    assert!(messages.contains("test.cfg:2:23"), "{messages}");
}

#[test]
fn an_assignment_of_a_failed_transformation_unsets() {
    let run = run(
        "request_route { $avp(q)=\"1\"; $avp(q)=\"2\"; $avp(q)=$(avp(none){s.len}); xlog(\"$avp(q) $rc\"); }",
    );
    assert_eq!(run.host.log, ["1 0"]);
}
