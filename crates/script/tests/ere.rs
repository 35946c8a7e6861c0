//! POSIX extended regular expressions, compared with the C library's.

use tandem_script::Ere;
use tandem_script::ere::{EreError, Flags};

fn matches(pattern: &str, flags: Flags, text: &str) -> Result<bool, EreError> {
    Ere::new(pattern.as_bytes(), flags).map(|ere| ere.is_match(text.as_bytes()))
}

#[test]
fn expressions_match_as_the_c_library_has_them() {
    for (pattern, text, found) in [
        ("^a+$", "aaa", true),
        ("A|b", "xB", true),
        ("a{2}{2}", "aaaa", true),
        ("a{2}{2}", "aaa", false),
        ("^(a*?)*$", "aa", true),
        ("^ab**$", "abb", true),
        ("[]a]", "]", true),
        ("[^]a]", "]", false),
        ("[a-]", "-", true),
        ("[[:digit:][:space:]]x", "3x", true),
        ("[\\.]", "\\", true),
        ("[[.a.]]", "a", true),
        ("[[=a=]]", "b", false),
        ("\\<b", "a b", true),
        ("b\\>", "ab c", true),
        ("a)", "a)", true),
        ("a.c", "a\nc", true),
        ("a||b", "x", true),
        ("^a{,2}$", "aaa", false),
        ("\\/x\\-", "/x-", true),
        ("sip:[0-9]+@", "sip:123@x", true),
    ] {
        assert_eq!(
            matches(pattern, Flags::OPERATOR, text),
            Ok(found),
            "{pattern} {text}"
        );
    }
    assert_eq!(matches("^b$", Flags::ARGUMENT, "a\nb\nc"), Ok(true));
    assert_eq!(matches("a.c", Flags::ARGUMENT, "a\nc"), Ok(false));
    assert_eq!(matches("a[^x]c", Flags::ARGUMENT, "a\nc"), Ok(false));
    assert_eq!(matches("B", Flags::CASE, "b"), Ok(false));
    let high = Ere::new(b"^\xe9.$", Flags::CASE).expect("bytes");
    assert!(high.is_match(b"\xe9\xff"));
}

#[test]
fn wrong_expressions_are_refused() {
    for pattern in [
        "*a",
        "a|*",
        "(*a)",
        "^*",
        "$*",
        "\\<+",
        "(a",
        "[a",
        "[[:nope:]]",
        "[b-a]",
        "a{",
        "a{x",
        "a{2,1}",
        "a{40000}",
        "{1}",
        "a\\",
        "(a)\\1",
        "((((a{200}){200}){200}){200})",
    ] {
        assert!(matches(pattern, Flags::OPERATOR, "").is_err(), "{pattern}");
    }
}
