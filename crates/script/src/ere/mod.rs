//! POSIX extended regular expressions, with GNU's additions: of several matches the leftmost, and of these the
//! longest. Matching is bytewise, as in the C locale.
//!
//! The `regex` crate answers whether and where an expression matches. How far a match goes, and what its groups are,
//! is its answer too where leftmost-first and leftmost-longest are the same; else it is found here, within a budget.

mod backtrack;
mod longest;
mod parse;
mod translate;
mod tree;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};
use smallvec::SmallVec;

use tree::Tree;

/// The largest compiled form of one expression, in bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// How many steps finding all longest matches in one text may take. Beyond it the leftmost alternative wins; an
/// expression with a back-reference does not match.
const STEPS_MAX: usize = 100_000;

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
    /// What the crate can't answer; none where it can answer everything.
    tree: Option<Arc<Tree>>,
}

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EreError(pub String);

impl fmt::Display for EreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a group matched, from its first byte to behind its last one.
type Place = Option<(usize, usize)>;

/// One match: where it is, and where its groups are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captures(SmallVec<[Place; 4]>);

impl Captures {
    /// The place of a group; 0 is the whole match.
    pub fn get(&self, group: usize) -> Option<Range<usize>> {
        self.0
            .get(group)
            .copied()
            .flatten()
            .map(|(start, end)| start..end)
    }

    /// The place of the whole match.
    pub fn whole(&self) -> Range<usize> {
        self.get(0).unwrap_or_default()
    }
}

impl Ere {
    /// Compiles an expression.
    pub fn new(pattern: &[u8], flags: Flags) -> Result<Self, EreError> {
        let tree = parse::parse(pattern, flags)?;
        let regex = RegexBuilder::new(&translate::translate(&tree))
            .unicode(false)
            .multi_line(flags.lines)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| EreError(last_line(&error)))?;
        let tree = (!tree.is_plain()).then(|| Arc::new(tree));
        Ok(Self { regex, tree })
    }

    /// Whether it matches anywhere.
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &self.tree {
            Some(tree) if tree.has_references => self.captures(text).is_some(),
            _ => self.regex.is_match(text),
        }
    }

    /// The first match.
    pub fn captures(&self, text: &[u8]) -> Option<Captures> {
        self.captures_at(text, 0, &mut Budget(STEPS_MAX))
    }

    /// All matches that do not overlap, in order.
    pub fn captures_iter<'e, 't>(&'e self, text: &'t [u8]) -> Matches<'e, 't> {
        Matches {
            ere: self,
            text,
            at: 0,
            last_end: None,
            budget: Budget(STEPS_MAX),
        }
    }

    /// How many groups it has, the whole match included.
    pub fn groups(&self) -> usize {
        match &self.tree {
            Some(tree) => tree.groups + 1,
            None => self.regex.captures_len(),
        }
    }

    fn captures_at(&self, text: &[u8], at: usize, budget: &mut Budget) -> Option<Captures> {
        match &self.tree {
            None => self.first(text, at),
            Some(tree) if tree.has_references => self.with_references(tree, text, at, budget),
            Some(tree) => {
                let start = self.regex.find_at(text, at)?.start();
                let longest = longest::captures(tree, text, start, budget);
                longest.or_else(|| self.first(text, at))
            }
        }
    }

    /// The leftmost-first match.
    fn first(&self, text: &[u8], at: usize) -> Option<Captures> {
        let found = self.regex.captures_at(text, at)?;
        let places = found
            .iter()
            .map(|group| group.map(|g| (g.start(), g.end())));
        Some(Captures(places.collect()))
    }

    /// The crate's expression takes anything for a back-reference, so that it finds every place worth trying.
    fn with_references(
        &self,
        tree: &Tree,
        text: &[u8],
        mut at: usize,
        budget: &mut Budget,
    ) -> Option<Captures> {
        loop {
            let start = self.regex.find_at(text, at)?.start();
            if let Some(found) = backtrack::captures(tree, text, start, budget) {
                return Some(found);
            }
            at = start + 1;
            if at > text.len() || budget.is_spent() {
                return None;
            }
        }
    }
}

impl fmt::Debug for Ere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ere({})", self.regex.as_str())
    }
}

/// All matches of an expression in a text.
#[derive(Debug)]
pub struct Matches<'e, 't> {
    ere: &'e Ere,
    text: &'t [u8],
    at: usize,
    last_end: Option<usize>,
    budget: Budget,
}

impl Iterator for Matches<'_, '_> {
    type Item = Captures;

    fn next(&mut self) -> Option<Captures> {
        while self.at <= self.text.len() {
            let found = self.ere.captures_at(self.text, self.at, &mut self.budget)?;
            let whole = found.whole();
            // Nothing behind the last match is no further match.
            if whole.is_empty() && Some(whole.end) == self.last_end {
                self.at += 1;
                continue;
            }
            self.at = whole.end;
            self.last_end = Some(whole.end);
            return Some(found);
        }
        None
    }
}

/// The steps that are left.
#[derive(Debug)]
struct Budget(usize);

impl Budget {
    /// Takes so many steps; false if there are not so many left.
    fn spend(&mut self, steps: usize) -> bool {
        let left = self.0.checked_sub(steps);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }

    const fn is_spent(&self) -> bool {
        self.0 == 0
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

#[cfg(test)]
mod tests;
