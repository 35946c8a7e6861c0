//! What a module gets to build its state from, once, after the configuration was compiled.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};

use script::{Catalog as _, Format, Program, Value, Variable};

use crate::catalog::Catalog;
use crate::clock::Now;
use crate::engine::Engine;
use crate::foreign::Foreign;
use crate::hooks::Hooks;
use crate::log::Log;
use crate::parameters::Parameters;
use crate::settings::Settings;
use crate::slots::States;
use crate::statistics::Statistics;

/// Why a module could not be initialised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitError(pub String);

impl<T: Into<String>> From<T> for InitError {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

/// The engine that is being made, for closures that will run when it is there.
#[derive(Clone, Default)]
pub struct EngineHandle(Arc<OnceLock<Weak<Engine>>>);

impl std::fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EngineHandle")
    }
}

impl EngineHandle {
    /// The engine; `None` before it is made and after it is gone.
    pub fn get(&self) -> Option<Arc<Engine>> {
        self.0.get()?.upgrade()
    }

    pub(crate) fn set(&self, engine: &Arc<Engine>) {
        // A handle belongs to one engine; the first stays.
        let _ = self.0.set(Arc::downgrade(engine));
    }
}

/// Everything a module may look at or add to.
pub struct Setup<'a> {
    /// The module's parameters and everybody else's.
    pub parameters: &'a Parameters,
    /// Names of the configuration.
    pub catalog: &'a Catalog,
    /// The compiled configuration.
    pub program: &'a Program,
    /// The configuration as it was parsed.
    pub config: &'a script::ast::Config,
    /// Core settings, which some modules change.
    pub settings: &'a mut Settings,
    /// Hooks to add to.
    pub hooks: &'a mut Hooks,
    /// States to add to.
    pub states: &'a mut States,
    /// Statistics to add to.
    pub statistics: &'a Arc<Statistics>,
    /// Commands to add to.
    pub commands: &'a mut Vec<rpc::Command>,
    /// Doors to be opened.
    pub doors: &'a mut rpc::DoorsConfig,
    pub(crate) program_checks: &'a mut Vec<ProgramCheck>,
    /// First values of `$var`, by number.
    pub first_locals: &'a mut Vec<Value>,
    /// Functions of another language.
    pub(crate) foreign: &'a mut Foreign,
    /// The log.
    pub log: &'a Log,
    /// The engine to be.
    pub engine: EngineHandle,
    /// Where control sockets go when their names are relative.
    pub run_dir: PathBuf,
    /// Where files that outlive the process go when their names are relative.
    pub data_dir: PathBuf,
    /// Listening sockets.
    pub sockets: &'a Arc<transport::listen::Sockets>,
    /// Databases.
    pub databases: &'a store::Databases,
    /// The time.
    pub now: Now,
    /// Randomness; a module that needs some mixes its own name into it.
    pub seed: u64,
}

/// Says what a module finds wrong with a program.
pub(crate) type ProgramCheck = Box<dyn Fn(&Program) -> Result<(), InitError> + Send + Sync>;

impl Setup<'_> {
    /// Looks at the program, now and whenever another one is to take its place.
    ///
    /// # Errors
    /// What the check finds wrong now.
    pub fn check_program(
        &mut self,
        check: impl Fn(&Program) -> Result<(), InitError> + Send + Sync + 'static,
    ) -> Result<(), InitError> {
        check(self.program)?;
        self.program_checks.push(Box::new(check));
        Ok(())
    }

    /// Keeps a module's state, to be found by its type.
    pub fn put_state<T: std::any::Any + Send + Sync>(&mut self, state: T) -> Arc<T> {
        let state = Arc::new(state);
        self.states.put(Arc::clone(&state));
        state
    }

    /// Parses a format given as a module parameter.
    ///
    /// # Errors
    /// The parameter's name and what is wrong with it.
    pub fn format(&self, module: &str, name: &str) -> Result<Option<Format>, InitError> {
        let Some(text) = self.parameters.text(module, name) else {
            return Ok(None);
        };
        let parsed = Format::parse(text.as_bytes(), self.catalog);
        parsed
            .map(Some)
            .map_err(|error| wrong(module, name, &text, &error))
    }

    /// Parses a variable given as a module parameter.
    ///
    /// # Errors
    /// The parameter's name and what is wrong with it.
    pub fn variable(&self, module: &str, name: &str) -> Result<Option<Variable>, InitError> {
        let Some(text) = self.parameters.text(module, name) else {
            return Ok(None);
        };
        let parsed = Variable::parse(text.as_bytes(), self.catalog);
        parsed
            .map(Some)
            .map_err(|error| wrong(module, name, &text, &error))
    }

    /// Whether a module was loaded.
    pub fn is_loaded(&self, module: &str) -> bool {
        self.catalog
            .loaded()
            .iter()
            .any(|loaded| loaded.name == module)
    }

    /// Whether any function of this name exists in the loaded modules.
    pub fn has_function(&self, name: &str) -> bool {
        !self.catalog.functions(name).is_empty()
    }
}

fn wrong(module: &str, name: &str, text: &str, error: &script::TextError) -> InitError {
    InitError(format!(
        "module {module}: parameter {name}: \"{text}\": {error}"
    ))
}
