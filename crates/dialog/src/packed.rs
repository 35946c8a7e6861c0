//! Several short texts in one allocation, and behind them what a call carries beside its fixed fields.

use std::sync::Arc;

use smallvec::SmallVec;

/// `N` texts and any items, one block of memory: the width of a length in bytes, the texts' lengths, the texts, the
/// items. It is never changed, only replaced: a copy for those who look at a call is the same block.
#[derive(Clone, Debug)]
pub(crate) struct Packed<const N: usize>(Arc<[u8]>);

/// Bytes that come from memory together.
const CACHE_LINE: usize = 64;

/// A block in the making; most are shorter than this.
type Block = SmallVec<[u8; 512]>;

impl<const N: usize> Packed<N> {
    pub(crate) fn new(texts: [&[u8]; N]) -> Self {
        Self::with_items(texts, &[])
    }

    fn with_items(texts: [&[u8]; N], items: &[u8]) -> Self {
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let width = match longest {
            0..0x100 => 1,
            0x100..0x1_0000 => 2,
            _ => 4,
        };
        let mut block = Block::new();
        block.push(width as u8);
        if width == 1 {
            block.extend_from_slice(&texts.map(|text| text.len() as u8));
        } else {
            for text in texts {
                block.extend_from_slice(&(text.len() as u32).to_le_bytes()[..width]);
            }
        }
        for text in texts {
            block.extend_from_slice(text);
        }
        block.extend_from_slice(items);
        Self(Arc::from(&*block))
    }

    /// The block's head, to have it at hand.
    pub(crate) fn touch(&self) -> u8 {
        self.0[0]
    }

    /// The rest of it.
    pub(crate) fn touch_all(&self) -> u8 {
        let lines = self.0.iter().skip(CACHE_LINE).step_by(CACHE_LINE);
        lines.fold(0, |sum, byte| sum ^ byte)
    }

    /// The width of a length, the lengths, and what stands behind them.
    fn split(&self) -> (usize, &[u8], &[u8]) {
        let width = usize::from(self.0[0]);
        let (lengths, rest) = self.0[1..].split_at(N * width);
        (width, lengths, rest)
    }

    pub(crate) fn get(&self, field: usize) -> &[u8] {
        let [text] = self.get_from(field);
        text
    }

    /// Texts that stand side by side, from this one on.
    pub(crate) fn get_from<const M: usize>(&self, field: usize) -> [&[u8]; M] {
        let (width, lengths, texts) = self.split();
        let (before, lengths) = lengths.split_at(field * width);
        let mut rest = texts.get(sum(before, width)..).unwrap_or_default();
        let mut lengths = lengths.chunks_exact(width);
        std::array::from_fn(|_| {
            let length = lengths.next().map_or(0, |length| sum(length, width));
            let (text, behind) = rest.split_at_checked(length).unwrap_or_default();
            rest = behind;
            text
        })
    }

    /// Replaces some texts. Nothing is allocated when they are the same.
    pub(crate) fn set(&mut self, changes: &[(usize, &[u8])]) {
        if changes.iter().all(|&(field, text)| self.get(field) == text) {
            return;
        }
        let texts = std::array::from_fn(|field| {
            let change = changes.iter().rev().find(|change| change.0 == field);
            change.map_or_else(|| self.get(field), |change| change.1)
        });
        *self = Self::with_items(texts, self.items().0);
    }

    pub(crate) fn items(&self) -> Items<'_> {
        let (width, lengths, rest) = self.split();
        Items(rest.get(sum(lengths, width)..).unwrap_or_default())
    }

    /// Everything with other items, which `write` appends.
    fn change_items(&mut self, write: impl FnOnce(Items<'_>, &mut Block)) {
        let items = self.items();
        let mut block = Block::from_slice(&self.0[..self.0.len() - items.bytes()]);
        write(items, &mut block);
        self.0 = Arc::from(&*block);
    }

    /// Puts an item first.
    pub(crate) fn push(&mut self, item: Item<'_>) {
        self.change_items(|items, block| {
            item.encode(block);
            block.extend_from_slice(items.0);
        });
    }

    /// Gives every item of this kind and key another value.
    pub(crate) fn replace(&mut self, kind: Kind, key: &[u8], value: &[u8]) {
        self.change_items(|items, block| {
            for item in items.iter() {
                let same = item.kind == kind && item.key == key;
                match same {
                    true => Item { kind, key, value }.encode(block),
                    false => item.encode(block),
                }
            }
        });
    }

    /// Drops the items for which `keep` is false.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Item<'_>) -> bool) {
        self.change_items(|items, block| {
            let kept = items.iter().filter(keep);
            kept.for_each(|item| item.encode(block));
        });
    }
}

/// The sum of numbers of one, two or four bytes, the lowest first.
fn sum(numbers: &[u8], width: usize) -> usize {
    if width == 1 {
        return numbers.iter().map(|&number| usize::from(number)).sum();
    }
    let value = |bytes: &[u8]| {
        let digits = bytes.iter().rev();
        digits.fold(0, |value, digit| value << 8 | usize::from(*digit))
    };
    numbers.chunks_exact(width).map(value).sum()
}

/// What a call carries beside its fixed fields, newest first.
///
/// An item is its kind, the lengths of key and value, the key, the value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items<'a>(&'a [u8]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The key is a [`Membership`](crate::profile::Membership)'s, and the value.
    Profile = 0,
    Variable = 1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) kind: Kind,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl<'a> Items<'a> {
    pub(crate) fn bytes(self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Item<'a>> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (item, tail) = decode(rest)?;
            rest = tail;
            Some(item)
        })
    }

    pub(crate) fn of_kind(self, kind: Kind) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.iter()
            .filter(move |item| item.kind == kind)
            .map(|item| (item.key, item.value))
    }

    /// Whether there is one of this kind and key.
    pub(crate) fn has(self, kind: Kind, key: &[u8]) -> bool {
        self.of_kind(kind).any(|(known, _)| known == key)
    }
}

impl Item<'_> {
    /// Bytes that an item with this key and value takes.
    pub(crate) fn encoded_len(&self) -> usize {
        1 + length_len(self.key.len())
            + length_len(self.value.len())
            + self.key.len()
            + self.value.len()
    }

    fn encode(&self, bytes: &mut Block) {
        bytes.push(self.kind as u8);
        push_length(bytes, self.key.len());
        push_length(bytes, self.value.len());
        bytes.extend_from_slice(self.key);
        bytes.extend_from_slice(self.value);
    }
}

/// A length takes one byte, or five where one is not enough.
const fn length_len(length: usize) -> usize {
    if length < LONG as usize { 1 } else { 5 }
}

/// In the place of a length: it follows, four bytes long.
const LONG: u8 = u8::MAX;

fn push_length(bytes: &mut Block, length: usize) {
    if length < usize::from(LONG) {
        bytes.push(length as u8);
    } else {
        bytes.push(LONG);
        bytes.extend_from_slice(&(length as u32).to_le_bytes());
    }
}

fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < LONG {
        return Some((first.into(), rest));
    }
    let (length, rest) = rest.split_first_chunk()?;
    Some((u32::from_le_bytes(*length) as usize, rest))
}

fn decode(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    let (key, rest) = read_length(rest)?;
    let (value, rest) = read_length(rest)?;
    let (key, rest) = rest.split_at_checked(key)?;
    let (value, rest) = rest.split_at_checked(value)?;
    let kind = if kind == Kind::Profile as u8 {
        Kind::Profile
    } else {
        Kind::Variable
    };
    Some((Item { kind, key, value }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_replaced_in_place() {
        let mut packed = Packed::new([b"one".as_slice(), b"", b"three"]);
        packed.set(&[(1, b"two"), (2, b"3")]);
        assert_eq!(
            [0, 1, 2].map(|i| packed.get(i)),
            [b"one".as_slice(), b"two", b"3"]
        );
    }

    #[test]
    fn texts_of_any_length_are_kept_whole() {
        for length in [0, 1, 255, 256, 65_535, 65_536, 70_000] {
            let long = vec![b'x'; length];
            let mut packed = Packed::new([b"one".as_slice(), &long, b"three"]);
            assert_eq!(packed.get(0), b"one");
            assert_eq!(packed.get(1), long);
            assert_eq!(packed.get(2), b"three");
            packed.set(&[(1, b"short")]);
            assert_eq!(
                [packed.get(0), packed.get(1), packed.get(2)],
                [b"one".as_slice(), b"short", b"three"]
            );
        }
    }

    #[test]
    fn items_are_newest_first() {
        let mut packed = Packed::new([b"one".as_slice(), b"two"]);
        let item = |key, value| Item {
            kind: Kind::Variable,
            key,
            value,
        };
        packed.push(item(b"a", b"1"));
        packed.push(item(b"b", b""));
        packed.push(Item {
            kind: Kind::Profile,
            key: &[0, 1],
            value: b"x",
        });
        let long = [b'l'; 300];
        packed.push(item(b"long", &long));
        packed.set(&[(0, b"another")]);
        let variables: Vec<_> = packed.items().of_kind(Kind::Variable).collect();
        assert_eq!(variables[0], (b"long".as_slice(), long.as_slice()));
        assert_eq!(
            variables[1..],
            [(b"b".as_slice(), b"".as_slice()), (b"a", b"1")]
        );
        let items = packed.items();
        let length: usize = items.iter().map(|i| i.encoded_len()).sum();
        assert_eq!(length, items.bytes());
    }

    #[test]
    fn items_and_texts_do_not_touch_each_other() {
        let mut packed = Packed::new([b"one".as_slice(), b"two"]);
        let shown = |packed: &Packed<2>| {
            let items = packed.items();
            let keys: Vec<_> = items.iter().map(|item| item.key.to_vec()).collect();
            (
                packed.get(0).to_vec(),
                packed.get(1).to_vec(),
                keys.concat(),
            )
        };
        for (key, value) in [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")] {
            let kind = Kind::Variable;
            packed.push(Item { kind, key, value });
        }
        let copy = packed.clone();
        packed.set(&[(1, &[b'x'; 300])]);
        packed.replace(Kind::Variable, b"b", b"a longer value");
        packed.retain(|item| item.key != b"a");
        packed.set(&[(1, b"2")]);
        assert_eq!(shown(&packed), (b"one".into(), b"2".into(), b"cb".into()));
        let values: Vec<_> = packed.items().iter().map(|item| item.value).collect();
        assert_eq!(values, [b"3".as_slice(), b"a longer value"]);
        assert_eq!(shown(&copy), (b"one".into(), b"two".into(), b"cba".into()));
    }
}
