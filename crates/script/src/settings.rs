//! Core settings (`children=8`): the table of them, and their values in one configuration for the program that
//! starts from it.

mod table;

use crate::ast::{Config, Setting, SettingValue};
use crate::suggest::nearest;
pub use table::TABLE;

/// One core setting.
#[derive(Clone, Copy, Debug)]
pub struct SettingRow {
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What its value must be.
    pub kind: SettingKind,
    /// The value without it, as it would be written; empty if there is none.
    pub default: &'static str,
    /// Whether Tandem does anything with it.
    pub usage: Usage,
    /// One line for people.
    pub doc: &'static str,
}

/// What a setting's value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// `yes` or `no`, or a number.
    Bool,
    /// A number from 0 on.
    Count,
    /// A number.
    Int,
    /// A string in quotes.
    Str,
    /// A bare word.
    Word,
    /// A bare word or a string.
    Name,
    /// A number or a bare word.
    IntOrWord,
    /// An address, a host name or a string.
    Host,
}

impl SettingKind {
    /// For messages: "a number".
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Bool => "`yes` or `no`",
            Self::Count => "a number that is not negative",
            Self::Int => "a number",
            Self::Str => "a string in quotes",
            Self::Word => "a word without quotes",
            Self::Name => "a word or a string",
            Self::IntOrWord => "a number or a word",
            Self::Host => "an address or a host name",
        }
    }
}

/// Whether a setting does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// It does what its line says.
    Used,
    /// It tunes something that Tandem does not need; accepted.
    Unneeded,
    /// It asks for something that Tandem does not have; accepted, and worth a warning.
    Ignored,
}

/// The row of a name or an alias.
pub fn find(name: &str) -> Option<&'static SettingRow> {
    TABLE
        .iter()
        .find(|row| row.name == name || row.aliases.contains(&name))
}

/// The name that was probably meant.
pub fn suggest(name: &str) -> Option<&'static str> {
    nearest(
        name,
        TABLE
            .iter()
            .flat_map(|row| row.aliases.iter().copied().chain([row.name])),
    )
}

/// The settings of one configuration, with their defaults. Of several statements the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    list: Vec<Setting>,
}

impl Settings {
    /// Those of a configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            list: config.settings.clone(),
        }
    }

    /// Whether the configuration says anything about it. Only main names count, no aliases.
    pub fn is_set(&self, name: &str) -> bool {
        self.written(name).is_some()
    }

    /// A number or a yes-or-no; the table's default if it is not set, 0 if there is none.
    pub fn int(&self, name: &str) -> i64 {
        match self.written(name) {
            Some(SettingValue::Int(value)) => *value,
            Some(SettingValue::Str(_)) => 0,
            None => default_int(name),
        }
    }

    /// Whether a number is not 0.
    pub fn bool(&self, name: &str) -> bool {
        self.int(name) != 0
    }

    /// A text; the table's default if it is not set, empty if there is none.
    pub fn str(&self, name: &str) -> &str {
        match self.written(name) {
            Some(SettingValue::Str(text)) => text.as_str().unwrap_or_default(),
            Some(SettingValue::Int(_)) => "",
            None => find(name).map_or("", |row| row.default),
        }
    }

    /// Whether a setting was given a value other than its default, or than 0 and nothing: one that asks for something.
    pub fn asks(&self, row: &SettingRow) -> bool {
        match self.written(row.name) {
            None | Some(SettingValue::Int(0)) => false,
            Some(SettingValue::Int(value)) => *value != default_int(row.name),
            Some(SettingValue::Str(text)) => {
                let text = text.as_str().unwrap_or_default();
                !text.is_empty() && text != row.default
            }
        }
    }

    /// What was written, if anything.
    pub fn written(&self, name: &str) -> Option<&SettingValue> {
        self.list
            .iter()
            .rev()
            .find(|setting| setting.name == name)
            .map(|setting| &setting.value)
    }
}

fn default_int(name: &str) -> i64 {
    match find(name).map_or("", |row| row.default) {
        "yes" => 1,
        number => number.parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = TABLE
            .iter()
            .flat_map(|r| r.aliases.iter().copied().chain([r.name]))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn defaults_fit_their_kind() {
        for row in TABLE {
            let number = row.default.parse::<i64>();
            let fits = match row.kind {
                SettingKind::Bool => ["yes", "no"].contains(&row.default),
                SettingKind::Count => row.default.is_empty() || number.is_ok_and(|n| n >= 0),
                SettingKind::Int => row.default.is_empty() || number.is_ok(),
                _ => true,
            };
            assert!(fits && !row.doc.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn what_is_off_asks_for_nothing() {
        let set = |name: &str, value: SettingValue| {
            let row = find(name).unwrap();
            let setting = Setting {
                name: row.name,
                value,
                span: crate::source::Span::NONE,
            };
            Settings {
                list: vec![setting],
            }
            .asks(row)
        };
        assert!(!set("enable_sctp", SettingValue::Int(0)));
        assert!(set("enable_sctp", SettingValue::Int(1)));
        assert!(!set("tls_port_no", SettingValue::Int(5061)));
        assert!(set("tls_port_no", SettingValue::Int(5071)));
        let row = find("mcast").unwrap();
        assert!(!Settings::default().asks(row));
    }

    #[test]
    fn defaults_are_read() {
        let settings = Settings::default();
        assert_eq!(settings.int("children"), 8);
        assert!(settings.bool("auto_aliases"));
        assert_eq!(settings.str("version_table"), "version");
        assert_eq!(settings.str("no_such_setting"), "");
        assert!(!settings.is_set("children"));
        assert_eq!(suggest("childern"), Some("children"));
    }
}
