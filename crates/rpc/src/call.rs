//! One run of a command: parameters are scanned in order, values are added to the reply.

use crate::reply::{Later, Outcome, Page, Reply};
use crate::{Fault, Registry, Value};

/// How the door's notation treats a parameter of another type than the one asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Only [`Call::text`] converts, unless the door was told to convert always.
    Binrpc {
        /// Convert whatever is asked for (`autoconversion` of the ctl module).
        autoconversion: bool,
    },
    /// Numbers and strings are converted into each other.
    Json,
}

impl Dialect {
    fn converts(self) -> bool {
        match self {
            Self::Binrpc { autoconversion } => autoconversion,
            Self::Json => true,
        }
    }
}

/// A running command's view of its parameters and of its reply.
pub struct Call<'a> {
    registry: &'a Registry,
    parameters: std::vec::IntoIter<Value>,
    scanned: usize,
    dialect: Dialect,
    reply: Reply,
    later: Option<Later>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        registry: &'a Registry,
        parameters: Vec<Value>,
        dialect: Dialect,
        reply: Reply,
    ) -> Self {
        Self {
            registry,
            parameters: parameters.into_iter(),
            scanned: 0,
            dialect,
            reply,
            later: None,
        }
    }

    /// The next parameter as a whole number.
    pub fn int(&mut self) -> Result<i64, Fault> {
        let value = self.need("integer")?;
        to_int(&value, self.dialect).ok_or_else(|| self.mismatch("integer"))
    }

    /// The next parameter as a whole number, if there is one.
    pub fn opt_int(&mut self) -> Result<Option<i64>, Fault> {
        self.optional(Self::int)
    }

    /// The next parameter as a number.
    pub fn double(&mut self) -> Result<f64, Fault> {
        let value = self.need("float")?;
        to_double(&value, self.dialect).ok_or_else(|| self.mismatch("float"))
    }

    /// The next parameter, which has to be a string unless the door converts.
    pub fn str(&mut self) -> Result<String, Fault> {
        let value = self.need("string")?;
        match value {
            Value::Str(text) => Some(text),
            number if self.dialect.converts() => to_text(number),
            _ => None,
        }
        .and_then(|text| String::from_utf8(text).ok())
        .ok_or_else(|| self.mismatch("string"))
    }

    /// The next parameter as [`Call::str`] takes it, if there is one.
    pub fn opt_str(&mut self) -> Result<Option<String>, Fault> {
        self.optional(Self::str)
    }

    /// The next parameter as text; a number is taken as it would be printed.
    pub fn text(&mut self) -> Result<String, Fault> {
        let value = self.need("any")?;
        to_text(value)
            .and_then(|text| String::from_utf8(text).ok())
            .ok_or_else(|| self.mismatch("string"))
    }

    /// The next parameter as text, if there is one.
    pub fn opt_text(&mut self) -> Result<Option<String>, Fault> {
        self.optional(Self::text)
    }

    /// The next parameter as it came.
    pub fn value(&mut self) -> Result<Value, Fault> {
        self.need("any")
    }

    /// The next parameter as it came, if there is one.
    pub fn opt_value(&mut self) -> Option<Value> {
        self.next()
    }

    /// How many parameters were not scanned yet.
    pub fn remaining(&self) -> usize {
        self.parameters.len()
    }

    /// Appends a value to the reply.
    pub fn add(&mut self, value: impl Into<Value>) {
        self.reply.add(value);
    }

    /// Continues the reply page by page after the handler has returned, as fast as the peer reads;
    /// makes the reply a list. The producer holds what it needs to continue, not a lock.
    pub fn stream(&mut self, producer: impl FnMut(&mut Page<'_>) -> bool + Send + 'static) {
        self.reply.stream(producer);
    }

    /// Answers with a whole reply, in place of what was added.
    pub fn reply_with(&mut self, reply: Reply) {
        self.reply = reply;
    }

    /// Answers when `reply` is ready, instead of with what was added. Transports that cannot wait
    /// answer fault 600.
    pub fn defer(&mut self, reply: impl Future<Output = Result<Reply, Fault>> + Send + 'static) {
        self.later = Some(Box::pin(reply));
    }

    /// All commands.
    pub fn registry(&self) -> &'a Registry {
        self.registry
    }

    pub(crate) fn finish(self) -> Outcome {
        match self.later {
            Some(later) => Outcome::Later(later),
            None => Outcome::Ready(self.reply),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.dialect == Dialect::Json
    }

    fn next(&mut self) -> Option<Value> {
        let value = self.parameters.next()?;
        self.scanned += 1;
        Some(value)
    }

    fn need(&mut self, expected: &str) -> Result<Value, Fault> {
        match self.next() {
            Some(value) => Ok(value),
            None => Err(Fault::missing_parameter(self.scanned, expected)),
        }
    }

    /// A JSON `null` stands for a parameter that was left out.
    fn optional<T>(
        &mut self,
        scan: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        match self.parameters.as_slice().first() {
            None => Ok(None),
            Some(Value::Null) => {
                self.next();
                Ok(None)
            }
            Some(_) => scan(self).map(Some),
        }
    }

    fn mismatch(&self, expected: &str) -> Fault {
        Fault::wrong_parameter(self.scanned.saturating_sub(1), expected)
    }
}

fn to_int(value: &Value, dialect: Dialect) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Double(number) if dialect.converts() => Some(*number as i64),
        Value::Str(_) if dialect.converts() => value.as_str()?.trim().parse().ok(),
        _ => None,
    }
}

fn to_double(value: &Value, dialect: Dialect) -> Option<f64> {
    match value {
        Value::Double(number) => Some(*number),
        Value::Int(number) if dialect.converts() => Some(*number as f64),
        Value::Str(_) if dialect.converts() => value.as_str()?.trim().parse().ok(),
        _ => None,
    }
}

fn to_text(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::Str(text) | Value::Bytes(text) => Some(text),
        Value::Int(number) => Some(number.to_string().into_bytes()),
        Value::Double(number) => Some(number.to_string().into_bytes()),
        _ => None,
    }
}
