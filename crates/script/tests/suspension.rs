//! A run that waits at every call ends as one that never waits.

mod support;

use proptest::prelude::*;
use support::{TestHost, compile, run_with};
use tandem_script::{Limits, Value};

/// Small expressions over two variables, calls and routes.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (-2..4i64).prop_map(|number| format!("({number})")),
        Just("$var(a)".to_owned()),
        Just("$var(b)".to_owned()),
        Just("$avp(u)".to_owned()),
        Just("$rc".to_owned()),
        (-1..3i64).prop_map(|code| format!("code({code})")),
        (1..4u8).prop_map(|route| format!("route(R{route})")),
        Just("branch(\"B\")".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let operator = prop_oneof![
            Just("+"),
            Just("-"),
            Just("*"),
            Just("/"),
            Just("=="),
            Just("<"),
            Just("&&"),
            Just("||"),
        ];
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            inner.prop_map(|a| format!("(!{a})")),
        ]
    })
}

/// Assignments that are one operation each.
fn plain() -> impl Strategy<Value = String> {
    let variable = || prop::sample::select(vec!["$var(a)", "$var(b)"]);
    let constant = prop_oneof![
        (-3..4i64).prop_map(|number| number.to_string()),
        Just("5000000000".to_owned()),
        Just("\"2\"".to_owned()),
        Just("\"text longer than a value can hold\"".to_owned()),
        Just("$null".to_owned()),
        Just("$avp(u)".to_owned()),
    ];
    let sum = (
        variable(),
        prop::sample::select(vec!["+", "-", "*", "|"]),
        -9..9i64,
    );
    let value = prop_oneof![
        constant,
        variable().prop_map(str::to_owned),
        sum.prop_map(|(left, op, right)| format!("{left} {op} {right}")),
    ];
    (variable(), value).prop_map(|(target, value)| format!("{target} = {value};"))
}

/// Comparisons that are one operation each.
fn comparison() -> impl Strategy<Value = String> {
    let variable = prop::sample::select(vec!["$var(a)", "$var(b)", "$avp(u)"]);
    let operator = prop::sample::select(vec!["==", "!=", "<", ">", "<=", ">="]);
    (variable, operator, -3..4i64).prop_map(|(left, op, right)| format!("{left} {op} {right}"))
}

fn statement() -> impl Strategy<Value = String> {
    let simple = prop_oneof![
        expression().prop_map(|e| format!("$var(a) = {e};")),
        expression().prop_map(|e| format!("$var(b) = {e};")),
        Just("xlog(\"$var(a) $var(b) $rc\");".to_owned()),
        (-1..3i64).prop_map(|code| format!("code({code});")),
        (1..4u8).prop_map(|route| format!("route(R{route});")),
        Just("branch(\"B\");".to_owned()),
        Just("$avp(u) = $var(a);".to_owned()),
        plain(),
        expression().prop_map(|e| format!("return {e};")),
        Just("break;".to_owned()),
        Just("exit;".to_owned()),
        Just("drop;".to_owned()),
    ];
    simple.prop_recursive(3, 16, 3, |inner| {
        let list = prop::collection::vec(inner, 1..4).prop_map(|list| list.join(" "));
        prop_oneof![
            (expression(), list.clone(), list.clone())
                .prop_map(|(e, a, b)| format!("if ({e}) {{ {a} }} else {{ {b} }}")),
            (comparison(), list.clone(), list.clone())
                .prop_map(|(e, a, b)| format!("if ({e}) {{ {a} }} else {{ {b} }}")),
            (expression(), list.clone()).prop_map(|(e, a)| format!("while ({e}) {{ {a} }}")),
            (expression(), list.clone(), list)
                .prop_map(|(e, a, b)| format!("switch ({e}) {{ case 1: {a} default: {b} }}")),
        ]
    })
}

fn body() -> impl Strategy<Value = String> {
    prop::collection::vec(statement(), 1..5).prop_map(|list| list.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn waiting_changes_nothing(main in body(), r1 in body(), r2 in body(), r3 in body(), b in body()) {
        let text = format!(
            "route[R1] {{ {r1} }} route[R2] {{ {r2} }} route[R3] {{ {r3} }} branch_route[B] {{ {b} }}
            request_route {{ {main} xlog(\"end $rc $var(a) $var(b)\"); }}"
        );
        let program = compile(&text);
        let limits = Limits { recursion: 12, loops: 3, operations: 2000 };
        let straight = run_with(&program, TestHost::default(), limits);
        let host = TestHost { suspend: true, ..TestHost::default() };
        let waiting = run_with(&program, host, limits);
        prop_assert_eq!(straight.waits, 0);
        prop_assert_eq!(straight.end, waiting.end);
        prop_assert_eq!(straight.host.log, waiting.host.log);
        prop_assert_eq!(straight.host.complaints, waiting.host.complaints);
        prop_assert_eq!(straight.host.values, waiting.host.values);
        prop_assert_eq!(&straight.host.calls, &waiting.host.calls);
    }

    #[test]
    fn places_change_nothing(main in body(), r1 in body(), r2 in body(), r3 in body(), b in body()) {
        let text = format!(
            "route[R1] {{ {r1} }} route[R2] {{ {r2} }} route[R3] {{ {r3} }} branch_route[B] {{ {b} }}
            request_route {{ {main} xlog(\"end $rc $var(a) $var(b)\"); }}"
        );
        let limits = Limits { recursion: 12, loops: 3, operations: 2000 };
        let asked = run_with(&compile(&text), TestHost::default(), limits);
        // One of the two has a place; `$place(z)` is one for which the host has no room.
        let placed = text.replace("$var(a)", "$place(a)").replace("$var(b)", "$place(z)");
        let places = [Value::Int(0), Value::Int(0)];
        let placed = run_with(&compile(&placed), TestHost { places, ..TestHost::default() }, limits);
        prop_assert_eq!(asked.end, placed.end);
        prop_assert_eq!(asked.host.log, placed.host.log);
        prop_assert_eq!(asked.host.complaints, placed.host.complaints);
        prop_assert_eq!(&asked.host.calls, &placed.host.calls);
    }

    #[test]
    fn formats_and_patterns_never_panic(text in "[$(){}\\[\\]a-c.,;/\\\\|*+?^=0-3var s]{0,40}") {
        let _ = tandem_script::Format::parse(text.as_bytes(), &support::TestCatalog);
        let _ = tandem_script::Subst::parse(text.as_bytes(), &support::TestCatalog);
        let flags = tandem_script::ere::Flags::OPERATOR;
        if let Ok(ere) = tandem_script::Ere::new(text.as_bytes(), flags) {
            ere.is_match(text.as_bytes());
        }
    }

    #[test]
    fn transformations_never_panic(
        name in prop::sample::select(NAMES),
        x in prop::collection::vec(any::<u8>(), 0..40),
        a in -50..50i64,
        b in "[a-z~;=]{0,3}",
    ) {
        use tandem_script::{Format, Host, Index, Key, Str, Value, VariableId};
        let mut host = TestHost::default();
        let key = Key::Name("x".into());
        prop_assert!(host.set(VariableId(0), &key, Index::None, Value::Str(Str::new(&x))).is_ok());
        for parameters in ["".to_owned(), format!(",{a}"), format!(",{a},{a}"), format!(",{a},{b}"), format!(",{b}")] {
            if let Ok(format) =
                Format::parse(format!("$(var(x){{{name}{parameters}}})").as_bytes(), &support::TestCatalog)
            {
                format.print(&mut host, &mut Vec::new());
            }
        }
    }
}

const NAMES: &[&str] = &[
    "s.len",
    "s.int",
    "s.substr",
    "s.select",
    "s.strip",
    "s.striptail",
    "s.stripto",
    "s.numeric",
    "s.fmtlines",
    "s.prefixes",
    "s.charat",
    "s.byteat",
    "s.corehash",
    "s.encode.base58",
    "s.decode.base58",
    "s.decode.base64t",
    "s.encode.7bit",
    "s.decode.7bit",
    "s.decode.hexa",
    "s.unescape.user",
    "s.ftime",
    "s.rmhlws",
    "s.count",
    "uri.host",
    "uri.params",
    "uri.tosocket",
    "uri.rmparam",
    "param.value",
    "param.name",
    "nameaddr.uri",
    "tobody.tag",
    "line.at",
    "line.count",
    "urialias.encode",
    "urialias.decode",
    "val.json",
    "num.ldigit",
];
