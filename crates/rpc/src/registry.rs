//! The table of commands. A command is one row: its name, its help, its parameters, its handler.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::builtin;
use crate::call::{Call, Dialect};
use crate::reply::{Outcome, Reply};
use crate::{Fault, Value};

/// What a parameter holds; for the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Int,
    /// A fraction.
    Double,
    /// A string.
    Str,
    /// A string or a number.
    Any,
}

/// One parameter of a command; for the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it may be left out.
    pub optional: bool,
}

type Handler = Box<dyn Fn(&mut Call<'_>) -> Result<(), Fault> + Send + Sync>;

/// One row of the table.
pub struct Command {
    name: Cow<'static, str>,
    doc: Cow<'static, str>,
    parameters: Vec<Parameter>,
    list: bool,
    handler: Handler,
}

impl Command {
    /// A command `name` with a sentence of help. The handler must be quick: it runs on the thread of
    /// the door. Use [`Call::stream`] for long replies and [`Call::defer`] for what has to be waited for.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        doc: impl Into<Cow<'static, str>>,
        handler: impl Fn(&mut Call<'_>) -> Result<(), Fault> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            doc: doc.into(),
            parameters: Vec::new(),
            list: false,
            handler: Box::new(handler),
        }
    }

    /// Declares the next parameter.
    #[must_use]
    pub fn parameter(self, name: &'static str, kind: Kind) -> Self {
        self.declare(name, kind, false)
    }

    /// Declares the next parameter, which may be left out.
    #[must_use]
    pub fn optional(self, name: &'static str, kind: Kind) -> Self {
        self.declare(name, kind, true)
    }

    /// Makes the JSON result an array whatever the number of values.
    #[must_use]
    pub fn list(mut self) -> Self {
        self.list = true;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The help.
    pub fn doc(&self) -> &str {
        &self.doc
    }

    /// The declared parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Whether the JSON result is always an array.
    pub fn is_list(&self) -> bool {
        self.list
    }

    fn declare(mut self, name: &'static str, kind: Kind, optional: bool) -> Self {
        self.parameters.push(Parameter {
            name,
            kind,
            optional,
        });
        self
    }

    fn empty_reply(&self) -> Reply {
        if self.list {
            Reply::list()
        } else {
            Reply::new()
        }
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command")
            .field("name", &self.name)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

/// Two rows have the same name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("RPC command {0} is registered twice")]
pub struct DuplicateCommand(pub String);

/// All commands, by name.
#[derive(Debug)]
pub struct Registry {
    commands: BTreeMap<Cow<'static, str>, Command>,
    panics: AtomicU64,
}

impl Registry {
    /// The `system.*` commands, which describe the others.
    pub fn new() -> Self {
        let commands = builtin::commands()
            .map(|command| (command.name.clone(), command))
            .into();
        Self {
            commands,
            panics: AtomicU64::new(0),
        }
    }

    /// Adds a row.
    pub fn add(&mut self, command: Command) -> Result<(), DuplicateCommand> {
        if self.commands.contains_key(&command.name) {
            return Err(DuplicateCommand(command.name.into_owned()));
        }
        self.commands.insert(command.name.clone(), command);
        Ok(())
    }

    /// The command with this name.
    pub fn find(&self, name: &str) -> Option<&Command> {
        self.commands.get(name)
    }

    /// All commands, sorted by name.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.commands.values()
    }

    /// Runs a command. A handler's panic is this command's fault 500 and nobody else's business.
    pub fn invoke(
        &self,
        name: &str,
        parameters: Vec<Value>,
        dialect: Dialect,
    ) -> Result<Outcome, Fault> {
        let command = self
            .find(name)
            .ok_or_else(|| Fault::unknown_command(name))?;
        let mut call = Call::new(self, parameters, dialect, command.empty_reply());
        let result = catch_unwind(AssertUnwindSafe(|| (command.handler)(&mut call)));
        match result {
            Ok(Ok(())) => Ok(call.finish()),
            Ok(Err(fault)) if fault.is_missing_parameter() && call.is_json() => Ok(call.finish()),
            Ok(Err(fault)) => Err(fault),
            Err(_) => {
                self.panics.fetch_add(1, Ordering::Relaxed);
                Err(Fault::new(500, "Internal Server Error"))
            }
        }
    }

    /// Runs a command for a caller inside the program, who has the values as they are.
    pub fn call(&self, name: &str, parameters: Vec<Value>) -> Result<Reply, Fault> {
        let dialect = Dialect::Binrpc {
            autoconversion: true,
        };
        self.invoke(name, parameters, dialect)?.now()
    }

    /// How many commands panicked: bugs.
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}
