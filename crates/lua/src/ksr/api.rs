//! What Kamailio 5.6.3 shows to scripts: names and types, as its command `app_lua.api_list` tells them.

use std::sync::LazyLock;

/// One function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The table in KSR; empty for KSR itself.
    pub(crate) module: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// What it returns.
    pub(crate) returns: Returns,
    /// For each parameter, whether it is a number.
    pub(crate) numbers: Vec<bool>,
}

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returns {
    /// A code: above 0 it is as true.
    Int,
    /// True or false.
    Bool,
    /// A text, a number or nil.
    Value,
    /// Nothing, which is false.
    Nothing,
}

impl Returns {
    /// As it is written.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Value => "xval",
            Self::Nothing => "none",
        }
    }
}

/// All functions of all modules that Tandem has.
pub(crate) static API: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let lines = include_str!("../kemi.txt").lines();
    lines.filter_map(entry).collect()
});

fn entry(line: &'static str) -> Option<Entry> {
    let mut words = line.split(' ');
    let returns = match words.next()? {
        "int" => Returns::Int,
        "bool" => Returns::Bool,
        "xval" => Returns::Value,
        "none" => Returns::Nothing,
        _ => return None,
    };
    Some(Entry {
        returns,
        module: words.next().map(|module| module.trim_matches('-'))?,
        name: words.next()?,
        numbers: words.map(|word| word == "int").collect(),
    })
}
