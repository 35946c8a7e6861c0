//! Reads an expression into a tree, with the C library's view of what POSIX leaves open.

use super::tree::{ByteSet, Look, Node, NodeId, Tree};
use super::{EreError, Flags};

/// The largest count in `{n,m}`.
const REPEAT_LIMIT: u32 = 32767;

/// How deep parentheses and quantifiers may lie inside each other.
const DEPTH_MAX: usize = 200;

pub(super) fn parse(pattern: &[u8], flags: Flags) -> Result<Tree, EreError> {
    let mut parser = Parser {
        pattern,
        at: 0,
        flags,
        nodes: Vec::new(),
        open: vec![Open::default()],
        groups: 0,
        closed: 0,
        has_references: false,
    };
    parser.run()?;
    let Some(last) = parser.open.pop() else {
        return error("unmatched `(`");
    };
    if !parser.open.is_empty() {
        return error("unmatched `(`");
    }
    let root = parser.finish(last);
    Ok(Tree {
        nodes: parser.nodes,
        root,
        groups: parser.groups,
        has_references: parser.has_references,
        flags,
    })
}

struct Parser<'p> {
    pattern: &'p [u8],
    at: usize,
    flags: Flags,
    nodes: Vec<Node>,
    /// The parentheses that are open, the whole expression first.
    open: Vec<Open>,
    groups: usize,
    /// The groups that a back-reference may name, as bits: those of this alternative that are complete.
    closed: u16,
    has_references: bool,
}

/// What stands in parentheses so far.
#[derive(Default)]
struct Open {
    number: usize,
    choices: Vec<NodeId>,
    /// The groups that were complete where these parentheses began.
    closed_before: u16,
    /// Those that other alternatives completed.
    closed_in_choices: u16,
    parts: Vec<NodeId>,
    /// How many quantifiers the last part has; none if it cannot have one.
    quantifiers: Option<usize>,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), EreError> {
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.bracket()?,
                b'(' => self.group()?,
                b')' => self.close(),
                b'|' => self.choice(),
                b'*' => self.quantify("*", 0, None)?,
                b'+' => self.quantify("+", 1, None)?,
                b'?' => self.quantify("?", 0, Some(1))?,
                b'{' => self.interval()?,
                b'^' => self.look(Look::Start),
                b'$' => self.look(Look::End),
                b'.' => self.any(),
                other => self.literal(other),
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.pattern.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        (self.nodes.len() - 1) as NodeId
    }

    /// The innermost parentheses that are open; the whole expression always is.
    fn here(&mut self) -> &mut Open {
        if self.open.is_empty() {
            self.open.push(Open::default());
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    /// Something that may be repeated.
    fn part(&mut self, node: Node) {
        let id = self.add(node);
        let here = self.here();
        here.parts.push(id);
        here.quantifiers = Some(0);
    }

    /// A place rather than a character: it cannot be repeated.
    fn look(&mut self, look: Look) {
        let id = self.add(Node::Look(look));
        let here = self.here();
        here.parts.push(id);
        here.quantifiers = None;
    }

    fn set(&mut self, mut set: ByteSet) {
        if self.flags.ignore_case {
            set.fold_case();
        }
        self.part(Node::Set(set));
    }

    fn literal(&mut self, byte: u8) {
        let mut set = ByteSet::default();
        set.insert(byte);
        self.set(set);
    }

    fn any(&mut self) {
        let mut set = ByteSet::default().inverted();
        if self.flags.lines {
            set.remove(b'\n');
        }
        self.set(set);
    }

    fn group(&mut self) -> Result<(), EreError> {
        if self.open.len() > DEPTH_MAX {
            return error("parentheses lie too deep inside each other");
        }
        self.groups += 1;
        self.open.push(Open {
            number: self.groups,
            closed_before: self.closed,
            ..Open::default()
        });
        Ok(())
    }

    fn choice(&mut self) {
        let parts = std::mem::take(&mut self.here().parts);
        let node = self.sequence(parts);
        let closed = self.closed;
        let here = self.here();
        here.choices.push(node);
        here.closed_in_choices |= closed;
        self.closed = here.closed_before;
        let here = self.here();
        here.quantifiers = None;
    }

    fn close(&mut self) {
        // POSIX leaves an unmatched `)` undefined; the C library takes it as itself.
        if self.open.len() < 2 {
            return self.literal(b')');
        }
        let Some(open) = self.open.pop() else { return };
        let number = open.number;
        self.closed |= open.closed_in_choices;
        let inner = self.finish(open);
        if number <= 9 {
            self.closed |= 1 << number;
        }
        self.part(Node::Group(number, inner));
    }

    /// All that stood in parentheses, as one node.
    fn finish(&mut self, open: Open) -> NodeId {
        let last = self.sequence(open.parts);
        if open.choices.is_empty() {
            return last;
        }
        let mut choices = open.choices;
        choices.push(last);
        self.add(Node::Choice(choices.into()))
    }

    fn sequence(&mut self, parts: Vec<NodeId>) -> NodeId {
        match parts[..] {
            [one] => one,
            _ => self.add(Node::Sequence(parts.into())),
        }
    }

    fn escape(&mut self) -> Result<(), EreError> {
        let Some(byte) = self.next() else {
            return error("trailing backslash");
        };
        match byte {
            b'1'..=b'9' => return self.reference(usize::from(byte - b'0')),
            b'<' => self.look(Look::WordStart),
            b'>' => self.look(Look::WordEnd),
            b'b' => self.look(Look::Boundary),
            b'B' => self.look(Look::NoBoundary),
            b'`' => self.look(Look::TextStart),
            b'\'' => self.look(Look::TextEnd),
            b'w' => self.set(word()),
            b'W' => self.set(word().inverted()),
            b's' => self.set(space()),
            b'S' => self.set(space().inverted()),
            other => self.literal(other),
        }
        Ok(())
    }

    fn reference(&mut self, number: usize) -> Result<(), EreError> {
        if self.closed & 1 << number == 0 {
            return error(&format!("`\\{number}` refers to no group before it"));
        }
        self.has_references = true;
        self.part(Node::Reference(number));
        Ok(())
    }

    fn quantify(&mut self, text: &str, min: u32, max: Option<u32>) -> Result<(), EreError> {
        let here = self.here();
        let (Some(count), Some(body)) = (here.quantifiers, here.parts.pop()) else {
            return error(&format!("nothing before `{text}`"));
        };
        if count >= DEPTH_MAX {
            return error("too many quantifiers behind each other");
        }
        here.quantifiers = Some(count + 1);
        let id = self.add(Node::Repeat(body, min, max));
        self.here().parts.push(id);
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
        self.quantify("{", low, high)
    }

    fn bracket(&mut self) -> Result<(), EreError> {
        let negated = self.peek() == Some(b'^');
        self.at += usize::from(negated);
        let mut set = ByteSet::default();
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
        if negated {
            if self.flags.ignore_case {
                set.fold_case();
            }
            set = set.inverted();
            if self.flags.lines {
                set.remove(b'\n');
            }
            self.part(Node::Set(set));
        } else {
            self.set(set);
        }
        Ok(())
    }

    fn range(&mut self, byte: u8, set: &mut ByteSet) -> Result<(), EreError> {
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
        (low..=high).for_each(|byte| set.insert(byte));
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

    fn class(&mut self, set: &mut ByteSet) -> Result<(), EreError> {
        let rest = self.pattern.get(self.at + 1..).unwrap_or(&[]);
        let Some(end) = rest.windows(2).position(|pair| pair == b":]") else {
            return error("unmatched `[:`");
        };
        let Some(test) = class_test(&rest[..end]) else {
            let name = String::from_utf8_lossy(&rest[..end]);
            return error(&format!("unknown class `[:{name}:]`"));
        };
        self.at += end + 3;
        for byte in (0..=127).filter(test) {
            set.insert(byte);
        }
        Ok(())
    }
}

fn error<T>(text: &str) -> Result<T, EreError> {
    Err(EreError(text.to_owned()))
}

fn word() -> ByteSet {
    let mut set = ByteSet::default();
    let letters = (0..=127u8).filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    letters.for_each(|byte| set.insert(byte));
    set
}

fn space() -> ByteSet {
    let mut set = ByteSet::default();
    b" \t\n\x0b\x0c\r".iter().for_each(|byte| set.insert(*byte));
    set
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
