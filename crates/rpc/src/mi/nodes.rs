//! Writing nodes: a name, a value, attributes, and children one level deeper.

use crate::{Fields, Value};

/// Where nodes are written.
#[derive(Debug)]
pub struct Nodes<'a> {
    out: &'a mut Vec<u8>,
    indent: &'a str,
    depth: usize,
}

impl<'a> Nodes<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, indent: &'a str) -> Self {
        Self {
            out,
            indent,
            depth: 0,
        }
    }

    /// A node without children. One without a name is its value alone.
    pub fn leaf(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.node(name, value, &[]);
    }

    /// A node with attributes, as `key=value`.
    pub fn node(&mut self, name: &str, value: impl AsRef<[u8]>, attributes: &[(&str, &str)]) {
        for _ in 0..self.depth {
            self.out.extend_from_slice(self.indent.as_bytes());
        }
        if !name.is_empty() {
            self.put(name.as_bytes());
            self.out.extend_from_slice(b":: ");
        }
        self.put(value.as_ref());
        for (key, value) in attributes {
            self.out.push(b' ');
            self.put(key.as_bytes());
            self.out.push(b'=');
            self.put(value.as_bytes());
        }
        self.out.push(b'\n');
    }

    /// What follows is a child of the node written last, up to [`close`](Self::close).
    pub fn open(&mut self) {
        self.depth += 1;
    }

    /// Ends the children.
    pub fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// A line end within a text would be one of the reply: it becomes a blank.
    fn put(&mut self, text: &[u8]) {
        let bytes = text.iter().map(|&byte| match byte {
            b'\r' | b'\n' | 0 => b' ',
            byte => byte,
        });
        self.out.extend(bytes);
    }
}

/// Records as nodes: lists and records are nodes without a value.
impl Fields for Nodes<'_> {
    fn int(&mut self, name: &str, number: impl Into<i64>) {
        self.leaf(name, number.into().to_string());
    }

    fn text(&mut self, name: &str, text: Option<&[u8]>) {
        self.leaf(name, text.unwrap_or_default());
    }

    fn entry(&mut self, name: &str, text: &[u8]) {
        self.leaf(name, text);
    }

    fn begin(&mut self, name: &str) {
        self.leaf(name, "");
        self.open();
    }

    fn begin_list(&mut self, name: &str) {
        self.begin(name);
    }

    fn item(&mut self, text: &[u8]) {
        self.leaf("", text);
    }

    fn begin_item(&mut self) {
        self.begin("item");
    }

    fn end(&mut self) {
        self.close();
    }
}

/// A value of the other doors' commands as a node with this name, or as nodes on this level.
pub fn write_value(nodes: &mut Nodes<'_>, name: &str, value: &Value) {
    match value {
        Value::Null => nodes.leaf(name, ""),
        Value::Int(number) => nodes.leaf(name, number.to_string()),
        Value::Double(number) => nodes.leaf(name, number.to_string()),
        Value::Str(text) | Value::Bytes(text) => nodes.leaf(name, text),
        Value::Struct(members) => {
            let is_nested = !name.is_empty();
            if is_nested {
                nodes.begin(name);
            }
            for (name, value) in members.members() {
                write_value(nodes, name, value);
            }
            if is_nested {
                nodes.end();
            }
        }
        Value::Array(values) => {
            for value in values {
                write_value(nodes, name, value);
            }
        }
        Value::Named(values) => {
            for (name, value) in values {
                write_value(nodes, name, value);
            }
        }
    }
}
