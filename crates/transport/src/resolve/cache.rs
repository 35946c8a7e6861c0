//! Answers that are kept: a bounded table by question. Time is an argument.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use sip::Transport;
use timer::Time;

use super::order::Answer;
use super::{Query, ResolveError};

/// A question that can be looked up without allocating.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a>(Query<'a>);

impl<'a> Key<'a> {
    /// `None` if the host cannot be a name: labels of 1 to 63 letters, digits, hyphens and
    /// underscores, 253 characters in all.
    pub(super) fn new(query: &Query<'a>) -> Option<Self> {
        let host = query.host.strip_suffix('.').unwrap_or(query.host);
        let is_label = |label: &[u8]| {
            (1..=63).contains(&label.len())
                && label
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let good = host.len() <= 253 && host.as_bytes().split(|b| *b == b'.').all(is_label);
        good.then_some(Self(Query { host, ..*query }))
    }
}

type Known = Result<Arc<Answer>, ResolveError>;

#[derive(Debug)]
struct Entry {
    host: Box<str>,
    port: Option<u16>,
    transport: Option<Transport>,
    secure: bool,
    expires: Time,
    answer: Known,
}

impl Entry {
    fn is_for(&self, key: &Key<'_>) -> bool {
        self.port == key.0.port
            && self.transport == key.0.transport
            && self.secure == key.0.secure
            && self.host.eq_ignore_ascii_case(key.0.host)
    }

    fn key(&self) -> Key<'_> {
        Key(Query {
            host: &self.host,
            port: self.port,
            transport: self.transport,
            secure: self.secure,
        })
    }
}

/// Answers by question, at most `limit`.
#[derive(Debug)]
pub(super) struct Cache {
    table: HashTable<Entry>,
    limit: usize,
    // Peers choose the names, so the hash must be one that they cannot foresee.
    hasher: RandomState,
}

impl Cache {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            table: HashTable::new(),
            limit: limit.max(1),
            hasher: RandomState::new(),
        }
    }

    /// Keeps an answer until `expires`; how many others had to go for it.
    pub(super) fn put(&mut self, key: &Key<'_>, answer: Known, now: Time, expires: Time) -> usize {
        let hash = hash(&self.hasher, key);
        if let Some(entry) = self.table.find_mut(hash, |e| e.is_for(key)) {
            entry.answer = answer;
            entry.expires = expires;
            return 0;
        }
        let evicted = self.make_room(now);
        let entry = Entry {
            host: key.0.host.into(),
            port: key.0.port,
            transport: key.0.transport,
            secure: key.0.secure,
            expires,
            answer,
        };
        let hasher = &self.hasher;
        self.table
            .insert_unique(hash, entry, |e| self::hash(hasher, &e.key()));
        evicted
    }

    pub(super) fn clear(&mut self) {
        self.table.clear();
    }

    pub(super) fn get(&self, key: &Key<'_>, now: Time) -> Option<Known> {
        let entry = self
            .table
            .find(hash(&self.hasher, key), |e| e.is_for(key))?;
        (entry.expires > now).then(|| entry.answer.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Makes room for one: drops what has expired, and if that is not enough, an eighth of the
    /// rest, whichever comes first, so that a full table is not searched for every new name.
    fn make_room(&mut self, now: Time) -> usize {
        if self.table.len() < self.limit {
            return 0;
        }
        self.table.retain(|e| e.expires > now);
        if self.table.len() < self.limit {
            return 0;
        }
        let mut surplus = (self.limit / 8).max(1);
        let evicted = surplus;
        self.table.retain(|_| {
            let keep = surplus == 0;
            surplus = surplus.saturating_sub(1);
            keep
        });
        evicted
    }
}

fn hash(hasher: &RandomState, key: &Key<'_>) -> u64 {
    let mut state = hasher.build_hasher();
    let mut lower = [0; 253];
    let length = key.0.host.len().min(lower.len());
    for (to, from) in lower.iter_mut().zip(key.0.host.bytes()) {
        *to = from.to_ascii_lowercase();
    }
    state.write(&lower[..length]);
    state.write_u16(key.0.port.unwrap_or_default());
    state.write_u8(key.0.transport.map_or(0, |t| t as u8));
    state.write_u8(u8::from(key.0.secure));
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(host: &str) -> Query<'_> {
        Query {
            host,
            port: None,
            transport: None,
            secure: false,
        }
    }

    const NOT_FOUND: Known = Err(ResolveError::NotFound);

    #[test]
    fn names_compare_without_case_and_final_dot() {
        let mut cache = Cache::new(4);
        let (start, end) = (Time::ZERO, Time::from_millis(10));
        let plain = query("sip.example.com");
        let other = query("SIP.Example.COM.");
        cache.put(&Key::new(&plain).unwrap(), NOT_FOUND, start, end);
        let other = Key::new(&other).unwrap();
        assert!(cache.get(&other, start).is_some());
        assert!(cache.get(&other, end).is_none());
        let with_port = Query {
            port: Some(5060),
            ..plain
        };
        assert!(cache.get(&Key::new(&with_port).unwrap(), start).is_none());
    }

    #[test]
    fn the_table_is_bounded_and_the_expired_go_first() {
        let mut cache = Cache::new(8);
        let names: Vec<String> = (0..20).map(|i| format!("n{i}")).collect();
        let mut evicted = 0;
        for (i, name) in names.iter().enumerate() {
            let expires = Time::from_millis(if i < 8 { 5 } else { 1000 });
            let question = query(name);
            let key = Key::new(&question).unwrap();
            evicted += cache.put(&key, NOT_FOUND, Time::from_millis(i as u64), expires);
            assert!(cache.len() <= 8);
        }
        assert_eq!(evicted, 4);
    }

    #[test]
    fn what_cannot_be_a_name() {
        let long = "a.".repeat(127);
        let label = "a".repeat(64);
        for host in [
            "",
            ".",
            "a..b",
            "a b",
            "a/b",
            "\u{fc}",
            &label,
            &format!("{long}a"),
        ] {
            assert!(Key::new(&query(host)).is_none(), "{host}");
        }
        for host in [
            "a",
            "a.b.",
            "_sip._udp.example.com",
            "xn--4ca",
            &long[..253],
        ] {
            assert!(Key::new(&query(host)).is_some(), "{host}");
        }
    }
}
