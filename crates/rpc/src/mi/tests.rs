use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{Command, Fields};

fn read(bytes: &[u8]) -> Vec<Request> {
    Framer::new(1000).push(bytes)
}

fn request(command: &str, reply: &str, arguments: &[(Option<&str>, &str)]) -> Request {
    let arguments = arguments.iter().map(|(name, value)| Argument {
        name: name.map(str::to_owned),
        value: (*value).to_owned(),
    });
    Request {
        command: command.to_owned(),
        reply: reply.to_owned(),
        arguments: arguments.collect(),
    }
}

#[test]
fn requests_are_read() {
    for (text, expected) in [
        (":which:r\n\n", request("which", "r", &[])),
        ("\n\r\n:ps:r\r\n\r\n", request("ps", "r", &[])),
        (
            ":dlg_bridge:\na\nb\n\n",
            request("dlg_bridge", "", &[(None, "a"), (None, "b")]),
        ),
        (
            ":c:r\nname::value\nsip:[::1]:5060\nname:: \n \n\n",
            request(
                "c",
                "r",
                &[
                    (Some("name"), "value"),
                    (None, "sip:[::1]:5060"),
                    (Some("name"), ""),
                    (None, " "),
                ],
            ),
        ),
        (
            ":c:r\n\"two\nlines, a \\\" and a \\\\ and \\n\" \nh::\"X: 1\r\n\"\nno \"quote\"\n\n",
            request(
                "c",
                "r",
                &[
                    (None, "two\nlines, a \" and a \\ and \\n"),
                    (Some("h"), "X: 1\r\n"),
                    (None, "no \"quote\""),
                ],
            ),
        ),
        (":c:r\n\"\"\n\n", request("c", "r", &[(None, "")])),
    ] {
        let expected = [expected];
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        let mut framer = Framer::new(1000);
        let by_byte = text.bytes().flat_map(|byte| framer.push(&[byte]));
        assert_eq!(by_byte.collect::<Vec<_>>(), expected, "{text:?} by byte");
        assert!(!framer.is_partial());
    }
}

#[test]
fn nonsense_ends_at_the_next_empty_line() {
    for nonsense in [
        &b"which\n"[..],
        b":which\n",
        b"::r\n",
        b":wh ich:r\n",
        b":\xff:r\n",
        b":c:r\n\xff\n",
        b":c:r\n\"quoted\" and more\nline\n",
        b"\x00\x01",
    ] {
        let stream = [nonsense, b"rest\n\n:ps:r\n\n"].concat();
        let mut framer = Framer::new(1000);
        assert_eq!(
            framer.push(&stream),
            [request("ps", "r", &[])],
            "{}",
            nonsense.escape_ascii()
        );
        assert_eq!(framer.malformed(), 1);
    }
    let long = [&b":c:r\n"[..], &[b'x'; 2000], b"\n\n:ps:r\n\n"].concat();
    assert_eq!(read(&long), [request("ps", "r", &[])]);
}

proptest! {
    #[test]
    fn whatever_comes_a_request_is_read_after_it(bytes: Vec<u8>) {
        let mut framer = Framer::new(100);
        framer.push(&bytes);
        // However it began, this ends it: a quote is closed, a limit is passed, or a line is empty.
        framer.push(&[b'x'; 200]);
        framer.push(b"\n\n");
        prop_assert!(!framer.is_partial());
        prop_assert_eq!(framer.push(b":ps:r\n\n"), [request("ps", "r", &[])]);
    }
}

fn said(commands: &[MiCommand], registry: Registry, request: &Request) -> String {
    let commands = Commands::new(commands, Arc::new(registry));
    let mut response = commands.respond(request, &Arc::from("\t"));
    let mut text = Vec::new();
    while let Some(chunk) = response.next_chunk() {
        text.extend_from_slice(&chunk);
    }
    String::from_utf8(text).expect("text")
}

#[test]
fn replies_are_trees_of_nodes() {
    let tree = MiCommand::new("tree", "A tree.", |call| {
        let hash = call.texts(1, 1)?[0].to_owned();
        Ok(MiReply::nodes(move |nodes| {
            nodes.node("dialog", "", &[("hash", &hash)]);
            nodes.open();
            nodes.leaf("state", "4");
            nodes.leaf("", "a value\nalone");
            nodes.begin_list("list");
            nodes.item(b"x");
            nodes.end();
            nodes.close();
            nodes.node("profile", "v", &[("name", "n"), ("value", "")]);
        }))
    });
    let commands = [tree];
    let ask = |arguments: &[(Option<&str>, &str)]| {
        said(&commands, Registry::new(), &request("tree", "r", arguments))
    };
    assert_eq!(
        ask(&[(None, "3:7")]),
        "200 OK\ndialog::  hash=3:7\n\tstate:: 4\n\ta value alone\n\tlist:: \n\t\tx\nprofile:: v name=n value=\n\n"
    );
    assert_eq!(ask(&[]), "400 Too few or too many arguments\n\n");
}

#[test]
fn pages_follow_each_other_and_panics_end_them() {
    let pages = MiCommand::new("pages", "Pages.", |_| {
        let mut left = 3;
        Ok(MiReply::pages(move |nodes| {
            left -= 1;
            assert!(left > 0, "a bug of the command's");
            nodes.leaf("left", left.to_string());
            true
        }))
    });
    let broken = MiCommand::new("broken", "A bug.", |_| panic!("a bug of the command's"));
    let commands = [pages, broken];
    let ask = |name: &str| said(&commands, Registry::new(), &request(name, "r", &[]));
    assert_eq!(ask("pages"), "200 OK\nleft:: 2\nleft:: 1\n\n");
    assert_eq!(ask("broken"), "500 command 'broken' failed\n\n");
    assert_eq!(ask("other"), "500 command 'other' not available\n\n");
}

#[test]
fn commands_of_the_other_doors_answer_in_nodes() {
    let mut registry = Registry::new();
    let square = Command::new("demo.square", "A square.", |call| {
        let number = call.int()?;
        call.add(
            crate::Struct::new()
                .with("number", number)
                .with("square", number * number),
        );
        call.add("text");
        Ok(())
    });
    registry.add(square).expect("the only one");
    let asked = request("demo.square", "r", &[(None, "7")]);
    assert_eq!(
        said(&[], registry, &asked),
        "200 OK\nnumber:: 7\nsquare:: 49\ntext\n\n"
    );
}
