//! The values that `modparam` gave, checked against the rows of the modules.

use std::collections::{BTreeSet, HashMap};

use crate::registry::{Module, ParameterRow, ParameterType, ParameterValue};

/// Values of module parameters, by module and name; what was not given has the row's default.
#[derive(Default, Debug, Clone)]
pub struct Parameters {
    given: HashMap<String, Vec<ParameterValue>>,
    defaults: HashMap<String, ParameterType>,
}

impl Parameters {
    /// Makes the rows of a loaded module known.
    pub fn declare(&mut self, module: &'static Module) {
        for row in module.parameters {
            self.defaults.insert(key(module.name, row.name), row.kind);
        }
    }

    /// Takes one `modparam`.
    ///
    /// # Errors
    /// The reason, when the type or the value is wrong.
    pub fn give(
        &mut self,
        module: &'static Module,
        row: &'static ParameterRow,
        value: ParameterValue,
    ) -> Result<(), String> {
        match (&row.kind, &value) {
            (ParameterType::Int(_), ParameterValue::Str(_)) => {
                return Err(format!(
                    "parameter {} of {} is an integer",
                    row.name, module.name
                ));
            }
            (ParameterType::Str(_), ParameterValue::Int(_)) => {
                return Err(format!(
                    "parameter {} of {} is a string",
                    row.name, module.name
                ));
            }
            _ => {}
        }
        if let Some(check) = row.check {
            check(&value)?;
        }
        self.given
            .entry(key(module.name, row.name))
            .or_default()
            .push(value);
        Ok(())
    }

    /// The parameters that were given other values, as module and name, in order.
    pub(crate) fn differences<'a>(
        &'a self,
        other: &'a Self,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let keys: BTreeSet<&String> = self.given.keys().chain(other.given.keys()).collect();
        let changed = keys
            .into_iter()
            .filter(|key| self.given.get(*key) != other.given.get(*key));
        changed.filter_map(|key| key.split_once(':'))
    }

    /// The integer; the last one given wins.
    pub fn int(&self, module: &str, name: &str) -> i64 {
        match self.last(module, name) {
            Some(ParameterValue::Int(value)) => *value,
            _ => match self.default(module, name) {
                Some(ParameterType::Int(value)) => value,
                _ => 0,
            },
        }
    }

    /// The string; the last one given wins. `None` when unset and without default.
    pub fn str(&self, module: &str, name: &str) -> Option<String> {
        match self.last(module, name) {
            Some(ParameterValue::Str(value)) => Some(value.clone()),
            Some(ParameterValue::Int(value)) => Some(value.to_string()),
            None => match self.default(module, name) {
                Some(ParameterType::Str(value)) => value.map(str::to_owned),
                _ => None,
            },
        }
    }

    /// The string if it is set and not empty.
    pub fn text(&self, module: &str, name: &str) -> Option<String> {
        self.str(module, name).filter(|value| !value.is_empty())
    }

    /// All values given, in order.
    pub fn all(&self, module: &str, name: &str) -> Vec<ParameterValue> {
        self.find(module, name).cloned().unwrap_or_default()
    }

    /// Whether the configuration set it.
    pub fn is_given(&self, module: &str, name: &str) -> bool {
        self.find(module, name).is_some()
    }

    fn find(&self, module: &str, name: &str) -> Option<&Vec<ParameterValue>> {
        self.given.get(&key(module, name))
    }

    fn last(&self, module: &str, name: &str) -> Option<&ParameterValue> {
        self.find(module, name)?.last()
    }

    fn default(&self, module: &str, name: &str) -> Option<ParameterType> {
        self.defaults.get(&key(module, name)).copied()
    }
}

fn key(module: &str, name: &str) -> String {
    format!("{module}:{name}")
}
