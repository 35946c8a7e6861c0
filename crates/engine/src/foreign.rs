//! Functions of another language that take part as route blocks: the routes of `cfgengine "lua"`, and what a
//! configuration names as a callback. The engine knows them by names; a module brings the language.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use script::{BlockId, Outcome};

use crate::pending::Pending;
use crate::run::Run;
use crate::scripts::{Blocks, Events};
use crate::setup::{InitError, Setup};

/// How many different calls are remembered; a further name is refused.
const CALLS_MAX: usize = 16_384;

/// A function that is to be called, with what it is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ForeignCall {
    /// Its name.
    pub function: Box<str>,
    /// Its argument: the name of an event.
    pub argument: Option<Box<str>>,
}

/// A language that routes can be written in.
pub trait Language: Send + Sync {
    /// The name in `cfgengine`.
    fn name(&self) -> &'static str;

    /// Whether there is a function of this name.
    fn has(&self, function: &str) -> bool;

    /// Calls a function; its code is that of the block which it is.
    fn call(&self, run: &mut Run, call: &ForeignCall) -> Outcome<Pending>;
}

/// The calls that were given numbers, and the language that they are of.
#[derive(Default)]
pub struct Foreign {
    known: RwLock<Known>,
    language: Option<Box<dyn Language>>,
    /// The functions that take part where a native configuration has event routes, by the names of these.
    events: Events,
    /// The whole configuration is in the language.
    is_engine: bool,
}

#[derive(Default)]
struct Known {
    calls: Vec<Arc<ForeignCall>>,
    numbers: HashMap<Arc<ForeignCall>, BlockId>,
}

impl Foreign {
    /// With `is_engine`, routes are functions (`cfgengine`).
    pub(crate) fn new(is_engine: bool) -> Self {
        Self {
            is_engine,
            ..Self::default()
        }
    }

    /// Whether routes are functions of the language.
    pub const fn is_engine(&self) -> bool {
        self.is_engine
    }

    /// The block that calls this function. None when too many different ones were named.
    pub fn block(&self, function: &str, argument: Option<&str>) -> Option<BlockId> {
        let call = ForeignCall {
            function: function.into(),
            argument: argument.map(Into::into),
        };
        if let Some(block) = self.known.read().numbers.get(&call) {
            return Some(*block);
        }
        let mut known = self.known.write();
        if let Some(block) = known.numbers.get(&call) {
            return Some(*block);
        }
        let number = known.calls.len();
        if number >= CALLS_MAX {
            return None;
        }
        let block = BlockId::foreign(u32::try_from(number).ok()?)?;
        let call = Arc::new(call);
        known.calls.push(Arc::clone(&call));
        known.numbers.insert(call, block);
        Some(block)
    }

    /// The call that a block stands for.
    pub fn call_of(&self, block: BlockId) -> Option<Arc<ForeignCall>> {
        let number = block.foreign_number()?;
        self.known.read().calls.get(number as usize).cloned()
    }

    /// Whether running a block would run anything: a function may be missing.
    pub fn is_there(&self, block: BlockId) -> bool {
        if block.foreign_number().is_none() {
            return true;
        }
        let call = self.call_of(block);
        match (&self.language, call) {
            (Some(language), Some(call)) => language.has(&call.function),
            _ => false,
        }
    }

    /// The functions that take the place of event routes.
    pub(crate) fn events(&self) -> &[(Box<str>, BlockId)] {
        &self.events
    }

    /// The functions that the engine starts itself, as the settings `kemi.…` name them.
    pub(crate) fn blocks(&self, settings: &script::Settings) -> Blocks {
        let told = |setting: &str, event: Option<&str>| {
            let name = settings.str(setting);
            let name = Some(name).filter(|name| !name.is_empty() && *name != "none");
            self.block(name?, event)
        };
        let named = |setting| told(setting, None);
        let event = |name: &str| {
            let found = self.events.iter().find(|(known, _)| &**known == name);
            found.map(|(_, block)| *block)
        };
        Blocks {
            request: named("kemi.request_route_callback"),
            reply: named("kemi.reply_route_callback"),
            onsend: named("kemi.onsend_route_callback"),
            local_request: event("tm:local-request"),
            local_response: event("tm:local-response"),
            stateless_response: event("sl:local-response"),
            received: named("kemi.received_route_callback")
                .filter(|_| settings.int("received_route_mode") == 1),
            pre_routing: told("kemi.pre_routing_callback", Some("core:pre-routing")),
            worker_one_init: event("core:worker-one-init"),
        }
    }

    pub(crate) fn set_event(&mut self, name: &str, block: BlockId) {
        self.events.retain(|(known, _)| &**known != name);
        self.events.push((name.into(), block));
    }

    pub(crate) fn run(run: &mut Run, number: u32) -> Outcome<Pending> {
        let engine = run.engine.clone();
        let block = BlockId::foreign(number);
        let call = block.and_then(|block| engine.foreign.call_of(block));
        match (&engine.foreign.language, call) {
            (Some(language), Some(call)) => language.call(run, &call),
            _ => Outcome::Code(-1),
        }
    }
}

impl std::fmt::Debug for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Foreign({} calls)", self.known.read().calls.len())
    }
}

impl Setup<'_> {
    /// Whether routes are functions of another language.
    pub const fn is_foreign(&self) -> bool {
        self.foreign.is_engine
    }

    /// Brings the language; the first one stays.
    pub fn add_language(&mut self, language: impl Language + 'static) {
        if self.foreign.language.is_none() {
            self.foreign.language = Some(Box::new(language));
        }
    }

    /// Takes the functions that a parameter names for events: `event_callback`. Each is called with the event's
    /// name, in the place of the event route of that name.
    ///
    /// # Errors
    /// The parameter is set, and the configuration is not in another language.
    pub fn event_callback(
        &mut self,
        module: &str,
        parameter: &str,
        events: &[&str],
    ) -> Result<(), InitError> {
        let Some(function) = self.parameters.text(module, parameter) else {
            return Ok(());
        };
        if function.is_empty() {
            return Ok(());
        }
        if !self.foreign.is_engine {
            let text = format!(
                "parameter {parameter}: \"{function}\" is never called: it needs `cfgengine \"lua\"`; \
                 without that, write event_route[{}]",
                events.first().unwrap_or(&"…")
            );
            return Err(InitError(text));
        }
        for event in events {
            if let Some(block) = self.foreign.block(&function, Some(event)) {
                self.foreign.set_event(event, block);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_one_number_and_there_is_an_end_to_them() {
        let foreign = Foreign::new(true);
        let first = foreign.block("f", None).expect("there is room");
        let second = foreign
            .block("f", Some("dialog:start"))
            .expect("there is room");
        assert_ne!(first, second);
        assert_eq!(foreign.block("f", None), Some(first));
        let call = foreign.call_of(second).expect("it is known");
        assert_eq!(call.argument.as_deref(), Some("dialog:start"));
        for number in 2..CALLS_MAX {
            assert!(foreign.block(&format!("f{number}"), None).is_some());
        }
        assert!(foreign.block("one too many", None).is_none());
        assert_eq!(foreign.block("f", None), Some(first));
    }
}
