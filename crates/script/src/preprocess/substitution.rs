//! `#!subst` rules: what is replaced in every string and variable that is read after them.

use crate::ere::{Ere, Flags};

/// Rules in one configuration.
const RULES: usize = 512;

/// The longest text that rules may make of a string.
const RESULT: usize = 1 << 20;

/// All rules, in the order of their reading.
#[derive(Default)]
pub(crate) struct Substitutions {
    rules: Vec<Rule>,
}

/// `/expression/replacement/flags`.
pub(crate) struct Rule {
    expression: Ere,
    replacement: Vec<Part>,
    global: bool,
}

enum Part {
    Bytes(Vec<u8>),
    Group(usize),
}

/// A rule's three parts as text.
pub(crate) struct Written {
    pub(crate) expression: Vec<u8>,
    pub(crate) replacement: Vec<u8>,
    pub(crate) flags: Vec<u8>,
}

impl Substitutions {
    /// Adds a rule; false if there are too many.
    pub(crate) fn add(&mut self, rule: Rule) -> bool {
        self.rules.push(rule);
        self.rules.len() <= RULES
    }

    /// The text after all rules.
    pub(crate) fn apply(&self, text: &[u8]) -> Vec<u8> {
        self.rules
            .iter()
            .fold(text.to_vec(), |text, rule| rule.apply(text))
    }
}

impl Rule {
    /// Splits a rule at its separator, which is its first character.
    pub(crate) fn split(text: &[u8]) -> Option<Written> {
        let (separator, mut rest) = text.split_first()?;
        let mut part = || {
            let end = unescaped(rest, *separator)?;
            let found = rest[..end].to_vec();
            rest = &rest[end + 1..];
            Some(found)
        };
        let expression = part()?;
        let replacement = part()?;
        let flags = rest.to_vec();
        (!expression.is_empty()).then_some(Written {
            expression,
            replacement,
            flags,
        })
    }

    /// Compiles a rule.
    pub(crate) fn compile(written: &Written) -> Result<Self, String> {
        let mut global = false;
        let mut flags = Flags {
            ignore_case: false,
            lines: true,
        };
        for flag in &written.flags {
            match flag {
                b'g' => global = true,
                b'i' => flags.ignore_case = true,
                b's' => flags.lines = false,
                other => return Err(format!("`{}` is no flag", char::from(*other))),
            }
        }
        let expression = Ere::new(&written.expression, flags).map_err(|error| error.to_string())?;
        Ok(Self {
            expression,
            replacement: parts(&written.replacement),
            global,
        })
    }

    fn apply(&self, text: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut done = 0;
        for found in self.expression.captures_iter(&text) {
            let whole = found.whole();
            out.extend_from_slice(&text[done..whole.start]);
            for part in &self.replacement {
                match part {
                    Part::Bytes(bytes) => out.extend_from_slice(bytes),
                    Part::Group(n) => {
                        out.extend_from_slice(found.get(*n).map_or(&[][..], |group| &text[group]));
                    }
                }
            }
            done = whole.end;
            if !self.global || out.len() > RESULT {
                break;
            }
        }
        if done == 0 && out.is_empty() {
            return text;
        }
        out.extend_from_slice(&text[done..]);
        out
    }
}

/// The offset of a character that no backslash precedes.
fn unescaped(text: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            c if *c == wanted => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn parts(replacement: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut bytes = Vec::new();
    let mut rest = replacement.iter();
    while let Some(c) = rest.next() {
        match (c, if *c == b'\\' { rest.next() } else { None }) {
            (b'\\', Some(digit @ b'0'..=b'9')) => {
                parts.push(Part::Bytes(std::mem::take(&mut bytes)));
                parts.push(Part::Group(usize::from(digit - b'0')));
            }
            (b'\\', Some(b'n')) => bytes.push(b'\n'),
            (b'\\', Some(b'r')) => bytes.push(b'\r'),
            (b'\\', Some(b't')) => bytes.push(b'\t'),
            (b'\\', Some(other)) => bytes.push(*other),
            (other, _) => bytes.push(*other),
        }
    }
    parts.push(Part::Bytes(bytes));
    parts
}
