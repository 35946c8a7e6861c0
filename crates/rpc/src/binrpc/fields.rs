//! A record written as binrpc while its members are told.

use super::{Encoder, LONG, TYPE_STRUCT};
use crate::fields::Fields;

/// Appends members to the records of a packet. What is too much for it, [`Encoder::check`] tells afterwards.
#[derive(Debug)]
pub struct BinFields<'a> {
    out: &'a mut Encoder,
    /// Containers that were begun and not ended: the record itself, and what is in it.
    open: usize,
}

impl<'a> BinFields<'a> {
    pub(crate) fn start(out: &'a mut Encoder) -> Self {
        let mut fields = Self { out, open: 0 };
        fields.begin_item();
        fields
    }

    /// Ends the record, and whatever in it was not ended.
    pub(crate) fn finish(&mut self) {
        while self.open > 0 {
            self.end();
        }
    }
}

/// A list is a record whose members have no names.
impl Fields for BinFields<'_> {
    fn int(&mut self, name: &str, number: impl Into<i64>) {
        self.out.name(name);
        self.out.int(number.into());
    }

    fn text(&mut self, name: &str, text: Option<&[u8]>) {
        self.out.name(name);
        self.out.string(text);
    }

    fn entry(&mut self, name: &str, text: &[u8]) {
        self.text(name, Some(text));
    }

    fn begin(&mut self, name: &str) {
        self.out.name(name);
        self.begin_item();
    }

    fn begin_list(&mut self, name: &str) {
        self.begin(name);
    }

    fn item(&mut self, text: &[u8]) {
        self.out.string(Some(text));
    }

    fn begin_item(&mut self) {
        self.out.push(TYPE_STRUCT);
        self.open += 1;
    }

    fn end(&mut self) {
        if self.open > 0 {
            self.out.push(LONG | TYPE_STRUCT);
            self.open -= 1;
        }
    }
}
