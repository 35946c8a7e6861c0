//! What `usrloc` keeps: its tables by name, the names of contacts, and the end of what has ended.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::{Counter, Engine, Setup, Statistics, TickContext};
use parking_lot::RwLock;

use super::contact::{Contact, Matching, Order};
use super::domain::{Domain, SHARDS};

/// Most tables.
const DOMAINS_MAX: usize = 64;

/// Told of each contact that has ended: the table's name, the address of record and the contact.
pub(crate) type ExpiredHook = fn(&Arc<Engine>, &mut TickContext<'_>, &str, Arc<[u8]>, Arc<Contact>);

/// The module's state.
pub(crate) struct State {
    /// Addresses of record have a domain part.
    pub(crate) use_domain: bool,
    /// Addresses of record keep their case.
    pub(crate) case_sensitive: bool,
    /// How a registration finds its contact.
    pub(crate) matching: Matching,
    /// How contacts are ordered.
    pub(crate) order: Order,
    /// For how many seconds an equal CSeq is a retransmission.
    pub(crate) cseq_delay: u64,
    /// The number of this server, 0 for none.
    pub(crate) server_id: u32,
    /// Slots that the configuration asks for; tables grow by themselves.
    pub(super) slots: u64,
    domains: RwLock<Vec<Arc<Domain>>>,
    statistics: Arc<Statistics>,
    /// Between a table's name and the rest of the name of a statistic (`stats_name_separator`).
    between: String,
    refused: Counter,
    keep: u64,
    sequence: AtomicU64,
    now: AtomicU64,
    on_expired: OnceLock<ExpiredHook>,
}

impl State {
    /// Reads the parameters.
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        let int = |name: &str| setup.parameters.int("usrloc", name);
        Self {
            use_domain: int("use_domain") != 0,
            case_sensitive: setup.parameters.int("registrar", "case_sensitive") != 0,
            matching: Matching::from_number(int("matching_mode")).unwrap_or(Matching::Address),
            order: match int("desc_time_order") {
                0 => Order::Preference,
                _ => Order::Latest,
            },
            cseq_delay: u64::try_from(int("cseq_delay")).unwrap_or(0),
            server_id: u32::try_from(setup.settings.server_id).unwrap_or(0),
            slots: match int("hash_size") {
                bits @ 2..32 => 1 << bits,
                _ => 512,
            },
            domains: RwLock::default(),
            statistics: Arc::clone(setup.statistics),
            between: script::Settings::new(setup.config)
                .str("stats_name_separator")
                .to_owned(),
            refused: setup
                .statistics
                .counter("usrloc", "refused_users", true, ""),
            keep: u64::try_from(int("rm_expired_delay")).unwrap_or(0),
            sequence: AtomicU64::new(0),
            now: AtomicU64::new(0),
            on_expired: OnceLock::new(),
        }
    }

    /// The table of this name, made if there is room for it.
    pub(crate) fn domain(&self, name: &str) -> Option<Arc<Domain>> {
        if let Some(domain) = self.known(name) {
            return Some(domain);
        }
        let mut domains = self.domains.write();
        if let Some(domain) = domains.iter().find(|domain| domain.name() == name) {
            return Some(Arc::clone(domain));
        }
        if domains.len() >= DOMAINS_MAX {
            return None;
        }
        let expired = self.statistics.counter(
            "usrloc",
            &format!("{name}{}expires", self.between),
            true,
            "Contacts that ended.",
        );
        let domain = Arc::new(Domain::new(name, self.keep, expired, self.refused.clone()));
        domains.push(Arc::clone(&domain));
        drop(domains);
        self.count(&domain);
        Some(domain)
    }

    /// The table of this name, if the configuration has named it.
    pub(crate) fn known(&self, name: &str) -> Option<Arc<Domain>> {
        let domains = self.domains.read();
        domains.iter().find(|domain| domain.name() == name).cloned()
    }

    /// All tables.
    pub(crate) fn domains(&self) -> Vec<Arc<Domain>> {
        self.domains.read().clone()
    }

    /// A name for a new contact: `uloc-`, the server's number if it has one, the time of the start, the process,
    /// a sequence number.
    pub(crate) fn new_ruid(&self, prefix: &str, engine: &Engine) -> Box<[u8]> {
        let number = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        let started = engine.started.unix();
        let process = std::process::id();
        let text = match self.server_id {
            0 => format!("{prefix}-{started:x}-{process:x}-{number:x}"),
            id => format!("{prefix}-{id:x}-{started:x}-{process:x}-{number:x}"),
        };
        text.into_bytes().into()
    }

    /// Asks to be told of each contact that has ended; the first who asks is told.
    pub(crate) fn set_on_expired(&self, hook: ExpiredHook) {
        let _ = self.on_expired.set(hook);
    }

    /// The wall clock at the last tick, for commands.
    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    fn count(&self, domain: &Arc<Domain>) {
        let (users, contacts) = (Arc::clone(domain), Arc::clone(domain));
        let (name, between) = (domain.name(), &self.between);
        self.statistics.computed(
            "usrloc",
            &format!("{name}{between}users"),
            "Addresses of record in the table.",
            move || users.users() as i64,
        );
        self.statistics.computed(
            "usrloc",
            &format!("{name}{between}contacts"),
            "Contacts in the table.",
            move || contacts.contact_count() as i64,
        );
    }
}

/// Takes out what has ended in the shards of this worker.
pub(super) fn tick(engine: &Arc<Engine>, context: &mut TickContext<'_>) {
    let Some(state) = engine.state::<State>() else {
        return;
    };
    let now = context.now.unix();
    state.now.store(now, Ordering::Relaxed);
    let mut expired = Vec::new();
    for domain in state.domains() {
        for shard in context.shards(SHARDS) {
            domain.expire(shard, now, &mut expired);
        }
        let Some(hook) = state.on_expired.get() else {
            expired.clear();
            continue;
        };
        for (aor, contact) in expired.drain(..) {
            hook(engine, context, domain.name(), aor, contact);
        }
    }
}
