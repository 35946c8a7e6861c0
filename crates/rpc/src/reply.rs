//! What a command answers: values at once, pages of values as the door has room, or later.

use std::pin::Pin;

use crate::binrpc::{BinFields, Encoder};
use crate::json::{JsonFields, write_separator, write_value};
use crate::{AnyFields, Fault, Value, ValueFields};

/// The part of a long reply that is written next: into values, or as JSON or binrpc where it shall stand.
#[derive(Debug)]
pub struct Page<'a> {
    sink: Sink<'a>,
    count: usize,
}

#[derive(Debug)]
enum Sink<'a> {
    Values(Vec<Value>),
    Json {
        out: &'a mut Vec<u8>,
        pretty: bool,
        /// Elements written before this page.
        before: usize,
    },
    Binrpc(&'a mut Encoder),
}

/// How deep an element of a JSON result is.
const DEPTH: usize = 2;

impl Page<'_> {
    /// How many values a producer should put into one page, about.
    pub const VALUES: usize = 32;

    /// Appends a value.
    pub fn push(&mut self, value: impl Into<Value>) {
        match &mut self.sink {
            Sink::Values(values) => values.push(value.into()),
            Sink::Json {
                out,
                pretty,
                before,
            } => {
                write_separator(out, *before + self.count, *pretty);
                write_value(out, &value.into(), *pretty, DEPTH);
            }
            // What does not fit is noted there.
            Sink::Binrpc(out) => drop(out.value(&value.into())),
        }
        self.count += 1;
    }

    /// Appends a record that is written field by field: much cheaper than a value for long lists.
    pub fn record(&mut self, write: impl FnOnce(&mut AnyFields<'_>)) {
        match &mut self.sink {
            Sink::Values(values) => {
                let mut fields = AnyFields::Value(ValueFields::default());
                write(&mut fields);
                if let AnyFields::Value(fields) = fields {
                    values.push(fields.finish().into());
                }
            }
            Sink::Json {
                out,
                pretty,
                before,
            } => {
                write_separator(out, *before + self.count, *pretty);
                let mut fields = AnyFields::Json(JsonFields::start(out, *pretty, DEPTH));
                write(&mut fields);
                if let AnyFields::Json(mut fields) = fields {
                    fields.finish(DEPTH);
                }
            }
            Sink::Binrpc(out) => {
                let mut fields = AnyFields::Binrpc(BinFields::start(out));
                write(&mut fields);
                if let AnyFields::Binrpc(mut fields) = fields {
                    fields.finish();
                }
            }
        }
        self.count += 1;
    }

    /// Whether the page holds as much as one page should.
    pub fn is_full(&self) -> bool {
        self.count >= Self::VALUES
    }
}

/// Fills the next page; answers whether there may be more.
pub type Producer = Box<dyn FnMut(&mut Page<'_>) -> bool + Send>;

/// A reply that comes later.
pub type Later = Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send>>;

/// An ordered list of values, whose tail may still have to be produced.
#[derive(Default)]
pub struct Reply {
    values: Vec<Value>,
    producer: Option<Producer>,
    list: bool,
}

impl Reply {
    /// A reply without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// A reply that is a JSON array whatever the number of its values.
    pub fn list() -> Self {
        Self {
            list: true,
            ..Self::default()
        }
    }

    /// Appends a value.
    pub fn add(&mut self, value: impl Into<Value>) {
        self.values.push(value.into());
    }

    /// Continues the reply page by page; makes it a list.
    pub fn stream(&mut self, producer: impl FnMut(&mut Page<'_>) -> bool + Send + 'static) {
        self.producer = Some(Box::new(producer));
        self.list = true;
    }

    /// Whether JSON shows an array even for one value.
    pub fn is_list(&self) -> bool {
        self.list
    }

    /// The values that come next; `None` at the end of the reply. A page may be empty.
    pub fn next_page(&mut self) -> Option<Vec<Value>> {
        if !self.values.is_empty() {
            return Some(std::mem::take(&mut self.values));
        }
        let mut page = Page {
            sink: Sink::Values(Vec::new()),
            count: 0,
        };
        self.produce(&mut page)?;
        match page.sink {
            Sink::Values(values) => Some(values),
            Sink::Json { .. } | Sink::Binrpc(_) => None,
        }
    }

    /// The same, written as elements of a JSON array behind `before` others. Answers how many were written.
    pub(crate) fn next_json(
        &mut self,
        out: &mut Vec<u8>,
        pretty: bool,
        before: usize,
    ) -> Option<usize> {
        let sink = Sink::Json {
            out,
            pretty,
            before,
        };
        self.write_page(sink)
    }

    /// The same as the next records of a packet; false at the end of the reply.
    pub(crate) fn next_binrpc(&mut self, out: &mut Encoder) -> bool {
        self.write_page(Sink::Binrpc(out)).is_some()
    }

    fn write_page(&mut self, sink: Sink<'_>) -> Option<usize> {
        let mut page = Page { sink, count: 0 };
        if self.values.is_empty() {
            self.produce(&mut page)?;
        }
        for value in std::mem::take(&mut self.values) {
            page.push(value);
        }
        Some(page.count)
    }

    /// Lets the producer fill a page; `None` if there is none, or none any more.
    fn produce(&mut self, page: &mut Page<'_>) -> Option<()> {
        if !self.producer.as_mut()?(page) {
            self.producer = None;
        }
        Some(())
    }

    /// All values. Takes as much memory as they need: not for listings.
    pub fn into_values(mut self) -> Vec<Value> {
        let mut values = Vec::new();
        while let Some(page) = self.next_page() {
            values.extend(page);
        }
        values
    }

    /// How many values there are, if nothing has to be produced.
    pub(crate) fn settled_len(&self) -> Option<usize> {
        self.producer.is_none().then_some(self.values.len())
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("values", &self.values)
            .field("streams", &self.producer.is_some())
            .field("list", &self.list)
            .finish()
    }
}

/// How a command ended.
pub enum Outcome {
    /// The reply is there.
    Ready(Reply),
    /// The reply comes later.
    Later(Later),
}

impl Outcome {
    /// The reply, for a caller that cannot wait: fault 600 if it comes later.
    pub fn now(self) -> Result<Reply, Fault> {
        match self {
            Self::Ready(reply) => Ok(reply),
            Self::Later(_) => Err(Fault::cannot_wait()),
        }
    }

    /// The reply, when it comes.
    pub async fn wait(self) -> Result<Reply, Fault> {
        match self {
            Self::Ready(reply) => Ok(reply),
            Self::Later(later) => later.await,
        }
    }
}
