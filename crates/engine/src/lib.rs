//! Joins messages, transactions, scripts and transports into workers: the part of Tandem that knows how an
//! input becomes outputs, and knows nothing of any one module.

mod answer;
mod avp;
mod baton;
mod branch_failure;
mod build;
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
mod latency;
mod leaving;
mod load;
mod local;
mod log;
mod log_prefix;
mod mailbox;
mod myself;
mod outgoing;
mod overload;
mod packet;
mod parameters;
mod pending;
mod process;
mod redirection;
mod refuse;
pub mod registry;
mod relay;
mod reload;
mod run;
mod scripts;
mod settings;
mod setup;
mod slots;
mod stage;
mod statistics;
mod tran;
mod uac;
mod uac_dialog;
mod working;

pub use avp::{AvpAt, AvpName, Avps};
pub use baton::{Batons, INBOX_MAX, Taken};
pub use build::{Built, World, build};
pub use catalog::Catalog;
pub use clock::Now;
pub use counters::Counters;
pub use destination::Destination;
pub use driver::{Clock, Driver, WorkerSockets};
pub use engine::{Armed, BranchData, Engine, Tx, TxBranch, TxData};
pub use events::{Event, Saved, stand_in};
pub use forward::{reply as forward_reply_stateless, request as forward_stateless};
pub use gate::Gate;
pub use hooks::{BranchOut, Hooks, LooseRoute, ReplyOut, TickContext};
pub use identity::{Identity, hex};
pub use input::Input;
pub use load::{Extra, Loaded, load, setting_text};
pub use local::{Local, LocalState};
pub use log::{Context as LogContext, JsonStyle, Line as LogLine, Log, Target as LogTarget, level};
pub use mailbox::{MAILBOX_MAX, MailboxFull};
pub use outgoing::reply_hop;
pub use overload::{Batch, Limits as OverloadLimits};
pub use packet::{Interception, Packet};
pub use parameters::Parameters;
pub use pending::{Pending, Resume};
pub use process::{WAITING_MAX, Worker};
pub use redirection::RichRedirect;
pub use registry::{
    Check, FunctionRow, Handler, Init, Interner, KeyRule, Module, ParameterRow, ParameterType,
    ParameterValue, Setter, StatisticRow, VariableRow,
};
pub use relay::{RelayOptions, relay};
pub use reload::{Reloaded, reload};
pub use run::{Locals, Operation, Run, Sending, Shared, Wishes};
pub use scripts::{Blocks, Defines, LocalScript, Script};
pub use settings::{Alias, Relaying, Settings, UnmatchedCancel};
pub use setup::{EngineHandle, InitError, Setup};
pub use slots::{Slots, States};
pub use statistics::{Counter, Statistics};
pub use uac::{Done, LocalRequest, local_job};
pub use uac_dialog::UacDialog;
pub use working::{RecordRoute, StreamWishes, Target, Working};

#[cfg(test)]
mod sizes {
    #[test]
    fn sizes() {
        eprintln!("Message {}", size_of::<sip::Message>());
        eprintln!("Edits {}", size_of::<sip::Edits>());
        eprintln!("Working {}", size_of::<crate::Working>());
        eprintln!("Target {}", size_of::<crate::Target>());
        eprintln!("Tx {}", size_of::<crate::engine::Tx>());
        eprintln!("TxBranch {}", size_of::<crate::engine::TxBranch>());
        eprintln!("TxData {}", size_of::<crate::engine::TxData>());
        eprintln!("Shared {}", size_of::<crate::run::Shared>());
        eprintln!("Settings {}", size_of::<transaction::Settings>());
        eprintln!("Hop {}", size_of::<sip::Hop>());
        eprintln!("Run {}", size_of::<crate::run::Run>());
    }
}
