//! Writing a record member by member, straight into the notation of whoever asked: long lists are made
//! without a tree of values for each element.

use crate::binrpc::BinFields;
use crate::json::JsonFields;
use crate::{Name, Struct, Value};

/// Takes the members of a record in their order. What was begun has to be ended. Names are those of the program's
/// own, in plain ASCII; one that came from elsewhere goes through [`entry`](Self::entry).
pub trait Fields {
    /// A number.
    fn int(&mut self, name: &str, number: impl Into<i64>);
    /// A text; `None` is one that is not set.
    fn text(&mut self, name: &str, text: Option<&[u8]>);
    /// A text whose name came from elsewhere, too.
    fn entry(&mut self, name: &str, text: &[u8]);
    /// A member that is a record itself, up to its [`end`](Self::end).
    fn begin(&mut self, name: &str);
    /// A member that is a list, up to its [`end`](Self::end).
    fn begin_list(&mut self, name: &str);
    /// A text in a list.
    fn item(&mut self, text: &[u8]);
    /// A record in a list, up to its [`end`](Self::end).
    fn begin_item(&mut self);
    /// Ends what was begun last.
    fn end(&mut self);
}

/// Collects a record as a value.
#[derive(Debug, Default)]
pub struct ValueFields {
    members: Struct,
    open: Vec<Open>,
}

#[derive(Debug)]
enum Open {
    Record(Option<Name>, Struct),
    List(Name, Vec<Value>),
}

impl ValueFields {
    /// What `write` writes, as a struct.
    pub fn collect(write: impl FnOnce(&mut Self)) -> Struct {
        let mut fields = Self::default();
        write(&mut fields);
        fields.finish()
    }

    /// The record; what was not ended is ended.
    pub(crate) fn finish(mut self) -> Struct {
        while !self.open.is_empty() {
            self.end();
        }
        self.members
    }

    fn put(&mut self, name: Option<Name>, value: Value) {
        match (self.open.last_mut(), name) {
            (Some(Open::List(_, items)), _) => items.push(value),
            (Some(Open::Record(_, members)), Some(name)) => members.add(name, value),
            (None, Some(name)) => self.members.add(name, value),
            // A member without a name, outside of a list: nobody could ask for it.
            (_, None) => {}
        }
    }
}

fn owned(name: &str) -> Option<Name> {
    Some(Name::from(name.to_owned()))
}

impl Fields for ValueFields {
    fn int(&mut self, name: &str, number: impl Into<i64>) {
        self.put(owned(name), Value::Int(number.into()));
    }

    fn text(&mut self, name: &str, text: Option<&[u8]>) {
        self.put(owned(name), Value::from(text));
    }

    fn entry(&mut self, name: &str, text: &[u8]) {
        self.text(name, Some(text));
    }

    fn begin(&mut self, name: &str) {
        self.open.push(Open::Record(owned(name), Struct::new()));
    }

    fn begin_list(&mut self, name: &str) {
        self.open
            .push(Open::List(name.to_owned().into(), Vec::new()));
    }

    fn item(&mut self, text: &[u8]) {
        self.put(None, Value::from(text));
    }

    fn begin_item(&mut self) {
        self.open.push(Open::Record(None, Struct::new()));
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Open::Record(name, members)) => self.put(name, Value::Struct(members)),
            Some(Open::List(name, items)) => self.put(Some(name), Value::Array(items)),
            None => {}
        }
    }
}

/// A record's fields, whichever notation they go into.
#[derive(Debug)]
pub enum AnyFields<'a> {
    /// As a value.
    Value(ValueFields),
    /// As JSON.
    Json(JsonFields<'a>),
    /// As binrpc.
    Binrpc(BinFields<'a>),
}

macro_rules! each {
    ($self:ident, $fields:ident => $call:expr) => {
        match $self {
            Self::Value($fields) => $call,
            Self::Json($fields) => $call,
            Self::Binrpc($fields) => $call,
        }
    };
}

impl Fields for AnyFields<'_> {
    #[inline(always)]
    fn int(&mut self, name: &str, number: impl Into<i64>) {
        each!(self, fields => fields.int(name, number));
    }

    #[inline(always)]
    fn text(&mut self, name: &str, text: Option<&[u8]>) {
        each!(self, fields => fields.text(name, text));
    }

    fn entry(&mut self, name: &str, text: &[u8]) {
        each!(self, fields => fields.entry(name, text));
    }

    #[inline(always)]
    fn begin(&mut self, name: &str) {
        each!(self, fields => fields.begin(name));
    }

    #[inline(always)]
    fn begin_list(&mut self, name: &str) {
        each!(self, fields => fields.begin_list(name));
    }

    fn item(&mut self, text: &[u8]) {
        each!(self, fields => fields.item(text));
    }

    fn begin_item(&mut self) {
        each!(self, fields => fields.begin_item());
    }

    fn end(&mut self) {
        each!(self, fields => fields.end());
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::binrpc::Encoder;
    use crate::json::write_value;

    fn sample(fields: &mut impl Fields) {
        fields.int("n", 7);
        fields.text("t", Some(b"a\"b"));
        fields.text("null", None);
        fields.begin("record");
        fields.int("m", -1);
        fields.begin_list("empty");
        fields.end();
        fields.end();
        fields.begin_list("list");
        fields.item(b"x");
        fields.begin_item();
        fields.entry("k\n\u{e9}", b"\xff");
        fields.end();
        fields.end();
        fields.begin("nothing");
        fields.end();
    }

    #[test]
    fn both_ways_write_the_same() {
        let value = Value::from(ValueFields::collect(sample));
        for (pretty, depth) in [(false, 0), (true, 0), (true, 2)] {
            let (mut by_value, mut direct) = (Vec::new(), Vec::new());
            write_value(&mut by_value, &value, pretty, depth);
            JsonFields::record(&mut direct, pretty, depth, sample);
            assert_eq!(String::from_utf8(direct), String::from_utf8(by_value));
        }
    }
    /// Members of any kind, as deep as it happens.
    fn write_any(fields: &mut impl Fields, steps: &[(u8, i64, Vec<u8>)]) {
        const NAMES: [&str; 3] = ["n", "a_longer_name", ""];
        let mut lists = vec![false];
        for (kind, number, text) in steps {
            let is_list = lists.last() == Some(&true);
            let name = NAMES[text.len() % NAMES.len()];
            match (kind % 8, is_list) {
                (0, false) => fields.int(name, *number),
                (1, false) => fields.text(name, Some(text)),
                (2, false) => fields.text(name, None),
                (3, false) => fields.entry(&String::from_utf8_lossy(text), text),
                (4 | 5, false) => {
                    let begins_list = kind % 8 == 5;
                    match begins_list {
                        true => fields.begin_list(name),
                        false => fields.begin(name),
                    }
                    lists.push(begins_list);
                }
                (0..3, true) => fields.item(text),
                (3..6, true) => {
                    fields.begin_item();
                    lists.push(false);
                }
                _ if lists.len() > 1 => {
                    fields.end();
                    lists.pop();
                }
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn all_ways_write_the_same_of_anything(
            steps in vec((any::<u8>(), any::<i64>(), vec(any::<u8>(), 0..40)), 0..100),
            long in vec(any::<u8>(), 0..3000),
            (pretty, depth) in (any::<bool>(), 0..20_usize),
        ) {
            let printable: Vec<u8> = long.iter().map(|byte| b'0' + byte % 10).collect();
            let mut steps = steps;
            steps.extend([(1, 0, long), (1, 0, printable)]);
            let value = Value::from(ValueFields::collect(|fields| write_any(fields, &steps)));
            let (mut by_value, mut direct) = (vec![b'x'], vec![b'x']);
            write_value(&mut by_value, &value, pretty, depth);
            JsonFields::record(&mut direct, pretty, depth, |fields| write_any(fields, &steps));
            prop_assert_eq!(String::from_utf8(direct), String::from_utf8(by_value));
            for max in [1 << 20, 1000] {
                let (mut by_value, mut direct) = (Encoder::new(max), Encoder::new(max));
                let fits = by_value.value(&value);
                let mut fields = BinFields::start(&mut direct);
                write_any(&mut fields, &steps);
                fields.finish();
                prop_assert_eq!(direct.check(), fits);
                prop_assert_eq!(direct.finish(), by_value.finish());
            }
        }
    }
}
