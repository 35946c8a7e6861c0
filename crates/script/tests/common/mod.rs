//! Helpers of the parser's tests: parse from memory, print the tree compactly.
#![allow(dead_code)]

use std::path::Path;

use tandem_script::ast::{Block, Call, Config, Expr, ExprKind, Label, Statement, StatementKind};
use tandem_script::{Diagnostics, Loader, MemoryLoader, Options, SourceMap, parse};

pub fn parse_with(loader: &dyn Loader, options: &Options) -> (Config, Diagnostics, SourceMap) {
    let mut map = SourceMap::new();
    let (config, diagnostics) = parse(&mut map, loader, Path::new("a.cfg"), options);
    (config, diagnostics, map)
}

/// Parses one file; panics with the messages if there are errors.
pub fn good(text: &str) -> Config {
    good_with(&MemoryLoader::one("a.cfg", text), &Options::default())
}

pub fn good_with(loader: &dyn Loader, options: &Options) -> Config {
    let (config, diagnostics, map) = parse_with(loader, options);
    assert!(
        !diagnostics.has_errors(),
        "{}",
        diagnostics.render(&map, false)
    );
    config
}

/// The first lines of all errors and warnings of one file, without its name.
pub fn messages(text: &str) -> String {
    messages_with(&MemoryLoader::one("a.cfg", text), &Options::default())
}

pub fn messages_with(loader: &dyn Loader, options: &Options) -> String {
    let (_, diagnostics, map) = parse_with(loader, options);
    let first = |d: &tandem_script::Diagnostic| {
        let text = d.render(&map, false);
        text.lines()
            .next()
            .unwrap_or_default()
            .replace("a.cfg:", "")
    };
    diagnostics.iter().map(first).collect::<Vec<_>>().join("\n")
}

/// The whole text of all messages.
pub fn rendered(loader: &dyn Loader) -> String {
    let (_, diagnostics, map) = parse_with(loader, &Options::default());
    diagnostics.render(&map, false)
}

/// Puts statements into a block, with a few flags declared.
pub fn in_route(body: &str) -> String {
    format!("flags fa, fb:7\nrequest_route {{\n{body}\n}}\n")
}

/// Statements, printed.
pub fn body(text: &str) -> String {
    let config = good(&in_route(text));
    statements(&config.blocks[0].body)
}

/// The value of an expression, printed.
pub fn expr(text: &str) -> String {
    body(&format!("$x = {text};"))
        .trim_start_matches("$x = ")
        .trim_end_matches(';')
        .to_owned()
}

pub fn blocks(config: &Config) -> String {
    let one = |b: &Block| format!("{:?}[{}] {{ {} }}", b.kind, b.name, statements(&b.body));
    config.blocks.iter().map(one).collect::<Vec<_>>().join("\n")
}

pub fn statements(list: &[Statement]) -> String {
    list.iter().map(statement).collect::<Vec<_>>().join(" ")
}

fn statement(s: &Statement) -> String {
    let value = |e: &Option<Expr>| {
        e.as_ref()
            .map_or(String::new(), |e| format!(" {}", show(e)))
    };
    match &s.kind {
        StatementKind::Empty => ";".to_owned(),
        StatementKind::Call(c) => format!("{};", call(c)),
        StatementKind::Route(e) => format!("route({});", show(e)),
        StatementKind::Assign(a, b) => format!("{} = {};", show(a), show(b)),
        StatementKind::If {
            condition,
            then,
            otherwise,
        } => {
            let mut text = format!("if {} {{ {} }}", show(condition), statements(then));
            if !otherwise.is_empty() {
                text.push_str(&format!(" else {{ {} }}", statements(otherwise)));
            }
            text
        }
        StatementKind::While { condition, body } => {
            format!("while {} {{ {} }}", show(condition), statements(body))
        }
        StatementKind::Switch { value, arms } => {
            let mut text = format!("switch {} {{", show(value));
            for arm in arms {
                text.push_str(&match &arm.label {
                    Label::Default => " default:".to_owned(),
                    Label::Value(e) => format!(" case {}:", show(e)),
                    Label::Regex(t) => format!(" case /{}/:", t.to_lossy()),
                });
                if !arm.body.is_empty() {
                    text.push_str(&format!(" {}", statements(&arm.body)));
                }
            }
            text + " }"
        }
        StatementKind::Return(e) => format!("return{};", value(e)),
        StatementKind::Exit(e) => format!("exit{};", value(e)),
        StatementKind::Drop(e) => format!("drop{};", value(e)),
        StatementKind::Break => "break;".to_owned(),
    }
}

fn call(c: &Call) -> String {
    let args: Vec<_> = c.args.iter().map(show).collect();
    format!("{}({})", c.name.text, args.join(", "))
}

pub fn show(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Int(n) => n.to_string(),
        ExprKind::Str(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        ExprKind::Variable(text) => text.clone(),
        ExprKind::Select(text) => format!("@{text}"),
        ExprKind::Operand(o) => format!("{o:?}"),
        ExprKind::Myself => "myself".to_owned(),
        ExprKind::Network(n) => format!("{}/{}", n.address, n.prefix),
        ExprKind::Protocol(p) => format!("{p:?}"),
        ExprKind::Family(f) => format!("IPv{f}"),
        ExprKind::Unary(op, a) => format!("({op:?} {})", show(a)),
        ExprKind::Binary(op, a, b) => format!("({op:?} {} {})", show(a), show(b)),
        ExprKind::Assign(a, b) => format!("({} = {})", show(a), show(b)),
        ExprKind::Call(c) => call(c),
        ExprKind::Route(a) => format!("route({})", show(a)),
        ExprKind::Selval(v) => format!("selval({}, {}, {})", show(&v[0]), show(&v[1]), show(&v[2])),
    }
}
