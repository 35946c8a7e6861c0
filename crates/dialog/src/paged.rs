//! Values by number, in pages: nothing is moved when there are more of them, little is kept for those to come, and
//! no value has an allocation of its own.

use std::num::NonZeroU32;

/// Values of a page: as many as a word has bits.
const PAGE: usize = u32::BITS as usize;

/// Names a value; it takes no more memory where there may be none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(NonZeroU32);

/// A table of values. A number belongs to its value until that is removed, then to another one.
#[derive(Debug)]
pub(crate) struct Paged<T> {
    pages: Vec<Page<T>>,
    /// A bit for each page that has memory and room, the lowest bit first. The first of them is filled first, so that
    /// the last ones become empty and go.
    room: Vec<u64>,
    /// No word of these before this one has a bit.
    full: usize,
    /// Pages without memory.
    vacant: Vec<u32>,
    /// Free places of the pages that have memory.
    free: usize,
}

#[derive(Debug)]
struct Page<T> {
    /// [`PAGE`], or none.
    values: Box<[Option<T>]>,
    /// A bit for each that is there.
    used: u32,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            room: Vec::new(),
            full: 0,
            vacant: Vec::new(),
            free: 0,
        }
    }
}

impl<T> Paged<T> {
    /// Adds a value; its number.
    pub(crate) fn insert(&mut self, value: T) -> Number {
        let number = match self.with_room() {
            Some(number) => number,
            None => self.add_page(),
        };
        let page = &mut self.pages[number];
        let place = page.used.trailing_ones() as usize;
        page.used |= 1 << place;
        page.values[place] = Some(value);
        self.free -= 1;
        if page.used == u32::MAX {
            self.set_room(number, false);
        }
        Number::of(number, place)
    }

    pub(crate) fn get(&self, number: Number) -> Option<&T> {
        let (page, place) = number.split();
        self.pages.get(page)?.values.get(place)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: Number) -> Option<&mut T> {
        let (page, place) = number.split();
        self.pages.get_mut(page)?.values.get_mut(place)?.as_mut()
    }

    pub(crate) fn remove(&mut self, number: Number) -> Option<T> {
        let (at, place) = number.split();
        let page = self.pages.get_mut(at)?;
        let value = page.values.get_mut(place)?.take()?;
        page.used &= !(1 << place);
        let is_empty = page.used == 0;
        self.free += 1;
        self.set_room(at, true);
        // Not the last one with room: calls that come and go would make and drop it each time.
        if is_empty && self.free >= 2 * PAGE {
            self.drop_page(at);
        }
        Some(value)
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        (self.pages.len() - self.vacant.len()) * PAGE - self.free
    }

    /// All values, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages
            .iter()
            .flat_map(|page| page.values.iter().flatten())
    }

    fn with_room(&mut self) -> Option<usize> {
        let words = &self.room[self.full..];
        let full = words.iter().take_while(|&&word| word == 0).count();
        self.full += full;
        let word = self.room.get(self.full)?;
        Some(self.full * BITS + word.trailing_zeros() as usize)
    }

    fn set_room(&mut self, page: usize, has_room: bool) {
        let bit = 1 << (page % BITS);
        match has_room {
            true => {
                self.room[page / BITS] |= bit;
                self.full = self.full.min(page / BITS);
            }
            false => self.room[page / BITS] &= !bit,
        }
    }

    /// Gives a page memory, a new one if all have some.
    fn add_page(&mut self) -> usize {
        let page = Page {
            values: std::iter::repeat_with(|| None).take(PAGE).collect(),
            used: 0,
        };
        let number = match self.vacant.pop() {
            Some(number) => {
                self.pages[number as usize] = page;
                number as usize
            }
            None => {
                self.pages.push(page);
                self.room.resize(self.pages.len().div_ceil(BITS), 0);
                self.pages.len() - 1
            }
        };
        self.free += PAGE;
        self.set_room(number, true);
        number
    }

    fn drop_page(&mut self, number: usize) {
        self.pages[number].values = Box::default();
        self.free -= PAGE;
        self.set_room(number, false);
        self.vacant.push(number as u32);
    }
}

/// Bits of a word of [`Paged::room`].
const BITS: usize = u64::BITS as usize;

impl Number {
    /// As it is written down.
    pub(crate) const fn bits(self) -> u32 {
        self.0.get()
    }

    /// From what was written down; `None` from 0.
    pub(crate) fn from_bits(bits: u32) -> Option<Self> {
        NonZeroU32::new(bits).map(Self)
    }

    fn of(page: usize, place: usize) -> Self {
        let index = (page * PAGE + place) as u32;
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    /// The page, and the place in it.
    const fn split(self) -> (usize, usize) {
        let index = self.0.get() as usize - 1;
        (index / PAGE, index % PAGE)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn memory_goes_with_the_values() {
        let mut table = Paged::default();
        let numbers: Vec<Number> = (0..10_000).map(|value| table.insert(value)).collect();
        let with_memory = |table: &Paged<_>| {
            let pages = table.pages.iter();
            pages.filter(|page| !page.values.is_empty()).count()
        };
        assert_eq!(with_memory(&table), 10_000_usize.div_ceil(PAGE));
        for number in &numbers[10..] {
            table.remove(*number);
        }
        assert!(with_memory(&table) <= 2, "{}", with_memory(&table));
        assert_eq!(table.iter().count(), 10);
    }

    #[test]
    fn what_comes_and_goes_keeps_its_memory() {
        let mut table = Paged::default();
        let number = table.insert(1);
        table.remove(number);
        let page = table.pages[0].values.as_ptr();
        assert_eq!(table.insert(2), number);
        assert_eq!(table.pages[0].values.as_ptr(), page);
    }

    #[test]
    fn the_lowest_free_place_is_taken_first() {
        let mut table = Paged::default();
        let numbers: Vec<Number> = (0..10_000).map(|value| table.insert(value)).collect();
        for free in [[77, 5000, 9000], [9500, 3, 6000]] {
            for place in free {
                table.remove(numbers[place]);
            }
            let mut taken = free.map(|place| numbers[place]);
            taken.sort_unstable();
            assert_eq!([0, 1, 2].map(|value| table.insert(value)), taken);
        }
        assert!(table.insert(0) > numbers[9_999]);
    }

    proptest! {
        #[test]
        fn holds_what_a_map_holds(steps in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..2000)) {
            let (mut table, mut map) = (Paged::default(), BTreeMap::new());
            for (step, (inserts, which)) in steps.into_iter().enumerate() {
                if inserts || map.is_empty() {
                    let number = table.insert(step);
                    prop_assert_eq!(map.insert(number, step), None);
                } else {
                    let numbers: Vec<Number> = map.keys().copied().collect();
                    let number = *which.get(&numbers);
                    prop_assert_eq!(table.remove(number), map.remove(&number));
                    prop_assert_eq!(table.remove(number), None);
                }
            }
            for (number, value) in &map {
                prop_assert_eq!(table.get(*number), Some(value));
                prop_assert_eq!(table.get_mut(*number).map(|value| *value), Some(*value));
            }
            prop_assert!(table.iter().eq(map.values()));
            prop_assert_eq!(table.len(), map.len());
            let places: usize = table.pages.iter().map(|page| page.values.len()).sum();
            prop_assert_eq!(table.free, places - map.len());
        }
    }
}
