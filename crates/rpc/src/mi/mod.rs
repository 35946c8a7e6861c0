//! The management interface of the 3.x days: commands whose replies are trees of named nodes, written as text.
//!
//! A request is `:command:reply_fifo`, one argument a line, and an empty line. A reply is a code and a reason,
//! one line for each node with its children indented below it, and an empty line:
//!
//! ```text
//! 200 OK
//! dialog::  hash=3892:1234
//!     state:: 4
//!
//! ```

mod frame;
pub(crate) mod lines;
mod nodes;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use frame::Argument;
pub(crate) use frame::{Framer, Request};
pub use nodes::{Nodes, write_value};

use crate::{Fault, Registry, Value};

/// A running MI command's view of its request.
#[derive(Debug)]
pub struct MiCall<'a> {
    /// The arguments, in order.
    pub arguments: &'a [Argument],
    /// The commands of the other doors.
    pub registry: &'a Registry,
    /// The names of all MI commands.
    pub names: &'a [Cow<'static, str>],
}

impl MiCall<'_> {
    /// The arguments' values, if there are at least `min` and at most `max`: fault 400 otherwise.
    pub fn texts(&self, min: usize, max: usize) -> Result<Vec<&str>, Fault> {
        if !(min..=max).contains(&self.arguments.len()) {
            return Err(Fault::new(400, "Too few or too many arguments"));
        }
        Ok(self.arguments.iter().map(|a| a.value.as_str()).collect())
    }
}

type Handler = dyn Fn(&MiCall<'_>) -> Result<MiReply, Fault> + Send + Sync;

/// One MI command.
#[derive(Clone)]
pub struct MiCommand {
    name: Cow<'static, str>,
    doc: &'static str,
    /// A command of the other doors without which there is none of this one.
    needs: Option<&'static str>,
    handler: Arc<Handler>,
}

impl MiCommand {
    /// A command `name` with a sentence of help. The handler must be quick: it runs on the door's thread.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        doc: &'static str,
        handler: impl Fn(&MiCall<'_>) -> Result<MiReply, Fault> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            doc,
            needs: None,
            handler: Arc::new(handler),
        }
    }

    /// Makes the command depend on one of the other doors: without that it is not there.
    #[must_use]
    pub fn needs(mut self, command: &'static str) -> Self {
        self.needs = Some(command);
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The help.
    pub fn doc(&self) -> &str {
        self.doc
    }
}

impl fmt::Debug for MiCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MiCommand").field(&self.name).finish()
    }
}

type Producer = dyn FnMut(&mut Nodes<'_>) -> bool + Send;

/// The nodes of a reply, written page by page as fast as the peer reads.
#[derive(Default)]
pub struct MiReply(Option<Box<Producer>>);

impl MiReply {
    /// No nodes.
    pub fn ok() -> Self {
        Self::default()
    }

    /// Nodes that `write` writes at once.
    pub fn nodes(write: impl FnOnce(&mut Nodes<'_>) + Send + 'static) -> Self {
        let mut write = Some(write);
        Self::pages(move |nodes| {
            if let Some(write) = write.take() {
                write(nodes);
            }
            false
        })
    }

    /// Nodes that `page` writes some at a time; it answers whether there may be more. It holds what it
    /// needs to go on, not a lock.
    pub fn pages(page: impl FnMut(&mut Nodes<'_>) -> bool + Send + 'static) -> Self {
        Self(Some(Box::new(page)))
    }
}

impl fmt::Debug for MiReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MiReply").field(&self.0.is_some()).finish()
    }
}

/// All MI commands, by name. A name that is none of them may be that of a command of the other doors.
#[derive(Debug)]
pub(crate) struct Commands {
    rows: BTreeMap<Cow<'static, str>, MiCommand>,
    names: Vec<Cow<'static, str>>,
    registry: Arc<Registry>,
}

impl Commands {
    pub(crate) fn new(rows: &[MiCommand], registry: Arc<Registry>) -> Self {
        let is_there = |row: &&MiCommand| row.needs.is_none_or(|n| registry.find(n).is_some());
        let rows = rows.iter().filter(is_there);
        let rows: BTreeMap<_, _> = rows.map(|row| (row.name.clone(), row.clone())).collect();
        let names = rows.keys().cloned().collect();
        Self {
            rows,
            names,
            registry,
        }
    }

    /// The reply to a request, to be written with this indentation.
    pub(crate) fn respond(&self, request: &Request, indent: &Arc<str>) -> Response {
        let call = MiCall {
            arguments: &request.arguments,
            registry: &self.registry,
            names: &self.names,
        };
        let handled = catch_unwind(AssertUnwindSafe(|| {
            match self.rows.get(request.command.as_str()) {
                Some(row) => (row.handler)(&call),
                None => elsewhere(&request.command, &call),
            }
        }));
        let failed = || Fault::new(500, format!("command '{}' failed", request.command));
        Response::new(handled.unwrap_or_else(|_| Err(failed())), indent)
    }
}

/// A command of the other doors: its values become nodes.
fn elsewhere(name: &str, call: &MiCall<'_>) -> Result<MiReply, Fault> {
    if call.registry.find(name).is_none() {
        return Err(Fault::new(500, format!("command '{name}' not available")));
    }
    let values = call.arguments.iter();
    let values = values.map(|argument| Value::from(argument.value.as_str()));
    let mut reply = call.registry.call(name, values.collect())?;
    Ok(MiReply::pages(move |nodes| {
        let page = reply.next_page();
        for value in page.iter().flatten() {
            write_value(nodes, "", value);
        }
        page.is_some()
    }))
}

/// A reply on its way out.
pub(crate) struct Response {
    /// The first line, until it is written.
    status: Option<String>,
    producer: Option<Box<Producer>>,
    indent: Arc<str>,
    /// An empty line says that the reply is over.
    has_end: bool,
    is_over: bool,
}

impl Response {
    fn new(outcome: Result<MiReply, Fault>, indent: &Arc<str>) -> Self {
        let (status, producer) = match outcome {
            Ok(reply) => ("200 OK".to_owned(), reply.0),
            Err(fault) => (format!("{} {}", fault.code, one_line(&fault.text)), None),
        };
        Self {
            status: Some(status),
            producer,
            indent: Arc::clone(indent),
            has_end: true,
            is_over: false,
        }
    }

    fn without_end(mut self) -> Self {
        self.has_end = false;
        self
    }

    /// The next bytes to write; `None` when all is said.
    pub(crate) fn next_chunk(&mut self) -> Option<Vec<u8>> {
        if self.is_over {
            return None;
        }
        let mut out = Vec::new();
        if let Some(status) = self.status.take() {
            out.extend_from_slice(status.as_bytes());
            out.push(b'\n');
        }
        let mut nodes = Nodes::new(&mut out, &self.indent);
        let more = match &mut self.producer {
            // A panic ends the reply where it is, and nobody else's.
            Some(producer) => {
                catch_unwind(AssertUnwindSafe(|| producer(&mut nodes))).unwrap_or(false)
            }
            None => false,
        };
        if !more {
            self.is_over = true;
            out.extend(self.has_end.then_some(b'\n'));
        }
        Some(out)
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

/// Answers the MI requests in `bytes`, one reply after the other: what a FIFO does, without the FIFO.
///
/// ```
/// use std::sync::Arc;
/// use tandem_rpc::{MiCommand, MiReply, Registry, answer_mi};
///
/// let pwd = MiCommand::new("pwd", "The working directory.", |call| {
///     call.texts(0, 0)?;
///     Ok(MiReply::nodes(|nodes| nodes.leaf("WD", "/")))
/// });
/// let registry = Arc::new(Registry::new());
/// assert_eq!(answer_mi(&[pwd], &registry, b":pwd:reply\n\n"), b"200 OK\nWD:: /\n\n");
/// ```
pub fn answer_mi(commands: &[MiCommand], registry: &Arc<Registry>, bytes: &[u8]) -> Vec<u8> {
    let commands = Commands::new(commands, Arc::clone(registry));
    let indent = Arc::from("\t");
    let mut replies = Vec::new();
    for request in Framer::new(usize::MAX).push(bytes) {
        let mut response = commands.respond(&request, &indent);
        while let Some(chunk) = response.next_chunk() {
            replies.extend_from_slice(&chunk);
        }
    }
    replies
}
