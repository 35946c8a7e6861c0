//! AVPs: named stacks of values that live as long as the transaction.

use script::{Str, Value};

/// A name: text, or a number where the configuration wrote `i:5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AvpName {
    /// A textual name.
    Text(Str),
    /// A numeric name.
    Number(i64),
}

/// All AVPs of one transaction; the newest value of a name is its first.
#[derive(Clone, Debug, Default)]
pub struct Avps {
    // Oldest first, so that adding on top is a push.
    values: Vec<(AvpName, Value)>,
}

impl Avps {
    /// The value at this position of the stack, 0 the newest.
    pub fn get(&self, name: &AvpName, at: usize) -> Option<&Value> {
        let values = self.values.iter().rev();
        values
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value)
            .nth(at)
    }

    /// The values of a name, newest first.
    pub fn stack<'a>(&'a self, name: &'a AvpName) -> impl Iterator<Item = &'a Value> {
        self.values
            .iter()
            .rev()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Adds on top.
    pub fn push(&mut self, name: AvpName, value: Value) {
        self.values.push((name, value));
    }

    /// Removes the newest value; false when there is none.
    pub fn remove_top(&mut self, name: &AvpName) -> bool {
        let newest = self.values.iter().rposition(|(known, _)| known == name);
        newest.is_some_and(|place| {
            self.values.remove(place);
            true
        })
    }

    /// Removes all values of a name; how many there were.
    pub fn clear(&mut self, name: &AvpName) -> usize {
        let before = self.values.len();
        self.values.retain(|(known, _)| known != name);
        before - self.values.len()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignment_stacks_and_position_zero_is_the_newest() {
        let name = AvpName::Number(5);
        let mut avps = Avps::default();
        avps.push(name.clone(), Value::Int(1));
        avps.push(name.clone(), Value::Int(2));
        assert_eq!(avps.get(&name, 0), Some(&Value::Int(2)));
        assert_eq!(avps.get(&name, 1), Some(&Value::Int(1)));
        assert!(avps.remove_top(&name));
        assert_eq!(avps.get(&name, 0), Some(&Value::Int(1)));
        assert_eq!(avps.clear(&name), 1);
        assert!(!avps.remove_top(&name));
    }
}
