//! Answers that are kept: a bounded table by question. Time is an argument.

use std::collections::HashMap;

use timer::Time;

use super::Query;
use super::flight::Known;

#[derive(Debug)]
struct Entry {
    answer: Known,
    expires: Time,
    /// It may not be kept: it is only for one who waited for it.
    once: bool,
}

/// Answers by question, at most `limit`.
#[derive(Debug)]
pub(super) struct Cache {
    // Peers choose the names, so the hash must be one that they cannot foresee: the default one.
    table: HashMap<Query, Entry>,
    limit: usize,
}

impl Cache {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            table: HashMap::new(),
            limit: limit.max(1),
        }
    }

    /// Keeps an answer until `expires`; how many others had to go for it.
    pub(super) fn put(&mut self, query: &Query, answer: Known, now: Time, expires: Time) -> usize {
        let once = false;
        self.insert(
            query,
            Entry {
                answer,
                expires,
                once,
            },
            now,
        )
    }

    /// Keeps an answer that may not be kept until it is taken, at the longest until `expires`; how many others
    /// had to go for it.
    pub(super) fn put_once(
        &mut self,
        query: &Query,
        answer: Known,
        now: Time,
        expires: Time,
    ) -> usize {
        let once = true;
        self.insert(
            query,
            Entry {
                answer,
                expires,
                once,
            },
            now,
        )
    }

    fn insert(&mut self, query: &Query, entry: Entry, now: Time) -> usize {
        if let Some(old) = self.table.get_mut(query) {
            *old = entry;
            return 0;
        }
        let evicted = self.make_room(now);
        self.table.insert(query.clone(), entry);
        evicted
    }

    pub(super) fn clear(&mut self) {
        self.table.clear();
    }

    /// An answer that may be used by everybody.
    pub(super) fn get(&self, query: &Query, now: Time) -> Option<Known> {
        let entry = self.table.get(query)?;
        (entry.expires > now && !entry.once).then(|| entry.answer.clone())
    }

    /// The same, or one that was put in for one use.
    pub(super) fn take(&mut self, query: &Query, now: Time) -> Option<Known> {
        let entry = self.table.get(query).filter(|entry| entry.expires > now)?;
        if !entry.once {
            return Some(entry.answer.clone());
        }
        self.table.remove(query).map(|entry| entry.answer)
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
        self.table.retain(|_, entry| entry.expires > now);
        if self.table.len() < self.limit {
            return 0;
        }
        let mut surplus = (self.limit / 8).max(1);
        let evicted = surplus;
        self.table.retain(|_, _| {
            let keep = surplus == 0;
            surplus = surplus.saturating_sub(1);
            keep
        });
        evicted
    }
}

#[cfg(test)]
mod tests {
    use super::super::ResolveError;
    use super::*;

    fn query(host: &str, port: Option<u16>) -> Query {
        Query::new(host.as_bytes(), port, None, false).unwrap()
    }

    const NOT_FOUND: Known = Err(ResolveError::NotFound);

    #[test]
    fn an_answer_that_may_not_be_kept_is_taken_once() {
        let mut cache = Cache::new(4);
        let question = query("a.test", None);
        let (start, end) = (Time::from_millis(0), Time::from_millis(1000));
        cache.put_once(&question, NOT_FOUND, start, end);
        assert!(cache.get(&question, start).is_none());
        assert!(cache.take(&question, end).is_none());
        assert!(cache.take(&question, start).is_some());
        assert!(cache.take(&question, start).is_none());
    }

    #[test]
    fn an_answer_is_for_one_question_until_its_time() {
        let mut cache = Cache::new(4);
        let (start, end) = (Time::ZERO, Time::from_millis(10));
        let question = query("sip.example.com", None);
        cache.put(&question, NOT_FOUND, start, end);
        assert!(cache.get(&question, start).is_some());
        assert!(cache.get(&question, end).is_none());
        assert!(
            cache
                .get(&query("sip.example.com", Some(5060)), start)
                .is_none()
        );
    }

    #[test]
    fn the_table_is_bounded_and_the_expired_go_first() {
        let mut cache = Cache::new(8);
        let mut evicted = 0;
        for i in 0..20_u64 {
            let expires = Time::from_millis(if i < 8 { 5 } else { 1000 });
            let question = query(&format!("n{i}"), None);
            evicted += cache.put(&question, NOT_FOUND, Time::from_millis(i), expires);
            assert!(cache.len() <= 8);
        }
        assert_eq!(evicted, 4);
    }
}
