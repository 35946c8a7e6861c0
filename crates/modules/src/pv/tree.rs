//! `$xavp()`, `$xavu()` and `$xavi()`: named values in trees, which live as long as the transaction.

use engine::{KeyRule, Run, VariableRow};
use script::{Index, Key, SetError, Str, Value};

use super::value::{key_name, refuse};
use crate::row::writes;

pub(super) const ROWS: &[VariableRow] = &[
    writes(
        "xavp",
        KeyRule::Format,
        get_plain,
        set_plain,
        "A tree of values: `root=>child`; roots and children are stacks.",
    ),
    writes(
        "xavi",
        KeyRule::Format,
        get_any_case,
        set_any_case,
        "The same with names in any case.",
    ),
    writes(
        "xavu",
        KeyRule::Format,
        get_single,
        set_single,
        "The same with one value for each name.",
    ),
];

/// How many values one level of a tree may have.
const LEVEL_MAX: usize = 1024;
/// How deep a tree may be.
const DEPTH_MAX: usize = 16;

/// Which of the three classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `$xavp`.
    Plain,
    /// `$xavi`.
    AnyCase,
    /// `$xavu`.
    Single,
}

impl Kind {
    fn same(self, one: &[u8], other: &[u8]) -> bool {
        match self {
            Self::AnyCase => one.eq_ignore_ascii_case(other),
            Self::Plain | Self::Single => one == other,
        }
    }
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A value.
    Value(Value),
    /// Named values below it.
    Level(Level),
}

/// Named values, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level(Vec<(Str, Node)>);

/// One part of a path: `name[index]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step<'a> {
    name: &'a [u8],
    index: Index,
}

/// The trees of one transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trees {
    plain: Level,
    any_case: Level,
    single: Level,
}

impl Trees {
    pub(crate) const fn level(&self, kind: Kind) -> &Level {
        match kind {
            Kind::Plain => &self.plain,
            Kind::AnyCase => &self.any_case,
            Kind::Single => &self.single,
        }
    }

    pub(crate) const fn level_mut(&mut self, kind: Kind) -> &mut Level {
        match kind {
            Kind::Plain => &mut self.plain,
            Kind::AnyCase => &mut self.any_case,
            Kind::Single => &mut self.single,
        }
    }
}

/// The trees at hand, to change.
pub(crate) fn trees(run: &mut Run) -> &mut Trees {
    run.shared().slots.entry::<Trees>()
}

impl Level {
    /// The entries, newest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &(Str, Node)> {
        self.0.iter().rev()
    }

    /// Where the value is that name and index mean.
    fn find(&self, kind: Kind, step: Step<'_>) -> Option<usize> {
        let mut places = (0..self.0.len())
            .rev()
            .filter(|at| kind.same(&self.0[*at].0, step.name));
        match step.index {
            Index::At(at) if at < 0 => {
                let back = usize::try_from(at.unsigned_abs() - 1).ok()?;
                places.rev().nth(back)
            }
            Index::At(at) => places.nth(usize::try_from(at).ok()?),
            _ => places.next(),
        }
    }

    /// The node that a name means: the one with this index, 0 the newest.
    pub(crate) fn node(&self, kind: Kind, name: &[u8], index: usize) -> Option<&Node> {
        let index = Index::At(i64::try_from(index).ok()?);
        let at = self.find(kind, Step { name, index })?;
        Some(&self.0[at].1)
    }

    pub(crate) fn push(&mut self, name: &[u8], node: Node) -> Result<(), SetError> {
        if self.0.len() >= LEVEL_MAX {
            return Err(refuse("the tree is full"));
        }
        self.0.push((Str::new(name), node));
        Ok(())
    }

    /// Puts a node in the place of another.
    pub(crate) fn replace(&mut self, kind: Kind, name: &[u8], index: usize, node: Node) -> bool {
        let index = Index::At(i64::try_from(index).unwrap_or(i64::MAX));
        let Some(at) = self.find(kind, Step { name, index }) else {
            return false;
        };
        self.0[at].1 = node;
        true
    }

    /// Takes the newest of a name out.
    pub(crate) fn remove_newest(&mut self, kind: Kind, name: &[u8]) {
        let index = Index::None;
        self.remove(kind, Step { name, index });
    }

    /// The level below the newest of a name, made if it is not there.
    pub(crate) fn below(&mut self, kind: Kind, name: &[u8]) -> Result<&mut Self, SetError> {
        let index = Index::None;
        let at = match self.find(kind, Step { name, index }) {
            Some(at) => at,
            None => {
                self.push(name, Node::Level(Self::default()))?;
                self.0.len() - 1
            }
        };
        if let Node::Value(_) = self.0[at].1 {
            self.0[at].1 = Node::Level(Self::default());
        }
        match &mut self.0[at].1 {
            Node::Level(level) => Ok(level),
            Node::Value(_) => Err(refuse("the name has a value and nothing below it")),
        }
    }

    /// Gives a name one value: the newest is replaced.
    pub(crate) fn put(&mut self, kind: Kind, name: &[u8], value: Value) -> Result<(), SetError> {
        if self.replace(kind, name, 0, Node::Value(value.clone())) {
            return Ok(());
        }
        self.push(name, Node::Value(value))
    }

    fn remove(&mut self, kind: Kind, step: Step<'_>) {
        if step.index == Index::All {
            self.0.retain(|(name, _)| !kind.same(name, step.name));
        } else if let Some(at) = self.find(kind, step) {
            self.0.remove(at);
        }
    }

    fn read(&self, kind: Kind, path: &[Step<'_>]) -> Value {
        let Some((step, rest)) = path.split_first() else {
            return Value::Null;
        };
        let node = self.find(kind, *step).map(|at| &self.0[at].1);
        match (node, rest) {
            (Some(Node::Value(value)), []) => value.clone(),
            (Some(Node::Level(level)), []) => {
                Value::Str(Str::from(format!("<<xavp:{:p}>>", level.0.as_ptr())))
            }
            (Some(Node::Level(level)), rest) => level.read(kind, rest),
            _ => Value::Null,
        }
    }

    fn write(&mut self, kind: Kind, path: &[Step<'_>], value: Value) -> Result<(), SetError> {
        let Some((step, rest)) = path.split_first() else {
            return Err(refuse("a name is missing"));
        };
        if rest.is_empty() {
            return self.write_here(kind, *step, value);
        }
        // Without an index a new entry is made, except where a name has one value only.
        let adds = step.index == Index::None && kind != Kind::Single && !value.is_null();
        if !adds && let Some(at) = self.find(kind, *step) {
            if kind == Kind::Single && !matches!(self.0[at].1, Node::Level(_)) {
                self.0[at].1 = Node::Level(Self::default());
            }
            return match &mut self.0[at].1 {
                Node::Level(level) => level.write(kind, rest, value),
                Node::Value(_) => Err(refuse("the name has a value and nothing below it")),
            };
        }
        if value.is_null() {
            return Ok(());
        }
        if !matches!(step.index, Index::None) && kind != Kind::Single {
            return Err(refuse("there is no value with this index"));
        }
        let mut level = Self::default();
        level.write(kind, rest, value)?;
        self.push(step.name, Node::Level(level))
    }

    fn write_here(&mut self, kind: Kind, step: Step<'_>, value: Value) -> Result<(), SetError> {
        if value.is_null() {
            self.remove(kind, step);
            return Ok(());
        }
        match step.index {
            Index::None | Index::Append if kind != Kind::Single => {
                self.push(step.name, Node::Value(value))
            }
            Index::All => {
                self.remove(kind, step);
                self.push(step.name, Node::Value(value))
            }
            _ => match self.find(kind, step) {
                Some(at) => {
                    self.0[at].1 = Node::Value(value);
                    Ok(())
                }
                None if kind == Kind::Single => self.push(step.name, Node::Value(value)),
                None => Err(refuse("there is no value with this index")),
            },
        }
    }
}

/// Takes `a[1]=>b=>c` apart; an index behind the whole variable counts for the last part.
fn parse_path(text: &[u8], outer: Index) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::with_capacity(2);
    let mut rest = text;
    loop {
        let end = rest.windows(2).position(|pair| pair == b"=>");
        steps.push(parse_step(sip::trim(&rest[..end.unwrap_or(rest.len())]))?);
        match end {
            Some(end) if steps.len() < DEPTH_MAX => rest = &rest[end + 2..],
            Some(_) => return None,
            None => break,
        }
    }
    if let Some(last) = steps.last_mut()
        && last.index == Index::None
    {
        last.index = outer;
    }
    Some(steps)
}

fn parse_step(text: &[u8]) -> Option<Step<'_>> {
    let (name, index) = match text.strip_suffix(b"]") {
        Some(inner) => {
            let open = inner.iter().rposition(|byte| *byte == b'[')?;
            let index = match sip::trim(&inner[open + 1..]) {
                b"*" => Index::All,
                number => Index::At(script::parse_int(number)?),
            };
            (sip::trim(&inner[..open]), index)
        }
        None => (text, Index::None),
    };
    (!name.is_empty()).then_some(Step { name, index })
}

/// Reads a value by its path; `<<xavp:…>>` for a name with others below it.
pub(crate) fn read(run: &Run, kind: Kind, path: &[u8], index: Index) -> Value {
    let Some(trees) = run.shared_ref().slots.get::<Trees>() else {
        return Value::Null;
    };
    match parse_path(path, index) {
        Some(steps) => trees.level(kind).read(kind, &steps),
        None => Value::Null,
    }
}

/// Writes a value by its path; `Value::Null` removes.
pub(crate) fn write(
    run: &mut Run,
    kind: Kind,
    path: &[u8],
    index: Index,
    value: Value,
) -> Result<(), SetError> {
    let steps = parse_path(path, index).ok_or_else(|| refuse("the path can't be understood"))?;
    trees(run).level_mut(kind).write(kind, &steps, value)
}

/// How many values a root name has.
pub(super) fn count(run: &Run, kind: Kind, name: &[u8]) -> usize {
    let trees = run.shared_ref().slots.get::<Trees>();
    trees.map_or(0, |trees| {
        let entries = trees.level(kind).iter();
        entries.filter(|(known, _)| kind.same(known, name)).count()
    })
}

macro_rules! accessors {
    ($($get:ident $set:ident $kind:ident;)*) => {$(
        fn $get(run: &mut Run, key: &Key, index: Index) -> Value {
            read(run, Kind::$kind, key_name(key), index)
        }

        fn $set(run: &mut Run, key: &Key, index: Index, value: Value) -> Result<(), SetError> {
            write(run, Kind::$kind, key_name(key), index, value)
        }
    )*};
}

accessors! {
    get_plain set_plain Plain;
    get_any_case set_any_case AnyCase;
    get_single set_single Single;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(level: &mut Level, kind: Kind, path: &str, value: impl Into<Value>) -> bool {
        let steps = parse_path(path.as_bytes(), Index::None).expect("a path");
        level.write(kind, &steps, value.into()).is_ok()
    }

    fn get(level: &Level, kind: Kind, path: &str) -> Value {
        let steps = parse_path(path.as_bytes(), Index::None).expect("a path");
        level.read(kind, &steps)
    }

    #[test]
    fn an_assignment_without_index_makes_a_new_root() {
        let mut tree = Level::default();
        let kind = Kind::Plain;
        assert!(set(&mut tree, kind, "a=>b", "v1"));
        assert!(set(&mut tree, kind, "a[0]=>c", 7));
        assert!(set(&mut tree, kind, "a=>b", "v2"));
        for (path, value) in [
            ("a=>b", Value::from("v2")),
            ("a[1]=>b", Value::from("v1")),
            ("a[-1]=>b", Value::from("v1")),
            ("a[0]=>c", Value::Null),
            ("a[1]=>c", Value::Int(7)),
            ("a=>b[0]", Value::from("v2")),
            ("a=>b[1]", Value::Null),
            ("a[5]=>b", Value::Null),
        ] {
            assert_eq!(get(&tree, kind, path), value, "{path}");
        }
        assert!(!set(&mut tree, kind, "m[3]=>x", 1));
        assert!(set(&mut tree, kind, "a", Value::Null));
        assert_eq!(get(&tree, kind, "a=>b"), Value::from("v1"));
    }

    #[test]
    fn children_are_stacks() {
        let mut tree = Level::default();
        let kind = Kind::Plain;
        set(&mut tree, kind, "k=>a", 1);
        set(&mut tree, kind, "k[0]=>a", 2);
        assert_eq!(get(&tree, kind, "k=>a[1]"), Value::Int(1));
        set(&mut tree, kind, "k[0]=>a[0]", 3);
        assert_eq!(get(&tree, kind, "k=>a"), Value::Int(3));
        set(&mut tree, kind, "k[0]=>a", Value::Null);
        assert_eq!(get(&tree, kind, "k=>a"), Value::Int(1));
        set(&mut tree, kind, "k[0]=>a[*]", Value::Null);
        assert_eq!(get(&tree, kind, "k=>a"), Value::Null);
        set(&mut tree, kind, "q=>w=>e", "deep");
        assert_eq!(get(&tree, kind, "q=>w=>e"), Value::from("deep"));
    }

    #[test]
    fn single_values_are_overwritten_and_names_may_ignore_case() {
        let mut tree = Level::default();
        set(&mut tree, Kind::Single, "a=>b", "u1");
        set(&mut tree, Kind::Single, "a=>b", "u2");
        set(&mut tree, Kind::Single, "a=>c", "u3");
        assert_eq!(get(&tree, Kind::Single, "a=>b"), Value::from("u2"));
        assert_eq!(get(&tree, Kind::Single, "a=>b[1]"), Value::Null);
        let mut tree = Level::default();
        set(&mut tree, Kind::AnyCase, "A=>B", "i1");
        assert_eq!(get(&tree, Kind::AnyCase, "a=>b"), Value::from("i1"));
    }
}
