//! The variables of all calls, while the calls are read: packed, for there may be millions of them.

use std::collections::HashMap;
use std::ops::Range;

use dialog::DialogId;

/// Names and values of one call, newest first.
pub(super) type OfOne = Vec<(Vec<u8>, Vec<u8>)>;

/// Variables as their rows come, in any order.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Of each one its two lengths, its name, its value.
    texts: Vec<u8>,
    places: Vec<Place>,
}

/// Whose a variable is, and where. In this order: those of a call one after the other, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    id: DialogId,
    at: usize,
}

/// The same by calls.
#[derive(Debug, Default)]
pub(super) struct Variables {
    texts: Vec<u8>,
    places: Vec<Place>,
    /// Where the places of a slot of the table of calls are.
    slots: HashMap<u32, Range<usize>>,
    /// Calls whose variables nobody has taken.
    left: usize,
}

/// In the place of a place: it was taken.
const TAKEN: usize = usize::MAX;

impl Collected {
    /// Adds one. A name or a value of 4 GB and more is cut off; no column holds such a text.
    pub(super) fn add(&mut self, id: DialogId, name: &[u8], value: &[u8]) {
        let at = self.texts.len();
        self.places.push(Place { id, at });
        for text in [name, value] {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            self.texts.extend_from_slice(&length.to_le_bytes());
        }
        for text in [name, value] {
            let length = text.len().min(u32::MAX as usize);
            self.texts.extend_from_slice(&text[..length]);
        }
    }

    /// All are there.
    pub(super) fn by_call(self) -> Variables {
        let Self { texts, mut places } = self;
        places.sort_unstable();
        let mut slots = HashMap::new();
        let mut start = 0;
        for slot in places.chunk_by(|one, other| one.id.h_entry == other.id.h_entry) {
            slots.insert(slot[0].id.h_entry, start..start + slot.len());
            start += slot.len();
        }
        let left = places.chunk_by(|one, other| one.id == other.id).count();
        Variables {
            texts,
            places,
            slots,
            left,
        }
    }
}

impl Variables {
    /// Those of a call; none the second time. Of two with the same name the newer one counts, in the place of the
    /// older one.
    pub(super) fn take(&mut self, id: DialogId) -> OfOne {
        let Some(slot) = self.slots.get(&id.h_entry) else {
            return OfOne::new();
        };
        let slot = &mut self.places[slot.clone()];
        let start = slot.partition_point(|place| place.id < id);
        let own = slot[start..].iter_mut().take_while(|place| place.id == id);
        let mut variables = OfOne::new();
        let mut is_first = true;
        for place in own {
            let at = std::mem::replace(&mut place.at, TAKEN);
            let Some((name, value)) = text_at(&self.texts, at) else {
                return variables;
            };
            self.left -= usize::from(std::mem::take(&mut is_first));
            put(&mut variables, name, value);
        }
        variables
    }

    /// How many calls have variables that were not taken.
    pub(super) fn left(&self) -> usize {
        self.left
    }
}

fn text_at(texts: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let (name, rest) = texts.get(at..)?.split_first_chunk()?;
    let (value, rest) = rest.split_first_chunk()?;
    let (name, value) = (u32::from_le_bytes(*name), u32::from_le_bytes(*value));
    let (name, rest) = rest.split_at_checked(name as usize)?;
    Some((name, rest.get(..value as usize)?))
}

/// Puts a variable first; a second value of the same name takes the place of the first.
pub(super) fn put(variables: &mut OfOne, name: &[u8], value: &[u8]) {
    match variables.iter_mut().find(|(known, _)| known == name) {
        Some(known) => known.1 = value.to_vec(),
        None => variables.insert(0, (name.to_vec(), value.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(h_entry: u32, h_id: u32) -> DialogId {
        DialogId { h_entry, h_id }
    }

    fn shown(variables: &OfOne) -> Vec<String> {
        let pairs = variables.iter().map(|(name, value)| {
            let text = String::from_utf8_lossy;
            format!("{}={}", text(name), text(value))
        });
        pairs.collect()
    }

    #[test]
    fn each_call_gets_its_own_whatever_the_order_of_the_rows() {
        let mut rows = Collected::default();
        let long = "v".repeat(70_000);
        rows.add(id(7, 2), b"b", b"1");
        rows.add(id(7, u32::MAX), b"a", b"");
        rows.add(id(u32::MAX, 2), b"", long.as_bytes());
        rows.add(id(7, 2), b"a", b"2");
        rows.add(id(7, 1), b"a", b"3");
        rows.add(id(7, 2), b"b", b"4");
        let mut variables = rows.by_call();
        assert_eq!(variables.left(), 4);
        assert_eq!(shown(&variables.take(id(7, 2))), ["a=2", "b=4"]);
        assert_eq!(shown(&variables.take(id(7, 2))), [""; 0]);
        assert_eq!(shown(&variables.take(id(7, 3))), [""; 0]);
        assert_eq!(shown(&variables.take(id(8, 2))), [""; 0]);
        assert_eq!(shown(&variables.take(id(7, u32::MAX))), ["a="]);
        assert_eq!(variables.left(), 2);
        assert_eq!(
            shown(&variables.take(id(u32::MAX, 2))),
            [format!("={long}")]
        );
        assert_eq!(shown(&variables.take(id(7, 1))), ["a=3"]);
        assert_eq!(variables.left(), 0);
    }
}
