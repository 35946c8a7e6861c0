//! Tracks the calls that pass through a SIP program, without I/O.
//!
//! [`Tracker`] is told what passes: [`create`](Tracker::create) for an INVITE,
//! [`reply`](Tracker::reply) for what comes back, [`match_request`](Tracker::match_request) and
//! [`request`](Tracker::request) for the rest, [`due`](Tracker::due) and
//! [`timeout`](Tracker::timeout) for the time. Each answers with [`Effects`]: the states before and
//! after, the events, and the BYEs to send. It reads no clock, opens no socket and parses no message.
//!
//! Numbers, names, states, cookies and flags are those of Kamailio's `dialog` module, so that its
//! databases, management commands and scripts mean the same here.
//!
//! # Where the parts are
//!
//! [`state`] is the table of states and events. A record is packed (`record`, `packed`), and records are in pages
//! (`paged`); the table that holds them is in 256 parts (`shard`), each with its own lock and timer wheel. All
//! changes pass through one function (`tracker`) that keeps the timer, the counters and the profiles
//! true. After a change, and without a lock, observers are told (`observe`, `notice`, `tell`).
//!
//! # Events and observers
//!
//! Whoever feeds the tracker learns what an input did from its [`Effects`]. Whoever else wants to know
//! registers an observer: for all calls with [`observe`](Tracker::observe), for one with
//! [`observe_call`](Tracker::observe_call). It gets a [`Notice`]: the call's view, and one variant of
//! [`Happened`] for each callback type of the `dialog` module ([`Callbacks`]), with the message as it was
//! fed and, if it was handed in, as the program's own type ([`Notice::message`]). An observer ends calls with
//! [`terminate`](Tracker::terminate). Without observers a message pays for one comparison.
//!
//! # Databases
//!
//! What is kept of a call is a value, [`Stored`]: [`Tracker::to_store`] gives it, [`Tracker::restore`] takes it. A
//! [`Journal`] hears of each change that makes a difference to it. The tracker itself knows no database.
//!
//! # Time
//!
//! Every state has a deadline: no answer (`early_timeout`), no ACK (`noack_timeout`), the lifetime, and
//! the stay of an ended record (`end_timeout`). So a call that nobody ends cannot exist.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

mod callbacks;
mod create;
mod cseq;
mod data;
mod effects;
mod ending;
mod flags;
mod forced;
mod fork;
mod id;
mod input;
mod keep_alive;
mod layout;
mod list;
mod local;
mod matching;
mod members;
mod membership;
mod notice;
mod observe;
mod packed;
mod paged;
mod profile;
mod record;
mod remote;
mod reply;
mod request;
mod route;
mod settings;
mod shard;
pub mod state;
mod stats;
mod stored;
mod stored_more;
mod tell;
mod terminate;
mod tracker;
mod view;

pub use callbacks::Callbacks;
pub use create::{CreateError, Created};
pub use data::VariableError;
pub use effects::{Effects, EndReason, Ending, Event, Party};
pub use ending::{Deadline, Due, Sides};
pub use flags::{dflags, iflags};
pub use fork::ForkState;
pub use id::{Cookie, DialogId, core_hash};
pub use input::{Direction, Invite, Method, Now, Reply, Request, RequestKey, Side};
pub use keep_alive::KeepAlive;
pub use local::{LegKey, LegOutcome, LocalRequest};
pub use matching::Matched;
pub use notice::{Attachments, Happened, Notice};
pub use observe::{ObserveError, ObserverId};
pub use profile::{ProfileError, ProfileId};
pub use settings::{MatchMode, ProfileSettings, Settings, SettingsError};
pub use state::State;
pub use stats::{Resettable, Statistics};
pub use stored::{Journal, RestoreError, Stored, StoredLeg, ToStore};
pub use stored_more::{Numbers, StoredFork};
pub use terminate::Termination;
pub use timer::Time;
pub use tracker::Tracker;
pub use view::{DialogView, ForkView, LegView};

/// Compiles and runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
