//! All transactions, in shards by their call. A transaction is checked out while it is worked on;
//! no lock is held in between.
//!
//! The caller sees to it that at most one thread works on the inputs of one call (`call_key`).

use std::sync::Arc;

use parking_lot::Mutex;
use sip::{Message, Method, branch};
use smallvec::SmallVec;
use timer::Time;

use crate::key::{Identity, Keys, Seed, chain_key, same_transaction};
use crate::machine::ServerState;
use crate::pace::Pace;
use crate::settings::Settings;
use crate::shard::{Draft, Entry, Shard};
use crate::statistics::{Statistics, Tally};
use crate::transaction::{Fork, Requester, Server, Transaction, TransactionId};

/// How many shards a table has; `Table::advance` takes their numbers.
pub const SHARDS: usize = 256;

/// What a received request is to the transactions that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// It belongs to none. An ACK never is new.
    New,
    /// It came before: check the transaction out and call `retransmitted`.
    Retransmission(TransactionId),
    /// The ACK to a negative final reply: check out and call `ack_received`.
    AckNegative(TransactionId),
    /// Any other ACK, with its INVITE's transaction if that still exists.
    AckTwoHundred(Option<TransactionId>),
    /// A new CANCEL, with the INVITE that it means.
    Cancel {
        /// The INVITE's transaction.
        invite: Option<TransactionId>,
    },
}

/// Where a reply belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyMatch {
    /// The transaction.
    pub id: TransactionId,
    /// The branch, as `Transaction::reply_received` takes it.
    pub branch: usize,
}

/// Why no transaction was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Call-ID, CSeq or the top Via is missing or malformed: 400.
    Incomplete,
    /// Too many transactions with this Call-ID and CSeq exist: 482 or 503.
    Crowded,
}

/// A transaction whose deadline has come: take its call, check it out, and call `on_timer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The transaction.
    pub id: TransactionId,
    /// The call that it belongs to.
    pub call_key: u64,
}

/// A transaction as listings show it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub id: TransactionId,
    /// Its request.
    pub request: Arc<Message>,
    /// The request was made here.
    pub is_local: bool,
    /// How many branches it has; 0 while it is being worked on.
    pub branches: usize,
}

/// How a table is made.
#[derive(Clone, Copy, Debug)]
pub struct TableOptions {
    /// Random numbers.
    pub seed: [u64; 2],
    /// The moment at which time begins for it.
    pub now: Time,
    /// The precision of all timers, in ms.
    pub tick_ms: u64,
}

/// The transactions. `U` and `B` are the embedding program's data for a transaction and a branch.
pub struct Table<U, B> {
    seed: Seed,
    shards: Box<[Slot<U, B>]>,
}

/// Keeps neighbours from sharing a cache line.
#[repr(align(64))]
struct Slot<U, B>(Mutex<Shard<U, B>>);

impl<U, B> Table<U, B> {
    /// An empty table.
    pub fn new(options: TableOptions) -> Self {
        let TableOptions { seed, now, tick_ms } = options;
        let first_label = seed[0] as u32 & 0x7fff_ffff;
        let shard = |_| Slot(Mutex::new(Shard::new(now, tick_ms, first_label)));
        Self {
            seed: Seed::new(seed),
            shards: (0..SHARDS).map(shard).collect(),
        }
    }

    /// The key of a call: everything with this Call-ID has it.
    pub fn call_key(&self, call_id: &[u8]) -> u64 {
        self.seed.call_key(call_id)
    }

    /// Finds the transaction that a request belongs to (RFC 3261 §17.2.3).
    pub fn match_request(&self, request: &Message) -> Match {
        self.match_request_of(self.key_of(request), request)
    }

    /// As `match_request`, with the key of its call.
    pub fn match_request_of(&self, call: u64, request: &Message) -> Match {
        let method = request.method();
        let Some(keys) = Keys::new(call, request) else {
            return if method == Method::Ack {
                Match::AckTwoHundred(None)
            } else {
                Match::New
            };
        };
        let shard = self.shard(keys.call).lock();
        let is_candidate =
            |entry: &&Entry<U, B>| !entry.is_local && entry.request.call_id() == request.call_id();
        let mut chain = shard.chain(keys.chain).filter(is_candidate);
        let matches = |entry: &Entry<U, B>, method| {
            entry.method == method && same_transaction(&entry.request, request)
        };
        match method {
            Method::Ack => match_ack(chain, request),
            Method::Cancel => {
                let mut invite = None;
                for entry in chain {
                    if matches(entry, Method::Cancel) {
                        return Match::Retransmission(entry.id);
                    }
                    invite = invite.or(matches(entry, Method::Invite).then_some(entry.id));
                }
                Match::Cancel { invite }
            }
            _ => chain
                .find(|entry| {
                    matches(entry, method) && entry.request.method_bytes() == request.method_bytes()
                })
                .map_or(Match::New, |entry| Match::Retransmission(entry.id)),
        }
    }

    /// Finds the branch that a reply belongs to, by its top Via and CSeq (RFC 3261 §17.1.3).
    pub fn match_reply(&self, reply: &Message) -> Option<ReplyMatch> {
        self.match_reply_of(self.key_of(reply), reply)
    }

    /// As `match_reply`, with the key of its call.
    pub fn match_reply_of(&self, call: u64, reply: &Message) -> Option<ReplyMatch> {
        let via = reply.top_via()?;
        let branch = branch::Branch::parse(via.branch()?)?;
        let keys = Keys::new(call, reply)?;
        if branch.index != index_of(keys.call) {
            return None;
        }
        let found = self.reply_in_chain(keys.call, keys.chain, &branch, reply);
        found.or_else(|| {
            let chain = chain_key(keys.call, via.raised_from()?);
            self.reply_in_chain(keys.call, chain, &branch, reply)
        })
    }

    fn reply_in_chain(
        &self,
        call: u64,
        chain: u64,
        branch: &branch::Branch<'_>,
        reply: &Message,
    ) -> Option<ReplyMatch> {
        let method = reply.method();
        let shard = self.shard(call).lock();
        let mut found = None;
        for entry in shard
            .chain(chain)
            .filter(|entry| entry.identity.matches(branch.key))
        {
            // An INVITE and the CANCELs of its branches have one branch value. A CANCEL that was
            // forwarded as a request of its own has it too, but only if the INVITE was unknown.
            let is_of_invite = method == Method::Cancel && entry.method == Method::Invite;
            let is_own = entry.request.method_bytes() == reply.method_bytes();
            if is_of_invite || (is_own && found.is_none()) {
                found = Some(entry.id);
            }
        }
        found.map(|id| ReplyMatch {
            id,
            branch: branch.number as usize,
        })
    }

    /// Creates a transaction for a received request, checked out. `match_request` said `New` or
    /// `Cancel`.
    pub fn create(
        &self,
        request: Arc<Message>,
        requester: Requester,
        settings: Settings,
        data: U,
        now: Time,
    ) -> Result<Box<Transaction<U, B>>, Refused> {
        request.top_via().ok_or(Refused::Incomplete)?;
        let identity = self.seed.identity(&request);
        self.insert(request, Some((requester, identity)), settings, data, now)
    }

    /// Creates a transaction for a request that is made here, checked out. The request needs Call-ID
    /// and CSeq only; its Via branch is `next_branch_value`.
    pub fn create_local(
        &self,
        request: Arc<Message>,
        settings: Settings,
        data: U,
        now: Time,
    ) -> Result<Box<Transaction<U, B>>, Refused> {
        self.insert(request, None, settings, data, now)
    }

    /// Takes a transaction out to work on it; `None` if it is gone, or out already.
    pub fn checkout(&self, id: TransactionId) -> Option<Box<Transaction<U, B>>> {
        self.shards[id.index as usize % SHARDS]
            .0
            .lock()
            .check_out(id)
    }

    /// Brings a transaction back. If it is finished it leaves the table, and is returned.
    pub fn check_in(&self, record: Box<Transaction<U, B>>) -> Option<Box<Transaction<U, B>>> {
        self.shard(record.call).lock().check_in(record)
    }

    /// Appends the transactions of one shard whose deadline has come.
    pub fn advance(&self, shard: usize, now: Time, due: &mut Vec<Due>) {
        self.shards[shard % SHARDS].0.lock().advance(now, due);
    }

    /// A moment before which nothing in the shard is due.
    pub fn next_deadline(&self, shard: usize) -> Option<Time> {
        self.shards[shard % SHARDS].0.lock().next_deadline()
    }

    /// The transaction with this Call-ID, CSeq number and method.
    pub fn find(&self, call_id: &[u8], cseq: u32, method: Method) -> Option<TransactionId> {
        let call = self.call_key(call_id);
        let shard = self.shard(call).lock();
        shard.find(call, cseq, method).map(|entry| entry.id)
    }

    /// The key of the call that a transaction belongs to.
    pub fn call_of(&self, id: TransactionId) -> Option<u64> {
        self.shards[id.index as usize % SHARDS].0.lock().call_of(id)
    }

    /// The names of all transactions, shard by shard.
    pub fn ids(&self) -> Vec<TransactionId> {
        let mut ids = Vec::new();
        for shard in &self.shards {
            ids.extend(shard.0.lock().entries.iter().map(|(_, entry)| entry.id));
        }
        ids
    }

    /// The transactions, shard by shard; at most `limit`.
    pub fn list(&self, limit: usize) -> Vec<Listed> {
        let mut listed = Vec::new();
        for shard in &self.shards {
            let shard = shard.0.lock();
            let room = limit.saturating_sub(listed.len());
            listed.extend(
                shard
                    .entries
                    .iter()
                    .take(room)
                    .map(|(_, entry)| entry.listed()),
            );
        }
        listed
    }

    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.0.lock().entries.len())
            .sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What happened so far, summed over the shards.
    pub fn statistics(&self) -> Statistics {
        let mut sum = Statistics::default();
        for shard in &self.shards {
            sum += shard.0.lock().snapshot();
        }
        sum
    }

    /// A Via branch for forwarding without a transaction: the same for a retransmission, and for the
    /// CANCEL and the ACK of the same INVITE (RFC 3261 §16.11).
    pub fn stateless_branch(&self, request: &Message) -> Vec<u8> {
        let call = self.call_key(request.call_id().unwrap_or_default());
        self.seed.identity(request).branch_value(index_of(call), 0)
    }

    fn insert(
        &self,
        request: Arc<Message>,
        received: Option<(Requester, Identity)>,
        settings: Settings,
        data: U,
        now: Time,
    ) -> Result<Box<Transaction<U, B>>, Refused> {
        let call = self.call_key(request.call_id().ok_or(Refused::Incomplete)?);
        let cseq = request.cseq().ok_or(Refused::Incomplete)?.number;
        let method = request.method();
        let keys = Keys {
            call,
            chain: chain_key(call, cseq),
        };
        let identity = received.map(|(_, identity)| identity);
        let draft = Draft {
            keys,
            cseq,
            method,
            request: Arc::clone(&request),
            identity,
        };
        let (id, identity) = self
            .shard(call)
            .lock()
            .reserve(draft, index_of(call), now)?;
        let is_invite = method == Method::Invite;
        let timers = &settings.timers;
        let lifetime_ms = if is_invite {
            timers.max_inv_lifetime
        } else {
            timers.max_noninv_lifetime
        };
        let state = received.map_or(ServerState::Local, |_| ServerState::new(is_invite));
        let mut record = Box::new(Transaction {
            data,
            id,
            call,
            identity,
            request,
            method,
            requester: received.map(|(requester, _)| requester),
            settings,
            end_of_life: now.plus_millis(u64::from(lifetime_ms)),
            server: Server {
                state,
                pace: Pace::IDLE,
                last_status: 0,
                last_reply: None,
                is_overdue: false,
            },
            branches: SmallVec::new(),
            fork: Fork::default(),
            tally: Tally::default(),
        });
        record.limit_silence();
        Ok(record)
    }

    fn key_of(&self, message: &Message) -> u64 {
        self.call_key(message.call_id().unwrap_or_default())
    }

    fn shard(&self, call: u64) -> &Mutex<Shard<U, B>> {
        &self.shards[index_of(call) as usize % SHARDS].0
    }
}

/// `$T(id_index)`: 16 bits, as Kamailio's table has 65,536 slots.
const fn index_of(call: u64) -> u32 {
    (call & 0xffff) as u32
}

fn match_ack<'a, U: 'a, B: 'a>(
    chain: impl Iterator<Item = &'a Entry<U, B>>,
    ack: &Message,
) -> Match {
    let mut answered = None;
    for entry in chain.filter(|entry| entry.method == Method::Invite) {
        let is_success = matches!(entry.last_status, 200..300);
        if same_transaction(&entry.request, ack) && !is_success {
            return Match::AckNegative(entry.id);
        }
        if is_success && entry.request.from_tag() == ack.from_tag() {
            answered = Some(entry.id);
        }
    }
    Match::AckTwoHundred(answered)
}
