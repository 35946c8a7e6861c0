//! `$avp()`: stacks of values that live as long as the transaction.

use engine::{AvpName, InitError, KeyRule, Run, Setup, VariableRow};
use script::{Index, Key, SetError, Str, Value};

use super::State;
use super::value::key_name;
use crate::row::writes;

pub(super) const ROWS: &[VariableRow] = &[writes(
    "avp",
    KeyRule::Format,
    get,
    set,
    "A stack of values of the transaction; an assignment adds on top.",
)];

/// Other names for AVPs, from the parameter `avp_aliases`.
#[derive(Debug, Default)]
pub(super) struct Aliases(Vec<(Vec<u8>, AvpName)>);

/// The name that a text means: `s:text`, `i:5`, or text.
pub(crate) fn parse_name(text: &[u8]) -> AvpName {
    if let Some(name) = text.strip_prefix(b"s:") {
        return AvpName::Text(Str::new(name));
    }
    let number = text.strip_prefix(b"i:").and_then(script::parse_int);
    number.map_or_else(|| AvpName::Text(Str::new(text)), AvpName::Number)
}

/// The name that the key of an `$avp()` means in this configuration.
fn name_of(run: &Run, key: &Key) -> AvpName {
    let text = key_name(key);
    let state = run.engine.state::<State>();
    let aliases = state.as_ref().map_or(&[][..], |state| &state.aliases.0);
    match aliases.iter().find(|(alias, _)| alias == text) {
        Some((_, name)) => name.clone(),
        None => parse_name(text),
    }
}

fn get(run: &mut Run, key: &Key, index: Index) -> Value {
    let name = name_of(run, key);
    let avps = &run.shared_ref().avps;
    let at = match index {
        Index::None => 0,
        Index::At(at) => match usize::try_from(at) {
            Ok(at) => at,
            Err(_) => return Value::Null,
        },
        Index::All => return joined(avps.stack(&name)),
        Index::Append => return Value::Null,
    };
    avps.get(&name, at).cloned().unwrap_or_default()
}

fn joined<'a>(values: impl Iterator<Item = &'a Value>) -> Value {
    let mut text: Option<Vec<u8>> = None;
    for value in values {
        match &mut text {
            Some(text) => text.extend_from_slice(b", "),
            None => text = Some(Vec::new()),
        }
        if let Some(text) = &mut text {
            value.with_bytes(|bytes| text.extend_from_slice(bytes));
        }
    }
    text.map_or(Value::Null, Value::from)
}

fn set(run: &mut Run, key: &Key, index: Index, value: Value) -> Result<(), SetError> {
    let name = name_of(run, key);
    let avps = &mut run.shared().avps;
    if index == Index::All {
        avps.clear(&name);
    }
    // Only `[*]` means something in an assignment: any other one is to the top.
    match value {
        Value::Null => drop(avps.remove_top(&name)),
        value => avps.push(name, value),
    }
    Ok(())
}

/// How many values a name has, for `$cnt($avp(x))`.
pub(super) fn count(run: &Run, name: &[u8]) -> usize {
    let name = name_of(run, &Key::Name(Str::new(name)));
    run.shared_ref().avps.stack(&name).count()
}

/// Reads `avp_aliases`: `email=s:email_addr;tmp=i:100`.
pub(super) fn aliases(setup: &Setup<'_>) -> Result<Aliases, InitError> {
    let mut aliases = Aliases::default();
    for given in setup.parameters.all("pv", "avp_aliases") {
        let engine::ParameterValue::Str(text) = given else {
            return Err("parameter avp_aliases is a string".into());
        };
        for pair in text
            .split(';')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (alias, name) = pair
                .split_once('=')
                .ok_or_else(|| format!("parameter avp_aliases: \"{pair}\" is no alias=name"))?;
            let name = parse_name(name.trim().as_bytes());
            aliases.0.push((alias.trim().as_bytes().to_vec(), name));
        }
    }
    Ok(aliases)
}
