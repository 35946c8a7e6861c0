//! The small expressions of `#!ifexp` and `#!defexp`: numbers, strings and defines.

use super::Defines;

/// Parentheses and signs inside each other.
const DEPTH: usize = 64;

/// What an expression yields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Evaluated {
    Number(i64),
    Text(Vec<u8>),
}

impl Evaluated {
    /// True for a number other than 0 and for a text that is not empty.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Number(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// As the value of a define.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Number(number) => number.to_string().into_bytes(),
            Self::Text(text) => text,
        }
    }

    fn number(&self) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) => std::str::from_utf8(text)
                .ok()
                .and_then(|t| t.parse().ok())
                .unwrap_or(0),
        }
    }
}

/// Evaluates an expression; a fault is told in one line.
pub(crate) fn evaluate(text: &[u8], defines: &Defines) -> Result<Evaluated, String> {
    let mut reader = Reader {
        rest: text,
        defines,
        depth: 0,
    };
    let value = reader.binary(0)?;
    reader.blanks();
    match reader.rest.first() {
        None | Some(b'#') => Ok(value),
        Some(c) => Err(format!("`{}` is not expected here", char::from(*c))),
    }
}

/// Binary operators, loosest first.
const LEVELS: [&[&str]; 6] = [
    &["||"],
    &["&&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["+", "-"],
    &["*", "/"],
];

struct Reader<'a> {
    rest: &'a [u8],
    defines: &'a Defines,
    depth: usize,
}

impl Reader<'_> {
    fn binary(&mut self, level: usize) -> Result<Evaluated, String> {
        let Some(signs) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        loop {
            self.blanks();
            let Some(sign) = signs
                .iter()
                .find(|sign| self.rest.starts_with(sign.as_bytes()))
            else {
                return Ok(left);
            };
            self.rest = &self.rest[sign.len()..];
            let right = self.binary(level + 1)?;
            left = apply(sign, &left, &right)?;
        }
    }

    fn unary(&mut self) -> Result<Evaluated, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("the expression is nested too deeply".to_owned());
        }
        self.blanks();
        let value = match self.rest {
            [b'!', rest @ ..] => {
                self.rest = rest;
                Evaluated::Number(i64::from(!self.unary()?.is_true()))
            }
            [b'-', rest @ ..] => {
                self.rest = rest;
                Evaluated::Number(self.unary()?.number().wrapping_neg())
            }
            [b'(', rest @ ..] => {
                self.rest = rest;
                let value = self.binary(0)?;
                self.blanks();
                let Some(rest) = self.rest.strip_prefix(b")") else {
                    return Err("`)` is missing".to_owned());
                };
                self.rest = rest;
                value
            }
            [quote @ (b'"' | b'\''), rest @ ..] => {
                let end = memchr::memchr(*quote, rest).ok_or("a string is not closed")?;
                self.rest = &rest[end + 1..];
                Evaluated::Text(rest[..end].to_vec())
            }
            _ => self.word()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self) -> Result<Evaluated, String> {
        let is_part = |c: &&u8| crate::lexer::is_word_byte(**c);
        let length = self.rest.iter().take_while(is_part).count();
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        let word = String::from_utf8_lossy(word);
        if word.is_empty() {
            return Err("a number, a string or a name is expected".to_owned());
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let number = word.parse().map_err(|_| format!("`{word}` is no number"))?;
            return Ok(Evaluated::Number(number));
        }
        Ok(match self.defines.value(&word) {
            None => Evaluated::Number(0),
            Some(None) => Evaluated::Number(1),
            Some(Some(value)) => literal(value),
        })
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

/// The value of a define as a number if it looks like one, else as a text without its quotes.
fn literal(value: &[u8]) -> Evaluated {
    let value = value.trim_ascii();
    let number = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok());
    if let Some(number) = number {
        return Evaluated::Number(number);
    }
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    Evaluated::Text(inner.unwrap_or(value).to_vec())
}

fn apply(sign: &str, left: &Evaluated, right: &Evaluated) -> Result<Evaluated, String> {
    use Evaluated::{Number, Text};
    if let (Text(a), Text(b)) = (left, right) {
        match sign {
            "==" => return Ok(Number(i64::from(a == b))),
            "!=" => return Ok(Number(i64::from(a != b))),
            "+" => return Ok(Text([&a[..], &b[..]].concat())),
            _ => {}
        }
    }
    if let ("==" | "!=", Text(_), Number(_)) | ("==" | "!=", Number(_), Text(_)) =
        (sign, left, right)
    {
        let same = left.clone().into_bytes() == right.clone().into_bytes();
        return Ok(Number(i64::from(same == (sign == "=="))));
    }
    let (a, b) = (left.number(), right.number());
    Ok(Number(match sign {
        "||" => i64::from(left.is_true() || right.is_true()),
        "&&" => i64::from(left.is_true() && right.is_true()),
        "==" => i64::from(a == b),
        "!=" => i64::from(a != b),
        "<" => i64::from(a < b),
        ">" => i64::from(a > b),
        "<=" => i64::from(a <= b),
        ">=" => i64::from(a >= b),
        "+" => a.wrapping_add(b),
        "-" => a.wrapping_sub(b),
        "*" => a.wrapping_mul(b),
        _ => a.checked_div(b).ok_or("a division by zero")?,
    }))
}
