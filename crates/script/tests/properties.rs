//! Whatever the text, the parser ends with a tree and messages that can be shown.

mod common;

use common::parse_with;
use proptest::prelude::*;
use tandem_script::{MemoryLoader, Options, Span};

const SAMPLE: &str = include_str!("samples/office.cfg");

fn survives(bytes: Vec<u8>) {
    let other = (
        "b.cfg".into(),
        b"#!define C 5
port=C
"
        .to_vec(),
    );
    let files = vec![("a.cfg".into(), bytes), other];
    let loader = MemoryLoader {
        files,
        environment: Vec::new(),
    };
    let (config, diagnostics, map) = parse_with(&loader, &Options::default());
    let text = diagnostics.render(&map, true);
    assert_eq!(text.is_empty(), diagnostics.iter().next().is_none());
    for block in &config.blocks {
        for statement in &block.body {
            let span: Span = statement.span;
            assert!(map.locate(span).is_some() && span.start <= span.end);
        }
    }
}

/// Words and marks that matter to the language, in any order.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "if",
        "else",
        "while",
        "switch",
        "case",
        "default",
        "route",
        "request_route",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        ";",
        ",",
        ":",
        "=",
        "==",
        "=~",
        "!",
        "-",
        "+",
        "$var(x)",
        "$ru",
        "uri",
        "myself",
        "src_ip",
        "10.0.0.0/8",
        "::1",
        "\"a\"",
        "'b'",
        "5",
        "f",
        "return",
        "drop",
        "setflag",
        "listen",
        "alias",
        "udp:",
        "modparam",
        "loadmodule",
        "\"tm\"",
        "flags",
        "a.b",
        "\n#!define A B\n",
        "\n#!define B A A\n",
        "A",
        "B",
        "\n#!ifdef A\n",
        "\n#!else\n",
        "\n#!endif\n",
        "\n#!subst \"/a/bb/g\"\n",
        "/*",
        "*/",
        "#",
        "\n",
        "\\",
        "\"",
        "'",
        "$(",
        "@",
        "include_file \"b.cfg\"",
        "defined",
        "(int)",
        "mod",
        "event_route[a:b]",
        "socket",
        "bind",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(bytes);
    }

    #[test]
    fn any_words(text in words()) {
        survives(text.into_bytes());
    }

    #[test]
    fn changed_sample(at in 0..SAMPLE.len(), length in 0usize..40, insert in words()) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, insert.into_bytes());
        survives(bytes);
    }
}
