//! Several short texts in one allocation.

/// `N` texts, one block of memory: the width of a length in bytes, their lengths, the texts.
#[derive(Clone, Debug)]
pub(crate) struct Packed<const N: usize>(Box<[u8]>);

impl<const N: usize> Packed<N> {
    pub(crate) fn new(texts: [&[u8]; N]) -> Self {
        let all: usize = texts.iter().map(|text| text.len()).sum();
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let width = match longest {
            0..0x100 => 1,
            0x100..0x1_0000 => 2,
            _ => 4,
        };
        let mut block = Vec::with_capacity(1 + N * width + all);
        block.push(width as u8);
        for text in texts {
            block.extend_from_slice(&(text.len() as u32).to_le_bytes()[..width]);
        }
        for text in texts {
            block.extend_from_slice(text);
        }
        Self(block.into_boxed_slice())
    }

    pub(crate) fn get(&self, field: usize) -> &[u8] {
        let width = usize::from(self.0[0]);
        let (lengths, texts) = self.0[1..].split_at(N * width);
        let mut lengths = lengths.chunks_exact(width).map(length);
        let start: usize = lengths.by_ref().take(field).sum();
        let length = lengths.next().unwrap_or(0);
        texts.get(start..start + length).unwrap_or_default()
    }

    /// Replaces some texts. Nothing is allocated when they are the same.
    pub(crate) fn set(&mut self, changes: &[(usize, &[u8])]) {
        if changes.iter().all(|&(field, text)| self.get(field) == text) {
            return;
        }
        let changed = Self::new(std::array::from_fn(|field| {
            let change = changes.iter().rev().find(|change| change.0 == field);
            change.map_or_else(|| self.get(field), |change| change.1)
        }));
        *self = changed;
    }
}

/// The number in one, two or four bytes, the lowest first.
fn length(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rev()
        .fold(0, |length, byte| length << 8 | usize::from(*byte))
}

/// What a call carries beside its fixed fields, newest first, in one allocation.
///
/// An item is its kind, the lengths of key and value, the key, the value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items(Box<[u8]>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The key is the profile's number, the value the membership's.
    Profile = 0,
    Variable = 1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) kind: Kind,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl Items {
    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The first byte, to have the block at hand.
    pub(crate) fn bytes_touched(&self) -> usize {
        self.0.first().copied().unwrap_or_default().into()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (item, tail) = decode(rest)?;
            rest = tail;
            Some(item)
        })
    }

    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.iter()
            .filter(move |item| item.kind == kind)
            .map(|item| (item.key, item.value))
    }

    /// Puts an item first.
    pub(crate) fn push(&mut self, item: Item<'_>) {
        let mut bytes = Vec::with_capacity(self.0.len() + item.encoded_len());
        item.encode(&mut bytes);
        bytes.extend_from_slice(&self.0);
        self.0 = bytes.into_boxed_slice();
    }

    /// Gives every item of this kind and key another value.
    pub(crate) fn replace(&mut self, kind: Kind, key: &[u8], value: &[u8]) {
        let mut bytes = Vec::with_capacity(self.0.len() + value.len());
        for item in self.iter() {
            let same = item.kind == kind && item.key == key;
            if same {
                Item { kind, key, value }.encode(&mut bytes)
            } else {
                item.encode(&mut bytes)
            }
        }
        self.0 = bytes.into_boxed_slice();
    }

    /// Drops the items for which `keep` is false.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Item<'_>) -> bool) {
        let mut bytes = Vec::with_capacity(self.0.len());
        self.iter()
            .filter(keep)
            .for_each(|item| item.encode(&mut bytes));
        self.0 = bytes.into_boxed_slice();
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

    fn encode(&self, bytes: &mut Vec<u8>) {
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

fn push_length(bytes: &mut Vec<u8>, length: usize) {
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
        let mut items = Items::default();
        let item = |key, value| Item {
            kind: Kind::Variable,
            key,
            value,
        };
        items.push(item(b"a", b"1"));
        items.push(item(b"b", b""));
        items.push(Item {
            kind: Kind::Profile,
            key: &[0, 1],
            value: b"x",
        });
        let long = [b'l'; 300];
        items.push(item(b"long", &long));
        let variables: Vec<_> = items.of_kind(Kind::Variable).collect();
        assert_eq!(variables[0], (b"long".as_slice(), long.as_slice()));
        assert_eq!(
            variables[1..],
            [(b"b".as_slice(), b"".as_slice()), (b"a", b"1")]
        );
        let length: usize = items.iter().map(|i| i.encoded_len()).sum();
        assert_eq!(length, items.bytes());
    }
}
