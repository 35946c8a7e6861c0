//! Takes out of a recording what two runs of the same flow may differ in: addresses of the lab, generated ids, times.
//!
//! The first generated branch of a run becomes `<branch-1>`, the second `<branch-2>`, so relations stay visible.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

/// Fields of management answers that hold times, random ids or the number of processors; zero stays visible.
const VARIABLE_FIELDS: [&str; 18] = [
    "start_ts",
    "init_ts",
    "end_ts",
    "timeout",
    "h_id",
    "duration",
    "now",
    "up_since",
    "uptime",
    "Ruid",
    "Last-Modified",
    "Last-Keepalive",
    "Expires",
    "HashID",
    "id",
    "expire",
    "ref",
    "readers",
];

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("a constant pattern"));
    };
}

pattern!(
    BRANCH,
    r"z9hG4bK([0-9a-f][0-9a-f.]*?)((?:\.[0-9a-f]+)?)([;\s]|$)"
);
pattern!(
    TAG,
    r"tag=([0-9a-f]{32}[-.][0-9a-f]{4,8}|[0-9a-z]{8,64}[-.][0-9a-f]{4,16})"
);
pattern!(DID, r"(did|call)=([0-9a-f]+)\.[0-9a-f]+");
pattern!(CONNECTION, r";i=[0-9a-f]+");
pattern!(RPORT, r"rport=\d+");
pattern!(EXPIRES, r"expires=(\d+)");
pattern!(NONCE, r#"nonce="[^"]*""#);
pattern!(
    RESPONSE,
    r#"(Authorization: Digest[^\n]*response=")[0-9a-f]+"#
);
pattern!(CSEQ_NOTE, r"(z9hG4bK[0-9a-f.]+)(?:\.|;)cs=?[0-9]+");
pattern!(RUID, r"uloc-[0-9a-f-]+");
pattern!(CALL_ID, r"(?m)^Call-ID: [0-9a-f]{12,}[^\r\n]*");
pattern!(FIELD, r#"(?m)^([\s{\[]*"?)([\w-]+)("?:\s*"?)([^",\s}\]]*)"#);
pattern!(LOCAL_BRANCH_ZEROES, r"\.0{8,}\.0");

/// The names given out so far in one recording.
#[derive(Default)]
pub struct Normalizer {
    prefix: String,
    branches: Vec<String>,
    tags: Vec<String>,
}

impl Normalizer {
    /// For a lab whose addresses begin with `prefix`.
    pub fn new(prefix: String) -> Self {
        Self {
            prefix,
            ..Self::default()
        }
    }

    /// Forgets the ids seen so far: what follows has nothing to do with what came before.
    pub fn reset(&mut self) {
        self.branches.clear();
        self.tags.clear();
    }

    /// The comparable form of a text.
    pub fn text(&mut self, text: &str) -> String {
        let text = text.replace(&self.prefix, "127.0.0.").replace("\r\n", "\n");
        let text = CSEQ_NOTE.replace_all(&text, "$1");
        let text = LOCAL_BRANCH_ZEROES.replace_all(&text, ".0");
        let text = BRANCH.replace_all(&text, |c: &Captures<'_>| {
            format!(
                "z9hG4bK<branch-{}>{}{}",
                number(&mut self.branches, &c[1]),
                &c[2],
                &c[3]
            )
        });
        let text = TAG.replace_all(&text, |c: &Captures<'_>| {
            format!("tag=<tag-{}>", number(&mut self.tags, &c[1]))
        });
        let text = DID.replace_all(&text, "$1=$2.<id>");
        let text = CONNECTION.replace_all(&text, ";i=<connection>");
        let text = RPORT.replace_all(&text, "rport=<port>");
        // A second may pass between a registration and its answer.
        let text = EXPIRES.replace_all(&text, |c: &Captures<'_>| {
            let seconds: u64 = c[1].parse().unwrap_or_default();
            format!("expires={}", seconds.div_ceil(10) * 10)
        });
        let text = NONCE.replace_all(&text, "nonce=\"<nonce>\"");
        let text = RESPONSE.replace_all(&text, "${1}<response>");
        let text = CALL_ID.replace_all(&text, "Call-ID: <call-id>");
        RUID.replace_all(&text, "<ruid>").into_owned()
    }

    /// The comparable form of a management answer that a client has printed, one `name: value` a line.
    pub fn fields(&mut self, text: &str) -> String {
        let text = FIELD.replace_all(text, |c: &Captures<'_>| {
            match VARIABLE_FIELDS.contains(&&c[2]) {
                true if &c[4] != "0" || &c[2] == "duration" => {
                    format!("{}{}{}<{}>", &c[1], &c[2], &c[3], &c[2])
                }
                _ => c[0].to_owned(),
            }
        });
        self.text(&text)
    }

    /// The comparable form of a management answer, pretty-printed.
    pub fn json(&mut self, value: &Value) -> String {
        let mut value = value.clone();
        blank(&mut value);
        let text = serde_json::to_string_pretty(&value).expect("a value can be printed");
        self.text(&text)
    }
}

fn number(known: &mut Vec<String>, id: &str) -> usize {
    let found = known.iter().position(|k| k == id);
    found.unwrap_or_else(|| {
        known.push(id.to_owned());
        known.len() - 1
    }) + 1
}

/// Takes variable fields out. A duration is zero or not by chance once a call is answered.
fn blank(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(members) => {
            let answered = members.get("start_ts").is_some_and(|t| *t != 0);
            for (name, member) in members.iter_mut() {
                let shown_zero = *member == 0 && !(answered && name == "duration");
                if VARIABLE_FIELDS.contains(&name.as_str()) && !shown_zero && !member.is_null() {
                    *member = Value::from(format!("<{name}>"));
                } else {
                    blank(member);
                }
            }
        }
        _ => {}
    }
}

/// What is left of a printed answer without its values: names, braces, and whether a value is a number.
pub fn shape(text: &str) -> String {
    let line = |line: &str| match line.split_once(": ") {
        Some((name, value)) if value.trim().parse::<f64>().is_ok() => format!("{name}: <number>"),
        Some((name, value)) if value != "{" => format!("{name}: <text>"),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
