//! The engine: everything that all runs share. It is made once from a configuration and never changes,
//! except through the locks, counters and tables that its parts hold themselves.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use script::{BlockId, Value};
use transaction::{Table, Transaction};
use transport::listen::Sockets;
use transport::resolve::Resolver;
use transport::stream::StreamHandle;

use crate::baton::Batons;
use crate::catalog::Catalog;
use crate::clock::Now;
use crate::counters::Counters;
use crate::hooks::Hooks;
use crate::identity::Identity;
use crate::latency::Latency;
use crate::log::Log;
use crate::mailbox::Mailbox;
use crate::releases::Releases;
use crate::reload::Origin;
use crate::run::Shared;
use crate::scripts::{Script, Scripts};
use crate::settings::Settings;
use crate::setup::ProgramCheck;
use crate::slots::States;
use crate::statistics::Statistics;
use crate::working::Working;

/// A transaction with what the engine and the modules keep in it.
pub type Tx = Transaction<TxData, BranchData>;

/// One of its branches.
pub type TxBranch = transaction::Branch<BranchData>;

/// What a transaction carries besides its protocol state.
pub struct TxData {
    /// AVPs and what modules attach.
    pub shared: Shared,
    /// The request as it was when the transaction was made, for failure routes.
    pub working: Box<Working>,
    /// The To tag of replies made here, when it is not that of `Identity::stateful_to_tag`.
    pub to_tag: Option<Vec<u8>>,
    /// A request of our own: who is told of the final reply.
    pub local: Option<Box<dyn crate::uac::Done>>,
    /// How many times a request of our own was sent once more because it was challenged.
    pub challenges: u8,
    /// The INVITE's transaction was left without an answer or a branch on purpose (`t_release`).
    pub released: bool,
    /// The script was set aside with `t_suspend`: somebody will go on with it.
    pub suspended: bool,
}

impl TxData {
    /// Nothing armed, nothing sent.
    pub fn new(working: Working) -> Self {
        Self {
            shared: Shared::default(),
            working: Box::new(working),
            to_tag: None,
            local: None,
            challenges: 0,
            released: false,
            suspended: false,
        }
    }
}

/// The route blocks that are to run as a request goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Armed {
    /// `t_on_branch()`, for the next branches.
    pub on_branch: Option<BlockId>,
    /// `t_on_reply()`, for the whole transaction.
    pub on_reply: Option<BlockId>,
    /// `t_on_failure()`, for the next branches.
    pub on_failure: Option<BlockId>,
    /// `t_on_branch_failure()`, for the next branches.
    pub on_branch_failure: Option<BlockId>,
}

/// What one branch carries besides its protocol state.
#[derive(Debug, Default)]
pub struct BranchData {
    /// The destination as the branch route left it.
    pub target: crate::working::Target,
    /// The blocks that were armed when it was made; its onreply route is the one armed in its branch route.
    pub armed: Armed,
    /// Own Record-Route headers that were added to it.
    pub own_record_routes: usize,
    /// Its final reply with what the scripts changed in it.
    pub reply: Option<Box<Working>>,
    /// Other addresses of the same destination to be tried when this one fails (RFC 3263 §4.3).
    pub alternatives: Vec<sip::Hop>,
}

/// Everything that all runs share.
pub struct Engine {
    /// The names that it uses.
    pub catalog: Catalog,
    /// Where modules take part.
    pub hooks: Hooks,
    /// Core settings.
    pub settings: Settings,
    /// Names that we give ourselves in messages.
    pub identity: Identity,
    /// Counters by name.
    pub statistics: Arc<Statistics>,
    /// The counters that the engine itself moves.
    pub counters: Counters,
    /// The log.
    pub log: Log,
    /// What is said about scripts that take long.
    pub latency: Option<Latency>,
    /// Listening sockets.
    pub sockets: Arc<Sockets>,
    /// Names of destinations.
    pub resolver: Arc<Resolver>,
    /// Stream connections of all workers.
    pub streams: StreamHandle,
    /// The calls being run.
    pub batons: Batons,
    /// Transactions.
    pub transactions: Table<TxData, BranchData>,
    /// The first values of `$var`, from module parameters.
    pub first_locals: Vec<Value>,
    /// When it was made.
    pub started: Now,
    /// The host and port that each socket shows in Via, by its number.
    pub(crate) sent_by: Vec<String>,
    pub(crate) registry: OnceLock<Arc<rpc::Registry>>,
    pub(crate) states: States,
    pub(crate) mailbox: Mailbox,
    pub(crate) releases: Releases,
    pub(crate) stopping: AtomicBool,
    /// Functions of another language that are route blocks.
    pub foreign: crate::foreign::Foreign,
    /// A clock to measure with how long scripts take, µs from any start.
    pub stopwatch: fn() -> u64,
    pub(crate) scripts: Scripts,
    pub(crate) origin: Origin,
    pub(crate) program_checks: Vec<ProgramCheck>,
}

impl Engine {
    /// The state that a module put at its initialisation.
    pub fn state<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.states.get::<Arc<T>>().cloned()
    }

    /// The compiled configuration that new messages run by. A run keeps its own in `Run::script`.
    pub fn script(&self) -> Arc<Script> {
        self.scripts.current()
    }

    /// The management commands, once the program has put them together.
    pub fn registry(&self) -> Option<&Arc<rpc::Registry>> {
        self.registry.get()
    }

    /// Makes the management commands known to scripts; the first set stays.
    pub fn set_registry(&self, registry: Arc<rpc::Registry>) {
        let _ = self.registry.set(registry);
    }

    /// The key that puts the inputs of one call in order: a hash of its Call-ID.
    pub fn call_key(&self, call_id: &[u8]) -> u64 {
        self.transactions.call_key(call_id)
    }

    /// Stop taking new calls: requests that would begin one are answered with 503.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// The workers have ended: what modules have to do before the process ends is done now.
    pub fn end(self: &Arc<Self>) {
        for hook in &self.hooks.end {
            hook(self);
        }
    }

    /// Whether it is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
