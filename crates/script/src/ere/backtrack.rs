//! Expressions with back-references: every way to match is tried, and the longest match counts. The steps and the
//! depth of the search are limited.

use smallvec::{SmallVec, smallvec};

use super::tree::{Node, NodeId, Tree};
use super::{Budget, Captures, Place};

/// How deep the search may go; ways that lead deeper are given up.
const DEPTH_MAX: usize = 500;

/// The longest match from `start`.
pub(super) fn captures(
    tree: &Tree,
    text: &[u8],
    start: usize,
    budget: &mut Budget,
) -> Option<Captures> {
    let mut search = Search {
        tree,
        text,
        places: smallvec![None; tree.groups + 1],
        best: None,
        budget,
        depth: 0,
    };
    search.node(tree.root, start, &Rest::Done);
    let (end, mut places) = search.best?;
    places[0] = Some((start, end));
    Some(Captures(places))
}

/// What has to match behind a node.
enum Rest<'r> {
    Done,
    Sequence(&'r [NodeId], &'r Self),
    /// The end of a group that began here.
    Group(usize, usize, &'r Self),
    /// Further rounds of a repetition: its body and limits, the rounds so far, where the last one began.
    Repeat(NodeId, (u32, Option<u32>), u32, usize, &'r Self),
}

struct Search<'a> {
    tree: &'a Tree,
    text: &'a [u8],
    places: SmallVec<[Place; 4]>,
    best: Option<(usize, SmallVec<[Place; 4]>)>,
    budget: &'a mut Budget,
    depth: usize,
}

impl Search<'_> {
    fn node(&mut self, id: NodeId, at: usize, rest: &Rest<'_>) {
        if self.depth >= DEPTH_MAX || !self.budget.spend(1) {
            return;
        }
        self.depth += 1;
        let tree = self.tree;
        match tree.node(id) {
            Node::Set(set) => {
                if self.text.get(at).is_some_and(|byte| set.contains(*byte)) {
                    self.rest(at + 1, rest);
                }
            }
            Node::Look(look) => {
                if tree.holds(*look, self.text, at) {
                    self.rest(at, rest);
                }
            }
            Node::Group(number, inner) => self.node(*inner, at, &Rest::Group(*number, at, rest)),
            Node::Sequence(parts) => self.rest(at, &Rest::Sequence(parts, rest)),
            Node::Choice(parts) => parts.iter().for_each(|part| self.node(*part, at, rest)),
            Node::Repeat(body, min, max) => self.repeat(*body, (*min, *max), at, rest),
            Node::Reference(number) => self.reference(*number, at, rest),
        }
        self.depth -= 1;
    }

    fn rest(&mut self, at: usize, rest: &Rest<'_>) {
        match rest {
            Rest::Done => {
                if self.best.as_ref().is_none_or(|(end, _)| at > *end) {
                    self.best = Some((at, self.places.clone()));
                }
            }
            Rest::Sequence([], rest) => self.rest(at, rest),
            Rest::Sequence([first, parts @ ..], rest) => {
                self.node(*first, at, &Rest::Sequence(parts, rest));
            }
            Rest::Group(number, start, rest) => {
                let before = self.places[*number].replace((*start, at));
                self.rest(at, rest);
                self.places[*number] = before;
            }
            // A round that matched nothing brings nothing.
            Rest::Repeat(_, (min, _), count, from, rest) if at == *from && count >= min => {
                self.rest(at, rest);
            }
            Rest::Repeat(body, limits, count, _, rest) => {
                self.round(*body, *limits, *count, at, rest);
            }
        }
    }

    fn round(
        &mut self,
        body: NodeId,
        (min, max): (u32, Option<u32>),
        count: u32,
        at: usize,
        rest: &Rest<'_>,
    ) {
        if max.is_none_or(|max| count < max) {
            let next = Rest::Repeat(body, (min, max), count + 1, at, rest);
            self.node(body, at, &next);
        }
        if count >= min {
            self.rest(at, rest);
        }
    }

    fn repeat(&mut self, body: NodeId, limits: (u32, Option<u32>), at: usize, rest: &Rest<'_>) {
        let Node::Set(set) = self.tree.node(body) else {
            return self.round(body, limits, 0, at, rest);
        };
        let most = limits.1.map_or(usize::MAX, |max| max as usize);
        let bytes = self.text.get(at..).unwrap_or_default().iter().take(most);
        let count = bytes.take_while(|byte| set.contains(**byte)).count();
        for end in (at + limits.0 as usize..=at + count).rev() {
            if !self.budget.spend(1) {
                return;
            }
            self.rest(end, rest);
        }
    }

    fn reference(&mut self, number: usize, at: usize, rest: &Rest<'_>) {
        let Some((start, end)) = self.places[number] else {
            return;
        };
        let wanted = self.text.get(start..end).unwrap_or_default();
        let found = self.text.get(at..at + wanted.len());
        let same = found.is_some_and(|found| {
            if self.tree.flags.ignore_case {
                found.eq_ignore_ascii_case(wanted)
            } else {
                found == wanted
            }
        });
        if same {
            self.rest(at + wanted.len(), rest);
        }
    }
}
