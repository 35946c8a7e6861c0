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

/// Which values of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvpAt {
    /// The one at this position of the stack, 0 the newest.
    Position(usize),
    /// All of them.
    All,
}

/// All AVPs of one transaction; the newest value of a name is its first.
#[derive(Clone, Debug, Default)]
pub struct Avps {
    // Oldest first, so that adding on top is a push.
    values: Vec<Avp>,
}

#[derive(Clone, Debug)]
struct Avp {
    name: AvpName,
    value: Value,
    /// The 32 flags of `setavpflag()`.
    flags: u32,
}

impl Avps {
    /// The value at this position of the stack, 0 the newest.
    pub fn get(&self, name: &AvpName, at: usize) -> Option<&Value> {
        let values = self.values.iter().rev();
        values
            .filter(|avp| avp.name == *name)
            .map(|avp| &avp.value)
            .nth(at)
    }

    /// The values of a name, newest first.
    pub fn stack<'a>(&'a self, name: &'a AvpName) -> impl Iterator<Item = &'a Value> {
        let values = self.values.iter().rev();
        values
            .filter(move |avp| avp.name == *name)
            .map(|avp| &avp.value)
    }

    /// Adds on top, without flags.
    pub fn push(&mut self, name: AvpName, value: Value) {
        self.values.push(Avp {
            name,
            value,
            flags: 0,
        });
    }

    /// Removes the newest value; false when there is none.
    pub fn remove_top(&mut self, name: &AvpName) -> bool {
        let newest = self.values.iter().rposition(|avp| avp.name == *name);
        newest.is_some_and(|place| {
            self.values.remove(place);
            true
        })
    }

    /// Removes all values of a name; how many there were.
    pub fn clear(&mut self, name: &AvpName) -> usize {
        let before = self.values.len();
        self.values.retain(|avp| avp.name != *name);
        before - self.values.len()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The flags of the values that are meant, newest first.
    pub fn flags(&mut self, name: &AvpName, at: AvpAt) -> impl Iterator<Item = &mut u32> {
        let (first, count) = match at {
            AvpAt::Position(at) => (at, 1),
            AvpAt::All => (0, usize::MAX),
        };
        let values = self.values.iter_mut().rev();
        values
            .filter(move |avp| avp.name == *name)
            .map(|avp| &mut avp.flags)
            .skip(first)
            .take(count)
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

    #[test]
    fn each_value_has_its_own_flags_and_begins_without_any() {
        let name = AvpName::Number(5);
        let mut avps = Avps::default();
        avps.push(name.clone(), Value::Int(1));
        avps.push(name.clone(), Value::Int(2));
        for flags in avps.flags(&name, AvpAt::Position(1)) {
            *flags |= 1;
        }
        let all = |avps: &mut Avps| -> Vec<u32> {
            avps.flags(&name, AvpAt::All).map(|flags| *flags).collect()
        };
        assert_eq!(all(&mut avps), [0, 1]);
        assert!(avps.remove_top(&name));
        avps.push(name.clone(), Value::Int(3));
        assert_eq!(all(&mut avps), [0, 1]);
        assert_eq!(avps.flags(&name, AvpAt::Position(2)).count(), 0);
    }
}
