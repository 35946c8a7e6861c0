//! Reads what `valgrind --tool=callgrind` wrote: the instructions of each function, and of all that it called.

use std::collections::HashMap;

/// One output file.
#[derive(Debug, Default)]
pub struct Profile {
    /// Names by number: the file writes each name once.
    names: HashMap<String, String>,
    /// Instructions of each function and of all that it called, by number.
    inclusive: HashMap<String, u64>,
    /// Of each function alone.
    own: HashMap<String, u64>,
}

impl Profile {
    /// Reads the text of the file.
    pub fn read(text: &str) -> Self {
        let mut profile = Self::default();
        let (mut at, mut is_of_a_call) = (String::new(), false);
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("fn=") {
                at = profile.number(name);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                profile.number(name);
            } else if line.starts_with("calls=") {
                is_of_a_call = true;
            } else if line
                .starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
                && let Some(cost) = line.rsplit(' ').next().and_then(|text| text.parse().ok())
            {
                let cost: u64 = cost;
                *profile.inclusive.entry(at.clone()).or_default() += cost;
                // The line after `calls=` says what the call took, any other what the function itself did.
                if !std::mem::take(&mut is_of_a_call) {
                    *profile.own.entry(at.clone()).or_default() += cost;
                }
            }
        }
        profile
    }

    /// `(12) name` the first time, `(12)` later.
    fn number(&mut self, text: &str) -> String {
        let (number, name) = text.split_once(' ').unwrap_or((text, ""));
        if !name.is_empty() {
            self.names.insert(number.to_owned(), name.to_owned());
        }
        number.to_owned()
    }

    fn numbers<'a>(&'a self, of: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'a str> {
        let names = self.names.iter();
        names
            .filter(move |(_, name)| of(name))
            .map(|(n, _)| n.as_str())
    }

    /// Instructions of the functions with such names and all that they called.
    pub fn inclusive(&self, of: impl Fn(&str) -> bool) -> u64 {
        self.numbers(of).filter_map(|n| self.inclusive.get(n)).sum()
    }

    /// The functions that did most themselves, with their instructions, the costliest first.
    pub fn costliest(&self, count: usize) -> Vec<(&str, u64)> {
        let own = self.own.iter();
        let mut all: Vec<(&str, u64)> = own
            .map(|(number, cost)| (self.names.get(number).map_or("?", String::as_str), *cost))
            .collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "events: Ir\n\nfn=(1) core::step\n0 10\ncfn=(2) malloc\ncalls=3 0\n0 60\n* 5\n\n\
        fn=(2)\n0 60\n\ntotals: 135\n";

    #[test]
    fn costs_are_of_the_function_and_of_what_it_called() {
        let profile = Profile::read(TEXT);
        assert_eq!(profile.inclusive(|name| name.ends_with("step")), 75);
        assert_eq!(profile.costliest(9), [("malloc", 60), ("core::step", 15)]);
    }
}
