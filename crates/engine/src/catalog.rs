//! The names that a configuration may use, given the modules that it loaded.

use script::{FunctionId, KeySpec, NameError, Resolved, Signature, VariableId};

use crate::registry::{FunctionRow, Handler, Interner, KeyRule, Module, VariableRow};

/// Functions and variables of all loaded modules, in load order.
pub struct Catalog {
    functions: Vec<&'static FunctionRow>,
    variables: Vec<&'static VariableRow>,
    available: &'static [&'static Module],
    loaded: Vec<&'static Module>,
    interner: Interner,
}

impl Catalog {
    /// The rows of the loaded modules; `available` is everything that could have been loaded.
    pub fn new(available: &'static [&'static Module], loaded: &[&'static Module]) -> Self {
        Self {
            functions: loaded.iter().flat_map(|module| module.functions).collect(),
            variables: loaded.iter().flat_map(|module| module.variables).collect(),
            available,
            loaded: loaded.to_vec(),
            interner: Interner::default(),
        }
    }

    /// The numbers given to names at load.
    pub fn interner(&self) -> &Interner {
        &self.interner
    }

    /// The modules that were loaded, in order.
    pub fn loaded(&self) -> &[&'static Module] {
        &self.loaded
    }

    /// The code of a function.
    pub fn handler(&self, id: FunctionId) -> Handler {
        self.functions[id.0 as usize].handler
    }

    /// The name of a function.
    pub fn function_name(&self, id: FunctionId) -> &'static str {
        self.functions[id.0 as usize].signature.name
    }

    /// The row of a variable class.
    pub fn variable_row(&self, id: VariableId) -> &'static VariableRow {
        self.variables[id.0 as usize]
    }
}

impl Catalog {
    /// Why a variable is not there: perhaps only its module is missing.
    fn missing_variable(&self, name: &str) -> NameError {
        let brings = |module: &&&Module| module.variables.iter().any(|row| row.name == name);
        match self.available.iter().find(brings) {
            Some(module) => NameError::Inner(format!("${name} needs module {}", module.name)),
            None => NameError::Unknown,
        }
    }
}

impl script::Catalog for Catalog {
    fn functions(&self, name: &str) -> Vec<(FunctionId, &Signature)> {
        let rows = self.functions.iter().enumerate();
        rows.filter(|(_, row)| row.signature.name == name)
            .map(|(at, row)| (FunctionId(at as u32), &row.signature))
            .collect()
    }

    fn variable(&self, name: &str, inner: Option<&str>) -> Result<Resolved, NameError> {
        let Some(at) = self.variables.iter().position(|row| row.name == name) else {
            return Err(self.missing_variable(name));
        };
        let row = self.variables[at];
        let key = match (row.key, inner) {
            (KeyRule::None, None) | (KeyRule::OptionalFormat, None) => KeySpec::None,
            (KeyRule::None, Some(_)) => {
                return Err(NameError::Inner(format!(
                    "${name} takes nothing in parentheses"
                )));
            }
            (KeyRule::Format | KeyRule::OptionalFormat, Some(_)) => KeySpec::Format,
            (KeyRule::Format | KeyRule::Resolve(_), None) => {
                return Err(NameError::Inner(format!(
                    "${name} needs a name in parentheses"
                )));
            }
            (KeyRule::Resolve(resolve), Some(inner)) => {
                resolve(&self.interner, inner).map_err(NameError::Inner)?
            }
        };
        Ok(Resolved {
            id: VariableId(at as u32),
            key,
            writable: row.set.is_some(),
        })
    }

    fn slot(&self, id: VariableId, key: &KeySpec) -> Option<u32> {
        // These lie in `Locals::vars`, by the numbers of their names.
        match (self.variables.get(id.0 as usize)?.name, key) {
            ("var" | "vz", KeySpec::Attr(number)) => Some(*number),
            _ => None,
        }
    }

    fn function_names(&self) -> Vec<(&str, &str)> {
        let modules = self.available.iter();
        modules
            .flat_map(|module| {
                module
                    .functions
                    .iter()
                    .map(|row| (row.signature.name, module.name))
            })
            .collect()
    }

    fn variable_names(&self) -> Vec<&str> {
        self.variables
            .iter()
            .map(|row| row.name)
            .filter(|name| !name.starts_with('@'))
            .collect()
    }
}
