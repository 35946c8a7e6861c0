//! Expressions that come from variables: compiled once, as long as they are in use.

use crate::ere::{Ere, EreError, Flags};
use crate::value::Str;

/// Compiled expressions kept by one machine.
const LIMIT: usize = 8;

/// The most recently used expressions, latest first.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    list: Vec<(Str, Flags, Ere)>,
}

impl Patterns {
    /// The compiled form.
    pub(super) fn get(&mut self, pattern: &Str, flags: Flags) -> Result<Ere, EreError> {
        let known = self
            .list
            .iter()
            .position(|(text, how, _)| *how == flags && text == pattern);
        let entry = match known {
            Some(at) => self.list.remove(at),
            None => (pattern.clone(), flags, Ere::new(pattern, flags)?),
        };
        let ere = entry.2.clone();
        self.list.truncate(LIMIT - 1);
        self.list.insert(0, entry);
        Ok(ere)
    }
}
