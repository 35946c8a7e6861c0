//! What a module brings, as rows: functions, variables, parameters, commands, statistics.
//! Each row is the only place where a name is given its meaning; the checker, the help and the reference
//! are made from these tables.

use crate::pending::Pending;
use crate::run::Run;
use crate::setup::{InitError, Setup};
use script::{Args, Index, Key, KeySpec, Outcome, SetError, Signature, Value};

/// One script function.
#[derive(Clone, Copy)]
pub struct FunctionRow {
    /// Name, parameters and where it may be used.
    pub signature: Signature,
    /// What it does.
    pub handler: Handler,
}

/// The code of a script function.
pub type Handler = fn(&mut Run, &mut Args<'_>) -> Outcome<Pending>;

/// One class of pseudo-variables.
#[derive(Clone, Copy)]
pub struct VariableRow {
    /// The name after the dollar sign; a core operand's begins with `@`.
    pub name: &'static str,
    /// What may stand in parentheses.
    pub key: KeyRule,
    /// Reads it.
    pub get: fn(&mut Run, &Key, Index) -> Value,
    /// Writes it, where that is allowed.
    pub set: Option<Setter>,
    /// One line for people.
    pub doc: &'static str,
}

/// Writes a variable; `Value::Null` is `$null`.
pub type Setter = fn(&mut Run, &Key, Index, Value) -> Result<(), SetError>;

/// What may stand in a variable's parentheses.
#[derive(Clone, Copy)]
pub enum KeyRule {
    /// Nothing.
    None,
    /// A name or a format.
    Format,
    /// A name or a format, or no parentheses at all.
    OptionalFormat,
    /// Understood at load by this function; the names that it hands out live in the given interner.
    Resolve(fn(&Interner, &str) -> Result<KeySpec, String>),
}

/// Gives numbers to names met in a configuration, so that no name is hashed at run time.
#[derive(Default)]
pub struct Interner {
    names: parking_lot::Mutex<Vec<String>>,
}

impl Interner {
    /// The number of this name, new or known.
    pub fn intern(&self, name: &str) -> u32 {
        let mut names = self.names.lock();
        if let Some(at) = names.iter().position(|known| known == name) {
            return at as u32;
        }
        names.push(name.to_owned());
        (names.len() - 1) as u32
    }

    /// The name with this number; empty for a number that was never given out.
    pub fn name(&self, number: u32) -> String {
        self.names
            .lock()
            .get(number as usize)
            .cloned()
            .unwrap_or_default()
    }

    /// How many names are known.
    pub fn len(&self) -> usize {
        self.names.lock().len()
    }

    /// Whether no name is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The type of a module parameter, with its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// An integer and its default.
    Int(i64),
    /// A string and its default; `None` when unset differs from empty.
    Str(Option<&'static str>),
    /// A string that may be given several times, or an integer or string (Kamailio's `USE_FUNC_PARAM` kind).
    Repeated,
}

/// Says what is wrong with a parameter's value.
pub type Check = fn(&ParameterValue) -> Result<(), String>;

/// Builds a module's state.
pub type Init = fn(&mut Setup<'_>) -> Result<(), InitError>;

/// One module parameter.
#[derive(Clone, Copy)]
pub struct ParameterRow {
    /// Kamailio's name.
    pub name: &'static str,
    /// Type and default.
    pub kind: ParameterType,
    /// A range check; its text is shown with the place of the `modparam`.
    pub check: Option<Check>,
    /// One line for people; for one that has no meaning here it says so.
    pub doc: &'static str,
}

/// A value given by `modparam`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterValue {
    /// An integer.
    Int(i64),
    /// A string.
    Str(String),
}

/// One statistic: `group:name`.
pub struct StatisticRow {
    /// Its group, usually the module's name.
    pub group: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whether `stats.reset_statistics` may zero it.
    pub resettable: bool,
    /// One line for people.
    pub doc: &'static str,
}

/// A Kamailio module, as Tandem provides it.
pub struct Module {
    /// The name in `loadmodule`, without `.so`.
    pub name: &'static str,
    /// Modules that must have been loaded before.
    pub requires: &'static [&'static str],
    /// Script functions.
    pub functions: &'static [FunctionRow],
    /// Pseudo-variables.
    pub variables: &'static [VariableRow],
    /// Parameters.
    pub parameters: &'static [ParameterRow],
    /// Counters that appear with the module.
    pub statistics: &'static [StatisticRow],
    /// Builds the module's state, adds its hooks and commands. Runs once, after the configuration is compiled.
    pub init: Option<Init>,
    /// One line for people.
    pub doc: &'static str,
}
