//! Commands that show and reset statistics, and the shapes in which dashboards ask for memory.

use std::sync::Arc;

use engine::Engine;
use rpc::{Call, Fault, Kind, Struct, Value};

use crate::command::{CommandParameter, CommandRow, command, list_command, needs, takes};
use crate::core::rpc::{Memory, threads};

const WHICH: &[CommandParameter] = &[needs("statistics", Kind::Str)];

pub(super) static COMMANDS: &[CommandRow] = &[
    list_command(
        "stats.get_statistics",
        WHICH,
        get,
        "Statistics as group:name = value; takes all, group: or name, several.",
    ),
    command(
        "stats.fetch",
        WHICH,
        fetch,
        "Statistics as one structure of texts.",
    ),
    command(
        "stats.fetchn",
        WHICH,
        fetch_numbers,
        "Statistics as one structure of numbers.",
    ),
    command(
        "stats.reset_statistics",
        WHICH,
        reset,
        "Puts statistics to zero.",
    ),
    command(
        "stats.clear_statistics",
        WHICH,
        clear,
        "Puts statistics to zero and shows what they were.",
    ),
    list_command(
        "pkg.stats",
        &[takes("selector", Kind::Str), takes("value", Kind::Int)],
        package_memory,
        "Memory of the process; its threads have none of their own.",
    ),
    command(
        "mod.stats",
        &[needs("module", Kind::Str), takes("kind", Kind::Str)],
        module_memory,
        "Memory by module; refused: it is not counted here.",
    ),
    command(
        "mod.mem_stats",
        &[needs("module", Kind::Str)],
        module_memory,
        "Memory by module; refused: it is not counted here.",
    ),
    command(
        "mod.mem_statsx",
        &[needs("module", Kind::Str)],
        module_memory,
        "Memory by module; refused: it is not counted here.",
    ),
];

/// What a parameter asks for.
enum Wanted {
    All,
    Group(String),
    Name(String),
    Both(String, String),
}

impl Wanted {
    /// `all`, `group:` or a name. Only `dotted` forms know `group.name`, as in Kamailio.
    fn parse(text: &str, dotted: bool) -> Self {
        if text.eq_ignore_ascii_case("all") {
            return Self::All;
        }
        if let Some(group) = text.strip_suffix(':') {
            return Self::Group(group.to_owned());
        }
        match text.split_once('.') {
            Some((group, name)) if dotted => Self::Both(group.to_owned(), name.to_owned()),
            _ => Self::Name(text.to_owned()),
        }
    }

    fn covers(&self, group: &str, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Group(wanted) => wanted == group,
            Self::Name(wanted) => wanted == name,
            Self::Both(wanted, own) => wanted == group && own == name,
        }
    }
}

/// The parameters of a call; the fault with `missing` when there is none.
fn wanted(call: &mut Call<'_>, missing: &'static str, dotted: bool) -> Result<Vec<Wanted>, Fault> {
    let mut all = Vec::new();
    while let Some(text) = call.opt_text()? {
        all.push(Wanted::parse(&text, dotted));
    }
    match all.is_empty() {
        true => Err(Fault::new(400, missing)),
        false => Ok(all),
    }
}

const WHICH_ONES: &str = "Please provide which stats to retrieve";
const NAME_THEM: &str = "Please provide stats name";

fn get(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for wanted in wanted(call, WHICH_ONES, false)? {
        let rows = engine
            .statistics
            .select(|group, name| wanted.covers(group, name));
        for (group, name, value) in rows {
            call.add(format!("{group}:{name} = {value}"));
        }
    }
    Ok(())
}

fn fetch(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    fetch_as(engine, call, |value| Value::from(value.to_string()))
}

fn fetch_numbers(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    fetch_as(engine, call, Value::Int)
}

fn fetch_as(engine: &Engine, call: &mut Call<'_>, shown: fn(i64) -> Value) -> Result<(), Fault> {
    let mut values = Struct::new();
    for wanted in wanted(call, WHICH_ONES, true)? {
        let rows = engine
            .statistics
            .select(|group, name| wanted.covers(group, name));
        for (group, name, value) in rows {
            values.add(format!("{group}.{name}"), shown(value));
        }
    }
    call.add(values);
    Ok(())
}

fn reset(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for wanted in wanted(call, NAME_THEM, false)? {
        engine
            .statistics
            .reset(|group, name| wanted.covers(group, name));
    }
    Ok(())
}

fn clear(engine: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    for wanted in wanted(call, NAME_THEM, false)? {
        let rows = engine
            .statistics
            .reset(|group, name| wanted.covers(group, name));
        for (group, name, value) in rows {
            call.add(format!("{group}:{name} = {value}"));
        }
    }
    Ok(())
}

fn package_memory(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    let selector = call.opt_str()?;
    let all = threads();
    let Some(main) = all.first() else {
        return Err(Fault::new(500, "Server error"));
    };
    if let Some(selector) = selector {
        let value = call
            .int()
            .map_err(|_| Fault::new(500, "Value not provided"))?;
        let (own, fault) = match selector.to_ascii_lowercase().as_str() {
            "pid" => (i64::from(main.id), "No such pid"),
            "rank" => (main.rank, "No such rank"),
            "index" => (0, "No such index"),
            _ => return Err(Fault::new(500, "Invalid selector")),
        };
        if own != value {
            return Err(Fault::new(500, fault));
        }
    }
    let memory = Memory::now();
    call.add(
        Struct::new()
            .with("entry", 0)
            .with("pid", main.id)
            .with("rank", main.rank)
            .with("used", memory.resident)
            .with("free", memory.free)
            .with("real_used", memory.resident)
            .with("total_size", memory.total())
            .with("total_frags", 0)
            .with("desc", main.description.as_str()),
    );
    Ok(())
}

fn module_memory(_: &Arc<Engine>, call: &mut Call<'_>) -> Result<(), Fault> {
    if call.remaining() == 0 {
        return Err(Fault::new(500, "Module name or \"all\" needed"));
    }
    Err(Fault::new(500, "Tandem does not count memory by module"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_ends_in_a_colon_and_a_dot_joins_where_it_may() {
        assert!(Wanted::parse("core:", false).covers("core", "x"));
        assert!(!Wanted::parse("core:x", false).covers("core", "x"));
        assert!(Wanted::parse("core.x", true).covers("core", "x"));
        assert!(!Wanted::parse("core.x", false).covers("core", "x"));
        assert!(Wanted::parse("x", true).covers("any", "x"));
        assert!(Wanted::parse("ALL", false).covers("any", "x"));
    }
}
