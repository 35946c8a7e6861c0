//! The calls of one set of a profile. Each is told where it stands, and is found there again: nothing is searched, and
//! calls that come and go beside a million others stay among the pages that are in use anyway.

use smallvec::SmallVec;

use crate::id::DialogId;
use crate::paged::{Number, Paged};

/// Calls that are searched from end to end; they need no place.
const FEW: usize = 16;

/// A set of calls.
#[derive(Debug, Default)]
pub(crate) struct Members {
    few: SmallVec<[DialogId; 2]>,
    /// The others.
    many: Option<Box<Paged<DialogId>>>,
}

/// Where a call stands in a set: none for one of the few.
pub(crate) type Place = Option<Number>;

impl Members {
    pub(crate) fn len(&self) -> usize {
        self.few.len() + self.many.as_ref().map_or(0, |many| many.len())
    }

    /// Adds a call that is not in the set.
    pub(crate) fn insert(&mut self, call: DialogId) -> Place {
        if self.few.len() < FEW {
            self.few.push(call);
            return None;
        }
        Some(self.many.get_or_insert_default().insert(call))
    }

    /// Takes a call out of its place; nothing happens if it is not there.
    pub(crate) fn remove(&mut self, call: DialogId, place: Place) {
        match (place, &mut self.many) {
            (None, _) => self.few.retain(|member| *member != call),
            (Some(number), Some(many)) if many.get(number) == Some(&call) => {
                many.remove(number);
            }
            _ => {}
        }
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = DialogId> {
        let many = self.many.iter().flat_map(|many| many.iter());
        self.few.iter().chain(many).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn call(number: usize) -> DialogId {
        DialogId {
            h_entry: 1,
            h_id: number as u32,
        }
    }

    #[test]
    fn a_call_is_taken_out_of_its_own_place_alone() {
        let mut members = Members::default();
        let places: Vec<Place> = (0..100).map(|i| members.insert(call(i))).collect();
        members.remove(call(7), places[50]);
        members.remove(call(50), places[51]);
        members.remove(call(50), None);
        assert_eq!(members.len(), 100);
        members.remove(call(50), places[50]);
        members.remove(call(50), places[50]);
        assert_eq!(members.len(), 99);
    }

    proptest! {
        #[test]
        fn holds_what_a_map_holds(steps in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..500)) {
            let (mut members, mut map) = (Members::default(), BTreeMap::new());
            for (step, (inserts, which)) in steps.into_iter().enumerate() {
                if inserts || map.is_empty() {
                    map.insert(call(step), members.insert(call(step)));
                } else {
                    let calls: Vec<DialogId> = map.keys().copied().collect();
                    let call = *which.get(&calls);
                    members.remove(call, map[&call]);
                    map.remove(&call);
                }
                prop_assert_eq!(members.len(), map.len());
            }
            let mut all: Vec<DialogId> = members.iter().collect();
            all.sort_unstable();
            prop_assert!(all.iter().eq(map.keys()));
        }
    }
}
