//! The notation of the ctl module's FIFO: a value a line; a record is `name:value,name:value`.

use std::sync::Arc;

use super::{MiReply, Request, Response};
use crate::{Fault, Registry, Value};

/// Runs a command of the other doors and answers in lines. There is no empty line at the end.
pub(crate) fn respond(registry: &Registry, request: &Request) -> Response {
    let outcome = run(registry, request);
    Response::new(outcome, &Arc::from("")).without_end()
}

fn run(registry: &Registry, request: &Request) -> Result<MiReply, Fault> {
    let name = &request.command;
    if registry.find(name).is_none() {
        return Err(Fault::new(500, format!("Command '{name}' not found")));
    }
    let values = request.arguments.iter();
    let values = values.map(|argument| Value::from(argument.value.as_str()));
    let mut reply = registry.call(name, values.collect())?;
    Ok(MiReply::pages(move |nodes| {
        let page = reply.next_page();
        for value in page.iter().flatten() {
            let mut line = Vec::new();
            write(&mut line, "", value);
            nodes.leaf("", line);
        }
        page.is_some()
    }))
}

/// A value; the members of records within records have the outer name before theirs.
fn write(line: &mut Vec<u8>, name: &str, value: &Value) {
    let inner = |member: &str| match (name, member) {
        ("", member) => member.to_owned(),
        (name, "") => name.to_owned(),
        (name, member) => format!("{name}.{member}"),
    };
    match value {
        Value::Struct(members) => {
            for (member, value) in members.members() {
                write(line, &inner(member), value);
            }
        }
        Value::Named(values) => {
            for (member, value) in values {
                write(line, &inner(member), value);
            }
        }
        Value::Array(values) => {
            for value in values {
                write(line, name, value);
            }
        }
        Value::Null => put(line, name, b""),
        Value::Int(number) => put(line, name, number.to_string().as_bytes()),
        Value::Double(number) => put(line, name, number.to_string().as_bytes()),
        Value::Str(text) | Value::Bytes(text) => put(line, name, text),
    }
}

fn put(line: &mut Vec<u8>, name: &str, text: &[u8]) {
    if !line.is_empty() {
        line.push(b',');
    }
    if !name.is_empty() {
        escape(line, name.as_bytes());
        line.push(b':');
    }
    escape(line, text);
}

/// What would end a line, a name or a value.
fn escape(line: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        let letter = match byte {
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            b'\\' => b'\\',
            0 => b'0',
            b':' => b'o',
            b',' => b'c',
            byte => {
                line.push(byte);
                continue;
            }
        };
        line.extend([b'\\', letter]);
    }
}
