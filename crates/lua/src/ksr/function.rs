//! One function of KSR: takes its arguments, does what it means, and hands back what Kamailio's would.

use std::cell::RefCell;
use std::rc::Rc;

use engine::{Local, Pending, Run, level};
use mlua::{Function, Lua, MultiValue, Value as LuaValue};
use script::{Catalog as _, Direct, Outcome, ParameterKind, Signature, Value, parse_int};

use super::Maker;
use super::api::{Entry, Returns};
use super::meaning::{Meaning, Missing};
use super::names::Names;
use crate::current::Current;
use crate::errors::Fatal;
use crate::values;

/// A function before it is one of Lua.
pub(super) struct Form {
    /// `KSR.tm.t_relay`, for messages.
    label: String,
    meaning: Meaning,
    returns: Returns,
    /// For each parameter that Kamailio has, whether it is a number; none for a row as it is.
    numbers: Option<&'static [bool]>,
    /// The functions of a row's name, which differ in their parameters.
    forms: RefCell<Vec<Direct>>,
}

/// What a function did, if it need not wait.
enum Done {
    Code(i64),
    Value(Value),
    Later(Outcome<Pending>),
}

impl Form {
    /// A function of Kamailio's list.
    pub(super) fn of_entry(engine: &Local, entry: &'static Entry, meaning: Meaning) -> Self {
        let dot = if entry.module.is_empty() { "" } else { "." };
        Self {
            label: format!("KSR.{}{dot}{}", entry.module, entry.name),
            meaning,
            returns: entry.returns,
            numbers: Some(&entry.numbers),
            forms: RefCell::new(forms(engine, meaning)),
        }
    }

    /// A function of a module, with its own parameters.
    pub(super) fn of_row(engine: &Local, module: &str, name: &str, meaning: Meaning) -> Self {
        Self {
            label: format!("KSR.{module}.{name}"),
            meaning,
            returns: Returns::Int,
            numbers: None,
            forms: RefCell::new(forms(engine, meaning)),
        }
    }

    /// What Lua gets. Nil says that the route has to be suspended.
    fn call(
        &self,
        lua: &Lua,
        current: &Current,
        names: &Names,
        arguments: &MultiValue,
    ) -> mlua::Result<LuaValue> {
        let Some(mut run) = current.run() else {
            return Ok(self.at_load(lua, current, arguments));
        };
        let done = current
            .caught(|| {
                let values = self.arguments(arguments)?;
                self.act(&mut run, names, values)
            })
            .ok_or(Fatal::Panic)?;
        match done {
            Ok(Done::Code(code)) => Ok(self.answer(code)),
            Ok(Done::Value(value)) => values::to_lua(lua, &value),
            Ok(Done::Later(Outcome::Stop { drop: false })) => Err(Fatal::Exit.into()),
            Ok(Done::Later(Outcome::Stop { drop: true })) => Err(Fatal::Drop.into()),
            Ok(Done::Later(outcome)) => {
                current.want(outcome);
                Ok(LuaValue::Nil)
            }
            Err(text) => {
                let text = format!("{}: {}: {text}", place(lua), self.label);
                run.log(level::ERROR, "app_lua", &text);
                Ok(match self.returns {
                    Returns::Value => LuaValue::Nil,
                    _ => self.answer(-1),
                })
            }
        }
    }

    /// While a script is being loaded there is no message: only log lines can be written.
    fn at_load(&self, lua: &Lua, current: &Current, arguments: &MultiValue) -> LuaValue {
        let log = current.log();
        match (self.meaning, self.arguments(arguments).as_deref()) {
            (Meaning::Log(level), Ok([text])) => super::core::log(&log, level, text),
            _ => {
                let (place, label) = (place(lua), &self.label);
                let text =
                    format!("{place}: {label}: there is no message while a script is loaded");
                log.line(level::ERROR, "app_lua", &text);
            }
        }
        match self.returns {
            Returns::Value => LuaValue::Nil,
            _ => LuaValue::Boolean(false),
        }
    }

    fn answer(&self, code: i64) -> LuaValue {
        match self.returns {
            Returns::Bool => LuaValue::Boolean(code > 0),
            Returns::Nothing => LuaValue::Boolean(false),
            Returns::Int | Returns::Value => values::int(code),
        }
    }

    /// The arguments as Kamailio takes them: what is no number is 0 where one is wanted, and what is no text is empty.
    fn arguments(&self, given: &MultiValue) -> Result<Vec<Value>, String> {
        let Some(numbers) = self.numbers else {
            let mut values = Vec::with_capacity(given.len());
            for value in given {
                let value = values::from_lua(value);
                values.push(value.ok_or("an argument is neither text nor a number")?);
            }
            return Ok(values);
        };
        if given.len() < numbers.len() {
            let (few, wanted) = (given.len(), numbers.len());
            return Err(format!("{few} arguments instead of {wanted}"));
        }
        let pairs = given.iter().zip(numbers);
        let values = pairs.map(
            |(value, is_number)| match (values::from_lua(value), is_number) {
                (Some(Value::Int(number)), true) => Value::Int(number),
                (Some(Value::Str(text)), true) => Value::Int(parse_int(&text).unwrap_or(0)),
                (_, true) => Value::Int(0),
                (Some(Value::Int(number)), false) if !value.is_boolean() => {
                    Value::Str(Value::Int(number).to_str())
                }
                (Some(Value::Str(text)), false) => Value::Str(text),
                (_, false) => Value::from(""),
            },
        );
        Ok(values.collect())
    }

    fn act(&self, run: &mut Run, names: &Names, values: Vec<Value>) -> Result<Done, String> {
        let named = |template: &str| fill(template, &values);
        match self.meaning {
            Meaning::Row(..) => self.call_row(run, values),
            Meaning::Do(act) => Ok(match act(run, &values) {
                Outcome::Code(code) => Done::Code(code),
                later => Done::Later(later),
            }),
            Meaning::Log(level) => {
                let text = values.first().unwrap_or(&Value::Null);
                super::core::log(&run.engine.log, level, text);
                Ok(Done::Code(1))
            }
            Meaning::Ask(ask) => Ok(self.value(ask(run, &values))),
            Meaning::Get(template, missing) => {
                let value = names.read(run, &named(template));
                let value = value.unwrap_or_else(|text| {
                    run.log(level::ERROR, "app_lua", &format!("{}: {text}", self.label));
                    Value::Null
                });
                Ok(self.value(or(value, missing, values)))
            }
            Meaning::IsNull(template) => {
                let value = names.read(run, &named(template))?;
                Ok(Done::Code(if value.is_null() { 1 } else { -1 }))
            }
            Meaning::IsMethod(name) => {
                let is_it = super::core::is_method(run, name.as_bytes());
                Ok(Done::Code(if is_it { 1 } else { -1 }))
            }
            Meaning::Set(template) => {
                let name = named(template);
                let value = values.into_iter().next_back().unwrap_or_default();
                names.write(run, &name, value).map(|()| Done::Code(1))
            }
            Meaning::Unset(template) => {
                let name = named(template);
                names.write(run, &name, Value::Null).map(|()| Done::Code(1))
            }
        }
    }

    /// A value as what the function returns: a function that returns a code has none else.
    fn value(&self, value: Value) -> Done {
        match self.returns {
            Returns::Value => Done::Value(value),
            _ => Done::Code(value.to_int().unwrap_or(0)),
        }
    }

    fn call_row(&self, run: &mut Run, mut values: Vec<Value>) -> Result<Done, String> {
        let mut forms = self.forms.borrow_mut();
        let form = choose(&mut forms, &mut values).ok_or("there is no such function")?;
        let (engine, script, routes) = (run.engine.clone(), run.script.clone(), run.routes);
        let mut find = |kind, name: &str| match engine.foreign.is_engine() {
            true => engine.foreign.block(name, None),
            false => script.program.block(kind, name),
        };
        let outcome = form.call(run, &engine.catalog, routes, &values, &mut find)?;
        Ok(match outcome {
            Outcome::Code(code) => Done::Code(code),
            later => Done::Later(later),
        })
    }
}

impl Maker<'_> {
    /// Makes a function of Lua.
    pub(super) fn function(&self, form: Form) -> mlua::Result<Function> {
        let (current, names) = (Rc::clone(self.current), Rc::clone(&self.names));
        let may_wait = matches!(form.meaning, Meaning::Row(..) | Meaning::Do(_));
        let raw = self
            .lua
            .create_function(move |lua, arguments: MultiValue| {
                form.call(lua, &current, &names, &arguments)
            })?;
        if may_wait {
            self.waiting.call(raw)
        } else {
            Ok(raw)
        }
    }
}

/// The functions of a row's name that belong to its module.
fn forms(engine: &Local, meaning: Meaning) -> Vec<Direct> {
    let Meaning::Row(module, name) = meaning else {
        return Vec::new();
    };
    let loaded = engine.catalog.loaded().iter();
    let own: Vec<&Signature> = loaded
        .filter(|known| known.name == module)
        .flat_map(|known| known.functions.iter().map(|row| &row.signature))
        .collect();
    let rows = engine.catalog.functions(name);
    let rows = rows
        .into_iter()
        .filter(|(_, row)| own.iter().any(|known| std::ptr::eq(*known, *row)));
    rows.map(|(id, row)| Direct::new(id, row)).collect()
}

/// The form that takes these arguments best. Arguments that are nil at the end are as good as absent.
fn choose<'f>(forms: &'f mut [Direct], given: &mut Vec<Value>) -> Option<&'f mut Direct> {
    while given.last().is_some_and(Value::is_null)
        && !forms.iter().any(|form| form.takes(given.len()))
    {
        given.pop();
    }
    let fits = |form: &Direct| {
        let mut pairs = form.signature().parameters.iter().zip(given.iter());
        form.takes(given.len())
            && pairs.all(|(parameter, value)| match (parameter.kind, value) {
                (ParameterKind::Int, Value::Str(text)) => parse_int(text).is_some(),
                (ParameterKind::Variable | ParameterKind::Target, Value::Str(text)) => {
                    text.starts_with(b"$")
                }
                _ => true,
            })
    };
    let best = forms.iter().position(fits);
    let at = best.or_else(|| forms.iter().position(|form| form.takes(given.len())));
    forms.get_mut(at.unwrap_or(0))
}

/// A template with its arguments.
fn fill(template: &str, values: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.extend_from_slice(before.as_bytes());
        let (number, behind) = after.split_once('}').unwrap_or((after, ""));
        match number.parse::<usize>() {
            Ok(number) => {
                let value = values.get(number).unwrap_or(&Value::Null);
                value.with_bytes(|text| out.extend_from_slice(text));
            }
            Err(_) => {
                out.extend_from_slice(format!("{{{number}}}").as_bytes());
            }
        }
        rest = behind;
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn or(value: Value, missing: Missing, given: Vec<Value>) -> Value {
    if !value.is_null() {
        return value;
    }
    match missing {
        Missing::Nil => Value::Null,
        Missing::Empty => Value::from(""),
        Missing::Word => Value::from("<null>"),
        Missing::Zero => Value::Int(0),
        Missing::Given => given.into_iter().next_back().unwrap_or_default(),
    }
}

/// Where in the script the running function was called, for messages.
pub(super) fn place(lua: &Lua) -> String {
    let found = |level| {
        lua.inspect_stack(level, |frame| {
            let line = frame.current_line()?;
            let file = frame.source().short_src?;
            (file != "prelude").then(|| format!("{file}:{line}"))
        })
    };
    let mut levels = (0..6).filter_map(found);
    levels.find_map(|place| place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_takes_its_arguments() {
        let values = [Value::from("a"), Value::Int(2)];
        assert_eq!(fill("$(x({0})[{1}])", &values), b"$(x(a)[2])");
        assert_eq!(fill("{0}", &values), b"a");
        assert_eq!(fill("$(ru{uri.user})", &values), b"$(ru{uri.user})");
    }
}
