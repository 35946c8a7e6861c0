//! Shapes and spelling against answers of Kamailio 5.6.3.

use proptest::prelude::*;

use super::*;
use crate::{Command, Fault, Registry, Struct, Value};

fn item(index: i64) -> Struct {
    Struct::new().with("IDX", index).with("DSC", "timer")
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    let commands = [
        Command::new("nothing", "", |_| Ok(())),
        Command::new("nothing.list", "", |_| Ok(())).list(),
        Command::new("one", "", |call| {
            call.add(5);
            Ok(())
        }),
        Command::new("one.list", "", |call| {
            call.add("/");
            Ok(())
        })
        .list(),
        Command::new("struct", "", |call| {
            call.add(
                Struct::new()
                    .with("empty", Vec::<Value>::new())
                    .with("unset", Value::Null)
                    .with("in", Struct::new()),
            );
            Ok(())
        }),
        Command::new("several", "", |call| {
            call.add(item(0));
            call.add(item(1));
            Ok(())
        }),
        Command::new("named", "", |call| {
            let socket = Struct::new().with("proto", "udp");
            call.add(Struct::new().with(
                "sockets",
                Value::Named(vec![
                    ("socket".into(), socket.clone().into()),
                    ("socket".into(), socket.into()),
                ]),
            ));
            Ok(())
        }),
        Command::new("echo", "", |call| {
            while let Some(value) = call.opt_value() {
                call.add(value);
            }
            Ok(())
        })
        .list(),
        Command::new("text", "", |call| {
            let text = call.text()?;
            call.add(text);
            Ok(())
        }),
        Command::new("int", "", |call| {
            let number = call.int()?;
            call.add(number);
            Ok(())
        }),
        Command::new("fault", "", |_| Err(Fault::new(404, "Dialog not found"))),
        Command::new("stream", "", |call| {
            let mut next = 0;
            call.stream(move |page| {
                while next < 40_000 && !page.is_full() {
                    page.push(next);
                    next += 1;
                }
                next < 40_000
            });
            Ok(())
        }),
    ];
    for command in commands {
        registry.add(command).unwrap();
    }
    registry
}

fn run(body: &str, pretty: bool) -> String {
    let (_, _, answer) = execute(&registry(), body.as_bytes(), pretty).expect(body);
    String::from_utf8(answer).unwrap()
}

fn result(method: &str, params: &str) -> String {
    let body = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#);
    let answer = run(&body, false);
    answer
        .strip_prefix(r#"{"jsonrpc":"2.0","#)
        .and_then(|rest| rest.strip_suffix(r#","id":1}"#))
        .expect(&answer)
        .to_owned()
}

#[test]
fn results_have_the_shape_of_their_values() {
    for (method, expected) in [
        ("nothing", r#""result":{}"#),
        ("nothing.list", r#""result":[]"#),
        ("one", r#""result":5"#),
        ("one.list", r#""result":["/"]"#),
        ("struct", r#""result":{"empty":[],"unset":null,"in":{}}"#),
        (
            "several",
            r#""result":[{"IDX":0,"DSC":"timer"},{"IDX":1,"DSC":"timer"}]"#,
        ),
        (
            "named",
            r#""result":{"sockets":[{"socket":{"proto":"udp"}},{"socket":{"proto":"udp"}}]}"#,
        ),
        (
            "fault",
            r#""error":{"code":404,"message":"Dialog not found"}"#,
        ),
        (
            "no.such",
            r#""error":{"code":500,"message":"Method Not Found"}"#,
        ),
    ] {
        assert_eq!(result(method, "[]"), expected, "{method}");
    }
}

#[test]
fn parameters_are_converted() {
    for (method, params, expected) in [
        ("text", "[5]", r#""result":"5""#),
        ("text", "[-5]", r#""result":"-5""#),
        ("text", r#"{"any":"x"}"#, r#""result":"x""#),
        ("text", "[]", r#""result":{}"#),
        ("text", r#""x""#, r#""result":{}"#),
        ("int", r#"["7"]"#, r#""result":7"#),
        ("int", "[1.7]", r#""result":1"#),
        ("int", "[true]", r#""result":1"#),
        (
            "int",
            r#"["x"]"#,
            r#""error":{"code":400,"message":"error at parameter 0: expected integer type but record doesn't match type"}"#,
        ),
        (
            "echo",
            r#"[1,"a\"\n\u0001é",null,[2],{"b":1.5}]"#,
            "\"result\":[1,\"a\\\"\\n\\u0001é\",null,[2],{\"b\":1.500000}]",
        ),
    ] {
        assert_eq!(result(method, params), expected, "{method} {params}");
    }
}

#[test]
fn the_envelope_repeats_the_id() {
    let with_id = |id: &str| {
        run(
            &format!(r#"{{"jsonrpc":"2.0","method":"one","id":{id}}}"#),
            false,
        )
    };
    for (id, expected) in [
        (r#""a\"b""#, r#""a\"b""#),
        ("-3", "-3"),
        ("1.5", "1.500000"),
        ("99999999999", "99999999999"),
        ("null", "null"),
        ("[1]", "null"),
    ] {
        let expected = format!(r#"{{"jsonrpc":"2.0","result":5,"id":{expected}}}"#);
        assert_eq!(with_id(id), expected);
    }
    for (body, expected) in [
        (
            r#"{"jsonrpc":"2.0","method":"one"}"#,
            r#"{"jsonrpc":"2.0","result":5}"#,
        ),
        (
            r#"{"method":"one","id":1}"#,
            r#"{"jsonrpc":"2.0","result":{},"id":1}"#,
        ),
        (
            r#"{"jsonrpc":2.0,"method":"one","id":1}"#,
            r#"{"jsonrpc":"2.0","result":{},"id":1}"#,
        ),
        (
            r#"{"jsonrpc":"2.0","method":5,"id":1}"#,
            r#"{"jsonrpc":"2.0","result":{},"id":1}"#,
        ),
        ("[]", r#"{"jsonrpc":"2.0","result":{}}"#),
        ("5", r#"{"jsonrpc":"2.0","result":{}}"#),
        (
            r#"{"jsonrpc":"2.0","method":"one"} junk"#,
            r#"{"jsonrpc":"2.0","result":5}"#,
        ),
    ] {
        assert_eq!(run(body, false), expected, "{body}");
    }
}

#[test]
fn what_is_not_json_is_not_answered() {
    for body in ["", "  ", "{", "junk {}", "\u{0}"] {
        assert!(
            execute(&registry(), body.as_bytes(), true).is_none(),
            "{body}"
        );
    }
}

#[test]
fn faults_are_http_statuses() {
    let body = br#"{"jsonrpc":"2.0","method":"no.such"}"#;
    let (code, reason, _) = execute(&registry(), body, true).unwrap();
    assert_eq!((code, reason.as_ref()), (500, "Method Not Found"));
}

#[test]
fn the_indented_form_is_byte_exact() {
    for (method, expected) in [
        (
            "nothing",
            "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t{\n\t},\n\t\"id\":\t1\n}",
        ),
        (
            "one.list",
            "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[\"/\"],\n\t\"id\":\t1\n}",
        ),
        (
            "no.such",
            "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"error\":\t{\n\t\t\"code\":\t500,\n\t\t\"message\":\t\
             \"Method Not Found\"\n\t},\n\t\"id\":\t1\n}",
        ),
        (
            "several",
            "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[{\n\t\t\t\"IDX\":\t0,\n\t\t\t\"DSC\":\t\
             \"timer\"\n\t\t}, {\n\t\t\t\"IDX\":\t1,\n\t\t\t\"DSC\":\t\"timer\"\n\t\t}],\n\t\"id\":\t1\n}",
        ),
        (
            "named",
            "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t{\n\t\t\"sockets\":\t[{\n\t\t\t\t\"socket\":\t\
             {\n\t\t\t\t\t\"proto\":\t\"udp\"\n\t\t\t\t}\n\t\t\t}, {\n\t\t\t\t\"socket\":\t{\n\
             \t\t\t\t\t\"proto\":\t\"udp\"\n\t\t\t\t}\n\t\t\t}]\n\t},\n\t\"id\":\t1\n}",
        ),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":1}}"#);
        assert_eq!(run(&body, true), expected);
    }
}

#[test]
fn a_listing_comes_in_chunks() {
    let body = br#"{"jsonrpc":"2.0","method":"stream","id":1}"#;
    let mut response = answer(&registry(), Request::parse(body).unwrap(), false);
    let (mut whole, mut chunks) = (Vec::new(), 0);
    while let Some(chunk) = response.next_chunk() {
        assert!(chunk.len() < if chunks == 0 { 12 } else { 192 } * 1024);
        whole.extend_from_slice(&chunk);
        chunks += 1;
    }
    assert!(chunks > 1);
    let document: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(document["result"].as_array().unwrap().len(), 40_000);
    assert_eq!(document["result"][39_999], 39_999);
}

#[test]
fn objects_are_cut_out_of_a_stream() {
    let stream = b"x\n{\"a\":\"}{\\\"\"}\n{\n\"b\":{}}  {\"c\"";
    for step in 1..stream.len() {
        let mut framer = Framer::new(100);
        let mut objects = Vec::new();
        for piece in stream.chunks(step) {
            framer.push(piece);
            while let Some(object) = framer.next_object() {
                objects.push(String::from_utf8(object).unwrap());
            }
        }
        assert_eq!(objects, ["{\"a\":\"}{\\\"\"}", "{\n\"b\":{}}"]);
        assert!(framer.is_partial());
    }
}

#[test]
fn an_endless_object_is_dropped() {
    let mut framer = Framer::new(100);
    framer.push(&[b'{'; 1000]);
    assert_eq!(framer.next_object(), None);
    assert_eq!(framer.oversized(), 1);
    framer.push(b"{}");
    assert_eq!(framer.next_object(), Some(b"{}".to_vec()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_text_is_valid_json(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut out = Vec::new();
        write_value(&mut out, &Value::Str(text.clone()), false, 0);
        let read: String = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(read, String::from_utf8_lossy(&text));
    }

    #[test]
    fn every_number_is_valid_json(number: f64) {
        let mut out = Vec::new();
        write_value(&mut out, &Value::Double(number), false, 0);
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert!(read.is_number() || !number.is_finite());
    }

    #[test]
    fn nothing_that_comes_hurts(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = execute(&registry(), &body, true);
        let mut framer = Framer::new(64);
        framer.push(&body);
        while framer.next_object().is_some() {}
    }
}
