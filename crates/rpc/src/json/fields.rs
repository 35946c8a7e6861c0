//! A record written as JSON while its members are told.

use super::write::{indent, write_int, write_known_name, write_name, write_separator, write_text};
use crate::fields::Fields;

/// Appends members to a buffer.
#[derive(Debug)]
pub struct JsonFields<'a> {
    out: &'a mut Vec<u8>,
    pretty: bool,
    /// Containers around the one being written.
    depth: usize,
    /// Bit n is set when the container n levels up is a list; the lowest is the innermost.
    lists: u64,
    /// Members written so far at each level, as far as it matters: whether there is one. As `lists`.
    filled: u64,
}

impl<'a> JsonFields<'a> {
    /// Writes a whole record. `depth` is the number of containers around it, as for `write_value`.
    pub fn record(out: &'a mut Vec<u8>, pretty: bool, depth: usize, write: impl FnOnce(&mut Self)) {
        let mut fields = Self::start(out, pretty, depth);
        write(&mut fields);
        fields.finish(depth);
    }

    pub(crate) fn start(out: &'a mut Vec<u8>, pretty: bool, depth: usize) -> Self {
        out.push(b'{');
        Self {
            out,
            pretty,
            depth: depth + 1,
            lists: 0,
            filled: 0,
        }
    }

    /// Ends the record, and whatever in it was not ended.
    pub(crate) fn finish(&mut self, depth: usize) {
        while self.depth > depth {
            self.end();
        }
    }

    /// What stands before the next member of a record, and its name.
    fn before(&mut self, name: &str) {
        let is_first = self.filled & 1 == 0;
        self.filled |= 1;
        write_known_name(self.out, name, is_first, self.pretty, self.depth);
    }

    fn separate(&mut self) {
        if self.filled & 1 == 1 {
            self.out.push(b',');
        }
        self.filled |= 1;
        if self.pretty {
            self.out.push(b'\n');
        }
    }

    /// What stands before the next element of a list.
    fn before_item(&mut self) {
        write_separator(self.out, (self.filled & 1) as usize, self.pretty);
        self.filled |= 1;
    }

    fn open(&mut self, is_list: bool) {
        self.out.push(if is_list { b'[' } else { b'{' });
        self.depth += 1;
        self.lists = self.lists << 1 | u64::from(is_list);
        self.filled <<= 1;
    }
}

impl Fields for JsonFields<'_> {
    fn int(&mut self, name: &str, number: impl Into<i64>) {
        self.before(name);
        write_int(self.out, number.into());
    }

    fn text(&mut self, name: &str, text: Option<&[u8]>) {
        self.before(name);
        match text {
            Some(text) => write_text(self.out, text),
            None => self.out.extend_from_slice(b"null"),
        }
    }

    fn entry(&mut self, name: &str, text: &[u8]) {
        self.separate();
        write_name(self.out, name, self.pretty, self.depth);
        write_text(self.out, text);
    }

    fn begin(&mut self, name: &str) {
        self.before(name);
        self.open(false);
    }

    fn begin_list(&mut self, name: &str) {
        self.before(name);
        self.open(true);
    }

    fn item(&mut self, text: &[u8]) {
        self.before_item();
        write_text(self.out, text);
    }

    fn begin_item(&mut self) {
        self.before_item();
        self.open(false);
    }

    fn end(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.lists & 1 == 1 {
            self.out.push(b']');
        } else {
            if self.pretty {
                self.out.push(b'\n');
                indent(self.out, self.depth);
            }
            self.out.push(b'}');
        }
        self.lists >>= 1;
        self.filled >>= 1;
    }
}
