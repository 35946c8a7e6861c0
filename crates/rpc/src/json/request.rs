//! Reading a request that anybody may have sent.

use crate::{Struct, Value};

/// One JSON-RPC request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// The command's name, if there is one.
    pub method: Option<String>,
    /// The parameters in order; the names in an object of parameters mean nothing.
    pub parameters: Vec<Value>,
    /// What the answer has to repeat, if there is one.
    pub id: Option<Value>,
    /// The name of the FIFO that wants the answer.
    pub reply_name: Option<String>,
    /// Whether the `jsonrpc` member is there and says 2.0.
    pub is_version_2: bool,
}

impl Request {
    /// Reads the first JSON document of `body`; `None` if it is not JSON. What is not an object
    /// becomes a request that asks for nothing.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let document = serde_json::Deserializer::from_slice(body)
            .into_iter::<serde_json::Value>()
            .next()?
            .ok()?;
        let serde_json::Value::Object(mut members) = document else {
            return Some(Self::default());
        };
        let mut string = |name: &str| match members.remove(name) {
            Some(serde_json::Value::String(text)) => Some(text),
            _ => None,
        };
        let is_version_2 = string("jsonrpc").is_some_and(|version| version == "2.0");
        let method = string("method");
        let reply_name = string("reply_name");
        Some(Self {
            method,
            parameters: members.remove("params").map_or_else(Vec::new, parameters),
            id: members.remove("id").map(id),
            reply_name,
            is_version_2,
        })
    }
}

fn parameters(params: serde_json::Value) -> Vec<Value> {
    match params {
        serde_json::Value::Array(items) => items.into_iter().map(to_value).collect(),
        serde_json::Value::Object(members) => members
            .into_iter()
            .map(|(_, value)| to_value(value))
            .collect(),
        _ => Vec::new(),
    }
}

/// Only scalars can be repeated.
fn id(id: serde_json::Value) -> Value {
    match to_value(id) {
        Value::Struct(_) | Value::Array(_) => Value::Null,
        scalar => scalar,
    }
}

fn to_value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Int(i64::from(truth)),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::Str(text.into_bytes()),
        serde_json::Value::Array(items) => Value::Array(items.into_iter().map(to_value).collect()),
        serde_json::Value::Object(members) => {
            let mut converted = Struct::with_capacity(members.len());
            for (name, value) in members {
                converted.add(name, to_value(value));
            }
            Value::Struct(converted)
        }
    }
}
