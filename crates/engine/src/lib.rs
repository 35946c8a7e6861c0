//! Joins messages, transactions, scripts and transports into workers: the part of Tandem that knows how an
//! input becomes outputs, and knows nothing of any one module.

mod answer;
mod avp;
mod baton;
mod branch_failure;
mod catalog;
mod clock;
mod counters;
mod destination;
mod driver;
mod engine;
pub mod errors;
mod events;
mod failover;
mod forward;
mod gate;
mod hooks;
mod identity;
mod input;
mod judge;
mod load;
mod local;
mod log;
mod mailbox;
mod myself;
mod outgoing;
mod parameters;
mod pending;
mod process;
mod refuse;
pub mod registry;
mod relay;
mod run;
mod settings;
mod setup;
mod slots;
mod stage;
mod statistics;
mod tran;
mod uac;
mod working;

pub use avp::{AvpName, Avps};
pub use baton::{Batons, INBOX_MAX, Taken};
pub use catalog::Catalog;
pub use clock::Now;
pub use counters::Counters;
pub use destination::Destination;
pub use driver::{Clock, Driver, WorkerSockets};
pub use engine::{Armed, Blocks, BranchData, Engine, Tx, TxBranch, TxData};
pub use events::{Event, Saved, stand_in};
pub use forward::{reply as forward_reply_stateless, request as forward_stateless};
pub use gate::Gate;
pub use hooks::{BranchOut, Hooks, LooseRoute, ReplyOut, TickContext};
pub use identity::{Identity, hex};
pub use input::Input;
pub use load::{Built, Extra, Loaded, World, build, load, setting_text};
pub use local::{Local, LocalState};
pub use log::{Log, Target as LogTarget, level};
pub use mailbox::{MAILBOX_MAX, MailboxFull};
pub use outgoing::reply_hop;
pub use parameters::Parameters;
pub use pending::{Pending, Resume};
pub use process::{WAITING_MAX, Worker};
pub use registry::{
    Check, FunctionRow, Handler, Init, Interner, KeyRule, Module, ParameterRow, ParameterType,
    ParameterValue, Setter, StatisticRow, VariableRow,
};
pub use relay::{RelayOptions, relay};
pub use run::{Locals, Operation, Run, Sending, Shared, Wishes};
pub use settings::{Alias, Relaying, Settings, UnmatchedCancel};
pub use setup::{EngineHandle, InitError, Setup};
pub use slots::{Slots, States};
pub use statistics::{Counter, Statistics};
pub use uac::{Done, LocalRequest, local_job};
pub use working::{RecordRoute, StreamWishes, Target, Working};
