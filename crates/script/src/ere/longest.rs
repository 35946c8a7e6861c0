//! The longest match from a given place, and its groups by the rule of POSIX: of all ways to match that much, the one
//! whose parts are the longest, counted from the left.
//!
//! For a node and a place, the set of places where it can end is worked out once and kept. That is enough for the
//! whole match; the groups follow from a walk down the tree along ends that lead to the end of the match.

use std::rc::Rc;

use smallvec::smallvec;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::tree::{Node, NodeId, Tree};
use super::{Budget, Captures, Place};

/// Places where something can end, the last one first.
type Ends = Rc<[usize]>;

/// The longest match from `start`; none if there is none, or if the budget is spent.
pub(super) fn captures(
    tree: &Tree,
    text: &[u8],
    start: usize,
    budget: &mut Budget,
) -> Option<Captures> {
    let mut search = Search {
        tree,
        text,
        known: HashMap::new(),
        places: smallvec![None; tree.groups + 1],
        budget,
    };
    let end = *search.ends(tree.root, start)?.first()?;
    search.walk(tree.root, start, end)?;
    search.places[0] = Some((start, end));
    Some(Captures(search.places))
}

struct Search<'a> {
    tree: &'a Tree,
    text: &'a [u8],
    known: HashMap<(NodeId, usize), Ends>,
    places: smallvec::SmallVec<[Place; 4]>,
    budget: &'a mut Budget,
}

impl<'a> Search<'a> {
    /// Where a node can end that begins at `at`; none if the budget is spent.
    fn ends(&mut self, id: NodeId, at: usize) -> Option<Ends> {
        let tree = self.tree;
        match tree.node(id) {
            Node::Set(set) => {
                let matches = self.text.get(at).is_some_and(|byte| set.contains(*byte));
                return self.spend(&[at + 1][..usize::from(matches)]);
            }
            Node::Look(look) => {
                let holds = tree.holds(*look, self.text, at);
                return self.spend(&[at][..usize::from(holds)]);
            }
            Node::Group(_, inner) => return self.ends(*inner, at),
            // Expressions with references are matched elsewhere.
            Node::Reference(_) => return None,
            Node::Sequence(_) | Node::Choice(_) | Node::Repeat(..) => {}
        }
        if let Some(known) = self.known.get(&(id, at)) {
            return Some(Rc::clone(known));
        }
        let mut ends = match tree.node(id) {
            Node::Sequence(parts) => self.sequence_ends(parts, at)?,
            Node::Choice(parts) => {
                let mut ends = BTreeSet::new();
                for part in parts {
                    ends.extend(self.ends(*part, at)?.iter().copied());
                }
                ends.into_iter().collect()
            }
            Node::Repeat(body, min, max) => self.repeat_ends(*body, (*min, *max), at)?,
            _ => Vec::new(),
        };
        ends.reverse();
        let ends = self.spend(&ends)?;
        self.known.insert((id, at), Rc::clone(&ends));
        Some(ends)
    }

    fn spend(&mut self, ends: &[usize]) -> Option<Ends> {
        self.budget.spend(1 + ends.len()).then(|| ends.into())
    }

    /// Rising.
    fn sequence_ends(&mut self, parts: &[NodeId], at: usize) -> Option<Vec<usize>> {
        let mut places = BTreeSet::from([at]);
        for part in parts {
            places = self.step(*part, &places)?;
        }
        Some(places.into_iter().collect())
    }

    /// Where a node can end that begins at one of these places.
    fn step(&mut self, id: NodeId, places: &BTreeSet<usize>) -> Option<BTreeSet<usize>> {
        let mut next = BTreeSet::new();
        for place in places {
            let ends = self.ends(id, *place)?;
            next.extend(ends.iter().copied());
        }
        Some(next)
    }

    /// Rising.
    fn repeat_ends(
        &mut self,
        body: NodeId,
        (min, max): (u32, Option<u32>),
        at: usize,
    ) -> Option<Vec<usize>> {
        if let Node::Set(set) = self.tree.node(body) {
            let most = max.map_or(usize::MAX, |max| max as usize);
            let rest = self.text.get(at..).unwrap_or_default().iter().take(most);
            let count = rest.take_while(|byte| set.contains(**byte)).count();
            return Some((at + min as usize..=at + count).collect());
        }
        let mut places = BTreeSet::from([at]);
        for _ in 0..min {
            let next = self.step(body, &places)?;
            if next == places || next.is_empty() {
                places = next;
                break;
            }
            places = next;
        }
        let mut reached = places.clone();
        let mut count = min;
        while !places.is_empty() && max.is_none_or(|max| count < max) {
            let next = self.step(body, &places)?;
            places = next.difference(&reached).copied().collect();
            reached.extend(places.iter().copied());
            count = count.saturating_add(1);
        }
        Some(reached.into_iter().collect())
    }

    /// Notes the groups of a node that matches from `start` to `end`; none if the budget is spent.
    fn walk(&mut self, id: NodeId, start: usize, end: usize) -> Option<()> {
        let tree = self.tree;
        match tree.node(id) {
            Node::Set(_) | Node::Look(_) | Node::Reference(_) => Some(()),
            Node::Group(number, inner) => {
                self.walk(*inner, start, end)?;
                self.places[*number] = Some((start, end));
                Some(())
            }
            Node::Choice(parts) => {
                for part in parts {
                    if self.ends(*part, start)?.contains(&end) {
                        return self.walk(*part, start, end);
                    }
                }
                Some(())
            }
            Node::Sequence(parts) => self.walk_sequence(parts, start, end),
            Node::Repeat(body, ..) if matches!(tree.node(*body), Node::Set(_)) => Some(()),
            Node::Repeat(body, min, max) => self.walk_repeat(*body, (*min, *max), start, end),
        }
    }

    /// Each part as long as the parts behind it allow.
    fn walk_sequence(&mut self, parts: &[NodeId], start: usize, end: usize) -> Option<()> {
        let mut reached = vec![BTreeSet::from([start])];
        for part in parts {
            let last = reached.last()?;
            let next = self.step(*part, &last.clone())?;
            reached.push(next);
        }
        // From the right: which of these places lead to the end.
        let mut good = BTreeSet::from([end]);
        let mut leading = vec![good.clone()];
        for (part, places) in parts.iter().zip(&reached).rev() {
            let mut before = BTreeSet::new();
            for place in places {
                if self
                    .ends(*part, *place)?
                    .iter()
                    .any(|end| good.contains(end))
                {
                    before.insert(*place);
                }
            }
            leading.push(before.clone());
            good = before;
        }
        let mut at = start;
        for (number, part) in parts.iter().enumerate() {
            let good = &leading[parts.len() - number - 1];
            let ends = self.ends(*part, at)?;
            let next = ends.iter().copied().find(|end| good.contains(end))?;
            self.walk(*part, at, next)?;
            at = next;
        }
        Some(())
    }

    /// Each round as long as the rounds behind it allow.
    fn walk_repeat(
        &mut self,
        body: NodeId,
        (min, max): (u32, Option<u32>),
        start: usize,
        end: usize,
    ) -> Option<()> {
        // Of the rounds beyond the first `min`, only those that are limited have to be counted.
        let state =
            |count: u32, at: usize| (if max.is_none() { count.min(min) } else { count }, at);
        let mut hopeless: HashSet<(u32, usize)> = HashSet::new();
        let mut rounds: Vec<(usize, Ends, usize)> = Vec::new();
        let mut at = start;
        loop {
            let count = rounds.len() as u32;
            if at == end && count >= min {
                break;
            }
            let may_go_on =
                max.is_none_or(|max| count < max) && !hopeless.contains(&state(count, at));
            if may_go_on {
                rounds.push((at, self.ends(body, at)?, 0));
            }
            // The next end of the last round that is worth trying, else of the one before it.
            loop {
                let count = rounds.len() as u32;
                let Some((from, ends, next)) = rounds.last_mut() else {
                    return Some(());
                };
                let found = ends.get(*next).copied();
                *next += 1;
                match found {
                    Some(to) if to > end || (to == *from && count > min) => {}
                    Some(to) if hopeless.contains(&state(count, to)) => {}
                    Some(to) => {
                        at = to;
                        break;
                    }
                    None => {
                        hopeless.insert(state(count - 1, *from));
                        rounds.pop();
                    }
                }
                if !self.budget.spend(1) {
                    return None;
                }
            }
        }
        for (number, (from, ends, next)) in rounds.iter().enumerate() {
            let to = rounds
                .get(number + 1)
                .map_or(ends[next - 1], |(from, ..)| *from);
            self.walk(body, *from, to)?;
        }
        Some(())
    }
}
