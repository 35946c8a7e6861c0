//! An expression as a tree. Nodes name each other by their places in one list.

/// The place of a node.
pub(super) type NodeId = u32;

/// One part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    /// One byte of a set.
    Set(ByteSet),
    /// A place rather than a byte.
    Look(Look),
    /// A pair of parentheses, numbered from 1.
    Group(usize, NodeId),
    /// One after another.
    Sequence(Box<[NodeId]>),
    /// One of several.
    Choice(Box<[NodeId]>),
    /// One several times; no limit if there is no last number.
    Repeat(NodeId, u32, Option<u32>),
    /// What a group has matched.
    Reference(usize),
}

/// A condition on a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// `^`: of the text, or of a line.
    Start,
    /// `$`: of the text, or of a line.
    End,
    /// `` \` ``
    TextStart,
    /// `\'`
    TextEnd,
    /// `\<`
    WordStart,
    /// `\>`
    WordEnd,
    /// `\b`
    Boundary,
    /// `\B`
    NoBoundary,
}

/// A set of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// Makes a set that holds what this one does not.
    pub(super) fn inverted(mut self) -> Self {
        self.0.iter_mut().for_each(|word| *word = !*word);
        self
    }

    /// Adds the other case of each letter.
    pub(super) fn fold_case(&mut self) {
        for byte in b'a'..=b'z' {
            let upper = byte.to_ascii_uppercase();
            if self.contains(byte) || self.contains(upper) {
                self.insert(byte);
                self.insert(upper);
            }
        }
    }

    pub(super) fn remove(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    /// Its bytes as ranges, both ends included.
    pub(super) fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in (0..=255).filter(|byte| self.contains(*byte)) {
            match ranges.last_mut() {
                Some((_, end)) if *end + 1 == byte => *end = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        ranges
    }
}

/// A whole expression.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// How many groups it has.
    pub(super) groups: usize,
    pub(super) has_references: bool,
    pub(super) flags: super::Flags,
}

impl Tree {
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// Whether taking as much as possible from left to right gives the longest match: nothing to choose, and only
    /// single bytes are repeated. Then whatever a repetition takes, those behind it could not have taken better.
    pub(super) fn is_plain(&self) -> bool {
        let single = |id: NodeId| match self.node(id) {
            Node::Set(_) => true,
            Node::Group(_, inner) => matches!(self.node(*inner), Node::Set(_)),
            _ => false,
        };
        let plain = |node: &Node| match node {
            Node::Set(_) | Node::Group(..) | Node::Sequence(_) => true,
            Node::Look(look) => matches!(look, Look::Start | Look::End),
            Node::Repeat(body, ..) => single(*body),
            Node::Choice(_) | Node::Reference(_) => false,
        };
        self.nodes.iter().all(plain)
    }

    /// Whether a condition holds at a place.
    pub(super) fn holds(&self, look: Look, text: &[u8], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| text.get(at)).copied();
        let after = text.get(at).copied();
        let is_word =
            |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        let lines = self.flags.lines;
        match look {
            Look::Start => before.is_none() || (lines && before == Some(b'\n')),
            Look::End => after.is_none() || (lines && after == Some(b'\n')),
            Look::TextStart => before.is_none(),
            Look::TextEnd => after.is_none(),
            Look::WordStart => !is_word(before) && is_word(after),
            Look::WordEnd => is_word(before) && !is_word(after),
            Look::Boundary => is_word(before) != is_word(after),
            Look::NoBoundary => is_word(before) == is_word(after),
        }
    }
}
