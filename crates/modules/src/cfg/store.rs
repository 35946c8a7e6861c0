//! The values of configuration variables, their instances (`group[id]`), and changes that wait for a commit.

use engine::Log;
use parking_lot::RwLock;
use script::Value;

use super::variable::{Group, GroupName, Variable, VariableKind};

/// Most instances of one group.
const INSTANCES_MAX: usize = 1024;
/// Most changes that may wait for a commit.
const CHANGES_MAX: usize = 1024;

/// All configuration variables.
pub(crate) struct Store {
    inner: RwLock<Inner>,
    log: Log,
}

struct Inner {
    groups: Vec<Group>,
    changes: Vec<Waiting>,
}

/// A change that waits for a commit, as it is shown.
pub(crate) struct Change {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) old: Value,
    pub(crate) new: Value,
}

struct Waiting {
    group: GroupName,
    name: String,
    /// `None` takes the instance's own value away.
    value: Option<Value>,
}

/// Why a variable can't be read or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no such group, instance or variable.
    Unknown,
    /// The value has the wrong type.
    Type,
    /// It counts at start only.
    Fixed,
    /// There is no room for more.
    Full,
}

/// Where a variable is, for reading it without looking names up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    group: usize,
    variable: usize,
}

impl Place {
    /// The group that it lies in.
    pub(crate) const fn group(self) -> usize {
        self.group
    }
}

impl Store {
    /// The variables with their first values.
    pub(crate) fn new(groups: Vec<Group>, log: Log) -> Self {
        let changes = Vec::new();
        Self {
            inner: RwLock::new(Inner { groups, changes }),
            log,
        }
    }

    /// Where `group.name` is.
    pub(crate) fn place(&self, group: &str, name: &str) -> Option<Place> {
        let inner = self.inner.read();
        let at = inner.groups.iter().position(|known| known.name == group)?;
        let variable = inner.groups[at].position(name)?;
        Some(Place {
            group: at,
            variable,
        })
    }

    /// The value of the variable at a place; of an instance that is gone by now, the group's.
    pub(crate) fn value_at(&self, place: Place, instance: Option<i64>) -> Value {
        let inner = self.inner.read();
        let Some(group) = inner.groups.get(place.group) else {
            return Value::Null;
        };
        self.value(group, instance, place.variable)
            .or_else(|_| self.value(group, None, place.variable))
            .unwrap_or_default()
    }

    /// Which group has this name.
    pub(crate) fn group_at(&self, group: &str) -> Option<usize> {
        let inner = self.inner.read();
        inner.groups.iter().position(|known| known.name == group)
    }

    /// Whether a group has this instance.
    pub(crate) fn has_instance(&self, group: usize, id: i64) -> bool {
        let inner = self.inner.read();
        let found = inner.groups.get(group);
        found.is_some_and(|group| group.instances.contains_key(&id))
    }

    /// An instance's own value, where it has one.
    pub(crate) fn own_value(&self, group: usize, id: i64, name: &str) -> Option<Value> {
        let inner = self.inner.read();
        let group = inner.groups.get(group)?;
        let at = group.position(name)?;
        group.instances.get(&id)?.get(at).cloned().flatten()
    }

    /// The value of one variable.
    pub(crate) fn get(&self, group: &GroupName, name: &str) -> Result<Value, Fault> {
        let inner = self.inner.read();
        let found = inner.group(&group.name)?;
        let at = found.position(name).ok_or(Fault::Unknown)?;
        self.value(found, group.instance, at)
    }

    /// All variables of a group, by name.
    pub(crate) fn get_all(&self, group: &GroupName) -> Result<Vec<(String, Value)>, Fault> {
        let inner = self.inner.read();
        let found = inner.group(&group.name)?;
        let all = found.variables.iter().enumerate();
        all.map(|(at, variable)| {
            let value = self.value(found, group.instance, at)?;
            Ok((variable.name.clone(), value))
        })
        .collect()
    }

    /// The names of all variables, or of those of one group.
    pub(crate) fn names(&self, group: Option<&str>) -> Vec<(String, String)> {
        let inner = self.inner.read();
        let groups = inner.groups.iter();
        groups
            .filter(|known| group.is_none_or(|group| known.name == group))
            .flat_map(|known| {
                let names = known.variables.iter();
                names.map(|variable| (known.name.clone(), variable.name.clone()))
            })
            .collect()
    }

    /// The description of a variable, and whether it is an integer.
    pub(crate) fn help(&self, group: &str, name: &str) -> Result<(String, bool), Fault> {
        let inner = self.inner.read();
        let found = inner.group(group)?;
        let at = found.position(name).ok_or(Fault::Unknown)?;
        let variable = &found.variables[at];
        Ok((variable.doc.clone(), variable.is_int))
    }

    /// Changes a variable at once.
    pub(crate) fn set(&self, group: &GroupName, name: &str, value: Value) -> Result<(), Fault> {
        let value = self.converted(group, name, value)?;
        self.write(group, name, Some(value))
    }

    /// Notes a change for the next commit.
    pub(crate) fn set_later(
        &self,
        group: &GroupName,
        name: &str,
        value: Value,
    ) -> Result<(), Fault> {
        let value = self.converted(group, name, value)?;
        self.note(group, name, Some(value))
    }

    /// Takes an instance's own value away, so that the group's counts again.
    pub(crate) fn delete(&self, group: &GroupName, name: &str) -> Result<(), Fault> {
        self.get(group, name)?;
        self.write(group, name, None)
    }

    /// Notes that for the next commit.
    pub(crate) fn delete_later(&self, group: &GroupName, name: &str) -> Result<(), Fault> {
        self.get(group, name)?;
        self.note(group, name, None)
    }

    /// Carries the noted changes out.
    pub(crate) fn commit(&self) -> Result<(), Fault> {
        let changes = std::mem::take(&mut self.inner.write().changes);
        for change in changes {
            self.write(&change.group, &change.name, change.value)?;
        }
        Ok(())
    }

    /// Forgets the noted changes.
    pub(crate) fn roll_back(&self) {
        self.inner.write().changes.clear();
    }

    /// The noted changes.
    pub(crate) fn waiting(&self) -> Vec<Change> {
        let inner = self.inner.read();
        let changes = inner.changes.iter();
        changes
            .map(|waiting| {
                let found = inner.group(&waiting.group.name).ok();
                let read = |instance| {
                    let group = found?;
                    let at = group.position(&waiting.name)?;
                    self.value(group, instance, at).ok()
                };
                let old = read(waiting.group.instance).unwrap_or_default();
                let new = waiting.value.clone().or_else(|| read(None));
                let group = match waiting.group.instance {
                    None => waiting.group.name.clone(),
                    Some(id) => format!("{}[{id}]", waiting.group.name),
                };
                Change {
                    group,
                    name: waiting.name.clone(),
                    old,
                    new: new.unwrap_or_default(),
                }
            })
            .collect()
    }

    /// Makes an instance of a group.
    pub(crate) fn add_instance(&self, name: &str, id: i64) -> Result<(), Fault> {
        let mut inner = self.inner.write();
        let group = inner.group_mut(name)?;
        if !group.instances.contains_key(&id) && group.instances.len() >= INSTANCES_MAX {
            return Err(Fault::Full);
        }
        let empty = || vec![None; group.variables.len()];
        group.instances.entry(id).or_insert_with(empty);
        Ok(())
    }

    /// Drops an instance of a group.
    pub(crate) fn delete_instance(&self, name: &str, id: i64) -> Result<(), Fault> {
        let mut inner = self.inner.write();
        let removed = inner.group_mut(name)?.instances.remove(&id);
        removed.map(|_| ()).ok_or(Fault::Unknown)
    }

    /// Puts the values of the configuration back: of the group, or of one variable.
    pub(crate) fn reset(&self, group: &GroupName, name: Option<&str>) -> Result<(), Fault> {
        let initial: Vec<(String, Value)> = {
            let inner = self.inner.read();
            let found = inner.group(&group.name)?;
            let changeable = found
                .variables
                .iter()
                .filter(|v| v.kind != VariableKind::Fixed);
            changeable
                .filter(|variable| name.is_none_or(|name| variable.name == name))
                .map(|variable| (variable.name.clone(), variable.initial.clone()))
                .collect()
        };
        if initial.is_empty() && name.is_some() {
            return Err(Fault::Unknown);
        }
        for (name, value) in initial {
            self.write(group, &name, Some(value))?;
        }
        Ok(())
    }

    fn note(&self, group: &GroupName, name: &str, value: Option<Value>) -> Result<(), Fault> {
        let mut inner = self.inner.write();
        if inner.changes.len() >= CHANGES_MAX {
            return Err(Fault::Full);
        }
        inner.changes.push(Waiting {
            group: group.clone(),
            name: name.to_owned(),
            value,
        });
        Ok(())
    }

    /// The value in the variable's own type.
    fn converted(&self, group: &GroupName, name: &str, value: Value) -> Result<Value, Fault> {
        let inner = self.inner.read();
        let found = inner.group(&group.name)?;
        let variable = &found.variables[found.position(name).ok_or(Fault::Unknown)?];
        match (variable.kind, variable.is_int, value) {
            (VariableKind::Fixed, ..) => Err(Fault::Fixed),
            (_, true, value) => match &value {
                Value::Null => Err(Fault::Type),
                value => value.to_int().map(Value::Int).ok_or(Fault::Type),
            },
            (_, false, value) => Ok(Value::Str(value.to_str())),
        }
    }

    fn write(&self, group: &GroupName, name: &str, value: Option<Value>) -> Result<(), Fault> {
        let mut inner = self.inner.write();
        let found = inner.group_mut(&group.name)?;
        let at = found.position(name).ok_or(Fault::Unknown)?;
        if let Some(id) = group.instance {
            let values = found.instances.get_mut(&id).ok_or(Fault::Unknown)?;
            if let Some(slot) = values.get_mut(at) {
                *slot = value;
            }
            return Ok(());
        }
        let variable = &mut found.variables[at];
        let value = value.unwrap_or_else(|| variable.initial.clone());
        if variable.kind == VariableKind::LogLevel {
            let level = value.to_int().unwrap_or(0).clamp(-10, 10);
            self.log.set_threshold(level as i32);
        }
        variable.value = value;
        Ok(())
    }

    fn value(&self, group: &Group, instance: Option<i64>, at: usize) -> Result<Value, Fault> {
        let variable = group.variables.get(at).ok_or(Fault::Unknown)?;
        let Some(id) = instance else {
            return Ok(self.current(variable));
        };
        let values = group.instances.get(&id).ok_or(Fault::Unknown)?;
        let own = values.get(at).cloned().flatten();
        Ok(own.unwrap_or_else(|| self.current(variable)))
    }

    fn current(&self, variable: &Variable) -> Value {
        match variable.kind {
            VariableKind::LogLevel => Value::Int(i64::from(self.log.threshold())),
            _ => variable.value.clone(),
        }
    }
}

impl Inner {
    fn group(&self, name: &str) -> Result<&Group, Fault> {
        self.groups
            .iter()
            .find(|group| group.name == name)
            .ok_or(Fault::Unknown)
    }

    fn group_mut(&mut self, name: &str) -> Result<&mut Group, Fault> {
        self.groups
            .iter_mut()
            .find(|group| group.name == name)
            .ok_or(Fault::Unknown)
    }
}
