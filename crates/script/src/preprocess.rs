//! What the preprocessor remembers: defines, open conditions, substitutions. The lexer feeds it.

mod evaluate;
mod substitution;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::parser::keywords;
use crate::source::{Loader, Span};
pub(crate) use evaluate::evaluate;
pub(crate) use substitution::{Rule, Substitutions};

/// The release of Kamailio whose language this is, as its defines name it.
const VERSION: [(&str, Option<&str>); 4] = [
    ("KAMAILIO_5", None),
    ("KAMAILIO_5_6", None),
    ("KAMAILIO_5_6_3", None),
    ("KAMAILIO_VERSION", Some("5006003")),
];

/// Conditions inside each other, as in Kamailio.
const CONDITIONS: usize = 512;

/// All defines.
#[derive(Default)]
pub(crate) struct Defines {
    by_name: BTreeMap<String, Define>,
}

struct Define {
    value: Option<Arc<[u8]>>,
    span: Span,
}

impl Defines {
    pub(crate) fn predefined() -> Self {
        let mut defines = Self::default();
        for (name, value) in VERSION {
            defines.set_predefined(name, value.map(str::as_bytes));
        }
        let system = format!("\"{}\"", std::env::consts::OS);
        defines.set_predefined("OS_NAME", Some(system.as_bytes()));
        defines
    }

    pub(crate) fn set_predefined(&mut self, name: &str, value: Option<&[u8]>) {
        self.set(name, value.map(<[u8]>::to_vec), Span::NONE);
    }

    pub(crate) fn set(&mut self, name: &str, value: Option<Vec<u8>>, span: Span) {
        let value = value.map(Arc::from);
        self.by_name.insert(name.to_owned(), Define { value, span });
    }

    /// Removes a define; false if there is none.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.by_name.remove(name).is_some()
    }

    /// Where a name was defined, if it was.
    pub(crate) fn defined(&self, name: &str) -> Option<Span> {
        self.by_name.get(name).map(|define| define.span)
    }

    /// The value of a name: none if unknown, an inner none if it has no value.
    pub(crate) fn value(&self, name: &str) -> Option<Option<&[u8]>> {
        self.by_name.get(name).map(|define| define.value.as_deref())
    }

    /// What is read instead of a word, and where that was defined. Keywords stay themselves.
    pub(crate) fn expansion(&self, word: &str) -> Option<(Arc<[u8]>, Span)> {
        let define = self.by_name.get(word)?;
        if keywords::is_reserved(word) {
            return None;
        }
        let value = define.value.clone().unwrap_or_else(|| Arc::from(&b""[..]));
        Some((value, define.span))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// All names and values.
    pub(crate) fn into_list(self) -> Vec<(String, Option<Box<[u8]>>)> {
        let boxed = |define: Define| define.value.map(|value| Box::from(&*value));
        self.by_name
            .into_iter()
            .map(|(name, define)| (name, boxed(define)))
            .collect()
    }
}

/// The conditions that are open at one place.
#[derive(Default)]
pub(crate) struct Conditions {
    open: Vec<Condition>,
}

struct Condition {
    opener: Span,
    otherwise: Option<Span>,
}

impl Conditions {
    /// Opens one; false if there are too many.
    pub(crate) fn open(&mut self, opener: Span) -> bool {
        self.open.push(Condition {
            opener,
            otherwise: None,
        });
        self.open.len() <= CONDITIONS
    }

    /// Passes an `#!else`.
    pub(crate) fn otherwise(&mut self, at: Span) -> Result<(), ConditionFault> {
        let Some(condition) = self.open.last_mut() else {
            return Err(ConditionFault::NotOpen);
        };
        match condition.otherwise.replace(at) {
            Some(first) => Err(ConditionFault::SecondElse(first)),
            None => Ok(()),
        }
    }

    /// Passes an `#!endif`.
    pub(crate) fn close(&mut self) -> Result<(), ConditionFault> {
        self.open.pop().map(drop).ok_or(ConditionFault::NotOpen)
    }

    /// Where those began that were never closed.
    pub(crate) fn unclosed(&self) -> Vec<Span> {
        self.open.iter().map(|condition| condition.opener).collect()
    }
}

/// What is wrong with an `#!else` or `#!endif`.
pub(crate) enum ConditionFault {
    /// No condition is open.
    NotOpen,
    /// There was another `#!else` here.
    SecondElse(Span),
}

/// `tm` for `/usr/lib/modules/tm.so`.
pub(crate) fn module_name(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_suffix(".so").unwrap_or(name)
}

/// Replaces `$env(X)` and `$def(X)`, the variables that have a value while a configuration is read. What else
/// looks like a variable stays.
pub(crate) fn evaluate_variables(text: &[u8], defines: &Defines, loader: &dyn Loader) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'$', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let known = [&b"$env("[..], b"$def("]
            .into_iter()
            .find(|name| rest.starts_with(name));
        let close = memchr::memchr(b')', rest);
        let escaped = out.last() == Some(&b'\\');
        let (Some(prefix), Some(close), false) = (known, close, escaped) else {
            out.push(b'$');
            rest = &rest[1..];
            continue;
        };
        let name = String::from_utf8_lossy(&rest[prefix.len()..close]).into_owned();
        if prefix == b"$env(" {
            out.extend(loader.environment(&name).unwrap_or_default().into_bytes());
        } else {
            out.extend_from_slice(defines.value(&name).flatten().unwrap_or_default());
        }
        rest = &rest[close + 1..];
    }
    out.extend_from_slice(rest);
    out
}
