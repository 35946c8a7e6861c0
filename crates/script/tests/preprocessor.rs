//! Directives, defines, includes, substitutions.

mod common;

use common::{blocks, good, good_with, messages, messages_with, rendered};
use tandem_script::{MemoryLoader, Options};

/// The values of `$x = …;` statements in the main block.
fn value(before: &str, expression: &str) -> String {
    let config = good(&format!("{before}\nrequest_route {{ $x = {expression}; }}"));
    blocks(&config)
        .replace("Request[] { $x = ", "")
        .replace("; }", "")
}

#[test]
fn values_are_read_again_in_place_of_names() {
    assert_eq!(
        value("#!define EX 1 + 2", "EX * 2"),
        "(Add 1 (Multiply 2 2))"
    );
    assert_eq!(value("#!def A B\n#!def B 7", "A"), "7");
    assert_eq!(value("#!define V $var(", "V y)"), "$var( y)");
    assert_eq!(value("#!define OPEN \"ab", "OPEN cd\""), "\"ab cd\"");
    assert_eq!(value("#!define S \"x\"", "S \"y\""), "\"xy\"");
    assert_eq!(value("#!define LONG 1 +\\\n 2", "LONG"), "(Add 1 2)");
    assert_eq!(value("#!define LONG 1 +\\\r\n 2\r", "LONG"), "(Add 1 2)");
    assert_eq!(value("#!define E", "E 5"), "5");
    assert_eq!(value("  #!define IND 5", "IND"), "5");
    assert_eq!(value("!!define EXCL 5", "!!EXCL"), "(Not (Not 5))");
}

#[test]
fn directives_stand_anywhere_between_tokens() {
    let text = "request_route {\n #!define N 3\n $x = N\n#!ifdef N\n + 1\n#!endif\n; }";
    assert_eq!(blocks(&good(text)), "Request[] { $x = (Add 3 1); }");
}

#[test]
fn defines_stay_out_of_strings_but_substitutions_go_in() {
    assert_eq!(
        value("#!define VV 1", "\"VV\" + $var(VV)"),
        "(Add \"VV\" $var(VV))"
    );
    assert_eq!(
        value("#!substdef \"!VV!val1!g\"", "\"VV VV\" + $var(VV)"),
        "(Add \"val1 val1\" $var(val1))"
    );
    assert_eq!(
        value("#!substdef \"!VV!val1!\"", "\"VV VV\""),
        "\"val1 VV\""
    );
    assert_eq!(value("#!substdef \"!NUM!12!g\"", "NUM"), "12");
    assert_eq!(
        value("#!substdefs \"!TXT!12!g\"", "TXT + \"TXT\""),
        "(Add \"12\" \"12\")"
    );
    assert_eq!(
        value("#!subst \"/k(.)/<\\1>/i\"", "\"Kx kx\" + 'kx'"),
        "(Add \"<x> kx\" \"<x>\")"
    );
}

#[test]
fn a_comment_behind_a_value_is_part_of_it() {
    let text = "#!define N 7 # seven\nrequest_route { $x = N;\n; }";
    assert_eq!(blocks(&good(text)), "Request[] { $x = 7; }");
    let text = "#!define N 7 # seven\nrequest_route { $x = N; $y = 1; }";
    assert!(messages(text).contains("expected `;`"));
}

#[test]
fn names_are_defined_once() {
    assert_eq!(
        messages("#!define A 1\n#!define A 2"),
        "2:10: error: `A` is already defined"
    );
    assert_eq!(
        messages("#!define KAMAILIO_5_6"),
        "1:10: error: `KAMAILIO_5_6` is already defined"
    );
    assert_eq!(value("#!define A 1\n#!redefine A 2", "A"), "2");
    assert_eq!(value("#!redef A 2", "A"), "2");
    assert_eq!(value("#!define A 1\n#!trydef A 2", "A"), "1");
    assert_eq!(value("#!trydefine A 2", "A"), "2");
    assert_eq!(value("#!define A 1\n#!undef A\n#!define A 2", "A"), "2");
    assert_eq!(messages("#!undefine A"), "1:12: error: `A` is not defined");
    assert_eq!(messages("#!tryundef A"), "");
    assert_eq!(
        messages("#!define A-B 1"),
        "1:10: error: a name may not be followed by `-`"
    );
    assert_eq!(
        messages("#!ifdef A-B\n#!endif\n"),
        "1:9: error: a name may not be followed by `-`"
    );
    assert_eq!(messages("#!define"), "1:9: error: a name is expected here");
    assert_eq!(
        messages("#!define A A\nchildren=A"),
        "2:10: error: `A` is defined by itself"
    );
    assert!(messages("#!define children 5").contains("warning: `children` is a keyword"));
}

#[test]
fn conditions() {
    let choose = |define: &str| {
        let text =
            "#!ifdef A\n#!ifndef B\nport=1\n#!else\nport=2\n#!endif\n#!else\nport=3\n#!endif\n";
        let config = good(&format!("{define}\n{text}"));
        format!(
            "{:?}",
            config.settings.iter().map(|s| &s.value).collect::<Vec<_>>()
        )
    };
    assert_eq!(choose("#!define A"), "[Int(1)]");
    assert_eq!(choose("#!define A\n#!define B"), "[Int(2)]");
    assert_eq!(choose(""), "[Int(3)]");
}

#[test]
fn conditions_must_be_balanced() {
    assert_eq!(
        messages("#!ifdef A\n"),
        "1:1: error: this condition has no `#!endif`"
    );
    assert_eq!(
        messages("#!define A\n#!ifdef A\n"),
        "2:1: error: this condition has no `#!endif`"
    );
    assert_eq!(
        messages("#!endif\n"),
        "1:1: error: no condition is open here"
    );
    assert_eq!(
        messages("#!else\n"),
        "1:1: error: no condition is open here"
    );
    let twice = "#!ifdef A\n#!else\n#!else\n#!endif\n";
    assert_eq!(
        messages(twice),
        "3:1: error: a second `#!else` of one condition"
    );
    assert_eq!(messages("#!ifdef A\n#!endif"), "", "without a line end");
}

#[test]
fn else_and_endif_stand_alone_on_their_line() {
    let inactive = "#!ifdef A\nport=1\n#!else # x\nport=2\n#!endif # y\n#!endif \t\nport=3";
    assert_eq!(good(inactive).settings.len(), 1);
    let active = "#!ifndef A\nport=1\n#!else # x\nport=2\n#!endif\nport=3";
    assert_eq!(good(active).settings.len(), 3);
    assert!(messages(active).contains("3:1: warning: with text behind it"));
}

#[test]
fn inactive_text_is_not_read() {
    assert_eq!(
        good("#!ifdef A\n it's \"open /* #!define A\n#!endif\nport=1")
            .settings
            .len(),
        1
    );
    assert_eq!(
        good("#!ifdef A\n#!ifexp ((\n#!else\n#!endif\n#!endif\n")
            .settings
            .len(),
        0
    );
}

#[test]
fn expressions_in_conditions() {
    for (condition, holds) in [
        ("N == 5", true),
        ("N + 1 > 2 * 3", false),
        ("N", true),
        ("ZERO", false),
        ("FLAG", true),
        ("UNKNOWN", false),
        ("!UNKNOWN && N >= 5", true),
        ("S == \"abc\"", true),
        ("S != 'abc' || 0", false),
        ("(1 + 2) * 3 == 9", true),
        ("-1 < 0", true),
        ("KAMAILIO_VERSION >= 5006000", true),
        ("\"\"", false),
        ("\"a\"", true),
        ("OS_NAME == \"linux\"", cfg!(target_os = "linux")),
        ("10 / 3 == 3 # three", true),
    ] {
        let defines = "#!define N 5\n#!define ZERO 0\n#!define FLAG\n#!define S \"abc\"";
        let text = format!("{defines}\n#!ifexp {condition}\nport=1\n#!endif\n");
        assert_eq!(
            good(&text).settings.len(),
            usize::from(holds),
            "{condition}"
        );
    }
    assert!(messages("#!ifexp 1 +\n#!endif\n").contains("a number, a string or a name"));
    assert!(messages("#!ifexp 1 / 0\n#!endif\n").contains("division by zero"));
    assert!(messages(&format!("#!ifexp {}1\n#!endif\n", "(".repeat(9999))).contains("nested"));
    assert_eq!(value("#!define A 2\n#!defexp B A * 3 + 1", "B"), "7");
    assert_eq!(value("#!defexps B 2 * 3", "B"), "\"6\"");
    assert_eq!(value("#!defexps B \"a\" + \"b\"", "B"), "\"ab\"");
}

#[test]
fn the_environment() {
    let run = |text: &str| {
        let mut loader = MemoryLoader::one("a.cfg", text);
        loader.environment.push(("HOST".into(), "h.org".into()));
        loader.environment.push(("NUM".into(), "12".into()));
        let (config, diagnostics, map) = common::parse_with(&loader, &Options::default());
        (blocks(&config), diagnostics.render(&map, false))
    };
    let route = |value: &str| format!("request_route {{ $x = {value}; }}");
    let found = |text: String| {
        run(&text)
            .0
            .replace("Request[] { $x = ", "")
            .replace("; }", "")
    };
    assert_eq!(found(format!("#!defenv NUM\n{}", route("NUM"))), "12");
    assert_eq!(found(format!("#!defenv N=NUM\n{}", route("N"))), "12");
    assert_eq!(
        found(format!("#!defenvs H=HOST\n{}", route("H"))),
        "\"h.org\""
    );
    assert_eq!(
        found(format!(
            "#!substdef \"!H!$env(HOST)!g\"\n{}",
            route("\"@H\"")
        )),
        "\"@h.org\""
    );
    assert!(
        run("#!defenv NOPE")
            .1
            .contains("the environment has no variable `NOPE`")
    );
    assert_eq!(run("#!trydefenv NOPE").1, "");
    assert_eq!(run("#!trydefenvs NOPE").1, "");
}

#[test]
fn predefined_names() {
    for name in [
        "KAMAILIO_5",
        "KAMAILIO_5_6",
        "KAMAILIO_5_6_3",
        "KAMAILIO_VERSION",
        "OS_NAME",
    ] {
        assert_eq!(
            good(&format!("#!ifdef {name}\nport=1\n#!endif\n"))
                .settings
                .len(),
            1,
            "{name}"
        );
    }
    let module = "loadmodule \"/x/tm.so\"\nloadmodule(\"sl\")\n#!ifdef MOD_tm\n#!ifdef MOD_sl\nport=1\n#!endif\n#!endif\n";
    assert_eq!(good(module).settings.len(), 1);
    let defines = good("#!define A 1\n#!define B").defines;
    assert!(defines.contains(&("A".to_owned(), Some(Box::from(&b"1"[..])))));
    assert!(defines.contains(&("B".to_owned(), None)));
}

#[test]
fn the_command_line() {
    let loader = MemoryLoader::one(
        "a.cfg",
        "#!ifdef F\nrequest_route { $x = N + S + \"ID\" + Q; }\n#!endif\n",
    );
    let list = |items: &[&str]| items.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let options = Options {
        defines: list(&["F", "N=5", "S=\"str\""]),
        substs: list(&["/ID/id/"]),
        substdefs_quoted: list(&["!Q!quoted!"]),
        ..Options::default()
    };
    let config = good_with(&loader, &options);
    let expected = "Request[] { $x = (Add (Add (Add 5 \"str\") \"id\") \"quoted\"); }";
    assert_eq!(blocks(&config), expected);
    let options = Options {
        defines: list(&["A-B"]),
        ..Options::default()
    };
    assert!(messages_with(&loader, &options).contains("command line:1:10: error"));
}

#[test]
fn files_are_read_in_place_of_their_names() {
    let loader = MemoryLoader::one("a.cfg", "include_file \"sub/b.cfg\"\n#!include_file \"c.cfg\"\nimport_file \"none\"\n#!import_file \"none\"\n")
        .with("sub/b.cfg", "port=1\ninclude_file \"d.cfg\"")
        .with("c.cfg", "port=2")
        .with("sub/d.cfg", "port=3 # no line end");
    let ports = good_with(&loader, &Options::default());
    assert_eq!(ports.settings.len(), 3);
    let missing = messages("include_file \"none\"\n");
    assert_eq!(missing, "1:14: error: there is no file `none`");
    let myself = messages("include_file \"a.cfg\"");
    assert!(
        myself.contains("files may include each other 10 deep"),
        "{myself}"
    );
    assert!(messages("include_file none\n").contains("a file's name in double quotes"));
    let spanning = MemoryLoader::one("a.cfg", "include_file \"b\"\nport=1\n#!endif\nport=2")
        .with("b", "#!ifdef A\n");
    assert_eq!(good_with(&spanning, &Options::default()).settings.len(), 1);
}

#[test]
fn comments() {
    let text = "# port=1 \\\nport=2\n// port=3\n/* a /* b */ port=4 */ port=5 #!port=6\n#!KAMAILIO\n#!ALL\nport\\\n=7";
    let ports: Vec<_> = good(text)
        .settings
        .iter()
        .map(|s| format!("{:?}", s.value))
        .collect();
    assert_eq!(ports, ["Int(2)", "Int(5)", "Int(7)"]);
    assert_eq!(
        messages("/* /* */"),
        "1:1: error: this comment is not closed"
    );
    assert!(messages("#!defin A 1").contains("1:1: warning: this is no directive"));
}

#[test]
fn faults_in_substitutions() {
    for (rule, fault) in [
        ("\"/a/b\"", "needs three separators"),
        ("\"/(/b/\"", "in this rule"),
        ("\"/a/b/q\"", "`q` is no flag"),
        ("x", "a rule in double quotes is expected"),
    ] {
        assert!(
            messages(&format!("#!subst {rule}")).contains(fault),
            "{rule}"
        );
    }
    assert!(messages("#!substdef \"/a b/c/\"").contains("cannot be the name of a define"));
}

#[test]
fn messages_show_the_way_through_files_and_values() {
    let loader = MemoryLoader::one("a.cfg", "#!define PORTS many\ninclude_file \"b.cfg\"\n")
        .with("b.cfg", "\nchildren=PORTS\n");
    let expected = "\
b.cfg:2:10: error: `children` must be a number that is not negative
    2 | children=PORTS
      |          ^^^^^ expected a number that is not negative
      = help: Processes for each UDP socket; there is one worker a core.
      = in `PORTS` = `many`, defined at a.cfg:1
      = in a file included at a.cfg:2
";
    assert_eq!(rendered(&loader), expected);
}

#[test]
fn values_do_not_grow_without_bounds() {
    let mut text = String::from("#!define A0\n");
    for n in 1..12 {
        let before = format!("A{} ", n - 1).repeat(10);
        text.push_str(&format!("#!define A{n} {before}\n"));
    }
    text.push_str("alias=A11\n");
    assert!(messages(&text).contains("too many defines"));
}
