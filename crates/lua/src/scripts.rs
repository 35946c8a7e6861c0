//! The scripts as they were last read, and what functions they have.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use engine::{Engine, Local};
use parking_lot::RwLock;

use crate::module::State;
use crate::seat::Seat;

/// One file.
#[derive(Debug)]
pub(crate) struct Script {
    /// As it was named.
    pub(crate) path: String,
    /// What was in it.
    pub(crate) text: Vec<u8>,
    /// How often it was read.
    pub(crate) version: u32,
}

/// All files, as they count together.
#[derive(Debug, Default)]
pub(crate) struct Set {
    generation: u32,
    scripts: Vec<Arc<Script>>,
    functions: HashSet<String>,
}

impl Set {
    /// The files in their order.
    pub(crate) fn scripts(&self) -> &[Arc<Script>] {
        &self.scripts
    }

    /// Which reading this is.
    pub(crate) const fn generation(&self) -> u32 {
        self.generation
    }
}

/// The scripts of an engine.
#[derive(Debug)]
pub(crate) struct Scripts {
    current: RwLock<Arc<Set>>,
    /// The generation of the current ones, for a quick look.
    generation: AtomicU32,
}

impl Scripts {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// One cannot be read.
    pub(crate) fn read(paths: Vec<String>) -> Result<Self, String> {
        let scripts: Result<_, String> = paths.into_iter().map(|path| read(path, 0)).collect();
        let set = Set {
            scripts: scripts?,
            ..Set::default()
        };
        Ok(Self {
            current: RwLock::new(Arc::new(set)),
            generation: AtomicU32::new(0),
        })
    }

    /// Which reading counts.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// The scripts that count.
    pub(crate) fn current(&self) -> Arc<Set> {
        Arc::clone(&self.current.read())
    }

    /// Whether there is a global function of this name.
    pub(crate) fn has(&self, function: &str) -> bool {
        self.current.read().functions.contains(function)
    }

    /// Runs the scripts once, to see that they can be loaded and what functions they have.
    ///
    /// # Errors
    /// What is wrong with one.
    pub(crate) fn try_out(&self, engine: &Arc<Engine>, state: &State) -> Result<(), String> {
        let set = self.current();
        let functions = functions_of(engine, state, &set)?;
        let scripts = set.scripts.clone();
        *self.current.write() = Arc::new(Set {
            generation: set.generation,
            scripts,
            functions,
        });
        Ok(())
    }

    /// Reads the files again, or this one of them; they count from now on if they can be loaded.
    ///
    /// # Errors
    /// What is wrong; everything stays as it was.
    pub(crate) fn reload(
        &self,
        engine: &Arc<Engine>,
        state: &State,
        which: Option<usize>,
    ) -> Result<(), String> {
        let before = self.current();
        let again = |(at, script): (usize, &Arc<Script>)| match which {
            Some(wanted) if wanted != at => Ok(Arc::clone(script)),
            _ => read(script.path.clone(), script.version + 1),
        };
        let scripts: Result<Vec<_>, String> =
            before.scripts.iter().enumerate().map(again).collect();
        let mut set = Set {
            generation: before.generation.wrapping_add(1),
            scripts: scripts?,
            functions: HashSet::new(),
        };
        set.functions = functions_of(engine, state, &set)?;
        let generation = set.generation;
        *self.current.write() = Arc::new(set);
        self.generation.store(generation, Ordering::Release);
        Ok(())
    }
}

fn read(path: String, version: u32) -> Result<Arc<Script>, String> {
    let text = std::fs::read(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    Ok(Arc::new(Script {
        path,
        text,
        version,
    }))
}

fn functions_of(engine: &Arc<Engine>, state: &State, set: &Set) -> Result<HashSet<String>, String> {
    let local = Local::new(engine);
    let seat = Seat::new(&local, state);
    let vm = crate::vm::Vm::new(&local, &seat.current, &seat.guard, set)
        .map_err(|error| error.to_string())?;
    Ok(vm.functions().into_iter().collect())
}
