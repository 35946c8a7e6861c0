//! The compiled configuration that messages run by, and those before it. A new one takes its place between two runs:
//! what began with an earlier one, a run or a transaction with armed routes, ends with that.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwap;
use script::{BlockId, BlockKind, Program};

use crate::log_prefix::LogPrefix;

/// How many earlier configurations are kept; what is armed with an older one does not run any more.
const EARLIER_MAX: usize = 15;

/// Preprocessor definitions with their values, in order of their names.
pub type Defines = Vec<(String, Option<Box<[u8]>>)>;

/// The blocks of event routes, by the names of the events.
pub(crate) type Events = Vec<(Box<str>, BlockId)>;

/// A compiled configuration, with what is looked up in it at once.
#[derive(Debug)]
pub struct Script {
    /// The code.
    pub program: Program,
    /// The blocks that the engine starts itself.
    pub blocks: Blocks,
    events: Events,
    /// What it had defined for the preprocessor.
    pub defines: Defines,
    /// What stands before log lines about a message.
    pub log_prefix: Option<LogPrefix>,
    /// Somebody wants to see each function call.
    pub(crate) observes_calls: bool,
    /// What a run may use up.
    pub limits: script::Limits,
    /// How many numbers there are for `$var`.
    pub(crate) locals: usize,
    /// The log level that the file asks for.
    pub(crate) debug: i64,
}

/// What a script is made of besides its program.
pub(crate) struct Parts {
    pub(crate) received: bool,
    pub(crate) defines: Defines,
    pub(crate) log_prefix: Option<LogPrefix>,
    pub(crate) measures_calls: bool,
    pub(crate) limits: script::Limits,
    pub(crate) locals: usize,
    pub(crate) debug: i64,
    /// The blocks and the event routes, when they are functions of another language.
    pub(crate) foreign: Option<(Blocks, Events)>,
}

impl Script {
    pub(crate) fn new(program: Program, parts: Parts) -> Self {
        let mut defines = parts.defines;
        defines.sort_by(|one, other| one.0.cmp(&other.0));
        let (blocks, events) = parts
            .foreign
            .unwrap_or_else(|| (Blocks::of(&program, parts.received), events_of(&program)));
        let each_call = parts
            .log_prefix
            .as_ref()
            .is_some_and(|prefix| prefix.each_call);
        Self {
            blocks,
            events,
            defines,
            observes_calls: each_call || parts.measures_calls,
            log_prefix: parts.log_prefix,
            limits: parts.limits,
            locals: parts.locals,
            debug: parts.debug,
            program,
        }
    }

    /// The block of `event_route[name]`.
    pub fn event(&self, name: &str) -> Option<BlockId> {
        let found = self.events.iter().find(|(known, _)| &**known == name);
        found.map(|(_, block)| *block)
    }

    /// The value of a preprocessor definition, empty for one without.
    pub fn define(&self, name: &[u8]) -> Option<&[u8]> {
        let defines = &self.defines;
        let found = defines.binary_search_by(|(known, _)| known.as_bytes().cmp(name));
        let (_, value) = defines.get(found.ok()?)?;
        Some(value.as_deref().unwrap_or_default())
    }
}

fn events_of(program: &Program) -> Events {
    let events = program.blocks();
    let events = events.filter(|(_, kind, _)| *kind == BlockKind::Event);
    events.map(|(id, _, name)| (name.into(), id)).collect()
}

/// The blocks without a name of their own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blocks {
    /// `request_route`.
    pub request: Option<BlockId>,
    /// `reply_route`.
    pub reply: Option<BlockId>,
    /// `onsend_route`.
    pub onsend: Option<BlockId>,
    /// `event_route[tm:local-request]`.
    pub local_request: Option<BlockId>,
    /// `event_route[tm:local-response]`.
    pub local_response: Option<BlockId>,
    /// `event_route[sl:local-response]`.
    pub stateless_response: Option<BlockId>,
    /// `event_route[core:msg-received]`, where `received_route_mode` wants it.
    pub received: Option<BlockId>,
    /// `event_route[core:pre-routing]`.
    pub pre_routing: Option<BlockId>,
    /// `event_route[core:worker-one-init]`.
    pub worker_one_init: Option<BlockId>,
}

impl Blocks {
    /// Finds them in a program; with `received`, received messages are shown to their own event route.
    fn of(program: &Program, received: bool) -> Self {
        let event = |name| program.block(BlockKind::Event, name);
        Self {
            request: program.block(BlockKind::Request, ""),
            reply: program.block(BlockKind::CoreReply, ""),
            onsend: program.block(BlockKind::OnSend, ""),
            local_request: event("tm:local-request"),
            local_response: event("tm:local-response"),
            stateless_response: event("sl:local-response"),
            received: event("core:msg-received").filter(|_| received),
            pre_routing: event("core:pre-routing"),
            worker_one_init: event("core:worker-one-init"),
        }
    }
}

/// A script as one worker holds it: its copies are counted without atomic operations.
#[derive(Clone, Debug)]
pub struct LocalScript(Rc<Held>);

#[derive(Debug)]
struct Held(Arc<Script>);

impl LocalScript {
    pub(crate) fn new(script: Arc<Script>) -> Self {
        Self(Rc::new(Held(script)))
    }
}

impl Deref for LocalScript {
    type Target = Script;

    fn deref(&self) -> &Script {
        &self.0.0
    }
}

/// The current script and the earlier ones, the last one first.
#[derive(Debug)]
struct Line {
    current: Arc<Script>,
    earlier: Vec<Arc<Script>>,
}

/// Holds the scripts of a running engine.
#[derive(Debug)]
pub(crate) struct Scripts {
    line: ArcSwap<Line>,
    /// The generation of the current one, for a quick look.
    generation: AtomicU32,
}

impl Scripts {
    pub(crate) fn new(script: Script) -> Self {
        let generation = script.program.generation();
        let line = Line {
            current: Arc::new(script),
            earlier: Vec::new(),
        };
        Self {
            line: ArcSwap::from_pointee(line),
            generation: AtomicU32::new(generation),
        }
    }

    /// The generation of the current script.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn current(&self) -> Arc<Script> {
        Arc::clone(&self.line.load().current)
    }

    /// The script that a block belongs to; none if that is too long ago.
    pub(crate) fn owner(&self, block: BlockId) -> Option<Arc<Script>> {
        let line = self.line.load();
        let all = std::iter::once(&line.current).chain(&line.earlier);
        all.into_iter()
            .find(|script| script.program.owns(block))
            .cloned()
    }

    /// Puts a script in the place of the current one. To be called by one thread at a time.
    pub(crate) fn replace(&self, script: Script) {
        let generation = script.program.generation();
        let line = self.line.load_full();
        let before = std::iter::once(&line.current).chain(&line.earlier);
        self.line.store(Arc::new(Line {
            current: Arc::new(script),
            earlier: before.take(EARLIER_MAX).cloned().collect(),
        }));
        self.generation.store(generation, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use script::{MemoryLoader, SourceMap};

    use super::*;

    /// A script whose only block is an event route of this name.
    fn script(generation: u32, event: &str) -> Script {
        let text = format!("event_route[{event}] {{ exit; }}\n");
        let loader = MemoryLoader::one("a.cfg", &text);
        let mut map = SourceMap::new();
        let options = script::Options::default();
        let (config, _) = script::parse(&mut map, &loader, "a.cfg".as_ref(), &options);
        let catalog = crate::catalog::Catalog::new(&[], &[]);
        let program = script::compile_generation(&config, &catalog, &map, generation);
        let parts = Parts {
            received: false,
            defines: vec![
                ("B".to_owned(), None),
                ("A".to_owned(), Some((*b"1").into())),
            ],
            log_prefix: None,
            measures_calls: false,
            limits: script::Limits::default(),
            locals: 0,
            debug: 0,
            foreign: None,
        };
        Script::new(program.expect("it is right"), parts)
    }

    #[test]
    fn a_block_is_found_in_the_script_that_it_belongs_to() {
        let scripts = Scripts::new(script(0, "m:first"));
        let first = scripts.current().event("m:first").expect("it is there");
        scripts.replace(script(1, "m:second"));
        assert_eq!(scripts.generation(), 1);
        let second = scripts.current().event("m:second").expect("it is there");
        assert_ne!(first, second);
        assert!(!scripts.current().program.owns(first));
        let owner = scripts.owner(first).expect("it is kept");
        assert_eq!(owner.event("m:first"), Some(first));
        for generation in 2..=EARLIER_MAX as u32 {
            scripts.replace(script(generation, "m:next"));
        }
        assert!(scripts.owner(first).is_some());
        scripts.replace(script(EARLIER_MAX as u32 + 1, "m:next"));
        assert!(scripts.owner(first).is_none());
        assert!(scripts.owner(second).is_some());
    }

    #[test]
    fn definitions_are_found_by_name() {
        let script = script(0, "m:e");
        assert_eq!(script.define(b"A"), Some(&b"1"[..]));
        assert_eq!(script.define(b"B"), Some(&b""[..]));
        assert_eq!(script.define(b"C"), None);
    }
}
