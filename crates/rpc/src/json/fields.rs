//! A record written as JSON while its members are told.

use super::put::{PIECE, is_plain, put, put_int, put_line};
use super::write::{write_name, write_text};
use crate::fields::Fields;

/// Appends members to a buffer.
#[derive(Debug)]
pub struct JsonFields<'a> {
    /// What is written, and room behind it.
    out: &'a mut Vec<u8>,
    /// Bytes that are written.
    written: usize,
    pretty: bool,
    /// Containers around the one being written.
    depth: usize,
    /// Bit n is set when the container n levels up is a list; the lowest is the innermost.
    lists: u64,
    /// Members written so far at each level, as far as it matters: whether there is one. As `lists`.
    filled: u64,
}

/// Bytes of room that are made at a time; most records have fewer.
const ROOM: usize = 1024;

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
            written: out.len(),
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
        self.out.truncate(self.written);
    }

    /// Sees to it that there is room for a few pieces, so many tabs as a line has, and `bytes` more.
    #[inline(always)]
    fn make_room(&mut self, bytes: usize) {
        let needed = 4 * PIECE + self.depth + bytes;
        if self.out.len() - self.written < needed {
            self.grow(needed);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, bytes: usize) {
        self.out.resize(self.written + bytes.max(ROOM), 0);
    }

    /// Whether a comma stands before the next member or element, which is counted.
    #[inline(always)]
    fn comma(&mut self) -> bool {
        let comma = self.filled & 1 == 1;
        self.filled |= 1;
        comma
    }

    /// Writes what stands before the name of the next member of a record, and makes room for `bytes` more. Gives the
    /// place behind it.
    #[inline(always)]
    fn before_name(&mut self, bytes: usize) -> usize {
        self.make_room(bytes);
        let (comma, at) = (self.comma(), self.written);
        if self.pretty {
            return put_line(self.out, at, comma, self.depth);
        }
        self.out[at] = b',';
        at + usize::from(comma)
    }

    /// The same with the name, which needs no escape. Where it is a constant, nothing is called.
    #[inline(always)]
    fn before(&mut self, name: &str, bytes: usize) -> usize {
        let mut at = self.before_name(name.len() + bytes);
        let room = &mut self.out[..];
        room[at] = b'"';
        at += 1;
        room[at..at + name.len()].copy_from_slice(name.as_bytes());
        at += name.len();
        put(room, at, b"\":\t");
        at + if self.pretty { 3 } else { 2 }
    }

    /// What stands before the next element of a list; there is room for `bytes` more.
    fn before_item(&mut self, bytes: usize) -> usize {
        self.make_room(bytes);
        put(self.out, self.written, b", ");
        let width = match (self.comma(), self.pretty) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        };
        self.written + width
    }

    /// Writes a text for which room was made.
    fn put_text(&mut self, at: usize, text: &[u8]) {
        self.written = at;
        if !is_plain(text) {
            self.out.truncate(at);
            write_text(self.out, text);
            self.written = self.out.len();
            return;
        }
        let end = at + 1 + text.len();
        self.out[at] = b'"';
        self.out[at + 1..end].copy_from_slice(text);
        self.out[end] = b'"';
        self.written = end + 1;
    }

    fn open(&mut self, at: usize, is_list: bool) {
        self.out[at] = if is_list { b'[' } else { b'{' };
        self.written = at + 1;
        self.depth += 1;
        self.lists = self.lists << 1 | u64::from(is_list);
        self.filled <<= 1;
    }
}

impl Fields for JsonFields<'_> {
    #[inline(always)]
    fn int(&mut self, name: &str, number: impl Into<i64>) {
        let at = self.before(name, 0);
        self.written = put_int(self.out, at, number.into());
    }

    #[inline(always)]
    fn text(&mut self, name: &str, text: Option<&[u8]>) {
        let at = self.before(name, text.map_or(0, <[u8]>::len));
        match text {
            Some(text) => self.put_text(at, text),
            None => {
                put(self.out, at, b"null");
                self.written = at + 4;
            }
        }
    }

    fn entry(&mut self, name: &str, text: &[u8]) {
        if is_plain(name.as_bytes()) {
            let at = self.before(name, text.len());
            return self.put_text(at, text);
        }
        let at = self.before_name(0);
        self.out.truncate(at);
        write_name(self.out, name, self.pretty, 0);
        write_text(self.out, text);
        self.written = self.out.len();
    }

    #[inline(always)]
    fn begin(&mut self, name: &str) {
        let at = self.before(name, 0);
        self.open(at, false);
    }

    #[inline(always)]
    fn begin_list(&mut self, name: &str) {
        let at = self.before(name, 0);
        self.open(at, true);
    }

    fn item(&mut self, text: &[u8]) {
        let at = self.before_item(text.len());
        self.put_text(at, text);
    }

    fn begin_item(&mut self) {
        let at = self.before_item(0);
        self.open(at, false);
    }

    fn end(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.make_room(0);
        let mut at = self.written;
        let is_list = self.lists & 1 == 1;
        if self.pretty && !is_list {
            at = put_line(self.out, at, false, self.depth);
        }
        self.out[at] = if is_list { b']' } else { b'}' };
        self.written = at + 1;
        self.lists >>= 1;
        self.filled >>= 1;
    }
}
