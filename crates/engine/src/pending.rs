//! Work that stops in the middle: its state is plain data, and it goes on where it stopped.

use script::{Completion, Outcome};

use crate::relay::Relay;
use crate::run::Run;
use crate::stage::Stage;

/// The rest of something that waited or ran a route block.
#[derive(Debug)]
pub enum Pending {
    /// The engine's own way of a request, a reply or a job.
    Stage(Stage),
    /// A request being sent to its destinations.
    Relay(Box<Relay>),
    /// Event routes that had to run before a function's result counts.
    Events {
        /// That result.
        code: i64,
        /// What was set aside while the event route runs.
        saved: Box<crate::events::Saved>,
    },
    /// A module's function.
    Native(Box<dyn Resume>),
}

impl Pending {
    /// A module's function, boxed.
    pub fn native(function: impl Resume + 'static) -> Self {
        Self::Native(Box::new(function))
    }

    /// Goes on.
    pub fn resume(self, run: &mut Run, with: Completion) -> Outcome<Self> {
        match self {
            Self::Stage(stage) => stage.resume(run, with),
            Self::Relay(relay) => relay.resume(run, with),
            Self::Events { code, saved } => {
                drop(saved.restore(run));
                Outcome::Code(code)
            }
            Self::Native(function) => function.resume(run, with),
        }
    }
}

/// How a module's function goes on after it waited.
pub trait Resume: Send {
    /// Goes on, with what it waited for.
    fn resume(self: Box<Self>, run: &mut Run, with: Completion) -> Outcome<Pending>;
}

impl std::fmt::Debug for dyn Resume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("native function")
    }
}
