//! Variables, their groups, and the names of both.

use std::collections::BTreeMap;

use script::Value;

/// The variables of one group.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) variables: Vec<Variable>,
    /// Values of the group's instances, where they differ from the group's own.
    pub(crate) instances: BTreeMap<i64, Vec<Option<Value>>>,
}

/// One variable.
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) value: Value,
    pub(crate) initial: Value,
    pub(crate) is_int: bool,
    pub(crate) kind: VariableKind,
}

/// What setting a variable does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VariableKind {
    /// It is the configuration's own: scripts see the new value.
    Own,
    /// It is the log's threshold.
    LogLevel,
    /// It counts at start only.
    Fixed,
}

/// Which group, and which of its instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupName {
    /// The group.
    pub(crate) name: String,
    /// The instance; `None` is the group itself.
    pub(crate) instance: Option<i64>,
}

impl GroupName {
    /// Reads `group` or `group[id]`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((name, rest)) = text.split_once('[') else {
            return Some(Self {
                name: text.to_owned(),
                instance: None,
            });
        };
        let id = rest.strip_suffix(']')?.parse().ok()?;
        Some(Self {
            name: name.to_owned(),
            instance: Some(id),
        })
    }
}

impl Group {
    /// A group without variables.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            variables: Vec::new(),
            instances: BTreeMap::new(),
        }
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.variables
            .iter()
            .position(|variable| variable.name == name)
    }
}

impl Variable {
    /// A variable whose value is the one that it begins with.
    pub(crate) fn new(
        name: &str,
        doc: &str,
        value: Value,
        is_int: bool,
        kind: VariableKind,
    ) -> Self {
        Self {
            name: name.to_owned(),
            doc: doc.to_owned(),
            initial: value.clone(),
            value,
            is_int,
            kind,
        }
    }
}

/// The value as commands show it.
pub(crate) fn shown(value: &Value) -> rpc::Value {
    match value {
        Value::Null => rpc::Value::Null,
        Value::Int(number) => rpc::Value::Int(*number),
        Value::Str(text) => rpc::Value::Str(text.as_bytes().to_vec()),
    }
}
