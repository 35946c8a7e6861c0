//! Several short texts in one allocation, with their ends beside it.

/// `N` texts, one block of memory.
#[derive(Clone, Debug)]
pub(crate) struct Packed<const N: usize> {
    bytes: Box<[u8]>,
    ends: [u32; N],
}

impl<const N: usize> Packed<N> {
    pub(crate) fn new(texts: [&[u8]; N]) -> Self {
        let mut bytes = Vec::with_capacity(texts.iter().map(|t| t.len()).sum());
        let ends = texts.map(|text| {
            bytes.extend_from_slice(text);
            u32::try_from(bytes.len()).unwrap_or(u32::MAX)
        });
        Self {
            bytes: bytes.into_boxed_slice(),
            ends,
        }
    }

    pub(crate) fn get(&self, field: usize) -> &[u8] {
        let start = if field == 0 {
            0
        } else {
            self.ends[field - 1] as usize
        };
        self.bytes
            .get(start..self.ends[field] as usize)
            .unwrap_or_default()
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

const HEAD: usize = 7;

impl Items {
    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
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
        HEAD + self.key.len() + self.value.len()
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        let key_len = u16::try_from(self.key.len()).unwrap_or(u16::MAX);
        let value_len = u32::try_from(self.value.len()).unwrap_or(u32::MAX);
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&key_len.to_le_bytes());
        bytes.extend_from_slice(&value_len.to_le_bytes());
        bytes.extend_from_slice(&self.key[..usize::from(key_len)]);
        bytes.extend_from_slice(&self.value[..value_len as usize]);
    }
}

fn decode(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let [kind, k0, k1, v0, v1, v2, v3] = *head;
    let (key, rest) = rest.split_at_checked(u16::from_le_bytes([k0, k1]).into())?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes([v0, v1, v2, v3]) as usize)?;
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
        let variables: Vec<_> = items.of_kind(Kind::Variable).collect();
        assert_eq!(variables, [(b"b".as_slice(), b"".as_slice()), (b"a", b"1")]);
        let length: usize = items.iter().map(|i| i.encoded_len()).sum();
        assert_eq!(length, items.bytes());
    }
}
