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
        "\\1(a)",
        "(a\\1)",
        "(a)\\2",
        "(a)|b\\1",
        "((((a{200}){200}){200}){200})",
    ] {
        assert!(matches(pattern, Flags::OPERATOR, "").is_err(), "{pattern}");
    }
}

fn matched<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let ere = Ere::new(pattern.as_bytes(), Flags::CASE).expect("it is well-formed");
    let found = ere.captures(text.as_bytes())?;
    let group = |number| found.get(number).map_or("", |group| &text[group]);
    Some((0..ere.groups()).map(group).collect())
}

#[test]
fn the_longest_of_the_leftmost_matches_counts() {
    for (pattern, text, wanted) in [
        ("a|ab|abc", "xabcd", &["abc"][..]),
        ("(a|ab)(c|bcd)(d*)", "abcd", &["abcd", "ab", "c", "d"]),
        ("(a?)(ab)?", "ab", &["ab", "", "ab"]),
        ("(a*)(ab)*(b*)", "abb", &["abb", "a", "", "bb"]),
        ("(sip|sips):(.*)", "sips:x", &["sips:x", "sips", "x"]),
        ("x*", "aaa", &[""]),
        ("(foo|foobar)+", "foofoobar", &["foofoobar", "foobar"]),
        ("((a|ab){2}c?){1,2}", "ababc", &["ababc", "ababc", "ab"]),
    ] {
        assert_eq!(matched(pattern, text).as_deref(), Some(wanted), "{pattern}");
    }
}

#[test]
fn a_reference_matches_what_its_group_has_matched() {
    for (pattern, text, wanted) in [
        ("(a+)b\\1", "aaba", Some(&["aba", "a"][..])),
        ("(.*)-\\1$", "xab-ab", Some(&["ab-ab", "ab"])),
        ("^(.*)\\1$", "abab", Some(&["abab", "ab"])),
        ("((a)|b)\\2", "b", None),
        ("(a*)*\\1", "aaaa", Some(&["aaaa", ""])),
        ("(x|xy)\\1", "xyxy", Some(&["xyxy", "xy"])),
        ("([0-9])([0-9])\\2\\1", "71221", Some(&["1221", "1", "2"])),
    ] {
        let found = matched(pattern, text);
        match wanted {
            // Which of several ways a repeated group went is left open.
            Some([whole, ..]) if pattern.contains(")*") => {
                assert_eq!(found.map(|f| f[0]), Some(*whole), "{pattern}");
            }
            _ => assert_eq!(found.as_deref(), wanted, "{pattern}"),
        }
    }
    let folded = Ere::new(b"(ab)\\1", Flags::OPERATOR).expect("it is well-formed");
    assert!(folded.is_match(b"xABab"));
}

/// What would take for ever is given up.
#[test]
fn work_has_a_limit() {
    let text = "a".repeat(30_000);
    for pattern in [
        "(a|aa)*(a|aa)*b\\1",
        "((a*)*)*\\2b",
        "(a?){30}(b)\\2",
        "^(a*)*\\1*x",
    ] {
        let ere = Ere::new(pattern.as_bytes(), Flags::CASE).expect("it is well-formed");
        assert!(!ere.is_match(text.as_bytes()), "{pattern}");
    }
    for pattern in ["((a|aa)*|x)*", "(a*)(a|aa)*(a*)", "(a|ab)*(c|bcd)*(d*)"] {
        let ere = Ere::new(pattern.as_bytes(), Flags::CASE).expect("it is well-formed");
        assert!(ere.captures(text.as_bytes()).is_some(), "{pattern}");
    }
    let deep = format!("{}a{}", "(".repeat(500), ")".repeat(500));
    assert!(Ere::new(deep.as_bytes(), Flags::CASE).is_err());
    let starred = format!("(ab){}", "*".repeat(500));
    assert!(Ere::new(starred.as_bytes(), Flags::CASE).is_err());
}
