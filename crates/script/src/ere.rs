//! POSIX extended regular expressions, with GNU's additions, on top of the `regex` crate. Matching is bytewise, as
//! in the C locale. One difference stays: of several matches at one place the leftmost alternative wins, not the
//! longest; it can be seen in substitutions only.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

/// The largest compiled form of one expression, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// The largest count in `{n,m}`.
const REPEAT_LIMIT: u32 = 32767;

/// How an expression is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// Upper and lower case are the same.
    pub ignore_case: bool,
    /// `^` and `$` match at line ends; `.` and `[^…]` do not match a newline.
    pub lines: bool,
}

impl Flags {
    /// Those of the operator `=~`.
    pub const OPERATOR: Self = Self {
        ignore_case: true,
        lines: false,
    };
    /// Those of `case /"…"`.
    pub const CASE: Self = Self {
        ignore_case: false,
        lines: false,
    };
    /// Those of function arguments (`search`, `subst` …).
    pub const ARGUMENT: Self = Self {
        ignore_case: true,
        lines: true,
    };
}

/// A compiled expression.
#[derive(Clone)]
pub struct Ere {
    regex: Regex,
}

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EreError(pub String);

impl fmt::Display for EreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ere {
    /// Compiles an expression.
    pub fn new(pattern: &[u8], flags: Flags) -> Result<Self, EreError> {
        let translated = Translator::new(pattern, flags).run()?;
        RegexBuilder::new(&translated)
            .unicode(false)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.lines)
            .dot_matches_new_line(!flags.lines)
            .size_limit(SIZE_LIMIT)
            .build()
            .map(|regex| Self { regex })
            .map_err(|error| EreError(last_line(&error)))
    }

    /// Whether it matches anywhere.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// The expression underneath, for captures and positions.
    pub const fn regex(&self) -> &Regex {
        &self.regex
    }
}

impl fmt::Debug for Ere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ere({})", self.regex.as_str())
    }
}

fn last_line(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("its compiled form would exceed {limit} bytes")
        }
        other => {
            let text = other.to_string();
            let line = text.lines().last().unwrap_or_default();
            line.trim_start_matches("error: ").to_owned()
        }
    }
}

/// What the next quantifier would apply to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing: the start, `(`, `|`, `^`.
    Nothing,
    /// An atom that starts at this offset of the output.
    Atom(usize),
    /// An atom with a quantifier already.
    Quantified(usize),
}

struct Translator<'p> {
    pattern: &'p [u8],
    at: usize,
    flags: Flags,
    out: String,
    groups: Vec<usize>,
    before: Before,
}

impl<'p> Translator<'p> {
    const fn new(pattern: &'p [u8], flags: Flags) -> Self {
        Self {
            pattern,
            at: 0,
            flags,
            out: String::new(),
            groups: Vec::new(),
            before: Before::Nothing,
        }
    }

    fn run(mut self) -> Result<String, EreError> {
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.bracket()?,
                b'(' => {
                    self.groups.push(self.out.len());
                    self.out.push('(');
                    self.before = Before::Nothing;
                }
                b')' => self.close(),
                b'|' => {
                    self.out.push('|');
                    self.before = Before::Nothing;
                }
                b'*' | b'+' | b'?' => self.quantify(char::from(byte).to_string())?,
                b'{' => self.interval()?,
                b'^' => self.anchor("^"),
                b'$' => self.anchor("$"),
                b'.' => self.atom("."),
                other => self.literal(other),
            }
        }
        if self.groups.is_empty() {
            Ok(self.out)
        } else {
            error("unmatched `(`")
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.pattern.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn atom(&mut self, text: &str) {
        self.before = Before::Atom(self.out.len());
        self.out.push_str(text);
    }

    /// A place rather than a character: it cannot be repeated.
    fn anchor(&mut self, text: &str) {
        self.out.push_str(text);
        self.before = Before::Nothing;
    }

    fn literal(&mut self, byte: u8) {
        self.before = Before::Atom(self.out.len());
        push_byte(&mut self.out, byte);
    }

    fn close(&mut self) {
        // POSIX leaves an unmatched `)` undefined; the C library takes it as itself.
        let Some(start) = self.groups.pop() else {
            return self.literal(b')');
        };
        self.out.push(')');
        self.before = Before::Atom(start);
    }

    fn escape(&mut self) -> Result<(), EreError> {
        let Some(byte) = self.next() else {
            return error("trailing backslash");
        };
        match byte {
            b'1'..=b'9' => return error("back-references are not supported"),
            b'<' => self.anchor(r"\b{start}"),
            b'>' => self.anchor(r"\b{end}"),
            b'b' => self.anchor(r"\b"),
            b'B' => self.anchor(r"\B"),
            b'w' => self.atom(r"\w"),
            b'W' => self.atom(r"\W"),
            b's' => self.atom(r"\s"),
            b'S' => self.atom(r"\S"),
            b'`' => self.anchor(r"\A"),
            b'\'' => self.anchor(r"\z"),
            other => self.literal(other),
        }
        Ok(())
    }

    fn quantify(&mut self, quantifier: String) -> Result<(), EreError> {
        match self.before {
            Before::Nothing => return error(&format!("nothing before `{quantifier}`")),
            Before::Atom(start) => self.before = Before::Quantified(start),
            Before::Quantified(start) => {
                // Two quantifiers in a row apply one after the other; the crate would read a lazy one.
                self.out.insert_str(start, "(?:");
                self.out.push(')');
            }
        }
        self.out.push_str(&quantifier);
        Ok(())
    }

    fn interval(&mut self) -> Result<(), EreError> {
        let rest = self.pattern.get(self.at..).unwrap_or(&[]);
        let Some((low, high, length)) = parse_interval(rest) else {
            return error("bad counts in `{…}`");
        };
        self.at += length;
        if low > REPEAT_LIMIT || high.is_some_and(|high| high > REPEAT_LIMIT || high < low) {
            return error("bad counts in `{…}`");
        }
        let text = match high {
            Some(high) => format!("{{{low},{high}}}"),
            None => format!("{{{low},}}"),
        };
        self.quantify(text)
    }

    fn bracket(&mut self) -> Result<(), EreError> {
        let negated = self.peek() == Some(b'^');
        self.at += usize::from(negated);
        let mut set = [false; 256];
        let mut first = true;
        loop {
            let Some(byte) = self.next() else {
                return error("unmatched `[`");
            };
            match (byte, self.peek()) {
                (b']', _) if !first => break,
                (b'[', Some(b':')) => self.class(&mut set)?,
                _ => self.range(byte, &mut set)?,
            }
            first = false;
        }
        self.before = Before::Atom(self.out.len());
        self.write_set(&mut set, negated);
        Ok(())
    }

    fn range(&mut self, byte: u8, set: &mut [bool; 256]) -> Result<(), EreError> {
        let low = self.element(byte)?;
        let is_range = self.peek() == Some(b'-')
            && self
                .pattern
                .get(self.at + 1)
                .is_some_and(|next| *next != b']');
        let mut high = low;
        if is_range {
            self.at += 1;
            let Some(byte) = self.next() else {
                return error("unmatched `[`");
            };
            high = self.element(byte)?;
            if high < low {
                return error("a range in `[…]` is backwards");
            }
        }
        set[usize::from(low)..=usize::from(high)].fill(true);
        Ok(())
    }

    /// One character of a set: itself, `[.x.]` or `[=x=]`.
    fn element(&mut self, byte: u8) -> Result<u8, EreError> {
        let Some(mark @ (b'.' | b'=')) = self.peek().filter(|_| byte == b'[') else {
            return Ok(byte);
        };
        match self.pattern.get(self.at + 1..self.at + 4) {
            Some([inner, close, b']']) if *close == mark => {
                let inner = *inner;
                self.at += 4;
                Ok(inner)
            }
            _ => error("unknown collating element"),
        }
    }

    fn class(&mut self, set: &mut [bool; 256]) -> Result<(), EreError> {
        let rest = self.pattern.get(self.at + 1..).unwrap_or(&[]);
        let Some(end) = rest.windows(2).position(|pair| pair == b":]") else {
            return error("unmatched `[:`");
        };
        let Some(test) = class_test(&rest[..end]) else {
            let name = String::from_utf8_lossy(&rest[..end]);
            return error(&format!("unknown class `[:{name}:]`"));
        };
        self.at += end + 3;
        for byte in 0..=127u8 {
            set[usize::from(byte)] |= test(&byte);
        }
        Ok(())
    }

    fn write_set(&mut self, set: &mut [bool; 256], negated: bool) {
        if negated && self.flags.lines {
            set[usize::from(b'\n')] = true;
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        let mut byte = 0;
        while byte < 256 {
            if !set[byte] {
                byte += 1;
                continue;
            }
            let start = byte;
            while byte < 256 && set[byte] {
                byte += 1;
            }
            push_hex(&mut self.out, start as u8);
            self.out.push('-');
            push_hex(&mut self.out, (byte - 1) as u8);
        }
        self.out.push(']');
    }
}

fn error<T>(text: &str) -> Result<T, EreError> {
    Err(EreError(text.to_owned()))
}

fn push_byte(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || byte == b' ' {
        out.push(char::from(byte));
    } else {
        push_hex(out, byte);
    }
}

fn push_hex(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push_str("\\x");
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

/// Reads `n}`, `n,}`, `,m}`, `,}` or `n,m}`; the third part is the length.
fn parse_interval(text: &[u8]) -> Option<(u32, Option<u32>, usize)> {
    let end = text.iter().position(|byte| *byte == b'}')?;
    let inside = std::str::from_utf8(text.get(..end)?).ok()?;
    let number = |text: &str| -> Option<u32> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !text.is_empty()).then(|| text.parse().unwrap_or(u32::MAX))
    };
    let (low, high) = match inside.split_once(',') {
        None => (number(inside)?, Some(number(inside)?)),
        Some(("", "")) => (0, None),
        Some((low, "")) => (number(low)?, None),
        Some(("", high)) => (0, Some(number(high)?)),
        Some((low, high)) => (number(low)?, Some(number(high)?)),
    };
    Some((low, high, end + 1))
}

fn class_test(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alpha" => u8::is_ascii_alphabetic,
        b"digit" => u8::is_ascii_digit,
        b"alnum" => u8::is_ascii_alphanumeric,
        b"upper" => u8::is_ascii_uppercase,
        b"lower" => u8::is_ascii_lowercase,
        b"punct" => u8::is_ascii_punctuation,
        b"xdigit" => u8::is_ascii_hexdigit,
        b"cntrl" => u8::is_ascii_control,
        b"graph" => u8::is_ascii_graphic,
        b"print" => |byte| (b' '..=b'~').contains(byte),
        b"space" => |byte| matches!(byte, b' ' | 9..=13),
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        _ => return None,
    })
}
