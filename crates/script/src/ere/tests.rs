//! The three ways to match agree where more than one of them can.

use proptest::prelude::*;

use super::*;

/// An expression of single bytes, repeated or not, some of them in groups: what the crate answers alone.
fn plain() -> impl Strategy<Value = String> {
    let byte = prop::sample::select(vec!["a", "b", "c", ".", "[ab]", "[^a]", "(b)", "([bc])"]);
    let times = prop::sample::select(vec!["", "", "*", "+", "?", "{2}", "{1,2}", "{0,3}"]);
    let item = (byte, times).prop_map(|(byte, times)| format!("{byte}{times}"));
    let items = prop::collection::vec(item, 1..4).prop_map(|items| items.concat());
    let part = prop_oneof![items.clone(), items.prop_map(|text| format!("({text})"))];
    let ends = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    (ends, prop::collection::vec(part, 1..4)).prop_map(|((start, end), parts)| {
        let start = if start { "^" } else { "" };
        let end = if end { "$" } else { "" };
        format!("{start}{}{end}", parts.concat())
    })
}

/// Any expression without back-references.
fn any() -> impl Strategy<Value = String> {
    plain().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}|{other})")),
            (inner.clone(), "[*+?]|\\{1,2\\}").prop_map(|(one, times)| format!("({one}){times}")),
            (inner.clone(), inner).prop_map(|(one, other)| format!("{one}{other}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_counts_as_plain_is_as_long_as_can_be(pattern in plain(), text in "[abc]{0,8}") {
        let tree = parse::parse(pattern.as_bytes(), Flags::CASE).unwrap();
        prop_assume!(tree.is_plain());
        let ere = Ere::new(pattern.as_bytes(), Flags::CASE).unwrap();
        let first = ere.first(text.as_bytes(), 0);
        let longest = first.as_ref().and_then(|first| {
            let start = first.whole().start;
            longest::captures(&tree, text.as_bytes(), start, &mut Budget(STEPS_MAX))
        });
        prop_assert_eq!(first, longest, "{} in {}", pattern, text);
    }

    #[test]
    fn searching_and_trying_everything_find_the_same_length(pattern in any(), text in "[abc]{0,7}") {
        let Ok(tree) = parse::parse(pattern.as_bytes(), Flags::CASE) else { return Ok(()) };
        let Ok(ere) = Ere::new(pattern.as_bytes(), Flags::CASE) else { return Ok(()) };
        let Some(first) = ere.first(text.as_bytes(), 0) else { return Ok(()) };
        let start = first.whole().start;
        let searched = longest::captures(&tree, text.as_bytes(), start, &mut Budget(1_000_000));
        let tried = backtrack::captures(&tree, text.as_bytes(), start, &mut Budget(1_000_000));
        let whole = |found: Option<Captures>| found.map(|found| found.whole());
        prop_assert_eq!(whole(searched), whole(tried), "{} in {}", pattern, text);
    }
}
