//! From the host of a URI to the places to try, in order (RFC 3263), with a cache that answers
//! without waiting. A worker asks `cached` first, and awaits `resolve` only when that knows
//! nothing. Which name server is asked, or none at all, is behind `Lookup`.

mod cache;
mod dns;
mod flight;
mod hosts;
mod lookup;
mod order;
mod query;
mod rfc3263;
mod table;

use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sip::Transport;
use timer::Time;

pub use dns::{DnsLookup, DnsOptions};
pub use hosts::Hosts;
pub use lookup::{Lookup, LookupError, LookupFuture, Record, RecordKind, Records};
pub use query::Query;
pub use table::TableLookup;

use crate::counters::ResolveCounters;
use cache::Cache;
use flight::{Flights, Known, Part};
use order::Answer;

/// A place to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
}

/// The places to try, best first; at least one. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates(List);

#[derive(Clone, Debug, PartialEq, Eq)]
enum List {
    One(Candidate),
    Many(Arc<[Candidate]>),
}

impl Candidates {
    /// A single place.
    pub fn one(transport: Transport, address: SocketAddr) -> Self {
        Self(List::One(Candidate { transport, address }))
    }

    fn many(list: impl IntoIterator<Item = Candidate>) -> Self {
        Self(List::Many(list.into_iter().collect()))
    }
}

impl Deref for Candidates {
    type Target = [Candidate];

    fn deref(&self) -> &[Candidate] {
        match &self.0 {
            List::One(one) => std::slice::from_ref(one),
            List::Many(many) => many,
        }
    }
}

/// Why there is no place to send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name does not exist, or has no address that we can reach.
    #[error("no such host")]
    NotFound,
    /// The name servers gave no answer; trying again later may help.
    #[error("the name servers do not answer")]
    Failed,
    /// Too many questions are under way.
    #[error("too many lookups under way")]
    Busy,
}

/// How to resolve; the names of the settings in brackets.
#[derive(Clone, Debug)]
pub struct ResolveSettings {
    /// The transports that we have sockets for, each with its preference, higher first
    /// (`dns_udp_pref` 30, `dns_tcp_pref` 20, `dns_tls_pref` 10).
    pub transports: Vec<(Transport, i32)>,
    /// Whether we have IPv4 sockets.
    pub ipv4: bool,
    /// Whether we have IPv6 sockets and shall use them (`dns_try_ipv6`, `dns_cache_flags` 1).
    pub ipv6: bool,
    /// IPv6 addresses of a name come first (`dns_cache_flags` 4).
    pub prefer_ipv6: bool,
    /// Ask for NAPTR records (`dns_try_naptr`).
    pub naptr: bool,
    /// Choose among NAPTR records by our preferences, not by theirs (`dns_naptr_ignore_rfc`).
    pub naptr_own_preference: bool,
    /// Spread over SRV records of equal priority by their weights, RFC 2782 (`dns_srv_lb`);
    /// otherwise the heaviest comes first, always.
    pub srv_weights: bool,
    /// Keep answers (`use_dns_cache`).
    pub cache: bool,
    /// How long to know that a name does not exist (`dns_cache_negative_ttl`).
    pub negative_ttl: Duration,
    /// The shortest time to keep an answer (`dns_cache_min_ttl`).
    pub min_ttl: Duration,
    /// The longest time to keep an answer (`dns_cache_max_ttl`).
    pub max_ttl: Duration,
    /// Answers to keep.
    pub max_entries: usize,
    /// Questions that may be under way.
    pub max_pending: u64,
}

impl Default for ResolveSettings {
    fn default() -> Self {
        Self {
            transports: vec![(Transport::Udp, 30), (Transport::Tcp, 20)],
            ipv4: true,
            ipv6: true,
            prefer_ipv6: false,
            naptr: false,
            naptr_own_preference: true,
            srv_weights: false,
            cache: true,
            negative_ttl: Duration::from_secs(60),
            min_ttl: Duration::ZERO,
            max_ttl: Duration::from_secs(7 * 24 * 3600),
            max_entries: 4096,
            max_pending: 1024,
        }
    }
}

/// Draws a number below the given one, which is at least 1.
pub type Random = Box<dyn Fn(u64) -> u64 + Send + Sync>;

/// How long a failure of the name servers is remembered, so that each message to such a name
/// does not wait for them again.
const FAILED_TTL: Duration = Duration::from_secs(5);
/// How long an answer that may not be kept stays for the one who waited for it.
const WAITED_FOR: Duration = Duration::from_secs(60);

/// Resolves for all workers.
pub struct Resolver {
    lookup: Box<dyn Lookup>,
    settings: ResolveSettings,
    hosts: Hosts,
    random: Random,
    cache: Mutex<Cache>,
    flights: Flights,
    counters: Arc<ResolveCounters>,
}

impl Resolver {
    /// `hosts` takes precedence over `lookup`; `random` is used for the weights of SRV records.
    pub fn new(
        lookup: Box<dyn Lookup>,
        settings: ResolveSettings,
        hosts: Hosts,
        random: Random,
        counters: Arc<ResolveCounters>,
    ) -> Self {
        let cache = Mutex::new(Cache::new(settings.max_entries));
        Self {
            lookup,
            settings,
            hosts,
            random,
            cache,
            flights: Flights::default(),
            counters,
        }
    }

    /// What is known without waiting: an address, a name of the hosts file, a name in the cache, an
    /// answer that may not be kept but was waited for. `None` means that `resolve` must be awaited. `now` runs like the `now` of `resolve`.
    pub fn cached(&self, query: &Query, now: Time) -> Option<Result<Candidates, ResolveError>> {
        if let Some(address) = query.address() {
            return Some(Ok(rfc3263::literal(query, address)));
        }
        let mut cache = self.cache.lock();
        let before = cache.len() as u64;
        let known = cache.take(query, now);
        let gone = before - cache.len() as u64;
        drop(cache);
        self.counters.entries.subtract(gone);
        self.known(query, known)
    }

    fn known(
        &self,
        query: &Query,
        answer: Option<Known>,
    ) -> Option<Result<Candidates, ResolveError>> {
        match answer {
            Some(answer) => {
                self.counters.hits.increment();
                Some(answer.map(|a| self.order(&a)))
            }
            None => rfc3263::from_hosts(query, &self.hosts, &self.settings).map(Ok),
        }
    }

    /// Resolves, from the cache if it can; `now` is the time of the call.
    pub async fn resolve(&self, query: &Query, now: Time) -> Result<Candidates, ResolveError> {
        if let Some(address) = query.address() {
            return Ok(rfc3263::literal(query, address));
        }
        let kept = self.cache.lock().get(query, now);
        if let Some(known) = self.known(query, kept) {
            return known;
        }
        self.counters.misses.increment();
        let _pending = Pending::enter(&self.counters, self.settings.max_pending)?;
        let known = loop {
            match self.flights.join(query) {
                Part::Lead(leader) => {
                    let known = self.search(query, now).await;
                    leader.tell(known.clone());
                    break known;
                }
                Part::Follow(follower) => {
                    if let Some(known) = follower.wait().await {
                        break known;
                    }
                }
            }
        };
        known.map(|answer| self.order(&answer))
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.cache.lock().clear();
        self.counters.entries.subtract(self.counters.entries.get());
    }

    /// What the resolver counts.
    pub fn counters(&self) -> &Arc<ResolveCounters> {
        &self.counters
    }

    fn max_ttl(&self) -> Duration {
        self.settings.max_ttl.max(self.settings.min_ttl)
    }

    fn order(&self, answer: &Answer) -> Candidates {
        if self.settings.srv_weights && answer.has_choice() {
            answer.weighted(&*self.random)
        } else {
            answer.fixed()
        }
    }

    /// Asks the name servers, and keeps what they say.
    async fn search(&self, query: &Query, now: Time) -> Known {
        let mut search = rfc3263::Search::new(&*self.lookup, &self.settings, &self.hosts);
        let found = search.locate(query).await.map(Arc::new);
        self.counters.lookups.add(search.lookups());
        let ttl = match &found {
            Ok(_) => search.ttl().clamp(self.settings.min_ttl, self.max_ttl()),
            Err(ResolveError::NotFound) => {
                self.counters.not_found.increment();
                search.ttl().min(self.settings.negative_ttl)
            }
            Err(_) => {
                self.counters.failures.increment();
                FAILED_TTL.min(self.settings.negative_ttl)
            }
        };
        let is_kept = self.settings.cache && !ttl.is_zero();
        let ttl = if is_kept { ttl } else { WAITED_FOR };
        self.store(query, found.clone(), is_kept, now, now + ttl);
        found
    }

    fn store(&self, query: &Query, answer: Known, is_kept: bool, now: Time, expires: Time) {
        let mut cache = self.cache.lock();
        let before = cache.len() as u64;
        let evicted = match is_kept {
            true => cache.put(query, answer, now, expires),
            false => cache.put_once(query, answer, now, expires),
        };
        let after = cache.len() as u64;
        drop(cache);
        self.counters.evicted.add(evicted as u64);
        self.counters.entries.add(after);
        self.counters.entries.subtract(before);
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A question under way; counted until it is dropped.
struct Pending<'a>(&'a ResolveCounters);

impl<'a> Pending<'a> {
    fn enter(counters: &'a ResolveCounters, limit: u64) -> Result<Self, ResolveError> {
        if counters.pending.increment_below(limit) {
            Ok(Self(counters))
        } else {
            counters.busy.increment();
            Err(ResolveError::Busy)
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.pending.decrement();
    }
}

#[cfg(test)]
mod tests;
